"""Who computes what: the fair queue, and a worker's hold on the part it computes.

A worker writes only while it holds the part's claim. When the part has been given to somebody else meanwhile, the old
holder's next write finds that out (`Lost`) and it leaves.
"""

import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Collection

import psutil
from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alf.runs import tables as t
from alf.runs.progress import UNFINISHED
from alf.runs.store import Store

LEASE = 30.0
"""Seconds without a heartbeat after which a part is taken from whoever holds it."""
REMEMBERED = 3600.0
"""Seconds for which it is remembered who was served; the queue need not know all that was ever computed."""


class Lost(Exception):
    """The part is not ours any more."""


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
        select(t.runs.c.owner, t.parts.c.claimed)
        .select_from(joined)
        .where(t.parts.c.claimed > time.time() - REMEMBERED)
        .order_by(t.parts.c.claimed)  # by the index, so that nothing older is read
    )
    with store.read() as connection:
        rows = connection.execute(unfinished).all()
        if all(row.status == "running" for row in rows):
            return []
        served = dict(connection.execute(lately).all())  # the last one counts
    running, first = Counter(), {}
    for row in rows:
        running[row.owner] += row.status == "running"
        if row.status == "queued" and (row.hold is None or row.epoch < row.hold):
            first[row.id] = min(first.get(row.id, (row.created, row.owner)), (row.created, row.owner))
    numbers = {row.id: row.number for row in rows}

    def fairness(part: int):
        created, owner = first[part]
        return running[owner], served.get(owner, 0.0), created, numbers[part]

    return sorted(first, key=fairness)


def claim(store: Store, part: int, engine: str) -> str | None:
    """Take a queued part; None when somebody else was quicker."""
    token, now = secrets.token_hex(16), time.time()
    free = (t.parts.c.id == part) & (t.parts.c.status == "queued")
    taken = (
        update(t.parts)
        .where(free)
        .values(status="running", claim=token, engine=engine, claimed=now, heartbeat=now, worker=None, message=None)
    )
    with store.report() as connection:
        return token if connection.execute(taken).rowcount == 1 else None


def recover(store: Store, engine: str, holding: Collection[int] = ()) -> int:
    """Queue again what was running in an engine that is gone, or has not been heard of for `LEASE` seconds.

    `holding` are the parts that this engine knows to be running; others under its name were lost on the way.
    """
    running = select(t.parts).where(t.parts.c.status == "running")
    with store.read() as connection:
        if not _dead(connection.execute(running), engine, holding):
            return 0  # nearly always, and then nobody has to wait for this
    with store.decide() as connection:
        dead = _dead(connection.execute(running), engine, holding)
        if dead:
            asked = select(t.results.c.stop).where(t.results.c.key == t.parts.c.result).scalar_subquery()
            status = case((asked, "stopped"), else_="queued")
            connection.execute(update(t.parts).where(t.parts.c.id.in_(dead)).values(status=status, claim=None))
    return len(dead)


def _dead(rows, engine: str, holding: Collection[int]) -> list[int]:
    """Which of the running parts nobody is computing."""
    return [row.id for row in rows if (row.id not in holding if row.engine == engine else _gone(row))]


def beat(store: Store, parts: Collection[int], engine: str) -> None:
    """Say that an engine is there and holds these parts, however long their workers sit in one batch."""
    mine = t.parts.c.id.in_(list(parts)) & (t.parts.c.engine == engine) & (t.parts.c.status == "running")
    with store.report() as connection:
        connection.execute(update(t.parts).where(mine).values(heartbeat=time.time()))


def engine_name() -> str:
    """Name this process's engine: host, process id and when the process began, so that a restart knows it is gone.

    The id alone does not do: a restarted container gives its server the same one again.
    """
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.0f}-{secrets.token_hex(4)}"


def _gone(row) -> bool:
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


