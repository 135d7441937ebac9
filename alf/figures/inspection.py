"""What trained networks do, class by class and sample by sample: accuracies, confusions, and what they see."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import Series, alike, axis, builder, figure
from alf.figures.base import names as listed
from alf.figures.classes import EDGE, class_color, class_symbol, short_names
from alf.figures.matrix import HEAT_DARK, MOST_NUMBERS, cell_ink, heat_trace
from alf.figures.palette import BAD, REFERENCE

MOST_CLASSES = 20
"""Classes whose accuracies fit one figure; of more, those that are hardest are shown."""


@builder
def class_accuracy_figure(series: Sequence[Series], names: Sequence[str]) -> dict:
    """Each loss's share of right predictions in each class, as dots in the loss's colour.

    Parameters
    ----------
    series : sequence of Series
        `y` holds the accuracies, shape (K,); `x` is not used.
    names : sequence of str
        Of the K classes.
    """
    accuracy = np.array([s.y for s in series], dtype=float).reshape(-1, len(names))
    hardest = np.argsort(accuracy.mean(axis=0), kind="stable")
    shown = np.sort(hardest[:MOST_CLASSES])
    place = {int(k): len(shown) - 1 - i for i, k in enumerate(shown)}  # the first class on top
    traces = [_ranges(accuracy[:, shown], [place[int(k)] for k in shown])]
    step = 0.56 / max(1, len(series) - 1)
    for i, s in enumerate(series):
        offset = 0.28 - i * step if len(series) > 1 else 0.0
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": s.label,
                "legendgroup": s.label,
                "x": s.y[shown].astype(np.float32),
                "y": [place[int(k)] + offset for k in shown],
                "text": [names[int(k)] for k in shown],
                "marker": {"color": s.style.color, "size": 8, "line": {"color": "#FFFFFF", "width": 1}},
                "hovertemplate": f"%{{text}}: %{{x:.1%}}<extra>{s.label}</extra>",
            }
        )
    about = "Share of each class's test samples that are predicted right."
    if len(shown) < len(names):
        about += f" The {len(shown)} hardest of {len(names)} classes."
    rows = axis("true class", -0.6, len(shown) - 0.4, tickvals=list(place.values()))
    return figure(
        traces,
        _hardest(series, accuracy, names),
        axis("test accuracy", -0.02, 1.02, tickformat=".0%"),
        rows | {"ticktext": [names[k] for k in place], "showgrid": False, "fixedrange": True},
        about,
        height=max(240, 70 + 31 * len(shown)),
        styles=[s.style for s in series],
        hovermode="closest",
    )


def _ranges(accuracy: np.ndarray, rows: list[int]) -> dict:
    """A thin line from the lowest to the highest accuracy of each class."""
    x, y = [], []
    for low, high, row in zip(accuracy.min(axis=0), accuracy.max(axis=0), rows, strict=True):
        x += [float(low), float(high), None]
        y += [row, row, None]
    line = {"color": REFERENCE[0], "width": 1}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "hoverinfo": "skip", "showlegend": False}


def _hardest(series: Sequence[Series], accuracy: np.ndarray, names: Sequence[str]) -> str:
    mean = accuracy.mean(axis=0)
    hardest = np.flatnonzero(alike(mean, np.nanmin(mean)))
    k = int(hardest[0])
    low, high = int(accuracy[:, k].argmin()), int(accuracy[:, k].argmax())
    if accuracy.min() == 1:
        return "Every class is predicted without a mistake"
    if len(hardest) > 1:
        share = f"{mean[k]:.0%} right" + (" on average" if len(series) > 1 else "")
        if len(hardest) == len(names):
            return f"No class is harder than another: each is {share}"
        return f"{listed([names[int(i)] for i in hardest], most=3)} are the hardest classes, equally: {share}"
    if len(series) == 1 or accuracy[high, k] - accuracy[low, k] < 0.02:
        return f"{names[k]} is the hardest class: {accuracy[low, k]:.0%} right"
    low_name, high_name = series[low].name, series[high].name
    worst, best = accuracy[low, k], accuracy[high, k]
    return f"{names[k]} is the hardest class: {low_name} gets {worst:.0%} right, {high_name} {best:.0%}"


@builder
def confusion_figure(counts: np.ndarray, names: Sequence[str], loss: str, kind: str = "pictures") -> dict:
    """Which classes a network takes for which, as a heat map of counts.

    Parameters
    ----------
    counts : np.ndarray, shape (K, K)
        counts[i, j]: test samples of class i that are predicted as j.
    names : sequence of str
        Of the K classes.
    loss : str
        Who was trained with what, for the title.
    kind : str
        What a sample is called.

    Examples
    --------
    >>> confusion_figure(np.array([[9, 1], [3, 7]]), ("cat", "dog"), "CE").layout.title.text
    'CE takes dog for cat most often: 3 of 10 test pictures'
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, shares)
    i, j = map(int, np.unravel_index(int(wrong.argmax()), wrong.shape))
    worst = np.argwhere(alike(wrong, wrong.max()))
    if wrong.any() and len(worst) > 1:
        pairs = listed([f"{names[int(a)]} for {names[int(b)]}" for a, b in worst], most=3)
        title = f"{loss} takes {pairs} most often, equally: {wrong[i, j]:.0%} of the test {kind} of the true class"
    elif wrong.any():
        title = f"{loss} takes {names[i]} for {names[j]} most often: {counts[i, j]} of {totals[i, 0]} test {kind}"
    else:
        title = f"{loss} gets every one of {counts.sum()} test {kind} right"
    cells = [(a, b) for a in range(len(counts)) for b in range(len(counts)) if counts[a, b]]
    side = {"showgrid": False, "zeroline": False, "type": "category", "automargin": True, "fixedrange": True}
    hover = f"%{{customdata[0]}} of %{{customdata[1]}} test {kind} of %{{y}} are taken for %{{x}}<extra></extra>"
    heat = heat_trace(np.sqrt(shares), names, hover)  # the root, so that a few per cent can be seen
    heat["customdata"] = np.stack([counts, np.broadcast_to(totals, counts.shape)], axis=-1).tolist()
    return figure(
        [heat],
        title,
        side | {"title": {"text": "predicted class", "standoff": 6}},
        side | {"title": {"text": "true class", "standoff": 6}, "autorange": "reversed"},
        "Numbers are test samples; a bluer cell is a larger share of the true class.",
        height=max(240, 70 + 31 * min(len(counts), MOST_CLASSES)),
        hovermode="closest",
        shapes=[_frame(int(a), int(b)) for a, b in worst] if wrong.any() else [],
        annotations=[_number(a, b, counts, shares) for a, b in cells] if len(counts) <= MOST_NUMBERS else [],
        meta={"dark": {BAD[0]: BAD[1]} | HEAT_DARK},
    )


