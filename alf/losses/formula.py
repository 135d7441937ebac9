"""Losses that a person types: ``formula:EXPR;name=value,name=value[low,high]``; ``^`` is read as ``**``, ``ln`` as log.

The text is read by Python's `ast` and by nothing else: only the node kinds, names and functions listed here get
through, with limits on length, depth, nodes and exponents; no text is ever evaluated. The tree is first computed in
plain floating point over (0, 1], which finds what no loss may do (leave the reals, overflow, rise), and only then
becomes a SymPy expression.

A parameter with a domain, ``a=2.5[1,10]``, stays a symbol over which proofs are asked; one without is a number.
"""

import ast
import math
import operator
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import sympy
from sympy import Expr, Symbol

from alf.errors import InputError, quoted
from alf.losses.acceptance import ARITHMETIC, FLOAT_OPERATIONS, UNARY, VARIADIC, check_values, evaluate, in_digits
from alf.losses.declaration import TRIED, Declaration, Loss
from alf.losses.domain import Domain, Parameter, unbalanced
from alf.losses.dropped_terms import check_dropped
from alf.losses.exact import power
from alf.losses.symbols import u
from alf.numbers import as_rational, decimal, exact_number, stands_for

LONGEST = 2000
MOST_NODES = 400
DEEPEST = 40
LARGEST_EXPONENT = 100
MOST_CHOICES = 16
"""Limits on characters, nodes of the syntax tree, nesting, exponents, and on min, max and abs together."""

_ALPHABET = re.compile(r"[A-Za-z0-9_+*/^().,\-\[\]=; ]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,29}", re.ASCII)
_VALUE = re.compile(
    r"\s*(?P<name>\w+)\s*=\s*(?P<value>[^,\[\]=]+?)\s*(\[(?P<low>[^,\[\]=]+),(?P<high>[^,\[\]=]+)\])?\s*"
)
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E}
_RESERVED = {*UNARY, *VARIADIC, *_CONSTANTS, "ln", "u", "K", "S"}
_SYMBOLIC = {
    "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan,
    "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh, "atan": sympy.atan, "abs": sympy.Abs,
    "min": sympy.Min, "max": sympy.Max,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Formula(Declaration):
    """A declaration that came from a text; `text` is what its canonical spec prints before the parameters."""

    text: str = ""

    @property
    def family(self) -> tuple[str, ...]:
        """Its text, with the hyperparameters that have a domain and those domains."""
        return (self.key, self.text, *(f"{p.name} in {p.domain}" for p in self.parameters))

    @property
    def fixed(self) -> tuple[str, ...]:
        """The values without a domain, as the canonical spec prints them."""
        return tuple(filter(None, self.text.partition(";")[2].split(",")))

    def _misfit_in_digits(self, values: tuple[float, ...]) -> str | None:
        """Where doubles find no value: a root of 0 but for rounding is 0, a root of what is negative is not real."""
        tree = ast.parse(self.text.partition(";")[0], mode="eval")
        given = {name: float(value) for name, value in (item.split("=") for item in self.fixed)}
        given |= dict(zip((p.name for p in self.parameters), values, strict=True))
        try:
            for point in TRIED:
                in_digits(tree, given, point)
        except ZeroDivisionError:
            return "be finite, got a division by 0"
        except ValueError:
            return "be real, got one that is not"
        return None

    def spec(self, values: Mapping[str, Expr]) -> str:
        """The canonical spec: no spaces, fixed parameters first, then those with a domain."""
        items = [
            f"{p.name}={decimal(values[p.name])}[{decimal(p.domain.lower)},{decimal(p.domain.upper)}]"
            for p in self.parameters
        ]
        separator = "," if self.fixed else ";"
        return f"formula:{self.text}" + (separator + ",".join(items) if items else "")


def parse_formula(rest: str) -> Loss:
    """The loss that follows ``formula:`` in a spec.

    Parameters
    ----------
    rest : str
        ``EXPR`` or ``EXPR;name=value,...``.

    Raises
    ------
    InputError
        For any text that is not a formula in u, and any formula that is not a loss.

    Examples
    --------
    >>> parse_formula("exp(-u/a); a=2.50").spec
    'formula:exp(-u/a);a=2.5'
    >>> parse_formula("1 - u^2 - ln(u)").spec
    'formula:1-u**2-log(u)'
    >>> parse_formula("u")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    alf.errors.InputError: formula: l must not rise on (0, 1], got l(0.5125) = 0.5125 and l(0.516667) = ...
    """
    if len(rest) > LONGEST:
        raise InputError(f"formula: at most {LONGEST} characters are allowed, got {len(rest)}")
    if not _ALPHABET.fullmatch(rest):
        odd = next(c for c in rest if not _ALPHABET.fullmatch(c))
        raise InputError(
            f"formula: only A-Z a-z 0-9 _ + * / ^ ( ) . , - [ ] = ; and spaces are allowed, got {quoted(odd)}"
        )
    text, _, assignments = rest.partition(";")
    text = re.sub(r"(?<!\w)ln(?= *\()", "log", text.replace("^", "**"))
    if re.search(r"[\w.] +[\w.]|\* +\*|/ */|(min|max|abs) +\*\*", text):
        raise InputError(f"formula: an operator is missing in {quoted(text)}")
    return _formula("".join(text.split()), assignments)


_NOT_REAL = "formula: l must be real on (0, 1], got a formula that is not"


@lru_cache(maxsize=1024)
def _formula(text: str, assignments: str) -> Loss:
    tree = _tree(text)
    values, domains = _assignments(assignments)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"u", *_CONSTANTS}
    used -= {_function_called(node) for node in ast.walk(tree)}
    for name in sorted(used - values.keys()):
        raise InputError(
            f"formula: every name but u needs a value after ';' such as {name}=1, got {quoted(name)} alone"
        )
    for name in sorted(values.keys() - used):
        raise InputError(f"formula: a hyperparameter must occur in the formula, got {quoted(name)}, which does not")
    _check_exponents(tree, values, domains)
    check_values(tree, {name: float(value) for name, value in values.items()})
    parameters = []
    symbols: dict[str, Expr] = {"u": u, **_CONSTANTS}
    for name, value in values.items():
        if name in domains:
            low, high = domains[name]
            symbol = _symbol(name, low, high)
            domain = Domain(low, high, lower_open=False, upper_open=False)
            parameters.append(Parameter(symbol, domain, "typed by its author", value, (float(low), float(high))))
            symbols[name] = symbol
        else:
            symbols[name] = value
    names = {"number": lambda value: as_rational(stands_for(value)), **symbols}
    functions = {**_SYMBOLIC, **ARITHMETIC, "**": power, "/": operator.truediv}
    try:
        expression = evaluate(tree.body, names, functions)
        check_dropped(tree, names, functions, expression)
    except ValueError as error:  # SymPy's word for the largest of what is not real, as tan(pi/2) in max(u, tan(pi/2))
        if isinstance(error, InputError):
            raise
        raise InputError(_NOT_REAL) from None
    fixed = ",".join(f"{n}={decimal(v)}" for n, v in values.items() if n not in domains)
    declaration = Formula(
        "formula",
        _short(text),
        expression,
        parameters=tuple(parameters),
        about="A loss typed by its author.",
        text=text + (f";{fixed}" if fixed else ""),
    )
    loss = declaration.loss(**{p.name: values[p.name] for p in parameters})
    if not loss.exact.has(u):
        raise InputError("formula: l must depend on u, got a constant")
    if loss.exact.has(sympy.I, sympy.nan, sympy.zoo):
        raise InputError(_NOT_REAL)
    return loss


