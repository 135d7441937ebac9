"""What happens to a result when it is decided about: made, started again, abandoned, copied for another learning rate.

Each of these is part of a decision of `alf.runs.store.Store`, in its transaction.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, func, insert, literal, select, update

from alf.errors import InputError
from alf.runs import tables as t
from alf.runs.transitions import ABANDON, START
from alf.training.recipe import Recipe
from alf.training.states import UNFINISHED, PartState


def check_limits(connection: Connection, owner: str, max_queued: int | None, max_per_owner: int | None) -> None:
    """Refuse a further run when too many are unfinished."""
    going = (
        select(func.count(t.runs.c.id.distinct()))
        .select_from(t.runs.join(t.parts, t.parts.c.result == t.runs.c.result))
        .where(~t.runs.c.stopped, t.parts.c.status.in_(UNFINISHED))
    )
    if max_queued is not None and (count := connection.execute(going).scalar_one()) >= max_queued:
        raise InputError(f"runs: at most {max_queued} may be unfinished at a time here, got {count} already")
    if max_per_owner is not None:
        count = connection.execute(going.where(t.runs.c.owner == owner)).scalar_one()
        if count >= max_per_owner:
            raise InputError(f"runs: at most {max_per_owner} of yours may be unfinished at a time, got {count} already")


def make(
    connection: Connection, recipe: Recipe, now: float, parts: Iterable[Mapping[str, Any]], hold: int | None = None
) -> list[int]:
    """Make the result of a recipe, and its parts: queued. Return their ids."""
    row = {"key": recipe.key, "recipe": recipe.to_dict(), "created": now, "used": now, "hold": hold}
    connection.execute(insert(t.results).values(row))
    made: list[int] = []
    for part in parts:
        queued = insert(t.parts).values({"ended": {}, **part, "result": recipe.key, "status": PartState.QUEUED})
        made += connection.execute(queued).inserted_primary_key or ()
    return made


def start_again(connection: Connection, key: str, now: float) -> None:
    """Let a result go on that is there already; the runs that had been stopped at its end stay where that was."""
    come = and_(t.parts.c.result == key, t.parts.c.status != PartState.FAILED)
    furthest = select(func.coalesce(func.min(t.parts.c.epoch), 0)).where(come).scalar_subquery()
    ended = and_(t.runs.c.result == key, t.runs.c.stopped, t.runs.c.stopped_epoch.is_(None))
    connection.execute(update(t.runs).where(ended).values(stopped_epoch=furthest))
    START.apply(connection, t.parts.c.result == key, message=None)
    # Whoever presses Start wants it to go, though it was stopped while paused.
    connection.execute(update(t.results).where(t.results.c.key == key).values(stop=False, hold=None, used=now))


def abandon(connection: Connection, result: str) -> None:
    """Have a result stopped that nobody watches any more: what is queued at once, what is running by its workers."""
    connection.execute(update(t.results).where(t.results.c.key == result).values(stop=True))
    ABANDON.apply(connection, t.parts.c.result == result)


def first_not_begun(shares: Sequence[Row[Any]]) -> int:
    """The first epoch that no part has begun. A part at rest has begun the next one where it was left in the middle."""
    begun = any(part.status == PartState.RUNNING or part.share > 0 for part in shares)
    return max(int(part.epoch) for part in shares) + 1 + begun


def copy(connection: Connection, row: Row[Any], recipe: Recipe, shares: Sequence[Row[Any]]) -> None:
    """Make the result of a recipe that agrees with another one so far, with its records and checkpoints."""
    names = ("number", "lanes", "epoch", "share", "seconds", "ended", "note")
    parts = ({name: getattr(part, name) for name in names} for part in shares)
    for part, made in zip(shares, make(connection, recipe, time.time(), parts, row.hold), strict=True):
        for table in (t.checkpoints, t.snapshots):
            _copy_rows(connection, table, "part", part.id, made)
    _copy_rows(connection, t.records, "result", row.result, recipe.key)


def _copy_rows(connection: Connection, table: Table, column: str, source: int | str, target: int | str) -> None:
    """Copy the rows of a table that belong to one part or result to another one, in their order."""
    kept = [c for c in table.c if c.name not in ("id", column)]
    copied = select(literal(target), *kept).where(table.c[column] == source).order_by(*table.primary_key)
    connection.execute(insert(table).from_select([column, *(c.name for c in kept)], copied))
