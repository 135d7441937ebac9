"""The strict sign of a continuous function on an open interval: what is certain, and a place that stood in the way."""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Expr, Mul, Pow, Symbol, exp

from alf.theory.arithmetic.balls import at_point, exact_zero, fine_sign, sign_of_number
from alf.theory.arithmetic.cells import Enclosure, on_cell
from alf.theory.arithmetic.limits import end_sign, from_end
from alf.theory.arithmetic.sign_pattern import Budget, Run, cell_sign, dyadic, halved, settle_zero, sign_question

MOST_CELLS = 12_000
"""Cells that are looked at before a sign is given up."""


@dataclass(frozen=True)
class Certain:
    """What is certain about the sign of a continuous function on an open interval.

    Parameters
    ----------
    sign : int or None
        The sign of every value; None where there is no one sign or it could not be certified.
    weak : int or None
        The same where values may also be 0.
    at : Fraction or None
        A place that stood in the way.
    there : tuple of int
        Signs of values that certainly occur: both where the function changes its sign.
    """

    sign: int | None
    weak: int | None = None
    at: Fraction | None = None
    there: tuple[int, ...] = ()

    def fails(self, needs: str) -> bool:
        """Whether the function certainly is not ``nonzero``, ``positive`` or ``nonnegative``."""
        if needs == "nonzero":
            return 0 in self.there or {1, -1} <= {*self.there}
        return -1 in self.there or (needs == "positive" and 0 in self.there)


@lru_cache(maxsize=4096)
def certain_sign(f: Expr, x: Symbol, lo=0, hi=1) -> Certain:
    """The strict sign of a function that is continuous on the open interval (lo, hi).

    >>> x = Symbol("x", positive=True)
    >>> certain_sign(x * (1 - x), x).sign, certain_sign((3 * x - 1) ** 2, x).there, certain_sign(3 * x - 1, x).at
    (1, (0, 1), Fraction(1, 3))
    """
    lo, hi = Fraction(lo), Fraction(hi)
    if f.is_number:
        sign = sign_of_number(f)
        return Certain(sign, sign, None if sign else lo, () if sign is None else (sign,))
    if isinstance(f, (exp, sympy.cosh)) or f == x:
        return Certain(1, 1)
    known = _sign_of_factors(f, x, lo, hi)
    if known:
        return Certain(known, known)
    try:
        return _certain_sign(f, x, lo, hi)
    except NotImplementedError:
        return Certain(None, None)


def _sign_of_factors(f: Expr, x: Symbol, lo: Fraction, hi: Fraction) -> int | None:
    """The strict sign of a product or power from those of its parts: (1 - u)**8000 is less than any double, not 0."""
    if isinstance(f, Mul):
        sign = 1
        for factor in f.args:
            part = certain_sign(factor, x, lo, hi).sign
            if not part:
                return None
            sign *= part
        return sign
    if isinstance(f, Pow) and (f.exp.is_number or f.exp == x):
        base = certain_sign(f.base, x, lo, hi).sign
        if base == 1 or (base == -1 and f.exp.is_Integer):
            return 1 if base == 1 or f.exp.is_even else -1
    return None


@dataclass
class _Evidence:
    """What a search has found out about a function so far.

    Parameters
    ----------
    seen : dict
        Signs of values that certainly occur, each with a place where it does.
    weak : set
        Signs beside which values may be 0; None where nothing is known on a part of the interval.
    trouble : Fraction or None
        The last place at which no strict sign was certified.
    """

    seen: dict[int, Fraction] = field(default_factory=dict)
    weak: set[int | None] = field(default_factory=set)
    trouble: Fraction | None = None

    def verdict(self) -> Certain:
        """What follows once the whole interval has been looked at."""
        signs = {sign for sign in self.seen if sign}
        possible = self.weak | signs
        only = possible.pop() if len(possible) == 1 else None
        if self.trouble is None and len(signs) == 1:
            return Certain(only, only)
        return Certain(None, only, self.trouble, tuple(sorted(self.seen)))


def _certain_sign(f: Expr, x: Symbol, lo: Fraction, hi: Fraction) -> Certain:
    """The same by enclosures: next to each end by its own argument, between them cell by cell."""
    cell = on_cell(f, x)
    whole = cell_sign(cell, lo, hi, strict=True)
    if whole:
        return Certain(whole, whole)
    found = _Evidence()
    left = lo + _settled_next_to(f, x, cell, (lo, hi), 1, found)
    right = hi - _settled_next_to(f, x, cell, (lo, hi), -1, found)
    budget = Budget(MOST_CELLS)
    ask = sign_question(f, x, cell, hi - lo, budget, strict=True)

    def ask_balls_too(a: Fraction, b: Fraction) -> int | None:
        return ask(a, b) or (fine_sign(f, x, a, b) if b - a < (hi - lo) / 2**30 else None)

    for a, b, sign in halved(left, right, ask_balls_too, (hi - lo) / 2**60, budget):
        if sign:
            found.seen.setdefault(sign, (a + b) / 2)
        else:
            _look_for_zero(f, x, cell, a, b, found)
            if budget.left <= 0:
                return Certain(None, None, found.trouble, tuple(sorted(found.seen)))
        if {1, -1} <= found.seen.keys():
            return Certain(None, None, _crossing(f, x, found.seen[-1], found.seen[1]), tuple(sorted(found.seen)))
    return found.verdict()


def _settled_next_to(f: Expr, x: Symbol, cell: Enclosure, span, side: int, found: _Evidence) -> Fraction:
    """Over what distance from an end the sign is settled, 0 where the cells between the ends settle or miss it."""
    lo, hi = span
    end = lo if side > 0 else hi
    first, last = sorted((end, end + side * (hi - lo) / 64))
    if cell_sign(cell, first, last, strict=True):
        return Fraction(0)
    moved = from_end(f, x, end, side)
    near = end_sign(moved, strict=True)
    strict = near is not None and near[0] != 0
    if not strict:
        near, found.trouble = end_sign(moved), end
        found.weak.add(None if near is None else near[0])
    if near is None:
        return Fraction(0)
    reach = dyadic(min(Fraction(near[1]), (hi - lo) / 8))
    if strict:
        found.seen[near[0]] = end + side * reach / 2
    return reach


def _look_for_zero(f: Expr, x: Symbol, cell: Enclosure, a: Fraction, b: Fraction, found: _Evidence) -> None:
    """Note an exact zero in a cell that cannot be cut further, or that none is known there."""
    c = exact_zero(f, x, a, b)
    if c is None:
        found.trouble = (a + b) / 2
        found.weak.add(cell_sign(cell, a, b))
        return
    found.trouble = Fraction(c)
    found.seen[0] = found.trouble
    found.weak.add(settle_zero(f, x, Run(a, b, None)).sign)


def _crossing(f: Expr, x: Symbol, below: Fraction, above: Fraction) -> Fraction:
    """Near where a continuous function that is negative at one point and positive at another crosses 0."""
    value = at_point(f, x)
    for _ in range(60):
        middle = (below + above) / 2
        ball = value(middle, 200)
        if ball > 0:
            above = middle
        elif ball < 0:
            below = middle
        else:
            break
    near = ((below + above) / 2).limit_denominator(10_000)
    return near if min(below, above) <= near <= max(below, above) else (below + above) / 2
