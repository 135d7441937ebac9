"""A transition matrix as a picture: which label a class is given, and whether its own stays the likeliest."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import alike, axis, builder, figure
from alf.figures.palette import BAD, NEUTRAL, Style, ink, rgb
from alf.numbers import apart, rounded

# Stops of the scale from 0 to 1, and their colours: (on a light page, on a dark page), each the bluer the larger.
STOPS = (0, 0.25, 0.6, 1)
BLUES = (("#F5F5F4", "#191D22"), ("#BCD3E8", "#24405F"), ("#5E93BF", "#3A74AE"), ("#123A75", "#7FBCF5"))
_SWITCHED = {"#000000": "#FFFFFF", "#FFFFFF": "#000000"}
_KEPT = {"#000000": "#010101", "#FFFFFF": "#FEFEFE"}
HEAT_DARK = dict(BLUES) | _SWITCHED
"""What the colours of a heat map and of the numbers on it become on a dark page."""
MOST_NUMBERS = 12  # with more classes the cells are too small for a number


@builder
def matrix_figure(matrix: np.ndarray, names: Sequence[str] = ()) -> dict:
    """The matrix as a heat map; rows whose clean label does not dominate are framed.

    Parameters
    ----------
    matrix : np.ndarray, shape (K, K)
        matrix[i, j] = P(given label j | true label i).
    names : sequence of str
        Of the classes; 1, 2, ... by default.

    Examples
    --------
    >>> matrix_figure(np.array([[.4, .6], [0, 1]])).layout.title.text
    'The clean label loses in class 1: 40% against 60% for label 2'
    """
    names = _names(names, len(matrix))
    diagonal, worst, rival = _rivals(matrix)
    lost = np.flatnonzero(diagonal <= worst)
    ratio = dominance(matrix)
    if len(lost):
        short = (diagonal - worst)[lost]
        most = lost[alike(short, short.min())]
        i = int(most[0])
        verb = "ties" if diagonal[i] == worst[i] else "loses"
        own, other = apart(float(diagonal[i]), float(worst[i]))
        if len(most) == 1:
            where, whose = f"class {names[i]}", f" for label {names[int(rival[i])]}"
        else:
            where, whose = f"{len(most)} of {len(names)} classes", f" in class {names[i]}"
        title = f"The clean label {verb} in {where}: {own} against {other}{whose}"
    elif np.isinf(ratio.min()):
        title = "No label is wrong"
    else:
        title = f"In every class the clean label is at least {rounded(ratio.min())} times as likely as any other label"
    about = "How often a sample of each class is given each label."
    return heat_map(matrix, names, title, about, framed=[int(i) for i in lost])


@builder
def dominance_figure(
    matrix: np.ndarray, losses: Sequence[tuple[str, Style, float]] = (), names: Sequence[str] = ()
) -> dict:
    """How many times likelier the clean label is than its strongest rival, row by row, and what losses need of it.

    Parameters
    ----------
    matrix : np.ndarray, shape (K, K)
        matrix[i, j] = P(given label j | true label i).
    losses : sequence of (name, Style, needed)
        `needed` is 1/r: a row at or beyond it cannot move that loss's minimiser off the clean label. Infinite ones are
        said, not drawn.
    names : sequence of str
        Of the classes; 1, 2, ... by default.

    Examples
    --------
    >>> dominance_figure(np.array([[.6, .4], [.3, .7]])).layout.title.text
    'The weakest row is class 1: its clean label is 1.5 times as likely as its rival'
    """
    names = _names(names, len(matrix))
    ratio = dominance(matrix)
    finite = ratio[np.isfinite(ratio) & (ratio > 0)]
    drawn = [(name, style, need) for name, style, need in losses if np.isfinite(need)]
    seen = [1.0, *finite, *(need for *_, need in drawn)]
    low, high = min(0.8, 0.8 * min(seen)), max(4.0, 1.3 * max(seen))
    about = "wₘ/wₙ: the share of the clean label over that of its strongest rival."
    if drawn:
        about += " Lines: 1/r of your losses. In a row to the right of its line, a loss keeps the clean label."
    lost = [name for name, _, need in losses if not np.isfinite(need)]
    if lost and len(finite):
        about += f" {' and '.join(lost)} tolerate{'s' if len(lost) == 1 else ''} no wrong labels in any row: r = 0."
    side = {"tickmode": "array", "tickvals": np.arange(len(names)), "ticktext": names, "showgrid": False, "ticks": ""}
    return figure(
        [_bars(ratio, names, low, high), *(_need(*loss, len(names)) for loss in drawn), _numbers(ratio, 1.4 * high)],
        _dominance_message(ratio, names),
        axis("clean label over strongest rival (log scale)", np.log10(low), np.log10(1.45 * high))
        | {"type": "log", "tickvals": _ticks(low, high)},
        axis("true label", len(names) - 0.5, -0.5) | side,
        about,
        height=340,
        styles=[style for _, style, _ in drawn],
        hovermode="closest",
        bargap=0.35,
    )


def _dominance_message(ratio: np.ndarray, names: Sequence[str]) -> str:
    weakest = int(ratio.argmin())
    if np.isinf(ratio[weakest]):
        return "No row has a rival: every label is clean"
    if alike(ratio, ratio[0]).all():
        return f"In every row the clean label is {_times(ratio[0])} as its strongest rival"
    if (tied := int(alike(ratio, ratio[weakest]).sum())) > 1:
        return f"In the {tied} weakest rows the clean label is {_times(ratio[weakest])} as its strongest rival"
    return f"The weakest row is class {names[weakest]}: its clean label is {_times(ratio[weakest])} as its rival"


def _bars(ratio: np.ndarray, names: Sequence[str], low: float, high: float) -> dict:
    """A bar for each row, from 1 to its ratio; red where the clean label does not dominate."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": np.arange(len(names)),
        "base": 1,
        "x": np.clip(ratio, low, high) - 1,
        "customdata": [[name, f"{v:.4g}" if np.isfinite(v) else "∞"] for name, v in zip(names, ratio, strict=True)],
        "hovertemplate": "class %{customdata[0]}: wₘ/wₙ = %{customdata[1]}<extra></extra>",
        "marker": {"color": [BAD[0] if value <= 1 else NEUTRAL[0] for value in ratio], "opacity": 0.75},
    }


