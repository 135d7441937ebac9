"""How far a run is, made from its row and those of its parts: its status, its sentence, what is left of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from alf.training.recipe import Recipe
from alf.training.states import ACTIVE, UNFINISHED, PartState, RunState

PAUSING = "Pausing."
"""What a running run says whose workers have yet to leave."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    run, recipe, name, owner, created
        Which run; `created` in seconds since 1970.
    status
        One of `alf.training.states.RunState`.
    message
        One sentence for a person: why it failed or waits, or None.
    notes
        What else is worth saying: the device chosen instead of the one asked for.
    ended
        Lane index -> why that lane ended early.
    epoch, epochs
        Epochs that every lane has finished, and epochs in all.
    fraction
        Of the work, between 0 and 1.
    seconds, seconds_left
        Training time so far, and an estimate of what is left (None before anything is done).
    used
        When it was last started, ended or looked at, to the day.
    at
        Where the hindmost of the models in hand is, in epochs: 3.4 is the fourth epoch with 40% of it done.
    waiting
        Models that nobody has begun with.
    devices
        Where it was computed, as far as that is known: cpu, cuda, mps.
    """

    run: str
    recipe: Recipe
    name: str | None
    owner: str
    created: float
    status: RunState
    message: str | None
    notes: tuple[str, ...]
    ended: dict[int, str]
    epoch: int
    epochs: int
    fraction: float
    seconds: float
    seconds_left: float | None
    used: float = 0.0
    at: float = 0.0
    waiting: int = 0
    devices: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether there is something to wait for."""
        return self.status in ACTIVE

    @property
    def pausing(self) -> bool:
        """Whether Pause was pressed and workers have yet to leave."""
        return self.message == PAUSING


def progress_of(row: Row[Any], shares: Sequence[Row[Any]]) -> Progress:
    """Tell how far a run is from its row (`Store._row`) and those of its parts."""
    recipe = Recipe.from_dict(row.recipe)
    status, message = status_of(row, shares)
    epochs = recipe.epochs
    done = sum(
        len(part.lanes) * (1.0 if part.status == PartState.FINISHED else _epochs(part) / epochs) for part in shares
    )
    at = _hindmost(shares)
    ended = {int(lane): reason for part in shares for lane, reason in part.ended.items()}
    return Progress(
        run=row.id,
        recipe=recipe,
        name=row.name,
        owner=row.owner,
        created=row.created,
        status=status,
        message=message,
        notes=tuple(sorted({part.note for part in shares if part.note})),
        ended=ended,
        epoch=last_epoch(row, shares),
        epochs=epochs,
        at=_epochs(at) if at is not None else 0.0,
        waiting=sum(len(part.lanes) for part in shares if part.status == PartState.QUEUED and not _epochs(part)),
        fraction=1.0 if status == RunState.FINISHED else done / sum(len(part.lanes) for part in shares),
        seconds=max((part.seconds for part in shares), default=0.0),
        seconds_left=_seconds_left(shares, epochs) if status in (RunState.QUEUED, RunState.RUNNING) else None,
        used=row.used,
        devices=tuple(sorted({part.worker["device"] for part in shares if "device" in (part.worker or {})})),
    )


def last_epoch(row: Row[Any], shares: Sequence[Row[Any]]) -> int:
    """The epoch to which all parts have come that have not failed, for a run that was left to others its last one."""
    if row.stopped_epoch is not None:
        return int(row.stopped_epoch)
    return min((part.epoch for part in shares if part.status != PartState.FAILED), default=0)


def last_shown(row: Row[Any], shares: Sequence[Row[Any]]) -> int:
    """The last epoch whose records a run shows: a stopped one ends where it was left."""
    return last_epoch(row, shares) if row.stopped else int(row.recipe["epochs"])


def status_of(row: Row[Any], shares: Sequence[Row[Any]]) -> tuple[RunState, str | None]:
    """Derive a run's status and its sentence from its parts."""
    states = {part.status for part in shares}
    if row.stopped:
        if row.stop and PartState.RUNNING in states:
            return RunState.STOPPING, None
        return RunState.STOPPED, f"Stopped after epoch {last_epoch(row, shares)}."
    unfinished = [part for part in shares if part.status in UNFINISHED]
    if row.hold is not None and unfinished and all(part.epoch >= row.hold for part in unfinished):
        if PartState.RUNNING in states:  # a worker may be in the middle of an epoch: not paused before it has left
            return RunState.RUNNING, PAUSING
        return RunState.PAUSED, _paused(unfinished, row.recipe["epochs"])
    if PartState.RUNNING in states or (PartState.QUEUED in states and len(states) > 1):
        return RunState.RUNNING, None
    if PartState.QUEUED in states:
        return RunState.QUEUED, "Waiting for a free worker."
    if PartState.FAILED in states:
        return RunState.FAILED, next(part.message for part in shares if part.status == PartState.FAILED)
    if PartState.STOPPED in states:
        return RunState.STOPPED, "Stopped."
    return RunState.FINISHED, None


def _epochs(part: Row[Any]) -> float:
    """Where a part is, in epochs."""
    return float(part.epoch + part.share)


def _hindmost(shares: Sequence[Row[Any]]) -> Row[Any] | None:
    """The part that is least far among those being computed, or where there are none among those begun; or None."""
    running = [part for part in shares if part.status == PartState.RUNNING]
    begun = [part for part in shares if part.status in UNFINISHED and _epochs(part)]
    return min(running or begun, key=_epochs, default=None)


def _paused(shares: Sequence[Row[Any]], epochs: int) -> str:
    """Where a run stands still: at the end of an epoch, in the middle of one, or each model at its own."""
    begun = [part for part in shares if _epochs(part)]
    if not begun:
        return "Paused before its first epoch."
    low, high = min(begun, key=_epochs), max(begun, key=_epochs)
    if _epochs(low) == _epochs(high) and not low.share:
        return f"Paused after epoch {low.epoch} of {epochs}."
    if low.epoch == high.epoch:
        return f"Paused in epoch {low.epoch + 1} of {epochs}, with {low.share:.0%} of this epoch done."
    least, most = (part.epoch + (part.share > 0) for part in (low, high))
    return f"Paused; its slowest model has come to epoch {least}, its fastest to epoch {most} of {epochs}."


def _seconds_left(shares: Sequence[Row[Any]], epochs: int) -> float | None:
    """Estimate what is left: the slowest part by its own speed, a waiting one by the others'."""
    speeds = [part.seconds / _epochs(part) / max(1, len(part.lanes)) for part in shares if _epochs(part)]
    if not speeds:
        return None
    typical, slots, left = sum(speeds) / len(speeds), 0, []
    for part in shares:
        if part.status in UNFINISHED:
            speed = part.seconds / _epochs(part) / len(part.lanes) if _epochs(part) else typical
            left.append((epochs - _epochs(part)) * speed * len(part.lanes))
            slots += part.status == PartState.RUNNING
    return float(max(max(left, default=0.0), sum(left) / max(1, slots)))
