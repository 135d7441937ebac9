"""The curve l(u) that a loss is at given parameters, and its shape: pieces, kinks, values, slopes and bends.

Everything here is certified at the values; `parameter_cell` proves the same for whole ranges of parameters.
"""

import math
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise

import sympy
from flint import arb
from sympy import Expr, Integer, oo

from alf.losses import Loss, u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import at_point, sign_of_number
from alf.theory.arithmetic.cells import enclose_number, on_cell
from alf.theory.arithmetic.intervals import INF, WHOLE, outward
from alf.theory.arithmetic.limits import from_end, one_sided_limit
from alf.theory.arithmetic.sign_pattern import Budget, Run, sign_pattern
from alf.theory.curve.continuity import discontinuity, reveal
from alf.theory.curve.derivative import derivative_of, is_identically_zero
from alf.theory.curve.pieces import Kink, Piece, kink_between, one_sided_value, smooth_pieces
from alf.theory.progress import stage

FEW = 2000
"""Evaluations spent on the signs of derivatives of what is not known to be continuous with located switches."""


class Shape:
    """A loss l(u) at exact parameter values, and what is certain about it. Made by `shape_of`.

    Parameters
    ----------
    expression : Expr
        l, in `u` alone.

    Attributes
    ----------
    gap : Gap or None
        Where l is not known to be real, finite and continuous on (0, 1), with a sentence; None where that is certified.
        With a gap `decreasing`, `convex` and `concave` are None, and `located` is False.
    located : bool
        Whether l is continuous, and every switch between its pieces is located and known to be one.
    """

    def __init__(self, expression: Expr):
        self.expression = expression
        self.gap = discontinuity(expression)
        self._revealed = reveal(expression)
        self.pieces, located = smooth_pieces(expression)
        self.located = located and self.gap is None
        self._point_slopes: dict[float, tuple[float, float] | None] = {}

    @property
    def smooth(self) -> bool:
        """Whether it is one piece."""
        return len(self.pieces) == 1 and self.located

    def derivative(self, order: int) -> tuple[Piece, ...]:
        """The pieces of its derivative of this order."""
        return tuple(Piece(p.lo, p.hi, derivative_of(p.expression, order)) for p in self.pieces)

    def reaching(self, order: int) -> tuple[Piece, ...]:
        """The same with the intervals that hide a switch: both neighbours answer for it."""
        pieces = self.derivative(order)
        around = zip((None, *pieces), pieces, (*pieces[1:], None), strict=False)
        return tuple(Piece(a.hi if a else p.lo, b.lo if b else p.hi, p.expression) for a, p, b in around)

    @cached_property
    def at_zero(self) -> Expr | None:
        """l(0), oo where it is infinite, None where it could not be settled."""
        return one_sided_limit(from_end(self.pieces[0].expression, u, Fraction(0), 1))

    @cached_property
    def at_one(self) -> Expr | None:
        """Its limit at u = 1; None where it is not known."""
        return one_sided_limit(from_end(self.pieces[-1].expression, u, Fraction(1), -1))

    @cached_property
    def slope_at_zero(self) -> Expr | None:
        """l'(0+)."""
        return one_sided_limit(from_end(derivative_of(self.pieces[0].expression, 1), u, Fraction(0), 1))

    @cached_property
    def slope_at_one(self) -> Expr | None:
        """l'(1-)."""
        return one_sided_limit(from_end(derivative_of(self.pieces[-1].expression, 1), u, Fraction(1), -1))

    @cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """Its kinks, from left to right."""
        return tuple(kink_between(a, b) for a, b in pairwise(self.pieces))

    @cached_property
    def slope_runs(self) -> tuple[Run, ...]:
        """Where l' is negative or positive."""
        return self._runs(1)

    @cached_property
    def bend_runs(self) -> tuple[Run, ...]:
        """Where l'' is negative or positive, kinks left out."""
        return self._runs(2)

    def _runs(self, order: int) -> tuple[Run, ...]:
        stage(f"certifying the sign of derivative {order} on (0, 1)")
        runs: list[Run] = []
        budget = Budget() if self.located else Budget(FEW)  # nothing can be certified, only refuted
        for piece in self.reaching(order) if self.located else self.derivative(order):
            runs += sign_pattern(piece.expression, u, piece.lo, piece.hi, budget)
        return tuple(runs)

    @cached_property
    def decreasing(self) -> bool | None:
        """Whether l decreases strictly on (0, 1)."""
        if self.gap is not None:
            return None
        signs = [r.sign for r in self.slope_runs]
        if 1 in signs or (0 in signs and self.located):
            return False
        return True if self.located and None not in signs and set(signs) == {-1} else None

    @cached_property
    def weakly_decreasing(self) -> bool:
        """Whether l is certified to rise nowhere, flat stretches allowed, from a finite l(0) to a smaller l(1)."""
        if not self.located or not {r.sign for r in self.slope_runs} <= {-1, 0}:
            return False
        return not {self.at_zero, self.at_one} & {None, oo, -oo} and sign_of_number(self.drop) == 1

    @property
    def drop(self) -> Expr:
        """l(0) - l(1), of a loss of which both are known."""
        assert self.at_zero is not None and self.at_one is not None
        return self.at_zero - self.at_one

    @property
    def flat_at_one(self) -> bool:
        """Whether l is constant on a stretch next to 1, as far as is known."""
        return self.slope_runs[-1].sign == 0

    @cached_property
    def convex(self) -> bool | None:
        """Whether it is convex; None where that is not known."""
        return self._bends(1)

    @cached_property
    def concave(self) -> bool | None:
        """Whether it is concave; None where that is not known."""
        return self._bends(-1)

    def _bends(self, sign: int) -> bool | None:
        if self.gap is not None:
            return None
        signs = [r.sign for r in self.bend_runs]
        turns = [k.turn for k in self.kinks] if self.located else []
        if -sign in signs or -sign in turns:
            return False
        return True if self.located and None not in signs and None not in turns else None

    def linear_near(self, end: int) -> bool:
        """Whether l is linear on a stretch next to 0 or 1."""
        piece = self.pieces[0 if end == 0 else -1]
        return is_identically_zero(derivative_of(piece.expression, 2))

    def value(self, point, bits: int = 120):
        """l at a point of [0, 1] as an Arb ball; the limit at the ends."""
        if point == 0 or point == 1:
            limit = self.at_zero if point == 0 else self.at_one
            if limit is None:
                return arb.nan()
            infinite = {oo: arb.pos_inf, -oo: arb.neg_inf}.get(limit)
            return infinite() if infinite else at_point(limit, u)(0, bits)
        return at_point(self._revealed, u)(point, bits)

    def slope(self, lo: float, hi: float) -> tuple[float, float]:
        """l' enclosed over a cell, kinks included; by its values at the ends where l bends one way on the cell."""
        found = self.enclose(1, lo, hi)
        if any(a <= lo and hi <= b for a, b in self._bending):
            first, last = self._slope_at(lo), self._slope_at(hi)
            if first is not None and last is not None:
                return max(found[0], min(first[0], last[0])), min(found[1], max(first[1], last[1]))
        return found

    @cached_property
    def _bending(self) -> tuple[tuple[float, float], ...]:
        """Stretches on which l'' has one sign and l' is continuous."""
        return tuple(_inward(r.lo, r.hi) for r in self.bend_runs if r.sign is not None)

    def _slope_at(self, x: float) -> tuple[float, float] | None:
        if x not in self._point_slopes:
            if x in (0.0, 1.0):
                limit = self.slope_at_zero if x == 0 else self.slope_at_one
                self._point_slopes[x] = None if limit is None else enclose_number(limit)
            else:
                self._point_slopes[x] = self.enclose(1, x, x)
        return self._point_slopes[x]

    def bend(self, lo: float, hi: float) -> tuple[float, float] | None:
        """l'' enclosed over a cell; None where the cell holds a kink or a place where l'' is not finite."""
        if any(float(k.lo) < hi and float(k.hi) > lo for k in self.kinks):
            return None
        found = self.enclose(2, lo, hi)
        return None if -INF in found or INF in found else found

    def enclose(self, order: int, lo: float, hi: float) -> tuple[float, float]:
        """A derivative enclosed over a cell by interval arithmetic alone, kinks included."""
        cells = [(max(lo, a), min(hi, b), cell) for a, b, cell in self._cells[order - 1]]
        found = [cell(a, b) for a, b, cell in cells if a <= b]
        return min((e[0] for e in found), default=INF), max((e[1] for e in found), default=-INF)

    @cached_property
    def _cells(self):
        return [[(*_inward(p.lo, p.hi), on_cell(p.expression, u)) for p in self.reaching(k)] for k in (1, 2)]