def _numbers(ratio: np.ndarray, x: float) -> dict:
    """The ratios in a column of their own at the right, where neither bars nor lines cross them."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": [x] * len(ratio),
        "y": np.arange(len(ratio)),
        "text": [f"{value:.3g}" if np.isfinite(value) else "no rival" for value in ratio],
        "textposition": "middle left",
        "hoverinfo": "skip",
        "showlegend": False,
        "visible": len(ratio) <= MOST_NUMBERS,
    }


def _need(name: str, style: Style, need: float, rows: int) -> dict:
    """A loss's 1/r as a line across all rows."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [need, need],
        "y": [-0.5, rows - 0.5],
        "line": {"color": style.color, "dash": style.dash, "width": 2.4},
        "hovertemplate": f"{name}: 1/r = {need:.4g}<extra></extra>",
    }


def dominance(matrix: np.ndarray) -> np.ndarray:
    """Each row's w_m/w_n: the clean label's share over that of its strongest rival, infinite where there is none.

    >>> dominance(np.array([[.75, .25], [0, 1]])).tolist()
    [3.0, inf]
    """
    diagonal, worst, _ = _rivals(matrix)
    return np.divide(diagonal, worst, out=np.full(len(matrix), np.inf), where=worst > 0)


def _times(ratio: float) -> str:
    """How likely, in words.

    >>> _times(1.5), _times(1.0)
    ('1.5 times as likely', 'exactly as likely')
    """
    return "exactly as likely" if ratio == 1 else f"{rounded(ratio)} times as likely"


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers in [low, high] for a logarithmic axis, the fewer in a decade the more decades there are.

    >>> _ticks(0.8, 4), _ticks(0.5, 2000)
    ([1.0, 1.5, 2.0, 3.0], [1.0, 10.0, 100.0, 1000.0])
    """
    steps = (1, 1.5, 2, 3, 5) if high < 20 * low else (1, 2, 5) if high < 500 * low else (1,)
    return [tick for e in range(-6, 13) for step in steps if low <= (tick := step * 10.0**e) <= high]


def _rivals(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each row's clean share, the largest other share, and whose that is."""
    others = np.where(np.eye(len(matrix), dtype=bool), -1.0, matrix)
    return np.diag(matrix), others.max(axis=1), others.argmax(axis=1)


