"""A phase map as a part of a view's state, and the map that a state describes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from alf.data import DATASETS, dataset
from alf.errors import InputError
from alf.losses import Loss, parse
from alf.noise import parse_noise
from alf.phase import MEASURES, Axis, Cell, PhaseMap, parse_axis
from alf.phase.axes import LIMITS
from alf.phase.recipes import X, Y, default_map, headline_map, map_recipe
from alf.settings import settings
from alf.training.networks_spec import network_spec
from alf.training.recipe import RATES, Recipe
from ui.asking.page_questions import read_loss
from ui.state import link
from ui.state.recipe_fields import MOST_SEEDS

MOST = 4
"""Losses of one map."""
FOLLOWING = ("network", "samples", "epochs", "lr")
"""What the map's recipe of the data set decides until the reader does."""
KINDS = ("symmetric", "pair", "asymmetric", "instance")
DEFAULT = default_map()
HEADLINE = headline_map()
QUICK = {"x": "a=0.05:6:8:log", "y": "noise=0.2:0.8:6", "map-seeds": 1}
"""What differs from the default map in the quick one."""


def _noise(text: str, values: Mapping[str, Any]) -> str:
    noise = parse_noise(text, dataset(values["map-data"]).classes, values["map-data"])
    if noise.kind not in KINDS:
        raise InputError(f"noise: a map needs one of {', '.join(KINDS)}, got {noise.kind}")
    return noise.spec


def _network(text: str, values: Mapping[str, Any]) -> str:
    return network_spec(text, dataset(values["map-data"]).shape)


@lru_cache(maxsize=64)
def _own(data: str) -> dict[str, Any]:
    recipe = map_recipe(data, losses=("ce",), noise=("none",), seeds=(0,))
    own = {name: getattr(recipe, name) for name in FOLLOWING} | {"samples": recipe.samples or 0}
    return own | {"epochs": min(own["epochs"], settings().max_epochs)}


def own(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the map's recipe of the data set gives for every field of `FOLLOWING`; 0 samples are all."""
    return _own(values["map-data"])


def _fields() -> tuple[link.Field, ...]:
    following = {
        "network": link.spec("map-network", _network),
        "samples": link.whole_or_all("map-samples", 2, 10**6),
        "epochs": link.whole("map-epochs", 1, 1, settings().max_epochs),
        "lr": link.share("map-lr", 1.0, *RATES),
    }
    return (
        link.choice("map-data", tuple(DATASETS), DEFAULT.recipe.data),
        replace(link.losses(DEFAULT.losses, MOST, read_loss), name="map-loss", room=None),
        link.spec("map-noise", _noise, DEFAULT.recipe.noise[0]),
        link.spec("x", lambda text, _: parse_axis(text).text, X),
        link.spec("y", lambda text, _: parse_axis(text).text, Y),
        link.choice("measure", tuple(MEASURES), "last"),
        link.whole("map-seeds", len(DEFAULT.recipe.seeds), 1, MOST_SEEDS),
        *(link.follows(field, lambda values, name=name: own(values)[name]) for name, field in following.items()),
        link.choice("map-scale", ("own", "equal"), "own"),
        link.token("cell"),
    )


FIELDS = _fields()


def map_of(values: Mapping[str, Any]) -> PhaseMap:
    """The map that a view describes.

    Raises
    ------
    InputError
        The values do not go together.
    """
    chosen = {name: values[f"map-{name}"] for name in FOLLOWING}
    chosen = own(values) | {name: value for name, value in chosen.items() if value is not None}
    recipe = map_recipe(
        values["map-data"],
        losses=values["map-loss"],
        noise=(values["map-noise"],),
        seeds=tuple(range(values["map-seeds"])),
        equal_scale=values["map-scale"] == "equal",
        **chosen | {"samples": chosen["samples"] or None},
    )
    return PhaseMap(recipe, parse_axis(values["x"]), parse_axis(values["y"]))


def values_of(phase: PhaseMap) -> dict[str, Any]:
    """The values of a view that describe a map: of them `map_of` makes it again."""
    recipe: Recipe = phase.recipe
    return {
        "map-data": recipe.data.partition(":")[0],
        "map-loss": recipe.losses,
        "map-noise": recipe.noise[0],
        "x": phase.x.text,
        "y": phase.y.text,
        "map-seeds": len(recipe.seeds),
        "map-scale": "equal" if recipe.equal_scale else "own",
        **{f"map-{name}": getattr(recipe, name) for name in FOLLOWING},
        "map-samples": recipe.samples or 0,
        "cell": None,
    }


def cell_of(text: str | None, phase: PhaseMap) -> Cell | None:
    """The cell that a link names, "0-3-4"; None where the map has none of that name.

    >>> cell_of("0-3-4", DEFAULT), cell_of("9-9-9", DEFAULT), cell_of("x", DEFAULT)
    (Cell(loss=0, x=3, y=4), None, None)
    """
    parts = (text or "").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        return None
    cell = Cell(*map(int, parts))
    inside = cell.loss < len(phase.losses) and cell.x < len(phase.x) and cell.y < len(phase.y)
    return cell if inside else None


def kinds(losses: Sequence[str], besides: str = "") -> list[str]:
    """What may change along an axis: the hyperparameters that all losses have, then what is not of a loss.

    >>> kinds(("agce:a=1,q=0.5", "nce+agce:alpha=1,beta=4,a=6,q=1.5"), "noise")
    ['a', 'q', 'lr', 'classes', 'samples']
    """
    parsed = [parse(spec) for spec in losses]
    shared = [name for name in parsed[0].values if all(name in loss.values for loss in parsed)]
    return [kind for kind in (*shared, *LIMITS) if kind != besides]


def short_name(spec: str, changed: Collection[str]) -> str:
    """A loss without the hyperparameters that change over the map.

    >>> short_name("agce:a=1,q=0.6", ("a", "noise")), short_name("ce", ())
    ('AGCE (q = 0.6)', 'CE')
    """
    loss = parse(spec)
    left = [f"{name} = {value:g}" for name, value in loss.floats.items() if name not in changed]
    return f"{loss.name} ({', '.join(left)})" if left else loss.name


def first_axis(kind: str, values: Mapping[str, Any], count: int) -> Axis:
    """A first axis of this kind, of about so many values, for the reader to change."""
    data = dataset(values["map-data"])
    if kind == "noise":
        top = 0.8 if values["map-noise"].startswith("symmetric") and data.classes > 5 else 0.45
        return parse_axis(f"noise=0.1:{top}:{count}")
    if kind == "lr":
        lr = own(values)["lr"]
        return parse_axis(f"lr={lr / 100:.2g}:{lr:.2g}:{count}:log")
    if kind == "classes":
        return parse_axis(f"classes=2:{data.classes}:{min(count, data.classes - 1)}")
    if kind == "samples":
        most = own(values)["samples"] or 1000
        return parse_axis(f"samples={max(2 * data.classes, most // 20)}:{most}:{count}:log")
    low, high = _slider(parse(values["map-loss"][0]), kind)
    log = ":log" if low > 0 and high >= 10 * low else ""
    return parse_axis(f"{kind}={low:.4g}:{high:.4g}:{count}{log}")


def _slider(loss: Loss, name: str) -> tuple[float, float]:
    return next(parameter.slider for parameter in loss.declaration.parameters if parameter.name == name)
