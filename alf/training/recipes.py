"""Recipes worth starting from: the phenomenon in under a minute on two cores.

>>> classroom("digits").epochs
120
"""

from alf.data import dataset
from alf.errors import InputError
from alf.training.recipe import Recipe

CLASSROOM = {
    "digits": {
        "network": "mlp:512",
        "epochs": 120,
        "batch": 128,
        "lr": 1.0,
        "momentum": 0.9,
        "weight_decay": 0.0,
        "schedule": "cosine",
        "clip": 5.0,
    },
}
LOSSES = ("ce", "gce:q=0.7", "mae", "agce:a=4,q=0.2", "ael:a=3.5", "aul:a=3,p=0.1")
"""The six losses of the recorded run: the classical ones beside the asymmetric ones at the authors' MNIST presets."""

KINDS = ("classroom",)


def classroom(
    data: str = "digits",
    losses: tuple[str, ...] = LOSSES,
    noise: tuple[str, ...] = ("symmetric:0.5",),
    seeds: tuple[int, ...] = (0, 1, 2),
    **changes,
) -> Recipe:
    """Return the classroom recipe of a data set: CE memorises the flipped labels before the reader's eyes.

    Parameters
    ----------
    data, losses, noise, seeds
        As in `Recipe`.
    **changes
        Other fields of `Recipe` to change: ``epochs=30``.
    """
    dataset(data)
    if data not in CLASSROOM:
        raise InputError(f"recipe classroom: must be for one of {', '.join(CLASSROOM)}, got {data}")
    return Recipe(data=data, losses=tuple(losses), noise=tuple(noise), seeds=tuple(seeds), **CLASSROOM[data] | changes)


def named_recipe(kind: str, data: str, **fields) -> Recipe:
    """Return a recipe by the name of its kind.

    >>> named_recipe("classroom", "digits", losses=("ce",)).lr
    1.0
    """
    kinds = {"classroom": classroom}
    if kind not in kinds:
        raise InputError(f"recipe: must be one of {', '.join(kinds)}, got {kind[:60]}")
    return kinds[kind](data, **fields)
