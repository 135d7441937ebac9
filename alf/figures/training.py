"""What happens while networks train: one curve per loss, the mean over seeds in a band of one standard deviation."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from alf.figures.base import Series, axis, band, builder, figure, line, mark, names
from alf.training.recipe import Change

TITLES = {
    "clean_accuracy": "Samples with their right label",
    "flipped_true_accuracy": "Flipped samples, against their true label",
    "train_loss": "Training loss",
    "grad_norm": "Gradient norm, before clipping",
}
ABOUT = {
    "clean_accuracy": "Share of training samples with a right label that are predicted so.",
    "flipped_true_accuracy": "Share of samples with a wrong label that are predicted right all the same.",
    "train_loss": "Mean over the epoch's batches. Every loss has its own unit: compare shapes, not heights.",
    "grad_norm": "Mean over the epoch's batches.",
}


def bands(
    records: Iterable[dict], metric: str, ended: Collection[int] = ()
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Epochs, mean and standard deviation over seeds of a metric, per loss.

    A loss's curve goes as far as all of its lanes have come, those that `ended` early aside: the mean over the seeds
    that happen to be ahead would jump when the others arrive.

    >>> rows = [{"loss": "ce", "lane": i, "epoch": 1, "m": m} for i, m in enumerate((0.5, 0.7))]
    >>> [array.round(3).tolist() for array in bands(rows, "m")["ce"]]
    [[1.0], [0.6], [0.1]]
    """
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    reached: dict[str, dict[int, int]] = defaultdict(dict)
    for record in records:
        lane, epoch = record["lane"], record["epoch"]
        reached[record["loss"]][lane] = max(epoch, reached[record["loss"]].get(lane, 0))
        if record[metric] is not None:
            values[record["loss"]][epoch].append(record[metric])
    result = {}
    for loss, epochs in values.items():
        going = [last for lane, last in reached[loss].items() if lane not in ended]
        frontier = min(going, default=max(reached[loss].values()))
        order = [epoch for epoch in sorted(epochs) if epoch <= frontier]
        groups = [np.asarray(epochs[epoch], dtype=float) for epoch in order]
        columns = (order, [g.mean() for g in groups], [g.std() for g in groups])
        result[loss] = tuple(np.array(column, dtype=float) for column in columns)
    return result


@builder
def accuracy_figure(series: Sequence[Series], epochs: int, changes: Sequence[Change] = ()) -> dict:
    """Accuracy on the clean test set over the epochs; the title sets the last epoch beside the best one.

    `changes` of the learning rate are marked, here as in the other figures.
    """
    fallen = sorted(
        ((float(np.max(s.y) - s.y[-1]), float(np.max(s.y)), float(s.y[-1]), s.name) for s in series if len(s.y)),
        reverse=True,
    )
    if not fallen:
        title = "Accuracy on clean test samples"
    elif fallen[0][0] > 0.05:
        _, best, last, name = fallen[0]
        title = f"{name} reaches {best:.0%}, then falls to {last:.0%}"
        held = max((f for f in fallen if f[3] != name), key=lambda f: f[2], default=None)
        if held and held[2] > last + 0.02:
            title += f"; {held[3]} stands at {held[2]:.0%}"
    else:
        best = max(fallen, key=lambda f: f[2])
        title = f"{best[3]} leads with {best[2]:.0%}" if len(fallen) > 1 else f"{best[3]} stands at {best[2]:.0%}"
    about = "Accuracy on clean test samples, mean over seeds; the band is one standard deviation."
    return _over_epochs(series, epochs, title, about, "test accuracy", True, changes)


@builder
def memorised_figure(series: Sequence[Series], epochs: int, changes: Sequence[Change] = ()) -> dict:
    """The share of wrong labels that are predicted as given: what has been learned by heart."""
    last = sorted(((float(s.y[-1]), s.name) for s in series if len(s.y)), reverse=True)
    if not last:
        title = "Wrong labels learned by heart"
    elif len(last) == 1:
        title = f"{last[0][1]} has learned {last[0][0]:.0%} of the wrong labels by heart"
    elif last[0][0] - last[-1][0] < 0.05:
        who = names([name for _, name in last]) if len(last) < 4 else "All losses"
        low, high = f"{last[-1][0]:.0%}", f"{last[0][0]:.0%}"
        share = f"about {high}" if low == high else f"{low} to {high}"
        title = f"{who} have learned {share} of the wrong labels by heart"
    else:
        (most, first), (least, other) = last[0], last[-1]
        title = f"{first} has learned {most:.0%} of the wrong labels by heart, {other} {least:.0%}"
    about = "Share of training samples with a wrong label that are predicted as that wrong label."
    return _over_epochs(series, epochs, title, about, "wrong labels memorised", True, changes)


@builder
def metric_figure(series: Sequence[Series], epochs: int, metric: str, changes: Sequence[Change] = ()) -> dict:
    """Any other metric of the records over the epochs."""
    share = metric.endswith("accuracy")
    words = metric.replace("_", " ")
    return _over_epochs(series, epochs, TITLES[metric], ABOUT[metric], words, share, changes, height=240)


def pale(figure: dict, title: str, subtitle: str) -> dict:
    """A figure's plain data as a pale picture under another title: what was before, while something new is awaited."""
    layout = figure["layout"] | {"title": {"text": title, "subtitle": {"text": subtitle}}}
    return {"data": [trace | {"opacity": 0.25, "hoverinfo": "skip"} for trace in figure["data"]], "layout": layout}


def _over_epochs(series, epochs, title, subtitle, y_title, share, changes, height=340) -> dict:
    traces = [band(s) for s in series if s.spread is not None and len(s.y) and np.any(s.spread > 0)]
    traces += [line(s, hover="%{y:.1%}" if share else "%{y:.4g}") for s in series]
    y_axis = axis(y_title, -0.02, 1.02, tickformat=".0%") if share else axis(y_title)
    return figure(
        traces,
        title,
        axis("epoch", 0, epochs, hoverformat="d"),
        y_axis,
        subtitle,
        marks=_marks(changes, epochs),
        styles=[s.style for s in series],
        height=height,
    )


def _marks(changes: Sequence[Change], epochs: int) -> list[tuple[dict, dict]]:
    """A thin mark where the learning rate was changed; the words of neighbours stand below each other."""
    marks = []
    for number, change in enumerate(changes):
        shape, word = mark(change.epoch - 0.5, f"lr {change.lr:g}", "right" if change.epoch < 0.8 * epochs else "left")
        marks.append((shape, word | {"yshift": -14 * (number % 5)}))
    return marks
