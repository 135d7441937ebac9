"""The recipe as a part of a view's state: what the reader set, over what the chosen data set's recipe gives."""

from collections.abc import Callable, Mapping, Sequence
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


def _one_of(name: str, offered: Callable[[str], Sequence[str]], default: str | None = None) -> link.Field:
    """One of the words that are offered for the data set."""

    def check(text: str, values: Mapping[str, Any]) -> str:
        if text not in (words := offered(values["data"])):
            raise InputError(f"{name} must be one of {', '.join(words)} for {values['data']}, got {quoted(text)}")
        return text

    return link.spec(name, check, default)


def _network(text: str, values: Mapping[str, Any]) -> str:
    return network_spec(text, dataset(values["data"]).shape)


def augments(data: str) -> tuple[str, ...]:
    """The augmentations that make sense for a data set: points have none."""
    return AUGMENTS if dataset(data).is_picture else AUGMENTS[:1]


@lru_cache(maxsize=64)
def _own(kind: str, data: str) -> dict[str, Any]:
    own = _following(named_recipe(kind, data, losses=("ce",), noise=("none",), seeds=(0,)))
    return own | {"epochs": min(own["epochs"], settings().max_epochs)}  # no more than this installation allows


def _following(recipe: Recipe) -> dict[str, Any]:
    return {name: getattr(recipe, name) for name in FOLLOWING} | {"samples": recipe.samples or 0}


def own(values: Mapping[str, Any]) -> dict[str, Any]:
    """What the recipe of the chosen data set gives for every field of `FOLLOWING`; 0 samples are all."""
    kinds = kinds_of(values["data"])
    return _own(values["recipe"] if values["recipe"] in kinds else kinds[0], values["data"])


def fields(losses: link.Field) -> tuple[link.Field, ...]:
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
        _one_of("augment", augments),
    )
    return (
        link.choice("data", tuple(DATASETS), "digits"),
        _one_of("recipe", kinds_of, KINDS[0]),
        losses,
        link.noise("symmetric:0.5", classroom_noise),
        link.whole("seeds", 3, 1, MOST_SEEDS),
        *(link.follows(field, lambda values, name=field.name: own(values)[name]) for field in following),
        link.choice("scale", ("own", "equal"), "own"),
        link.choice("device", DEVICES, "auto"),
    )


def recipe_of(values: Mapping[str, Any]) -> Recipe:
    """The recipe that a view describes.

    Raises
    ------
    InputError
        The values do not go together.
    """
    chosen = own(values) | {name: values[name] for name in FOLLOWING if values[name] is not None}
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


def values_of(recipe: Recipe) -> dict[str, Any]:
    """The values of a view that describe a recipe: of them `recipe_of` makes it again."""
    return {
        "data": recipe.data,
        "recipe": "classroom",
        "loss": recipe.losses,
        "noise": recipe.noise[0],
        "seeds": len(recipe.seeds),
        "scale": "equal" if recipe.equal_scale else "own",
        "device": recipe.device,
        **_following(recipe),
    }
