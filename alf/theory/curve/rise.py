"""Does a loss rise anywhere? A search that goes first where the slope may be largest.

Trying a few hundred points misses a bump that is narrower than their distance. Here l' is enclosed on cells of [0, 1],
and the cell whose bound is the highest is cut next, so that the search is at a bump of width 1e-6 after some twenty
cuts, and stops for good once no cell's bound reaches 0.
"""

from fractions import Fraction
from heapq import heappop, heappush

from alf.theory.arithmetic.balls import one_at_a_time
from alf.theory.curve.shape import Shape

EVALUATIONS = 4000


NARROWEST = 2.0**-60


@one_at_a_time
def find_rise(shape: Shape, evaluations: int = EVALUATIONS) -> tuple[Fraction, Fraction] | None:
    """Two points x < y of [0, 1] with l(x) < l(y), certified; None where none was found.

    Parameters
    ----------
    shape : Shape
    evaluations : int
        Enclosures of l' after which the search gives up. None then means "not found", not "there is none".

    Examples
    --------
    >>> from alf.losses import u
    >>> from alf.theory.curve.shape import shape_of
    >>> import sympy
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
        low, high = shape.enclosed_slope(lo, hi)
        if high > 0 and hi - lo >= NARROWEST:  # a cell that falls, or too narrow to be told, is settled
            heappush(cells, (-high, lo, hi, low))

    look(0.0, 1.0)
    for _ in range(evaluations // 3):
        if not cells:
            return None
        _, lo, hi, low = heappop(cells)
        middle = (lo + hi) / 2
        if low > 0:
            found = _higher(shape, lo, hi)
        elif shape.enclosed_slope(middle, middle)[0] > 0:
            found = _higher(shape, middle, hi)
        else:
            found = None
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
