"""Who computes what: the fair queue, and the lease under which a worker computes a part.

A worker writes only while it has the part's lease. When the part has been given to somebody else meanwhile, the next
write under the old lease finds that out (`LeaseLost`), and its worker leaves.
"""

import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import psutil
from sqlalchemy import Connection, Row, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alf.runs import tables as t
from alf.runs.database import DatabaseAway
from alf.runs.store import Store
from alf.runs.transitions import FAIL, FINISH, GIVE_BACK, GRANT, Transition
from alf.training.states import UNFINISHED, PartState

LEASE = 30.0
"""Seconds without a heartbeat after which a lease has expired."""
REMEMBERED = 3600.0
"""Seconds for which it is remembered who was served; the queue need not know all that was ever computed."""
AGAIN = 1.0
"""Seconds between two tries to reach a database that is away."""

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class LeaseLost(Exception):
    """The part has been given to somebody else."""


def waiting(store: Store) -> list[int]:
    """List the queued parts, fairest first.

    First come owners with fewer parts running, then owners served longest ago, then older runs: nobody's second run
    goes before somebody else's first.
    """
    joined = t.parts.join(t.runs, t.runs.c.result == t.parts.c.result)
    unfinished = (
        select(t.parts.c.id, t.parts.c.number, t.parts.c.status, t.parts.c.epoch, t.results.c.hold)
        .add_columns(t.runs.c.owner, t.runs.c.created)
        .select_from(joined.join(t.results, t.results.c.key == t.parts.c.result))
        .where(t.parts.c.status.in_(UNFINISHED), ~t.runs.c.stopped)
    )
    lately = (
        select(t.runs.c.owner, t.parts.c.leased)
        .select_from(joined)
        .where(t.parts.c.leased > time.time() - REMEMBERED)
        .order_by(t.parts.c.leased)  # by the index, so that nothing older is read
    )
    with store.read() as connection:
        rows = connection.execute(unfinished).all()
        if all(row.status == PartState.RUNNING for row in rows):
            return []
        served = dict(connection.execute(lately).all())  # the last one counts
    running: Counter[str] = Counter()
    first: dict[int, tuple[float, str]] = {}
    for row in rows:
        running[row.owner] += row.status == PartState.RUNNING
        if row.status == PartState.QUEUED and (row.hold is None or row.epoch < row.hold):
            first[row.id] = min(first.get(row.id, (row.created, row.owner)), (row.created, row.owner))
    numbers = {row.id: row.number for row in rows}

    def fairness(part: int) -> tuple[int, float, float, int]:
        created, owner = first[part]
        return running[owner], served.get(owner, 0.0), created, numbers[part]

    return sorted(first, key=fairness)


def wanting(store: Store, device: str) -> set[int]:
    """Which queued parts are of recipes that name a device."""
    named = t.results.c.recipe["device"].as_string() == device
    joined = t.parts.join(t.results, t.results.c.key == t.parts.c.result)
    with store.read() as connection:
        query = select(t.parts.c.id).select_from(joined).where(t.parts.c.status == PartState.QUEUED, named)
        return set(connection.scalars(query))


def grant(store: Store, part: int, engine: str) -> str | None:
    """Give an engine the lease of a queued part and return its token; None when somebody else was quicker."""
    token, now = secrets.token_hex(16), time.time()
    fresh = {"lease": token, "engine": engine, "leased": now, "heartbeat": now, "worker": None, "message": None}
    with store.report() as connection:
        return token if GRANT.apply(connection, t.parts.c.id == part, **fresh) == 1 else None


def recover(store: Store, engine: str, known: Collection[int] = ()) -> int:
    """Queue again what was running in an engine that is gone, or has not been heard of for `LEASE` seconds.

    `known` are the parts that this engine knows to be running; others under its name were lost on the way.
    """
    running = select(t.parts).where(t.parts.c.status == PartState.RUNNING)
    with store.read() as connection:
        if not _orphans(connection.execute(running), engine, known):
            return 0  # nearly always, and then nobody has to wait for this
    with store.decide() as connection:
        orphans = _orphans(connection.execute(running), engine, known)
        return GIVE_BACK.apply(connection, t.parts.c.id.in_(orphans), lease=None) if orphans else 0


