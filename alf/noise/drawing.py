"""Labels drawn from a noise, as arrays: the only part of noise that needs NumPy."""

import numpy as np

from alf.errors import InputError

SPREAD = 0.1
"""Standard deviation of the rate from sample to sample, where the noise depends on the instance (Xia et al. 2020)."""


def draw_labels(probabilities: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw one class from each row of probabilities (N, K) by inverting its cumulative sum."""
    cumulative = probabilities.cumsum(axis=1)
    # Rounding may leave a row's last sum at 1 - 1e-16; and a class of probability 0 after it must stay impossible.
    cumulative /= cumulative[:, -1:]
    return (random.random(len(probabilities))[:, None] >= cumulative).sum(axis=1)


def instance_labels(
    labels: np.ndarray, rate: float, classes: int, random: np.random.Generator, inputs: np.ndarray | None
) -> np.ndarray:
    """Part-dependent noise (Xia et al. 2020): each sample has its own rate and its own distribution over wrong labels.

    The rate of a sample comes from a normal around `rate` truncated to [0, 1]; what it flips to is the softmax of a
    random projection of the input that belongs to its true class.
    """
    if inputs is None or len(inputs) != len(labels):
        raise InputError("noise instance: needs the inputs of the samples, one per label, got none or another number")
    inputs = np.asarray(inputs, dtype=np.float64).reshape(len(labels), -1)
    rates = random.normal(rate, SPREAD, len(labels))
    while (outside := (rates < 0) | (rates > 1)).any():
        rates[outside] = random.normal(rate, SPREAD, outside.sum())
    given = labels.copy()
    for label in range(classes):  # one projection at a time: all of them at once are 250 MB for CIFAR-100
        projection = random.standard_normal((inputs.shape[1], classes))
        uniform = random.random(len(labels))
        mine = np.flatnonzero(labels == label)
        score = inputs[mine] @ projection
        score[:, label] = -np.inf
        score -= score.max(axis=1, keepdims=True, initial=-np.inf) if len(mine) else 0
        wrong = np.exp(score)
        probabilities = rates[mine, None] * wrong / wrong.sum(axis=1, keepdims=True)
        probabilities[:, label] = 1 - rates[mine]
        cumulative = probabilities.cumsum(axis=1)
        given[mine] = (uniform[mine, None] >= cumulative / cumulative[:, -1:]).sum(axis=1)
    return given
