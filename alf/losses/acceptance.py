"""What a typed formula must pass before anything symbolic happens: real, finite and not rising at sample points.

Everything is tried in plain floating point first. What floats cannot tell is looked at again with fractions, as far as
a formula's values are fractions, and 600 digits: `sqrt(0.3 - 0.1*3*u)` is 0 at u = 1, where doubles find the root of
-6e-17. A divisor that changes its sign between two neighbouring points is a division by 0 between them.
"""

import ast
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import mpmath

from alf.errors import InputError
from alf.losses.precision import many_digits
from alf.numbers import stands_for

Functions = dict[str, Callable[..., Any]]
"""By the names that a formula calls them, and by the signs of its operators."""

Divisors = list[tuple[str, Any]]
"""What was divided by, in the order of evaluation, each with what a 0 there would be called."""

UNARY = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "abs")
VARIADIC = ("min", "max")

MOST_LOOKS = 12
"""Pairs of neighbours that are looked at in many digits; the theory certifies the rest."""

DIGITS = 600
LONGEST_FRACTION = 20_000
"""Bits up to which a power of a fraction stays one."""

SAMPLE_POINTS = tuple(
    sorted(
        {
            *(1e-6 * 2**k for k in range(20)),
            *(k / 240 for k in range(1, 241)),
            *(1 - 2.0**-k for k in range(9, 24)),
        }
    )
)
"""Where every typed loss is tried before anything else happens."""


NEARLY_ZERO = Fraction(1, 10**300)
"""Stands for 0, where l may be infinite."""


def evaluate(node: ast.AST, names: dict[str, Any], functions: Functions) -> Any:
    """The tree's value in whatever arithmetic `names` and `functions` bring; used with floats and with many digits."""
    if isinstance(node, ast.Constant):
        return names["number"](node.value)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.UnaryOp):
        value = evaluate(node.operand, names, functions)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return functions[node.func.id](*(evaluate(a, names, functions) for a in node.args))
    assert isinstance(node, ast.BinOp)  # no other node gets through the syntax
    left, right = evaluate(node.left, names, functions), evaluate(node.right, names, functions)
    return functions[SIGNS[type(node.op)]](left, right)


SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}

# --- arithmetic ---------------------------------------------------------------------------------------------------


def _float_power(x: float, y: float) -> float:
    value = x**y
    if isinstance(value, complex):
        raise ValueError("a power of a negative number")
    return float(value)


FLOAT_OPERATIONS: Functions = {
    **{name: getattr(math, name) for name in UNARY if name != "abs"},
    "abs": abs, "min": min, "max": max, **ARITHMETIC, "/": operator.truediv, "**": _float_power,
}  # fmt: skip


def _noting(functions: Functions, turns: Callable[[Any], int], record: Divisors) -> Functions:
    """The same, noting every divisor; for a tangent of x, `turns` of pi away, a number of another sign past a pole."""

    def divide(x: Any, y: Any) -> Any:
        record.append(("a division by 0", y))
        return functions["/"](x, y)

    def power(x: Any, y: Any) -> Any:
        if y < 0:
            record.append(("a division by 0", x))
        return functions["**"](x, y)

    def tangent(x: Any) -> Any:
        record.append(("a pole of tan", (-1) ** turns(x)))
        return functions["tan"](x)

    return {**functions, "/": divide, "**": power, "tan": tangent}


def _float_turns(x: float) -> int:
    return math.floor(x / math.pi + 0.5)


def _turns_in_digits(x: Any) -> int:
    return int(mpmath.floor(_mp(x) / mpmath.pi + mpmath.mpf(1) / 2))


