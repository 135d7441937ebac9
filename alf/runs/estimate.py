"""How long a recipe will take here, from what its like has taken on this machine.

Where the like of it has never been trained here it is guessed, for a CPU, from what is to be computed, and the guess is
scaled by what other recipes have taken. No PyTorch is needed for it.
"""

import math
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
from sqlalchemy import Row, select

from alf.runs import tables as t
from alf.runs.store import Store
from alf.training.networks_spec import PLANS, hidden_widths, is_convolutional
from alf.training.parts import share_out
from alf.training.recipe import Recipe
from alf.training.samples import MEASURED, sizes
from alf.training.states import PartState

LATELY = 200
"""Parts looked back at."""
OTHERS = 20
"""Of which so many scale a rough estimate."""
ALIKE = ("data", "network", "augment", "device")
"""What decides how long a sample takes; how many models are trained together and the batch come after these."""

STEP, LANE = 1e-3, 4e-4
"""Seconds a step takes however small it is, and more for each model in it."""
LAYERS, CONVOLUTIONS = 2.0, 12.0
"""How much longer than a plain product of matrices the same number of operations takes in a network."""
RESNET34 = 1.16e9
"""Multiplications of one 32 x 32 picture."""


@dataclass(frozen=True)
class Estimate:
    """How many `seconds` a recipe takes here, 0 when it is done; `rough` where its like was never trained here."""

    seconds: float
    rough: bool = False


def seconds_needed(store: Store, recipe: Recipe, workers: int) -> Estimate:
    """Estimate how long a recipe takes on this machine when nothing else is going on.

    Parameters
    ----------
    store
        Where earlier runs are found: those of the same data, network, augmentation and device count, whatever their
        losses, noise, seeds and epochs.
    recipe
        What is to be trained.
    workers
        Parts that are computed at a time.

    Returns
    -------
    Estimate
        From what its like took; where nothing like it has been trained here yet a rough one for a CPU, from what is to
        be computed, scaled by what other recipes took.
    """
    shares = share_out(recipe, workers)
    with store.read() as connection:
        known = connection.execute(select(t.parts.c.status).where(t.parts.c.result == recipe.key)).scalars().all()
        if set(known) == {PartState.FINISHED}:
            return Estimate(0.0)
        rows = connection.execute(
            select(t.parts.c.lanes, t.parts.c.epoch, t.parts.c.share, t.parts.c.seconds, t.parts.c.worker)
            .add_columns(t.results.c.recipe)
            .select_from(t.parts.join(t.results, t.parts.c.result == t.results.c.key))
            .where(t.parts.c.leased.is_not(None), t.parts.c.seconds > 0)
            .order_by(t.parts.c.leased.desc())
            .limit(LATELY)
        ).all()
    here = socket.gethostname()
    rows = [row for row in rows if (row.worker or {}).get("host") == here and row.epoch + row.share > 0]
    alike = [row for row in rows if _alike(recipe, row.recipe)]
    if alike:
        needed = [recipe.epochs * _epoch_seconds(recipe, len(lanes), alike) for lanes in shares]
    else:
        slower = _slower(rows)
        needed = [recipe.epochs * slower * guessed_seconds(recipe, len(lanes)) for lanes in shares]
    return Estimate(max(*needed, sum(needed) / workers) if len(needed) > 1 else needed[0], not alike)


def _slower(rows: Sequence[Row[Any]]) -> float:
    """How many times as long as guessed the parts computed here took, in the middle; 1 where there are none."""
    found = []
    for row in rows[:OTHERS]:
        # Its losses, which may be formulas that take long to read, do not count.
        known = {name: row.recipe[name] for name in ("data", "network", "batch", "samples")}
        guess = guessed_seconds(Recipe(losses=("ce",), **known), len(row.lanes))
        found.append(row.seconds / (row.epoch + row.share) / guess)
    return median(found) if found else 1.0


def _alike(recipe: Recipe, other: dict[str, Any]) -> bool:
    """Whether another recipe's samples take as long: all of a data set can be told from a number of them by both."""
    samples = recipe.samples, other["samples"]
    return all(getattr(recipe, name) == other[name] for name in ALIKE) and (None in samples) == (
        samples == (None, None)
    )


def _epoch_seconds(recipe: Recipe, lanes: int, rows: Sequence[Row[Any]]) -> float:
    """Seconds an epoch of so many models takes, by the part that was most like it; the latest of several."""

    def distance(row: Row[Any]) -> float:
        return abs(math.log(len(row.lanes) / lanes)) + abs(math.log(row.recipe["batch"] / recipe.batch))

    row = min(rows, key=distance)
    samples = 1.0 if recipe.samples is None else recipe.samples / row.recipe["samples"]
    return float(row.seconds / (row.epoch + row.share) * samples * lanes / len(row.lanes))


def guessed_seconds(recipe: Recipe, lanes: int) -> float:
    """Guess the seconds that an epoch of so many models of a recipe takes in one process on a CPU.

    >>> recipe = Recipe(data="digits", losses=("ce",))
    >>> guessed_seconds(recipe, 1) < guessed_seconds(recipe, 12) < guessed_seconds(recipe.with_(network="mlp:4096"), 12)
    True
    """
    train, test = sizes(recipe)
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


def about(seconds: float) -> str:
    """A time as precise as an estimate is.

    >>> about(3), about(37), about(200), about(9000)
    ('a few seconds', 'about 40 s', 'about 3 min', 'about 2.5 h')
    """
    if seconds < 7.5:
        return "a few seconds"
    if seconds < 85:
        return f"about {10 * round(seconds / 10 + 0.01)} s"
    if seconds < 5400:
        return f"about {max(2, round(seconds / 60))} min"
    return f"about {round(2 * seconds / 3600) / 2:g} h"
