"""A phase map: what was measured over two axes as colours, and the line at which the theorem's promise ends.

Every loss is a figure of its own with the same colours for the same numbers. What was not measured yet stays pale, so
that nobody takes it for a low number.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from alf.figures.atlas import packed
from alf.figures.base import axis, builder, figure
from alf.figures.headline import Result, told_apart
from alf.phase import Axis, Measure

SCALE = [[0.0, "#FDF5D8"], [0.2, "#E6D68F"], [0.4, "#A9BC8F"], [0.6, "#5C9292"], [0.8, "#2F5F8F"], [1.0, "#161A52"]]
"""From pale to dark, each step darker than the one before: read in grey, and without red or green."""
LINE, CASING = "#B00020", "#FFFFFF"
"""Theory's line, and what lies beneath it: seen on the palest and on the darkest cell."""
EMPTY, GOING = "rgba(128,136,150,0.14)", "rgba(128,136,150,0.38)"
NAMES = {"lr": "learning rate", "classes": "classes", "samples": "training samples"}
"""What the kinds of axis are called that are neither a hyperparameter nor the noise rate."""
GAPS = 40
"""Up to so many cells in a row there is a gap between them."""
TICKS = 6
BELOW = 104
"""Pixels below a map: its axis, and the colours with their numbers."""


@dataclass(frozen=True)
class Heat:
    """One loss of a map.

    Attributes
    ----------
    name
        Of the loss.
    mean, std
        (len(y), len(x)) over the seeds; nan where nothing was measured.
    seeds
        How many.
    words
        (len(y), len(x)) what the pointer is told of each cell, in HTML.
    going, failed
        Which cells are being trained, and which could not be.
    line
        Theory's points (x, y), with nan for a gap.
    about_line
        What the line is, and where it is missing and why, in a sentence; empty where there is nothing to say.
    """

    name: str
    mean: np.ndarray
    std: np.ndarray
    seeds: int
    words: Sequence[Sequence[str]]
    going: np.ndarray
    failed: np.ndarray
    line: tuple[np.ndarray, np.ndarray] = field(default_factory=lambda: (np.array([]), np.array([])))
    about_line: str = ""


def axis_name(kind: str, noise: str = "") -> str:
    """What an axis is called, the noise by its kind.

    >>> axis_name("a"), axis_name("noise", "pair"), axis_name("lr")
    ('a', 'pair noise rate', 'learning rate')
    """
    return f"{noise} noise rate".strip() if kind == "noise" else NAMES.get(kind, kind)


def edges(over: Axis) -> np.ndarray:
    """Where the cells of an axis begin and end, one more than it has values; in the logarithm where that is its scale.

    >>> edges(Axis("noise", (0.1, 0.2, 0.3))).round(3).tolist(), edges(Axis("a", (1, 10))).round(3).tolist()
    ([0.05, 0.15, 0.25, 0.35], [0.316, 3.162, 31.623])
    """
    at = np.log(over.values) if over.log else np.array(over.values, dtype=float)
    middle = (at[1:] + at[:-1]) / 2
    ends = np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])
    return np.exp(ends) if over.log else ends


def span(heats: Sequence[Heat], measure: Measure) -> tuple[float, float]:
    """The numbers of the palest and the darkest colour, the same for all losses.

    Shares begin and end at a multiple of 5%, so that the colours change seldom while a map fills.
    """
    known = np.concatenate([heat.mean[np.isfinite(heat.mean)] for heat in heats])
    if not len(known):
        return 0.0, 1.0
    step = 0.05 if measure.share else 1.0
    low, high = np.floor(known.min() / step + 1e-9) * step, np.ceil(known.max() / step - 1e-9) * step
    return float(low), float(max(high, low + step))


@builder
def phase_map_figure(
    heat: Heat,
    x: Axis,
    y: Axis,
    measure: Measure,
    colours: tuple[float, float],
    noise: str = "",
    height: int = 470,
) -> dict:
    """The map of one loss.

    Parameters
    ----------
    heat
        What was measured, and what theory says.
    x, y
        The axes.
    measure
        The quantity.
    colours
        See `span`.
    noise
        The kind of noise, which names an axis of noise rates.
    """
    columns, rows = edges(x), edges(y)
    place = {"x": columns, "y": rows}
    gap = 1 if max(len(x), len(y)) <= GAPS else 0
    look = {"type": "heatmap", "xgap": gap, "ygap": gap, "showscale": False, "hoverongaps": False}
    look |= {"text": heat.words, "hovertemplate": "%{text}<extra></extra>"}
    unknown = np.where(np.isfinite(heat.mean), np.nan, np.where(heat.going, 1.0, 0.0))
    pale = {"colorscale": [[0, EMPTY], [1, GOING]], "zmin": 0, "zmax": 1, "z": packed(unknown), "name": "not measured"}
    dark = {"colorscale": SCALE, "zmin": colours[0], "zmax": colours[1], "z": packed(heat.mean), "name": heat.name}
    traces = [*(place | look | one for one in (pale, dark)), *_line(heat), _bar(measure, colours)]
    if heat.failed.any():
        at = np.argwhere(heat.failed)
        traces.append(
            {"type": "scatter", "mode": "markers", "hoverinfo": "skip", "name": "could not be trained",
             "x": [x.values[i] for _, i in at], "y": [y.values[j] for j, _ in at],
             "marker": {"symbol": "x", "size": 9, "color": LINE}}
        )  # fmt: skip
    return figure(
        traces,
        title(heat, x, y, measure, noise),
        _axis(x, columns, noise),
        _axis(y, rows, noise),
        _about(heat, measure),
        height=height,
        hovermode="closest",
        dragmode="zoom",
        margin={"l": 8, "r": 14, "t": 8, "b": BELOW},
    )


