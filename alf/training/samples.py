"""Which training samples a recipe uses, which of them are measured, and which labels they are given."""

import numpy as np

from alf.data import dataset, stratified
from alf.training.recipe import Lane, Recipe

MEASURED = 10_000
"""Training samples measured after each epoch: all of a smaller set, a fixed stratified part of a larger one."""
SIZES = {
    "digits": (1438, 359),
    "clusters": (3000, 1000),
    **dict.fromkeys(("mnist", "fashion-mnist"), (60_000, 10_000)),
    **dict.fromkeys(("cifar10", "cifar100"), (50_000, 10_000)),
}
"""Training and test samples; of points in the plane `POINTS`."""
POINTS = (1000, 1000)


def sizes(recipe: Recipe) -> tuple[int, int]:
    """Return about how many training and test samples a recipe uses, without reading the data.

    >>> recipe = Recipe(data="digits:5", losses=("ce",))
    >>> sizes(recipe), sizes(recipe.with_(samples=100))
    ((719, 179), (100, 179))
    """
    whole = dataset(recipe.data.partition(":")[0])
    train, test = (n * recipe.dataset.classes // whole.classes for n in SIZES.get(whole.key, POINTS))
    return recipe.samples or train, test


def samples_used(recipe: Recipe, labels: np.ndarray) -> np.ndarray:
    """Return the indices of the training samples that a recipe uses."""
    if recipe.samples is None:
        return np.arange(len(labels))
    return stratified(labels, recipe.samples / len(labels), seed=0)[1]


def measured(labels: np.ndarray) -> np.ndarray:
    """Return the positions, among the samples used, of those measured after each epoch."""
    if len(labels) <= MEASURED:
        return np.arange(len(labels))
    return stratified(labels, MEASURED / len(labels), seed=1)[1]


def given_labels(recipe: Recipe, lane: Lane, inputs: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Draw the labels that a lane is trained on."""
    noise = recipe.parse_noise(lane.noise)
    seen = recipe.dataset.normalise(inputs) if noise.kind == "instance" else None
    return noise.corrupt(true, lane.seed, seen)