def _short(text: str) -> str:
    """A formula as a name shows it: powers as people type them, the spec keeps Python's.

    >>> _short("1-u**2-log(u)")
    '1-u^2-log(u)'
    """
    text = text.replace("**", "^")
    return text if len(text) <= 32 else text[:29] + "..."


def _symbol(name: str, low: Expr, high: Expr) -> Symbol:
    """One symbol per name and sign, created once by SymPy's own cache of equal symbols."""
    if low > 0:
        return Symbol(name, positive=True)
    if low >= 0:
        return Symbol(name, nonnegative=True)
    return Symbol(name, negative=True) if high < 0 else Symbol(name, real=True)


# --- syntax ------------------------------------------------------------------------------------------------------


def _tree(text: str) -> ast.Expression:
    if not text:
        raise InputError("formula: an expression in u such as exp(-u/2) is needed, got nothing")
    deepest = max(accumulate((character in "([") - (character in ")]") for character in text))
    if deepest > DEEPEST or re.search(rf"[-+]{{{DEEPEST}}}", text):
        raise InputError(f"formula: at most {DEEPEST} levels of nesting are allowed, got {quoted(text, 30)}")
    if said := unbalanced(text):
        raise InputError(f"formula: {said} in {quoted(text)}")
    if re.search(r"\d_|_\d+\.|\d[A-DF-Za-df-z]|[^*]\*{3}", text):
        raise InputError(f"formula: this is not an expression: {quoted(text)}")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"formula: this is not an expression: {quoted(text)}") from error
    nodes = list(ast.walk(tree))
    if len(nodes) > MOST_NODES:
        raise InputError(f"formula: at most {MOST_NODES} nodes are allowed, got {len(nodes)}")
    for node in nodes:
        _allow(node)
    choices = sum(_function_called(node) in ("abs", "min", "max") for node in nodes)
    if choices > MOST_CHOICES:
        raise InputError(f"formula: at most {MOST_CHOICES} of min, max and abs are allowed, got {choices}")
    if _depth(tree.body) > 2 * DEEPEST:
        raise InputError(f"formula: at most {2 * DEEPEST} nested operations are allowed, got {quoted(text, 30)}")
    return tree