def _about(heat: Heat, measure: Measure) -> str:
    seeds = f", mean over {heat.seeds} seeds" if heat.seeds > 1 else ""
    return " ".join(filter(None, (f"The darker, the more: {measure.name}{seeds}.", heat.about_line)))


def _bar(measure: Measure, colours: tuple[float, float]) -> dict:
    """The colours with their numbers, below the map: there they have their width on a phone too.

    They belong to a point that is not there, so that they stand before anything is measured.
    """
    bar = {"orientation": "h", "thickness": 11, "yref": "container", "y": 0, "yanchor": "bottom"}
    bar |= {"title": {"text": measure.name, "side": "bottom", "font": {"size": 12}}, "tickfont": {"size": 11}}
    bar |= {"len": 1.0, "x": 0.5, "outlinewidth": 0}
    bar |= {"tickformat": ".0%" if measure.share else "~r", "nticks": 6}
    marker = {"color": [colours[0]], "cmin": colours[0], "cmax": colours[1], "colorscale": SCALE, "colorbar": bar}
    point = {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "hoverinfo": "skip"}
    return point | {"marker": marker | {"showscale": True}, "name": measure.name}


def _line(heat: Heat) -> list[dict]:
    at_x, at_y = heat.line
    if not np.isfinite(np.asarray(at_x, dtype=float) + np.asarray(at_y, dtype=float)).any():
        return []
    whole = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": at_x,
        "y": at_y,
        "hoverinfo": "skip",
        "connectgaps": False,
    }

    def drawn(color: str, width: float) -> dict:
        return {"line": {"color": color, "width": width}, "marker": {"color": color, "size": width + 1}}

    return [whole | drawn(CASING, 6.5), whole | drawn(LINE, 3) | {"name": "critical noise rate"}]


def _axis(over: Axis, ends: np.ndarray, noise: str) -> dict:
    ticks = over.values[:: math.ceil(len(over) / TICKS)]
    low, high = (np.log10(ends[[0, -1]]) if over.log else ends[[0, -1]]).tolist()
    more = {"type": "log" if over.log else "linear", "showgrid": False, "zeroline": False}
    return axis(axis_name(over.kind, noise), low, high, **more, tickvals=ticks, ticktext=list(map(number, ticks)))


def number(value: float) -> str:
    """A value of an axis, as short as it is read.

    >>> number(0.0772), number(0.30000000001), number(1438.0), number(6.0)
    ('0.077', '0.3', '1438', '6')
    """
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2g}"


def amount(value: float, measure: Measure) -> str:
    """A measured number in words."""
    return f"{value:.0%}" if measure.share else f"{value:.1f}".removesuffix(".0")


# -- the message -----------------------------------------------------------------------------------------------------

_LESS_IS_BETTER = ("drop", "memorised", "dead")


def title(heat: Heat, x: Axis, y: Axis, measure: Measure, noise: str = "") -> str:
    """What a map says: in the row where the choice matters most, which value is best, and what its ends cost.

    The row is one of the noise rate where an axis has that, else one of y.
    """
    known = np.isfinite(heat.mean)
    if not known.any():
        return f"{heat.name}: no cell is measured yet"
    across, along, mean, std = (y, x, heat.mean, heat.std) if x.kind != "noise" else (x, y, heat.mean.T, heat.std.T)
    counts = np.isfinite(mean).sum(axis=1)
    rows = np.flatnonzero(counts == counts.max())  # those of which most is known
    ranges = [np.nanmax(mean[row]) - np.nanmin(mean[row]) for row in rows]
    row = int(rows[int(np.argmax(ranges))])
    said = _row(heat, along, mean[row], std[row], measure)
    where = f"at {axis_name(across.kind, noise)} {number(across.values[row])}"
    return f"With one seed, {heat.name} {where}: {said}" if heat.seeds == 1 else f"{heat.name}: {where} {said}"


def _row(heat: Heat, along: Axis, mean: np.ndarray, std: np.ndarray, measure: Measure) -> str:
    at = np.flatnonzero(np.isfinite(mean))
    results = [Result(number(along.values[i]), float(mean[i]), float(std[i]), heat.seeds) for i in at]
    pick = min if measure.key in _LESS_IS_BETTER else max
    best = pick(results, key=lambda result: result.mean)
    ends = [end for end in dict.fromkeys((results[0], results[-1])) if end is not best]
    worse = [end for end in ends if _differ(end, best, measure)]
    name = NAMES.get(along.kind, along.kind)
    words = [measure.name, amount(best.mean, measure)]
    shown = " ".join(words if measure.share else reversed(words))
    if not any(_differ(result, best, measure) for result in results):
        return f"every {name} measured gives about the same: {shown}"
    against = " and ".join(f"{amount(end.mean, measure)} at {end.name}" for end in (worse or ends))
    return f"the best {name} is {best.name}, with {shown} against {against}"


def _differ(one: Result, other: Result, measure: Measure) -> bool:
    """Whether two cells differ by more than their spreads; with one seed by more than a reader would call equal."""
    if one.seeds > 1:
        return told_apart(one, other)
    return abs(one.mean - other.mean) > (0.02 if measure.share else 0.5)
