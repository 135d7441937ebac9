"""The sample weight -l'(u) u (1-u) where training starts, at u = 1/K, and where a class has lost its probability."""

import numpy as np

from alf.losses.declaration import Loss


def starting_weight(loss: Loss, classes: int) -> tuple[float, float]:
    """The sample weight at u = 1/K, as a share of the loss's largest and of CE's, which is 1 - 1/K there.

    >>> from alf.losses import parse
    >>> [round(share, 3) for share in starting_weight(parse("mae"), 10)]
    [0.36, 0.1]
    """
    return share_of_largest(loss, 1 / classes, classes), weight_at(loss, 1 / classes, classes) / (1 - 1 / classes)


def share_of_largest(loss: Loss, probability: float, classes: int) -> float:
    """The sample weight at u, as a share of the largest one that the loss gives.

    >>> from alf.losses import parse
    >>> [round(share_of_largest(parse(spec), 0.01, 10), 2) for spec in ("ce", "mae")]
    [0.99, 0.04]
    """
    weights = loss.sample_weight(np.linspace(0, 1, 401), classes)
    here = weight_at(loss, probability, classes)
    largest = max(here, float(np.max(weights[np.isfinite(weights)], initial=0.0)))
    return here / largest if largest else 0.0


def weight_at(loss: Loss, probability: float, classes: int) -> float:
    """The sample weight at u, -l'(u) u (1-u)."""
    return float(loss.sample_weight(np.array([probability]), classes)[0])
