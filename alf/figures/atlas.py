"""How hyperparameters change the ratio and the noise that a loss tolerates: a map, a slice, and a trade-off."""

import base64
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from alf.figures.base import Series, axis, builder, figure, line, mark, points
from alf.figures.palette import BAD, GOOD, NEUTRAL, Style, ink, rgb

SCALE = [[0, "#F3E9D2"], [0.35, "#C9D8C8"], [0.65, "#7FB0B5"], [0.85, "#3F7FA0"], [1, "#123A75"]]
_TAG = {
    "showarrow": False,
    "yshift": 16,
    "font": {"size": 11, "color": "#1E2430"},
    "bgcolor": "rgba(255,255,255,0.78)",
    "borderpad": 2,
}
_FADED = 0.42
"""How much white lies over what does not tolerate the chosen noise."""
_SIDES = ({"yshift": 14, "xanchor": "right"}, {"yshift": -14, "xanchor": "left"})  # of a rising curve: above, below
_LIMIT = Style(BAD[0], BAD[1], "solid")
_PLAIN = Style(NEUTRAL[0], NEUTRAL[1], "solid")


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
    top = float(np.nanmax(values))

    def grid(step: int) -> dict:
        rows, columns = (np.linspace(0, n - 1, (n - 1) // step + 1).round().astype(int) for n in values.shape)
        return {"x": packed(x[columns]), "y": packed(y[rows]), "z": packed(values[np.ix_(rows, columns)])}

    # Lines from every second point are as smooth, and four times as quick to find.
    lines = grid(2) | {"type": "contour", "showscale": False, "hoverinfo": "skip"}
    drawn = limit is not None and float(np.nanmin(values)) < limit <= top
    traces = [
        grid(1)
        | {
            "type": "heatmap",
            "colorscale": SCALE,
            "zmin": 0,
            "zmax": top,
            "showscale": False,
            "hovertemplate": f"{names[0]} = %{{x:.3g}}, {names[1]} = %{{y:.3g}}<br>{what} %{{z:.4f}}<extra></extra>",
        },
    ]
    if drawn:
        # Just below a plateau's own height, or the contour of a limit that the plateau reaches would not be drawn.
        level = min(limit, top * (1 - 1e-6))
        traces.append(
            lines
            | {
                "contours": {"type": "constraint", "operation": ">", "value": level},
                "fillcolor": f"rgba(255,255,255,{_FADED})",
                "line": {"color": BAD[0], "width": 3},
                "name": limit_name,
            }
        )
    traces += [lines | look for look in _levels(values, top, limit if drawn else None)]
    words = _plateau(y, values)
    for label, px, py in presets:
        at = Series(label, _PLAIN, np.array([px]), np.array([py]))
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
        styles=[mine.style, _LIMIT, _PLAIN],
        annotations=words,
        height=430,
        hovermode="closest",
        dragmode=False,
    )


def shade(value: float, top: float, faded: bool = False) -> tuple[float, float, float]:
    """The map's colour at a value, red, green and blue from 0 to 255.

    >>> shade(0, 1), shade(1, 1)
    ((243.0, 233.0, 210.0), (18.0, 58.0, 117.0))
    """
    stops = [at for at, _ in SCALE]
    channels = zip(*(rgb(color) for _, color in SCALE), strict=True)
    mixed = (float(np.interp(value / top, stops, channel)) for channel in channels)
    return tuple(255 * _FADED + c * (1 - _FADED) if faded else c for c in mixed)


def _levels(values: np.ndarray, top: float, limit: float | None) -> list[dict]:
    """The contour lines with their numbers: black where the map is light, white where it is dark."""
    low = float(np.nanmin(values))
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if s >= (top - low) / 10 or s == 0.2)
    levels = step * np.arange(np.floor(low / step) + 1, np.ceil(top / step))
    inks = {level: ink(shade(level, top, limit is not None and level < limit)) for level in levels}
    looks = []
    for color, line_color in (("#000000", "rgba(0,0,0,0.35)"), ("#FFFFFF", "rgba(255,255,255,0.55)")):
        mine = [float(level) for level in levels if inks[level] == color]
        for part in _runs(mine, step):
            contours = {"coloring": "none", "showlabels": True, "labelfont": {"size": 11, "color": color}}
            contours |= {"start": part[0], "end": part[-1], "size": step}
            looks.append({"autocontour": False, "contours": contours, "line": {"color": line_color, "width": 1}})
    return looks


