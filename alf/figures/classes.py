"""How classes are drawn: soft fills with a dark edge, never to be taken for a loss, whose colours are strong lines.

All ten are seen on light and on dark pages. The first five, which are all that points in the plane need, stay well
apart for every kind of colour vision (tested); ten come closer to each other, so a class also has a mark of its own:
its name where that is one letter long, otherwise a symbol.
"""

from collections.abc import Sequence

COLORS = (
    *("#77AADD", "#EE8866", "#529841", "#44BB99", "#9A7E95"),
    *("#12CBE0", "#FF80BF", "#79886B", "#7F7FDA", "#BCA137"),
)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star", "cross", "x", "hexagram")
EDGE = "#3A4552"
"""The edge of a class's marks, on both themes."""


def class_color(k: int) -> str:
    """The fill of class k.

    >>> class_color(0), class_color(10) == class_color(0)
    ('#77AADD', True)
    """
    return COLORS[k % len(COLORS)]


def class_symbol(k: int) -> str:
    """The symbol of class k: another one for every ten classes that share their colours.

    >>> class_symbol(0), class_symbol(1), class_symbol(10)
    ('circle', 'square', 'square')
    """
    return SYMBOLS[(k + k // len(COLORS)) % len(SYMBOLS)]


def short_names(names: Sequence[str]) -> bool:
    """Whether class names are short enough to stand in the marks of a figure."""
    return all(len(name) == 1 for name in names)
