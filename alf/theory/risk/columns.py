"""What one coordinate adds to the Lagrangian, over cells of lambda."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alf.theory.risk.branches import Branch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

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
        if branch.kink:  # its rows hold for the whole of it
            bound = np.minimum(at_x, at_y)
        bound = bound - ROUNDING * (1 + np.abs(at_x) + np.abs(at_y) + np.abs(middle) + steep)
    return np.nan_to_num(bound, nan=-np.inf)
