"""What a worker writes of the part it trains, and when: records, checkpoints and snapshots, at a bounded cost.

Records of finished epochs are written at least every `TOGETHER` seconds. A checkpoint or a snapshot is written with
them when it may be paid for (`Allowance`), after the last epoch in any case, and when the part is left.
"""

import time
from typing import Any

import safetensors.numpy
import safetensors.torch

from alf.runs.leases import Lease
from alf.training.snapshots import MOVING_SHARE, SNAPSHOT_SHARE, snapshot
from alf.training.trainer import Trainer

CHECKPOINT_SHARE = 0.004
"""Checkpoints may take this share of the training time; epochs since the last one are computed again after a crash."""
TOGETHER = 0.5
"""Seconds between two writes at least: shorter epochs are written several at once, or writing would take 5% of them."""
QUICK = 0.3
"""Seconds that a snapshot may take for one to be made when the part is left."""


class Allowance:
    """What something may cost, as a share of the training time.

    Without a guess at its cost the first time comes at once and is free, being slower than the others.
    """

    def __init__(self, share: float, guess: float | None = None):
        self.share, self.spent, self.cost = share, 0.0, guess

    def allows(self, seconds: float) -> bool:
        """Whether it may be done once more after so many seconds of training."""
        return self.cost is None or self.spent + self.cost <= self.share * seconds

    def took(self, since: tuple[float, float]) -> None:
        """Note that it was done, having begun at a moment of `clocks`."""
        # On a busy machine most of the time may be spent waiting for a processor: that is nothing that this costs, and
        # a snapshot that waited a second once would put off the next one for two minutes.
        taken = min(now - then for now, then in zip(clocks(), since, strict=True))
        self.spent += 0.0 if self.cost is None else taken
        self.cost = taken


def clocks() -> tuple[float, float]:
    """Seconds by the clock on the wall, and seconds of processor time of this process."""
    return time.perf_counter(), time.process_time()


class Journal:
    """Writes a trainer's progress under a lease.

    Parameters
    ----------
    lease
        The lease of the part.
    trainer
        What trains it; it goes on from the part's last checkpoint, if there is one.
    at_once
        Write every epoch when it ends: somebody waits for it.
    """

    def __init__(self, lease: Lease, trainer: Trainer, at_once: bool):
        self._lease, self._trainer, self._at_once = lease, trainer, at_once
        self._resume()
        points = trainer.recipe.dataset.shape == (2,)
        self._checkpoints = Allowance(CHECKPOINT_SHARE, guess=0.05)
        self._snapshots = Allowance(MOVING_SHARE if points else SNAPSHOT_SHARE)
        self._begun = trainer.seconds
        self._records: list[dict[str, Any]] = []  # of finished epochs, not yet written
        self._written = 0.0  # when they were written last
        self._saved = self._shown = self._position  # of the last checkpoint, of the last snapshot

    @property
    def _position(self) -> tuple[int, float]:
        return self._trainer.epoch, self._trainer.share

    def _resume(self) -> None:
        checkpoint = self._lease.checkpoint()
        if checkpoint is not None:
            ended = {int(lane): reason for lane, reason in checkpoint.ended.items()}
            self._trainer.load_state(safetensors.torch.load(checkpoint.state), ended)

    def epoch_done(self, records: list[dict[str, Any]]) -> None:
        """Take the records of the epoch that has just ended, and write what is due."""
        self._records += records
        trainer, now = self._trainer, time.perf_counter()
        last, trained = trainer.epoch == trainer.recipe.epochs, trainer.seconds - self._begun
        snapshot = checkpoint = None
        if trainer.alive and (last or self._snapshots.allows(trained)):
            start = clocks()
            snapshot = self._snapshot()
            self._snapshots.took(start)
        start = clocks()
        if trainer.alive and (last or self._checkpoints.allows(trained)):
            checkpoint = self._checkpoint()
        due = now - self._written > TOGETHER or self._at_once or not trainer.alive
        if due or snapshot or checkpoint:
            self._write(checkpoint, snapshot)
        if checkpoint:  # writing it is the larger part of what it costs
            self._checkpoints.took(start)

    def leave(self) -> None:
        """Write what is not in the store yet, the surest first: a worker that takes long to leave is killed."""
        self.flush()
        if self._saved != self._position:
            self._write(checkpoint=self._checkpoint())
        # In the middle of an epoch the model has moved on and shows no epoch's end any more.
        if not self._trainer.share and self._shown != self._position and (self._snapshots.cost or 0.0) < QUICK:
            self._write(snapshot=self._snapshot())

    def flush(self) -> None:
        """Write the records of finished epochs."""
        if self._records:
            self._write()

    def _checkpoint(self) -> bytes:
        self._saved = self._position
        return safetensors.torch.save(self._trainer.state())

    def _snapshot(self) -> bytes:
        self._shown = self._position
        return safetensors.numpy.save(snapshot(self._trainer))

    def _write(self, checkpoint: bytes | None = None, snapshot: bytes | None = None) -> None:
        at = self._trainer
        share = 0.0 if checkpoint is None else at.share  # only a checkpoint keeps what is done of an epoch
        self._lease.write(self._records, at.epoch, at.seconds, at.ended, checkpoint, snapshot, share)
        self._records.clear()
        self._written = time.perf_counter()
