"""The sign of an expression next to an end of an interval, where it may vanish or be infinite."""

from functools import lru_cache

import sympy
from sympy import Add, Expr, Mul, Pow, exp, expand

from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.limits import T, leading_exponent, multiplied_out, one_sided_limit
from alf.theory.arithmetic.rounding import OutOfDomain

LARGEST_SLOPE = 400
"""Operations up to which what vanishes at an end is differentiated: tan(tanh(1/t)) grows threefold each time."""


@lru_cache(maxsize=4096)
def end_sign(f: Expr, depth: int = 8, strict: bool = False) -> tuple[int, float] | None:
    """The sign of f(T) on (0, width], as (sign, width); None where it could not be settled.

    With `strict` the sign is that of every value; otherwise f may touch 0.

    >>> from sympy import log
    >>> end_sign(1 / T + log(T))[0], end_sign(T - T**2)[0], end_sign(sympy.sin(T) - T)[0]
    (1, 1, -1)
    """
    if f.is_number:
        sign = sign_of_number(f)
        return None if sign is None else (sign, 1.0)
    if f == T or isinstance(f, (exp, sympy.cosh)):
        return 1, 1.0
    found = _sign_next_to_zero(f, strict)
    if found:
        return found
    if isinstance(f, Mul):  # each factor by itself
        sign, width = 1, 0.5
        for factor in f.args:
            base, exponent = factor.as_base_exp()
            if exponent.is_Integer and factor.func is Pow:
                part = end_sign(base, depth - 1, strict) if depth else None
                part = None if part is None or part[0] == 0 else (part[0] ** (abs(int(exponent)) % 2 or 2), part[1])
            else:
                part = end_sign(factor, depth - 1, strict) if depth else None
            if part is None:
                sign = None
                break
            sign, width = sign * part[0], min(width, part[1])
        if sign is not None:
            return sign, width
    terms = Add.make_args(multiplied_out(f))
    exponents = [leading_exponent(t) for t in terms]
    if not all(e.is_number for e in exponents):
        return None
    lowest = exponents[0]
    for e in exponents[1:]:
        if sign_of_number(e - lowest) == -1:
            lowest = e
    scaled = Add(*(sympy.powsimp(t * T ** (-lowest), combine="exp") for t in terms)) if lowest != 0 else Add(*terms)
    if scaled.is_number:
        sign = sign_of_number(expand(scaled))
        return None if sign is None else (sign, 1.0)
    if scaled != f:
        found = _sign_next_to_zero(scaled, strict)
        if found:
            return found
    if depth > 0 and sympy.count_ops(scaled) <= LARGEST_SLOPE and _vanishes(scaled):
        slope = sympy.diff(scaled, T)
        return end_sign(slope, depth - 1, strict)
    return None


def _sign_next_to_zero(f: Expr, strict: bool) -> tuple[int, float] | None:
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


def _vanishes(f: Expr) -> bool:
    """Whether f(T) tends to exactly 0 at 0."""
    value = one_sided_limit(f)
    return value is not None and sign_of_number(value) == 0
