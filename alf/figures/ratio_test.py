"""Accuracy against the asymmetry ratio, over the settings of one family: does a higher ratio give better tolerance?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from alf.figures.base import Series, axis, builder, figure, line, mark, points
from alf.figures.palette import DASHES, Style
from alf.training.higher_ratio import Course, HigherRatio


@dataclass(frozen=True)
class AtScale:
    """A family at one gradient scale: what the scale is called, and what its settings say."""

    scale: str
    found: HigherRatio


@builder
def ratio_test_figure(tested: Sequence[AtScale], style: Style, family: str, noise: str) -> dict:
    """A point for each setting, with its standard deviation over the seeds; a mark where a ridge stands out.

    `tested` are one or two gradient scales of one family; the first is drawn in full, the title speaks of it.
    """
    traces, used = [], []
    for one, dash in zip(tested, DASHES, strict=False):
        settings = one.found.settings
        drawn = replace(style, dash=dash)
        used.append(drawn)
        label = f"{family}, {one.scale}" if len(tested) > 1 else family
        x, y = (np.array([getattr(s, name) for s in settings]) for name in ("ratio", "mean"))
        series = Series(label, drawn, x, y)
        names = [s.label for s in settings]
        hover = "%{customdata}: ratio %{x:.3g}, %{y:.1%}"
        bars = {"type": "data", "array": [s.std for s in settings], "color": drawn.color, "thickness": 1.2, "width": 4}
        traces.append(line(series) | {"hoverinfo": "skip", "hovertemplate": None})
        traces.append(points(series, hover=hover) | {"customdata": names, "error_y": bars})
    spread = any(len(s.accuracies) > 1 for one in tested for s in one.found.settings)
    about = f"Accuracy on clean test samples at the last epoch, {noise}"
    about += ", mean over the seeds; a bar is one standard deviation." if spread else "."
    first = tested[0].found
    marks = []
    if first.course == Course.RIDGE:
        marks.append(mark(first.best.ratio, "best ratio", "right" if first.best.ratio < 0.7 else "left"))
    y_axis = axis("test accuracy", tickformat=".0%")
    title = first.message
    if len(tested) > 1:
        title = f"{family}, {tested[0].scale}: {title[0].lower()}{title[1:]}"
    return figure(
        traces, title, axis("asymmetry ratio", -0.02, 1.02), y_axis, about, marks, styles=used, hovermode="closest"
    )
