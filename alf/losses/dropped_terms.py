"""What SymPy drops of a typed formula on the way to an expression must have had a value.

0*log(u - 1/3) becomes 0, exp(log(u - 2)) becomes u - 2, and (u - 0.37)^2/(u - 0.37)^2 becomes 1: the expression is then
finite where the formula, as it is typed, is not. Every logarithm, root, quotient and tangent of the text is noted; what
the expression no longer holds must be shown to have a value on (0, 1], exactly, or the formula is refused.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import sympy
from sympy import Expr, Mul, prod

from alf.errors import InputError
from alf.losses.acceptance import Functions, evaluate
from alf.losses.symbols import u

STRONGER = {"nonzero": ("nonzero", "positive"), "nonnegative": ("nonnegative", "positive"), "positive": ("positive",)}
"""By which needs, where they are kept, a need is covered."""
LARGEST_DEGREE = 100


@dataclass(frozen=True)
class Need:
    """What one operation of a formula needs: `inside` must be "positive", "nonnegative" or "nonzero"."""

    operation: str
    inside: Expr
    kind: str

    @property
    def known(self) -> bool:
        """Whether SymPy knows it from the signs of u and of the hyperparameters."""
        return bool(getattr(self.inside, f"is_{self.kind}"))


def check_dropped(tree: ast.Expression, symbols: dict[str, Expr], functions: Functions, expression: Expr) -> None:
    """Refuse a formula of which SymPy dropped a part that is not known to have a value on (0, 1].

    Parameters
    ----------
    tree : ast.Expression
    symbols : dict
        The names of the formula as expressions, and "number" for its constants.
    functions : dict
        The operations and functions on expressions, see `alf.losses.acceptance.evaluate`.
    expression : Expr
        What the formula became.

    Raises
    ------
    InputError
        With a sentence that names the operation.
    """
    noted: dict[Need, None] = {}
    evaluate(tree.body, symbols, {**functions, **_noting(functions, noted)})
    kept = {kind: {_plain(need.inside) for need in _needs(expression) if need.kind == kind} for kind in STRONGER}
    for need in noted:
        if not need.known and not _covered(need, kept) and not _holds(need):
            raise InputError(
                "formula: a part that cancels or is multiplied by 0 must have a value on (0, 1] that can be shown, "
                f"got {need.operation} {need.inside}"
            )


def _noting(functions: Functions, noted: dict[Need, None]) -> Functions:
    """The same operations, which also note what they need."""

    def noting(name: str) -> Callable[..., Expr]:
        def apply(*arguments: Expr) -> Expr:
            need = NEEDS[name](*arguments)
            if need is not None:
                noted[need] = None
            return functions[name](*arguments)

        return apply

    return {name: noting(name) for name in NEEDS}


def _power_needs(base: Expr, exponent: Expr) -> Need | None:
    kind = _kind(base, exponent)
    return Need("a power of", base, kind) if kind else None


NEEDS: dict[str, Callable[..., Need | None]] = {
    "log": lambda x: Need("log of", x, "positive"),
    "sqrt": lambda x: Need("sqrt of", x, "nonnegative"),
    "tan": lambda x: Need("a pole of tan at a zero of", sympy.cos(x), "nonzero"),
    "/": lambda x, y: Need("a quotient by", y, "nonzero"),
    "**": _power_needs,
}
"""What an operation of these arguments needs, by the names that formulas call them; None where it needs nothing."""
SYMBOLIC = {sympy.log: "log", sympy.tan: "tan", sympy.Pow: "**"}
"""Those that stay operations of an expression."""


def _kind(base: Expr, exponent: Expr) -> str | None:
    """What the base of a power needs."""
    if base is sympy.E or (exponent.is_Integer and exponent >= 0):
        return None
    if exponent.is_Integer:
        return "nonzero"
    return "nonnegative" if exponent.is_positive and not exponent.has(u) else "positive"


def _needs(expression: Expr) -> Iterator[Need]:
    """What an expression needs itself."""
    named = ((SYMBOLIC.get(node.func), node.args) for node in sympy.preorder_traversal(expression))
    return filter(None, (NEEDS[name](*arguments) for name, arguments in named if name))


def _plain(x: Expr) -> Expr:
    """An expression without its positive rational factor: 2 - 2u and 1 - u have one sign.

    Factors inside a power stay: 0.999999**0.999999 as a factor is a root of whole numbers with millions of digits.
    """
    factor, rest = x.as_coeff_Mul(rational=True)
    rest = rest.primitive()[1] if isinstance(rest, sympy.Add) else rest
    return -rest if factor < 0 else rest


def _covered(need: Need, kept: dict[str, set[Expr]]) -> bool:
    """Whether the expression needs the same; of what must not be 0, factor after factor and whatever its sign."""
    if any(_plain(need.inside) in kept[kind] for kind in STRONGER[need.kind]):
        return True
    bases = [factor.as_base_exp()[0] for factor in Mul.make_args(need.inside)]
    return need.kind == "nonzero" and all(
        _sign(base, "nonzero") or {_plain(base), _plain(-base)} & (kept["nonzero"] | kept["positive"]) for base in bases
    )


def _holds(need: Need) -> bool:
    """Whether a need holds all over (0, 1], by SymPy's signs and, of polynomials, by their roots."""
    whole = _sign(need.inside, need.kind)
    factors = (x.as_base_exp() for x in Mul.make_args(need.inside))
    signs = [whole] if whole else [_sign_of_factor(base, exponent, need.kind) for base, exponent in factors]
    return None not in signs and (need.kind == "nonzero" or prod(signs) > 0)


def _sign_of_factor(base: Expr, exponent: Expr, kind: str) -> int | None:
    may_vanish = kind == "nonnegative" and bool(exponent.is_positive)
    if may_vanish and not exponent.is_Integer:
        return 1  # a root, which has noted what it needs itself
    sign = _sign(base, "nonnegative" if may_vanish else "nonzero")
    return 1 if sign == -1 and exponent.is_even else sign


def _sign(x: Expr, kind: str) -> int | None:
    """The sign all over (0, 1], where a "nonnegative" one may be 0 at points; None where it is not known or changes."""
    if x.is_positive or x.is_negative:
        return 1 if x.is_positive else -1
    if x.free_symbols != {u} or not x.is_polynomial(u) or _degree(x) > LARGEST_DEGREE:
        return None
    polynomial = sympy.Poly(x, u)
    if not (polynomial.domain.is_QQ or polynomial.domain.is_ZZ):
        return None
    changing, ends = polynomial, [0]
    if kind == "nonnegative":
        odd = (factor for factor, times in polynomial.sqf_list()[1] if times % 2)
        changing, ends = prod(odd, start=sympy.Poly(1, u)), [0, 1]
    if changing.count_roots(0, 1) > sum(changing.eval(end) == 0 for end in ends):
        return None
    return next(int(sympy.sign(y)) for y in map(polynomial.eval, (sympy.Rational(1, k) for k in count(2))) if y)


def _degree(x: Expr) -> int:
    """A bound of a polynomial's degree, without multiplying it out."""
    if x.is_Pow:
        return _degree(x.base) * int(x.exp)
    if x.is_Mul:
        return sum(map(_degree, x.args))
    return max(map(_degree, x.args)) if x.is_Add else int(x == u)
