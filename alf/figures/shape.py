"""What a loss looks like: its value, its slope and its sample weight, over u, the probability of the label."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import Series, axis, builder, figure, line, mark, names
from alf.numbers import rounded, times

_NEAR = np.geomspace(1e-9, 3e-2, 32)
U = np.unique(
    np.concatenate([np.linspace(0, 1, 161), _NEAR, 1 - _NEAR])
)  # close at both ends: -log u is 2.3 at 0.1, 21 here
U_AXIS = "u, probability of the label"
_LARGEST = 1e300  # the end of an axis stays a number that can be added to
_SHOWN_FROM = 0.04  # an unbounded curve is drawn down to here before it leaves the first view


@builder
def loss_figure(series: Sequence[Series], classes: int) -> dict:
    """The loss over u, with 1/K marked.

    >>> from alf.figures.palette import style
    >>> loss_figure([Series("MAE", style("mae"), U, 1 - U)], 10).layout.title.text
    'Even a confident mistake costs at most 1'
    """
    endless = [s.name for s in series if not np.isfinite(s.y[0])]
    capped = [s for s in series if np.isfinite(s.y[0])]
    if endless and capped:
        title = f"{_who(endless)} {_verb(endless, 'punish')} a confident mistake without limit, {_others(capped)} not"
    elif endless:
        title = "A confident mistake costs without limit"
    elif len(capped) == 1 and not capped[0].y.any():
        title = f"{capped[0].name} is so flat that its values are 0 in floating point"
    elif len(capped) == 1:
        title = f"Even a confident mistake costs at most {rounded(capped[0].y[0])}"
    else:
        title = "Every loss here is bounded, even for a confident mistake"
    low, high = _view(series)
    return _over_u(
        series, classes, title, "Loss of one sample. It falls as the label becomes more probable.", "loss", low, high
    )


@builder
def slope_figure(series: Sequence[Series], classes: int) -> dict:
    """The derivative of the loss over u, with 1/K marked."""
    title = _slope_message(series)
    low, high = _view(series)
    about = "Slope of the loss. How it changes from u = 0 to u = 1 decides how asymmetric the loss is."
    return _over_u(series, classes, title, about, "slope, dℓ/du", low, high)


@builder
def weight_figure(series: Sequence[Series], classes: int) -> dict:
    """The sample weight -l'(u) u (1 - u) over u, with 1/K, the prediction training starts from, marked."""
    start = [(float(np.interp(1 / classes, s.x, s.y)), s) for s in series]
    if len(series) == 1:
        value, only = start[0]
        peak = _finite(only.y).max(initial=0.0)
        if not peak or not np.isfinite(value):
            title = f"{only.name} gives almost no sample weight between u = 0 and u = 1"
        else:
            title = f"Training starts at {value / peak:.0%} of the largest sample weight of {only.name}"
    else:
        (low, slow), (high, fast) = min(start, key=lambda t: t[0]), max(start, key=lambda t: t[0])
        if low <= 0 or high < 1.05 * low:
            title = "All losses start with about the same sample weight"
        else:
            title = f"At the start the sample weight of {fast.name} is {times(high, low)} that of {slow.name}"
    top = 1.08 * min(max(_finite(s.y).max(initial=0.0) for s in series), _LARGEST)
    low = min(0.0, *(_finite(s.y).min(initial=0.0) for s in series)) if series else 0.0
    about = "How strongly one sample moves the network, −ℓ′(u) u (1 − u). Training starts at u = 1/K."
    return _over_u(series, classes, title, about, "sample weight", low, top or 1)


def _over_u(series, classes, title, subtitle, y_title, low, high) -> dict:
    return figure(
        [line(s) for s in series],
        title,
        axis(U_AXIS, 0, 1, hoverformat=".3f"),
        axis(y_title, low, high),
        subtitle,
        [mark(1 / classes, f"1/K = {1 / classes:.3g}")],
        styles=[s.style for s in series],
    )


def _finite(y: np.ndarray) -> np.ndarray:
    return y[np.isfinite(y)]


