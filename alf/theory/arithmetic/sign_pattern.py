"""The sign of an expression on an interval, certified by interval arithmetic over a subdivision.

`sign_pattern(f, x, lo, hi)` cuts (lo, hi) into runs of one sign. Ends where f is singular or vanishes are settled by a
local argument: a positive power of the distance is divided out, and a value that is exactly zero at the end is replaced
by the sign of the derivative next to it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from sympy import Abs, Expr, Max, Min, Symbol, diff

from alf.theory.arithmetic.balls import exact_zero, fine_sign, sign_of_number
from alf.theory.arithmetic.cells import Enclosure, on_cell
from alf.theory.arithmetic.intervals import add, mul, outward, sign_between
from alf.theory.arithmetic.limits import end_sign, from_end


@dataclass(frozen=True)
class Run:
    """A stretch of the interval on which the sign is known: 1 (>= 0), -1 (<= 0), 0 (identically 0) or None."""

    lo: Fraction
    hi: Fraction
    sign: int | None


class Budget:
    """Counts evaluations, so that a hard expression ends in `undecided` rather than never."""

    def __init__(self, evaluations: int = 30_000):
        self.left = evaluations

    def spend(self) -> bool:
        """Take one from the budget; False where nothing was left."""
        self.left -= 1
        return self.left >= 0


def sign_pattern(f: Expr, x: Symbol, lo=0, hi=1, budget: Budget | None = None) -> tuple[Run, ...]:
    """Runs of one sign that cover (lo, hi), in order.

    A run with sign None is a tiny cell around a zero whose nature could not be settled, or what the budget left over.

    >>> from sympy import Rational
    >>> x = Symbol("x", positive=True)
    >>> [(round(float(r.lo), 3), r.sign) for r in sign_pattern(x - Rational(1, 3), x) if r.sign is not None]
    [(0.0, -1), (0.333, 1)]
    """
    lo, hi = Fraction(lo), Fraction(hi)
    if f.is_number:
        return (Run(lo, hi, sign_of_number(f)),)
    cell = on_cell(f, x)
    whole = cell_sign(cell, lo, hi)
    if whole is not None:
        return (Run(lo, hi, whole),)
    left, right, width = lo, hi, hi - lo
    start, end = None, None
    if cell_sign(cell, lo, lo + width / 64) is None:
        start = end_sign(from_end(f, x, lo, 1))
    if cell_sign(cell, hi - width / 64, hi) is None:
        end = end_sign(from_end(f, x, hi, -1))
    runs: list[Run] = []
    if start:
        left = lo + dyadic(min(Fraction(start[1]), width / 8))
        runs.append(Run(lo, left, start[0]))
    if end:
        right = hi - dyadic(min(Fraction(end[1]), width / 8))
    runs += _subdivide(f, x, cell, left, right, budget or Budget())
    if end:
        runs.append(Run(right, hi, end[0]))
    return _merge(runs)


def halved(lo, hi, ask: Callable, finest, budget: Budget | None = None) -> Iterator[tuple[Any, Any, Any]]:
    """[lo, hi] from left to right in parts, each with what `ask(a, b)` says about it.

    None halves a part, unless it is at most `finest` or nothing is left of the budget, of which a part takes one.

    >>> [(int(4 * a), int(4 * b)) for a, b, found in halved(0.0, 1.0, lambda a, b: b <= 0.5 or None, 0.1) if found]
    [(0, 2)]
    """
    stack = [(lo, hi)]
    while stack:
        a, b = stack.pop()
        found = ask(a, b) if budget is None or budget.spend() else None
        if found is None and b - a > finest and (budget is None or budget.left > 0):
            middle = (a + b) / 2
            stack += [(middle, b), (a, middle)]
        else:
            yield a, b, found


def dyadic(width: Fraction) -> Fraction:
    """The power of two at or below a width."""
    result = Fraction(1)
    while result > width:
        result /= 2
    return result


def cell_sign(cell: Enclosure, a: Fraction, b: Fraction, strict: bool = False) -> int | None:
    """The sign of every value on a closed cell, 0 allowed beside it unless `strict`; None where it is not told."""
    return sign_between(cell(*outward(a, b)), strict)


def mean_value_sign(cell: Enclosure, slope: Enclosure, a: Fraction, b: Fraction, strict: bool = False) -> int | None:
    """The same by f(x) = f(m) + f'(cell) (x - m)."""
    m = (a + b) / 2
    moved = mul(slope(*outward(a, b)), outward((a - b) / 2, (b - a) / 2))
    return sign_between(add(cell(*outward(m, m)), moved), strict)


