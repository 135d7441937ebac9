"""How the lanes of a recipe are divided among processes. Without torch."""

from itertools import pairwise

from alf.training.devices import may_have_gpu
from alf.training.networks_spec import is_convolutional
from alf.training.recipe import Recipe


def share_out(recipe: Recipe, workers: int) -> list[list[int]]:
    """Divide a recipe's lanes into parts, each computed by one process as one batch.

    Lanes of an MLP are quickest together, so there are as many parts as workers but none of fewer than four lanes;
    lanes of one seed stay side by side because they share their mini-batches. Lanes of a convolutional network are not
    quicker together on a CPU: one model per worker.

    >>> from alf.training import classroom
    >>> [len(part) for part in share_out(classroom("digits"), workers=2)]
    [9, 9]
    >>> len(share_out(classroom("digits", losses=("ce", "mae"), seeds=(0,)), workers=2))
    1
    """
    order = sorted(range(len(recipe.lanes)), key=lambda i: (recipe.lanes[i].seed, i))
    on_cpu = recipe.device == "cpu" or (recipe.device == "auto" and not may_have_gpu())
    if is_convolutional(recipe.network) and on_cpu:
        return [[lane] for lane in order]
    count = max(1, min(workers, len(order) // 4))
    bounds = [round(i * len(order) / count) for i in range(count + 1)]
    return [sorted(order[a:b]) for a, b in pairwise(bounds)]
