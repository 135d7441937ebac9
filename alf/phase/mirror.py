"""The mirror: what theory says the best prediction is, and what trained networks say, over the noise.

The best prediction is the minimiser of the weighted risk sum_i T[y, i] L(u, i), for each clean class y: what a network
would say that can say anything and has seen infinitely many labels. A trained network has seen the labels that were
drawn, so it is held beside the best prediction for these labels too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alf.losses import Loss
from alf.noise import NoisePath
from alf.theory.risk.minimiser import minimise
from alf.training.recipe import Lane, Recipe
from alf.training.samples import given_labels, samples_used

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Best:
    """The confidence in the clean class of the best prediction at each of n noises, mean over the classes.

    Attributes
    ----------
    low, high : ndarray (n,)
        The least and the largest among the minimisers: apart where they do not agree on it.
    """

    low: Array
    high: Array

    @property
    def unique(self) -> NDArray[np.bool_]:
        """Where the minimisers agree, shape (n,)."""
        return self.high - self.low < 1e-2

    def gap(self, confidence: Array) -> Array:
        """How far confidences (n,) lie above (or, negative, below) the nearest of the minimisers."""
        nearest: Array = np.clip(confidence, self.low, self.high)
        return confidence - nearest


def best_confidence(loss: Loss, transitions: Array) -> Best:
    """How sure the best prediction is of the clean class.

    Parameters
    ----------
    loss : Loss
    transitions : array_like (n, 3, 3)
        ``transitions[k, i, j] = P(given label j | true label i)``. Found on a grid and refined: a picture, no proof.

    Examples
    --------
    >>> from alf.losses import parse
    >>> pair = [[0.6, 0.4, 0], [0, 0.6, 0.4], [0.4, 0, 0.6]]
    >>> [best_confidence(parse(loss), [pair]).high.round(3).tolist() for loss in ("ce", "ael:a=1", "mae")]
    [[0.6], [0.703], [1.0]]
    """
    matrices = np.asarray(transitions, dtype=float)
    own = np.diagonal(matrices, axis1=1, axis2=2)
    others = np.sort(matrices[~np.broadcast_to(np.eye(3, dtype=bool), matrices.shape)].reshape(-1, 3, 2))[..., ::-1]
    # a loss treats all classes alike: rows that are the same but for their order have the same answer
    rows, place = np.unique(
        np.concatenate([own[..., None], others], axis=-1).reshape(-1, 3), axis=0, return_inverse=True
    )
    ends = np.array([(m.low[0], m.high[0]) for m in minimise(loss.vector, rows)])
    low, high = ends[place.reshape(-1, 3)].mean(axis=1).T
    return Best(low, high)


def best_on_path(loss: Loss, path: NoisePath, places: Array, proved: float = 0.0) -> Best:
    """How sure the best prediction is at places t of the way to a noise over three classes.

    Up to `proved` the loss is known to tolerate the noise (`alf.theory.asking.rate.tolerated_part`): there it is sure.
    """
    t, end = np.asarray(places, dtype=float), np.array([[float(p) for p in row] for row in path.rows])
    found = best_confidence(loss, (1 - t)[:, None, None] * np.eye(3) + t[:, None, None] * end)
    sure = found.unique & (t <= proved)
    return Best(np.where(sure, 1.0, found.low), np.where(sure, 1.0, found.high))


@dataclass(frozen=True)
class Networks:
    """What the networks of one loss say at n noises, beside the best predictions.

    Attributes
    ----------
    confidence : ndarray (n, seeds)
        In the true class, mean over the test set; nan where there is no network yet.
    dead : ndarray (n, seeds)
        How many classes a network never predicts.
    best : Best
        At the n noises.
    drawn : Best
        For the labels as they were drawn, (n * seeds,) in that order.
    """

    confidence: Array
    dead: Array
    best: Best
    drawn: Best

    @property
    def mean(self) -> Array:
        """Mean over the seeds, (n,)."""
        return np.asarray(self.confidence.mean(axis=1))

    @property
    def spread(self) -> Array:
        """Standard deviation over the seeds, (n,)."""
        return np.asarray(self.confidence.std(axis=1))

    @property
    def gap(self) -> Array:
        """How far the mean over the seeds lies above the best prediction, (n,)."""
        return self.best.gap(self.mean)

    @property
    def drawn_gap(self) -> Array:
        """How far the networks lie from the best prediction for their own labels, mean of the distances, (n,)."""
        distances = np.abs(self.drawn.gap(self.confidence.ravel())).reshape(self.confidence.shape)
        return np.asarray(distances.mean(axis=1))


def farthest(gap: Array) -> int | None:
    """The number of the largest distance, None where there is none.

    >>> farthest(np.array([0.1, -0.3, np.nan])), farthest(np.array([np.nan]))
    (1, None)
    """
    return None if np.isnan(gap).all() else int(np.nanargmax(np.abs(gap)))


def drawn_transitions(recipe: Recipe) -> Array:
    """The shares with which the labels of a recipe were drawn, by noise and seed: (noises, seeds, K, K)."""
    arrays = recipe.load()
    used = samples_used(recipe, arrays.train_labels)
    inputs, true = arrays.train_inputs[used], arrays.train_labels[used]
    classes = recipe.dataset.classes
    counts = np.zeros((len(recipe.noise), len(recipe.seeds), classes, classes))
    for i, noise in enumerate(recipe.noise):
        for j, seed in enumerate(recipe.seeds):
            np.add.at(counts[i, j], (true, given_labels(recipe, Lane("", noise, seed), inputs, true)), 1)
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))


def networks(spec: str, recipe: Recipe, records: Mapping[Lane, Mapping[str, Any]], best: Best, drawn: Best) -> Networks:
    """Hold the networks of one loss beside the best predictions.

    Parameters
    ----------
    spec : str
        The loss.
    recipe : Recipe
        Its noises and seeds are those of the networks.
    records : mapping
        A record for each network that there is, by its lane.
    best : Best
        At the recipe's noises.
    drawn : Best
        For the labels as they were drawn: `best_confidence` of `drawn_transitions`, noise by noise and seed by seed.
    """
    found = [[records.get(Lane(spec, noise, seed), {}) for seed in recipe.seeds] for noise in recipe.noise]

    def values(metric: str) -> Array:
        return np.array([[record.get(metric, np.nan) for record in row] for row in found], dtype=float)

    return Networks(values("confidence"), values("dead_classes"), best, drawn)


def curve_places(path: NoisePath, points: int = 97) -> Array:
    """Where the curve of the best prediction is drawn: from clean labels to just before they no longer dominate."""
    return np.linspace(0, float(path.reach if path.reach == 1 else path.reach * Fraction(99, 100)), points)