FINE_STEPS = 150
"""Balls that are spent on a sliver in which doubles cannot tell a function from 0."""


def _subdivide(f: Expr, x: Symbol, cell: Enclosure, lo: Fraction, hi: Fraction, budget: Budget) -> list[Run]:
    """Cells of one sign from left to right; cells are halved until they have one, or are 2**-40 wide."""
    asked = sign_question(f, x, cell, hi - lo, budget)
    found = [Run(a, b, sign) for a, b, sign in halved(lo, hi, asked, (hi - lo) / 2**40, budget)]
    return _finer(f, x, [settle_zero(f, x, run) if run.sign is None else run for run in _merge(found)])


def sign_question(f: Expr, x: Symbol, cell: Enclosure, width: Fraction, budget: Budget, strict: bool = False):
    """What asks for the sign on a cell; on less than a sixteenth of the width by the mean value too, without kinks."""
    slope = cache(lambda: on_cell(diff(f, x), x))  # made when it is needed
    kinks = f.has(Abs, Max, Min)

    def ask(a: Fraction, b: Fraction) -> int | None:
        sign = cell_sign(cell, a, b, strict)
        if sign is None and budget.left > 0 and b - a < width / 16 and not kinks:
            sign = mean_value_sign(cell, slope(), a, b, strict)
        return sign

    return ask


def _finer(f: Expr, x: Symbol, runs: list[Run]) -> list[Run]:
    """Slivers between two runs of one sign looked at with balls: f may come close to 0 there without reaching it."""
    found = list(runs)
    for i, run in enumerate(runs):
        before, after = runs[i - 1].sign if i else None, runs[i + 1].sign if i + 1 < len(runs) else None
        if run.sign is not None or run.hi - run.lo > Fraction(1, 2**30) or before != after or not before:
            continue
        parts = halved(run.lo, run.hi, lambda a, b: fine_sign(f, x, a, b), 0, Budget(FINE_STEPS))
        if all(sign == before for _, _, sign in parts):
            found[i] = Run(run.lo, run.hi, before)
    return list(_merge(found))


def touches(f: Expr, x: Symbol, lo, hi, budget: Budget | None = None) -> tuple[Run, ...]:
    """Tiny cells of [lo, hi] in which an f >= 0 could not be shown to be above 0; the end 0 of (0, 1) left out.

    >>> x = Symbol("x", positive=True)
    >>> touches(x + 1, x, 0, 1), [round(float(r.lo), 6) for r in touches((2 * x - 1) ** 2, x, 0, 1)]
    ((), [0.5])
    """
    lo, hi = Fraction(lo), Fraction(hi)
    budget = budget or Budget()
    if f.is_number:
        return () if sign_of_number(f) == 1 else (Run(lo, hi, None),)
    if lo == 0:
        end = end_sign(from_end(f, x, lo, 1))
        if end and end[0] == 1:
            lo = dyadic(min(Fraction(end[1]), (hi - lo) / 64)) / 64
    asked = sign_question(f, x, on_cell(f, x), hi - lo, budget, strict=True)
    parts = halved(lo, hi, asked, (hi - lo) / 2**40, budget)
    return _merge([Run(a, b, None) for a, b, sign in parts if sign != 1])


def settle_zero(f, x, run: Run) -> Run:
    """A tiny cell around an exact zero of even order has the sign of that derivative; otherwise it stays open."""
    c = exact_zero(f, x, run.lo, run.hi) if run.hi - run.lo <= Fraction(1, 1000) else None
    if c is None:
        return run
    order = 0
    while order < 8:
        f, order = diff(f, x), order + 1
        if sign_of_number(f.subs(x, c)) != 0:
            break
    sign = cell_sign(on_cell(f, x), run.lo, run.hi)
    return Run(run.lo, run.hi, sign) if order % 2 == 0 and sign else run


def _merge(runs: list[Run]) -> tuple[Run, ...]:
    """Neighbours of one sign joined; an unsettled sliver between two runs stays."""
    merged: list[Run] = []
    for run in runs:
        if merged and merged[-1].sign == run.sign and merged[-1].hi == run.lo:
            merged[-1] = Run(merged[-1].lo, run.hi, run.sign)
        else:
            merged.append(run)
    return tuple(merged)
