"""What was run: recipes, who started them, epoch records, checkpoints. It survives restarts; many processes share it.

Two words: a *result* belongs to a recipe, and identical recipes share it; a *run* is one person's view of a result,
with an unguessable id. A result is computed in *parts*, shares of its lanes.

>>> store = Store("sqlite://")
>>> from alf.training import classroom
>>> run = store.start(classroom("digits"), owner="me", shares=[[0, 1, 2]])
>>> store.progress(run).status, store.records(run)
('queued', [])
"""

import secrets
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, insert, literal, select, tuple_, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from alf.errors import InputError
from alf.runs import tables as t
from alf.training.recipe import Recipe
from alf.training.records import METRICS

UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    run, recipe, name, owner, created
        Which run; `created` in seconds since 1970.
    status
        ``queued``, ``running``, ``paused``, ``stopping`` (asked to, not yet gone), ``stopped``, ``finished`` or
        ``failed``.
    message
        One sentence for a person: why it failed or waits, or None.
    notes
        What else is worth saying: the device chosen instead of the one asked for.
    ended
        Lane index -> why that lane ended early.
    epoch, epochs
        Epochs that every lane has finished, and epochs in all.
    fraction
        Of the work, between 0 and 1.
    seconds, seconds_left
        Training time so far, and an estimate of what is left (None before the first epoch).
    """

    run: str
    recipe: Recipe
    name: str | None
    owner: str
    created: float
    status: str
    message: str | None
    notes: tuple[str, ...]
    ended: dict[int, str]
    epoch: int
    epochs: int
    fraction: float
    seconds: float
    seconds_left: float | None

    @property
    def active(self) -> bool:
        """Whether there is something to wait for."""
        return self.status in ("queued", "running", "paused", "stopping")


class Store:
    """The runs of this installation, in an SQLite file or a PostgreSQL database.

    Parameters
    ----------
    url
        SQLAlchemy URL; ``settings().store`` is the configured one.
    """

    def __init__(self, url: str):
        self.url = url
        try:
            self.engine = t.connect(url)
        except (SQLAlchemyError, OSError, ImportError) as error:
            shown = make_url(url).render_as_string(hide_password=True)
            reason = " ".join(str(getattr(error, "orig", None) or error).split())[:200].rstrip(".?")
            if isinstance(error, ImportError):
                reason += ' (pip install "psycopg[binary]")'
            raise InputError(f"ALF_STORE: {shown} cannot be opened for writing: {reason}") from error
        with self.write() as connection:
            if connection.scalar(select(t.meta.c.value).where(t.meta.c.key == "identity")) is None:
                connection.execute(insert(t.meta).values(key="identity", value=secrets.token_hex(16)))

    @property
    def identity(self) -> str:
        """A token of this store: two processes that read the same token see the same runs."""
        with self.read() as connection:
            return connection.scalar(select(t.meta.c.value).where(t.meta.c.key == "identity"))

    @contextmanager
    def read(self):
        """Open a reading transaction."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self):
        """Open a writing transaction: it waits for other writers first, then commits or rolls back."""
        with self.engine.connect().execution_options(write=True) as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    # -- starting and stopping ---------------------------------------------------------------------------------------

    def start(
        self,
        recipe: Recipe,
        owner: str,
        shares: Sequence[Sequence[int]],
        name: str | None = None,
        max_queued: int | None = None,
        max_per_owner: int | None = None,
    ) -> str:
        """Queue a recipe for an owner and return the run's id; the same recipe of the same owner is the same run.

        A result that was stopped or failed is queued again and goes on from its last checkpoint.
        """
        key, now = recipe.key, time.time()
        with self.write() as connection:
            known = connection.execute(select(t.results.c.key).where(t.results.c.key == key)).first()
            mine = connection.execute(select(t.runs).where(t.runs.c.owner == owner, t.runs.c.result == key)).first()
            if mine is None or mine.stopped:
                _check_limits(connection, owner, max_queued, max_per_owner)
            if known is None:
                connection.execute(insert(t.results).values(key=key, recipe=recipe.to_dict(), created=now))
                for number, lanes in enumerate(shares):
                    connection.execute(
                        insert(t.parts).values(result=key, number=number, lanes=list(lanes), status="queued", ended={})
                    )
            else:
                again = t.parts.c.status.in_(("stopped", "failed"))
                connection.execute(
                    update(t.parts).where(t.parts.c.result == key, again).values(status="queued", message=None)
                )
                ended = and_(t.runs.c.result == key, t.runs.c.stopped, t.runs.c.stopped_epoch.is_(None))
                connection.execute(update(t.runs).where(ended).values(stopped_epoch=_furthest_of_all(key)))
                begun = update(t.results).where(t.results.c.key == key).values(stop=False, hold=None)
                connection.execute(begun)  # whoever presses Start wants it to go, though it was stopped while paused
            if mine is not None:
                connection.execute(
                    update(t.runs).where(t.runs.c.id == mine.id).values(stopped=False, stopped_epoch=None)
                )
                return mine.id
            run = secrets.token_urlsafe(16)
            connection.execute(insert(t.runs).values(id=run, owner=owner, result=key, name=name, created=now))
            return run

    def stop(self, run: str) -> None:
        """End a person's view of a result; the computation is asked to stop when nobody else is watching it."""
        now = self.progress(run)
        if not now.active:
            return
        with self.write() as connection:
            connection.execute(update(t.runs).where(t.runs.c.id == run).values(stopped=True, stopped_epoch=now.epoch))
            key = connection.scalar(select(t.runs.c.result).where(t.runs.c.id == run))
            if self._watchers(connection, key) == 0:
                # Its workers may yet write epochs that they have finished: the run ends where they do.
                connection.execute(update(t.runs).where(t.runs.c.id == run).values(stopped_epoch=None))
                connection.execute(update(t.results).where(t.results.c.key == key).values(stop=True))
                waiting = and_(t.parts.c.result == key, t.parts.c.status == "queued")
                connection.execute(update(t.parts).where(waiting).values(status="stopped"))

    def hold(self, run: str, epoch: int | None) -> None:
        """Let a run go on to the end of an epoch and no further; None lets it go on.

        Raises
        ------
        InputError
            Somebody else is watching the same run.
        """
        with self.write() as connection:
            row = self._row(run, connection)
            if epoch is not None and self._watchers(connection, row.result) > 1:
                raise InputError(f"run: others are watching it too, so it cannot be paused, got {run}")
            connection.execute(update(t.results).where(t.results.c.key == row.result).values(hold=epoch))

    def fork(self, run: str, lr: float) -> int:
        """Give a run another learning rate from the next epoch on that no part has begun; return that epoch.

        The run becomes one of a new recipe, which differs by that change and so shares everything before it: records
        and checkpoints are taken over. Whoever else was watching goes on with the old one.
        """
        with self.write() as connection:
            row = self._row(run, connection)
            shares = connection.execute(select(t.parts).where(t.parts.c.result == row.result)).all()
            old = Recipe.from_dict(row.recipe)
            begun = any(part.status == "running" for part in shares)  # a paused run has not begun its next epoch
            epoch = max(part.epoch for part in shares) + 1 + begun
            if row.stopped or epoch > old.epochs:
                raise InputError(f"run: has no epoch left to change, got {run}")
            recipe = old.with_(changes=(*(c for c in old.changes if c.epoch < epoch), (epoch, lr)))
            if connection.execute(select(t.results.c.key).where(t.results.c.key == recipe.key)).first() is None:
                _copy(connection, row, recipe, shares)
            mine = and_(t.runs.c.owner == row.owner, t.runs.c.result == recipe.key)
            connection.execute(delete(t.runs).where(mine, t.runs.c.id != run))
            connection.execute(update(t.runs).where(t.runs.c.id == run).values(result=recipe.key))
            connection.execute(update(t.results).where(t.results.c.key == recipe.key).values(stop=False))
            stopped = and_(t.parts.c.result == recipe.key, t.parts.c.status == "stopped")
            connection.execute(update(t.parts).where(stopped).values(status="queued"))
            if self._watchers(connection, row.result) == 0:
                connection.execute(update(t.results).where(t.results.c.key == row.result).values(stop=True))
                waiting = and_(t.parts.c.result == row.result, t.parts.c.status == "queued")
                connection.execute(update(t.parts).where(waiting).values(status="stopped"))
        return epoch

    def _watchers(self, connection, result: str) -> int:
        """Count the runs that are watching a result."""
        return connection.scalar(select(func.count()).where(t.runs.c.result == result, ~t.runs.c.stopped))

    def delete(self, run: str) -> None:
        """Forget a run, and its result when nobody else looks at it; a run still going must be stopped first."""
        if self.progress(run).active:
            raise InputError(f"run: must be stopped before it is deleted, got {run}")
        with self.write() as connection:
            key = connection.scalar(select(t.runs.c.result).where(t.runs.c.id == run))
            connection.execute(delete(t.runs).where(t.runs.c.id == run))
            if connection.scalar(select(func.count()).where(t.runs.c.result == key)) == 0:
                connection.execute(delete(t.results).where(t.results.c.key == key))

    def rename(self, run: str, name: str) -> None:
        """Give a run a name, at most 200 characters."""
        self._row(run)
        name = "".join(c for c in name if c.isprintable()).strip()[:200]
        with self.write() as connection:
            connection.execute(update(t.runs).where(t.runs.c.id == run).values(name=name or None))

    # -- looking -----------------------------------------------------------------------------------------------------

    def runs(self, owner: str, offset: int = 0, limit: int | None = None) -> list[str]:
        """List an owner's runs, the newest first, or a page of them."""
        newest = (t.runs.c.created.desc(), t.runs.c.id)
        with self.read() as connection:
            query = select(t.runs.c.id).where(t.runs.c.owner == owner).order_by(*newest).offset(offset).limit(limit)
            return list(connection.scalars(query))

    def count(self, owner: str) -> int:
        """Count an owner's runs."""
        with self.read() as connection:
            return connection.scalar(select(func.count()).where(t.runs.c.owner == owner))

    def progress(self, run: str) -> Progress:
        """Tell how far a run is.

        Raises
        ------
        InputError
            No such run.
        """
        with self.read() as connection:
            row = self._row(run, connection)
            shares = connection.execute(select(t.parts).where(t.parts.c.result == row.result)).all()
        recipe = Recipe.from_dict(row.recipe)
        status, message = _status(row, shares)
        epochs = recipe.epochs
        done = sum(len(part.lanes) * (1.0 if part.status == "finished" else part.epoch / epochs) for part in shares)
        ended = {int(lane): reason for part in shares for lane, reason in part.ended.items()}
        return Progress(
            run=run,
            recipe=recipe,
            name=row.name,
            owner=row.owner,
            created=row.created,
            status=status,
            message=message,
            notes=tuple(sorted({part.note for part in shares if part.note})),
            ended=ended,
            epoch=_last_epoch(row, shares),
            epochs=epochs,
            fraction=1.0 if status == "finished" else done / sum(len(part.lanes) for part in shares),
            seconds=max((part.seconds for part in shares), default=0.0),
            seconds_left=_seconds_left(shares, epochs) if status in UNFINISHED else None,
        )

    def records(self, run: str, since: int = 0) -> list[dict]:
        """Return the epoch records of a run with epoch > `since`, by epoch, then lane (see `alf.training.records`)."""
        return self._records(run, t.records.c.epoch > since)[0]

    def latest(self, run: str) -> list[dict]:
        """Return the last record of every lane of a run: what it has come to, without its curves."""
        last = select(t.records.c.lane, func.max(t.records.c.epoch)).group_by(t.records.c.lane)
        with self.read() as connection:
            row = self._row(run, connection)
            last = last.where(t.records.c.result == row.result)
            if row.stopped:
                last = last.where(t.records.c.epoch <= _end(row))
        return self._records(run, tuple_(t.records.c.lane, t.records.c.epoch).in_(last))[0]

    def updates(self, run: str, cursor: int = 0) -> tuple[list[dict], int]:
        """Return the records written since a cursor (0: all of them) and the cursor to ask with next time.

        Unlike an epoch number this misses nothing when parts of a run are at different epochs.
        """
        return self._records(run, t.records.c.id > cursor, cursor)

    def snapshot_epochs(self, run: str) -> dict[int, int]:
        """Return the epoch of the last snapshot of each lane's part; lanes without one are left out."""
        with self.read() as connection:
            row = self._row(run, connection)
            joined = t.parts.join(t.snapshots, t.snapshots.c.part == t.parts.c.id)
            query = (
                select(t.parts.c.lanes, t.snapshots.c.epoch).select_from(joined).where(t.parts.c.result == row.result)
            )
            return {lane: epoch for lanes, epoch in connection.execute(query) for lane in lanes}

    def snapshot(self, run: str, lane: int) -> bytes | None:
        """Return the last snapshot (safetensors) of the part that a lane belongs to; None before there is one."""
        with self.read() as connection:
            row = self._row(run, connection)
            shares = connection.execute(select(t.parts).where(t.parts.c.result == row.result)).all()
            part = next((part.id for part in shares if lane in part.lanes), None)
            return connection.scalar(select(t.snapshots.c.arrays).where(t.snapshots.c.part == part))

    def _records(self, run: str, condition, cursor: int = 0) -> tuple[list[dict], int]:
        with self.read() as connection:
            row = self._row(run, connection)
            condition = and_(t.records.c.result == row.result, condition)
            if row.stopped:
                condition = and_(condition, t.records.c.epoch <= _end(row))
            order = (t.records.c.epoch, t.records.c.lane)
            found = connection.execute(select(t.records).where(condition).order_by(*order)).all()
        lanes = Recipe.from_dict(row.recipe).lanes
        shown = []
        for record in found:
            values = {"run": run, "lane": record.lane, **lanes[record.lane]._asdict(), "epoch": record.epoch}
            shown.append(values | {metric: getattr(record, metric) for metric in METRICS})
        return shown, max((record.id for record in found), default=cursor)

    def _row(self, run: str, connection=None):
        run = "".join(c for c in str(run)[:32] if c.isprintable())  # PostgreSQL refuses to look for a null byte
        if connection is None:
            with self.read() as connection:
                return self._row(run, connection)
        joined = t.runs.join(t.results, t.runs.c.result == t.results.c.key)
        row = connection.execute(
            select(t.runs, t.results.c.recipe, t.results.c.stop, t.results.c.hold)
            .select_from(joined)
            .where(t.runs.c.id == run)
        ).first()
        if row is None:
            raise InputError(f"run: no such run, got {run}")
        return row


