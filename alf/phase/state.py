"""How far a map is, as a whole and block by block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from alf.phase.cell_values import Measured
from alf.phase.phase_map import Cell
from alf.training.states import UNFINISHED, PartState


class SweepState(StrEnum):
    """What state a map is in."""

    NEW = "new"  # nothing was started
    WAITING = "waiting"  # for workers
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True)
class State:
    """How far a map is.

    Attributes
    ----------
    cells
        What was measured so far.
    going
        Cells that are waited for or trained at the moment.
    failed
        Cells that could not be trained -> why, in a sentence.
    done, total
        Cells measured, and cells in all.
    seconds_left
        About how long the rest takes, when nothing else is going on; None where nothing can be said.
    status, message
        The state, and a sentence for a person, or None.
    notes
        Sentences on how it was computed: the device that was taken instead of the one asked for.
    """

    cells: Mapping[Cell, Measured]
    going: frozenset[Cell]
    failed: Mapping[Cell, str]
    done: int
    total: int
    seconds_left: float | None
    status: SweepState
    message: str | None
    notes: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether there is something to wait for."""
        return self.status in (SweepState.WAITING, SweepState.RUNNING)


@dataclass
class Started:
    """A block that was started: its run, whether that was stopped, and its parts."""

    run: str
    stopped: bool
    parts: Sequence[Row[Any]] = field(repr=False)

    @property
    def unfinished(self) -> bool:
        """Whether something of it waits or runs."""
        return not self.stopped and any(part.status in UNFINISHED for part in self.parts)

    @property
    def running(self) -> bool:
        """Whether a worker has some of it in hand."""
        return any(part.status == PartState.RUNNING for part in self.parts)

    @property
    def finished(self) -> bool:
        """Whether all of its models have come to their end; to have diverged is one."""
        return all(part.status == PartState.FINISHED or _all_diverged(part) for part in self.parts)

    @property
    def halted(self) -> bool:
        """Whether it was stopped before its end."""
        return self.stopped and not self.finished

    @property
    def failed(self) -> str | None:
        """Why some of it could not be computed, where nothing is left to wait for."""
        if self.unfinished or self.finished or self.stopped:
            return None
        return next((part.message or "Failed." for part in self.parts if part.status == PartState.FAILED), None)

    def fraction(self, epochs: int) -> float:
        """How much of it is done, in [0, 1]."""
        lanes = sum(len(part.lanes) for part in self.parts)
        done = sum(len(part.lanes) * min(1.0, (part.epoch + part.share) / epochs) for part in self.parts)
        return float(done / lanes)


def _all_diverged(part: Row[Any]) -> bool:
    return part.status == PartState.FAILED and {int(lane) for lane in part.ended} >= set(part.lanes)
