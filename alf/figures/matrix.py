"""A transition matrix as a picture: which label a class is given, and whether its own stays the likeliest."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import builder
from alf.figures.palette import BAD, HUES, NEUTRAL

SCALE = [[0, "rgba(128,136,150,0.06)"], [0.25, "#BCD3E8"], [0.6, "#5E93BF"], [1, "#123A75"]]
INK = HUES["ink"]
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
    size = len(matrix)
    names = list(names) or [str(i + 1) for i in range(size)]
    others = np.where(np.eye(size, dtype=bool), -1.0, matrix)
    rival = others.argmax(axis=1)
    diagonal, worst = np.diag(matrix), others.max(axis=1)
    lost = np.flatnonzero(diagonal <= worst)
    if len(lost):
        i = int(lost[np.argmin(diagonal[lost] - worst[lost])])
        verb = "ties" if diagonal[i] == worst[i] else "loses"
        title = f"The clean label {verb} in class {names[i]}: {diagonal[i]:.3g} against {worst[i]:.3g} for label "
        title = title.replace(f"{diagonal[i]:.3g} against {worst[i]:.3g}", f"{diagonal[i]:.0%} against {worst[i]:.0%}")
        title += names[int(rival[i])]
    else:
        with np.errstate(divide="ignore"):
            ratio = np.where(worst > 0, diagonal / np.where(worst > 0, worst, 1), np.inf)
        i = int(ratio.argmin())
        title = (
            "No label is wrong"
            if not np.isfinite(ratio[i])
            else f"The clean label dominates every class, at least {ratio[i]:.3g} times as likely as any other"
        )
    about = "How often a sample of each class is given each label."
    return heat_map(matrix, names, title, about, framed=[int(i) for i in lost])


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
    words = []
    if size <= MOST_NUMBERS:
        words = [
            {
                "x": j,  # a position: on an axis of categories a text that looks like a number is one too
                "y": i,
                "text": _text(matrix[i, j], size) if counts is None else str(counts[i, j]),
                "showarrow": False,
                "font": {"size": 12 if size <= 8 else 10, "color": _ink(matrix[i, j])},
            }
            for i in range(size)
            for j in range(size)
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
            "meta": {"dark": {BAD[0]: BAD[1], NEUTRAL[0]: NEUTRAL[1], INK[0]: INK[1], "#BCD3E8": "#24405F"}},
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
        "colorscale": SCALE,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": hover,
    }


def _text(share: float, size: int) -> str:
    """A cell's number, without its leading zero where cells are small: .056."""
    text = f"{share:.2g}" if share else "0"
    return text.removeprefix("0") if size > 8 and share else text


def _ink(share: float) -> str:
    """The colour of a cell's number, to be read on the cell's own colour."""
    return "#FFFFFF" if share > 0.6 else INK[0] if share > 0.25 else NEUTRAL[0]
