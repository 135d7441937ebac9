"""The calibration function of a loss l(u_y), by a numerical search: the least L-excess at 0-1 excess >= eps."""

from sympy import oo

from alf.theory.shape import shape_of
from alf.theory.structure import Structure
from alf.theory.verdict import Step, Verdict

GRID = 120


def calibration_curve(loss, structure: Structure, classes: int) -> Verdict:
    """delta(eps) as data of an `observed` verdict: there is no linear bound to state.

    Predictions are searched among (x, y, z, ..., z) and label probabilities among (p_m, p_n, rest shared equally).
    """
    import numpy as np

    shape = shape_of(structure.h)
    nodes = np.arange(GRID + 1) / GRID
    table = np.array([float(shape.value(_fraction(k), 80)) if k else _at_zero(shape) for k in range(GRID + 1)])
    points = _predictions(classes)
    # l(0) may be infinite, which interpolation must not spread over the first cell
    values = np.where(points > 0, np.interp(points, nodes[1:], table[1:]), table[0])
    wrong = (points[:, 1] >= points[:, 0]) & (points[:, 1] >= points[:, 2])
    epsilons = [k / 20 for k in range(1, 20)]
    deltas = []
    for eps in epsilons:
        least = np.inf
        for rest in (0.0, 0.1, 0.2, 0.4, 0.6) if classes > 2 else (0.0,):
            first, second = (1 - rest + eps) / 2, (1 - rest - eps) / 2
            if second < 0 or (rest > 0 and rest / (classes - 2) > first):
                continue
            weights = np.array([first, second, rest])
            with np.errstate(invalid="ignore"):
                risk = np.nansum(np.where(weights > 0, values * weights, 0.0), axis=1)
            least = min(least, float(risk[wrong].min() - risk.min()))
        deltas.append(max(0.0, least))
    for k in range(len(deltas) - 2, -1, -1):  # an excess of at least eps is allowed to be larger
        deltas[k] = min(deltas[k], deltas[k + 1])
    count = len(points) * len(epsilons)
    text = (
        "The loss is not completely asymmetric, so no linear bound is stated; its calibration function delta(eps), the "
        f"least L-excess at 0-1 excess >= eps, was searched numerically over {count} points."
    )
    data = {"epsilon": epsilons, "delta": deltas, "points": count}
    return Verdict("excess_risk", "observed", None, (Step(text, structure.h, status="observed"),), None, data)


def _fraction(k: int):
    from fractions import Fraction

    return Fraction(k, GRID)


def _at_zero(shape) -> float:
    return float("inf") if shape.at_zero in (None, oo) else float(shape.at_zero)


def _predictions(classes: int):
    """Rows (x, y, z): x for the right class, y for the other, z for each of the rest."""
    import numpy as np

    i, j = np.meshgrid(np.arange(GRID + 1), np.arange(GRID + 1), indexing="ij")
    keep = i + j == GRID if classes == 2 else i + j <= GRID
    i, j = i[keep], j[keep]
    rest = (GRID - i - j) / GRID / max(1, classes - 2)
    return np.stack([i / GRID, j / GRID, rest], axis=1)


__all__ = ["calibration_curve"]
