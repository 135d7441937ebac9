"""Is a prediction certainly a minimiser of the conditional risk of l(u_y)? By one multiplier, without a search.

If some lambda makes p_i l(u) + lambda u least over [0, 1] at u = t_i for every class i, then for all u on the simplex
sum_i p_i l(u_i) = sum_i (p_i l(u_i) + lambda u_i) - lambda >= sum_i p_i l(t_i), so t minimises the risk. For a convex l
the one-sided slopes at t_i say whether that is so; for any other, the sign of p_i (l(u) - l(t_i)) + lambda (u - t_i).
"""

from fractions import Fraction
from itertools import pairwise

from sympy import Expr, Integer, oo

from alf.losses import u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.sign_pattern import sign_pattern
from alf.theory.curve.pieces import smooth_pieces
from alf.theory.curve.shape import Shape, one_sided_slopes, shape_of
from alf.theory.risk.structure import Structure


def is_least(structure: Structure, weights, point) -> bool:
    """Whether a point of the simplex is certified to minimise the risk of a loss l(u_y) under these weights.

    >>> from alf.losses import parse
    >>> from alf.theory.risk.structure import structure_of
    >>> kinked = structure_of(parse("formula:(1-u)+max(0,0.5-u)"), 2)
    >>> half = (Fraction(1, 2), Fraction(1, 2))
    >>> is_least(kinked, (Fraction(11, 20), Fraction(9, 20)), half)
    True
    >>> is_least(structure_of(parse("mae"), 2), (Fraction(11, 20), Fraction(9, 20)), half)
    False
    """
    if not structure.pointwise:
        return False
    shape = shape_of(structure.h)
    if not shape.located or shape.at_zero is None or shape.at_one is None:
        return False
    pairs = dict.fromkeys(zip(weights, point, strict=True))
    multiplier = _multiplier(structure.h, pairs)
    if multiplier is not None and (shape.convex or all(_supports(shape, p, t, multiplier) for p, t in pairs)):
        return True
    return _least_of_two(shape, weights, point)


def _multiplier(expression: Expr, pairs) -> Expr | None:
    """A number within [-p l'(t+), -p l'(t-)] for every (p, t); None where there is none for certain."""
    least, most = -oo, oo
    for p, t in pairs:
        left, right = one_sided_slopes(expression, t)
        if (t > 0 and left is None) or (t < 1 and right is None):
            return None
        if t > 0:  # no move down
            most = _least_of(most, _scaled(p, left))
        if t < 1:  # no move up
            least = -_least_of(-least, -_scaled(p, right))
    if least in (oo, -oo):
        least = most
    return None if least in (oo, -oo) or sign_of_number(most - least) not in (0, 1) else least


def _scaled(p: Fraction, slope: Expr) -> Expr:
    return Integer(0) if p == 0 else -as_rational(p) * slope


def _least_of(a: Expr, b: Expr) -> Expr:
    """The smaller of two exact numbers; where they cannot be told apart, either, and the last comparison decides."""
    if oo in (a, b):
        return b if a == oo else a
    if -oo in (a, b):
        return -oo
    return b if sign_of_number(b - a) == -1 else a


def _supports(shape: Shape, p: Fraction, t: Fraction, multiplier: Expr) -> bool:
    """Whether p l(u) + lambda u is nowhere on [0, 1] below its value at t."""
    here = shape.at_zero if t == 0 else shape.at_one if t == 1 else _on_piece(shape, t)
    if p == 0:
        return t == 0 and sign_of_number(multiplier) in (0, 1)
    if here in (None, oo):
        return False
    gap = as_rational(p) * (shape.expression - here) + multiplier * (u - as_rational(t))
    return nowhere_negative(gap, [(Fraction(0), t), (t, Fraction(1))])


def _on_piece(shape: Shape, t: Fraction) -> Expr | None:
    place = as_rational(t)
    return next((p.expression.subs(u, place) for p in shape.pieces if p.lo <= t <= p.hi), None)


def nowhere_negative(gap: Expr, spans) -> bool:
    """Whether a function is certified to be at least 0 on spans that are split where it is expected to be 0."""
    for lo, hi in spans:
        if lo == hi:
            continue
        pieces, located = smooth_pieces(gap, lo, hi)
        if not located or any(a.hi != b.lo for a, b in pairwise(pieces)):
            return False
        if pieces[0].lo != lo or pieces[-1].hi != hi:
            return False
        if any(r.sign not in (0, 1) for p in pieces for r in sign_pattern(p.expression, u, p.lo, p.hi)):
            return False
    return True


def _least_of_two(shape: Shape, weights, point) -> bool:
    """The tie (1/2, 1/2) of two labels that have all the weight: R on the edge between them is one function."""
    half = Fraction(1, 2)
    two = [w for w, x in zip(weights, point, strict=True) if x == half]
    if len(two) != 2 or sum(two) != sum(weights) or not shape.decreasing:
        return False
    first, second = (as_rational(w) for w in two)
    risk = first * shape.expression + second * shape.expression.subs(u, 1 - u)
    level = (first + second) * _on_piece(shape, half)
    return nowhere_negative(risk - level, [(Fraction(0), half), (half, Fraction(1))])
