"""What a trained model does, sample by sample: confusions, memorised labels, learned features, decision regions.

A worker takes a `snapshot` of its trainer now and then and at the end; `Inspection` reads it back beside the data, with
numpy alone, so that a page can show it without torch.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from alf.data import Arrays, stratified
from alf.training.recipe import Lane, Recipe

GRID = 80
"""Points along each side of the decision regions of a 2-D data set."""
REACH = 2.6
"""Regions cover [-REACH, REACH] in normalised coordinates."""
SHOWN = 300
"""Test samples whose features are projected to the plane."""
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


def grid() -> np.ndarray:
    """Return the points of the decision regions in normalised coordinates, row by row from below: (GRID**2, 2)."""
    side = np.linspace(-REACH, REACH, GRID, dtype=np.float32)
    x, y = np.meshgrid(side, side)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def snapshot(trainer) -> dict[str, np.ndarray]:
    """Take what an `Inspection` needs from a trainer after an epoch, as arrays with a leading lane axis.

    ``lanes`` (L,), ``epoch`` (), ``train`` (L, M) and ``test`` (L, N) predicted classes, ``plane`` (L, S, 2) features
    of the first test samples on their two principal axes, and for points in the plane ``regions`` (L, GRID, GRID).
    """
    import torch

    arrays = {
        "lanes": np.array(trainer.alive, np.int32),
        "epoch": np.array(trainer.epoch, np.int32),
        "train": trainer.train_predictions.cpu().numpy().astype(np.int16),
        "test": trainer.test_predictions.cpu().numpy().astype(np.int16),
    }
    with torch.no_grad():
        trainer.model.eval()
        features = trainer.model.features(trainer.normal(trainer.test_inputs[:SHOWN][None]))
        features = features.expand(len(trainer.alive), -1, -1)
        features = features - features.mean(dim=1, keepdim=True)
        plane = in_the_plane(features)
        # An axis has no sign of its own: the largest coordinate is made positive, so that pictures do not flip about.
        largest = plane.gather(1, plane.abs().argmax(dim=1, keepdim=True))
        arrays["plane"] = (plane * largest.sign()).float().cpu().numpy()
        if trainer.recipe.dataset.shape == (2,):
            points = torch.from_numpy(grid()).to(trainer.device)
            classes = trainer.model(points[None]).argmax(dim=-1).view(-1, GRID, GRID)
            arrays["regions"] = classes.cpu().numpy().astype(np.int16)
    return arrays


def in_the_plane(features, steps: int = 20):
    """Project centred features (L, S, n) on the two axes along which they vary most: (L, S, 2).

    Subspace iteration on the samples' inner products, from a fixed start: a full decomposition takes a hundred times
    longer.
    """
    import torch

    products = features @ features.transpose(1, 2)
    width = min(8, products.shape[-1])
    basis = torch.randn(products.shape[-1], width, generator=torch.Generator().manual_seed(0)).to(products)
    basis = basis.expand(len(products), -1, -1)
    for _ in range(steps):
        basis = torch.linalg.qr(products @ basis).Q
    variances, turn = torch.linalg.eigh(basis.transpose(1, 2) @ products @ basis)  # ascending
    return (basis @ turn * variances.clamp_min(0).sqrt().unsqueeze(1))[..., [-1, -2]]


@dataclass(frozen=True)
class Inspection:
    """One lane at one epoch, beside the data it was trained and tested on.

    Attributes
    ----------
    lane, epoch
        Which model, after which epoch.
    test_inputs, test_true, test_predicted
        Raw test pictures, true and predicted classes.
    train_inputs, train_true, train_given, train_predicted
        The measured training samples: raw pictures, true labels, labels as given, predicted classes.
    plane
        (S, 2): features of the first S test samples on their two principal axes.
    regions
        (GRID, GRID) predicted classes over `grid()`, or None where inputs are not points in the plane.
    """

    lane: Lane
    epoch: int
    classes: int
    test_inputs: np.ndarray = field(repr=False)
    test_true: np.ndarray = field(repr=False)
    test_predicted: np.ndarray = field(repr=False)
    train_inputs: np.ndarray = field(repr=False)
    train_true: np.ndarray = field(repr=False)
    train_given: np.ndarray = field(repr=False)
    train_predicted: np.ndarray = field(repr=False)
    plane: np.ndarray = field(repr=False)
    regions: np.ndarray | None = field(repr=False)

    @cached_property
    def confusion(self) -> np.ndarray:
        """Counts of test samples, (K, K): row true class, column predicted class."""
        counts = np.zeros((self.classes, self.classes), int)
        np.add.at(counts, (self.test_true, self.test_predicted), 1)
        return counts

    @property
    def class_accuracy(self) -> np.ndarray:
        """Share of each class's test samples that are predicted right, (K,)."""
        return self.confusion.diagonal() / self.confusion.sum(axis=1)

    @property
    def flipped(self) -> np.ndarray:
        """Which of the measured training samples were given a wrong label, (M,) bool."""
        return self.train_given != self.train_true

    @property
    def memorised(self) -> np.ndarray:
        """Which of the measured training samples are predicted as the wrong label they were given, (M,) bool."""
        return self.flipped & (self.train_predicted == self.train_given)


def inspect(recipe: Recipe, arrays: Arrays, shot: dict[str, np.ndarray], lane: int) -> Inspection | None:
    """Put a lane of a snapshot beside its data; None when the lane is not in it."""
    position = np.flatnonzero(shot["lanes"] == lane)
    if not len(position):
        return None
    i, which = position[0], recipe.lanes[lane]
    used = samples_used(recipe, arrays.train_labels)
    inputs, true = arrays.train_inputs[used], arrays.train_labels[used]
    some = measured(true)
    return Inspection(
        lane=which,
        epoch=int(shot["epoch"]),
        classes=recipe.dataset.classes,
        test_inputs=arrays.test_inputs,
        test_true=arrays.test_labels,
        test_predicted=shot["test"][i].astype(int),
        train_inputs=inputs[some],
        train_true=true[some],
        train_given=given_labels(recipe, which, inputs, true)[some],
        train_predicted=shot["train"][i].astype(int),
        plane=shot["plane"][i],
        regions=shot["regions"][i] if "regions" in shot else None,
    )
