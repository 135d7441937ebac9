"""Where the weighted risk over three classes is least, found on a fine grid and refined: a picture, not a proof.

Proofs are `alf.theory.prove("asymmetric", ...)`; this finds the point that a picture marks, for many weights at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

GRID = 120
ROUNDS = 7

FLAT = 1e-9
"""Points whose risk is above the least by at most this share of the risk's range count as minimisers too."""

Vector = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Minimum:
    """The minimisers for one list of weights.

    Attributes
    ----------
    point : np.ndarray, shape (3,)
        A minimiser, or the best point that comes close to the infimum.
    risk : float
    low, high : np.ndarray, shape (3,)
        The least and the largest probability of each class among the minimisers.
    edge : tuple of float or None
        (first, x_low, x_high) where a stretch of an edge shares the infimum: the edge of the classes `first` and the
        next one, and x is the share of the first.
    """

    point: np.ndarray
    risk: float
    low: np.ndarray
    high: np.ndarray
    edge: tuple[int, float, float] | None = None

    @property
    def unique(self) -> bool:
        """Whether it is the only minimiser, as far as the grid tells."""
        return float((self.high - self.low).max()) < 1 / GRID


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
    for w, point, value, corners, everywhere in zip(weights, best, least, at_corner, risks, strict=True):
        corner = int(np.argmin(corners))
        if corners[corner] <= value + 1e-9 * (1 + abs(value)):
            point, value = np.eye(3)[corner], corners[corner]
        finite = everywhere[np.isfinite(everywhere)]
        others = points[everywhere <= value + FLAT * (finite.max(initial=value) - value)]
        shared = np.vstack([point, others])
        result.append(_with_edges(vector, w, Minimum(point, float(value), shared.min(axis=0), shared.max(axis=0))))
    return result


def _with_edges(vector: Vector, w: np.ndarray, found: Minimum) -> Minimum:
    """Look whether the infimum is shared by a stretch of an edge, reached or only approached (normalised losses)."""
    value = found.risk
    x = np.linspace(0.005, 0.995, 199)
    for first in range(3):
        edge = np.zeros((len(x), 3))
        edge[:, first], edge[:, (first + 1) % 3] = x, 1 - x
        limit = _risk(vector(edge), w)  # the library's value on the edge is the limit towards it
        close = x[limit <= value + 1e-7 * (1 + abs(value))]
        if len(close) > 6:
            at = np.zeros(3)
            at[first], at[(first + 1) % 3] = close[len(close) // 2], 1 - close[len(close) // 2]
            return replace(found, point=at, risk=float(limit.min()), edge=(first, float(close[0]), float(close[-1])))
    return found


def _risk(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """sum_i w_i L_i with 0 x infinity = 0; what has no value counts as infinite."""
    with np.errstate(invalid="ignore"):
        total = np.where(weights > 0, weights * values, 0.0).sum(-1)
    return np.where(np.isnan(total), np.inf, total)
