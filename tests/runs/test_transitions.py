"""The table of transitions against whatever readers, workers and servers do, in any order."""

import contextlib
import os
import random

import pytest
from sqlalchemy import event, select

from alf.errors import InputError
from alf.runs import tables as t
from alf.runs import transitions
from alf.runs.leases import Lease, LeaseLost, grant, recover, waiting
from alf.training.states import ACTIVE, UNFINISHED, PartState, RunState
from tests.runs.fakes import RECIPE

ALL = {name: way for name, way in vars(transitions).items() if isinstance(way, transitions.Transition)}
WAYS = {(a, b) for way in ALL.values() for a in way.sources for b in (way.target, way.if_stopping) if b}
TURNS = 3000 if os.environ.get("ALF_SOAK") == "1" else 250


def act(store, draw, recipes):
    what, owner = (
        draw.choice(("start", "start", "stop", "fork", "hold", "grant", *["worker"] * 3, "recover")),
        draw.choice("abc"),
    )
    mine = store.runs(owner)
    with store.read() as connection:
        running = connection.execute(select(t.parts).where(t.parts.c.status == PartState.RUNNING)).all()
    if what == "start" or not mine:
        store.start(draw.choice(recipes), owner, ((0,), (1,)))
    elif what == "stop":
        store.stop(draw.choice(mine))
    elif what == "fork":
        store.fork(draw.choice(mine), draw.choice((0.01, 0.02)))
    elif what == "hold":
        store.hold(draw.choice(mine), draw.choice((None, 1)))
    elif what == "grant":
        for part in waiting(store)[:1]:
            grant(store, part, "elsewhere:1:x")
    elif what == "recover":
        recover(store, "elsewhere:1:x", {part.id for part in running[1:]})
    elif running:
        part = draw.choice(running)
        lease = Lease(store, part.id, draw.choice((part.claim, part.claim, "lost")))
        draw.choice((lease.finish, lease.leave, lambda: lease.fail("Out of memory.")))()


@pytest.mark.both_stores
def test_no_part_changes_its_state_in_a_way_that_is_not_in_the_table_and_every_way_is_gone(store):
    draw, recipes = random.Random(0), [RECIPE.with_(lr=0.1 + i / 1000) for i in range(3)]
    before, gone = {}, set()
    for _ in range(TURNS):
        with contextlib.suppress(InputError, LeaseLost):
            act(store, draw, recipes)
        with store.read() as connection:
            after = {
                part: PartState(state) for part, state in connection.execute(select(t.parts.c.id, t.parts.c.status))
            }
        assert {after[part] for part in after.keys() - before.keys()} <= {PartState.QUEUED, PartState.STOPPED}
        gone |= {(before[part], after[part]) for part in after.keys() & before.keys()} - {(s, s) for s in PartState}
        before = after
    assert gone <= WAYS, gone - WAYS
    assert gone == WAYS, f"never seen: {WAYS - gone}"


def test_only_transitions_write_the_state(store, monkeypatch):
    """Every UPDATE of parts that sets a status comes from `Transition.apply`."""
    inside, written = [], []
    plain = transitions.Transition.apply

    def apply(self, *arguments, **values):
        inside.append(self)
        try:
            return plain(self, *arguments, **values)
        finally:
            inside.pop()

    monkeypatch.setattr(transitions.Transition, "apply", apply)

    @event.listens_for(store.engine, "before_cursor_execute")
    def seen(connection, cursor, statement, *rest):
        if statement.startswith("UPDATE parts") and "status=" in statement.partition("WHERE")[0]:
            written.append(bool(inside))

    draw = random.Random(1)
    for _ in range(60):
        with contextlib.suppress(InputError, LeaseLost):
            act(store, draw, [RECIPE])
    assert written and all(written)


def test_the_table_of_the_docstring_is_the_table_of_the_code():
    rows = [line for line in transitions.__doc__.splitlines() if line.partition(" ")[0] in ALL]
    assert len(rows) == len(ALL)
    for line in rows:
        name, *words = line.replace(",", " ").replace(":", " ").split()
        way = ALL[name]
        assert tuple(words[: len(way.sources)]) == way.sources and words[len(way.sources)] == way.target
        assert (way.if_stopping is None) or way.if_stopping in words


def test_a_state_of_a_part_is_one_of_a_run():
    assert {str(state) for state in PartState} < {str(state) for state in RunState}
    assert set(UNFINISHED) < set(ACTIVE)
