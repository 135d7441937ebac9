"""Choosing a learning rate the way somebody without clean labels has to: on *noisy* validation labels.

    python -m alf.training.search mnist --rates 0.03,0.1,0.3,1.0

A fifth of the training samples is held out, and its labels are drawn from the same noise; each rate trains the recipe
on the rest and is judged by the accuracy of its last epoch on those noisy labels, averaged over losses and seeds. The
clean test set plays no part. Under symmetric noise the noisy accuracy rises with the clean one, so the comparison is
fair although its numbers are low.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import click

from alf.data import Arrays, stratified
from alf.settings import settings
from alf.training.devices import choose
from alf.training.recipe import Recipe
from alf.training.recipes import classroom
from alf.training.samples import samples_used

HELD_OUT = 0.2
SEED = 1_000_003
"""Of the split and of the validation labels' noise: none of the seeds that a run is likely to have."""


def validation_arrays(recipe: Recipe, arrays: Arrays) -> Arrays:
    """Put a noisy fifth of the training samples in the place of the test set.

    The noise of the recipe's first noise spec is used.
    """
    used = samples_used(recipe, arrays.train_labels)
    inputs, labels = arrays.train_inputs[used], arrays.train_labels[used]
    rest, held = stratified(labels, HELD_OUT, SEED)
    noise = recipe.parse_noise(recipe.noise[0])
    seen = recipe.dataset.normalise(inputs[held]) if noise.kind == "instance" else None
    return Arrays(inputs[rest], labels[rest], inputs[held], noise.corrupt(labels[held], SEED, seen))


def search(recipe: Recipe, rates: Sequence[float], folder: Path | None = None) -> Iterator[dict[str, Any]]:
    """Train the recipe at each rate and judge it on noisy validation labels.

    Yields
    ------
    dict
        ``{"lr", "accuracy", "losses": {spec: accuracy}}`` per rate: accuracy of the last epoch on noisy labels, means
        over seeds; a lane that ended early counts 0.

    >>> recipe = Recipe(data="digits", losses=("ce",), noise=("symmetric:0.3",), network="mlp:32", epochs=3)
    >>> found = {row["lr"]: row["accuracy"] for row in search(recipe, (1e-4, 0.3))}
    >>> found[0.3] > found[1e-4]
    True
    """
    from alf.training.trainer import Trainer

    arrays = validation_arrays(recipe, recipe.load(folder))
    for rate in rates:
        tried = recipe.with_(lr=rate, samples=None)
        trainer = Trainer(tried, arrays, device=choose(recipe.device)[0])
        last = {row["lane"]: row["test_accuracy"] for row in trainer.run() if row["epoch"] == tried.epochs}
        losses = defaultdict(list)
        for index, lane in enumerate(tried.lanes):
            losses[lane.loss].append(last.get(index, 0.0))
        means = {spec: fmean(values) for spec, values in losses.items()}
        yield {"lr": tried.lr, "accuracy": fmean(means.values()), "losses": means}


@click.command()
@click.argument("data")
@click.option("--rates", default="0.03,0.1,0.3,1.0", show_default=True)
@click.option("--noise", default="symmetric:0.5", show_default=True)
@click.option("--seeds", default="0", show_default=True, help="Such as 0,1,2.")
def main(data: str, rates: str, noise: str, seeds: str) -> None:
    """Search for a classroom recipe's learning rate and print what was found."""
    try:
        tried = [float(rate) for rate in rates.split(",")]
        recipe = classroom(data, noise=(noise,), seeds=tuple(int(seed) for seed in seeds.split(",")))
        for row in search(recipe, tried, settings().data_dir):
            each = "  ".join(f"{spec} {accuracy:.3f}" for spec, accuracy in row["losses"].items())
            print(f"lr {row['lr']:g}: {row['accuracy']:.4f}   {each}", flush=True)
    except ValueError as error:  # InputError is one: whatever cannot be read is a sentence
        raise click.UsageError(str(error)) from None


if __name__ == "__main__":
    main()
