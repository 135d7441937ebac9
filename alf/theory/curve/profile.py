"""What rules ask of a whole curve: l(t) + l(1-t) against the ends, concave up to 1/2, concave and then convex, no rise.

Trying a few hundred points misses a bump that is narrower than their distance. So the search for a rise encloses l' on
cells of [0, 1] and cuts the cell whose bound is the highest next: it is at a bump of width 1e-6 after some twenty
cuts, and stops for good once no cell's bound reaches 0.
"""

from fractions import Fraction
from functools import lru_cache
from heapq import heappop, heappush

from sympy import oo

from alf.losses import u
from alf.theory.arithmetic.balls import at_point, one_at_a_time, sign_of_number
from alf.theory.arithmetic.sign_pattern import Budget, sign_pattern
from alf.theory.curve.derivative import is_identically_zero
from alf.theory.curve.pieces import smooth_pieces
from alf.theory.curve.shape import Shape

SHORTCUT = 3000
"""Evaluations spent on a sign that would save the branch and bound: between steep steps a sum like l(t) + l(1-t) may
be 0 but for exp(-40000), and no number of them tells its sign."""


def signs_on_pieces(pieces) -> tuple[int | None, ...]:
    """Signs of a function on its smooth pieces; None with them where `SHORTCUT` evaluations do not settle one."""
    budget = Budget(SHORTCUT)
    return tuple(r.sign for p in pieces for r in sign_pattern(p.expression, u, p.lo, p.hi, budget))


@lru_cache(maxsize=512)
def upper_is_one(shape: Shape) -> bool:
    """Whether r_up = 1: no step at 1 is smaller than the same step at 0, so l(t) + l(1-t) >= l(0) + l(1) up to 1/2."""
    if shape.at_zero in (None, oo) or shape.at_one is None:
        return False
    gap = shape.expression + shape.expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    if is_identically_zero(gap):
        return True
    value = at_point(gap, u)
    if any(value(Fraction(k, 128), 100) < 0 for k in range(1, 64)):
        return False
    pieces, located = smooth_pieces(gap, Fraction(0), Fraction(1, 2))
    return located and set(signs_on_pieces(pieces)) <= {0, 1}


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
    bends = (p for p in shape.reaching(2) if p.lo < half)
    return all(r.sign in (-1, 0) for p in bends for r in sign_pattern(p.expression, u, p.lo, min(p.hi, half)))


MOST_CUTS = 1333
"""Cuts after which the search for a rise gives up."""

NARROWEST = 2.0**-60
"""Width of the narrowest cell on which a rise is looked for."""


@one_at_a_time
def find_rise(shape: Shape) -> tuple[Fraction, Fraction] | None:
    """Two points x < y of [0, 1] with l(x) < l(y), certified; None where none was found, which there may be yet.

    >>> import sympy
    >>> from alf.theory.curve.shape import shape_of
    >>> x, y = find_rise(shape_of(1 - u + sympy.exp(-((u - sympy.Rational(1, 3)) * 10**5) ** 2) / 1000))
    >>> 0.3333 < x < y < 0.3334
    True
    >>> find_rise(shape_of(sympy.exp(-u))) is None
    True
    """
    for piece in shape.pieces:  # a ramp between two switches may be narrower than any cell
        if shape.value(piece.hi, 600) > shape.value(piece.lo, 600):
            return piece.lo, piece.hi
    cells: list[tuple[float, float, float, float]] = []

    def look(lo: float, hi: float) -> None:
        low, high = shape.enclose(1, lo, hi)
        if high > 0 and hi - lo >= NARROWEST:  # a cell that falls, or too narrow to be told, is settled
            heappush(cells, (-high, lo, hi, low))

    look(0.0, 1.0)
    for _ in range(MOST_CUTS):
        if not cells:
            return None
        _, lo, hi, low = heappop(cells)
        middle = (lo + hi) / 2
        if low > 0 or shape.enclose(1, middle, middle)[0] > 0:
            found = _higher(shape, lo if low > 0 else middle, hi)
            if found is not None:
                return found
        look(lo, middle)
        look(middle, hi)
    return None


def _higher(shape: Shape, x: float, y: float) -> tuple[Fraction, Fraction] | None:
    """x, and a point to its right, at most y, where l is higher; the slope at x is positive."""
    start, step = Fraction(x), Fraction(y) - Fraction(x)
    here = shape.value(start, 300)
    for _ in range(80):
        if shape.value(start + step, 300) > here:
            return start, start + step
        step /= 2
    return None