def _orphans(rows: Iterable[Row[Any]], engine: str, known: Collection[int]) -> list[int]:
    """Which of the running parts nobody is computing."""
    return [row.id for row in rows if (row.id not in known if row.engine == engine else _has_ended(row))]


def heartbeat(store: Store, parts: Collection[int], engine: str) -> None:
    """Say that an engine is there and computes these parts, however long their workers sit in one batch."""
    mine = t.parts.c.id.in_(list(parts)) & (t.parts.c.engine == engine) & (t.parts.c.status == PartState.RUNNING)
    with store.report() as connection:
        connection.execute(update(t.parts).where(mine).values(heartbeat=time.time()))


def engine_name() -> str:
    """Name this process's engine: host, process id and when the process began, so that a restart knows it is gone.

    The id alone does not do: a restarted container gives its server the same one again.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.0f}-{secrets.token_hex(4)}"


def _has_ended(row: Row[Any]) -> bool:
    """Whether the engine that gave the part to its worker has ended."""
    if time.time() - (row.heartbeat or 0) > LEASE:
        return True
    host, pid, began = (row.engine or "::").rsplit(":", 2)
    if host != socket.gethostname() or (row.worker or {}).get("remote"):
        return False
    try:
        process = psutil.Process(int(pid))
        # A killed process whose parent has not asked for it yet still has its id.
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        began = began.partition("-")[0]
        return began.isdigit() and abs(process.create_time() - int(began)) > 2
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False


def _patiently(
    method: Callable[Concatenate["Lease", Given], Answer],
) -> Callable[Concatenate["Lease", Given], Answer]:
    """Ask again while the database is away, as long as the lease has patience: all that it does bears repeating."""

    @wraps(method)
    def asked(self: "Lease", /, *given: Given.args, **named: Given.kwargs) -> Answer:
        end = time.monotonic() + self.patience
        while True:
            try:
                return method(self, *given, **named)
            except DatabaseAway:
                if time.monotonic() > end:
                    raise
            time.sleep(AGAIN)

    return asked


class Lease:
    """The lease of a part: what its worker may ask and write while it computes the part.

    Every write is idempotent: epochs that a resumed worker computes once more change nothing.

    Parameters
    ----------
    store, part, token
        Of which part it is, and by what the store knows it.
    patience
        Seconds to wait for a database that is away.
    """

    POLL = 0.3  # seconds between two looks at the stop flag
    BEAT = 5.0  # seconds between two heartbeats
    TELL = 1.0  # seconds between two words on how far an epoch is

    def __init__(self, store: Store, part: int, token: str, patience: float = 0.0):
        self.store, self.part, self.token, self.patience = store, part, token, patience
        self._mine = (t.parts.c.id == part) & (t.parts.c.lease == token)
        self._result: str | None = None  # known once the work has begun
        self._looked = self._beaten = self._told = 0.0
        self._asked = (
            select(t.results.c.stop, t.results.c.hold)
            .select_from(t.parts.join(t.results, t.parts.c.result == t.results.c.key))
            .where(self._mine, t.parts.c.status == PartState.RUNNING)
        )

    @_patiently
    def begin(self, worker: Mapping[str, Any]) -> Row[Any] | None:
        """Say who computes the part, and return its row with the recipe; None when the lease is lost already."""
        joined = t.parts.join(t.results, t.parts.c.result == t.results.c.key)
        with self.store.read() as connection:
            row: Row[Any] | None = connection.execute(
                select(t.parts, t.results.c.recipe, t.results.c.stop, t.results.c.hold)
                .select_from(joined)
                .where(self._mine)
            ).first()
        if row is None or row.status != PartState.RUNNING:
            return None
        self._result = row.result
        self.tell(worker=worker)
        return row

    @_patiently
    def must_leave(self, epoch: int = 0, share: float = 0.0, seconds: float = 0.0) -> bool:
        """Whether Stop or Pause was pressed, or the lease is lost. Cheap enough to ask before every batch.

        `epoch` is the number of finished epochs: a run that is held at one leaves there. In the middle of a long epoch
        `share`, how much of it is done, and the training time so far are told to whoever watches.
        """
        now = time.monotonic()
        if now - self._looked < self.POLL:
            return False
        self._looked = now
        with self.store.read() as connection:
            asked = connection.execute(self._asked).first()
        if asked is None or asked.stop or (asked.hold is not None and epoch >= asked.hold):
            return True
        if share and now - self._told > self.TELL:
            self._told = self._beaten = now
            self.tell(share=share, seconds=seconds)
        elif now - self._beaten > self.BEAT:
            self._beaten = now
            self.tell()
        return False

    @_patiently
    def checkpoint(self) -> Row[Any] | None:
        """Return the last checkpoint (epoch, ended, state as safetensors) or None."""
        with self.store.read() as connection:
            kept: Row[Any] | None = connection.execute(
                select(t.checkpoints).where(t.checkpoints.c.part == self.part)
            ).first()
        return kept

    @_patiently
    def write(
        self,
        records: Sequence[Mapping[str, Any]],
        epoch: int,
        seconds: float,
        ended: Mapping[int, str],
        checkpoint: bytes | None = None,
        snapshot: bytes | None = None,
        share: float = 0.0,
    ) -> None:
        """Write how far the part is, the records of epochs, a checkpoint and a snapshot, in one transaction.

        After a resume from an older checkpoint the same epochs come again; what is there already stays.
        """
        lanes = {str(lane): reason for lane, reason in ended.items()}
        with self.store.report() as connection:
            # A result's records are numbered in the order in which they are committed: a cursor passes none over.
            own = select(t.results.c.key).where(t.results.c.key == self._result)
            connection.execute(own.with_for_update(key_share=True))
            self._update(connection, epoch=epoch, share=share, seconds=seconds, ended=lanes)
            if records:
                names = [column.name for column in t.records.columns if column.name not in ("id", "result")]
                values = [{"result": self._result} | {name: record[name] for name in names} for record in records]
                connection.execute(_insert(connection, t.records).on_conflict_do_nothing(), values)
            if checkpoint is not None:
                self._put(connection, t.checkpoints, epoch=epoch, ended=lanes, state=checkpoint)
            if snapshot is not None:
                self._put(connection, t.snapshots, epoch=epoch, arrays=snapshot)
        self._looked = 0.0  # a single step ends at its epoch exactly, however short epochs are: look before the next

    @_patiently
    def finish(self) -> None:
        """Mark the part as finished; there is nothing to go on from any more."""
        with self.store.report() as connection:
            self._end(connection, FINISH, message=None)
            connection.execute(delete(t.checkpoints).where(t.checkpoints.c.part == self.part))

    @_patiently
    def fail(self, message: str) -> None:
        """Mark the part as failed, with the reason in words."""
        with self.store.report() as connection:
            self._end(connection, FAIL, message=message[:2000])

    @_patiently
    def leave(self) -> None:
        """Give the part back: stopped when that is still wanted, queued again when it was paused or started again."""
        with self.store.report() as connection:
            self._end(connection, GIVE_BACK)

    def _end(self, connection: Connection, transition: Transition, **values: Any) -> None:
        """End the lease; what is kept of the part's result is counted from now (`alf.runs.retention`)."""
        mine = select(t.parts.c.result).where(self._mine).scalar_subquery()
        connection.execute(update(t.results).where(t.results.c.key == mine).values(used=time.time()))
        if transition.apply(connection, self._mine, lease=None, heartbeat=time.time(), **values) != 1:
            raise LeaseLost

    @_patiently
    def tell(self, /, **values: Any) -> None:
        """Say something of the part to whoever looks at the run, `note` for one, and by that be heard of."""
        with self.store.report() as connection:
            self._update(connection, **values)

    def _update(self, connection: Connection, **values: Any) -> None:
        done = connection.execute(update(t.parts).where(self._mine).values(heartbeat=time.time(), **values))
        if done.rowcount != 1:
            raise LeaseLost

    def _put(self, connection: Connection, table: Table, **values: Any) -> None:
        """Write the part's row of a table, in place of the one that is there."""
        put = _insert(connection, table)
        fresh = {name: put.excluded[name] for name in values}
        put = put.on_conflict_do_update(index_elements=["part"], set_=fresh)
        connection.execute(put, {"part": self.part, **values})


def _insert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that knows ON CONFLICT, which SQLAlchemy spells per database."""
    return {"sqlite": sqlite, "postgresql": postgresql}[connection.dialect.name].insert(table)