def _copy(connection, row, recipe: Recipe, shares) -> None:
    """Make the result of a recipe that agrees with another one so far, with its records and checkpoints."""
    now = time.time()
    connection.execute(insert(t.results).values(key=recipe.key, recipe=recipe.to_dict(), created=now, hold=row.hold))
    for part in shares:
        values = {name: getattr(part, name) for name in ("number", "lanes", "epoch", "seconds", "ended", "note")}
        made = connection.execute(insert(t.parts).values(result=recipe.key, status="queued", **values))
        for table in (t.checkpoints, t.snapshots):
            kept = [column for column in table.c if column.name != "part"]
            copied = select(literal(made.inserted_primary_key[0]), *kept).where(table.c.part == part.id)
            connection.execute(insert(table).from_select(["part", *(c.name for c in kept)], copied))
    kept = [column for column in t.records.c if column.name not in ("id", "result")]
    copied = select(literal(recipe.key), *kept).where(t.records.c.result == row.result).order_by(t.records.c.id)
    connection.execute(insert(t.records).from_select(["result", *(c.name for c in kept)], copied))


def _check_limits(connection, owner: str, max_queued: int | None, max_per_owner: int | None) -> None:
    """Refuse a further run when too many are unfinished."""
    going = (
        select(func.count(t.runs.c.id.distinct()))
        .select_from(t.runs.join(t.parts, t.parts.c.result == t.runs.c.result))
        .where(~t.runs.c.stopped, t.parts.c.status.in_(UNFINISHED))
    )
    if max_queued is not None and (count := connection.scalar(going)) >= max_queued:
        raise InputError(f"runs: at most {max_queued} may be unfinished at a time here, got {count} already")
    if max_per_owner is not None:
        count = connection.scalar(going.where(t.runs.c.owner == owner))
        if count >= max_per_owner:
            raise InputError(f"runs: at most {max_per_owner} of yours may be unfinished at a time, got {count} already")


