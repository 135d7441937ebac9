"""Which training samples a recipe uses, which of them are measured, and which labels they are given."""

import numpy as np

from alf.data import stratified
from alf.training.recipe import Lane, Recipe

MEASURED = 10_000
"""Training samples measured after each epoch: all of a smaller set, a fixed stratified part of a larger one."""


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
