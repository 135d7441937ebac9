"""Tables of enclosures of psi and mu on the stretches on which mu is monotone, and what these add to the Lagrangian."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from sympy import Expr, oo

from alf.losses import u
from alf.theory.arithmetic.cells import enclose_number, on_cell
from alf.theory.arithmetic.intervals import WHOLE, outward
from alf.theory.arithmetic.sign_pattern import Run
from alf.theory.curve.derivative import derivative_of
from alf.theory.curve.pieces import Kink, Piece
from alf.theory.curve.shape import Shape, shape_of, slopes_at

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NODES = 1024
"""Into how many parts [0, 1] is cut by the nodes."""

FINER = 16
"""Into how many parts the gap between two nodes is cut where a finer table is needed."""

MOST_NEW_NODES = 4096
"""How many nodes a table may get at once."""

WIDEST_UNSETTLED = Fraction(1, 2**20)
"""How wide a stretch of unsettled bend may be, to be counted to its neighbours."""

Row = tuple[float, float, float, float]
"""At a node: psi and mu, each from below and from above."""


@dataclass(frozen=True)
class Branch:
    """A stretch on which mu is monotone: its nodes and enclosures of psi and mu there.

    `bend` is 1 where psi is convex (mu falls), -1 where it is concave, 0 where it is linear or a convex kink.
    `row` makes the enclosures at a further node, or None where it cannot; a kink has no further nodes, and mu takes
    every value between its rows.
    `unsettled` is the length at its ends on which the bend was not settled: mu may leave its direction there, and the
    enclosures of mu are widened so that every value it takes there is enclosed at the node next to it.
    """

    bend: int
    nodes: "Floats"
    low: "Floats"
    high: "Floats"
    mu_low: "Floats"
    mu_high: "Floats"
    row: Callable[[float], Row | None] | None = None
    unsettled: float = 0.0


@lru_cache(maxsize=256)
def branches(expression: Expr) -> tuple[Branch, ...] | None:
    """The monotone stretches of mu = -psi', tabulated; None where the shape is not settled or a slope is infinite."""
    shape = shape_of(expression)
    if not shape.located:
        return None
    runs = shape.bend_runs
    if not all(r.sign is not None or _belongs_to_neighbour(shape, runs, i) for i, r in enumerate(runs)):
        return None
    found = []
    for i, run in enumerate(runs):
        if run.sign is None:
            continue
        before = runs[i - 1] if i and runs[i - 1].sign is None else None
        after = runs[i + 1] if i + 1 < len(runs) and runs[i + 1].sign is None else None
        branch = _tabulate(shape, run, before, after)
        if branch is None:
            return None
        found.append(branch)
    for kink in shape.kinks:
        if kink.turn is None:
            return None
        if kink.turn == 1:  # at a concave kink no minimiser can sit
            branch = _kink_branch(shape, kink)
            if branch is None:
                return None
            found.append(branch)
    return tuple(found)


def _belongs_to_neighbour(shape: Shape, runs: tuple[Run, ...], i: int) -> bool:
    """Whether a run of unsettled bend is short and next to a settled one of the same piece."""
    neighbours = [runs[k] for k in (i - 1, i + 1) if 0 <= k < len(runs) and runs[k].sign is not None]
    piece = _piece_of(shape, runs[i])
    return runs[i].hi - runs[i].lo <= WIDEST_UNSETTLED and any(_piece_of(shape, run) is piece for run in neighbours)


def _piece_of(shape: Shape, run: Run) -> Piece:
    return next(p for p in shape.pieces if p.lo <= (run.lo + run.hi) / 2 <= p.hi or p is shape.pieces[-1])