def _in_digits() -> Functions:
    """Fractions as long as values are fractions, mpmath beyond; used within `many_digits`."""

    def lifted(name: str) -> Callable[[Any], Any]:
        function = getattr(mpmath, name)
        return lambda x: _real(function(_mp(x)))

    def mixed(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def apply(x: Any, y: Any) -> Any:
            exact = isinstance(x, Fraction) and isinstance(y, Fraction)
            return operation(x, y) if exact else operation(_mp(x), _mp(y))

        return apply

    def divide(x: Any, y: Any) -> Any:
        if not y:
            raise ZeroDivisionError
        return mixed(operator.truediv)(x, y)

    def power(x: Any, y: Any) -> Any:
        exact = isinstance(x, Fraction) and isinstance(y, Fraction) and y.denominator == 1
        if exact and not x and y < 0:
            raise ZeroDivisionError
        size = max(x.numerator.bit_length(), x.denominator.bit_length()) if exact else 0
        return x ** int(y) if exact and size * abs(y) <= LONGEST_FRACTION else _real(_mp(x) ** _mp(y))

    def choose(pick: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *values: pick(values, key=_mp)

    found: Functions = {name: lifted(name) for name in UNARY if name != "abs"}
    found |= {sign: mixed(operation) for sign, operation in ARITHMETIC.items()}
    return found | {"abs": abs, "min": choose(min), "max": choose(max), "/": divide, "**": power}


def _real(x: Any) -> Any:
    """A value of a function or a power; the root of what is 0 but for rounding has a tiny imaginary part."""
    if not mpmath.isfinite(x):  # the logarithm of 0, which a choice of the largest would hide
        raise ValueError("not a real number")
    if abs(mpmath.im(x)) > mpmath.mpf(10) ** (-DIGITS // 4) * (1 + abs(mpmath.re(x))):
        raise ValueError("not a real number")
    return mpmath.re(x)


def _mp(x: Any) -> Any:
    return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mpmath.mpmathify(x)


def in_digits(
    tree: ast.Expression, values: dict[str, float], point: float | Fraction, record: Divisors | None = None
) -> Any:
    """l at a point as an mpmath number, with what was divided by noted in `record`.

    Raises
    ------
    ValueError
        Where it is not real.
    ZeroDivisionError
        Where something is divided by 0.
    """
    with many_digits(DIGITS):
        names = {"number": stands_for, "pi": +mpmath.pi, "e": +mpmath.e, "u": Fraction(point)}
        names |= {name: stands_for(value) for name, value in values.items()}
        functions = _in_digits() if record is None else _noting(_in_digits(), _turns_in_digits, record)
        return _mp(evaluate(tree.body, names, functions))


# --- the checks ---------------------------------------------------------------------------------------------------


def check_values(tree: ast.Expression, values: dict[str, float]) -> None:
    """Real, finite and nowhere rising at the sample points.

    Raises
    ------
    InputError
        With a sentence that names the point.
    """
    found: list[float] = []
    records: list[Divisors] = []
    for point in SAMPLE_POINTS:
        value, record = _value_at(tree, values, point)
        found.append(value)
        records.append(record)
    if not any(isinstance(node, ast.Name) and node.id == "u" for node in ast.walk(tree)):
        raise InputError("formula: l must depend on u, got a constant")
    _no_poles(tree, values, records)
    rises = [k for k in range(len(SAMPLE_POINTS) - 1) if found[k + 1] > found[k]]
    for k in sorted(rises, key=lambda k: found[k] - found[k + 1])[:MOST_LOOKS]:
        if _order(tree, values, SAMPLE_POINTS[k], SAMPLE_POINTS[k + 1]) > 0:
            x, y = _told_apart(SAMPLE_POINTS[k], SAMPLE_POINTS[k + 1])
            low, high = _told_apart(found[k], found[k + 1])
            raise InputError(f"formula: l must not rise on (0, 1], got l({x}) = {low} and l({y}) = {high}")
    first = min(SAMPLE_POINTS)
    if found[0] <= found[-1] and _order(tree, values, first, 1.0) >= 0 and _order(tree, values, NEARLY_ZERO, 1.0) >= 0:
        raise InputError(f"formula: l(0) must be above l(1), got l({first:.6g}) = l(1) = {found[-1]:.6g}")


def _told_apart(x: float, y: float) -> tuple[str, str]:
    """Two numbers to as many digits, six at least, as tell them apart."""
    texts = (f"{x:.{digits}g} {y:.{digits}g}".split() for digits in range(6, 18))
    return next(((a, b) for a, b in texts if a != b), (repr(x), repr(y)))


def _value_at(tree: ast.Expression, values: dict[str, float], point: float) -> tuple[float, Divisors]:
    names = {"number": float, "pi": math.pi, "e": math.e, **values, "u": point}
    record: Divisors = []
    try:
        value = evaluate(tree.body, names, _noting(FLOAT_OPERATIONS, _float_turns, record))
    except OverflowError:
        raise InputError(f"formula: l must fit a double on [1e-6, 1], got more at u = {point:.6g}") from None
    except (ZeroDivisionError, ValueError):
        value, record = _value_in_digits(tree, values, point), []
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"formula: l must be finite and real on (0, 1], got {value} at u = {point:.6g}")
    return value, record


def _value_in_digits(tree: ast.Expression, values: dict[str, float], point: float) -> float:
    try:
        return float(in_digits(tree, values, point))
    except ZeroDivisionError:
        raise InputError(f"formula: l must be finite on (0, 1], got a division by 0 at u = {point:.6g}") from None
    except (ValueError, OverflowError):
        raise InputError(f"formula: l must be real on (0, 1], got none at u = {point:.6g}") from None


def _no_poles(tree: ast.Expression, values: dict[str, float], records: list[Divisors]) -> None:
    """No divisor changes its sign, and no tangent its stretch, between two neighbouring points."""
    whole = max(map(len, records))  # a point that had to be looked at again has no record
    noted = [(point, record) for point, record in zip(SAMPLE_POINTS, records, strict=True) if len(record) == whole]
    for (first, before), (second, after) in pairwise(noted):
        for i, ((what, x), (_, y)) in enumerate(zip(before, after, strict=True)):
            if x < 0 < y or y < 0 < x:
                at = _pole(tree, values, i, first, second)
                if at is not None:
                    raise InputError(f"formula: l must be finite on (0, 1], got {what} near u = {at:.6g}")


def _pole(tree: ast.Expression, values: dict[str, float], which: int, x: float, y: float) -> float | None:
    """Where the divisor of that number changes its sign, by halving in many digits; None where it does not."""

    def side(point: Fraction) -> int:
        record: Divisors = []
        try:
            in_digits(tree, values, point, record)
        except (ZeroDivisionError, ValueError, OverflowError):
            if len(record) <= which:
                return 0
        found = mpmath.re(_mp(record[which][1]))
        return int(mpmath.sign(found)) if abs(found) > mpmath.mpf(10) ** (-DIGITS // 2) else 0

    low, high = Fraction(x), Fraction(y)
    first, last = side(low), side(high)
    if first * last >= 0:
        return None
    for _ in range(40):
        middle = (low + high) / 2
        here = side(middle)
        if here == 0:
            return float(middle)
        low, high = (middle, high) if here == first else (low, middle)
    return float(low)


def _order(tree: ast.Expression, values: dict[str, float], x: float | Fraction, y: float | Fraction) -> int:
    """The sign of l(y) - l(x) in many digits; 0 where they are equal or only rounding tells them apart."""
    try:
        first, second = in_digits(tree, values, x), in_digits(tree, values, y)
    except (ZeroDivisionError, ValueError, OverflowError):
        return 0
    with many_digits(DIGITS):
        gap = second - first
        return int(mpmath.sign(gap)) if abs(gap) > mpmath.mpf(10) ** (50 - DIGITS) * (1 + abs(first)) else 0
