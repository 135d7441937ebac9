"""What to call losses that stand beside each other, so that no two of them are called the same."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from alf.losses.declaration import Loss


class Called(NamedTuple):
    """A loss's `label`, with its values, for legends; and the shorter one that still tells it from its neighbours."""

    label: str
    short: str


def called(losses: Iterable[Loss]) -> list[Called]:
    """Names for the losses of one view, in order: no two labels are the same, nor two short names.

    A short name leaves the values out where the name alone will do. Two long formulas may begin alike: they are
    numbered, because a chart's legend, and a table's rows, go by the name.

    >>> from alf.losses import parse
    >>> [name.short for name in called([parse("ce"), parse("ael:a=2"), parse("ael:a=3")])]
    ['CE', 'AEL (a=2)', 'AEL (a=3)']
    >>> [name.short for name in called([parse("formula:exp(-u/a);a=2"), parse("formula:exp(-u/a);a=3")])]
    ['exp(-u/a) (a=2)', 'exp(-u/a) (a=3)']
    """
    losses = list(losses)
    labels = _numbered([loss.label for loss in losses])
    names = Counter(loss.name for loss in losses)
    shorts = (loss.name if names[loss.name] == 1 else label for loss, label in zip(losses, labels, strict=True))
    return [Called(label, short) for label, short in zip(labels, shorts, strict=True)]


def _numbered(labels: list[str]) -> list[str]:
    """The labels, those that occur more than once with their number."""
    many, seen, result = Counter(labels), Counter(), []
    for label in labels:
        seen[label] += 1
        result.append(f"{label} #{seen[label]}" if many[label] > 1 else label)
    return result