def _runs(levels: Sequence[float], step: float) -> list[list[float]]:
    """Neighbouring levels together.

    >>> _runs([0.1, 0.2, 0.5], 0.1)
    [[0.1, 0.2], [0.5]]
    """
    groups: list[list[float]] = []
    for level in levels:
        if groups and level - groups[-1][-1] < 1.5 * step:
            groups[-1].append(level)
        else:
            groups.append([level])
    return groups


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
    traces, words = [line(series)], []
    for label, value in presets:
        height = float(np.interp(value, series.x, series.y))
        preset = Series(label, _PLAIN, np.array([value]), np.array([height]))
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
        styles=[series.style, _LIMIT, _PLAIN],
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


@builder
def trade_figure(marks: Sequence[Series], classes: int) -> dict:
    """Robustness against learning speed: each loss at its ratio and at its sample weight where training starts.

    With many classes the weights of the robust losses are so small that they need a logarithmic axis; a weight of zero
    then has a place of its own below it. Marks that cover each other are drawn as rings and named once, together.
    """
    weights = [float(s.y[0]) for s in marks]
    least = min((w for w in weights if w > 0), default=1.0)
    logarithmic = least < 0.1
    heights = np.array(weights)
    if logarithmic:
        decades = -np.log10(least)
        heights = np.array([1 + np.log10(w) / decades if w > 0 else _ZERO for w in weights])
    places = [(float(s.x[0]), float(h)) for s, h in zip(marks, heights, strict=True)]
    low = -0.08 if not logarithmic else -0.2 if all(weights) else _ZERO - 0.15
    groups = _together(places)
    several = {s.short for s in marks if sum(any(marks[i].short == s.short for i in group) for group in groups) > 1}
    words, short = [], []
    for group in groups:
        named = [marks[i] for i in group if marks[i].short]
        words.append(_lines([s.label if s.short in several else s.short for s in named]))
        # A phone has no room for combinations that are the same as one of their parts.
        short.append(_lines([s.short for s in named if "+" not in s.short] or [s.short for s in named], 12))
    traces = []
    for group, lines, side, fewer, phone_side in zip(
        groups,
        words,
        _sides(words, groups, places, low, _WIDE),
        short,
        _sides(short, groups, places, low, _PHONE),
        strict=True,
    ):
        hover = "<br>".join(f"{marks[i].label}: ratio {places[i][0]:.4f}, weight {weights[i]:.3g}" for i in group)
        for rank, i in enumerate(group):
            trace = points(replace(marks[i], y=heights[[i]]), 12 + 4 * (len(group) - 1 - rank))
            trace["hovertemplate"] = f"{hover}<extra></extra>"
            if rank == 0 and lines != [""]:  # the widest ring has them, beside itself
                trace |= {"mode": "markers+text", "text": ["<br>".join(lines)], "textposition": side}
                trace |= {"textfont": {"size": 12}, "meta": {"short": "<br>".join(fewer), "side": phone_side}}
            traces.append(trace)
    about = "Further right: tolerates more noise. Further up: more sample weight at the start. Every loss and preset."
    y_axis = {"tickformat": ".0%"}
    if logarithmic:
        about += " The weights are on a logarithmic scale."
        ticks = [t for t in _DECADES if t >= least / 2]
        y_axis = {"tickvals": [1 + np.log10(t) / decades for t in ticks], "ticktext": [f"{100 * t:g}%" for t in ticks]}
        if not all(weights):
            y_axis["tickvals"].append(_ZERO)
            y_axis["ticktext"].append("none")
    return figure(
        traces,
        _trade_message(marks),
        axis("asymmetry ratio", *_ACROSS),
        axis(f"share of the largest sample weight at u = 1/{classes}", low, _TOP, **y_axis),
        about,
        styles=[s.style for s in marks],
        height=400,
        hovermode="closest",
    )