def _names(names: Sequence[str], size: int) -> list[str]:
    return list(names) or [str(i + 1) for i in range(size)]


def heat_map(
    matrix: np.ndarray,
    names: Sequence[str],
    title: str,
    about: str,
    framed: Sequence[int] = (),
    counts: np.ndarray | None = None,
) -> dict:
    """A matrix of shares, true classes by given labels, as plain data; its cells say `counts` where there are any."""
    size = len(matrix)
    heat = heat_trace(matrix, names, "true label %{y}, given label %{x}: %{z:.4g}<extra></extra>")
    if counts is not None:
        heat["customdata"] = counts
        heat["hovertemplate"] = "true label %{y}, given label %{x}: %{customdata} samples, %{z:.1%}<extra></extra>"
    words = [
        {
            "x": j,  # a position: on an axis of categories a text that looks like a number is one too
            "y": i,
            "text": _text(float(matrix[i, j]), size) if counts is None else str(counts[i, j]),
            "showarrow": False,
            "font": {"size": 12 if size <= 8 else 10, "color": cell_ink(float(matrix[i, j]))},
        }
        for i, j in np.ndindex(matrix.shape)
        if size <= MOST_NUMBERS
    ]
    frames = [
        {
            "type": "rect",
            "x0": -0.5,
            "x1": size - 0.5,
            "y0": i - 0.5,
            "y1": i + 0.5,
            "line": {"color": BAD[0], "width": 2},
        }
        for i in framed
    ]
    side = {"showgrid": False, "zeroline": False, "type": "category", "automargin": True, "fixedrange": True}
    return {
        "data": [heat],
        "layout": {
            "title": {"text": title, "subtitle": {"text": about}},
            "height": 340,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": side | {"title": {"text": "given label", "standoff": 6}},
            "yaxis": side | {"title": {"text": "true label", "standoff": 6}, "autorange": "reversed"},
            "shapes": frames,
            "annotations": words,
            "meta": {"dark": {BAD[0]: BAD[1]} | HEAT_DARK},
        },
    }


def heat_trace(shares: np.ndarray, names: Sequence[str], hover: str) -> dict:
    """Shares in [0, 1] of classes by classes as a Plotly heat map trace."""
    return {
        "type": "heatmap",
        "z": np.asarray(shares, dtype=np.float32),
        "x": list(names),
        "y": list(names),
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[stop, light] for stop, (light, _) in zip(STOPS, BLUES, strict=True)],
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": hover,
    }


def _text(share: float, size: int) -> str:
    """A cell's number, without its leading zero where cells are small: .056."""
    text = f"{share:.2g}" if share else "0"
    return text.removeprefix("0") if size > 8 and share else text


def cell_ink(value: float) -> str:
    """The light page's colour of a number on a cell of this value, which `HEAT_DARK` makes right for a dark page too.

    >>> cell_ink(0.0), HEAT_DARK[cell_ink(0.0)]
    ('#000000', '#FFFFFF')
    """
    light, dark = (ink(ground(value, page)) for page in (0, 1))
    return light if light != dark else _KEPT[light]


def ground(value: float, page: int) -> tuple[float, float, float]:
    """The colour of a cell of this value on a light page (0) or a dark one (1).

    >>> ground(1.0, 0) == rgb("#123A75")
    True
    """
    channels = zip(*(rgb(pair[page]) for pair in BLUES), strict=True)
    red, green, blue = (float(np.interp(value, STOPS, channel)) for channel in channels)
    return red, green, blue
