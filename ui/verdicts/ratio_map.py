"""The pictures of the Atlas page: the map of a family's ratio with the reader's point, its slices, the trade-off."""

import math

import numpy as np
import streamlit as st

from alf.data import DATASETS
from alf.figures.atlas import atlas_figure, slice_figure
from alf.figures.base import Series
from alf.figures.palette import style
from alf.figures.trade_off import trade_off_figure
from alf.losses import Loss, catalogue, parse
from alf.noise import Noise
from alf.numbers import four_places
from ui.asking.page_questions import grid, ratio_of
from ui.charts.chart import payload
from ui.verdicts.noise_ranking import catalogue_presets
from ui.verdicts.starting_weight import starting_weight

POINTS = 200
QUANTITIES = {"ratio": "asymmetry ratio", "pair": "critical pair noise", "symmetric": "critical symmetric noise"}


def quantity(ratio: np.ndarray, what: str, classes: int) -> np.ndarray:
    """The ratio itself, or the critical noise rate that follows from it.

    >>> quantity(np.array([1.0]), "symmetric", 10).tolist()
    [0.9]
    """
    factor = {"pair": 1, "symmetric": classes - 1}.get(what)
    return ratio if factor is None else ratio * factor / (1 + ratio * factor)


def least_ratio(noise: Noise) -> float | None:
    """The least ratio that makes a loss with r = r_up tolerate the noise; None where no ratio does, or none is known.

    >>> from alf.noise import parse_noise
    >>> round(least_ratio(parse_noise("pair:0.4", 10)), 4)
    0.6667
    """
    if not noise.clean_dominates:
        return None
    return float(max(p / row[i] for i, row in enumerate(noise.exact) for j, p in enumerate(row) if j != i))


@st.cache_data(max_entries=64, show_spinner=False)
def pictures(spec: str, what: str, classes: int, limit: float | None) -> tuple[bytes, bytes]:
    """The map with the reader's point, and the slices through it, ready for the browser."""
    loss = parse(spec)
    declaration, chosen = loss.declaration, style(loss.key)
    parameters, here = declaration.parameters, list(loss.floats.values())
    least = None if limit is None else float(quantity(np.array(limit), what, classes))
    ranges = [(min(p.slider[0], at), max(p.slider[1], at)) for p, at in zip(parameters, here, strict=True)]
    figures = []
    if len(parameters) == 2:
        x, y = np.geomspace(*ranges[0], POINTS), np.linspace(*_interesting(loss, ranges), POINTS)
        values = quantity(_map(loss, x, y), what, classes)
        mine = Series(loss.label, chosen, np.array([here[0]]), np.array([here[1]]))
        at = float(quantity(grid(spec), what, classes))
        names = (parameters[0].name, parameters[1].name)
        presets = _presets(loss)
        title = f"{loss.label}: {QUANTITIES[what]} {_shown(at, what)}"
        figures.append(
            atlas_figure.spec(
                x, y, values, names, QUANTITIES[what], title, mine, presets, least, "tolerates the noise from here"
            )
        )
    for place, parameter in enumerate(parameters):
        along = _along(*ranges[place])
        values = quantity(grid(spec, **{parameter.name: along}), what, classes)
        title = _slice_title(along, values, parameter.name, least, QUANTITIES[what])
        if len(parameters) == 1:  # no map says it
            at = float(quantity(grid(spec), what, classes))
            title = f"{loss.label}: {QUANTITIES[what]} {_shown(at, what)}; {title[0].lower()}{title[1:]}"
        curve = Series(loss.label, chosen, along, values)
        presets = _presets(loss) if len(parameters) == 1 else []
        figures.append(slice_figure.spec(curve, here[place], parameter.name, QUANTITIES[what], title, least, presets))
    maps = len(parameters) - 1
    return payload(figures[:maps], legend=False, clicks=True), payload(figures[maps:], legend=False, clicks=maps == 0)


@st.cache_data(max_entries=32, show_spinner=False)
def trade_off(classes: int) -> bytes:
    """Robustness against learning speed for every configuration of the catalogue with a ratio."""
    marks = []
    for spec in catalogue_presets():
        loss, found = parse(spec), ratio_of(spec)
        if found is None or not found.defined or found.value is None:
            continue
        start, _ = starting_weight(spec, classes)
        marks.append(Series(loss.label, style(loss.key), np.array([found.value]), np.array([start]), short=loss.name))
    return payload([trade_off_figure.spec(marks, classes)], legend=False)


