"""How a page says and colours the status of a verdict and the state of a run."""

from alf.figures.palette import BAD, GOOD, NEUTRAL, UNSURE
from alf.theory.verdict import Status
from alf.training.states import RunState

COLOURS = {
    Status.PROVED: GOOD,
    Status.CERTIFIED: GOOD,
    Status.OBSERVED: UNSURE,
    Status.REFUTED: BAD,
    Status.UNDECIDED: UNSURE,
    Status.NOT_DEFINED: NEUTRAL,
    RunState.QUEUED: UNSURE,
    RunState.RUNNING: UNSURE,
    RunState.PAUSED: UNSURE,
    RunState.STOPPING: UNSURE,
    RunState.STOPPED: NEUTRAL,
    RunState.FINISHED: GOOD,
    RunState.FAILED: BAD,
}
"""On a light page and on a dark one."""

_SAID = {Status.OBSERVED: "only observed", Status.NOT_DEFINED: "not defined", RunState.QUEUED: "waiting"}


def word(status: Status | RunState) -> str:
    """What a page calls it.

    >>> word(Status.PROVED), word(Status.NOT_DEFINED), word(RunState.QUEUED)
    ('proved', 'not defined', 'waiting')
    """
    return _SAID.get(status, str(status))
