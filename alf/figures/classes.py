"""How classes are drawn: pale fills with a dark edge, never to be taken for a loss, whose colours are strong lines.

The first five, which are all that points in the plane need, stay apart for every kind of colour vision (tested); ten
cannot, so a class also has a mark of its own: its name where that is one letter long, otherwise a symbol.
"""

from collections.abc import Sequence

COLORS = (
    *("#77AADD", "#EE8866", "#EEDD88", "#44BB99", "#FFAABB"),
    *("#99DDFF", "#BBCC33", "#C0A0DC", "#AAAA00", "#F0F0F0"),
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
