"""The axes of a phase map: what changes along them, and at which values.

An axis is written ``KIND=FROM:TO:COUNT``, evenly spaced, with ``:log`` behind it in the logarithm, or
``KIND=VALUE,VALUE,...``: the one form for the command line, links and files.

>>> axis = parse_axis("a=0.05:6:4:log")
>>> axis.values
(0.05, 0.246621207433, 1.21644039911, 6.0)
>>> axis.text, parse_axis("noise=.1,.2,.3").text
('a=0.05:6:4:log', 'noise=0.1:0.3:3')
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import pairwise

from alf.errors import InputError, brief
from alf.numbers import decimal, exact_number
from alf.training.recipe import RATES

MOST_VALUES = 1000
"""Values that one axis may have."""
DIGITS = 12
"""Digits that count of a value: a spec of such a value is short enough to be read, and no two cells share one."""
LIMITS: dict[str, tuple[float, float]] = {"noise": (0, 1), "lr": RATES, "classes": (2, 1000), "samples": (2, 10**9)}
"""The kinds of axis that are no hyperparameter, with the least and the largest value."""
WHOLE = ("classes", "samples")
"""The kinds whose values are whole numbers."""

_KIND = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}", re.ASCII)
_FORMS = "KIND=FROM:TO:COUNT, KIND=FROM:TO:COUNT:log or KIND=VALUE,VALUE,..."


@dataclass(frozen=True)
class Axis:
    """What changes along one side of a phase map.

    Attributes
    ----------
    kind
        ``noise`` (its rate), ``lr``, ``classes``, ``samples``, or the name of a hyperparameter of the losses.
    values
        Increasing, at least two; kept to `DIGITS` digits.

    Raises
    ------
    InputError
        One sentence, when it is no axis.

    Examples
    --------
    >>> Axis("noise", (0.2,))
    Traceback (most recent call last):
    ...
    alf.errors.InputError: axis noise: an axis needs at least two values, got 1
    """

    kind: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or not _KIND.fullmatch(self.kind):
            kinds = ", ".join(LIMITS)
            raise InputError(f"axis: must be {kinds} or the name of a hyperparameter, got {brief(self.kind)}")
        values = tuple(self._value(value) for value in self.values)
        object.__setattr__(self, "values", values)
        if len(values) < 2:
            raise InputError(f"axis {self.kind}: an axis needs at least two values, got {len(values)}")
        if len(values) > MOST_VALUES:
            raise InputError(f"axis {self.kind}: at most {MOST_VALUES} values are allowed, got {len(values)}")
        for before, after in pairwise(values):
            if not before < after:
                shown = f"{decimal(after)} after {decimal(before)}"
                raise InputError(f"axis {self.kind}: its values must increase, got {shown}")

    def _value(self, value: float) -> float:
        """A value as it is kept, or an InputError."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"axis {self.kind}: its values must be finite numbers, got {brief(value)}")
        low, high = LIMITS.get(self.kind, (-math.inf, math.inf))
        if not low <= value <= high:
            raise InputError(f"axis {self.kind}: its values must lie in [{low:g}, {high:g}], got {decimal(value)}")
        if self.kind in WHOLE and value != round(value):
            raise InputError(f"axis {self.kind}: its values must be whole numbers, got {decimal(value)}")
        return _kept(value)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[float]:
        return iter(self.values)

    def __str__(self) -> str:
        return self.text

    def spec(self, index: int) -> str:
        """A value as a spec has it.

        >>> Axis("samples", (100, 1000)).spec(1)
        '1000'
        """
        return decimal(self.values[index])

    @property
    def spacing(self) -> str:
        """``linear`` or ``log`` where its values are spaced evenly or evenly in the logarithm, else ``values``."""
        count, low, high = len(self.values), self.values[0], self.values[-1]
        for spacing in ("linear", "log"):
            if count > 2 and self.values == spaced(self.kind, low, high, count, spacing):
                return spacing
        return "values"

    @property
    def log(self) -> bool:
        """Whether it is read best on a logarithmic scale: spaced so, or two values or more, tenfold apart.

        >>> parse_axis("lr=0.01:1:5:log").log, parse_axis("noise=0.1:0.8:8").log, parse_axis("a=0.1,0.5,1,5").log
        (True, False, True)
        """
        if self.spacing != "values":
            return self.spacing == "log"
        return self.values[0] > 0 and self.values[-1] >= 10 * self.values[0]

    @property
    def text(self) -> str:
        """The canonical text, which `parse_axis` reads back as this axis."""
        spacing = self.spacing
        if spacing == "values":
            return f"{self.kind}={','.join(decimal(value) for value in self.values)}"
        end = ":log" if spacing == "log" else ""
        return f"{self.kind}={decimal(self.values[0])}:{decimal(self.values[-1])}:{len(self.values)}{end}"

    def within(self, low: float, high: float) -> "Axis":
        """The same axis over a part of itself: as many values, spaced in the same way.

        Its ends, which a hand may have drawn, are kept to four digits; fewer values are left where whole ones coincide.

        >>> parse_axis("a=0.01:100:5:log").within(0.1, 10).text
        'a=0.1:10:5:log'
        >>> parse_axis("classes=2:10:5").within(3, 5).values
        (3.0, 4.0, 5.0)
        """
        low, high = (min(max(float(f"{end:.4g}"), self.values[0]), self.values[-1]) for end in sorted((low, high)))
        if self.kind in WHOLE:
            low, high = round(low), round(high)
        count = min(len(self), round(high - low) + 1) if self.kind in WHOLE else len(self)
        spacing = "log" if self.log else "linear"
        if not low < high:
            raise InputError(f"axis {self.kind}: a part needs two ends, got {decimal(low)} and {decimal(high)}")
        return Axis(self.kind, tuple(dict.fromkeys(spaced(self.kind, low, high, max(2, count), spacing))))


