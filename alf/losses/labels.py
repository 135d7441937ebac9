"""Labels for the losses of one view: no two of them alike."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from alf.losses.declaration import Loss


class Label(NamedTuple):
    """What a loss is called beside others: `label` has its values, `short` leaves them out where the name will do."""

    label: str
    short: str


def distinct_labels(losses: Iterable[Loss]) -> list[Label]:
    """A label for each loss of one view, in order: no two are the same, nor two short ones.

    A short name leaves the values out where the name alone will do. Two long formulas may begin alike: they are
    numbered, because a chart's legend, and a table's rows, go by the name.

    >>> from alf.losses import parse
    >>> [label.short for label in distinct_labels([parse("ce"), parse("ael:a=2"), parse("ael:a=3")])]
    ['CE', 'AEL (a=2)', 'AEL (a=3)']
    >>> [label.short for label in distinct_labels([parse("formula:exp(-u/a);a=2"), parse("formula:exp(-u/a);a=3")])]
    ['exp(-u/a) (a=2)', 'exp(-u/a) (a=3)']
    """
    losses = list(losses)
    labels = _numbered([loss.label for loss in losses])
    names = Counter(loss.name for loss in losses)
    shorts = (loss.name if names[loss.name] == 1 else label for loss, label in zip(losses, labels, strict=True))
    return [Label(label, short) for label, short in zip(labels, shorts, strict=True)]


def _numbered(labels: list[str]) -> list[str]:
    """The labels, those that occur more than once with their number."""
    many, seen, result = Counter(labels), Counter[str](), []
    for label in labels:
        seen[label] += 1
        result.append(f"{label} #{seen[label]}" if many[label] > 1 else label)
    return result
