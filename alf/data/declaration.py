"""What a data set is: one declaration, read on demand, checked once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from alf.data.files import Remote
from alf.errors import InputError


@dataclass(frozen=True)
class Arrays:
    """A data set in memory: raw inputs (pictures as bytes, points as floats) and true labels.

    Attributes
    ----------
    train_inputs, test_inputs
        (N, *shape), uint8 for pictures, float32 for points.
    train_labels, test_labels
        (N,) int64 in [0, K). These are the *true* labels; noise is drawn on top of the training ones by a recipe.
    """

    train_inputs: np.ndarray = field(repr=False)
    train_labels: np.ndarray = field(repr=False)
    test_inputs: np.ndarray = field(repr=False)
    test_labels: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class DataSet:
    """A declared data set. Adding one is adding one of these to `alf.data.DATASETS`.

    Attributes
    ----------
    key, name, about, source
        Spec, title, one sentence, citation or address.
    class_names
        One per class, in the order of the labels.
    shape
        Of one input; pictures are (channels, height, width).
    high
        Largest raw value of a picture: inputs are divided by it before they are normalised.
    read
        Reads the raw arrays, given the data folder of a lab or None, and whether a part of the data will do.
    mean, std
        Per channel, what `normalise` subtracts from the inputs divided by `high` and then divides by.
    local
        Whether the data come with the installation, so that no file and no network is needed.
    remotes
        What `alf.data.fetch` downloads.
    """

    key: str
    name: str
    about: str
    source: str
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    read: Callable[[Path | None, bool], Arrays] = field(repr=False)
    mean: tuple[float, ...]
    std: tuple[float, ...]
    high: float = 1.0
    local: bool = True
    remotes: tuple[Remote, ...] = field(default=(), repr=False)

    @property
    def classes(self) -> int:
        """Number of classes K."""
        return len(self.class_names)

    @property
    def is_picture(self) -> bool:
        """Whether an input is a picture (channels, height, width) rather than a point."""
        return len(self.shape) == 3

    def first(self, classes: int) -> "DataSet":
        """The part of this data set with its first classes only; its key is ``KEY:classes``.

        >>> from alf.data import DATASETS
        >>> few = DATASETS["digits"].first(3)
        >>> few.key, int(few.load().test_labels.max())
        ('digits:3', 2)
        """
        if classes == self.classes:
            return self

        def read(folder: Path | None, partial: bool) -> Arrays:
            found = self.read(folder, partial)
            train, test = found.train_labels < classes, found.test_labels < classes
            kept = (
                found.train_inputs[train],
                found.train_labels[train],
                found.test_inputs[test],
                found.test_labels[test],
            )
            return Arrays(*kept)

        key, name = f"{self.key}:{classes}", f"{self.name}, first {classes} classes"
        return replace(self, key=key, name=name, class_names=self.class_names[:classes], read=read)

    def load(self, folder: Path | None = None, partial: bool = False) -> Arrays:
        """Read the data set and check that it is what was declared.

        Parameters
        ----------
        folder
            Data folder of a lab, ``settings().data_dir``: looked into before the downloads.
        partial
            Whether some of the training files will do where others are missing (CIFAR-10's batches).

        Raises
        ------
        InputError
            When the folder or a file is missing, or a file is not what was expected.
        """
        if folder is not None and not Path(folder).is_dir():
            raise InputError(f"data folder: an existing folder is needed, got {folder}")
        arrays = self.read(folder, partial)
        for inputs, labels in (
            (arrays.train_inputs, arrays.train_labels),
            (arrays.test_inputs, arrays.test_labels),
        ):
            if inputs.shape[1:] != self.shape or inputs.shape[:1] != labels.shape or not len(labels):
                raise InputError(
                    f"data {self.key}: inputs of shape {self.shape}, one label each, are needed, "
                    f"got inputs {inputs.shape} and labels {labels.shape}"
                )
            if labels.min() < 0 or labels.max() >= self.classes:
                raise InputError(
                    f"data {self.key}: labels must lie in [0, {self.classes}), got {labels.min()} to {labels.max()}"
                )
        return arrays

    def normalise(self, inputs: np.ndarray) -> np.ndarray:
        """Turn raw inputs into what a network sees: float32, shifted and scaled per channel.

        >>> from alf.data import DATASETS
        >>> digits = DATASETS["digits"]
        >>> x = digits.normalise(digits.load().train_inputs)
        >>> x.dtype.name, bool(abs(x.mean()) < 1e-3)
        ('float32', True)
        """
        broadcast = (-1,) + (1,) * (len(self.shape) - 1)
        mean = np.asarray(self.mean, dtype=np.float32).reshape(broadcast)
        std = np.asarray(self.std, dtype=np.float32).reshape(broadcast)
        return (inputs.astype(np.float32) / np.float32(self.high) - mean) / std


def stratified(labels: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split indices into (rest, share), every class in the same proportion; both in increasing order.

    >>> rest, chosen = stratified(np.array([0, 0, 0, 0, 1, 1, 1, 1]), share=0.25, seed=0)
    >>> len(rest), np.array([0, 0, 0, 0, 1, 1, 1, 1])[chosen].tolist()
    (6, [0, 1])
    """
    random = np.random.default_rng([0x5711, seed])
    parts = []
    for label in np.unique(labels):
        mine = random.permutation(np.flatnonzero(labels == label))
        parts.append(mine[: round(share * len(mine))])
    chosen = np.sort(np.concatenate(parts))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen
