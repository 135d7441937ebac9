"""The value and the slopes of l at a point: exact, or enclosed at a kink."""

from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Expr

from alf.losses import u
from alf.numbers import as_rational
from alf.theory.arithmetic.cells import enclose_number, on_cell
from alf.theory.arithmetic.intervals import WHOLE, OutOfDomain, outward
from alf.theory.curve.derivative import derivative_of
from alf.theory.curve.kinks import Kink, one_sided_value
from alf.theory.curve.shape import Shape, shape_of


def exact_value(shape: Shape, x: Fraction) -> Expr | None:
    """l(x) as an exact number; None where an end has no limit."""
    if x in (0, 1):
        return shape.at_zero if x == 0 else shape.at_one
    for piece in shape.pieces if shape.located else ():
        if piece.lo <= x <= piece.hi:
            return piece.expression.subs(u, as_rational(x))
    return shape.expression.subs(u, as_rational(x))


@lru_cache(maxsize=512)
def one_sided_slopes(expression: Expr, t: Fraction) -> tuple[Expr | None, Expr | None]:
    """l'(t-) and l'(t+), exact, -oo where infinite; None where there is none (outside [0, 1]) or it is not known.

    >>> from sympy import Max, Rational
    >>> one_sided_slopes(1 - u + Max(0, Rational(2, 5) - u), Fraction(2, 5))
    (-2, -1)
    """
    shape = shape_of(expression)
    if t in (0, 1):
        return (None, shape.slope_at_zero) if t == 0 else (shape.slope_at_one, None)
    found = []
    for side in (-1, 1):
        pieces = [p for p in shape.pieces if (p.lo < t <= p.hi if side < 0 else p.lo <= t < p.hi)]
        slope = sympy.nan
        if len(pieces) == 1 and shape.located:
            slope = one_sided_value(derivative_of(pieces[0].expression, 1), as_rational(t), side)
        found.append(None if slope is sympy.nan else slope)
    return found[0], found[1]


def slopes_at(shape: Shape, kink: Kink) -> tuple[tuple[float, float], tuple[float, float]]:
    """l' before a kink and after it, enclosed over the interval in which it lies; infinite where not known.

    >>> from sympy import Max, Rational
    >>> shape = shape_of(1 - u + Max(0, Rational(2, 5) - u))
    >>> slopes_at(shape, shape.kinks[0])
    ((-2.0, -2.0), (-1.0, -1.0))
    """
    if kink.at is not None:
        known = [s is not sympy.nan and s.is_finite for s in (kink.left, kink.right)]
        found = [enclose_number(s) if k else WHOLE for s, k in zip((kink.left, kink.right), known, strict=True)]
        return found[0], found[1]
    found = []
    for piece in (next(p for p in shape.pieces if p.hi == kink.lo), next(p for p in shape.pieces if p.lo == kink.hi)):
        try:
            found.append(on_cell(derivative_of(piece.expression, 1), u)(*outward(kink.lo, kink.hi)))
        except OutOfDomain:
            found.append(WHOLE)
    return found[0], found[1]
