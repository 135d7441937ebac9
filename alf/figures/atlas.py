"""How hyperparameters change the ratio and the noise that a loss tolerates: a map over two, a slice along one."""

import base64
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from alf.figures.base import Series, axis, builder, figure, line, mark, points
from alf.figures.palette import BAD, GOOD, PLAIN, WRONG, ink, rgb

SCALE = [(0.0, "#F3E9D2"), (0.35, "#C9D8C8"), (0.65, "#7FB0B5"), (0.85, "#3F7FA0"), (1.0, "#123A75")]
_TAG = {
    "showarrow": False,
    "yshift": 16,
    "font": {"size": 11, "color": "#1E2430"},
    "bgcolor": "rgba(255,255,255,0.78)",
    "borderpad": 2,
}
_FADED = 0.42
"""How much white lies over what does not tolerate the chosen noise."""
_LINES = {"#000000": "rgba(0,0,0,0.35)", "#FFFFFF": "rgba(255,255,255,0.55)"}
"""Contour lines by the ink of their numbers."""
_SIDES = ({"yshift": 14, "xanchor": "right"}, {"yshift": -14, "xanchor": "left"})  # of a rising curve: above, below


def packed(values: np.ndarray) -> dict:
    """An array as Plotly's compact typed array.

    >>> packed(np.zeros((2, 3)))["shape"]
    '2,3'
    """
    values = np.ascontiguousarray(values, dtype="<f4")
    shape = ",".join(map(str, values.shape))
    return {"dtype": "f4", "bdata": base64.b64encode(values.tobytes()).decode(), "shape": shape}


@builder
def atlas_figure(
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    names: tuple[str, str],
    what: str,
    title: str,
    mine: Series,
    presets: Sequence[tuple[str, float, float]] = (),
    limit: float | None = None,
    limit_name: str = "",
) -> dict:
    """A quantity over two hyperparameters, with contour lines, presets and the reader's own point.

    Parameters
    ----------
    values : np.ndarray, shape (len(y), len(x))
    names : tuple of str
        Of the two hyperparameters.
    what : str
        Of the quantity.
    mine : Series
        The reader's own point.
    presets : sequence of (label, x, y)
    limit : float, optional
        Where the quantity must lie above; its contour is drawn strongly and named.
    """
    traces = _map(x, y, values, names, what, limit, limit_name)
    words = _plateau(y, values)
    for label, px, py in presets:
        at = Series(label, PLAIN, np.array([px]), np.array([py]))
        traces.append(points(at, 9, "diamond", f"{label}<br>%{{x:.3g}}, %{{y:.3g}}"))
        words.append({"text": label, "x": float(np.log10(px)), "y": py} | _TAG)
    # whole in a corner of the map too
    traces.append(points(mine, 16, hover=f"{mine.label}<br>%{{x:.3g}}, %{{y:.3g}}") | {"cliponaxis": False})
    return figure(
        traces,
        title,
        axis(names[0], np.log10(x[0]), np.log10(x[-1]), type="log", showgrid=False, tickvals=_ticks(x)),
        axis(names[1], float(y[0]), float(y[-1]), showgrid=False),
        "The darker, the more noise the loss tolerates"
        + (". " if limit is None else "; losses that do not tolerate the chosen noise are faded. ")
        + "Click to move the point; diamonds are the authors' presets.",
        styles=[mine.style, WRONG, PLAIN],
        annotations=words,
        height=430,
        hovermode="closest",
        dragmode=False,
    )


