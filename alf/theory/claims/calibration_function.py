"""The calibration function of a loss l(u_y), by a numerical search: the least L-excess at 0-1 excess >= eps."""

from fractions import Fraction

from alf.theory.curve.shape import shape_of
from alf.theory.risk.structure import Structure
from alf.theory.verdict import Status, Step, Verdict, undecided

GRID = 120


RESTS = 20
"""Shares of 1 that the labels beside the two in question are given."""


def calibration_curve(loss, structure: Structure, classes: int) -> Verdict:
    """delta(eps) as data of an `observed` verdict: there is no linear bound to state.

    Label probabilities are searched among (p_m, p_n, rest shared equally by a few labels, 0, ...), and predictions
    among (x, y, z, ..., z, 0, ...) likewise, where n is predicted.
    """
    import numpy as np

    shape = shape_of(structure.h)
    if shape.at_zero is None or shape.at_one is None:
        return undecided("excess_risk", "l(0) or l(1) is not known.")
    table = np.array([float(shape.value(Fraction(k, GRID), 80).mid()) for k in range(GRID + 1)])
    epsilons = np.arange(1, 20) / 20
    deltas, count = np.full(len(epsilons), np.inf), 0
    sharing = sorted({1, 2, 3, classes - 2} & set(range(1, classes - 1))) or [0]
    for others in sharing:
        points = _predictions(others)
        # l(0) may be infinite, which interpolation must not spread over the first cell
        values = np.where(points > 0, np.interp(points, np.arange(1, GRID + 1) / GRID, table[1:]), table[0])
        wrong = (points[:, 1] >= points[:, 0]) & (points[:, 1] >= points[:, 2])
        for rest in np.arange(RESTS) / RESTS if others else (0.0,):
            first, second = (1 - rest + epsilons) / 2, (1 - rest - epsilons) / 2
            possible = (second >= 0) & (first * max(others, 1) >= rest)
            weights = np.stack([first, second, np.full(len(epsilons), rest)])[:, possible]
            with np.errstate(invalid="ignore"):
                parts = values[:, :, None] * weights
            risk = np.where(weights > 0, parts, 0.0).sum(axis=1)
            least = risk[wrong].min(axis=0, initial=np.inf) - risk.min(axis=0, initial=np.inf)
            deltas[possible] = np.minimum(deltas[possible], least)
            count += len(points) * int(possible.sum())
    deltas = np.minimum.accumulate(np.maximum(deltas, 0)[::-1])[::-1]  # an excess of at least eps may be larger
    text = (
        "The loss is not completely asymmetric, so no linear bound is stated; its calibration function delta(eps), the "
        "least L-excess at 0-1 excess >= eps, was searched numerically: the least found among "
        f"{count:,} pairs of a prediction in multiples of 1/{GRID} and label probabilities in which all labels but two "
        "have equal shares or none."
    )
    data = {"epsilon": epsilons.tolist(), "delta": deltas.tolist(), "points": count}
    return Verdict("excess_risk", Status.OBSERVED, None, (Step(text, structure.h, status=Status.OBSERVED),), None, data)


def _predictions(others: int):
    """Rows (x, y, z): x for the right class, y for the predicted one, z for each of the others that have a share."""
    import numpy as np

    i, j = np.meshgrid(np.arange(GRID + 1), np.arange(GRID + 1), indexing="ij")
    keep = i + j <= GRID if others else i + j == GRID
    i, j = i[keep], j[keep]
    return np.stack([i / GRID, j / GRID, (GRID - i - j) / GRID / max(1, others)], axis=1)
