"""Where the labels of marks stand in a plot, so that they cover little of one another and of the marks.

Marks that cover each other share one label (`together`), which is broken into lines (`lines`). A label may stand on
eight sides of its mark: right and left of it, and three above and below. `sides` takes, label by label, the side on
which its box covers the least area of marks and of the labels placed so far; what would stand outside of the plot
counts as covered, as it would be cut off. It goes round three times, as what was placed first did not know what came
after. The boxes are estimates from the number of letters, in the units of the axes: no browser is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_ROUNDS = 3


class Box(NamedTuple):
    """A rectangle in the units of the axes."""

    left: float
    low: float
    right: float
    high: float

    def common(self, other: "Box") -> float:
        """The area that two boxes share.

        >>> Box(0, 0, 2, 2).common(Box(1, 1, 3, 4)), Box(0, 0, 1, 1).common(Box(1, 0, 2, 1))
        (1, 0.0)
        """
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.high, other.high) - max(self.low, other.low)
        return max(0.0, width) * max(0.0, height)

    def beyond(self, plot: "Box") -> float:
        """How far the box reaches out of the plot, on the side where it reaches furthest."""
        return max(0.0, plot.left - self.left, self.right - plot.right, plot.low - self.low, self.high - plot.high)


@dataclass(frozen=True)
class Sizes:
    """What letters and marks measure in a plot, in the units of its axes."""

    letter: float
    line: float
    half_width: float
    half_height: float

    def mark(self, x: float, y: float) -> Box:
        """The box of a mark."""
        return Box(x - self.half_width, y - self.half_height, x + self.half_width, y + self.half_height)

    def label(self, words: Sequence[str], x: float, y: float, right: float, up: float) -> Box:
        """The box of a label at a mark: 1 for `right` and `up`, -1 for left and below, 0 for neither."""
        width, height = self.letter * max(map(len, words)), self.line * len(words)
        left = x + right * self.half_width - (1 - right) / 2 * width
        middle = y + up * (height / 2 + self.half_height)
        return Box(left, middle - height / 2, left + width, middle + height / 2)


# Plotly's name of a side -> (right, up), in the order in which equal ones are taken.
_SIDES = {
    f"{vertical} {horizontal}": (right, up)
    for vertical, up in (("middle", 0.0), ("top", 1.0), ("bottom", -1.0))
    for horizontal, right in (("right", 1.0), ("left", -1.0), ("center", 0.0))
    if up or right  # not on the mark itself
}


def sides(
    labels: Sequence[Sequence[str]],
    groups: Sequence[Sequence[int]],
    places: Sequence[tuple[float, float]],
    plot: Box,
    sizes: Sizes,
) -> list[str]:
    """The side of its mark on which each label stands, in Plotly's words.

    Parameters
    ----------
    labels : sequence of (sequence of str)
        Each label's lines.
    groups : sequence of (sequence of int)
        The marks that each label names, by their number; it stands beside the first.
    places : sequence of (x, y)
        Of the marks.
    plot : Box
        What is seen.
    sizes : Sizes

    Examples
    --------
    >>> plot, sizes = Box(-0.1, 0, 1.1, 1), Sizes(0.05, 0.1, 0.02, 0.02)
    >>> sides([["MAE"], ["CE"]], [[0], [1]], [(1.0, 0.5), (0.0, 0.5)], plot, sizes)
    ['middle left', 'middle right']
    """
    marks = [sizes.mark(x, y) for x, y in places]
    placed: list[tuple[str, Box] | None] = [None] * len(groups)
    for _ in range(_ROUNDS):
        for n, (words, group) in enumerate(zip(labels, groups, strict=True)):
            taken = [box for i, box in enumerate(marks) if i not in group]
            taken += [other[1] for i, other in enumerate(placed) if other and i != n]
            least = np.inf
            for side, (right, up) in _SIDES.items():
                box = sizes.label(words, *places[group[0]], right, up)
                cost = box.beyond(plot) + sum(box.common(other) for other in taken)
                if cost < least - 1e-12:
                    least, placed[n] = cost, (side, box)
    return [chosen[0] for chosen in placed if chosen]


def together(places: Sequence[tuple[float, float]], near: float) -> list[list[int]]:
    """The numbers of the marks; those that lie within `near` of one another, from mark to mark, in one group.

    >>> together([(0, 1), (1, 0.4), (0.001, 1), (1, 0.2)], 0.01)
    [[0, 2], [1], [3]]
    """
    groups: list[list[int]] = []
    for i, (x, y) in enumerate(places):
        close = [g for g in groups if any(np.hypot(x - places[k][0], y - places[k][1]) < near for k in g)]
        groups = [g for g in groups if g not in close]
        groups.append([*(k for g in close for k in g), i])
    return sorted(sorted(g) for g in groups)


def lines(words: Sequence[str], most: int) -> list[str]:
    """A list in lines of at most so many letters, where no word is longer.

    >>> lines(["MAE", "RCE", "AGCE (a=0.6, q=0.6)", "MAE"], 22)
    ['MAE, RCE,', 'AGCE (a=0.6, q=0.6)']
    """
    broken = [""]
    for word in dict.fromkeys(words):
        longer = f"{broken[-1]}, {word}" if broken[-1] else word
        if broken[-1] and len(longer) > most:
            broken[-1] += ","
            broken.append(word)
        else:
            broken[-1] = longer
    return broken
