"""The recipe as a part of a view's state: what the reader set, over what the chosen data set's recipe gives."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from alf.data import DATASETS, dataset
from alf.errors import InputError, quoted
from alf.settings import settings
from alf.training.networks_spec import network_spec
from alf.training.recipe import AUGMENTS, DEVICES, LIMITS, RATES, SCHEDULES, Recipe
from alf.training.recipes import KINDS, classroom_noise, kinds_of, named_recipe
from ui.state import link

FOLLOWING = (
    *("network", "samples", "epochs", "lr", "batch"),
    *("momentum", "weight_decay", "schedule", "clip", "augment"),
)
"""What a data set's recipe decides until the reader does: in the view's state None stands for the recipe's value."""


LOSSES = ("ce", "mae", "agce:a=4,q=0.2", "ael:a=3.5")


MOST_SEEDS = 10


def _kind(text: str, values: Mapping[str, Any]) -> str:
    kinds = kinds_of(values["data"])
    if text not in kinds:
        raise InputError(f"recipe must be one of {', '.join(kinds)} for {values['data']}, got {quoted(text)}")
    return text


def _network(text: str, values: Mapping[str, Any]) -> str:
    return network_spec(text, dataset(values["data"]).shape)


def _augment(text: str, values: Mapping[str, Any]) -> str:
    offered = augments(values["data"])
    if text not in offered:
        raise InputError(f"augment must be one of {', '.join(offered)} for {values['data']}, got {quoted(text)}")
    return text


def augments(data: str) -> tuple[str, ...]:
    """The augmentations that make sense for a data set: points have none."""
    return AUGMENTS if dataset(data).is_picture else AUGMENTS[:1]


@lru_cache(maxsize=64)
def _own(kind: str, data: str) -> dict[str, Any]:
    recipe = named_recipe(kind, data, losses=("ce",), noise=("none",), seeds=(0,))
    own = {name: getattr(recipe, name) for name in FOLLOWING} | {"samples": recipe.samples or 0}
    return own | {"epochs": min(own["epochs"], settings().max_epochs)}  # no more than this installation allows


def own(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the recipe of the chosen data set gives for every field of `FOLLOWING`; 0 samples are all."""
    kinds = kinds_of(values["data"])
    return _own(values["recipe"] if values["recipe"] in kinds else kinds[0], values["data"])


def fields(losses, noise: str = "symmetric:0.5") -> tuple[link.Field, ...]:
    """The fields of a view that describe a recipe; `losses` is the field of the losses."""
    following = (
        link.spec("network", _network),
        link.whole_or_all("samples", 2, 10**6),
        link.whole("epochs", 1, 1, settings().max_epochs),
        link.share("lr", 1.0, *RATES),
        link.whole("batch", 1, 1, LIMITS["batch"]),
        link.share("momentum", 0.0, 0.0, 0.999),
        link.share("weight_decay", 0.0, 0.0, 1.0),
        link.choice("schedule", SCHEDULES, SCHEDULES[0]),
        link.share("clip", 1.0, 1e-3, 1e9),
        link.spec("augment", _augment),
    )
    return (
        link.choice("data", tuple(DATASETS), "digits"),
        link.spec("recipe", _kind, KINDS[0]),
        losses,
        link.noise(noise, classroom_noise),
        link.whole("seeds", 3, 1, MOST_SEEDS),
        *(link.follows(field, lambda values, name=field.name: own(values)[name]) for field in following),
        link.choice("scale", ("own", "equal"), "own"),
        link.choice("device", DEVICES, "auto"),
    )


def value(values: Mapping[str, Any], name: str) -> Any:
    """A field's value: the reader's, or the recipe's own."""
    return own(values)[name] if values[name] is None else values[name]


def recipe_of(values: Mapping[str, Any]) -> Recipe:
    """The recipe that a view describes.

    Raises
    ------
    InputError
        The values do not go together.
    """
    chosen = {name: value(values, name) for name in FOLLOWING}
    return named_recipe(
        values["recipe"],
        values["data"],
        losses=values["loss"],
        noise=(values["noise"],),
        seeds=tuple(range(values["seeds"])),
        equal_scale=values["scale"] == "equal",
        device=values["device"],
        **chosen | {"samples": chosen["samples"] or None},
    )
