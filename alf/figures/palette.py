"""One loss, one colour, everywhere and in every run of the app.

A loss key has a fixed hue and a fixed dash; several configurations of the same loss are told apart by shade and dash,
in the order in which they are shown. The hues are chosen so that the headline losses stay apart for readers with
protanopia, deuteranopia and tritanopia (tested), and keep a contrast of 3:1 against both themes' backgrounds.

Figures are built in the light theme's colours; `DARK` says what each becomes on a dark page, so that one figure serves
both themes and a reader who switches needs no new one.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

# hue name -> (on a light page, on a dark page)
HUES = {
    "ink": ("#2B3440", "#CBD2DC"),
    "blue": ("#0A4FBF", "#3F86F5"),
    "vermilion": ("#A63A0A", "#E0713A"),
    "green": ("#00805A", "#4FE0A4"),
    "purple": ("#B42A9E", "#DD55B4"),
    "ochre": ("#B58A10", "#F5CB45"),
    "sky": ("#2A94D6", "#5CC0FF"),
    "brown": ("#74502F", "#C6A07E"),
    "crimson": ("#A8184A", "#F4708F"),
    "violet": ("#5B3FA8", "#A996F2"),
}

SOLID = "solid"
DASHES = (SOLID, "9px,4px", "2px,3px", "12px,3px,2px,3px", "16px,4px,2px,4px,2px,4px", "5px,2px", "12px,3px,5px,3px")

# loss key -> (hue, dash). Single losses of one hue differ in dash; a combination has the hue of its passive part.
KEYS = {
    "ce": ("ink", 0),
    "fl": ("brown", 0),
    "mae": ("ochre", 0),
    "mse": ("violet", 0),
    "rce": ("ochre", 1),
    "sce": ("crimson", 0),
    "gce": ("purple", 0),
    "nce": ("sky", 0),
    "nfl": ("brown", 1),
    "ngce": ("purple", 1),
    "nlnl": ("ink", 1),
    "agce": ("blue", 0),
    "aul": ("vermilion", 0),
    "ael": ("green", 0),
    "anl": ("vermilion", 1),
    "amse": ("violet", 1),
}
ACTIVE_DASH = {"nce": 3, "nfl": 4}
SPARE = ("crimson", "violet", "sky", "brown")

# The interface's own colours (not losses): (light, dark).
REFERENCE = ("#8A8F99", "#7E8794")  # marks such as 1/K
# Read as words too, on a tenth of themselves (the chips of the claims): 4.5:1.
GOOD = ("#00694A", "#4FE0A4")
BAD = ("#B03218", "#FF8A66")
UNSURE = ("#765600", "#F0C75A")
NEUTRAL = ("#545B68", "#A3ABB8")


@dataclass(frozen=True)
class Style:
    """How a loss is drawn: `color` on a light page, `dark` on a dark one, and the `dash` of its line."""

    color: str
    dark: str
    dash: str

    def fill(self, opacity: float) -> str:
        """The light colour as a translucent fill, e.g. for a band of one standard deviation.

        >>> style("agce").fill(.2)
        'rgba(10,79,191,0.2)'
        """
        return f"rgba({','.join(str(c) for c in rgb(self.color))},{opacity:g})"


WRONG = Style(*BAD, SOLID)
PLAIN = Style(*NEUTRAL, SOLID)
"""Marks that are no loss: what refutes or limits, and what is shown for comparison."""


def style(key: str, occurrence: int = 0) -> Style:
    """The style of a loss, by its key and by how many configurations of it come before in the same view.

    >>> style("agce").color, style("agce").dash
    ('#0A4FBF', 'solid')
    >>> style("agce", 1) == style("agce")
    False
    """
    hue, dash = _base(key)
    light, dark = HUES[hue]
    if not occurrence:
        return Style(light, dark, DASHES[dash])
    amount = (0.28, -0.3, 0.46, -0.5, 0.14)[(occurrence - 1) % 5]
    return Style(_shade(light, amount), _shade(dark, -amount), DASHES[(dash + occurrence) % len(DASHES)])


def styles(keys: Iterable[str]) -> list[Style]:
    """One style for each key of a view, in order: repeated keys get their own shade and dash.

    >>> [s.dash for s in styles(["agce", "ce", "agce"])]
    ['solid', 'solid', '9px,4px']
    """
    keys = list(keys)
    return [style(key, keys[:i].count(key)) for i, key in enumerate(keys)]


def dark_table(chosen: Iterable[Style] = ()) -> dict[str, str]:
    """Which colour each light colour becomes on a dark page: for the interface's own colours and the styles given."""
    return dict((REFERENCE, GOOD, BAD, UNSURE, NEUTRAL, *HUES.values())) | {s.color: s.dark for s in chosen}


def luminance(color: Iterable[float]) -> float:
    """The relative luminance of red, green and blue from 0 to 255, as WCAG defines it."""
    channels = [c / 255 for c in color]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: Iterable[float], other: Iterable[float]) -> float:
    """The contrast of two colours as WCAG defines it, from 1 to 21; text needs 4.5, a line or a mark 3.

    >>> round(contrast((0, 0, 0), (255, 255, 255)), 6)
    21.0
    """
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def ink(ground: Iterable[float]) -> str:
    """Black or white, whichever is read better on this ground: one of them always has more than 4.5:1.

    >>> ink((243, 233, 210)), ink((18, 58, 117))
    ('#000000', '#FFFFFF')
    """
    ground = tuple(ground)
    return max(("#000000", "#FFFFFF"), key=lambda color: contrast(rgb(color), ground))


def _base(key: str) -> tuple[str, int]:
    if key in KEYS:
        return KEYS[key]
    active, plus, passive = key.partition("+")
    if plus and passive in KEYS:
        hue, dash = KEYS[passive]
        return hue, (ACTIVE_DASH.get(active, 3) + 2 * dash) % len(DASHES)
    number = zlib.crc32(key.encode())  # stable between runs, unlike hash()
    return SPARE[number % len(SPARE)], 2 + number // len(SPARE) % 4


def rgb(color: str) -> tuple[int, int, int]:
    """A colour's red, green and blue, 0 to 255.

    >>> rgb("#0A4FBF")
    (10, 79, 191)
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _shade(color: str, amount: float) -> str:
    """Towards white (amount > 0) or black (amount < 0)."""
    target = 255 if amount > 0 else 0
    return "#" + "".join(f"{round(c + (target - c) * abs(amount)):02X}" for c in rgb(color))
