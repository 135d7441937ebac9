"""What is kept of runs, and for how long: so that a store's size follows from its settings, not from its age.

* A checkpoint goes when its part has finished, or `RESUMABLE` seconds after it was stopped or has failed: started again
  it then begins anew, and comes to the same.
* A result goes `ALF_KEEP_DAYS` after it was last started, ended or looked at. What is in use stays for good.
* Beyond `ALF_KEEP_RUNS` results or `ALF_KEEP_MB` megabytes those go first that were left alone longest; nothing that
  somebody used within the last `SAFE` seconds, and nothing that is still going.
* A result that no run belongs to goes at once: its run went on with another learning rate.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, exists, func, or_, select

from alf.runs import tables as t
from alf.runs.store import DAY, Store
from alf.settings import Settings
from alf.training.states import UNFINISHED, PartState

RESUMABLE = 7 * DAY
SAFE = 3600.0
RECORD_BYTES = 320
"""What a record takes with its indexes, about, in SQLite and in PostgreSQL; `benchmarks/growth.py` measures it."""
AT_A_TIME = 20
"""Results deleted in one transaction: others wait for it."""


@dataclass(frozen=True)
class Kept:
    """A result as far as keeping it goes."""

    key: str
    used: float
    going: bool
    bytes: int


def tidy(store: Store, settings: Settings, now: float | None = None) -> int:
    """Delete what need not be kept any longer; return how many results that were."""
    now = time.time() if now is None else now
    _delete_checkpoints(store, now)
    gone = 0
    for keys in _batches([*_unwatched(store), *_old(store, now - settings.keep_days * DAY)]):
        gone += _delete(store, keys, now - settings.keep_days * DAY)
    for keys in _batches(_beyond(kept(store), settings.keep_runs, settings.keep_mb * 10**6, now - SAFE)):
        gone += _delete(store, keys, now - SAFE)
    return gone


def kept(store: Store) -> list[Kept]:
    """List the results that there are, those that were left alone longest first."""
    sizes: defaultdict[str, int] = defaultdict(int)
    going: set[str] = set()
    with store.read() as connection:
        for table, column in ((t.checkpoints, t.checkpoints.c.state), (t.snapshots, t.snapshots.c.arrays)):
            joined = t.parts.join(table, table.c.part == t.parts.c.id)
            held = select(t.parts.c.result, func.sum(func.length(column))).select_from(joined)
            for key, size in connection.execute(held.group_by(t.parts.c.result)):
                sizes[key] += int(size)  # PostgreSQL sums to a decimal number
        parts = select(t.parts.c.result, t.parts.c.status, t.parts.c.epoch, t.parts.c.lanes)
        for key, status, epoch, lanes in connection.execute(parts):
            sizes[key] += RECORD_BYTES * epoch * len(lanes)
            if status in UNFINISHED:
                going.add(key)
        rows = connection.execute(select(t.results.c.key, t.results.c.used).order_by(t.results.c.used)).all()
    return [Kept(key, used, key in going, sizes[key]) for key, used in rows]


def _beyond(results: Sequence[Kept], runs: int, size: int, before: float) -> list[str]:
    """Which results are too many, of those that may go.

    >>> three = [Kept("a", 1.0, False, 50), Kept("b", 2.0, True, 50), Kept("c", 3.0, False, 50)]
    >>> _beyond(three, 3, 150, 9.0), _beyond(three, 2, 150, 9.0), _beyond(three, 3, 60, 9.0), _beyond(three, 1, 1, 2.5)
    ([], ['a'], ['a', 'c'], ['a'])
    """
    count, total, found = len(results), sum(one.bytes for one in results), []
    for one in results:
        if count <= runs and total <= size:
            break
        if not one.going and one.used < before:
            found.append(one.key)
            count, total = count - 1, total - one.bytes
    return found


def _delete_checkpoints(store: Store, now: float) -> None:
    """Delete what no run will be resumed from."""
    joined = t.parts.join(t.results, t.results.c.key == t.parts.c.result).join(
        t.checkpoints, t.checkpoints.c.part == t.parts.c.id
    )
    left = t.parts.c.status.in_((PartState.STOPPED, PartState.FAILED)) & (t.results.c.used < now - RESUMABLE)
    done = select(t.parts.c.id).select_from(joined).where(or_(t.parts.c.status == PartState.FINISHED, left))
    with store.read() as connection:
        if connection.execute(done.limit(1)).first() is None:
            return
    with store.decide() as connection:
        connection.execute(delete(t.checkpoints).where(t.checkpoints.c.part.in_(done)))


def _is_running() -> ColumnElement[bool]:
    return exists().where(t.parts.c.result == t.results.c.key, t.parts.c.status == PartState.RUNNING)


def _unwatched(store: Store) -> list[str]:
    """The results that no run belongs to."""
    nobody = ~exists().where(t.runs.c.result == t.results.c.key)
    with store.read() as connection:
        return list(connection.scalars(select(t.results.c.key).where(nobody, ~_is_running())))


def _old(store: Store, before: float) -> list[str]:
    """The results that nobody has used since; one that is paused or waits does not stay for that."""
    with store.read() as connection:
        return list(connection.scalars(select(t.results.c.key).where(t.results.c.used < before, ~_is_running())))


def _delete(store: Store, keys: list[str], before: float) -> int:
    """Delete results, unless they have come into use since they were found."""
    nobody = ~exists().where(t.runs.c.result == t.results.c.key)
    still = (t.results.c.key.in_(keys)) & ~_is_running() & or_(t.results.c.used < before, nobody)
    with store.decide() as connection:
        return connection.execute(delete(t.results).where(still)).rowcount


def _batches(keys: list[str]) -> Iterator[list[str]]:
    keys = list(dict.fromkeys(keys))
    for start in range(0, len(keys), AT_A_TIME):
        yield keys[start : start + AT_A_TIME]