def _tabulate(shape: Shape, run: Run, before: Run | None, after: Run | None) -> Branch | None:
    """The table of a run and of the unsettled ones before and after it, which belong to both their neighbours."""
    import numpy as np

    assert run.sign is not None
    unsettled = [(r, outward(r.lo, r.hi)) for r in (before, after) if r is not None]
    wide = [(r is after, *ends, *shape.slope(*ends)) for r, ends in unsettled]
    if not np.isfinite(wide).all():
        return None
    lo, hi = (before or run).lo, (after or run).hi
    inner = [Fraction(k, NODES) for k in range(NODES + 1) if lo < Fraction(k, NODES) < hi]
    nodes = [lo, *sorted({*inner, run.lo, run.hi} - {lo, hi}), hi]
    piece = _piece_of(shape, run)
    value, slope = on_cell(piece.expression, u), on_cell(derivative_of(piece.expression, 1), u)

    def row(x: float | Fraction) -> Row | None:
        ends = outward(Fraction(x), Fraction(x))
        v, s = value(*ends), slope(*ends)
        if x in (0, 1) and not np.isfinite((*v, *s)).all():
            v, s = _limits(shape, x)
        if not np.isfinite(v).all():
            return None
        mu_low, mu_high = -s[1], -s[0]
        for is_after, left, right, least, most in wide:
            inside = left <= x <= right
            if inside or (is_after and run.sign == -1):  # a mu that rises may fall again behind all its nodes
                mu_low = min(mu_low, -most)
            if inside or (is_after and run.sign == 1):
                mu_high = max(mu_high, -least)
        return *v, mu_low, mu_high

    rows = [row(x) for x in nodes]
    if None in rows:
        return None
    width = sum(right - left for _, (left, right) in unsettled)
    low, high, mu_low, mu_high = np.array(rows).T
    return Branch(run.sign, np.array([float(x) for x in nodes]), low, high, mu_low, mu_high, row, width)