def _along(low: float, high: float) -> np.ndarray:
    """Places along a parameter: even ones, and near 0, where a ratio such as exp(-1/a) rises at once, closer ones."""
    even = np.linspace(low, high, POINTS)
    return np.union1d(even, np.geomspace(low, high, POINTS).clip(low, high)) if low > 0 else even


def _interesting(loss: Loss, ranges) -> tuple[float, float]:
    """The part of the second parameter's range in which the ratio still changes, and a little of where it does not."""
    x, y = np.geomspace(*ranges[0], 20), np.linspace(*ranges[1], 120)
    changes = y[np.ptp(_map(loss, x, y), axis=1) > 1e-9]
    shown = [list(loss.floats.values())[1], *(point[2] for point in _presets(loss))]
    room = 0.25 * np.ptp(changes)
    low, high = changes.min() - room, changes.max() + room
    return max(float(y[0]), min(low, *shown)), min(float(y[-1]), max(high, *(1.05 * v for v in shown)))


def _map(loss: Loss, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The ratio over both parameters, shape (len(y), len(x))."""
    first, second = loss.declaration.parameters
    return grid(loss.spec, **{first.name: x[None, :], second.name: y[:, None]})


def _presets(loss: Loss) -> list[tuple[str, float, float]]:
    points: dict[tuple, list[str]] = {}
    for data, preset in loss.declaration.preset_losses().items():
        points.setdefault(tuple(preset.floats.values()), []).append(DATASETS[data].name)
    return [(", ".join(names), *point) for point, names in points.items()]


def _shown(value: float, what: str) -> str:
    return four_places(value) if what == "ratio" else f"{value:.1%}"


def _slice_title(along: np.ndarray, values: np.ndarray, name: str, least: float | None, what: str) -> str:
    """For which values the loss tolerates the noise: every interval of them.

    >>> along = np.linspace(0, 4, 401)
    >>> _slice_title(along, along, "a", 1.5, "asymmetry ratio")
    'The loss tolerates the noise for a from about 1.5'
    >>> _slice_title(along, -((along - 2) ** 2), "a", -1.0, "asymmetry ratio")
    'The loss tolerates the noise for a from about 1 to 3'
    """
    if least is None:
        return f"How the {what} changes with {name}"
    inside = np.concatenate([[False], values >= least, [False]])
    starts, stops = np.flatnonzero(~inside[:-1] & inside[1:]), np.flatnonzero(inside[:-1] & ~inside[1:]) - 1
    if not len(starts):
        return f"The loss tolerates the noise for no {name} in this range"
    if stops[0] - starts[0] + 1 == len(along):
        return f"The loss tolerates the noise for every {name} in this range"

    def edge(k: int) -> str:
        return f"{float(np.interp(0, *_rising(values[k : k + 2] - least, along[k : k + 2]))):.3g}"

    parts = []
    for start, stop in zip(starts, stops, strict=True):
        low = f"from about {edge(start - 1)}" if start else ""
        high = f"{'to' if low else 'up to about'} {edge(stop)}" if stop < len(along) - 1 else ""
        parts.append(" ".join(filter(None, (low, high))))
    return f"The loss tolerates the noise for {name} {', and '.join(parts)}"


def _rising(heights: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two in rising order of the heights, as interpolation needs them."""
    order = np.argsort(heights)
    return heights[order], places[order]


def at_point(loss: Loss, x: float, y: float) -> Loss:
    """The loss at the point of a click, on values a person would type.

    >>> at_point(parse("agce:a=1,q=1"), 0.61234, 1.987).spec
    'agce:a=0.61,q=1.99'
    >>> at_point(parse("ael:a=1"), 2.4712, 0.67).spec
    'ael:a=2.47'
    """
    names = [parameter.name for parameter in loss.declaration.parameters]
    return loss.replace(**dict(zip(names, map(_round, (x, y)), strict=False)))


def _round(value: float) -> float:
    digits = 2 if value >= 0.1 else 3
    return round(value, digits) if math.isfinite(value) else value


def family(key: str, specs: tuple[str, ...]) -> str:
    """The reader's own loss of this family, or a preset of its authors."""
    own = [spec for spec in specs if parse(spec).key == key]
    return own[0] if own else list(catalogue()[key].preset_losses().values())[-1].spec
