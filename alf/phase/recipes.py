"""The recipes of maps: quick enough for hundreds of networks, long enough to show what the lesson's recipe shows."""

from typing import Any

from alf.errors import InputError
from alf.phase.axes import parse_axis
from alf.phase.phase_map import PhaseMap
from alf.training.recipe import Recipe
from alf.training.recipes import classroom, named_recipe

QUICK: dict[str, dict[str, Any]] = {"digits": {"network": "mlp:256", "epochs": 60}}
"""What differs from the recipe ``classroom``, by data set: half as wide and half as long a training."""
KINDS = ("map", "classroom", "paper")

LOSS, NOISE = "agce:a=0.6,q=0.6", "symmetric:0.4"
HEADLINE = ("agce:a=1,q=0.6", "ael:a=1", "nce+agce:alpha=1,beta=4,a=1,q=0.6")
X, Y = "a=0.05:6:12:log", "noise=0.1:0.8:10"
"""The map that is shown where nothing else is asked for."""


def map_recipe(
    data: str = "digits",
    losses: tuple[str, ...] = (LOSS,),
    noise: tuple[str, ...] = (NOISE,),
    seeds: tuple[int, ...] = (0, 1, 2),
    kind: str = "map",
    **changes: Any,
) -> Recipe:
    """Return the recipe of a map's networks.

    Parameters
    ----------
    data, losses, noise, seeds
        As in `Recipe`.
    kind
        ``map``, or one of `alf.training.recipes.KINDS`.
    **changes
        Other fields of `Recipe` to change: ``epochs=30``.

    >>> map_recipe("digits").network, map_recipe("clusters").network, map_recipe("digits", kind="classroom").network
    ('mlp:256', 'mlp:16', 'mlp:512')
    """
    if kind == "map":
        own = QUICK.get(data.partition(":")[0], {})
        return classroom(data, losses, noise, seeds, **own | changes)
    if kind not in KINDS:
        raise InputError(f"recipe: must be one of {', '.join(KINDS)}, got {kind[:60]}")
    return named_recipe(kind, data, losses=losses, noise=noise, seeds=seeds, **changes)


def headline_map() -> PhaseMap:
    """Return the map of 1,600 networks a loss, on data that every network can tell apart.

    >>> headline_map().networks
    4800
    """
    recipe = map_recipe("clusters", HEADLINE, ("pair:0.1",), (0,))
    return PhaseMap(recipe, parse_axis("a=0.1:8:40:log"), parse_axis("noise=0.00625:0.49375:40"))


def default_map() -> PhaseMap:
    """Return the map that is shown where nothing else is asked for: 12 x 10 cells of three networks.

    >>> default_map().networks
    360
    """
    return PhaseMap(map_recipe(), parse_axis(X), parse_axis(Y))
