"""What the dispatcher needs of worker processes; `alf.runs.dask_workers` has them from Dask, tests from nowhere."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Protocol


class Ending(Enum):
    """How a job ended that raised nothing."""

    RETURNED = auto()
    DIED = auto()  # with its worker process
    LOST = auto()  # nobody knows about it any more


class Job(Protocol):
    """A part that a worker was given."""

    def ending(self) -> Ending | BaseException | None:
        """How it ended, an exception where it raised one; None while it goes on."""


class Workers(Protocol):
    """Processes that compute parts, each one at a time; one that dies is replaced."""

    @property
    def count(self) -> int:
        """How many parts can be computed at a time."""

    @property
    def gone(self) -> bool:
        """Whether the connection is lost for good."""

    def submit(self, part: int, token: str, done: Callable[[], None]) -> Any:
        """Have a part computed under its lease; `done` is called, in any thread, when that has ended."""

    def kill(self, job: Any, worker: dict[str, Any] | None) -> None:
        """End the process that computes a job; another one takes its place."""

    def close(self) -> None:
        """End the connection, and the processes where they are ours."""
