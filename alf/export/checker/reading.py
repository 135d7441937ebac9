"""A formula's text as an expression, and what must hold for the text to have a value as it is written.

SymPy drops what it can on the way: 0*log(u - 1/2) becomes 0, though it has no value on (0, 1/2]. So every logarithm,
root, quotient and tangent of the text is noted while it is read, whatever becomes of it.
"""

import ast
import operator

import sympy

from alf.export.checker.interval import Undefined

u = sympy.Symbol("u", positive=True)

FUNCTIONS = {
    "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan,
    "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh, "atan": sympy.atan, "abs": sympy.Abs, "Abs": sympy.Abs,
}  # fmt: skip
CHOICES = {"min": sympy.Min, "Min": sympy.Min, "max": sympy.Max, "Max": sympy.Max}
OPERATIONS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
CONSTANTS = {"u": u, "pi": sympy.pi, "e": sympy.E, "E": sympy.E}


def read(text, names, needs=None):
    """An expression from its text, in u and the symbols given by name.

    To the list `needs` are added pairs of an expression and what it must be: "positive", "nonnegative" or "nonzero".
    """
    if "u" in names:
        raise Undefined("u is the probability, so it is no hyperparameter")
    found = _read(ast.parse(text, mode="eval").body, {**CONSTANTS, **names}, [] if needs is None else needs)
    if not isinstance(found, sympy.Expr) or found.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I, sympy.Float):
        raise Undefined(f"no real expression: {text}")
    return _plain_roots(found)


def _read(node, names, needs):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return sympy.Rational(repr(node.value))
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        found = _read(node.operand, names, needs)
        return -found if isinstance(node.op, ast.USub) else found
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        arguments, name = [_read(a, names, needs) for a in node.args], node.func.id
        if name in FUNCTIONS and len(arguments) == 1:
            _note(name, arguments[0], needs)
            return FUNCTIONS[name](arguments[0])
        if name in CHOICES:
            return CHOICES[name](*arguments)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        x, y = _read(node.left, names, needs), _read(node.right, names, needs)
        if isinstance(node.op, ast.Div):
            _need(y, "nonzero", needs)
        if isinstance(node.op, ast.Pow):
            _note_power(x, y, needs)
        return OPERATIONS[type(node.op)](x, y)
    raise Undefined(f"this is no part of a formula: {ast.unparse(node)}")


def _note(name, argument, needs):
    if name == "log":
        _need(argument, "positive", needs)
    elif name == "sqrt":
        _need(argument, "nonnegative", needs)
    elif name == "tan":
        _need(sympy.cos(argument), "nonzero", needs)


def _note_power(base, exponent, needs):
    if exponent.is_Integer and exponent >= 0:
        return
    if exponent.is_Integer:
        _need(base, "nonzero", needs)
    else:
        _need(base, "nonnegative" if exponent.is_positive and not exponent.has(u) else "positive", needs)


def _need(inside, need, needs):
    known = {"positive": inside.is_positive, "nonnegative": inside.is_nonnegative, "nonzero": inside.is_nonzero}[need]
    if known is False and not inside.free_symbols:
        raise Undefined(f"{inside} is not {need}")
    if not known and (inside, need) not in needs:  # known: for every u > 0
        needs.append((inside, need))


def _plain_roots(expression):
    """Roots of polynomials that are squares, as the absolute values that they are."""

    def is_root(e):
        return e.is_Pow and e.exp.is_Rational and not e.exp.is_Integer and e.base.is_polynomial(u) and e.base.has(u)

    def plain(e):
        if not is_root(e) or sympy.degree(e.base, u) > 12:
            return e
        scale, factors = sympy.factor_list(e.base)
        if not scale.is_positive or any(k % 2 for _, k in factors):
            return e
        found = scale**e.exp
        for f, k in factors:  # with leading coefficient 1, so that equal kinks are seen to be equal
            lead = sympy.LC(f, u)
            found *= (abs(lead) * sympy.Abs(sympy.expand(f / lead))) ** (k * e.exp)
        return found

    return expression.replace(lambda e: is_root(e), plain)
