"""What every figure shares: the axes, the margins, the marks, and how a figure says its message.

A figure is a pure function of arrays. Its message is `layout.title.text`, its explanation `layout.title.subtitle`; the
page's chart component sets both as text above the plot, where they can wrap, and a figure saved on its own keeps them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

import numpy as np
import plotly.graph_objects as go

from alf.figures.palette import NEUTRAL, REFERENCE, Style, dark_table

GRID = "rgba(128,136,150,0.18)"
HEIGHT = 320


@dataclass(frozen=True)
class Series:
    """One loss in one figure: its `label`, its `style`, and `y` over `x`, with an optional band `spread`.

    `short` is its name in a title (the label where two configurations would share it).
    """

    label: str
    style: Style
    x: np.ndarray
    y: np.ndarray
    spread: np.ndarray | None = None
    short: str = ""

    @property
    def name(self) -> str:
        """What a title calls it: short where there is a short name."""
        return self.short or self.label


def builder(build: Callable[..., dict]) -> Callable[..., go.Figure]:
    """A figure builder: called, it gives a checked Plotly figure; its `.spec` gives the same as plain data.

    A page sends the plain data: making and copying a `go.Figure` takes fifteen times as long as computing it.
    """

    @wraps(build)
    def checked(*args, **kwargs) -> go.Figure:
        return go.Figure(build(*args, **kwargs))

    checked.spec = build  # type: ignore[attr-defined]
    return checked


def line(series: Series, width: float = 2.4, hover: str = "%{y:.4g}") -> dict:
    """A series as a Plotly line trace. Infinite values become gaps: Plotly cannot draw them, JSON not carry them."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": series.label,
        "legendgroup": series.label,
        "x": _numbers(series.x),
        "y": _numbers(series.y),
        "line": {"color": series.style.color, "dash": series.style.dash, "width": width, "simplify": False},
        "hovertemplate": f"{hover}<extra>{series.label}</extra>",
    }


def band(series: Series) -> dict:
    """The band y - spread .. y + spread of a series, to draw beneath its line."""
    low, high = series.y - series.spread, series.y + series.spread
    return {
        "type": "scatter",
        "mode": "lines",
        "name": series.label,
        "legendgroup": series.label,
        "showlegend": False,
        "x": _numbers(np.concatenate([series.x, series.x[::-1]])),
        "y": _numbers(np.concatenate([high, low[::-1]])),
        "fill": "toself",
        "fillcolor": series.style.fill(0.16),
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def points(series: Series, size: float = 10, symbol: str = "circle", hover: str = "%{x:.3g}, %{y:.4g}") -> dict:
    """A series as marks without a line, in the series' colour and out of the legend."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": series.label,
        "legendgroup": series.label,
        "showlegend": False,
        "x": _numbers(series.x),
        "y": _numbers(series.y),
        "marker": {
            "color": series.style.color,
            "size": size,
            "symbol": symbol,
            "line": {"color": "#FFFFFF", "width": 1.5},
        },
        "hovertemplate": f"{hover}<extra>{series.label}</extra>",
    }


def axis(title: str, low: float | None = None, high: float | None = None, **more) -> dict:
    """An axis with its title (and unit) and, where given, its first range; the reader's own zoom goes before it."""
    result = {
        "title": {"text": title, "standoff": 8, "font": {"size": 13}},
        "gridcolor": GRID,
        "zeroline": False,
        "showline": True,
        "linecolor": REFERENCE[0],
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": REFERENCE[0],
        "automargin": True,
        "nticks": 7,
    }
    if low is not None and high is not None:
        result["range"] = [float(low), float(high)]
    return result | more


def mark(x: float, text: str, side: str = "right") -> tuple[dict, dict]:
    """A dotted vertical mark at x, its word above the plot to the `side` of it: (shape, annotation)."""
    shape = {
        "type": "line",
        "x0": x,
        "x1": x,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": REFERENCE[0], "width": 1.2, "dash": "dot"},
        "layer": "below",
    }
    word = {
        "x": x,
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "xanchor": "left" if side == "right" else "right",
        "xshift": -3 if side == "right" else 3,
        "text": text,
        "showarrow": False,
        "font": {"size": 12, "color": NEUTRAL[0]},
    }
    return shape, word


def figure(
    traces: Sequence[dict],
    title: str,
    xaxis: dict,
    yaxis: dict,
    subtitle: str = "",
    marks: Sequence[tuple[dict, dict]] = (),
    height: int = HEIGHT,
    styles: Sequence[Style] = (),
    **layout,
) -> dict:
    """Traces, axes and marks put together as the plain data of a Plotly figure, {"data", "layout"}."""
    shapes = [shape for shape, _ in marks] + list(layout.pop("shapes", ()))
    words = [word for _, word in marks] + list(layout.pop("annotations", ()))
    return {
        "data": list(traces),
        "layout": {
            "title": {"text": title, "subtitle": {"text": subtitle}},
            "height": height,
            "margin": {"l": 8, "r": 12, "t": 24 if marks else 10, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "hovermode": "x unified",
            "showlegend": False,
            "xaxis": xaxis,
            "yaxis": yaxis,
            "shapes": shapes,
            "annotations": words,
            "uirevision": "kept",
            "meta": {"dark": dark_table(styles)},
        }
        | layout,
    }


def names(labels: Sequence[str], most: int = 100) -> str:
    """A list in words, with so many of them at most.

    >>> names(["CE", "AEL", "MAE"]), names("abcde", most=3)
    ('CE, AEL and MAE', 'a, b and 3 more')
    """
    labels = list(dict.fromkeys(labels))
    if len(labels) > most:
        labels[most - 1 :] = [f"{len(labels) - most + 1} more"]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}" if labels else ""


def _numbers(values) -> np.ndarray:
    """Single precision where it holds the values, half the bytes to send and finer than a pixel; gaps for infinity."""
    values = np.asarray(values, dtype=np.float64)
    finite = np.abs(values[np.isfinite(values)])
    largest = finite.max(initial=0.0)
    kind = np.float32 if _TINY < largest < _HUGE or largest == 0 else np.float64
    return np.where(np.isfinite(values), values, np.nan).astype(kind)


_TINY, _HUGE = 1e-30, 1e37
"""Between them single precision has all its digits."""


def alike(values: np.ndarray, value: float) -> np.ndarray:
    """Which of the values are this one, but for a double's rounding: a title names all that tie, not the first.

    >>> alike(np.array([0.3, 0.1 + 0.2, 0.4]), 0.3).tolist()
    [True, True, False]
    """
    return np.isclose(values, value, rtol=1e-7, atol=1e-12)
