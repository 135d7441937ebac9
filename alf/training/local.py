"""Train a recipe in this process, record by record: what the command line and scripts use."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from alf.training.recipe import Recipe
from alf.training.records import summarise


def run(recipe: Recipe, folder: Path | None = None, listen: Callable[[], bool] | None = None) -> Iterator[dict]:
    """Train every lane of a recipe here and now.

    Parameters
    ----------
    recipe
        What to train; ``recipe.device`` is resolved by `alf.training.devices.choose`.
    folder
        Data folder of a lab, ``settings().data_dir``; the bundled data sets need none.
    listen
        Called before every batch; when it returns True the run ends early and the summary says ``stopped``.

    Yields
    ------
    dict
        One epoch record per epoch and lane (`alf.training.records` lists the keys), as soon as the epoch is done;
        last of all the summary, which has no ``epoch``: ``{"run", "status", "device", "message", "recipe", "seconds",
        "losses": [...], "ended": [...]}`` with status ``finished``, ``stopped`` or ``failed`` (no lane survived); for
        ``losses`` see `alf.training.records.summarise`.

    Raises
    ------
    InputError
        When the data cannot be read, before anything is trained.

    Examples
    --------
    >>> recipe = Recipe(data="digits", losses=("ce", "mae"), network="mlp:16", epochs=1)
    >>> *records, summary = run(recipe)
    >>> [record["loss"] for record in records], summary["status"]
    (['ce', 'mae'], 'finished')
    """
    arrays = recipe.load(folder)
    if "torch" not in sys.modules:
        # Threads that wait for each other by spinning are ten times slower when something else wants the cores.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from alf.training.devices import choose
    from alf.training.trainer import Stopped, Trainer

    device, message = choose(recipe.device)
    name = recipe.key[:12]
    trainer = Trainer(recipe, arrays, device=device)
    kept, status = [], "finished"
    try:
        while trainer.epoch < recipe.epochs and trainer.alive:
            for record in trainer.run_epoch(listen):
                kept.append({"run": name} | record)
                yield kept[-1]
    except Stopped:
        status = "stopped"
    ended = [{**recipe.lanes[i]._asdict(), "reason": reason} for i, reason in sorted(trainer.ended.items())]
    yield {
        "run": name,
        "status": status if trainer.alive else "failed",
        "device": device,
        "message": message,
        "recipe": recipe.to_dict(),
        "seconds": round(trainer.seconds, 3),
        "losses": summarise(kept, trainer.ended),
        "ended": ended,
    }
