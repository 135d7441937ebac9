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
from alf.training.recipes import PAPER, classroom_losses, paper

EPSILON = "eps-softmax (NeurIPS 2024), Table 2, an independent re-run with three seeds"
CURRICULUM = "A Curriculum Perspective of Robust Loss Functions, Tables 9 and 10, quoting the paper's own run"
JOINT = "Joint Asymmetric Loss for Learning with Noisy Labels (ICCV 2025), from notes and without deviations"
SEEDS = 3
"""Runs behind each published number."""
SYMMETRIC = ("none", "symmetric:0.2", "symmetric:0.4", "symmetric:0.6", "symmetric:0.8")
ASYMMETRIC = ("asymmetric:0.1", "asymmetric:0.2", "asymmetric:0.3", "asymmetric:0.4")
NOISES = SYMMETRIC + ASYMMETRIC


@dataclass(frozen=True)
class Method:
    """A row of published numbers.

    Attributes
    ----------
    name
        What the source calls it.
    loss
        Its canonical spec; None where the catalogue cannot say it, so that nothing here can be trained in its place.
    note
        What must be said beside its numbers.
    differs
        What its protocol has that no recipe here has: a run of ours is then never the same experiment.
    """

    name: str
    loss: str | None
    note: str = ""
    differs: str = ""


_L1 = "an L1 penalty on the network's weights instead of weight decay"
# How a source's method is said here, where that is not a loss of the catalogue at the paper's preset for the data set.
_METHODS = {
    "SCE": Method(
        "SCE", "sce:alpha=0.1,beta=1", "hyperparameters as in the code of the re-run, not the paper's (1, 1)"
    ),
    "LDR-KL": Method("LDR-KL", None, "a re-implementation"),
    "CE+LC": Method("CE+LC", None, "a re-implementation that rescales to the inverse of its threshold"),
    "CE-eps+MAE": Method("CE-eps+MAE", None),
    "FL-eps+MAE": Method("FL-eps+MAE", None),
    "ANL-CE": Method("ANL-CE", None, differs=_L1),
    ("JAL-CE", "cifar10"): Method("JAL-CE", "nce+amse:alpha=1,beta=1,a=30", differs=_L1),
    ("JAL-CE", "cifar100"): Method("JAL-CE", "nce+amse:alpha=5,beta=1,a=20", differs=_L1),
    "AMSE": Method("AMSE", None, "its hyperparameter is not known here"),
}

