"""Where two smooth pieces of l meet, and whether the slope goes up or down there."""

from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import Expr, Rational, oo

from alf.losses import u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.fine import fine_sign
from alf.theory.arithmetic.limits import from_end, one_sided_limit
from alf.theory.curve.algebra import factored
from alf.theory.curve.derivative import derivative_of
from alf.theory.curve.pieces import Piece


@dataclass(frozen=True)
class Kink:
    """A place where two pieces meet.

    Parameters
    ----------
    lo, hi : Fraction
        It lies in [lo, hi], whose ends are equal or next to each other.
    at : Rational or None
        The place, where it is known exactly.
    left, right : Expr
        The slopes at its sides; where `at` is not known, slopes in [lo, hi] of the pieces that meet there.
    turn : int or None
        The sign of right - left, certified: 1 bends upwards (convex), -1 downwards; None where it was not settled.
    """

    lo: Fraction
    hi: Fraction
    at: Rational | None
    left: Expr
    right: Expr
    turn: int | None = None


def kink_between(a: Piece, b: Piece) -> Kink:
    """Where two pieces meet, and whether the slope goes up or down there."""
    at = as_rational(a.hi) if a.hi == b.lo else None
    slopes = [derivative_of(p.expression, 1) for p in (a, b)]
    if at is not None:
        left, right = (one_sided_value(f, at, side) for f, side in zip(slopes, (-1, 1), strict=True))
        return Kink(a.hi, b.lo, at, left, right, _sign_of_difference(right, left))
    middle = as_rational((a.hi + b.lo) / 2)
    turn = fine_sign(slopes[1] - slopes[0], u, a.hi, b.lo)
    if turn is None and _touch(b.expression - a.expression, a.hi, b.lo):
        turn = 0
    left, right = (f.subs(u, middle) for f in slopes)
    return Kink(a.hi, b.lo, None, left, right, turn)


def _touch(gap: Expr, lo: Fraction, hi: Fraction) -> bool:
    """Whether a difference that vanishes in [lo, hi] does so with its slope: a power of one factor, no other is 0."""
    found = factored(sympy.expand(gap))
    parts = [f.as_base_exp() for f in sympy.Mul.make_args(found if found is not None else gap)]
    zero = [(base, k) for base, k in parts if base.has(u) and fine_sign(base, u, lo, hi) is None]
    return len(zero) == 1 and bool(zero[0][1].is_Integer) and zero[0][1] >= 2


def one_sided_value(f: Expr, at: Rational, side: int) -> Expr:
    """The value of a slope at a point, or its limit from one side; nan where it could not be settled."""
    value = f.subs(u, at)
    if value.is_number and value.is_finite and not value.has(sympy.nan, sympy.zoo, sympy.I):
        return value
    limit = one_sided_limit(from_end(f, u, Fraction(at), side))
    return sympy.nan if limit is None else limit


def _sign_of_difference(a: Expr, b: Expr) -> int | None:
    """The sign of a - b, either of which may be infinite."""
    if a is sympy.nan or b is sympy.nan or a == b:
        return None if sympy.nan in (a, b) or a in (oo, -oo) else 0
    return sign_of_number(a - b)
