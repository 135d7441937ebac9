"""Train a recipe in this process, record by record: what the command line and scripts use."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from alf.training.devices import choose
from alf.training.diagnosis import Tolerates, diagnose
from alf.training.inspect import never_predicted
from alf.training.parts import share_out
from alf.training.recipe import Recipe
from alf.training.records import Record, summarise
from alf.training.states import RunState


def run(
    recipe: Recipe,
    folder: Path | None = None,
    listen: Callable[[], bool] | None = None,
    tolerates: Tolerates | None = None,
) -> Iterator[Record]:
    """Train every lane of a recipe here and now.

    Parameters
    ----------
    recipe
        What to train; ``recipe.device`` is resolved by `alf.training.devices.choose`.
    folder
        Data folder of a lab, ``settings().data_dir``; the bundled data sets need none.
    listen
        Called before every batch; when it returns True the run ends early and the summary says ``stopped``.
    tolerates
        What is proved of a loss under a noise: see `alf.training.diagnosis.diagnose`.

    Yields
    ------
    dict
        One epoch record per epoch and lane (`alf.training.records` lists the keys), as soon as the epoch is done; the
        models of a convolutional network on a CPU come one after another, which is quicker than all at once. Last of
        all the summary, which has no ``epoch``: ``{"run", "status", "device", "message", "recipe", "seconds",
        "losses": [...], "ended": [...]}`` with status ``finished``, ``stopped`` or ``failed`` (no lane survived); for
        ``losses`` see `alf.training.records.summarise`; each has its ``diagnosis`` too, a list of
        ``{"kind", "sentence", "numbers"}``.

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
    from alf.training.trainer import Stopped, Trainer

    device, message = choose(recipe.device)
    run: Record = {"run": recipe.key[:12]}
    records: list[Record] = []
    ended: dict[int, str] = {}
    never: dict[int, tuple[int, ...]] = {}
    alive, seconds, status = 0, 0.0, RunState.FINISHED
    try:
        for part in share_out(recipe.with_(device=device), workers=1):
            trainer = Trainer(recipe, arrays, part, device)
            try:
                for record in trainer.run(listen):
                    records.append(run | record)
                    yield records[-1]
            finally:  # stopped or not
                ended |= trainer.ended
                never |= _never_predicted(trainer)
                alive += len(trainer.alive)
                seconds += trainer.seconds
    except Stopped:
        status = RunState.STOPPED
    yield run | summary(
        recipe,
        records,
        ended,
        never,
        tolerates,
        status=status if alive else RunState.FAILED,
        device=device,
        message=message,
        seconds=seconds,
    )


def summary(
    recipe: Recipe,
    records: Sequence[Record],
    ended: dict[int, str],
    never: dict[int, tuple[int, ...]],
    tolerates: Tolerates | None,
    *,
    status: RunState,
    device: str | None,
    message: str | None,
    seconds: float,
) -> Record:
    """Sum up a run as its last line does: see `run`; for `never` and `tolerates` `alf.training.diagnosis.diagnose`."""
    found = diagnose(recipe, records, ended, never, tolerates)
    losses = summarise(records, ended)
    for row in losses:
        row["diagnosis"] = [finding.to_dict() for finding in found[row["loss"], row["noise"]]]
    return {
        "status": status,
        "device": device,
        "message": message,
        "recipe": recipe.to_dict(),
        "seconds": round(seconds, 3),
        "losses": losses,
        "ended": [{**recipe.lanes[i]._asdict(), "reason": reason} for i, reason in sorted(ended.items())],
    }


def _never_predicted(trainer: Any) -> dict[int, tuple[int, ...]]:
    """The classes that each model predicts for no test sample, as of the last epoch that all of them finished."""
    if not trainer.epoch or not trainer.alive or len(trainer.test_predictions) != len(trainer.alive):
        return {}  # nothing was predicted, or some left in an epoch that was not finished
    true, predicted = trainer.test_true.cpu().numpy(), trainer.test_predictions.cpu().numpy()
    return {lane: never_predicted(true, row) for lane, row in zip(trainer.alive, predicted, strict=True)}