def _inward(a: Fraction, b: Fraction) -> tuple[float, float]:
    """Floats inside [a, b], its ends where they are floats."""
    x, y = float(a), float(b)
    return (math.nextafter(x, 2) if Fraction(x) < a else x), (math.nextafter(y, -1) if Fraction(y) > b else y)


@lru_cache(maxsize=512)
def shape_of(expression: Expr) -> Shape:
    """The shape of an exact l(u), computed once."""
    return Shape(expression)


def alone(loss: Loss) -> Expr | None:
    """l(u) of a loss that depends on u_y alone, a combination whose other parts have weight 0 included.

    >>> from alf.losses import parse
    >>> alone(parse("nce+ael:alpha=0,beta=1,a=2")), alone(parse("nce"))
    (exp(-u/2), None)
    """
    terms = [(weight, term) for weight, term in loss.terms if weight != 0]
    if not all(term.pointwise for _, term in terms):
        return None
    return sum((weight * term.exact for weight, term in terms), Integer(0))


def single(loss: Loss) -> Loss:
    """The catalogue's loss that a combination with one weight 0 and one weight 1 is; otherwise the loss itself."""
    terms = [(weight, term) for weight, term in loss.terms if weight != 0]
    return terms[0][1] if len(terms) == 1 and terms[0][0] == 1 else loss


def constant(loss: Loss) -> bool:
    """Whether every weight is 0, so that nothing depends on the prediction."""
    found = alone(loss)
    return found is not None and not found.has(u)


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
        found.append(on_cell(derivative_of(piece.expression, 1), u)(*outward(kink.lo, kink.hi)))
    return found[0], found[1]