# (data, source) -> method -> test accuracy at the last epoch in percent, mean±deviation, in the order of NOISES; what
# is not known is a dash.
_TABLES = {
    ("cifar10", EPSILON): {
        "ce": "90.50±.35 75.47±.27 58.46±.21 39.16±.50 18.95±.38 86.98±.31 83.82±.04 79.35±.66 75.28±.58",
        "gce": "89.42±.21 86.87±.06 82.24±.25 68.43±.26 25.82±1.03 88.43±.20 86.17±.29 80.72±.42 74.01±.53",
        "nce+rce": "91.03±.28 88.41±.24 85.13±.56 79.20±.06 55.28±1.26 90.25±.08 88.11±.23 85.35±.18 79.43±.21",
        "nce+aul": "91.06±.24 89.11±.07 85.79±.16 79.57±.21 57.59±.84 90.18±.23 88.30±.44 85.28±.04 79.14±.36",
        "nce+agce": "91.13±.11 89.00±.29 85.91±.15 80.36±.36 49.98±4.81 89.90±.09 88.36±.11 85.73±.12 79.28±.37",
        "nce+ael": "88.43±.25 86.46±.28 83.06±.23 75.15±.32 43.22±.46 87.59±.38 85.98±.14 82.87±.16 75.78±.12",
        # of these the means alone are known here
        "SCE": "91.30 87.58 79.47 59.14 25.88 89.87 86.48 81.30 74.99",
        "nce+mae": "89.02 86.79 83.60 75.93 46.96 88.03 85.53 81.10 74.98",
        "LDR-KL": "91.38 89.01 85.46 74.93 34.78 90.24 88.38 85.03 77.68",
        "CE+LC": "90.06 85.66 79.18 53.87 21.04 87.99 84.01 79.71 74.34",
        "CE-eps+MAE": "91.40 89.29 85.93 79.52 58.96 90.30 88.62 85.56 78.91",
        "FL-eps+MAE": "91.11 89.13 86.15 79.81 58.02 90.39 88.40 85.31 79.04",
    },
    ("cifar10", JOINT): {
        "ANL-CE": "- - 87.16 - 62.28 - 89.09 - 77.99",
        "JAL-CE": "- - 87.53 - 65.43 - 89.11 - 79.54",
        "AMSE": "- - 87.54 - 64.97 - 83.88 - 58.07",
    },
    ("cifar100", EPSILON): {
        "ce": "70.79±.58 56.21±2.04 39.31±.74 22.38±.74 7.33±.10 65.10±.74 58.26±.31 49.99±.54 41.15±1.04",
        "nce+aul": "69.55±.40 65.12±.36 55.86±.20 37.88±.32 12.69±.14 67.06±.23 58.16±.17 48.06±.16 38.30±.12",
        "nce+agce": "68.78±.24 65.30±.46 59.95±.15 47.63±.94 24.13±.06 67.15±.40 64.21±.17 56.18±.24 44.15±.08",
        "nce+ael": "64.47±.19 48.07±.16 32.29±.71 19.78±1.03 10.50±.51 58.20±.37 50.19±.61 43.82±.32 35.13±.23",
        "LDR-KL": "71.03 56.69 40.69 22.59 7.49 65.93 58.47 50.92 41.94",
        "CE+LC": "71.80 56.26 37.36 17.46 6.32 65.85 58.84 50.46 40.97",
        "CE-eps+MAE": "70.83 65.45 59.20 48.15 26.30 67.58 64.52 58.47 48.51",
    },
    ("cifar100", CURRICULUM): {
        "nce+aul": "68.96±.16 65.36±.20 59.25±.23 46.34±.21 23.03±.64 66.62±.09 63.86±.18 50.38±.32 38.59±.48",
    },
    ("cifar100", JOINT): {
        "ANL-CE": "- - 61.58 52.09 - - - 60.57 45.73",
        "JAL-CE": "- - 64.11 56.73 - - - 64.90 56.17",
    },
}


@dataclass(frozen=True)
class Published:
    """One published number.

    Attributes
    ----------
    data, method, noise
        Data set key, method, canonical noise spec.
    mean, spread
        Test accuracy at the last epoch in percent, and its standard deviation over seeds, None where that is not known.
    source
        Where it is printed.
    """

    data: str
    method: Method
    noise: str
    mean: float
    spread: float | None
    source: str


def published(data: str, loss: str, noise: str) -> tuple[Published, ...]:
    """Return what has been published for a loss at exactly these hyperparameters; sources may disagree."""
    return tuple(number for number in numbers(data) if (number.method.loss, number.noise) == (loss, noise))


@cache
def numbers(data: str) -> tuple[Published, ...]:
    """Return everything that has been published for a data set.

    >>> len(numbers("cifar10")), len(numbers("digits"))
    (120, 0)
    """
    found = []
    for (key, source), rows in _TABLES.items():
        for name, row in rows.items() if key == data else ():
            for noise, text in zip(NOISES, row.split(), strict=True):
                mean, _, spread = text.partition("±")
                if mean != "-":
                    known = float(spread) if spread else None
                    found.append(Published(data, _method(name, data), noise, float(mean), known, source))
    return tuple(found)


def methods(data: str) -> tuple[Method, ...]:
    """Return the rows of a data set's table: the losses of its recipe, then what else has been published.

    >>> [method.name for method in methods("cifar100") if method.loss is None]
    ['LDR-KL', 'CE+LC', 'CE-eps+MAE', 'ANL-CE']
    """
    ours = paper(data).losses if data in PAPER else classroom_losses(data)
    named = {loss: Method(parse(loss).name, loss) for loss in ours}
    others = dict.fromkeys(number.method for number in numbers(data) if number.method.loss not in named)
    return (*named.values(), *others)


@cache
def _method(name: str, data: str) -> Method:
    found = _METHODS.get(name) or _METHODS.get((name, data))
    if found is not None:
        return found
    preset = catalogue()[name].preset_losses().get(data)
    loss = preset if preset is not None else parse(name)
    return Method(loss.name, loss.spec)


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
