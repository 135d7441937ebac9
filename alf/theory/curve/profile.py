"""What rules ask of a whole curve: l(t) + l(1-t) against the ends, concave up to 1/2, concave and then convex."""

from fractions import Fraction
from functools import lru_cache

from sympy import Expr, oo

from alf.losses import u
from alf.theory.arithmetic.balls import at_point, sign_of_number
from alf.theory.arithmetic.sign_pattern import Budget, sign_pattern
from alf.theory.curve.derivative import is_identically_zero
from alf.theory.curve.pieces import smooth_pieces
from alf.theory.curve.shape import Shape, shape_of

SHORTCUT = 3000
"""Evaluations spent on a sign that would save the branch and bound: between steep steps a sum like l(t) + l(1-t) may
be 0 but for exp(-40000), and no number of them tells its sign."""


@lru_cache(maxsize=512)
def _gap_signs(expression: Expr) -> tuple:
    """Signs of l(t) + l(1-t) - l(0) - l(1) on (0, 1/2), whose positivity is r_up = 1."""
    shape = shape_of(expression)
    if shape.at_zero in (None, oo) or shape.at_one is None:
        return (None,)
    gap = expression + expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    if is_identically_zero(gap):
        return (0,)
    half = Fraction(1, 2)
    value = at_point(gap, u)
    if any(value(Fraction(k, 128), 100) < 0 for k in range(1, 64)):
        return (-1,)
    pieces, located = smooth_pieces(gap, Fraction(0), half)
    return signs_on_pieces(pieces) if located else (None,)


def signs_on_pieces(pieces) -> tuple[int | None, ...]:
    """Signs of a function on its smooth pieces; None with them where `SHORTCUT` evaluations do not settle one."""
    budget = Budget(SHORTCUT)
    return tuple(r.sign for p in pieces for r in sign_pattern(p.expression, u, p.lo, p.hi, budget))


def upper_is_one(shape: Shape) -> bool:
    """Whether r_up = 1: no step at 1 is smaller than the same step at 0."""
    return set(_gap_signs(shape.expression)) <= {0, 1}


def concave_then_convex(shape: Shape) -> bool:
    """Whether |l'| rises and then falls (or only one of the two), kinks included."""
    turns = [(r.lo, 1, r.sign) for r in shape.bend_runs if r.sign in (1, -1)]
    small = all(r.sign is not None or r.hi - r.lo < Fraction(1, 2**30) for r in shape.bend_runs)
    for kink in shape.kinks:
        sign = sign_of_number(kink.right - kink.left)
        if sign is None:
            return False
        if sign:
            turns.append((kink.lo, 0, sign))  # a kink comes before the piece that begins at it
    signs = [sign for _, _, sign in sorted(turns)]
    return shape.located and small and signs == sorted(signs)


def half_concave(shape) -> bool:
    """Whether l is concave on [0, 1/2].

    With phi = l(0) - l convex there and phi(0) = 0, sum_{i != j} w_i phi(u_i) <= max w_i phi(sum u_i) while the sum is
    at most 1/2, and over 0 <= u_i <= 1/2 the largest value of sum w_i phi(u_i) is at (1/2, 1/2, 0, ...); exchanging the
    two coordinates of an edge puts the larger on the heavier label. So the edge of the two heaviest is the worst.
    """
    half = Fraction(1, 2)
    if not shape.located or any(k.turn not in (-1, 0) for k in shape.kinks if k.lo < half):
        return False
    bends = [p for p in shape.derivative(2) if p.lo < half]
    for i, piece in enumerate(bends):  # both neighbours answer for the interval that hides their switch
        lo, hi = bends[i - 1].hi if i else piece.lo, bends[i + 1].lo if i + 1 < len(bends) else piece.hi
        if any(r.sign not in (-1, 0) for r in sign_pattern(piece.expression, u, lo, min(hi, half))):
            return False
    return True