def _frame(row: int, column: int) -> dict:
    corners = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    return {"type": "rect", "line": {"color": BAD[0], "width": 2}} | corners


def _number(row: int, column: int, counts: np.ndarray, shares: np.ndarray) -> dict:
    color = cell_ink(np.sqrt(shares[row, column]))
    size = 11 if len(counts) > 8 or counts.max() > 999 else 13
    # A position, not a name: on an axis of categories a text that looks like a number is one too.
    place = {"x": column, "y": row, "text": str(counts[row, column])}
    return place | {"showarrow": False, "font": {"size": size, "color": color}}


@builder
def plane_figure(
    places: np.ndarray,
    true: np.ndarray,
    predicted: np.ndarray,
    names: Sequence[str],
    loss: str,
    axes: tuple[str, str],
    height: int = 320,
) -> dict:
    """Samples where a network's features put them in the plane, each with its true class; wrong ones edged in red.

    Parameters
    ----------
    places : np.ndarray, shape (S, 2)
    true, predicted : np.ndarray, shape (S,)
        Classes.
    names : sequence of str
        Of the K classes.
    loss : str
        Who was trained with what, for the title.
    axes : tuple of str
        What the axes are.
    """
    agree = neighbours_agree(places, true)
    bare = {"showticklabels": False, "ticks": "", "showgrid": False}
    return figure(
        [_class_marks(int(k), places[true == k], predicted[true == k], names) for k in np.unique(true)],
        f"{loss}: {agree:.0%} of the samples lie next to their own class",
        axis(axes[0]) | bare,
        axis(axes[1]) | bare,
        height=height,
        hovermode="closest",
    )


def _class_marks(k: int, places: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> dict:
    """The samples of class k, by its name where names are short, else by its symbol."""
    letters = short_names(names)
    right = predicted == k
    trace = {
        "type": "scatter",
        "mode": "markers+text" if letters else "markers",
        "name": names[k],
        "x": places[:, 0].astype(np.float32),
        "y": places[:, 1].astype(np.float32),
        "marker": {
            "color": class_color(k),
            "size": 13 if letters else 9,
            "symbol": "circle" if letters else class_symbol(k),
            "line": {
                "color": [EDGE if r else BAD[0] for r in right],
                "width": [0.8 if r else 2.0 for r in right],
            },
        },
        "customdata": [f"{names[k]}, predicted {names[p]}" for p in predicted],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    if letters:
        trace |= {"text": [names[k]] * len(places), "textfont": {"size": 9, "color": "#1B222B"}}
    return trace


def neighbours_agree(places: np.ndarray, true: np.ndarray) -> float:
    """The share of points (S, 2) whose nearest other point is of the same class.

    >>> neighbours_agree(np.array([[0, 0], [0, 1], [5, 5], [5, 6]]), np.array([0, 0, 1, 2]))
    0.5
    """
    distance = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    return float((true[distance.argmin(axis=1)] == true).mean())
