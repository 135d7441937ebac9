"""Accuracies that others have published, to stand beside one's own runs with their source.

>>> [found.mean for found in published("cifar10", "nce+agce:alpha=1,beta=4,a=6,q=1.5", "symmetric:0.4")]
[85.91]
>>> published("cifar10", "nce+agce:alpha=1,beta=4,a=6,q=2", "symmetric:0.4")
()
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from alf.losses import catalogue, parse
from alf.training.recipe import Recipe
from alf.training.recipes import PAPER, paper

EPSILON = "eps-softmax (NeurIPS 2024), Table 2, an independent re-run with three seeds"
CURRICULUM = "A Curriculum Perspective of Robust Loss Functions, Tables 9 and 10, quoting the paper's own run"
SYMMETRIC = ("none", "symmetric:0.2", "symmetric:0.4", "symmetric:0.6", "symmetric:0.8")
ASYMMETRIC = ("asymmetric:0.1", "asymmetric:0.2", "asymmetric:0.3", "asymmetric:0.4")
NOISES = SYMMETRIC + ASYMMETRIC

# (data, source) -> loss key -> test accuracy at the last epoch in percent, mean±deviation, in the order of NOISES.
# The losses have the hyperparameters of the paper for the data set: their presets in the catalogue.
_TABLES = {
    ("cifar10", EPSILON): {
        "ce": "90.50±.35 75.47±.27 58.46±.21 39.16±.50 18.95±.38 86.98±.31 83.82±.04 79.35±.66 75.28±.58",
        "gce": "89.42±.21 86.87±.06 82.24±.25 68.43±.26 25.82±1.03 88.43±.20 86.17±.29 80.72±.42 74.01±.53",
        "nce+rce": "91.03±.28 88.41±.24 85.13±.56 79.20±.06 55.28±1.26 90.25±.08 88.11±.23 85.35±.18 79.43±.21",
        "nce+aul": "91.06±.24 89.11±.07 85.79±.16 79.57±.21 57.59±.84 90.18±.23 88.30±.44 85.28±.04 79.14±.36",
        "nce+agce": "91.13±.11 89.00±.29 85.91±.15 80.36±.36 49.98±4.81 89.90±.09 88.36±.11 85.73±.12 79.28±.37",
        "nce+ael": "88.43±.25 86.46±.28 83.06±.23 75.15±.32 43.22±.46 87.59±.38 85.98±.14 82.87±.16 75.78±.12",
    },
    ("cifar100", EPSILON): {
        "ce": "70.79±.58 56.21±2.04 39.31±.74 22.38±.74 7.33±.10 65.10±.74 58.26±.31 49.99±.54 41.15±1.04",
        "nce+aul": "69.55±.40 65.12±.36 55.86±.20 37.88±.32 12.69±.14 67.06±.23 58.16±.17 48.06±.16 38.30±.12",
        "nce+agce": "68.78±.24 65.30±.46 59.95±.15 47.63±.94 24.13±.06 67.15±.40 64.21±.17 56.18±.24 44.15±.08",
        "nce+ael": "64.47±.19 48.07±.16 32.29±.71 19.78±1.03 10.50±.51 58.20±.37 50.19±.61 43.82±.32 35.13±.23",
    },
    ("cifar100", CURRICULUM): {
        "nce+aul": "68.96±.16 65.36±.20 59.25±.23 46.34±.21 23.03±.64 66.62±.09 63.86±.18 50.38±.32 38.59±.48",
    },
}


@dataclass(frozen=True)
class Published:
    """One published number.

    Attributes
    ----------
    data, loss, noise
        Data set key, canonical loss spec, canonical noise spec.
    mean, spread
        Test accuracy at the last epoch in percent, and its standard deviation over seeds.
    source
        Where it is printed.
    """

    data: str
    loss: str
    noise: str
    mean: float
    spread: float
    source: str


def published(data: str, loss: str, noise: str) -> tuple[Published, ...]:
    """Return what has been published for a loss at exactly these hyperparameters; sources may disagree."""
    return _by_case().get((data, loss, noise), ())


@cache
def _by_case() -> dict[tuple[str, str, str], tuple[Published, ...]]:
    found: dict[tuple[str, str, str], tuple[Published, ...]] = {}
    for (data, source), rows in _TABLES.items():
        for key, row in rows.items():
            preset = catalogue()[key].preset_losses().get(data)
            loss = preset.spec if preset is not None else parse(key).spec
            for noise, text in zip(NOISES, row.split(), strict=True):
                mean, spread = map(float, text.split("±"))
                case = (data, loss, noise)
                found[case] = (*found.get(case, ()), Published(*case, mean, spread, source))
    return found


def departures(recipe: Recipe) -> tuple[str, ...]:
    """Say in words where a recipe departs from the protocol that the published numbers were made with.

    >>> departures(paper("cifar10", epochs=20, samples=5000))
    ('20 epochs instead of 120', '5,000 training samples instead of all')
    >>> departures(paper("cifar10", seeds=(7,)))
    ()
    """
    if recipe.data not in PAPER:
        return ("no published protocol for this data set",)
    theirs = paper(recipe.data, losses=recipe.losses, noise=recipe.noise, seeds=recipe.seeds, device=recipe.device)
    found = []
    for field in fields(Recipe):
        mine, other = getattr(recipe, field.name), getattr(theirs, field.name)
        if mine != other:
            found.append(_WORDS[field.name](mine, other))
    return tuple(found)


def _samples(count: int | None) -> str:
    return "all" if count is None else f"{count:,} training samples"


_WORDS: dict[str, Callable[[Any, Any], str]] = {
    "network": lambda mine, theirs: f"network {mine} instead of {theirs}",
    "epochs": lambda mine, theirs: f"{mine} epochs instead of {theirs}",
    "batch": lambda mine, theirs: f"batches of {mine} instead of {theirs}",
    "lr": lambda mine, theirs: f"learning rate {mine:g} instead of {theirs:g}",
    "momentum": lambda mine, theirs: f"momentum {mine:g} instead of {theirs:g}",
    "weight_decay": lambda mine, theirs: f"weight decay {mine:g} instead of {theirs:g}",
    "schedule": lambda mine, theirs: f"a {mine} learning rate instead of a {theirs} one",
    "clip": lambda mine, theirs: f"gradients clipped to {mine:g} instead of {theirs:g}",
    "samples": lambda mine, theirs: f"{_samples(mine)} instead of {_samples(theirs)}",
    "augment": lambda mine, theirs: f"augmentation {mine} instead of {theirs}",
    "equal_scale": lambda mine, theirs: "losses at equal gradient scale",
    "changes": lambda mine, theirs: "the learning rate changed while it ran",
}
"""Recipe field -> how to say that it differs; fields that `departures` holds equal are not here."""
