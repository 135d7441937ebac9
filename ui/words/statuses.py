"""How a page says and colours the status of a verdict, the state of a run and what happened to a loss in it."""

from alf.figures.palette import BAD, GOOD, NEUTRAL, UNSURE
from alf.theory.verdict import Status
from alf.training.states import RunState
from alf.training.symptoms import Kind

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
    Kind.DIVERGED: BAD,
    Kind.TRAPPED: BAD,
    Kind.MEMORISING: BAD,
    Kind.STARVING: BAD,
    Kind.THEORY: UNSURE,
    Kind.NOTHING: GOOD,
    Kind.EARLY: NEUTRAL,
}
"""On a light page and on a dark one."""

_SAID = {Status.OBSERVED: "only observed", Status.NOT_DEFINED: "not defined", RunState.QUEUED: "waiting",
         Kind.THEORY: "theory and training", Kind.NOTHING: "none of these", Kind.EARLY: "too early"}  # fmt: skip


def word(status: Status | RunState | Kind) -> str:
    """What a page calls it.

    >>> word(Status.PROVED), word(Status.NOT_DEFINED), word(RunState.QUEUED)
    ('proved', 'not defined', 'waiting')
    """
    return _SAID.get(status, str(status))
