"""What a trained model does, sample by sample: confusions, memorised labels, learned features, decision regions.

A worker takes a `snapshot` of its trainer now and then and at the end; `Inspection` reads it back beside the data, with
numpy alone, so that a page can show it without torch.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from alf.data import Arrays, stratified
from alf.training.recipe import Lane, Recipe


class Detail(NamedTuple):
    """How much of what a model does is kept.

    Attributes
    ----------
    side
        Points along each side of the decision regions of a 2-D data set.
    samples
        Test samples whose features are kept.
    axes
        Principal axes on which they are kept, in half precision.
    iterations
        Steps of the subspace iteration that finds the axes.
    """

    side: int
    samples: int
    axes: int
    iterations: int


FINE, COARSE = Detail(40, 300, 30, 2), Detail(20, 150, 10, 1)
"""After the last epoch, and on the way there, where half the cost lets regions move twice as often."""
REACH = 2.6
"""Regions cover [-REACH, REACH] in normalised coordinates."""
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


def grid(side: int) -> np.ndarray:
    """Return the points of the decision regions in normalised coordinates, row by row from below: (side**2, 2)."""
    along = np.linspace(-REACH, REACH, side, dtype=np.float32)
    x, y = np.meshgrid(along, along)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def snapshot(trainer) -> dict[str, np.ndarray]:
    """Take what an `Inspection` needs from a trainer after an epoch, as arrays with a leading lane axis.

    ``lanes`` (L,), ``epoch`` (), ``train`` (L, M) and ``test`` (L, N) predicted classes, ``features`` (L, S, A) of the
    first test samples on their principal axes and ``variance`` (L, A), the share of it along each, and for points in
    the plane ``scores`` (L, side, side, K), log-probabilities up to a constant per point.
    """
    import torch

    detail = FINE if trainer.epoch == trainer.recipe.epochs else COARSE
    small = np.uint8 if trainer.classes <= 256 else np.int16
    arrays = {
        "lanes": np.array(trainer.alive, np.int32),
        "epoch": np.array(trainer.epoch, np.int32),
        "train": trainer.train_predictions.cpu().numpy().astype(small),
        "test": trainer.test_predictions.cpu().numpy().astype(small),
    }
    with torch.no_grad():
        trainer.model.eval()
        features = trainer.model.features(trainer.normal(trainer.test_inputs[: detail.samples][None]))
        features = features.expand(len(trainer.alive), -1, -1)
        features, variance = on_principal_axes(features, detail.axes, detail.iterations)
        arrays["features"] = features.half().cpu().numpy()
        arrays["variance"] = variance.float().cpu().numpy()
        if trainer.recipe.dataset.shape == (2,):
            logits = trainer.model(torch.from_numpy(grid(detail.side)).to(trainer.device)[None])
            logits = (logits - logits.amax(dim=-1, keepdim=True)).clamp_min(-6e4)  # what half precision can hold
            arrays["scores"] = logits.view(-1, detail.side, detail.side, trainer.classes).half().cpu().numpy()
    # safetensors writes memory as it lies: transposed arrays would come back scrambled
    return {name: np.asarray(array, order="C") for name, array in arrays.items()}


def on_principal_axes(features, axes: int, iterations: int = 2):
    """Project features (L, S, n) on the axes along which they vary most, and say how much of the variance each holds.

    Subspace iteration on the samples' inner products, from a fixed start: a full decomposition takes several times
    longer. Lengths are relative to the largest coordinate of a lane, which alone has no meaning.

    Returns
    -------
    (L, S, A) coordinates, (L, A) shares of the variance in falling order, with A = min(axes, S, n).
    """
    import torch

    features = features - features.mean(dim=1, keepdim=True)
    axes = min(axes, *features.shape[1:])
    products = (features @ features.transpose(1, 2)).cpu()
    total = products.diagonal(dim1=1, dim2=2).sum(dim=1).clamp_min(1e-30)
    products = products / total[:, None, None]
    width = min(axes + 8, products.shape[-1])
    basis = torch.randn(products.shape[-1], width, generator=torch.Generator().manual_seed(0))
    basis = basis.expand(len(products), -1, -1)
    for _ in range(iterations):
        basis = torch.linalg.qr(products @ (products @ basis)).Q
    variance, turn = torch.linalg.eigh(basis.transpose(1, 2) @ products @ basis)  # ascending
    variance = variance.flip(-1)[:, :axes].clamp_min(0)
    placed = (basis @ turn).flip(-1)[..., :axes] * variance.sqrt().unsqueeze(1)
    # An axis has no sign of its own: the largest coordinate is made positive, so that pictures do not flip about.
    largest = placed.gather(1, placed.abs().argmax(dim=1, keepdim=True))
    placed = placed * torch.where(largest < 0, -1.0, 1.0)
    return placed / placed.abs().amax(dim=(1, 2), keepdim=True).clamp_min(1e-30), variance


def tsne(features: np.ndarray) -> np.ndarray:
    """Place samples in the plane so that those with similar features are neighbours: (S, n) -> (S, 2).

    t-SNE (van der Maaten, Hinton 2008), from a fixed start. Takes about a second for 300 samples; run it where it can
    be stopped.
    """
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(features) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(features.astype(np.float32))


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

    @property
    def test_inputs(self) -> np.ndarray:
        """Raw test inputs (N, *shape)."""
        return self.arrays.test_inputs

    def train_inputs(self, some=slice(None)) -> np.ndarray:
        """Return the raw inputs of some of the measured training samples, all of them by default (a copy)."""
        return self.arrays.train_inputs[self.used[some]]

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
            return self.confusion.diagonal() / self.confusion.sum(axis=1)

    @property
    def flipped(self) -> np.ndarray:
        """Which of the measured training samples were given a wrong label, (M,) bool."""
        return self.train_given != self.train_true

    @property
    def memorised(self) -> np.ndarray:
        """Which of the measured training samples are predicted as the wrong label they were given, (M,) bool."""
        return self.flipped & (self.train_predicted == self.train_given)

    @property
    def resisted(self) -> np.ndarray:
        """Which of the measured training samples are predicted right although their label is wrong, (M,) bool."""
        return self.flipped & (self.train_predicted == self.train_true)

    @property
    def regions(self) -> np.ndarray | None:
        """Predicted classes over the grid, (side, side), or None where inputs are not points in the plane."""
        return None if self.scores is None else self.scores.argmax(axis=-1)


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
