"""Where the best prediction sits: the weighted risk between two classes, and its minimiser."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import Series, axis, builder, figure, line, mark, names, points

_NEAR = np.geomspace(1e-9, 2e-3, 24)
P = np.unique(np.concatenate([np.linspace(0, 1, 401), _NEAR, 1 - _NEAR]))  # symmetric about 1/2: P[::-1] is 1 - P
_CUT = 0.03  # an endless risk is scaled by its value this far from the end
_TOP = 1.1  # of the axis, where the largest value drawn is 1


def edge_risk(value: np.ndarray, rate: float) -> np.ndarray:
    """Risk of predicting P for the true class, when a share `rate` of its labels says the other class.

    Parameters
    ----------
    value : np.ndarray, shape (len(P),)
        The loss at `P`.
    rate : float
        In [0, 1/2).

    >>> edge_risk(1 - P, .4)[[0, -1]].round(6).tolist()
    [0.6, 0.4]
    """
    with np.errstate(invalid="ignore"):
        other = np.zeros_like(value) if rate == 0 else rate * value[::-1]
        return (1 - rate) * value + other


def minimiser(risk: np.ndarray) -> float:
    """The prediction with the least risk, on the grid `P`; of equal ones the largest."""
    risk = np.where(np.isnan(risk), np.inf, risk)
    return float(P[len(P) - 1 - int(np.argmin(risk[::-1]))])


@builder
def edge_figure(series: Sequence[Series], rate: float, noise: str = "") -> dict:
    """The risk of every loss over the probability given to the true class, with its minimiser marked.

    Each risk is drawn from its minimum and on its own scale: where the minimum sits is the point, not how high it is.
    `rate` is the share of the two classes' labels that say the other class; where that is not all of the noise,
    `noise` names it: "symmetric noise 0.4 over 10 classes".
    """
    traces, best, free = [], {}, []
    for s in series:
        risk = edge_risk(s.y, rate)
        if np.nanmax(risk) - np.nanmin(risk) < 1e-9:  # every prediction between the two is as good
            free.append(s.name)
            traces.append(line(Series(s.label, s.style, P, np.zeros_like(P)), width=2.8, hover="as good as any other"))
            continue
        best[s.name] = where = minimiser(risk)
        above = risk - np.nanmin(risk)
        top = max(v for v in (above[0], above[-1], *np.interp((_CUT, 1 - _CUT), P, above)) if np.isfinite(v))
        scaled = above / (top or 1)
        # A risk without end leaves the picture by its top edge, however slowly it gets there: ending below it would
        # look as if being sure cost little.
        drawn = np.where(np.isposinf(scaled), 2 * _TOP, scaled)
        trace = line(Series(s.label, s.style, P, drawn), width=2.8, hover="%{text}")
        traces.append(trace | {"text": [f"{v:.2f} of its range" if np.isfinite(v) else "no limit" for v in scaled]})
        traces.append(
            points(Series(s.label, s.style, np.array([where]), np.array([0.0])), 15, hover="best prediction: %{x:.1%}")
        )
    return figure(
        traces,
        _message(best, free, noise or f"{rate:.0%} wrong labels", rate > 0),
        axis("probability given to the true class", -0.02, 1.03, tickformat=".0%"),
        axis("risk above its minimum, scaled", -0.08, _TOP, showticklabels=False, showgrid=False),
        "Each curve is the average loss over right and wrong labels. The dot is the best prediction.",
        [mark(1 - rate, f"right labels{' of these two classes' if noise else ''}: {1 - rate:.0%}", side="left")]
        if rate > 0
        else (),
        styles=[s.style for s in series],
        hovermode="closest",
    )


def _message(best: dict[str, float], free: list[str], noise: str, noisy: bool) -> str:
    """What the figure says.

    >>> _message({"CE": 0.6, "MAE": 1.0, "AGCE": 1.0}, [], "40% wrong labels", True)
    'With 40% wrong labels the best prediction gives the true class 60% for CE, 100% for MAE and AGCE'
    >>> _message({"CE": 0.6}, ["NCE"], "4% wrong labels", True)
    'With 4% wrong labels the best prediction gives the true class 60% for CE; for NCE all predictions are equally good'
    """
    noise = f"With {noise if noisy else 'clean labels'}"
    if not best:
        return f"{noise} all of these predictions are equally good for {names(free)}"
    pulled = {name: where for name, where in best.items() if where < 0.995}
    firm = [name for name in best if name not in pulled]
    others = f"; for {names(free)} all predictions are equally good" if free else ""
    if not pulled and not free:
        return f"{noise} the best prediction of every loss here is the true class"
    if not pulled:
        return f"{noise} the best prediction of {names(firm)} is the true class{others}"
    if not firm and not free:
        return f"{noise} the best prediction of no loss here is the true class"
    where = " and ".join(f"{value:.0%}" for value in dict.fromkeys(round(v, 2) for v in pulled.values()))
    stay = f", 100% for {names(firm)}" if firm else ""
    return f"{noise} the best prediction gives the true class {where} for {names(list(pulled))}{stay}{others}"


@builder
def calibration_figure(series: Series) -> dict:
    """The calibration function: the least excess of the loss at a 0-1 excess of at least epsilon."""
    return figure(
        [line(series)],
        "How close to its minimum the loss must be for few mistakes",
        axis("excess of wrong predictions ε", 0, 1, tickformat=".0%"),
        axis("least excess of the loss δ(ε)"),
        "Wherever the loss is closer to its minimum than the curve, the excess of wrong predictions is below ε.",
        styles=[series.style],
        height=280,
    )
