"""What the best prediction says and what trained networks say, over the noise: curves and dots of one picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from alf.figures.base import Series, axis, band, builder, figure, line, mark, names, points

CLOSE = 0.05
"""A largest distance up to which the title counts a loss's networks as close to the best prediction."""


@dataclass(frozen=True)
class Mirrored:
    """A loss in the mirror.

    Attributes
    ----------
    best : Series
        The confidence of the best prediction over the noise; where the minimisers do not agree, the middle with the
        `spread` to both ends, drawn as a band.
    networks : Series or None
        The mean confidence of its networks, with their standard deviation; without a place where there is none yet.
    gap : ndarray or None
        How far each network's mean lies above the best prediction; None where there is no one best prediction.
    leaves : float or None
        Where the best prediction leaves the clean class; None where it does not, or that is not known.
    """

    best: Series
    networks: Series | None = None
    gap: np.ndarray | None = None
    leaves: float | None = None


@builder
def mirror_figure(losses: Sequence[Mirrored], x_title: str, reach: float, networks: int = 1, height: int = 430) -> dict:
    """The confidence in the clean class over the noise: lines are the best prediction, dots the trained networks.

    Parameters
    ----------
    losses : sequence of Mirrored
    x_title : str
        What the noise is measured by.
    reach : float
        Up to where the clean label is the likeliest.
    networks : int
        How many seeds the mean is over.
    """
    traces = []
    for loss in losses:
        several, spread = _many(loss), loss.best.spread
        traces += [band(loss.best)] if several else []
        one = loss.best.y if spread is None else np.where(spread > 0, np.nan, loss.best.y)
        traces.append(line(replace(loss.best, y=one), hover="best prediction %{y:.3f} at %{x:.3g}"))
        if loss.leaves is not None and loss.leaves < reach:
            traces.append(_leaves(loss))
    traces += [_dots(loss) for loss in losses if loss.networks is not None and len(loss.networks.x)]
    low = min([0.5, *(float(np.nanmin(s.y)) for loss in losses for s in (loss.best, loss.networks) if s and len(s.y))])
    bands = " Bands: every confidence in them is as good." if any(_many(loss) for loss in losses) else ""
    seeds = f", mean and standard deviation over {networks} seeds" if networks > 1 else ""
    return figure(
        traces,
        message(losses, x_title),
        axis(x_title, 0, reach * 1.02, tickformat=".0%" if "rate" in x_title else ".2~f"),
        axis("confidence in the clean class", max(-0.03, low - 0.06), 1.04),
        f"Lines: what the best prediction says (theory). Dots: what trained networks say{seeds}. "
        f"Rings: where the best prediction leaves the clean class.{bands}",
        [mark(reach, "clean label no longer the likeliest", side="left")] if reach < 1 else (),
        styles=[loss.best.style for loss in losses],
        height=height,
        hovermode="closest",
    )


def _many(loss: Mirrored) -> bool:
    """Whether its minimisers do not agree somewhere."""
    return loss.best.spread is not None and bool(np.any(loss.best.spread > 0))


def _leaves(loss: Mirrored) -> dict:
    assert loss.leaves is not None
    ring = points(Series(loss.best.label, loss.best.style, np.array([loss.leaves]), np.array([1.0])), 15)
    color = loss.best.style.color
    return ring | {
        "marker": {"size": 15, "symbol": "circle-open", "color": color, "line": {"color": color, "width": 2}},
        "hovertemplate": f"leaves the clean class at %{{x:.4f}}<extra>{loss.best.label}</extra>",
        "meta": "leaves",
    }


def _dots(loss: Mirrored) -> dict:
    assert loss.networks is not None
    said, beyond = "trained: %{y:.3f} at %{x:.3g}", ", %{customdata:+.3f} from the best prediction"
    dots = points(loss.networks, 9, hover=said if loss.gap is None else said + beyond) | {"meta": "networks"}
    if loss.gap is not None:
        dots["customdata"] = np.round(loss.gap, 4)
    if loss.networks.spread is not None and np.any(loss.networks.spread > 0):
        bars = {"type": "data", "array": loss.networks.spread, "thickness": 1.2, "width": 3}
        dots["error_y"] = bars | {"color": loss.networks.style.color}
    return dots


def message(losses: Sequence[Mirrored], x_title: str = "noise rate") -> str:
    """What the figure says: how far the networks are from the best prediction, and where most.

    >>> from alf.figures.palette import style
    >>> x = np.array([0.1, 0.4])
    >>> one = Series("CE", style("ce"), x, 1 - x)
    >>> message([Mirrored(one, one, np.array([0.01, -0.02]))])
    'Trained networks come within 0.02 of the best prediction'
    >>> message([Mirrored(one)])
    'What the best prediction says: CE'
    """
    farthest = [
        (loss.networks.name, float(loss.networks.x[place]), float(loss.gap[place]))
        for loss in losses
        if loss.networks is not None and loss.gap is not None and len(loss.gap)
        for place in [int(np.argmax(np.abs(loss.gap)))]
    ]
    if not farthest:
        return f"What the best prediction says: {names([loss.best.name for loss in losses])}"
    name, at, gap = max(farthest, key=lambda found: abs(found[2]))
    close = [who for who, _, far in farthest if abs(far) <= CLOSE]
    where = f"{at:.0%} noise" if "rate" in x_title else f"t = {at:.3g}"
    worst = f"{name} is {abs(gap):.2f} {'above' if gap > 0 else 'below'} it at {where}"
    if len(close) == len(farthest):
        return (
            f"Trained networks come within {max(1, math.ceil(round(100 * abs(gap), 6))) / 100} of the best prediction"
        )
    if not close:
        return f"Trained networks miss the best prediction: {worst}"
    return f"The networks of {names(close)} come within {CLOSE} of the best prediction; {worst}"
