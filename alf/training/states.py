"""What state a run is in, and each of its parts: one part is what one process trains at a time."""

from enum import StrEnum


class PartState(StrEnum):
    """The state of a part; `alf.runs.transitions` lists the ways from one to another."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class RunState(StrEnum):
    """The state of a run, which follows from those of its parts.

    >>> RunState.FINISHED == PartState.FINISHED == "finished"
    True
    """

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"  # asked to stop; a worker has not left yet
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


UNFINISHED = (PartState.QUEUED, PartState.RUNNING)
"""What a part is while there is something to compute in it."""
ACTIVE = (RunState.QUEUED, RunState.RUNNING, RunState.PAUSED, RunState.STOPPING)
"""What a run is while there is something to wait for."""
