"""The shape of a loss l(u) at given parameters: its smooth pieces, kinks, slopes at the ends, and where it bends.

Everything here is certified at the values; `parameter_cell` proves the same for whole ranges of parameters.
"""

import math
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise

from sympy import Expr, oo

from alf.losses import u
from alf.theory.arithmetic.balls import at_point, sign_of_number
from alf.theory.arithmetic.cells import enclose_number, on_cell
from alf.theory.arithmetic.intervals import OutOfDomain, outward
from alf.theory.arithmetic.limits import from_end, one_sided_limit
from alf.theory.arithmetic.sign_pattern import Budget, Run, sign_pattern
from alf.theory.curve.continuity import discontinuity, reveal
from alf.theory.curve.derivative import derivative_of, is_identically_zero
from alf.theory.curve.kinks import Kink, kink_between
from alf.theory.curve.pieces import Piece, smooth_pieces
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
    def continuous(self) -> bool:
        """Whether l is certified real, finite and continuous on (0, 1)."""
        return self.gap is None

    @property
    def smooth(self) -> bool:
        """Whether it is one piece."""
        return len(self.pieces) == 1 and self.located

    def derivative(self, order: int) -> tuple[Piece, ...]:
        """The pieces of its derivative of this order."""
        return tuple(Piece(p.lo, p.hi, derivative_of(p.expression, order)) for p in self.pieces)

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
        pieces = self.derivative(order)
        for i, piece in enumerate(pieces):  # both neighbours answer for the interval that hides their switch
            lo = pieces[i - 1].hi if i and self.located else piece.lo
            hi = pieces[i + 1].lo if i + 1 < len(pieces) and self.located else piece.hi
            runs += sign_pattern(piece.expression, u, lo, hi, budget)
        return tuple(runs)

    @cached_property
    def decreasing(self) -> bool | None:
        """Whether l decreases strictly on (0, 1)."""
        if not self.continuous:
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
    def linear(self) -> bool:
        """Whether it is a straight line."""
        return self.smooth and all(r.sign == 0 for r in self.bend_runs)

    @cached_property
    def convex(self) -> bool | None:
        """Whether it is convex; None where that is not known."""
        return self._bends(1)

    @cached_property
    def concave(self) -> bool | None:
        """Whether it is concave; None where that is not known."""
        return self._bends(-1)

    def _bends(self, sign: int) -> bool | None:
        if not self.continuous:
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
        from flint import arb

        if point == 0 or point == 1:
            limit = self.at_zero if point == 0 else self.at_one
            if limit is None:
                return arb.nan()
            infinite = {oo: arb.pos_inf, -oo: arb.neg_inf}.get(limit)
            return infinite() if infinite else at_point(limit, u)(0, bits)
        return at_point(self._revealed, u)(point, bits)

    def slope(self, lo: float, hi: float) -> tuple[float, float]:
        """l' enclosed over a cell, kinks included; by its values at the ends where l bends one way on the cell."""
        found = self._enclose(1, lo, hi)
        for a, b in self._bending:
            if a <= lo and hi <= b:
                first, last = self._slope_at(lo), self._slope_at(hi)
                if first is not None and last is not None:
                    found = (max(found[0], min(first[0], last[0])), min(found[1], max(first[1], last[1])))
                break
        return found

    def enclosed_slope(self, lo: float, hi: float) -> tuple[float, float]:
        """l' enclosed over a cell by interval arithmetic alone, kinks included."""
        return self._enclose(1, lo, hi)

    @cached_property
    def _bending(self) -> tuple[tuple[float, float], ...]:
        """Stretches on which l'' has one sign and l' is continuous."""
        return tuple(_inward(r.lo, r.hi) for r in self.bend_runs if r.sign is not None)

    def _slope_at(self, x: float) -> tuple[float, float] | None:
        found = self._point_slopes.get(x)
        if found is None:
            if x in (0.0, 1.0):
                limit = self.slope_at_zero if x == 0 else self.slope_at_one
                found = None if limit is None else enclose_number(limit)
            else:
                found = self._enclose(1, x, x)
            self._point_slopes[x] = found
        return found

    def bend(self, lo: float, hi: float) -> tuple[float, float] | None:
        """l'' enclosed over a cell; None where the cell holds a kink or a place where l'' is not finite."""
        if any(float(k.lo) < hi and float(k.hi) > lo for k in self.kinks):
            return None
        found = self._enclose(2, lo, hi)
        return None if found[0] == -float("inf") or found[1] == float("inf") else found

    def _enclose(self, order: int, lo: float, hi: float) -> tuple[float, float]:
        low, high = float("inf"), -float("inf")
        pieces = self._cells[order - 1]
        for i, (a, b, cell) in enumerate(pieces):
            # a piece reaches to the middle of the gap that hides its switch, and beyond it
            b_next = pieces[i + 1][0] if i + 1 < len(pieces) else b
            a_before = pieces[i - 1][1] if i else a
            x, y = max(lo, a_before), min(hi, b_next)
            if x > y:
                continue
            try:
                one = cell(x, y)
            except OutOfDomain:
                one = (-float("inf"), float("inf"))
            low, high = min(low, one[0]), max(high, one[1])
        return low, high

    @cached_property
    def _cells(self):
        tables = []
        for order in (1, 2):
            tables.append([(*outward(p.lo, p.hi), on_cell(derivative_of(p.expression, order), u)) for p in self.pieces])
        return tables


def _inward(a: Fraction, b: Fraction) -> tuple[float, float]:
    """Floats inside [a, b], its ends where they are floats."""
    x, y = float(a), float(b)
    return (math.nextafter(x, 2) if Fraction(x) < a else x), (math.nextafter(y, -1) if Fraction(y) > b else y)


@lru_cache(maxsize=512)
def shape_of(expression: Expr) -> Shape:
    """The shape of an exact l(u), computed once."""
    return Shape(expression)
