"""Where the weighted risk over three classes is least, found on a fine grid and refined: a picture, not a proof.

Proofs are `alf.theory.prove("asymmetric", ...)`; this finds the point that a picture marks, for many weights at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

GRID = 120
ROUNDS = 7

Vector = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Minimum:
    """The minimisers for one list of weights.

    Attributes
    ----------
    point : np.ndarray, shape (3,)
        A minimiser, or the best point that comes close to the infimum.
    risk : float
    edge : tuple of float or None
        (first, x_low, x_high) where a stretch of an edge shares the infimum: the edge of the classes `first` and the
        next one, and x is the share of the first.
    """

    point: np.ndarray
    risk: float
    edge: tuple[int, float, float] | None = None


@lru_cache(maxsize=2)
def grid(n: int = GRID) -> np.ndarray:
    """The points of the simplex whose coordinates are multiples of 1/n, shape ((n+1)(n+2)/2, 3)."""
    i, j = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    keep = i + j <= n
    return np.stack([i[keep], j[keep], n - i[keep] - j[keep]], axis=-1) / n


def minimise(vector: Vector, weights: np.ndarray) -> list[Minimum]:
    """A minimum for every row of weights.

    Parameters
    ----------
    vector : callable
        Predictions (..., 3) -> losses for every label (..., 3): `Loss.vector`.
    weights : np.ndarray, shape (W, 3)

    Examples
    --------
    >>> from alf.losses import parse
    >>> [found] = minimise(parse("ce").vector, np.array([[.6, .4, 0.]]))
    >>> found.point.round(4).tolist()
    [0.6, 0.4, 0.0]
    """
    weights = np.asarray(weights, dtype=float)
    points = grid()
    risks = _risk(vector(points)[None], weights[:, None, :])
    best = points[np.argmin(risks, axis=1)]
    offsets = grid(10) - 1 / 3
    width = 6 / GRID
    for _ in range(ROUNDS):
        near = np.clip(best[:, None, :] + width * offsets[None], 0, None)
        near = np.concatenate([best[:, None, :], near / near.sum(-1, keepdims=True)], axis=1)
        values = _risk(vector(near), weights[:, None, :])
        best = near[np.arange(len(near)), np.argmin(values, axis=1)]
        width /= 4
    at_corner = _risk(vector(np.eye(3))[None], weights[:, None, :])
    least = _risk(vector(best), weights)
    result = []
    for w, point, value, corners in zip(weights, best, least, at_corner, strict=True):
        corner = int(np.argmin(corners))
        if corners[corner] <= value + 1e-9 * (1 + abs(value)):
            point, value = np.eye(3)[corner], corners[corner]
        result.append(_with_edges(vector, w, point, float(value)))
    return result


def _with_edges(vector: Vector, w: np.ndarray, point: np.ndarray, value: float) -> Minimum:
    """Look whether the infimum is shared by a stretch of an edge, reached or only approached (normalised losses)."""
    x = np.linspace(0.005, 0.995, 199)
    for first in range(3):
        edge = np.zeros((len(x), 3))
        edge[:, first], edge[:, (first + 1) % 3] = x, 1 - x
        limit = _risk(vector(edge), w)  # the library's value on the edge is the limit towards it
        close = x[limit <= value + 1e-7 * (1 + abs(value))]
        if len(close) > 6:
            at = np.zeros(3)
            at[first], at[(first + 1) % 3] = close[len(close) // 2], 1 - close[len(close) // 2]
            return Minimum(at, float(limit.min()), (first, float(close[0]), float(close[-1])))
    return Minimum(point, value)


def _risk(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """sum_i w_i L_i with 0 x infinity = 0; what has no value counts as infinite."""
    with np.errstate(invalid="ignore"):
        total = np.where(weights > 0, weights * values, 0.0).sum(-1)
    return np.where(np.isnan(total), np.inf, total)
