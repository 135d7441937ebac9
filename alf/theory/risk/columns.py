"""What one coordinate adds to the Lagrangian, over cells of lambda."""

from dataclasses import dataclass

from alf.theory.risk.branches import Branch


@dataclass(frozen=True)
class Column:
    """Over the cells of lambda: where u_i may lie on one branch, and a lower bound of psi_i(u_i) + lambda_0 u_i."""

    low: object
    high: object
    bound: object
    possible: object


def column_of(branch: Branch, first, last) -> Column:
    """Bounds on one branch for the cells [first, last] of lambda."""
    import numpy as np

    nodes, middle = branch.nodes, (first + last) / 2
    count = len(nodes)
    if branch.bend == 1:  # mu falls along the nodes
        start = np.searchsorted(-_falling(branch.mu_low), -last, side="left") - 1
        stop = np.searchsorted(-_falling(branch.mu_high), -first, side="right")
    elif branch.bend == -1:
        start = np.searchsorted(_rising(branch.mu_high), first, side="left") - 1
        stop = np.searchsorted(_rising(branch.mu_low), last, side="right")
    else:
        start, stop = np.zeros(len(first), int), np.full(len(first), count - 1)
    start, stop = np.clip(start, 0, count - 1), np.clip(stop, 0, count - 1)
    least, most = branch.mu_low.min(), branch.mu_high.max()
    possible = (last >= least) & (first <= most) & (stop >= start)
    # psi + lambda_0 u on [x, y], from the node at x or at y and the largest |lambda_0 - mu| between
    x, y = nodes[start], nodes[stop]
    mu_ends = np.stack([branch.mu_low[start], branch.mu_low[stop], branch.mu_high[start], branch.mu_high[stop]])
    if branch.bend == 0:
        mu_ends = np.stack([branch.mu_low[start], branch.mu_high[stop]])
    with np.errstate(invalid="ignore", over="ignore"):
        steep = np.maximum(np.abs(middle - mu_ends.min(axis=0)), np.abs(middle - mu_ends.max(axis=0)))
        at_x = branch.low[start] + middle * x
        at_y = branch.low[stop] + middle * y
        bound = (at_x + at_y) / 2 - steep * (y - x) / 2
        if branch.bend == -1:  # concave: no lower than at its ends
            bound = np.maximum(np.minimum(at_x, at_y), np.nan_to_num(bound, nan=-np.inf))
        if branch.bend == 0 and count == 2 and nodes[1] - nodes[0] < 1e-6:
            bound = np.minimum(at_x, at_y)
        # rounding of the sums above
        bound = bound - 1e-13 * (1 + np.abs(at_x) + np.abs(at_y) + np.abs(middle) + steep * (y - x))
    return Column(x, y, np.nan_to_num(bound, nan=-np.inf), possible)


def _falling(values):
    import numpy as np

    return np.minimum.accumulate(values)


def _rising(values):
    import numpy as np

    return np.maximum.accumulate(values)
