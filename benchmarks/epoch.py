"""An epoch of many models against its multiplications, at the rate at which this machine multiplies large squares.

    python -m benchmarks.epoch [--threads 1] [--rounds 7] [--lanes 32]

Counted are the products of the training steps (forward, the weights' gradients, the gradient of every layer's input but
the first's) and of the evaluation. The square product, 2048 x 2048 in single precision, and the epoch are timed in
turns. Prints the ratio and what the same batched products alone take; exits 1 above the limit: 1.6 on one core, 2 on
two.
"""

import argparse
import statistics
import sys
import time
from itertools import pairwise

import torch

from alf.runs.estimate import multiplications
from alf.training import Recipe
from alf.training.trainer import Trainer

RECIPE = Recipe(data="digits", losses=("ce",), noise=("symmetric:0.5",), network="mlp:512", epochs=1000, lr=0.3)
LIMITS = {1: 1.6, 2: 2.0}
SIDE = 2048


def clocked(run, least: float = 0.3) -> float:
    """Seconds that a call takes, over as many calls as fill the time."""
    run()
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < least:
        run()
        calls += 1
    return (time.perf_counter() - start) / calls


def products(trainer: Trainer, batch: int):
    """The batched products of one training step, without anything between them."""
    lanes = len(trainer.alive)
    sizes = [trainer.inputs[0].numel(), *(layer.outputs for layer in trainer.model.layers)]
    made = []
    for place, (n, m) in enumerate(pairwise(sizes)):
        x, w, g = torch.randn(lanes, batch, n), torch.randn(lanes, n, m), torch.randn(lanes, batch, m)
        made.append((x, w, g, place > 0))

    def step() -> None:
        for x, w, g, inner in made:
            torch.bmm(x, w)
            torch.bmm(x.transpose(1, 2), g)
            if inner:
                torch.bmm(g, w.transpose(1, 2))

    return step


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lanes", type=int, default=32)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    recipe = RECIPE.with_(seeds=tuple(range(chosen.lanes)))
    trainer = Trainer(recipe, recipe.load())
    each = list(multiplications(recipe))
    train, measured = len(trainer.inputs), len(trainer.measured) + len(trainer.test_inputs)
    a_sample = 2 * each[0] + 3 * sum(each[1:])
    needed = chosen.lanes * (train * a_sample + measured * sum(each))
    square = torch.randn(SIDE, SIDE)
    steps, step = -(-train // recipe.batch), products(trainer, recipe.batch)
    ratios, alone = [], []
    for _ in range(chosen.rounds):
        rate = SIDE**3 / clocked(lambda: square @ square)
        epoch = clocked(trainer.run_epoch)
        ratios.append(epoch * rate / needed)
        alone.append(epoch / (steps * clocked(step)))
    ratio, limit = statistics.median(ratios), LIMITS.get(chosen.threads)
    verdict = "" if limit is None else f" at most {limit:g}: {'ok' if ratio <= limit else 'MISSED'}"
    print(
        f"{chosen.lanes} lanes of a 64-512-10 MLP on digits, batch {recipe.batch}, threads {chosen.threads}\n"
        f"epoch / its multiplications at the rate of a {SIDE} x {SIDE} product: {ratio:.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}){verdict}\n"
        f"epoch / the batched products of its steps alone: {statistics.median(alone):.2f}"
    )
    return 0 if limit is None or ratio <= limit else 1


if __name__ == "__main__":
    sys.exit(main())