def _map(
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    names: tuple[str, str],
    what: str,
    limit: float | None,
    limit_name: str,
) -> list[dict]:
    """The colours, the limit's strong contour over what does not reach it, and the contour lines."""
    top = float(np.nanmax(values))

    def grid(step: int) -> dict:
        rows, columns = (np.linspace(0, n - 1, (n - 1) // step + 1).round().astype(int) for n in values.shape)
        return {"x": packed(x[columns]), "y": packed(y[rows]), "z": packed(values[np.ix_(rows, columns)])}

    # Lines from every second point are as smooth, and four times as quick to find.
    lines = grid(2) | {"type": "contour", "showscale": False, "hoverinfo": "skip"}
    heat = {
        "type": "heatmap",
        "colorscale": SCALE,
        "zmin": 0,
        "zmax": top,
        "showscale": False,
        "hovertemplate": f"{names[0]} = %{{x:.3g}}, {names[1]} = %{{y:.3g}}<br>{what} %{{z:.4f}}<extra></extra>",
    }
    if limit is None or not float(np.nanmin(values)) < limit <= top:
        return [grid(1) | heat, *(lines | look for look in _levels(values, top, None))]
    # Just below a plateau's own height, or the contour of a limit that the plateau reaches would not be drawn.
    level = min(limit, top * (1 - 1e-6))
    fade = {
        "contours": {"type": "constraint", "operation": ">", "value": level},
        "fillcolor": f"rgba(255,255,255,{_FADED})",
        "line": {"color": BAD[0], "width": 3},
        "name": limit_name,
    }
    return [grid(1) | heat, lines | fade, *(lines | look for look in _levels(values, top, limit))]


def shade(value: float, top: float, faded: bool = False) -> tuple[float, float, float]:
    """The map's colour at a value, red, green and blue from 0 to 255.

    >>> shade(0, 1), shade(1, 1)
    ((243.0, 233.0, 210.0), (18.0, 58.0, 117.0))
    """
    stops = [at for at, _ in SCALE]
    channels = zip(*(rgb(color) for _, color in SCALE), strict=True)
    red, green, blue = (float(np.interp(value / top, stops, channel)) for channel in channels)
    white = _FADED if faded else 0.0
    return (255 * white + red * (1 - white), 255 * white + green * (1 - white), 255 * white + blue * (1 - white))


def _levels(values: np.ndarray, top: float, limit: float | None) -> list[dict]:
    """The contour lines with their numbers: black where the map is light, white where it is dark."""
    low = float(np.nanmin(values))
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if s >= (top - low) / 10 or s == 0.2)
    levels = step * np.arange(np.floor(low / step) + 1, np.ceil(top / step))
    inks = [ink(shade(level, top, limit is not None and level < limit)) for level in levels]
    looks = []
    for color, group in groupby(zip(inks, levels, strict=True), key=itemgetter(0)):
        neighbours = [float(level) for _, level in group]
        contours = {"coloring": "none", "showlabels": True, "labelfont": {"size": 11, "color": color}}
        contours |= {"start": neighbours[0], "end": neighbours[-1], "size": step}
        looks.append({"autocontour": False, "contours": contours, "line": {"color": _LINES[color], "width": 1}})
    return looks


@builder
def slice_figure(
    series: Series,
    at: float,
    name: str,
    what: str,
    title: str,
    limit: float | None = None,
    presets: Sequence[tuple[str, float]] = (),
) -> dict:
    """The quantity along one hyperparameter through the reader's point, and where it is at least `limit`: shaded.

    `presets` are (label, value of the hyperparameter).
    """
    here = float(np.interp(at, series.x, series.y))
    traces, words = [line(series)], list[dict]()
    for label, value in presets:
        height = float(np.interp(value, series.x, series.y))
        preset = Series(label, PLAIN, np.array([value]), np.array([height]))
        traces.append(points(preset, 9, "diamond", f"{label}<br>%{{x:.3g}}, %{{y:.3g}}"))
        words.append({"text": label, "x": value, "y": height} | _TAG | _SIDES[len(words) % 2])
    mine = Series(series.label, series.style, np.array([at]), np.array([here]))
    traces.append(points(mine, 13) | {"cliponaxis": False})
    shapes = []
    if limit is not None:
        line_at = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": limit, "y1": limit}
        shapes = [*_enough(series, limit), line_at | {"line": {"color": BAD[0], "width": 2}}]
    return figure(
        traces,
        title,
        axis(name, float(series.x[0]), float(series.x[-1])),
        axis(what, 0, 1.05 * float(np.nanmax(series.y))),
        ("The dot is your loss, diamonds are the authors' presets" if presets else "Through your point")
        + ("." if limit is None else ". Above the red line, shaded, the loss tolerates the chosen noise."),
        [mark(at, f"{name} = {at:.3g}", "left" if at > np.quantile(series.x[[0, -1]], 0.85) else "right")],
        styles=[series.style, WRONG, PLAIN],
        height=260,
        shapes=shapes,
        annotations=words,
        hovermode="x",
    )


def _enough(series: Series, limit: float) -> list[dict]:
    """Shaded bands over the stretches of x in which the quantity is at least the limit."""
    inside = np.concatenate([[False], np.asarray(series.y) >= limit, [False]])
    starts, ends = np.flatnonzero(~inside[:-1] & inside[1:]), np.flatnonzero(inside[:-1] & ~inside[1:]) - 1
    band = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "line": {"width": 0}, "layer": "below"}
    band |= {"fillcolor": f"rgba({','.join(map(str, rgb(GOOD[0])))},0.12)"}
    return [band | {"x0": float(series.x[i]), "x1": float(series.x[j])} for i, j in zip(starts, ends, strict=True)]


def _plateau(y: np.ndarray, values: np.ndarray) -> list[dict]:
    """A word on the rows in which the quantity is at its largest throughout."""
    flat = y[(np.ptp(values, axis=1) < 1e-9) & (values.max(axis=1) > values.max() - 1e-9)]
    if len(flat) < 5:
        return []
    word = {"text": "completely asymmetric", "showarrow": False, "font": {"color": "#FFFFFF", "size": 13}}
    return [word | {"xref": "paper", "x": 0.5, "y": float((flat[0] + flat[-1]) / 2)}]


def _ticks(x: np.ndarray) -> list[float]:
    ticks = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10) if x[-1] > 20 * x[0] else (1, 1.2, 1.5, 2, 3, 5, 10)
    return [t for t in ticks if x[0] <= t <= x[-1]]
