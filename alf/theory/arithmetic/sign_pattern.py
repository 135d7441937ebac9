"""The sign of an expression on an interval, certified by interval arithmetic over a subdivision.

`sign_pattern(f, x, lo, hi)` cuts (lo, hi) into runs of one sign. Ends where f is singular or vanishes are settled by a
local argument: a positive power of the distance is divided out, and a value that is exactly zero at the end is replaced
by the sign of the derivative next to it.
"""

from dataclasses import dataclass
from fractions import Fraction

from sympy import Expr, Symbol, diff

from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.end_sign import end_sign
from alf.theory.arithmetic.fine import exact_zero, fine_sign
from alf.theory.arithmetic.intervals import INF, OutOfDomain, add, mul, outward
from alf.theory.arithmetic.limits import from_end


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
    budget = budget or Budget()
    runs: list[Run] = []
    left, right = lo, hi
    cell = on_cell(f, x)
    whole = cell_sign(cell, lo, hi)
    if whole is not None:
        return (Run(lo, hi, whole),)
    width = hi - lo
    start, end = None, None
    if cell_sign(cell, lo, lo + width / 64) is None:
        start = end_sign(from_end(f, x, lo, 1))
    if cell_sign(cell, hi - width / 64, hi) is None:
        end = end_sign(from_end(f, x, hi, -1))
    if start:
        left = lo + dyadic(min(Fraction(start[1]), width / 8))
        runs.append(Run(lo, left, start[0]))
    if end:
        right = hi - dyadic(min(Fraction(end[1]), width / 8))
    runs += _subdivide(f, x, cell, left, right, budget)
    if end:
        runs.append(Run(right, hi, end[0]))
    return _merge(runs)


def dyadic(width: Fraction) -> Fraction:
    """The power of two at or below a width."""
    result = Fraction(1)
    while result > width:
        result /= 2
    return result


def cell_sign(cell, a: Fraction, b: Fraction) -> int | None:
    """The sign of every value on a closed cell, 0 allowed beside it; None where the enclosure does not tell."""
    try:
        lo, hi = cell(*outward(a, b))
    except OutOfDomain:
        return None
    if lo >= 0:
        return 0 if hi <= 0 else 1
    return -1 if hi <= 0 else None


FINE_STEPS = 150
"""Balls that are spent on a sliver in which doubles cannot tell a function from 0."""


def _subdivide(f, x, cell, a: Fraction, b: Fraction, budget: Budget) -> list[Run]:
    """Cells of one sign from left to right; cells are halved until they have one, or are 2**-40 wide."""
    slope = None
    smallest = (b - a) / 2**40
    stack, found = [(a, b)], []
    while stack:
        lo, hi = stack.pop()
        sign = cell_sign(cell, lo, hi) if budget.spend() else None
        if sign is None and budget.left > 0 and hi - lo < (b - a) / 16:
            if slope is None:
                slope = on_cell(diff(f, x), x)
            sign = mean_value_sign(cell, slope, lo, hi)
        if sign is not None:
            found.append(Run(lo, hi, sign))
        elif budget.left <= 0 or hi - lo <= smallest:
            found.append(Run(lo, hi, None))
        else:
            middle = (lo + hi) / 2
            stack += [(middle, hi), (lo, middle)]
    return _finer(f, x, [settle_zero(f, x, run) if run.sign is None else run for run in _merge(found)])


def _finer(f: Expr, x: Symbol, runs: list[Run]) -> list[Run]:
    """Slivers between two runs of one sign looked at with balls: f may come close to 0 there without reaching it."""
    found = list(runs)
    for i, run in enumerate(runs):
        before, after = runs[i - 1].sign if i else None, runs[i + 1].sign if i + 1 < len(runs) else None
        if run.sign is not None or run.hi - run.lo > Fraction(1, 2**30) or before != after or not before:
            continue
        stack, steps = [(run.lo, run.hi)], 0
        while stack and steps < FINE_STEPS:
            lo, hi = stack.pop()
            steps += 1
            if fine_sign(f, x, lo, hi) != before:
                stack += [((lo + hi) / 2, hi), (lo, (lo + hi) / 2)]
        if not stack:
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
    cell, slope = on_cell(f, x), None
    stack, found = [(lo, hi)], []
    while stack:
        a, b = stack.pop()
        low = _lower(cell, a, b) if budget.spend() else -INF
        if low <= 0 and budget.left > 0 and b - a < (hi - lo) / 16:
            slope = slope or on_cell(diff(f, x), x)
            low = max(low, _mean_value_lower(cell, slope, a, b))
        if low > 0:
            continue
        if budget.left <= 0 or b - a <= (hi - lo) / 2**40:
            found.append(Run(a, b, None))
        else:
            middle = (a + b) / 2
            stack += [(middle, b), (a, middle)]
    return _merge(found)


def _lower(cell, a: Fraction, b: Fraction) -> float:
    try:
        return cell(*outward(a, b))[0]
    except OutOfDomain:
        return -INF


def _mean_value_lower(cell, slope, a: Fraction, b: Fraction) -> float:
    m = (a + b) / 2
    try:
        low = add(cell(*outward(m, m)), mul(slope(*outward(a, b)), outward((a - b) / 2, (b - a) / 2)))[0]
    except OutOfDomain:
        return -INF
    return low if low == low else -INF


def mean_value_sign(cell, slope, a: Fraction, b: Fraction, strict: bool = False) -> int | None:
    """The sign by f(x) = f(m) + f'(cell) (x - m)."""
    m = (a + b) / 2
    try:
        value = cell(*outward(m, m))
        s = slope(*outward(a, b))
    except OutOfDomain:
        return None
    half = outward((a - b) / 2, (b - a) / 2)
    lo, hi = add(value, mul(s, half))
    if lo != lo or hi != hi:
        return None
    if strict:
        return 1 if lo > 0 else -1 if hi < 0 else None
    return 1 if lo >= 0 else -1 if hi <= 0 else None


def settle_zero(f, x, run: Run) -> Run:
    """A tiny cell around an exact zero of even order has the sign of that derivative; otherwise it stays open."""
    if run.hi - run.lo > Fraction(1, 1000):
        return run
    c = exact_zero(f, x, run.lo, run.hi)
    if c is None:
        return run
    g, order = f, 0
    while order < 8:
        g, order = diff(g, x), order + 1
        value = g.subs(x, c)
        if sign_of_number(value) != 0:
            break
    sign = cell_sign(on_cell(g, x), run.lo, run.hi)
    if order % 2 == 0 and sign:
        return Run(run.lo, run.hi, sign)
    return run


def _merge(runs: list[Run]) -> tuple[Run, ...]:
    """Neighbours of one sign joined; an unsettled sliver between two runs stays."""
    merged: list[Run] = []
    for run in runs:
        if merged and merged[-1].sign == run.sign and merged[-1].hi == run.lo:
            merged[-1] = Run(merged[-1].lo, run.hi, run.sign)
        else:
            merged.append(run)
    return tuple(merged)
