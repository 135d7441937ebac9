"""Does a higher asymmetry ratio give better noise tolerance? The paper's claim, held against trained networks.

A family's settings at one noise, each with its ratio and the accuracies of its models, one a seed. Two things are
said: the rank correlation of accuracy and ratio (Spearman's, with an interval), which is what the claim is about, and
where the best ratio lies, because accuracy that rises and then falls has a rank correlation that says nothing.

>>> found = higher_ratio([Setting(r, (r - 0.02, r + 0.02)) for r in (0.1, 0.2, 0.4, 0.6, 0.8, 0.9)])
>>> print(found.message)
A higher ratio is better here
>>> print(found.sentence)  # doctest: +NORMALIZE_WHITESPACE
Accuracy rises with the ratio: rank correlation 1 over 6 settings (95% interval 0.38 to 1). The highest ratio, 0.9, has
the highest accuracy, 90% ± 2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import atanh, inf, sqrt, tanh
from statistics import NormalDist, fmean, pstdev

import numpy as np

LEAST = 4
"""Settings that the interval needs at least: its width goes with 1/sqrt(n - 3)."""
CONFIDENCE = 0.95


class Course(StrEnum):
    """How accuracy goes with the ratio, as far as it stands out of the seeds."""

    RISES = "rises"
    FALLS = "falls"
    RIDGE = "ridge"
    VALLEY = "valley"
    OPEN = "open"


@dataclass(frozen=True)
class Setting:
    """One member of a family: its asymmetry `ratio`, the accuracy of each of its models, and what it is called."""

    ratio: float
    accuracies: tuple[float, ...]
    label: str = ""

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return fmean(self.accuracies)

    @property
    def std(self) -> float:
        """Standard deviation over the seeds."""
        return pstdev(self.accuracies)

    def above(self, other: "Setting") -> bool:
        """Whether it is better by more than both spreads; never where one of them has no spread."""
        several = min(len(self.accuracies), len(other.accuracies)) > 1
        return several and self.mean - other.mean > self.std + other.std

    def __str__(self) -> str:
        spread = f" ± {100 * self.std:.0f}" if len(self.accuracies) > 1 else ""
        return f"{self.mean:.0%}{spread}"


@dataclass(frozen=True)
class HigherRatio:
    """What a family's settings say of the claim.

    Attributes
    ----------
    settings
        In order of their ratio.
    correlation
        Spearman's rank correlation of the settings' mean accuracies with their ratios; None where either is constant.
    interval
        Of the correlation, at `CONFIDENCE`.
    best
        The setting with the highest mean accuracy.
    course
        How accuracy goes with the ratio.
    """

    settings: tuple[Setting, ...]
    correlation: float | None
    interval: tuple[float, float] | None
    best: Setting
    course: Course

    @property
    def message(self) -> str:
        """The answer in a few words."""
        return {
            Course.RISES: "A higher ratio is better here",
            Course.FALLS: "A higher ratio is worse here",
            Course.RIDGE: f"A higher ratio is better up to {self.best.ratio:.2g}, then worse",
            Course.VALLEY: "The lowest and the highest ratio are better than those between",
            Course.OPEN: "These models do not settle whether a higher ratio is better",
        }[self.course]

    @property
    def sentence(self) -> str:
        """The numbers that say so."""
        low, high, best = self.settings[0], self.settings[-1], self.best
        said = "All accuracies, or all ratios, are the same: there is no rank correlation."
        if self.correlation is not None and self.interval is not None:
            way = "Accuracy does not clearly follow the ratio"
            if self.interval[0] > 0:
                way = "Accuracy rises with the ratio"
            if self.interval[1] < 0:
                way = "Accuracy falls with the ratio"
            between = f"{_number(self.interval[0])} to {_number(self.interval[1])}"
            said = (
                f"{way}: rank correlation {_number(self.correlation)} over {len(self.settings)} settings "
                f"({CONFIDENCE:.0%} interval {between})."
            )
        where = "highest" if best.ratio == high.ratio else "lowest" if best.ratio == low.ratio else ""
        if where:
            said += f" The {where} ratio, {best.ratio:.2g}, has the highest accuracy, {best}."
        else:
            said += (
                f" The highest accuracy, {best}, is at ratio {best.ratio:.2g}; it is {low} at the lowest ratio, "
                f"{low.ratio:.2g}, and {high} at the highest, {high.ratio:.2g}."
            )
        if any(len(setting.accuracies) < 2 for setting in self.settings):
            said += " With one seed no spread is known."
        elif self.course == Course.OPEN:
            said += " The differences are within the seeds' spread or have no clear direction."
        return said


def higher_ratio(settings: Iterable[Setting]) -> HigherRatio | None:
    """Hold the claim against the settings of one family at one noise; None where there are fewer than `LEAST`."""
    ordered = tuple(sorted(settings, key=lambda setting: setting.ratio))
    if len(ordered) < LEAST:
        return None
    ratios, means = [setting.ratio for setting in ordered], [setting.mean for setting in ordered]
    correlation = spearman(ratios, means)
    between = None if correlation is None else interval(correlation, len(ordered))
    best, worst = max(ordered, key=lambda s: s.mean), min(ordered, key=lambda s: s.mean)
    return HigherRatio(ordered, correlation, between, best, _course(ordered, between, best, worst))


def _course(ordered: Sequence[Setting], between: tuple[float, float] | None, best: Setting, worst: Setting) -> Course:
    low, high = ordered[0], ordered[-1]
    if low.ratio < best.ratio < high.ratio and best.above(low) and best.above(high):
        return Course.RIDGE
    if low.ratio < worst.ratio < high.ratio and low.above(worst) and high.above(worst):
        return Course.VALLEY
    if between is not None and between[0] > 0 and high.above(low):
        return Course.RISES
    if between is not None and between[1] < 0 and low.above(high):
        return Course.FALLS
    return Course.OPEN


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties with their mean rank; None where all of one side are tied.

    >>> spearman([1, 2, 3, 4], [1, 3, 2, 4]), spearman([1, 2, 3], [5, 5, 5])
    (0.8, None)
    """
    ranks = [_ranks(np.asarray(values, dtype=float)) for values in (x, y)]
    if any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.clip(round(np.corrcoef(ranks[0], ranks[1])[0, 1], 12), -1, 1))


def _ranks(values: np.ndarray) -> np.ndarray:
    below, same = values[:, None] > values, values[:, None] == values
    return np.asarray(below.sum(axis=1) + (same.sum(axis=1) + 1) / 2)


def interval(correlation: float, settings: int) -> tuple[float, float]:
    """An interval of a rank correlation over so many settings: Fisher's z with Bonett and Wright's variance (2000).

    z = artanh(rho) is about normal with variance (1 + rho^2 / 2)/(n - 3). That is about other settings drawn as these
    were. A perfect order has no finite z, and takes that of the order with one pair of neighbours exchanged, which is
    12/(n^3 - n) below.

    >>> [round(end, 2) for end in interval(0.5, 20)]
    [0.05, 0.78]
    """
    most = 1 - 12 / (settings**3 - settings)
    near = max(-most, min(most, correlation))
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * sqrt((1 + near**2 / 2) / (settings - 3))
    low = -inf if correlation < -most else atanh(near) - reach
    high = inf if correlation > most else atanh(near) + reach
    return tanh(low), tanh(high)


def _number(value: float) -> str:
    """Two decimals, with the sign that people read; near 0 without one."""
    return (
        f"{value:.2f}".rstrip("0").rstrip(".").replace("-0", "−0").replace("-1", "−1") if abs(value) >= 0.005 else "0"
    )