def _depth(node: ast.AST) -> int:
    """Depth of the tree, by a stack of our own."""
    deepest, stack = 0, [(node, 1)]
    while stack:
        here, level = stack.pop()
        deepest = max(deepest, level)
        stack += [(child, level + 1) for child in ast.iter_child_nodes(here) if isinstance(child, ast.expr)]
    return deepest


def _function_called(node: ast.AST) -> str | None:
    """The name of the function that a call calls; None for every other node, and for a call of what has no name."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.UAdd, ast.USub, ast.Load)


def _allow(node: ast.AST) -> None:
    """Refuse every node that is not on the list."""
    if isinstance(node, (ast.Expression, ast.BinOp, ast.UnaryOp, *_OPERATORS)):
        return
    if isinstance(node, ast.Name):
        if not _NAME.fullmatch(node.id) or node.id.startswith("_"):
            raise InputError(f"formula: a name is a letter followed by letters, digits or _, got {quoted(node.id)}")
        return
    if isinstance(node, ast.Constant):
        value = node.value
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value > sys.float_info.max:
            raise InputError(f"formula: numbers must be finite decimals, got {quoted(repr(value))}")
        return
    if isinstance(node, ast.Call):
        name = _function_called(node)
        count = len(node.args)
        if name not in (*UNARY, *VARIADIC):
            allowed = ", ".join((*UNARY, *VARIADIC)).replace("log", "log or ln")
            raise InputError(f"formula: functions are {allowed}, got {quoted(name or 'something else')}")
        if node.keywords or not (count == 1 if name in UNARY else 2 <= count <= 8):
            raise InputError(
                f"formula: {name} takes {'one argument' if name in UNARY else 'two to eight'}, got {count}"
            )
        return
    raise InputError(f"formula: only numbers, names, + - * / ^ and functions are allowed, got {type(node).__name__}")


def _assignments(text: str) -> tuple[dict[str, Expr], dict[str, tuple[Expr, Expr]]]:
    values: dict[str, Expr] = {}
    domains: dict[str, tuple[Expr, Expr]] = {}
    for item in re.split(r",(?![^\[\]]*\])", text) if text.strip() else ():  # not at the comma of a domain
        match = _VALUE.fullmatch(item)
        if match is None:
            raise InputError(
                f"formula: hyperparameters are written name=value or name=value[low,high], got {quoted(item)}"
            )
        name = match["name"]
        if not _NAME.fullmatch(name) or name.startswith("_") or name in _RESERVED:
            raise InputError(f"formula: a hyperparameter needs a name of its own, got {quoted(name)}")
        if name in values:
            raise InputError(f"formula: {name} is given twice")
        values[name] = _number(name, match["value"])
        if match["low"] is not None:
            low, high = _number(name, match["low"]), _number(name, match["high"])
            if not low < high or not low <= values[name] <= high:
                raise InputError(
                    f"formula: {name} must lie in a domain [low, high] with low < high, got {quoted(item.strip())}"
                )
            domains[name] = (low, high)
    if len(values) > 8:
        raise InputError(f"formula: at most 8 hyperparameters are allowed, got {len(values)}")
    return values, domains


def _number(name: str, text: str) -> Expr:
    value = exact_number(text.strip())
    if value is None:
        raise InputError(f"formula: {name} must be a finite number, got {quoted(text.strip())}")
    return value


# --- values ------------------------------------------------------------------------------------------------------


def _check_exponents(tree: ast.Expression, values: dict[str, Expr], domains: dict[str, tuple[Expr, Expr]]) -> None:
    """An exponent without u must be a number of at most `LARGEST_EXPONENT`, all over the parameters' domains."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)):
            continue
        inside = {n.id for n in ast.walk(node.right) if isinstance(n, ast.Name)}
        if "u" in inside:
            continue
        for corner in (0, 1, None):
            names = {"number": float, "pi": math.pi, "e": math.e}
            for name, value in values.items():
                names[name] = float(domains[name][corner] if name in domains and corner is not None else value)
            try:
                exponent = evaluate(node.right, names, FLOAT_OPERATIONS)
            except (OverflowError, ZeroDivisionError, ValueError):
                exponent = math.inf
            if not abs(exponent) <= LARGEST_EXPONENT:
                raise InputError(
                    f"formula: an exponent must lie in [-{LARGEST_EXPONENT}, {LARGEST_EXPONENT}], got {exponent:.6g}"
                )
