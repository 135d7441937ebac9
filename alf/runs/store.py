"""What was run: recipes, who started them, epoch records, checkpoints. It survives restarts; many processes share it.

Two words: a *result* belongs to a recipe, and identical recipes share it; a *run* is one person's view of a result,
with an unguessable id. A result is computed in *parts*, shares of its lanes.

>>> store = Store("sqlite://")
>>> from alf.training import classroom
>>> run = store.start(classroom("digits"), owner="me", shares=[[0, 1, 2]])
>>> print(store.progress(run).status, store.records(run))
queued []
"""

import secrets
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, select, tuple_, update

from alf.errors import InputError
from alf.runs import results
from alf.runs import tables as t
from alf.runs.database import Database
from alf.runs.progress import Progress, last_epoch, last_shown, progress_of, status_of
from alf.runs.transitions import CARRY_ON
from alf.training.recipe import Recipe
from alf.training.records import METRICS, Record
from alf.training.states import ACTIVE, UNFINISHED, PartState

DAY = 86400.0


class Store(Database):
    """The runs of this installation, in an SQLite file or a PostgreSQL database; see `alf.runs.database.Database`."""

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
        with self.decide() as connection:
            states = set(connection.scalars(select(t.parts.c.status).where(t.parts.c.result == key)))
            mine = connection.execute(select(t.runs).where(t.runs.c.owner == owner, t.runs.c.result == key)).first()
            going = mine is not None and not mine.stopped and not states.isdisjoint(UNFINISHED)
            if states != {PartState.FINISHED} and not going:
                results.check_limits(connection, owner, max_queued, max_per_owner)
            if states:
                results.start_again(connection, key, now)
            else:
                parts = ({"number": number, "lanes": list(lanes)} for number, lanes in enumerate(shares))
                results.make(connection, recipe, now, parts)
            if mine is not None:
                watching = {"stopped": False, "stopped_epoch": None}
                connection.execute(update(t.runs).where(t.runs.c.id == mine.id).values(watching))
                return str(mine.id)
            run = secrets.token_urlsafe(16)
            connection.execute(insert(t.runs).values(id=run, owner=owner, result=key, name=name, created=now))
            return run

    def stop(self, run: str) -> None:
        """End a person's view of a result; the computation is asked to stop when nobody else is watching it."""
        with self.decide() as connection:
            row, shares = self._run(run, connection)
            if status_of(row, shares)[0] not in ACTIVE:
                return
            epoch = last_epoch(row, shares)
            connection.execute(update(t.runs).where(t.runs.c.id == row.id).values(stopped=True, stopped_epoch=epoch))
            if self._watchers(connection, row.result) == 0:
                # Its workers may yet write epochs that they have finished: the run ends where they do.
                connection.execute(update(t.runs).where(t.runs.c.id == row.id).values(stopped_epoch=None))
                results.abandon(connection, row.result)

    def hold(self, run: str, epoch: int | None) -> None:
        """Let a run go on to the end of an epoch and no further: of none where it is 0; None lets it go on.

        Raises
        ------
        InputError
            Somebody else is watching the same run, or one's own view of it was stopped.
        """
        with self.decide() as connection:
            row = self._row(run, connection)
            if row.stopped:
                raise InputError(f"run: a stopped run cannot be paused or continued, got {run}")
            if epoch is not None and self._watchers(connection, row.result) > 1:
                raise InputError(f"run: a run that others watch too cannot be paused, got {run}")
            connection.execute(update(t.results).where(t.results.c.key == row.result).values(hold=epoch))

    def halt(self, run: str) -> tuple[str, int | None]:
        """Have the workers of a run leave where they are; return its result and how it was held, for `release`.

        Unlike `hold` this is for a moment, whoever else is watching: they find it again as it was.
        """
        with self.decide() as connection:
            row = self._row(run, connection)
            connection.execute(update(t.results).where(t.results.c.key == row.result).values(hold=0))
            return row.result, row.hold

    def at_rest(self, result: str) -> bool:
        """Whether no worker has a part of a result in hand."""
        running = and_(t.parts.c.result == result, t.parts.c.status == PartState.RUNNING)
        with self.read() as connection:
            return connection.execute(select(func.count()).where(running)).scalar_one() == 0

    def release(self, run: str, result: str, hold: int | None) -> None:
        """Hold a result that was halted as it was before, and what its run has become since."""
        with self.decide() as connection:
            both = t.results.c.key.in_((result, self._row(run, connection).result))
            connection.execute(update(t.results).where(both).values(hold=hold))

    def fork(self, run: str, lr: float) -> int:
        """Give a run another learning rate from the next epoch on that no part has begun; return that epoch.

        The run becomes one of a new recipe, which differs by that change and so shares everything before it: records
        and checkpoints are taken over. Whoever else was watching goes on with the old one.
        """
        with self.decide() as connection:
            row, shares = self._run(run, connection)
            old, epoch = Recipe.from_dict(row.recipe), results.first_not_begun(shares)
            if row.stopped or epoch > old.epochs:
                raise InputError(f"run: its learning rate can change only before its last epoch begins, got {run}")
            recipe = old.with_(changes=(*(c for c in old.changes if c.epoch < epoch), (epoch, lr)))
            if connection.scalar(select(t.results.c.key).where(t.results.c.key == recipe.key)) is None:
                results.copy(connection, row, recipe, shares)
            self._move(connection, row, recipe.key)
        return epoch

    def _move(self, connection: Connection, row: Row[Any], result: str) -> None:
        """Have a run watch another result, which now goes on, in place of its owner's earlier run of that one."""
        twin = and_(t.runs.c.owner == row.owner, t.runs.c.result == result, t.runs.c.id != row.id)
        connection.execute(delete(t.runs).where(twin))
        connection.execute(update(t.runs).where(t.runs.c.id == row.id).values(result=result))
        connection.execute(update(t.results).where(t.results.c.key == result).values(stop=False))
        CARRY_ON.apply(connection, t.parts.c.result == result)
        if self._watchers(connection, row.result) == 0:
            results.abandon(connection, row.result)

    def _watchers(self, connection: Connection, result: str) -> int:
        """Count the runs that are watching a result."""
        watching = select(func.count()).where(t.runs.c.result == result, ~t.runs.c.stopped)
        return connection.execute(watching).scalar_one()

    def delete(self, run: str) -> None:
        """Forget a run, and its result when nobody else looks at it; a run still going must be stopped first."""
        with self.decide() as connection:
            row, shares = self._run(run, connection)
            if status_of(row, shares)[0] in ACTIVE:
                raise InputError(f"run: must be stopped before it is deleted, got {run}")
            connection.execute(delete(t.runs).where(t.runs.c.id == row.id))
            if connection.scalar(select(func.count()).where(t.runs.c.result == row.result)) == 0:
                connection.execute(delete(t.results).where(t.results.c.key == row.result))

    def rename(self, run: str, name: str) -> None:
        """Give a run a name, at most 200 characters; an empty one takes it away."""
        name = "".join(c for c in name if c.isprintable()).strip()[:200]
        with self.decide() as connection:
            row = self._row(run, connection)
            connection.execute(update(t.runs).where(t.runs.c.id == row.id).values(name=name or None))

    # -- looking -----------------------------------------------------------------------------------------------------

    def runs(self, owner: str, offset: int = 0, limit: int | None = None) -> list[str]:
        """List an owner's runs, the newest first, or a page of them."""
        newest = (t.runs.c.created.desc(), t.runs.c.id)
        with self.read() as connection:
            query = select(t.runs.c.id).where(t.runs.c.owner == owner).order_by(*newest).offset(offset).limit(limit)
            return list(connection.scalars(query))

    def shares(self, owner: str) -> Sequence[Row[Any]]:
        """Return every part of an owner's runs, each with its run: how far many runs are, at the cost of one look."""
        columns = (
            t.runs.c.id.label("run"),
            t.runs.c.stopped,
            t.runs.c.result,
            *(t.parts.c[name] for name in ("status", "lanes", "epoch", "share", "seconds", "ended", "message", "note")),
        )
        query = select(*columns).join(t.parts, t.parts.c.result == t.runs.c.result).where(t.runs.c.owner == owner)
        with self.read() as connection:
            return connection.execute(query.order_by(t.parts.c.result, t.parts.c.number)).all()

    def count(self, owner: str) -> int:
        """Count an owner's runs."""
        with self.read() as connection:
            return connection.execute(select(func.count()).where(t.runs.c.owner == owner)).scalar_one()

    def progress(self, run: str) -> Progress:
        """Tell how far a run is.

        Raises
        ------
        InputError
            No such run.
        """
        with self.read() as connection:
            row, shares = self._run(run, connection)
        self._touch(row)
        return progress_of(row, shares)

    def _touch(self, row: Row[Any]) -> None:
        """Note that a result was looked at, once a day: what is in use is kept (`alf.runs.retention`)."""
        now = time.time()
        if now - row.used > DAY:
            stale = and_(t.results.c.key == row.result, t.results.c.used < now - DAY)
            with self.decide() as connection:
                connection.execute(update(t.results).where(stale).values(used=now))

    def records(self, run: str, since: int = 0) -> list[Record]:
        """Return the epoch records of a run with epoch > `since`, by epoch, then lane (see `alf.training.records`)."""
        with self.read() as connection:
            row, shares = self._run(run, connection)
            shown = t.records.c.epoch > since, t.records.c.epoch <= last_shown(row, shares)
            return _of_run(row, _records(connection, row.result, row.recipe, *shown)[0])

    def latest(self, run: str) -> list[Record]:
        """Return the last record of every lane of a run: what it has come to, without its curves."""
        with self.read() as connection:
            row, shares = self._run(run, connection)
            mine = t.records.c.result == row.result, t.records.c.epoch <= last_shown(row, shares)
            last = select(t.records.c.lane, func.max(t.records.c.epoch)).where(*mine).group_by(t.records.c.lane)
            its_last = tuple_(t.records.c.lane, t.records.c.epoch).in_(last)
            return _of_run(row, _records(connection, row.result, row.recipe, its_last)[0])

    def view(self, run: str) -> tuple[str, float, int | None]:
        """Return which result a run looks at, when that was made, and the epoch at which a stopped view of it ends."""
        with self.read() as connection:
            row, shares = self._run(run, connection)
            return row.result, row.made, last_epoch(row, shares) if row.stopped else None

    def news(self, result: str, cursor: int) -> tuple[list[Record], int]:
        """Return a result's records since a cursor, which are of no run in particular, and the next cursor."""
        with self.read() as connection:
            recipe = connection.scalar(select(t.results.c.recipe).where(t.results.c.key == result))
            if recipe is None:
                return [], cursor
            return _records(connection, result, recipe, t.records.c.id > cursor, cursor=cursor)

    def furthest(self, run: str) -> int:
        """Return the last epoch of which a run's result has a record."""
        with self.read() as connection:
            row = self._row(run, connection)
            return connection.scalar(select(func.max(t.records.c.epoch)).where(t.records.c.result == row.result)) or 0

    def snapshot_epochs(self, run: str) -> dict[int, int]:
        """Return the epoch as of which each lane can be inspected, that of its part's last snapshot, if any."""
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
            kept = connection.execute(select(t.snapshots.c.arrays).where(t.snapshots.c.part == part)).first()
            return None if kept is None else bytes(kept.arrays)

    def _run(self, run: str, connection: Connection) -> tuple[Row[Any], Sequence[Row[Any]]]:
        """Return a run's row and those of its parts."""
        row = self._row(run, connection)
        return row, connection.execute(select(t.parts).where(t.parts.c.result == row.result)).all()

    def _row(self, run: str, connection: Connection) -> Row[Any]:
        """Return a run's row, with what concerns all who look at its result."""
        run = "".join(c for c in str(run)[:32] if c.isprintable())  # PostgreSQL refuses to look for a null byte
        joined = t.runs.join(t.results, t.runs.c.result == t.results.c.key)
        row = connection.execute(
            select(t.runs, t.results.c.recipe, t.results.c.stop, t.results.c.hold, t.results.c.used)
            .add_columns(t.results.c.created.label("made"))
            .select_from(joined)
            .where(t.runs.c.id == run)
        ).first()
        if row is None:
            raise InputError(f"run: no such run, got {run}")
        return row


def _records(
    connection: Connection, result: str, recipe: dict[str, Any], *conditions: ColumnElement[bool], cursor: int = 0
) -> tuple[list[Record], int]:
    """The records of a result that meet conditions, and the cursor after them."""
    query = select(t.records).where(t.records.c.result == result, *conditions)
    found = connection.execute(query.order_by(t.records.c.epoch, t.records.c.lane)).all()
    if not found:
        return [], cursor
    lanes = [lane._asdict() for lane in Recipe.from_dict(recipe).lanes]
    shown = []
    for record in found:
        values = {"lane": record.lane, **lanes[record.lane], "epoch": record.epoch}
        shown.append(values | {metric: getattr(record, metric) for metric in METRICS})
    return shown, max(record.id for record in found)


def _of_run(row: Row[Any], records: list[Record]) -> list[Record]:
    return [{"run": row.id, **record} for record in records]
