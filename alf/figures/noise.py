"""What a noise does to the labels of a data set: which labels were drawn, how many are wrong, and where."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import alike, axis, builder, figure
from alf.figures.base import names as listed
from alf.figures.classes import EDGE, class_color
from alf.figures.matrix import heat_map
from alf.figures.palette import BAD, NEUTRAL

POINTS_HEIGHT = 340


@builder
def drawn_figure(counts: np.ndarray, names: Sequence[str]) -> dict:
    """The labels as they were drawn: the share of each class's samples that got each label.

    Parameters
    ----------
    counts : np.ndarray, shape (K, K)
        counts[i, j] = samples of class i that were given label j.
    names : sequence of str
        Of the classes.

    Examples
    --------
    >>> drawn_figure(np.array([[6, 2], [0, 8]]), "ab").layout.title.text
    '2 of 16 labels are wrong: 12.5%'
    """
    wrong, total = int(counts.sum() - np.trace(counts)), int(counts.sum())
    sizes = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    title = f"{wrong:,} of {total:,} labels {'is' if wrong == 1 else 'are'} wrong: {wrong / total:.1%}"
    return heat_map(
        counts / sizes, names, title, "Drawn with seed 0: how many samples of each class got each label.", counts=counts
    )


@builder
def rates_figure(counts: np.ndarray, asked: np.ndarray | None, names: Sequence[str], height: int = 240) -> dict:
    """The share of wrong labels in each class, with the share that was asked for as a mark."""
    drawn = 1 - counts.diagonal() / np.maximum(counts.sum(axis=1), 1)
    most, least = int(drawn.argmax()), int(drawn.argmin())
    worst = listed([names[int(k)] for k in np.flatnonzero(alike(drawn, drawn[most]))], most=3)
    untouched = int((counts.sum(axis=1) == counts.diagonal()).sum())
    if not drawn.any():
        title = "No class has wrong labels"
    elif untouched:
        keep = "keeps" if untouched == 1 else "keep"
        kept = f"{untouched} of {len(names)} classes {keep} every label"
        title = f"{kept}; the largest share of wrong labels is {drawn[most]:.0%}, in {worst}"
    elif alike(drawn, drawn[most]).all():
        title = f"The noise rate is {drawn[most]:.0%} in every class"
    else:
        title = f"The noise rate goes from {drawn[least]:.0%} in {names[least]} to {drawn[most]:.0%} in {names[most]}"
    bars = {
        "type": "bar",
        "x": list(names),
        "y": drawn,
        "name": "drawn",
        "marker": {"color": [BAD[0]] * len(names), "opacity": 0.75},
        "hovertemplate": "%{x}: %{y:.1%} drawn<extra></extra>",
    }
    marks = []
    if asked is not None:
        bars |= {
            "customdata": asked,
            "hovertemplate": "%{x}: %{y:.1%} drawn, %{customdata:.1%} asked for<extra></extra>",
        }
        line = {"color": NEUTRAL[0], "width": 2.5}
        for k, rate in enumerate(asked):
            marks.append({"type": "line", "x0": k - 0.42, "x1": k + 0.42, "y0": rate, "y1": rate, "line": line})
    about = "Share of wrong labels in each class: drawn (bars)" + (
        " and asked for (lines)." if asked is not None else "."
    )
    return figure(
        [bars],
        title,
        axis("true class", type="category", showgrid=False, nticks=min(len(names), 20)),
        axis("wrong labels", 0, max(0.05, 1.1 * float(max(drawn.max(), 0 if asked is None else asked.max()))))
        | {"tickformat": ".0%"},
        about,
        height=height,
        hovermode="closest",
        bargap=0.35,
        shapes=marks,
    )


@builder
def points_figure(points: np.ndarray, true: np.ndarray, given: np.ndarray, names: Sequence[str]) -> dict:
    """Points of the plane in the colour of the label they were given; the wrong ones are crossed.

    Parameters
    ----------
    points : np.ndarray, shape (N, 2)
    true, given : np.ndarray, shape (N,)
        Labels in [0, K).
    names : sequence of str
        Of the K classes.
    """
    traces = []
    for k, name in enumerate(names):
        for wrong in (False, True):
            mine = (given == k) & ((given != true) == wrong)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": f"{name}, wrong" if wrong else name,
                    "x": points[mine, 0].astype(np.float32),
                    "y": points[mine, 1].astype(np.float32),
                    "customdata": [names[label] for label in true[mine]],
                    "marker": {
                        "color": class_color(k),
                        "symbol": "x" if wrong else "circle",
                        "size": 10 if wrong else 7,
                        "line": {"color": EDGE, "width": 1.4 if wrong else 0.6},
                    },
                    "hovertemplate": f"given {name}, truly %{{customdata}}<extra></extra>",
                }
            )
    count = int((given != true).sum())
    carry = "has" if count == 1 else "have"
    title = f"{count} of {len(true)} points {carry} a wrong label" if count else "Every point has its right label"
    square = {"scaleanchor": "x", "scaleratio": 1}
    about = "Colour: the label a point was given. A cross: that label is wrong."
    return figure(
        traces,
        title,
        axis("first coordinate"),
        axis("second coordinate") | square,
        about,
        height=POINTS_HEIGHT,
        hovermode="closest",
    )
