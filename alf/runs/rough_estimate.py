"""A rough guess at how long a recipe takes on a CPU, from what it has to compute; no PyTorch is needed for it.

`alf.runs.estimate` knows better where the like of a recipe has been trained here, and otherwise scales this guess by
what other recipes have taken.
"""

import time
from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np

from alf.training.networks_spec import PLANS, hidden_widths, is_convolutional
from alf.training.recipe import Recipe

SIZES = {
    "digits": (1438, 359),
    **dict.fromkeys(("mnist", "fashion-mnist"), (60_000, 10_000)),
    **dict.fromkeys(("cifar10", "cifar100"), (50_000, 10_000)),
}
"""Training and test samples; of points in the plane `POINTS`."""
POINTS = (1000, 1000)
MEASURED = 10_000
"""At most so many training samples are predicted after every epoch."""
STEP, LANE = 1e-3, 4e-4
"""Seconds a step takes however small it is, and more for each model in it."""
LAYERS, CONVOLUTIONS = 2.0, 12.0
"""How much longer than a plain product of matrices the same number of operations takes in a network."""
RESNET34 = 1.16e9
"""Multiplications of one 32 x 32 picture."""


def epoch_seconds(recipe: Recipe, lanes: int) -> float:
    """Guess the seconds that an epoch of so many models of a recipe takes in one process.

    >>> recipe = Recipe(data="digits", losses=("ce",))
    >>> epoch_seconds(recipe, 1) < epoch_seconds(recipe, 12) < epoch_seconds(recipe.with_(network="mlp:4096"), 12)
    True
    """
    train, test = SIZES.get(recipe.data, POINTS)
    train = recipe.samples or train
    passes = 3 * train + min(train, MEASURED) + test  # backwards takes twice as long as forwards
    slower = CONVOLUTIONS if is_convolutional(recipe.network) else LAYERS
    operations = 2 * sum(multiplications(recipe)) * passes * lanes
    return -(-train // recipe.batch) * (STEP + LANE * lanes) + slower * operations / speed()


def multiplications(recipe: Recipe) -> Iterator[int]:
    """Yield the multiplications of each layer for one sample.

    >>> list(multiplications(Recipe(data="digits", losses=("ce",), network="mlp:512")))
    [32768, 5120]
    """
    network, shape, classes = recipe.network, recipe.dataset.shape, recipe.dataset.classes
    if network == "resnet34":
        yield round(RESNET34 * shape[1] * shape[2] / 32**2)
        return
    if not is_convolutional(network):
        widths = (int(np.prod(shape)), *hidden_widths(network), classes)
        yield from (a * b for a, b in pairwise(widths))
        return
    channels, height, width = shape
    for step in PLANS[network]:
        if step == "pool":
            height, width = height // 2, width // 2
        elif isinstance(step, int):
            yield 9 * channels * step * height * width
            channels = step
        else:
            yield channels * height * width * int(step[2:])
            channels, height, width = int(step[2:]), 1, 1
    yield channels * height * width * classes


@cache
def speed() -> float:
    """Operations per second of this machine in single precision, by the best of a few products of matrices."""
    matrix = np.random.default_rng(0).standard_normal((384, 384), dtype=np.float32)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - start)
    return 2 * 384**3 / best
