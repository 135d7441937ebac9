"""Train a recipe in this process, record by record: what the command line and scripts use."""

from collections.abc import Callable, Iterator
from pathlib import Path

from alf.training.parts import share_out
from alf.training.recipe import Recipe
from alf.training.records import summarise
from alf.training.states import RunState


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
        One epoch record per epoch and lane (`alf.training.records` lists the keys), as soon as the epoch is done; the
        models of a convolutional network on a CPU come one after another, which is quicker than all at once. Last of
        all the summary, which has no ``epoch``: ``{"run", "status", "device", "message", "recipe", "seconds",
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
    >>> print([record["loss"] for record in records], summary["status"])
    ['ce', 'mae'] finished
    """
    arrays = recipe.load(folder)
    from alf.training.devices import choose
    from alf.training.trainer import Stopped, Trainer

    device, message = choose(recipe.device)
    name = recipe.key[:12]
    kept, ended, alive, seconds, status = [], {}, 0, 0.0, RunState.FINISHED
    for part in share_out(recipe.with_(device=device), workers=1):
        trainer = Trainer(recipe, arrays, part, device)
        try:
            while trainer.epoch < recipe.epochs and trainer.alive:
                for record in trainer.run_epoch(listen):
                    kept.append({"run": name} | record)
                    yield kept[-1]
        except Stopped:
            status = RunState.STOPPED
        ended |= trainer.ended
        alive += len(trainer.alive)
        seconds += trainer.seconds
        if status == RunState.STOPPED:
            break
    yield {
        "run": name,
        "status": status if alive else RunState.FAILED,
        "device": device,
        "message": message,
        "recipe": recipe.to_dict(),
        "seconds": round(seconds, 3),
        "losses": summarise(kept, ended),
        "ended": [{**recipe.lanes[i]._asdict(), "reason": reason} for i, reason in sorted(ended.items())],
    }
