"""The shape of a loss l(u) at given parameters: its smooth pieces, kinks, slopes at the ends, and where it bends.

Everything here is certified at the values; `alf.theory.signs` proves the same for whole ranges of parameters where it
can.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import sympy
from sympy import Abs, Expr, Max, Min, Rational, diff, oo

from alf.losses import u
from alf.theory.certify import (
    Budget,
    Run,
    as_fraction,
    as_rational,
    exact_zero,
    from_end,
    one_sided_limit,
    outward,
    sign_pattern,
)
from alf.theory.enclosure import OutOfDomain, at_point, enclose_number, on_cell, sign_of_number
from alf.theory.progress import stage


@dataclass(frozen=True)
class Piece:
    """A stretch [lo, hi] of [0, 1] on which l is one smooth expression."""

    lo: Fraction
    hi: Fraction
    expression: Expr


@dataclass(frozen=True)
class Kink:
    """A place where two pieces meet: in [lo, hi], at `at` where that is known exactly, with the slopes at its sides."""

    lo: Fraction
    hi: Fraction
    at: Rational | None
    left: Expr
    right: Expr


def smooth_pieces(f: Expr, lo=Fraction(0), hi=Fraction(1)) -> tuple[tuple[Piece, ...], bool]:
    """Abs, Max and Min resolved stretch by stretch; the flag says whether every switch was located.

    Between two pieces there may be a gap of 2**-40 in which the switch lies.

    >>> [str(p.expression) for p in smooth_pieces(Abs(u - Rational(1, 2)))[0]]
    ['1/2 - u', 'u - 1/2']
    """
    switch = _innermost_switch(f)
    if switch is None:
        return (Piece(lo, hi, f),), True
    if isinstance(switch, Abs):
        branches = {1: switch.args[0], -1: -switch.args[0], 0: sympy.Integer(0)}
        difference = switch.args[0]
    else:
        first, rest = switch.args[0], switch.func(*switch.args[1:])
        difference = first - rest
        sign = 1 if isinstance(switch, Max) else -1
        branches = {sign: first, -sign: rest, 0: first}
    found: list[Piece] = []
    stretches, complete = smooth_pieces(difference, lo, hi)  # a Max of three has a Max in its difference
    for run in (r for s in stretches for r in _snapped(s.expression, sign_pattern(s.expression, u, s.lo, s.hi))):
        if run.sign is None:
            if run.hi - run.lo > Fraction(1, 2**30):
                complete = False
            continue
        inner, whole = smooth_pieces(f.xreplace({switch: branches[run.sign]}), run.lo, run.hi)
        found += inner
        complete = complete and whole
    joined: list[Piece] = []
    for piece in found:
        if joined and joined[-1].expression == piece.expression:
            joined[-1] = Piece(joined[-1].lo, piece.hi, piece.expression)
        else:
            joined.append(piece)
    return tuple(joined), complete


def _snapped(difference: Expr, runs) -> list[Run]:
    """Runs that meet at a simple fraction where the difference crosses zero, instead of a sliver around it."""
    runs = list(runs)
    for i in range(1, len(runs) - 1):
        here = runs[i]
        if here.sign is not None or here.hi - here.lo > Fraction(1, 2**30):
            continue
        c = exact_zero(difference, u, here.lo, here.hi)
        low, high = on_cell(diff(difference, u), u)(*outward(here.lo, here.hi))
        if c is not None and (low > 0 or high < 0):  # the only zero in the sliver
            c = as_fraction(c)
            runs[i - 1] = Run(runs[i - 1].lo, c, runs[i - 1].sign)
            runs[i + 1] = Run(c, runs[i + 1].hi, runs[i + 1].sign)
            runs[i] = Run(c, c, None)
    return runs


def _innermost_switch(f: Expr) -> Expr | None:
    """An Abs, Max or Min of u whose arguments contain no other; a Max of several keeps its order."""
    for node in sympy.postorder_traversal(f):
        if isinstance(node, (Abs, Max, Min)) and node.has(u) and not any(a.has(Abs, Max, Min) for a in node.args):
            return node
    return None


class Shape:
    """A loss l(u) at exact parameter values, and what is certain about it. Made by `shape_of`.

    Parameters
    ----------
    expression : Expr
        l, in `u` alone.
    """

    def __init__(self, expression: Expr):
        self.expression = expression
        pieces, self.located = smooth_pieces(expression)
        self.pieces = self._snap(pieces)
        self._point_slopes: dict[float, tuple[float, float] | None] = {}

    @staticmethod
    def _snap(pieces):
        """Switches at a simple fraction are put exactly there, so that pieces meet."""
        pieces = list(pieces)
        for i in range(len(pieces) - 1):
            a, b = pieces[i], pieces[i + 1]
            c = exact_zero(a.expression - b.expression, u, a.hi, b.lo)
            if c is not None:
                pieces[i] = Piece(a.lo, as_fraction(c), a.expression)
                pieces[i + 1] = Piece(as_fraction(c), b.hi, b.expression)
        return tuple(pieces)

    @property
    def smooth(self) -> bool:
        return len(self.pieces) == 1

    def derivative(self, order: int) -> tuple[Piece, ...]:
        return tuple(Piece(p.lo, p.hi, _derivative(p.expression, order)) for p in self.pieces)

    @cached_property
    def at_zero(self) -> Expr | None:
        """l(0), oo where it is infinite, None where it could not be settled."""
        return one_sided_limit(from_end(self.pieces[0].expression, u, 0, 1))

    @cached_property
    def at_one(self) -> Expr | None:
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
        found = []
        for a, b in zip(self.pieces, self.pieces[1:], strict=False):
            at = as_rational(a.hi) if a.hi == b.lo else None
            middle = as_rational((a.hi + b.lo) / 2)
            left, right = (_derivative(p.expression, 1).subs(u, middle) for p in (a, b))
            found.append(Kink(a.hi, b.lo, at, left, right))
        return tuple(found)

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
        budget = Budget()
        pieces = self.derivative(order)
        for i, piece in enumerate(pieces):  # both neighbours answer for the gap that hides a switch
            lo = pieces[i - 1].hi if i else piece.lo
            hi = pieces[i + 1].lo if i + 1 < len(pieces) else piece.hi
            runs += sign_pattern(piece.expression, u, lo, hi, budget)
        return tuple(runs)

    @cached_property
    def decreasing(self) -> bool | None:
        """Whether l decreases strictly on (0, 1)."""
        signs = [r.sign for r in self.slope_runs]
        if 1 in signs or (0 in signs and self.located):
            return False
        return True if self.located and None not in signs and set(signs) == {-1} else None

    @cached_property
    def linear(self) -> bool:
        return self.smooth and all(r.sign == 0 for r in self.bend_runs)

    @cached_property
    def convex(self) -> bool | None:
        return self._bends(1)

    @cached_property
    def concave(self) -> bool | None:
        return self._bends(-1)

    def _bends(self, sign: int) -> bool | None:
        signs = [r.sign for r in self.bend_runs]
        turns = [_compare(k.right, k.left) for k in self.kinks]
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
            return arb.pos_inf() if limit == oo else at_point(limit, u)(0, bits)
        return at_point(self.expression, u)(point, bits)

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
            except (OutOfDomain, OverflowError, ValueError):
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
    """A derivative in a form that encloses well: powers of one base joined, a sum of squares left factored."""
    g = diff(f, u, order)
    if g.is_number:
        return g
    if _is_zero(g):
        return sympy.Integer(0)
    if g.is_polynomial(u) or g.is_rational_function(u):
        return sympy.factor(g)
    found = in_exponential(g)
    return sympy.powsimp(g, combine="exp") if found is None else found


def in_exponential(g: Expr) -> Expr | None:
    """An expression rational in exp(c u), factored as such; None for any other.

    >>> in_exponential(sympy.exp(2 * u) / (1 + sympy.exp(u)) ** 2 - sympy.exp(u) / (1 + sympy.exp(u)))
    -exp(u)/(exp(u) + 1)**2
    """
    nodes = [e for e in g.atoms(sympy.exp) if e.has(u)]
    slopes, rests = {}, {}
    for node in nodes:
        exponent = sympy.expand(node.args[0])
        slopes[node] = exponent.coeff(u, 1)
        rests[node] = exponent - slopes[node] * u
        if not slopes[node].is_Rational or rests[node].has(u) or not rests[node].is_Rational:
            return None
    if not nodes:
        return None
    base, step = sympy.gcd_list(list(slopes.values())), sympy.gcd_list(list(rests.values()))
    if max(abs(x) for x in slopes.values()) > 1000 * abs(base):
        return None  # a polynomial of that degree takes too long
    z, c = sympy.Dummy("z", positive=True), sympy.Dummy("c", positive=True)
    powers = {n: z ** (slopes[n] / base) * (c ** (rests[n] / step) if step else 1) for n in nodes}
    replaced = g.xreplace(powers)
    if replaced.has(u) or not replaced.is_rational_function(z):
        return None
    return sympy.factor(sympy.together(replaced)).xreplace({z: sympy.exp(base * u), c: sympy.exp(step)})


def _is_zero(g: Expr) -> bool:
    """Whether an expression in u is identically zero: by expansion, after a look at a few points."""
    if g == 0:
        return True
    for point in (Rational(1, 3), Rational(5, 7)):
        value = g.subs(u, point)
        if value.is_number and sign_of_number_safely(value) not in (0, None):
            return False
    return sympy.expand(g) == 0 or sympy.simplify(g) == 0


def sign_of_number_safely(value: Expr) -> int | None:
    if value.has(sympy.nan, sympy.zoo, sympy.I):
        return None
    return sign_of_number(value)


def _compare(a: Expr, b: Expr) -> int | None:
    """The sign of a - b."""
    return sign_of_number_safely(a - b)


@lru_cache(maxsize=512)
def shape_of(expression: Expr) -> Shape:
    """The shape of an exact l(u), computed once."""
    return Shape(expression)