@lru_cache(maxsize=256)
def spaced(kind: str, low: float, high: float, count: int, spacing: str) -> tuple[float, ...]:
    """Values from `low` to `high`, evenly spaced, or in the logarithm; those of a kind that is whole are rounded.

    >>> spaced("samples", 100, 1000, 3, "log")
    (100.0, 316.0, 1000.0)
    """
    first, last = Decimal(repr(low)), Decimal(repr(high))
    if spacing == "log" and first <= 0:
        return ()
    with localcontext(prec=40):  # the same values on every machine, whatever its powers of doubles are
        if spacing == "log":
            between = [first * (last / first) ** (Decimal(i) / (count - 1)) for i in range(count)]
        else:
            between = [first + (last - first) * i / (count - 1) for i in range(count)]
        return tuple(_kept(round(value) if kind in WHOLE else value) for value in between)


def _kept(value: float | Decimal) -> float:
    return float(f"{value:.{DIGITS}g}")


def parse_axis(text: str) -> Axis:
    """Read an axis.

    Raises
    ------
    InputError
        One sentence, for anything else.

    Examples
    --------
    >>> parse_axis("lr = 0.01, 0.1").text
    'lr=0.01,0.1'
    >>> parse_axis("a=1:2")
    Traceback (most recent call last):
    ...
    alf.errors.InputError: axis a: is written a=FROM:TO:COUNT, a=FROM:TO:COUNT:log or a=VALUE,VALUE,..., got '1:2'
    """
    if not isinstance(text, str):
        raise InputError(f"axis: text is needed, written {_FORMS}, got {brief(text)}")
    kind, equals, rest = (part.strip() for part in text.partition("="))
    if not equals or not kind or not rest or len(text) > 40 * MOST_VALUES:
        raise InputError(f"axis: is written {_FORMS}, got {brief(text) or 'nothing'}")
    if ":" not in rest:
        return Axis(kind, tuple(_number(kind, part) for part in rest.split(",")))
    parts = [part.strip() for part in rest.split(":")]
    if len(parts) not in (3, 4) or parts[3:] not in ([], ["log"]):
        raise InputError(f"axis {brief(kind)}: is written {_FORMS.replace('KIND', brief(kind))}, got {brief(rest)!r}")
    low, high, count = (_number(kind, part) for part in parts[:3])
    if count != round(count) or not 0 <= count <= MOST_VALUES:
        raise InputError(
            f"axis {brief(kind)}: the number of values must be whole and in [2, {MOST_VALUES}], got {brief(parts[2])}"
        )
    if count < 2:
        raise InputError(f"axis {brief(kind)}: an axis needs at least two values, got {count:.0f}")
    low, high = Axis(kind, (low, high)).values  # they may be wrong in more telling ways than the values between them
    spacing = "log" if parts[3:] else "linear"
    if spacing == "log" and low <= 0:
        raise InputError(f"axis {kind}: logarithmic spacing needs values greater than 0, got {decimal(low)}")
    values = spaced(kind, low, high, round(count), spacing)
    if len(set(values)) < len(values):
        raise InputError(
            f"axis {kind}: {count:.0f} different values are needed, got {len(set(values))} between "
            f"{decimal(low)} and {decimal(high)}"
        )
    return Axis(kind, values)


def _number(kind: str, text: str) -> float:
    value = exact_number(text.strip())
    if value is None:
        raise InputError(f"axis {brief(kind)}: finite decimals are needed, got {brief(text.strip()) or 'nothing'}")
    return float(value)