def finer_branch(branch: Branch, needed: "NDArray[np.bool_]") -> Branch:
    """The same stretch with more nodes between those `needed`: the bounds are of second order in their distance."""
    import numpy as np

    gaps = np.flatnonzero(needed[:-1] & needed[1:])
    parts = min(FINER, MOST_NEW_NODES // max(1, len(gaps)))
    if branch.row is None or not len(gaps) or parts < 2:
        return branch
    between = np.linspace(branch.nodes[gaps], branch.nodes[gaps + 1], parts + 1)[1:-1].ravel()
    new = np.setdiff1d(between, branch.nodes)
    rows = [branch.row(float(x)) for x in new]
    if not rows or None in rows:
        return branch
    nodes = np.concatenate([branch.nodes, new])
    order = np.argsort(nodes)
    low, high, mu_low, mu_high = (
        np.concatenate([old, more])[order]
        for old, more in zip((branch.low, branch.high, branch.mu_low, branch.mu_high), np.array(rows).T, strict=True)
    )
    return replace(branch, nodes=nodes[order], low=low, high=high, mu_low=mu_low, mu_high=mu_high)


def _limits(shape: Shape, x: float | Fraction) -> tuple[tuple[float, float], tuple[float, float]]:
    """psi and psi' at an end of [0, 1] by their limits, as enclosures."""
    value = shape.at_zero if x == 0 else shape.at_one
    slope = shape.slope_at_zero if x == 0 else shape.slope_at_one
    if value in (None, oo, -oo) or slope is None:
        return WHOLE, WHOLE
    return enclose_number(value), enclose_number(slope)


def _kink_branch(shape: Shape, kink: Kink) -> Branch | None:
    """A convex kink holds a range of multipliers; None where a slope is not finite or a value is not known."""
    import numpy as np

    before, after = slopes_at(shape, kink)
    ends = [shape.value(x, 120) for x in (kink.lo, kink.hi)]
    if not all(np.isfinite((*before, *after))) or not all(e.is_finite() for e in ends):
        return None
    steps = (float(kink.hi) - float(kink.lo)) * max(abs(x) for x in (*before, *after))
    low = min(np.nextafter(float(e.lower()), -np.inf) for e in ends) - steps
    high = max(np.nextafter(float(e.upper()), np.inf) for e in ends) + steps
    steepest, flattest = -before[0], -after[1]
    return Branch(
        0, np.array([float(kink.lo), float(kink.hi)]), np.array([low, low]), np.array([high, high]),
        np.array([flattest, flattest]), np.array([steepest, steepest]),
    )  # fmt: skip


ROUNDING = 1e-13
"""What a bound computed in doubles is lowered by, relative to the magnitudes it is a sum of.

Each operation is off by at most e = 2**-53 of its result. A column's bound has eight of them (two in a node's value,
then a sum of two values, the steepness, the distance, their product, a difference and this correction), and the last
node may lie e/2 from the end of its stretch: 9 e. The sum over n columns has 2 n + 2: a product and a sum for each. So
1e-13, which is 900 e, suffices for both while n is at most `MOST_COLUMNS`.
"""

MOST_COLUMNS = 400
"""Of how many columns a risk may be summed."""


@dataclass(frozen=True)
class Column:
    """Over the cells of lambda: where u_i may lie on one branch, and a lower bound of psi_i(u_i) + lambda_0 u_i.

    `low` and `high` are nodes of the branch, `possible` is False where no u_i of the branch has a multiplier in the
    cell, and lambda_0 is the middle of the cell.
    """

    low: "Floats"
    high: "Floats"
    bound: "Floats"
    possible: "NDArray[np.bool_]"


def column_of(branch: Branch, first: "Floats", last: "Floats") -> Column:
    """Bounds on one branch for the cells [first, last] of lambda."""
    start, stop = _nodes_around(branch, first, last)
    possible = (last >= branch.mu_low.min()) & (first <= branch.mu_high.max()) & (stop >= start)
    low, high = branch.nodes[start], branch.nodes[stop]
    return Column(low, high, _bound(branch, start, stop, (first + last) / 2), possible)


def _nodes_around(branch: Branch, first: "Floats", last: "Floats") -> "tuple[NDArray[np.intp], NDArray[np.intp]]":
    """Indices of nodes between which every u of the branch lies whose mu(u) is in [first, last]."""
    import numpy as np

    count = len(branch.nodes)
    if branch.bend == 1:  # mu falls along the nodes
        start = np.searchsorted(-np.minimum.accumulate(branch.mu_low), -last, side="left") - 1
        stop = np.searchsorted(-np.minimum.accumulate(branch.mu_high), -first, side="right")
    elif branch.bend == -1:
        start = np.searchsorted(np.maximum.accumulate(branch.mu_high), first, side="left") - 1
        stop = np.searchsorted(np.maximum.accumulate(branch.mu_low), last, side="right")
    else:
        start, stop = np.zeros(len(first), np.intp), np.full(len(first), count - 1)
    return np.clip(start, 0, count - 1), np.clip(stop, 0, count - 1)


def _bound(branch: Branch, start: "NDArray[np.intp]", stop: "NDArray[np.intp]", middle: "Floats") -> "Floats":
    """A lower bound of f(u) = psi(u) + lambda_0 u between two nodes x and y, where |f'| = |lambda_0 - mu| <= steep.

    f >= f(x) - steep (u - x) and f >= f(y) - steep (y - u), so f >= (f(x) + f(y) - steep (y - x)) / 2, half the sum.
    A concave f is no lower than at the lower end; where the bend was not settled, on a length `unsettled`, f may fall
    by steep times that.
    """
    import numpy as np

    x, y = branch.nodes[start], branch.nodes[stop]
    mu_ends = np.stack([branch.mu_low[start], branch.mu_low[stop], branch.mu_high[start], branch.mu_high[stop]])
    with np.errstate(invalid="ignore", over="ignore"):
        steep = np.maximum(np.abs(middle - mu_ends.min(axis=0)), np.abs(middle - mu_ends.max(axis=0)))
        at_x = branch.low[start] + middle * x
        at_y = branch.low[stop] + middle * y
        bound = (at_x + at_y) / 2 - steep * (y - x) / 2
        if branch.bend == -1:
            bound = np.maximum(np.minimum(at_x, at_y) - steep * branch.unsettled, np.nan_to_num(bound, nan=-np.inf))
        if branch.row is None:  # a kink, whose rows hold for the whole of it
            bound = np.minimum(at_x, at_y)
        bound = bound - ROUNDING * (1 + np.abs(at_x) + np.abs(at_y) + np.abs(middle) + steep)
    return np.nan_to_num(bound, nan=-np.inf)
