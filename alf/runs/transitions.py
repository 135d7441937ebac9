"""Every way in which a part changes its state. Nothing else writes that column, apart from making a part: queued.

=========== ================ =======================================================================
transition  from             to
=========== ================ =======================================================================
GRANT       queued           running: a worker has been given a lease
FINISH      running          finished
FAIL        running          failed
GIVE_BACK   running          queued, or stopped where the result is to stop: its worker left or died
START       stopped, failed  queued: somebody pressed Start
ABANDON     queued           stopped: nobody watches any more
CARRY_ON    stopped          queued: a run came to this result with another learning rate
=========== ================ =======================================================================
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, select, update

from alf.runs import tables as t
from alf.training.states import PartState


@dataclass(frozen=True)
class Transition:
    """One way: from any of the `sources` to the `target`, or to `if_stopping` where the result is to stop."""

    sources: tuple[PartState, ...]
    target: PartState
    if_stopping: PartState | None = None

    def apply(self, connection: Connection, parts: ColumnElement[bool], **values: Any) -> int:
        """Take the parts that meet a condition this way, those in one of the sources; return how many that were."""
        target: Any = self.target
        if self.if_stopping is not None:
            stopping = select(t.results.c.stop).where(t.results.c.key == t.parts.c.result).scalar_subquery()
            target = case((stopping, self.if_stopping), else_=self.target)
        moved = update(t.parts).where(parts, t.parts.c.status.in_(self.sources))
        return connection.execute(moved.values(status=target, **values)).rowcount


GRANT = Transition((PartState.QUEUED,), PartState.RUNNING)
FINISH = Transition((PartState.RUNNING,), PartState.FINISHED)
FAIL = Transition((PartState.RUNNING,), PartState.FAILED)
GIVE_BACK = Transition((PartState.RUNNING,), PartState.QUEUED, if_stopping=PartState.STOPPED)
START = Transition((PartState.STOPPED, PartState.FAILED), PartState.QUEUED)
ABANDON = Transition((PartState.QUEUED,), PartState.STOPPED)
CARRY_ON = Transition((PartState.STOPPED,), PartState.QUEUED)
