"""The triangle of predictions over three classes: the weighted risk as a map, and where its minimum sits."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from alf.figures.base import Series, builder, points
from alf.figures.palette import BAD, NEUTRAL

PAGE = "#FEFEFE"  # the page's own background: the chart component puts it in
SCALE = [[0, "#0B2A5B"], [0.18, "#2A5C9A"], [0.42, "#5E93BF"], [0.7, "#A9C9DC"], [1, "#E9EFF1"]]
HEIGHT = np.sqrt(3) / 2
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, HEIGHT]])


def to_plane(prediction) -> np.ndarray:
    """Predictions (..., 3) as points (..., 2) of the triangle.

    >>> to_plane([0, 0, 1]).round(3).tolist()
    [0.5, 0.866]
    """
    return np.asarray(prediction, dtype=float) @ CORNERS


@lru_cache(maxsize=4)
def raster(columns: int = 91) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A raster over the triangle: x (columns,), y (rows,), and the prediction at each point, shape (rows, columns, 3).

    Points outside get the nearest prediction that a cut of negative parts gives; they lie under the mask.
    """
    rows = int(columns * HEIGHT)
    x, y = np.linspace(-0.01, 1.01, columns), np.linspace(-0.01, HEIGHT + 0.01, rows)
    third = y[:, None] / HEIGHT + np.zeros(columns)
    second = x[None, :] - third / 2
    prediction = np.clip(np.stack([1 - second - third, second, third], axis=-1), 1e-9, None)
    return x, y, prediction / prediction.sum(-1, keepdims=True)


def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which points of the raster lie in the triangle, shape (rows, columns)."""
    third = y[:, None] / HEIGHT + np.zeros(len(x))
    second = x[None, :] - third / 2
    return (third >= 0) & (second >= 0) & (1 - second - third >= 0)


@builder
def simplex_figure(
    risk: np.ndarray,
    best: Sequence[Series],
    title: str,
    subtitle: str = "",
) -> dict:
    """The risk over the triangle, darkest where it is least.

    Parameters
    ----------
    risk : np.ndarray
        Over `raster()`, shape (rows, columns).
    best : sequence of Series
        Marks; a series' `x` and `y` are points of the triangle (`to_plane`).
    """
    marks = [points(s, 15, hover="%{text}") | {"text": [s.label] * len(s.x)} for s in best]
    traces = [_heat(risk), _outside(), *marks]
    words = [
        {"x": cx, "y": cy, "text": name, "showarrow": False, "yshift": shift, "xanchor": anchor, "font": {"size": 13}}
        for (cx, cy), name, shift, anchor in zip(
            CORNERS,
            ("clean class", "class 2", "class 3"),
            (-16, -16, 16),
            ("left", "right", "center"),
            strict=True,
        )
    ]
    bare = {"visible": False, "fixedrange": True}
    return {
        "data": traces,
        "layout": {
            "title": {"text": title, "subtitle": {"text": subtitle}},
            "height": 380,
            "margin": {"l": 4, "r": 4, "t": 4, "b": 4},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "hovermode": "closest",
            "xaxis": bare | {"range": [-0.06, 1.06]},
            "yaxis": bare | {"range": [-0.12, HEIGHT + 0.12], "scaleanchor": "x"},
            "annotations": words,
            "meta": {"dark": {BAD[0]: BAD[1], NEUTRAL[0]: NEUTRAL[1]} | {s.style.color: s.style.dark for s in best}},
        },
    }


def _heat(risk: np.ndarray) -> dict:
    """The risk as colours, by its root: what is low has most of the scale, the highest 3% share its end."""
    x, y, _ = raster(risk.shape[1])
    within = risk[inside(x, y)]
    within = within[np.isfinite(within)]
    low, high = float(within.min()), float(np.quantile(within, 0.97))
    shade = np.sqrt(np.clip((risk - low) / ((high - low) or 1), 0, 1))
    return {
        "type": "heatmap",
        "x": x.astype(np.float32),
        "y": y.astype(np.float32),
        "z": np.nan_to_num(shade, nan=1.0, posinf=1.0).astype(np.float32),
        "zsmooth": "best",
        "zmin": 0,
        "zmax": 1,
        "colorscale": SCALE,
        "showscale": False,
        "hoverinfo": "skip",
    }


def _outside() -> dict:
    """Three areas in the page's colour that hide the raster outside the triangle, below all lines and marks."""
    below = [(-1, 0), (2, 0), (2, -1), (-1, -1)]
    left = [(-1, 0), (0, 0), (0.5, HEIGHT), (0.5, 2), (-1, 2)]
    right = [(2, 0), (1, 0), (0.5, HEIGHT), (0.5, 2), (2, 2)]
    corners = [*below, None, *left, None, *right]  # None ends an area
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [p and p[0] for p in corners],
        "y": [p and float(p[1]) for p in corners],
        "fill": "toself",
        "fillcolor": PAGE,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