def _furthest_of_all(key: str):
    """The epoch to which all parts of a result have come that have not failed, as a subquery."""
    come = select(func.coalesce(func.min(t.parts.c.epoch), 0)).where(
        t.parts.c.result == key, t.parts.c.status != "failed"
    )
    return come.scalar_subquery()


def _end(row):
    """The epoch after which a stopped run ends: when others went on with its result, the one at which it was left."""
    return _furthest_of_all(row.result) if row.stopped_epoch is None else row.stopped_epoch


def _last_epoch(row, shares) -> int:
    """The epoch to which all parts have come that have not failed, for a run that was left to others its last one."""
    epoch = min((part.epoch for part in shares if part.status != "failed"), default=0)
    return epoch if row.stopped_epoch is None else min(epoch, row.stopped_epoch)


def _status(row, shares) -> tuple[str, str | None]:
    """Derive a run's status and its sentence from its parts."""
    states = {part.status for part in shares}
    if row.stopped:
        if row.stop and "running" in states:
            return "stopping", None
        return "stopped", f"Stopped after epoch {_last_epoch(row, shares)}."
    unfinished = [part for part in shares if part.status in UNFINISHED]
    if row.hold is not None and unfinished and all(part.epoch >= row.hold for part in unfinished):
        if "running" in states:  # a worker may be in the middle of an epoch: not paused before it has left
            return "running", "Pausing."
        return "paused", f"Paused after epoch {min(part.epoch for part in unfinished)}."
    if "running" in states or ("queued" in states and states - {"queued"}):
        return "running", None
    if "queued" in states:
        return "queued", "Waiting for a free worker."
    if "failed" in states:
        return "failed", next(part.message for part in shares if part.status == "failed")
    if "stopped" in states:
        return "stopped", "Stopped."
    return "finished", None


def _seconds_left(shares, epochs: int) -> float | None:
    """Estimate what is left: the slowest part by its own speed, a waiting one by the others'."""
    speeds = [part.seconds / part.epoch / max(1, len(part.lanes)) for part in shares if part.epoch]
    if not speeds:
        return None
    typical, slots, left = sum(speeds) / len(speeds), 0, []
    for part in shares:
        if part.status in UNFINISHED:
            speed = part.seconds / part.epoch / len(part.lanes) if part.epoch else typical
            left.append((epochs - part.epoch) * speed * len(part.lanes))
            slots += part.status == "running"
    return max(max(left, default=0.0), sum(left) / max(1, slots))


__all__ = ["Progress", "Store"]
