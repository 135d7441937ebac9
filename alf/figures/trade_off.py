"""The trade-off between the noise that a loss tolerates and the sample weight with which its training starts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from alf.figures.base import Series, axis, builder, figure, points
from alf.figures.label_placement import Box, Sizes, lines, sides, together

_ACROSS, _TOP = (-0.14, 1.16), 1.1
_WIDE, _PHONE = Sizes(0.0115, 0.058, 0.018, 0.03), Sizes(0.031, 0.058, 0.05, 0.035)
_LINE, _PHONE_LINE = 22, 12
"""Letters in a line of a label."""
_NONE_AT = -0.16
"""Where a weight of zero is drawn beside a logarithmic axis whose least weight is at 0 and whose largest at 1."""
_NEAR = 0.0135
"""How near marks cover each other."""
_DECADES = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0)


@builder
def trade_off_figure(marks: Sequence[Series], classes: int) -> dict:
    """Robustness against learning speed: each loss at its ratio and at its sample weight where training starts.

    With many classes the weights of the robust losses are so small that they need a logarithmic axis; a weight of zero
    then has a place of its own below it. Marks that cover each other are drawn as rings and named once, together.
    """
    weights = [float(s.y[0]) for s in marks]
    scale = _Scale.of(weights)
    heights = scale.heights(weights)
    places = [(float(s.x[0]), height) for s, height in zip(marks, heights, strict=True)]
    traces = []
    for group, label in _labels(marks, places, scale.low):
        hover = "<br>".join(f"{marks[i].label}: ratio {places[i][0]:.4f}, weight {weights[i]:.3g}" for i in group)
        rings = [
            points(replace(marks[i], y=np.array([heights[i]])), 12 + 4 * (len(group) - 1 - rank))
            | {"hovertemplate": f"{hover}<extra></extra>"}
            for rank, i in enumerate(group)
        ]
        rings[0] |= label  # the widest has it, beside itself
        traces += rings
    about = "Further right: tolerates more noise. Further up: more sample weight at the start. Every loss and preset."
    return figure(
        traces,
        _message(marks),
        axis("asymmetry ratio", *_ACROSS),
        axis(f"share of the largest sample weight at u = 1/{classes}", scale.low, _TOP, **scale.ticks()),
        about + (" The weights are on a logarithmic scale." if scale.decades else ""),
        styles=[s.style for s in marks],
        height=400,
        hovermode="closest",
    )


@dataclass(frozen=True)
class _Scale:
    """The upward axis: linear where `decades` is 0, or over so many decades with zero in a place of its own."""

    least: float
    decades: float
    zero: bool

    @classmethod
    def of(cls, weights: Sequence[float]) -> "_Scale":
        least = min((w for w in weights if w > 0), default=1.0)
        return cls(least, float(-np.log10(least)) if least < 0.1 else 0.0, not all(weights))

    def heights(self, weights: Sequence[float]) -> list[float]:
        if not self.decades:
            return list(weights)
        return [float(1 + np.log10(w) / self.decades) if w > 0 else _NONE_AT for w in weights]

    @property
    def low(self) -> float:
        return -0.08 if not self.decades else _NONE_AT - 0.15 if self.zero else -0.2

    def ticks(self) -> dict:
        if not self.decades:
            return {"tickformat": ".0%"}
        ticks = [t for t in _DECADES if t >= self.least / 2]
        named = dict(zip(self.heights(ticks), (f"{100 * t:g}%" for t in ticks), strict=True))
        named |= {_NONE_AT: "none"} if self.zero else {}
        return {"tickvals": list(named), "ticktext": list(named.values())}


def _labels(
    marks: Sequence[Series], places: Sequence[tuple[float, float]], low: float
) -> Iterator[tuple[list[int], dict]]:
    """Marks that cover each other, and what their trace says beside them, also on a phone; nothing without a name."""
    groups = together(places, _NEAR)
    where = Counter(short for group in groups for short in {marks[i].short for i in group})  # how many groups have it
    wide, phone = [], []
    for group in groups:
        named = [marks[i] for i in group if marks[i].short]
        wide.append(lines([s.label if where[s.short] > 1 else s.short for s in named], _LINE))
        # A phone has no room for combinations that are the same as one of their parts.
        alone = [s.short for s in named if "+" not in s.short]
        phone.append(lines(alone or [s.short for s in named], _PHONE_LINE))
    plot = Box(_ACROSS[0], low, _ACROSS[1], _TOP)
    placed = (wide, sides(wide, groups, places, plot, _WIDE), phone, sides(phone, groups, places, plot, _PHONE))
    for group, words, side, fewer, phone_side in zip(groups, *placed, strict=True):
        yield (
            group,
            {}
            if words == [""]
            else {
                "mode": "markers+text",
                "text": ["<br>".join(words)],
                "textposition": side,
                "textfont": {"size": 12},
                "meta": {"short": "<br>".join(fewer), "side": phone_side},
            },
        )


def _message(marks: Sequence[Series]) -> str:
    """How the two go together over the losses shown, by their ranks."""
    ratios, weights = (
        np.unique([float(v) for v in values], return_inverse=True)[1].astype(float)
        for values in ([s.x[0] for s in marks], [s.y[0] for s in marks])
    )
    if min(np.ptp(ratios), np.ptp(weights)) == 0:
        return "How much noise a loss tolerates, and its sample weight at the start"
    correlation = float(np.corrcoef(ratios, weights)[0, 1])
    if abs(correlation) < 0.3:
        return "How much noise a loss tolerates says little about its sample weight at the start"
    share = "less" if correlation < 0 else "more"
    return f"Losses that tolerate more noise tend to start with {share} of their sample weight"
