"""What a trained model does, sample by sample: confusions, memorised labels, learned features, decision regions.

A worker takes a snapshot of its trainer now and then and at the end (`alf.training.snapshots`); `Inspection` reads it
back beside the data, with numpy alone, so that a page can show it without torch.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from alf.data import Arrays
from alf.training.recipe import Lane, Recipe
from alf.training.samples import given_labels, measured, samples_used

REACH = 2.6
"""Regions cover [-REACH, REACH] in normalised coordinates."""


def grid(side: int) -> np.ndarray:
    """Return the points of the decision regions in normalised coordinates, row by row from below: (side**2, 2)."""
    along = np.linspace(-REACH, REACH, side, dtype=np.float32)
    x, y = np.meshgrid(along, along)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def tsne(features: np.ndarray) -> np.ndarray:
    """Place samples in the plane so that those with similar features are neighbours: (S, n) -> (S, 2).

    t-SNE (van der Maaten, Hinton 2008), from a fixed start. Takes about a second for 300 samples; run it where it can
    be stopped.
    """
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(features) - 1) / 3)
    placed = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(features.astype(np.float32))
    return np.asarray(placed)


def never_predicted(true: np.ndarray, predicted: np.ndarray) -> tuple[int, ...]:
    """Return the classes there are that are predicted for no sample.

    >>> never_predicted(np.array([0, 1, 2, 3]), np.array([0, 0, 3, 3]))
    (1, 2)
    """
    return tuple(int(i) for i in np.setdiff1d(true, predicted))


@dataclass(frozen=True)
class Inspection:
    """One lane at one epoch, beside the data it was trained and tested on.

    Attributes
    ----------
    lane, epoch
        Which model, after which epoch.
    test_true, test_predicted
        True and predicted classes of the test samples.
    train_true, train_given, train_predicted
        The measured training samples: true labels, labels as given, predicted classes.
    plane
        (S, 2): features of the first S test samples on their two principal axes.
    features, variance
        (S, A) the same on more axes, (A,) share of the variance along each; None in snapshots of earlier versions.
    scores
        (side, side, K) log-probabilities up to a constant over `grid(side)`; None where inputs are not points.
    """

    lane: Lane
    epoch: int
    classes: int
    test_true: np.ndarray = field(repr=False)
    test_predicted: np.ndarray = field(repr=False)
    train_true: np.ndarray = field(repr=False)
    train_given: np.ndarray = field(repr=False)
    train_predicted: np.ndarray = field(repr=False)
    plane: np.ndarray = field(repr=False)
    features: np.ndarray | None = field(repr=False)
    variance: np.ndarray | None = field(repr=False)
    scores: np.ndarray | None = field(repr=False)
    arrays: Arrays = field(repr=False)
    used: np.ndarray = field(repr=False)

    def train_inputs(self, some: "slice | np.ndarray" = slice(None)) -> np.ndarray:
        """Return the raw inputs of some of the measured training samples, all of them by default (a copy)."""
        return np.asarray(self.arrays.train_inputs[self.used[some]])

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts of test samples, (K, K): row true class, column predicted class."""
        counts = np.zeros((self.classes, self.classes), int)
        np.add.at(counts, (self.test_true, self.test_predicted), 1)
        return counts

    @property
    def class_accuracy(self) -> np.ndarray:
        """Share of each class's test samples that are predicted right, (K,); NaN for a class without any."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.confusion.diagonal() / self.confusion.sum(axis=1))

    @property
    def never_predicted(self) -> tuple[int, ...]:
        """The classes of the test set that no test sample is predicted as."""
        return never_predicted(self.test_true, self.test_predicted)

    @property
    def flipped(self) -> np.ndarray:
        """Which of the measured training samples were given a wrong label, (M,) bool."""
        return np.asarray(self.train_given != self.train_true)

    @property
    def memorised(self) -> np.ndarray:
        """Which of the measured training samples are predicted as the wrong label they were given, (M,) bool."""
        return np.asarray(self.flipped & (self.train_predicted == self.train_given))

    @property
    def resisted(self) -> np.ndarray:
        """Which of the measured training samples are predicted right although their label is wrong, (M,) bool."""
        return np.asarray(self.flipped & (self.train_predicted == self.train_true))


def inspect(recipe: Recipe, arrays: Arrays, shot: dict[str, np.ndarray], lane: int) -> Inspection | None:
    """Put a lane of a snapshot beside its data; None when the lane is not in it.

    Snapshots of earlier versions, with ``plane`` for ``features`` and ``regions`` for ``scores``, are read too.
    """
    position = np.flatnonzero(shot["lanes"] == lane)
    if not len(position):
        return None
    i, which, classes = position[0], recipe.lanes[lane], recipe.dataset.classes
    used = samples_used(recipe, arrays.train_labels)
    inputs, true = arrays.train_inputs, arrays.train_labels[used]
    if recipe.parse_noise(which.noise).kind == "instance":  # the one noise that looks at the inputs
        inputs = inputs[used]
    some = measured(true)
    scores = shot["scores"][i].astype(np.float32) if "scores" in shot else None
    if "regions" in shot:
        scores = 20 * np.eye(classes, dtype=np.float32)[shot["regions"][i]]
    features = shot["features"][i].astype(np.float32) if "features" in shot else None
    return Inspection(
        lane=which,
        epoch=int(shot["epoch"]),
        classes=classes,
        test_true=arrays.test_labels,
        test_predicted=shot["test"][i].astype(int),
        train_true=true[some],
        train_given=given_labels(recipe, which, inputs, true)[some],
        train_predicted=shot["train"][i].astype(int),
        plane=shot["plane"][i] if features is None else features[:, :2],
        features=features,
        variance=shot["variance"][i] if "variance" in shot else None,
        scores=scores,
        arrays=arrays,
        used=used[some],
    )
