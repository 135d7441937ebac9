"""The shape of a loss l(u) at given parameters: its smooth pieces, kinks, slopes at the ends, and where it bends.

Everything here is certified at the values; `alf.theory.signs` proves the same for whole ranges of parameters where it
can.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import chain, pairwise

import sympy
from sympy import Expr, Rational, diff, oo

from alf.losses import u
from alf.theory.algebra import factored, in_exponential
from alf.theory.certify import (
    Budget,
    Run,
    as_fraction,
    as_rational,
    fine_sign,
    from_end,
    one_sided_limit,
    outward,
    sign_pattern,
)
from alf.theory.continuity import discontinuity, reveal
from alf.theory.enclosure import OutOfDomain, at_point, enclose_number, on_cell, sign_of_number
from alf.theory.pieces import Piece, smooth_pieces
from alf.theory.progress import stage

FEW = 2000
"""Evaluations spent on the signs of derivatives of what is not known to be continuous with located switches."""


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
        return tuple(Piece(p.lo, p.hi, _derivative(p.expression, order)) for p in self.pieces)

    @cached_property
    def at_zero(self) -> Expr | None:
        """l(0), oo where it is infinite, None where it could not be settled."""
        return one_sided_limit(from_end(self.pieces[0].expression, u, 0, 1))

    @cached_property
    def at_one(self) -> Expr | None:
        """Its limit at u = 1; None where it is not known."""
        return one_sided_limit(from_end(self.pieces[-1].expression, u, 1, -1))

    @cached_property
    def slope_at_zero(self) -> Expr | None:
        """l'(0+)."""
        return one_sided_limit(from_end(_derivative(self.pieces[0].expression, 1), u, 0, 1))

    @cached_property
    def slope_at_one(self) -> Expr | None:
        """l'(1-)."""
        return one_sided_limit(from_end(_derivative(self.pieces[-1].expression, 1), u, 1, -1))

    @cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """Its kinks, from left to right."""
        return tuple(_kink(a, b) for a, b in pairwise(self.pieces))

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
        ends = self.at_zero, self.at_one
        return not {*ends} & {None, oo, -oo} and sign_of_number(ends[0] - ends[1]) == 1

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

    @cached_property
    def inflections(self) -> tuple[Run, ...]:
        """Tiny cells in which l'' changes sign (kinks not counted)."""
        found = []
        for before, here, after in zip(self.bend_runs, self.bend_runs[1:], self.bend_runs[2:], strict=False):
            if here.sign is None and {before.sign, after.sign} == {1, -1}:
                found.append(here)
        return tuple(found)

    def linear_near(self, end: int) -> bool:
        """Whether l is linear on a stretch next to 0 or 1."""
        piece = self.pieces[0 if end == 0 else -1]
        return _is_zero(_derivative(piece.expression, 2))

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
                ends = [self._slope_at(lo), self._slope_at(hi)]
                if None not in ends:
                    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
                    found = (max(found[0], low), min(found[1], high))
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
            tables.append([(*outward(p.lo, p.hi), on_cell(_derivative(p.expression, order), u)) for p in self.pieces])
        return tables


def _inward(a: Fraction, b: Fraction) -> tuple[float, float]:
    """Floats inside [a, b], its ends where they are floats."""
    x, y = float(a), float(b)
    return (math.nextafter(x, 2) if Fraction(x) < a else x), (math.nextafter(y, -1) if Fraction(y) > b else y)


@lru_cache(maxsize=4096)
def _derivative(f: Expr, order: int) -> Expr:
    """A derivative in a form that encloses well: powers of one base joined, a sum of squares left factored.

    Factoring a rational function multiplies it out first: of a narrow spike the plain sum is much the tighter.
    """
    g = diff(f, u, order)
    if g.is_number:
        return g
    if _is_zero(g):
        return sympy.Integer(0)
    if g.is_polynomial(u):
        return sympy.factor(g)
    if g.is_rational_function(u):
        return min((sympy.factor(g), g), key=_looseness)
    found = in_exponential(g)
    return sympy.powsimp(g, combine="exp") if found is None else found