class Claim:
    """A worker's hold on a part: what it may ask and write while it computes it."""

    POLL = 0.3  # seconds between two looks at the stop flag
    BEAT = 5.0  # seconds between two signs of life
    TELL = 1.0  # seconds between two words on how far an epoch is

    def __init__(self, store: Store, part: int, token: str):
        self.store, self.part, self.token = store, part, token
        self._mine = (t.parts.c.id == part) & (t.parts.c.claim == token)
        self._looked = self._beaten = self._told = 0.0
        self._flag = (
            select(t.results.c.stop, t.results.c.hold)
            .select_from(t.parts.join(t.results, t.parts.c.result == t.results.c.key))
            .where(self._mine, t.parts.c.status == "running")
        )

    def begin(self, worker: dict):
        """Say who computes the part, and return its row with the recipe; None when it is not ours or not wanted."""
        joined = t.parts.join(t.results, t.parts.c.result == t.results.c.key)
        with self.store.read() as connection:
            row = connection.execute(
                select(t.parts, t.results.c.recipe, t.results.c.stop, t.results.c.hold)
                .select_from(joined)
                .where(self._mine)
            ).first()
        if row is None or row.status != "running":
            return None
        self._write(worker=worker)
        return row

    def asked_to_stop(self, epoch: int = 0, share: float = 0.0, seconds: float = 0.0) -> bool:
        """Whether to leave: Stop or Pause was pressed, or the part is no longer ours. Cheap enough to ask every batch.

        `epoch` is the number of finished epochs: a run that is held at one leaves there. In the middle of a long epoch
        `share`, how much of it is done, and the training time so far are told to whoever watches.
        """
        now = time.monotonic()
        if now - self._looked < self.POLL:
            return False
        self._looked = now
        with self.store.read() as connection:
            found = connection.execute(self._flag).first()
        leave = found is None or found.stop or (found.hold is not None and epoch >= found.hold)
        if not leave and share and now - self._told > self.TELL:
            self._told = self._beaten = now
            self._write(share=share, seconds=seconds)
        elif not leave and now - self._beaten > self.BEAT:
            self._beaten = now
            self._write()
        return leave

    def checkpoint(self):
        """Return the last checkpoint (epoch, ended, state as safetensors) or None."""
        with self.store.read() as connection:
            return connection.execute(select(t.checkpoints).where(t.checkpoints.c.part == self.part)).first()

    def note(self, note: str | None) -> None:
        """Leave a sentence for whoever looks at the run."""
        self._write(note=note)

    def epoch_done(
        self,
        result: str,
        rows: list[dict],
        epoch: int,
        seconds: float,
        ended: dict,
        state: bytes | None,
        arrays: bytes | None = None,
    ) -> None:
        """Write the records of an epoch or several, and the checkpoint and snapshot of the last, in one transaction.

        After a resume from an older checkpoint the same epochs come again; what is there already stays.
        """
        with self.store.report() as connection:
            # A result's records are numbered in the order in which they are committed: a cursor passes none over.
            connection.execute(select(t.results.c.key).where(t.results.c.key == result).with_for_update(key_share=True))
            told = {"epoch": epoch, "share": 0.0, "seconds": seconds}
            self._update(connection, **told, ended={str(k): v for k, v in ended.items()})
            if rows:
                names = [column.name for column in t.records.columns if column.name not in ("id", "result")]
                values = [{"result": result} | {name: row[name] for name in names} for row in rows]
                connection.execute(_insert(connection, t.records).on_conflict_do_nothing(), values)
            if state is not None:
                self._put_checkpoint(connection, epoch, ended, state)
            if arrays is not None:
                _put(connection, t.snapshots, {"part": self.part, "epoch": epoch, "arrays": arrays})
        self._looked = 0.0  # a single step ends at its epoch exactly, however short epochs are: look before the next

    def save(self, epoch: int, share: float, seconds: float, ended: dict, state: bytes) -> None:
        """Write a checkpoint alone: of a part that leaves in the middle of an epoch, or with one finished since."""
        with self.store.report() as connection:
            self._update(connection, share=share, seconds=seconds)
            self._put_checkpoint(connection, epoch, ended, state)

    def show(self, epoch: int, arrays: bytes) -> None:
        """Write a snapshot alone."""
        with self.store.report() as connection:
            self._update(connection)
            _put(connection, t.snapshots, {"part": self.part, "epoch": epoch, "arrays": arrays})

    def finish(self) -> None:
        """Mark the part as finished; there is nothing to go on from any more."""
        with self.store.report() as connection:
            self._end(connection, status="finished", message=None)
            connection.execute(delete(t.checkpoints).where(t.checkpoints.c.part == self.part))

    def fail(self, message: str) -> None:
        """Mark the part as failed, with the reason in words."""
        with self.store.report() as connection:
            self._end(connection, status="failed", message=message[:2000])

    def leave(self) -> None:
        """Give the part back: stopped when that is still wanted, queued again when it was paused or started again."""
        asked = select(t.results.c.stop).where(t.results.c.key == t.parts.c.result).scalar_subquery()
        with self.store.report() as connection:
            self._end(connection, status=case((asked, "stopped"), else_="queued"))

    def _end(self, connection, **values) -> None:
        """Let go of the part; what is kept of its result is counted from now (`alf.runs.retention`)."""
        mine = select(t.parts.c.result).where(self._mine).scalar_subquery()
        connection.execute(update(t.results).where(t.results.c.key == mine).values(used=time.time()))
        self._update(connection, claim=None, **values)

    def _write(self, **values) -> None:
        with self.store.report() as connection:
            self._update(connection, **values)

    def _update(self, connection, **values) -> None:
        done = connection.execute(update(t.parts).where(self._mine).values(heartbeat=time.time(), **values))
        if done.rowcount != 1:
            raise Lost

    def _put_checkpoint(self, connection, epoch: int, ended: dict, state: bytes) -> None:
        values = {"part": self.part, "epoch": epoch, "ended": {str(k): v for k, v in ended.items()}, "state": state}
        _put(connection, t.checkpoints, values)


def _put(connection, table, values: dict) -> None:
    """Write a part's row, in place of the one that is there."""
    put = _insert(connection, table)
    fresh = {name: put.excluded[name] for name in values if name != "part"}
    connection.execute(put.on_conflict_do_update(index_elements=["part"], set_=fresh), values)


def _insert(connection, table):
    """Return an INSERT that knows ON CONFLICT, which SQLAlchemy spells per database."""
    dialect = {"sqlite": sqlite, "postgresql": postgresql}.get(connection.dialect.name)
    return dialect.insert(table) if dialect else insert(table)
