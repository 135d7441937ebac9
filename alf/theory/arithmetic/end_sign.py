"""The sign of an expression next to an end of an interval, where it may vanish or be infinite."""

from functools import lru_cache

import sympy
from sympy import Add, Expr, Mul, Pow, exp, expand

from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.intervals import OutOfDomain
from alf.theory.arithmetic.limits import T, leading_exponent, multiplied_out, one_sided_limit

LARGEST_SLOPE = 400
"""Operations up to which what vanishes at an end is differentiated: tan(tanh(1/t)) grows threefold each time."""


Near = tuple[int, float]
"""The sign of every value on (0, width], and that width."""


@lru_cache(maxsize=4096)
def end_sign(f: Expr, depth: int = 8, strict: bool = False) -> Near | None:
    """The sign of f(T) on (0, width], as (sign, width); None where it could not be settled.

    With `strict` the sign is that of every value; otherwise f may touch 0. `depth` counts how often f may still be
    replaced by a factor of it or by its derivative.

    >>> from sympy import log
    >>> end_sign(1 / T + log(T))[0], end_sign(T - T**2)[0], end_sign(sympy.sin(T) - T)[0]
    (1, 1, -1)
    """
    if f.is_number:
        return _of_number(f)
    if f == T or isinstance(f, (exp, sympy.cosh)):
        return 1, 1.0
    return _by_enclosures(f, strict) or _by_factors(f, depth, strict) or _by_lowest_power(f, depth, strict)


def _of_number(number: Expr) -> Near | None:
    sign = sign_of_number(number)
    return None if sign is None else (sign, 1.0)


def _by_enclosures(f: Expr, strict: bool) -> Near | None:
    """The sign of an enclosure of f over [0, width], for narrower and narrower widths."""
    try:
        cell = on_cell(f, T)
    except NotImplementedError:
        return None
    width = 0.125
    for _ in range(24):
        try:
            lo, hi = cell(0.0, width)
            if lo >= 0 and hi <= 0:
                return 0, width
            if lo > 0 or (lo >= 0 and not strict):
                return 1, width
            if hi < 0 or (hi <= 0 and not strict):
                return -1, width
        except OutOfDomain:
            pass
        width /= 4
    return None


def _by_factors(f: Expr, depth: int, strict: bool) -> Near | None:
    """The sign of a product from the signs of its factors."""
    if not isinstance(f, Mul) or depth == 0:
        return None
    sign, width = 1, 0.5
    for factor in f.args:
        base, exponent = factor.as_base_exp()
        power = factor.func is Pow and exponent.is_Integer
        part = end_sign(base if power else factor, depth - 1, strict)
        if part is None or (power and part[0] == 0):
            return None
        even = power and int(exponent) % 2 == 0
        sign, width = sign * (1 if even else part[0]), min(width, part[1])
    return sign, width


def _by_lowest_power(f: Expr, depth: int, strict: bool) -> Near | None:
    """The sign of f over the lowest power of T among its terms: of its limit, or of its slope where the limit is 0."""
    scaled = _without_lowest_power(f)
    if scaled is None:
        return None
    if scaled.is_number:
        return _of_number(expand(scaled))
    found = _by_enclosures(scaled, strict) if scaled != f else None
    if found or depth == 0 or sympy.count_ops(scaled) > LARGEST_SLOPE or not _vanishes(scaled):
        return found
    return end_sign(sympy.diff(scaled, T), depth - 1, strict)


def _without_lowest_power(f: Expr) -> Expr | None:
    """f, multiplied out, over the lowest power of T in front of a term; None where the powers cannot be compared."""
    terms = Add.make_args(multiplied_out(f))
    exponents = [leading_exponent(t) for t in terms]
    if not all(e.is_number for e in exponents):
        return None
    lowest = exponents[0]
    for e in exponents[1:]:
        if sign_of_number(e - lowest) == -1:
            lowest = e
    if lowest == 0:
        return Add(*terms)
    return Add(*(sympy.powsimp(t * T ** (-lowest), combine="exp") for t in terms))


def _vanishes(f: Expr) -> bool:
    """Whether f(T) tends to exactly 0 at 0."""
    value = one_sided_limit(f)
    return value is not None and sign_of_number(value) == 0