def _looseness(g: Expr) -> tuple[int, float]:
    """How wide g's enclosures are over small cells: how many are infinite, and the sum of the others' widths."""
    cell = on_cell(g, u)
    infinite, total = 0, 0.0
    for k in range(1, 63, 3):
        try:
            low, high = cell(k / 64, (k + 1) / 64)
        except OutOfDomain:
            low, high = -math.inf, math.inf
        if math.isfinite(high - low):
            total += high - low
        else:
            infinite += 1
    return infinite, total


def _is_zero(g: Expr) -> bool:
    """Whether an expression in u is identically zero: by expansion, after a look at a few points."""
    if g == 0:
        return True
    try:
        value = at_point(g, u)
        for point in chain((Fraction(1, 3), Fraction(5, 7)), telling_points(g)):
            ball = value(point, 200)
            if ball > 0 or ball < 0:
                return False
    except NotImplementedError:
        pass
    return sympy.expand(g) == 0 or sympy.simplify(g) == 0


def telling_points(g: Expr) -> Iterator[Fraction]:
    """Points on every scale around the zeros of g's linear parts: tanh((u - c)/w) is 1 to all appearance elsewhere."""
    for node in g.atoms(sympy.Add):
        slope = node.diff(u)
        if slope.is_Rational and slope != 0:
            root = node.subs(u, 0) / -slope
            if root.is_Rational and 0 <= root < 1:
                for k in range(1, 18):
                    yield as_fraction(root) + Fraction(37, 10 ** (k + 2))


def sign_of_number_safely(value: Expr) -> int | None:
    """The sign of a number; None where it is none or not real."""
    if value.has(sympy.nan, sympy.zoo, sympy.I):
        return None
    return sign_of_number(value)


def _kink(a: Piece, b: Piece) -> Kink:
    """Where two pieces meet, and whether the slope goes up or down there."""
    at = as_rational(a.hi) if a.hi == b.lo else None
    slopes = [_derivative(p.expression, 1) for p in (a, b)]
    if at is not None:
        left, right = (_one_sided(f, at, side) for f, side in zip(slopes, (-1, 1), strict=True))
        return Kink(a.hi, b.lo, at, left, right, _sign_of_difference(right, left))
    middle = as_rational((a.hi + b.lo) / 2)
    turn = fine_sign(slopes[1] - slopes[0], u, a.hi, b.lo)
    if turn is None and _touch(b.expression - a.expression, a.hi, b.lo):
        turn = 0
    return Kink(a.hi, b.lo, None, *(f.subs(u, middle) for f in slopes), turn)


def _touch(gap: Expr, lo: Fraction, hi: Fraction) -> bool:
    """Whether a difference that vanishes in [lo, hi] does so with its slope: a power of one factor, no other is 0."""
    found = factored(sympy.expand(gap))
    parts = [f.as_base_exp() for f in sympy.Mul.make_args(found if found is not None else gap)]
    zero = [(base, k) for base, k in parts if base.has(u) and fine_sign(base, u, lo, hi) is None]
    return len(zero) == 1 and bool(zero[0][1].is_Integer) and zero[0][1] >= 2


def _one_sided(f: Expr, at: Rational, side: int) -> Expr:
    """The value of a slope at a point, or its limit from one side; nan where it could not be settled."""
    value = f.subs(u, at)
    if value.is_number and value.is_finite and not value.has(sympy.nan, sympy.zoo, sympy.I):
        return value
    limit = one_sided_limit(from_end(f, u, as_fraction(at), side))
    return sympy.nan if limit is None else limit


def _sign_of_difference(a: Expr, b: Expr) -> int | None:
    """The sign of a - b, either of which may be infinite."""
    if a is sympy.nan or b is sympy.nan or a == b:
        return None if sympy.nan in (a, b) or a in (oo, -oo) else 0
    return sign_of_number_safely(a - b)


@lru_cache(maxsize=512)
def shape_of(expression: Expr) -> Shape:
    """The shape of an exact l(u), computed once."""
    return Shape(expression)