def _view(series: Sequence[Series]) -> tuple[float, float]:
    """The first range of the y axis: all of every bounded curve; an unbounded one leaves the view after a while."""
    curves = [(s.x, np.where(np.isfinite(s.y), np.clip(s.y, -_LARGEST, _LARGEST), s.y)) for s in series]
    endless = [_endless(x, y) or _endless(1 - x[::-1], y[::-1]) for x, y in curves]
    bounded = [_finite(y) for (_, y), far in zip(curves, endless, strict=True) if not far]
    # Beside bounded curves an unbounded one gets three times their height, so that they can still be told apart.
    reach = 3 * max((float(np.abs(y).max()) for y in bounded), default=np.inf)
    parts = [
        np.clip(y[(x >= _SHOWN_FROM) & (x <= 1 - _SHOWN_FROM) & np.isfinite(y)], -reach, reach)
        for (x, y), far in zip(curves, endless, strict=True)
        if far
    ]
    values = np.concatenate([*bounded, *parts]) if series else np.array([0.0, 1.0])
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    pad = 0.06 * (high - low or 1)
    return low - (pad if low < 0 else 0), high + (pad if high > 0 else 0)


def _endless(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a curve has no end at its first point, or one so far off that it would hide all the rest."""
    return not np.isfinite(y[0]) or abs(y[0]) / 8 > abs(np.interp(_SHOWN_FROM, x, y)) > 0


def _slope_message(series: Sequence[Series]) -> str:
    """The slope at u = 1 as a share of the slope at u = 0: which loss keeps most of it, and which least."""
    shares, dips = [], []
    for s in series:
        first, last = s.y[0], s.y[-1]
        if np.isfinite(last):
            share = 0.0 if not np.isfinite(first) else float(last / first) if first else np.inf
            shares.append((share, s.name))
            dip = float(np.nanmin(s.y / first)) if np.isfinite(first) and first else share
            if dip < min(1.0, share) - 0.01:
                dips.append((dip, s.name))
    if not shares:
        return "How the slope changes with u"
    if dips:
        dip, name = min(dips)
        return (
            f"On the way to u = 1 the slope of {name} falls to {'0' if dip < 5e-3 else f'{dip:.0%} of that at u = 0'}"
        )
    low, high = min(shares)[0], max(shares)[0]
    if len(shares) == 1 or abs(high - low) < 5e-3:
        if abs(high - 1) < 5e-3:
            return "A straight line: every step towards the label lowers the loss equally"
        if high < 1e-3:
            labels = [name for _, name in shares]
            return f"{_who(labels)} {_verb(labels, 'fall')} fastest where the prediction is worst"
        if high > 10:
            return f"{shares[0][1]} hardly falls at u = 0 and falls fastest at u = 1"
        return f"At u = 1 the slope is {high:.0%} of that at u = 0"
    most = [name for share, name in shares if share == high or abs(share - high) < 5e-3]
    least = [name for share, name in shares if abs(share - low) < 5e-3]
    if high > 10:
        first = f"{_who(most)}'s slope grows towards u = 1"
    elif high > 1 + 5e-3:
        first = f"{_who(most)}'s slope grows to {high:.0%} by u = 1"
    else:
        whose = "their" if len(set(most)) > 1 else "its"
        first = f"{_who(most)} {_verb(most, 'keep')} {high:.0%} of {whose} slope up to u = 1"
    word = "" if high <= 1 + 5e-3 else "to " if low > 1 + 5e-3 else f"{_verb(least, 'keep')} "
    return f"{first}, {_who(least)} {word}{'nearly none' if low < 5e-3 else f'{low:.0%}'}"


def _who(labels: Sequence[str]) -> str:
    labels = list(dict.fromkeys(labels))
    return names(labels) if len(labels) <= 2 else f"{len(labels)} losses"


def _verb(labels: Sequence[str], verb: str) -> str:
    return verb if len(set(labels)) > 1 else verb + ("es" if verb.endswith("sh") else "s")


def _others(series: Sequence[Series]) -> str:
    labels = list(dict.fromkeys(s.name for s in series))
    return f"{names(labels)} {'does' if len(labels) == 1 else 'do'}" if len(labels) <= 2 else "the others do"