def _trade_message(marks: Sequence[Series]) -> str:
    """How the two go together over the losses shown, by their ranks."""
    ranks = [np.unique([float(v) for v in values], return_inverse=True)[1]
             for values in ([s.x[0] for s in marks], [s.y[0] for s in marks])]  # fmt: skip
    if min(np.ptp(r) for r in ranks) == 0:
        return "How much noise a loss tolerates, and its sample weight at the start"
    together = float(np.corrcoef(*ranks)[0, 1])
    if abs(together) < 0.3:
        return "How much noise a loss tolerates says little about its sample weight at the start"
    share = "less" if together < 0 else "more"
    return f"Losses that tolerate more noise tend to start with {share} of their sample weight"


_ACROSS, _TOP = (-0.14, 1.16), 1.1
_WIDE, _PHONE = (0.0115, 0.058, 0.018, 0.03), (0.031, 0.058, 0.05, 0.035)
"""Width of a letter, height of a line, half the width and height of a mark: in the units of the trade-off's axes."""
_ROOM = 22
"""Letters in a line of a mark's names."""
_ZERO = -0.16
"""Where a weight of zero is drawn beside a logarithmic axis whose least weight is at 0 and whose largest at 1."""
_SAME = 0.0135
"""How near marks cover each other."""
_DECADES = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0)


def _together(places: Sequence[tuple[float, float]]) -> list[list[int]]:
    """The numbers of the marks, those that lie on one another in one group.

    >>> _together([(0, 1), (1, 0.4), (0.001, 1), (1, 0.2)])
    [[0, 2], [1], [3]]
    """
    groups: list[list[int]] = []
    for i, (x, y) in enumerate(places):
        near = [g for g in groups if any(np.hypot(x - places[k][0], y - places[k][1]) < _SAME for k in g)]
        groups = [g for g in groups if g not in near]
        groups.append([*(k for g in near for k in g), i])
    return sorted(sorted(g) for g in groups)


def _lines(words: Sequence[str], room: int = _ROOM) -> list[str]:
    """A list in lines of at most `room` letters, where no word is longer.

    >>> _lines(["MAE", "RCE", "AGCE (a=0.6, q=0.6)", "MAE"])
    ['MAE, RCE,', 'AGCE (a=0.6, q=0.6)']
    """
    lines = [""]
    for word in dict.fromkeys(words):
        longer = f"{lines[-1]}, {word}" if lines[-1] else word
        if lines[-1] and len(longer) > room:
            lines[-1] += ","
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _sides(words, groups, places, low: float, units: tuple[float, float, float, float]) -> list[str]:
    """For each group's words, as lines, the side of its mark on which they cover the least of others and marks."""
    letter, line_height, half, tall = units
    marks = [(x - half, y - tall, x + half, y + tall) for x, y in places]
    chosen, boxes = [""] * len(groups), [(0.0, 0.0, 0.0, 0.0)] * len(groups)
    for _ in range(3):  # what was placed first is moved once it is known what came after
        for n, (lines, group) in enumerate(zip(words, groups, strict=True)):
            (x, y), width, height = places[group[0]], letter * max(map(len, lines)), line_height * len(lines)
            others = [box for i, box in enumerate(marks) if i not in group] + [b for i, b in enumerate(boxes) if i != n]
            least = np.inf
            for vertical, up in (("middle", 0.0), ("top", 1.0), ("bottom", -1.0)):
                for horizontal, right in (("right", 1.0), ("left", -1.0), ("center", 0.0)):
                    left = x + right * half - (1 - right) / 2 * width
                    middle = y + up * (height / 2 + tall)
                    box = (left, middle - height / 2, left + width, middle + height / 2)
                    beyond = max(0.0, _ACROSS[0] - box[0], box[2] - _ACROSS[1], low - box[1], box[3] - _TOP)
                    cost = beyond + sum(_common(box, other) for other in others)  # beyond the plot they are cut off
                    if (up or right) and cost < least - 1e-12:
                        least, chosen[n], boxes[n] = cost, f"{vertical} {horizontal}", box
    return chosen


def _common(one: tuple, other: tuple) -> float:
    """The area that two boxes (left, low, right, high) share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


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
