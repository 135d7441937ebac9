"""What happens while networks train: one curve per loss, the mean over seeds in a band of one standard deviation."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from alf.figures.base import Series, axis, band, builder, figure, line, mark, names
from alf.figures.headline import MOST_NAMED, Result, leaders, leading, ranking, told_apart
from alf.numbers import apart
from alf.training.recipe import Change
from alf.training.records import together

TITLES = {
    "clean_accuracy": "Samples with their right label",
    "flipped_true_accuracy": "Samples with a wrong label: is the true label predicted?",
    "train_loss": "Training loss",
    "grad_norm": "Gradient norm, before clipping",
}
ABOUT = {
    "clean_accuracy": "Share of training samples with a right label for which that label is predicted.",
    "flipped_true_accuracy": "Share of training samples with a wrong label for which the true label is predicted.",
    "train_loss": "Mean over the epoch's batches. Every loss has its own unit: compare shapes, not heights.",
    "grad_norm": "Mean over the epoch's batches.",
}


def bands(
    records: Iterable[dict], metric: str, ended: Collection[int] = ()
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Epochs, mean and standard deviation over seeds of a metric, per loss.

    A loss's curve goes as far as all of its lanes have come: see `alf.training.records.together`.

    >>> rows = [{"loss": "ce", "lane": i, "epoch": 1, "m": m} for i, m in enumerate((0.5, 0.7))]
    >>> [array.round(3).tolist() for array in bands(rows, "m")["ce"]]
    [[1.0], [0.6], [0.1]]
    """
    members: dict[str, list[dict]] = defaultdict(list)
    for record in records:
        members[record["loss"]].append(record)
    result = {}
    for loss, rows in members.items():
        values = together(rows, metric, ended)
        if values:
            groups = [np.asarray(group, dtype=float) for group in values.values()]
            means, spreads = np.array([g.mean() for g in groups]), np.array([g.std() for g in groups])
            result[loss] = (np.array(list(values), dtype=float), means, spreads)
    return result


@builder
def accuracy_figure(
    series: Sequence[Series], epochs: int, changes: Sequence[Change] = (), ends: Sequence[Result] = ()
) -> dict:
    """Accuracy on the clean test set over the epochs; the title says who fell, and who leads by the rule of `headline`.

    `ends` are the results at the last epoch, under the series' names: those of the table beside the figure. `changes`
    of the learning rate are marked, here as in the other figures.
    """
    about = "Accuracy on clean test samples"
    if any(end.seeds > 1 for end in ends):
        about += ", mean over seeds; the band is one standard deviation"
    return _over_epochs(series, epochs, _accuracies(series, ends), f"{about}.", "test accuracy", True, changes)


def _accuracies(series: Sequence[Series], ends: Sequence[Result]) -> str:
    if not ends:
        return "Accuracy on clean test samples"
    fallen = fall(series, ends)
    if fallen is None:
        return ranking(ends, "is at", "are at")
    best, last = fallen
    title = f"{last.name} reaches {best.mean:.0%}, then falls to {last.mean:.0%}"
    if last.seeds < 2:
        return f"With one seed {title}"
    first = [ends[i] for i in leaders(ends)]
    return title if not first or last in first else f"{title}; {leading(first, len(ends), ends)}"


def fall(series: Sequence[Series], ends: Sequence[Result]) -> tuple[Result, Result] | None:
    """The largest fall from a curve's height to its end, by at least 5 points and more than the spreads: both."""
    found = []
    for s in series:
        last = next((end for end in ends if end.name == s.name), None)
        if last is None or not len(s.y):
            continue
        at = int(np.argmax(s.y))
        best = Result(s.name, float(s.y[at]), 0.0 if s.spread is None else float(s.spread[at]), last.seeds)
        if best.mean - last.mean > 0.05 and (last.seeds < 2 or told_apart(best, last)):
            found.append((best, last))
    return max(found, key=lambda pair: pair[0].mean - pair[1].mean, default=None)


@builder
def memorised_figure(
    series: Sequence[Series], epochs: int, changes: Sequence[Change] = (), ends: Sequence[Result] = ()
) -> dict:
    """The share of wrong labels that are predicted as given: memorised. `ends` as in `accuracy_figure`."""
    about = "Share of training samples with a wrong label that are predicted as that wrong label."
    return _over_epochs(series, epochs, _memorised(ends), about, "wrong labels memorised", True, changes)


def _memorised(ends: Sequence[Result]) -> str:
    if not ends:
        return "Wrong labels memorised"
    most, least = max(ends, key=lambda end: end.mean), min(ends, key=lambda end: end.mean)
    if len(ends) == 1:
        return f"{most.name} has memorised {most.mean:.0%} of the wrong labels"
    same = f"{least.mean:.0%}" == f"{most.mean:.0%}"
    one_seed = any(end.seeds < 2 for end in ends)
    if told_apart(most, least) or (one_seed and not same):
        low, high = apart(least.mean, most.mean)
        title = f"{most.name} has memorised {high} of the wrong labels, {least.name} {low}"
    else:
        share = f"about {most.mean:.0%}" if same else f"{least.mean:.0%} to {most.mean:.0%}"
        who = names([end.name for end in ends]) if len(ends) <= MOST_NAMED else f"The {len(ends)} losses"
        title = f"{who} cannot be told apart: {share} of the wrong labels memorised"
    return f"With one seed: {title}" if one_seed else title


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
