"""The store without any worker: sharing, stopping, limits, leases, the fair queue."""

import os
import socket
import subprocess
import sys

import psutil
import pytest

from alf.errors import InputError
from alf.runs import tables as t
from alf.runs.leases import LeaseLost, engine_name, grant, heartbeat, recover, waiting
from alf.runs.store import Store
from alf.training.recipe import Recipe
from tests.runs import fakes
from tests.runs.fakes import row, take

pytestmark = pytest.mark.both_stores

RECIPE = fakes.RECIPE.with_(epochs=4)


def start(store, owner="ann", recipe=RECIPE, shares=((0, 1),), **limits):
    return store.start(recipe, owner, shares, **limits)


def test_pressing_start_twice_is_one_run_and_others_share_the_result(store):
    first = start(store)
    assert start(store) == first
    other = start(store, "bob")
    assert other != first and len(other) >= 20
    assert len(waiting(store)) == 1
    lease, _ = take(store, waiting(store)[0])
    lease.write([row(0, 1), row(1, 1)], 1, 2.5, {}, b"state")
    assert store.records(first) == [record | {"run": first} for record in store.records(other)]
    record = store.records(first)[1]
    assert (record["loss"], record["noise"], record["seed"], record["epoch"]) == ("mae", "symmetric:0.5", 0, 1)
    progress = store.progress(first)
    assert (progress.status, progress.epoch, progress.fraction, progress.seconds) == ("running", 1, 0.25, 2.5)
    assert progress.seconds_left == pytest.approx(7.5)


def test_stopping_a_shared_run_ends_only_ones_own_view(store):
    first, other = start(store), start(store, "bob")
    lease, _ = take(store, waiting(store)[0])
    lease.write([row(0, 1), row(1, 1)], 1, 1.0, {}, None)
    store.stop(first)
    assert not lease.must_leave()
    lease.write([row(0, 2), row(1, 2)], 2, 2.0, {}, None)
    assert store.progress(first).status == "stopped" and store.progress(first).message == "Stopped after epoch 1."
    assert len(store.records(first)) == 2 and len(store.records(other)) == 4
    store.stop(other)
    assert store.progress(other).status == "stopping"
    assert lease.must_leave()
    lease.leave()
    assert store.progress(other).status == "stopped"


def test_start_after_stop_goes_on_with_the_same_run(store):
    run = start(store)
    lease, _ = take(store, waiting(store)[0])
    lease.write([row(0, 1), row(1, 1)], 1, 1.0, {1: "Diverged."}, b"abc")
    store.stop(run)
    lease.leave()
    assert waiting(store) == []
    assert start(store) == run
    again, _ = take(store, waiting(store)[0])
    saved = again.checkpoint()
    assert (saved.epoch, saved.ended, saved.state) == (1, {"1": "Diverged."}, b"abc")
    with pytest.raises(LeaseLost):
        lease.write([row(0, 2)], 2, 2.0, {}, None)
    again.write([row(0, 1, 0.9), row(0, 2)], 2, 2.0, {}, b"new")
    assert [r["test_accuracy"] for r in store.records(run) if r["lane"] == 0] == [0.5, 0.5]
    again.finish()
    assert store.progress(run).status == "finished" and store.progress(run).fraction == 1.0


def test_start_pressed_while_stopping_is_not_lost(store):
    run = start(store)
    lease, _ = take(store, waiting(store)[0])
    store.stop(run)
    assert lease.must_leave()
    assert start(store) == run
    lease.leave()
    assert len(waiting(store)) == 1


def test_a_failed_run_says_why_and_can_be_started_again(store):
    run = start(store)
    take(store, waiting(store)[0])[0].fail("Out of memory: take fewer models.")
    progress = store.progress(run)
    assert (progress.status, progress.message, progress.active) == (
        "failed",
        "Out of memory: take fewer models.",
        False,
    )
    assert start(store) == run and store.progress(run).status == "queued"


def test_nobodys_second_run_goes_before_anothers_first(store):
    recipes = [RECIPE.with_(lr=lr) for lr in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)]
    for recipe, owner in zip(recipes, "aaabbc", strict=True):
        start(store, owner, recipe)
    order = []
    for _ in recipes:
        part = waiting(store)[0]
        lease, got = take(store, part)
        order.append(Recipe.from_dict(got.recipe).lr)
        lease.finish()
    assert order == [0.1, 0.4, 0.6, 0.2, 0.5, 0.3]


def test_limits(store):
    start(store, recipe=RECIPE.with_(lr=0.1), max_per_owner=1)
    assert start(store, recipe=RECIPE.with_(lr=0.1), max_per_owner=1)
    with pytest.raises(InputError, match="runs: at most 1 of yours may be unfinished at a time, got 1 already"):
        start(store, recipe=RECIPE.with_(lr=0.2), max_per_owner=1)
    with pytest.raises(InputError, match="runs: at most 1 may be unfinished at a time here, got 1 already"):
        start(store, "bob", recipe=RECIPE.with_(lr=0.2), max_queued=1)


def test_survives_reopening_and_takes_over_from_a_dead_engine(store):
    run = start(store)
    part = waiting(store)[0]
    assert grant(store, part, "elsewhere:1:x") and grant(store, part, "elsewhere:1:x") is None
    again = Store(store.url)
    assert again.identity == store.identity and again.runs("ann") == [run]
    assert recover(again, "me:1:y") == 0  # heard of a moment ago, on a machine we cannot look into
    with again.decide() as connection:
        connection.execute(t.parts.update().values(heartbeat=0.0))
    assert recover(again, "me:1:y") == 1
    assert again.progress(run).status == "queued"
    again.close()


def test_news_miss_nothing_when_parts_differ(store):
    run = start(store, shares=((0,), (1,)))
    (one, part), (two, _) = (take(store, number) for number in waiting(store))
    one.write([row(0, 1)], 1, 1.0, {}, None)
    one.write([row(0, 2)], 2, 2.0, {}, None)
    seen, cursor = store.news(part.result, 0)
    two.write([row(1, 1)], 1, 1.0, {}, None)
    more, cursor = store.news(part.result, cursor)
    assert [(r["lane"], r["epoch"]) for r in seen + more] == [(0, 1), (0, 2), (1, 1)]
    assert store.news(part.result, cursor) == ([], cursor)
    assert store.progress(run).epoch == 1
    assert [r["lane"] for r in store.records(run, since=1)] == [0]


def test_names_and_deleting(store):
    run, other = start(store), start(store, "bob")
    store.rename(run, "My \n first" + "x" * 300)
    assert store.progress(run).name == "My  first" + "x" * 191
    with pytest.raises(InputError, match="run: must be stopped before it is deleted"):
        store.delete(run)
    store.stop(run)
    store.delete(run)
    assert store.runs("ann") == [] and store.progress(other).status == "queued"
    store.stop(other)
    store.delete(other)
    with store.read() as connection:
        for table in (t.results, t.parts, t.records):
            assert connection.execute(table.select()).all() == []


@pytest.mark.parametrize("run", ["", "nope", "x" * 10_000, "'; drop table runs; --", "\x00"])
def test_unknown_runs_are_one_sentence(store, run):
    for ask in (store.progress, store.records, store.stop, store.view):
        with pytest.raises(InputError, match="run: no such run, got"):
            ask(run)


def test_a_paused_run_goes_to_its_epoch_and_no_further(store):
    run = start(store)
    lease, _ = take(store, waiting(store)[0])
    lease.write([row(0, 1), row(1, 1)], 1, 1.0, {}, b"x")
    store.hold(run, 1)
    assert not lease.must_leave(0) and lease.must_leave(1)
    assert (store.progress(run).status, store.progress(run).message) == ("running", "Pausing.")
    lease.leave()
    assert (store.progress(run).status, store.progress(run).message) == ("paused", "Paused after epoch 1 of 4.")
    assert waiting(store) == [] and store.progress(run).active
    store.hold(run, 2)
    assert len(waiting(store)) == 1 and store.progress(run).status != "paused"
    store.hold(run, None)
    start(store, "bob")
    with pytest.raises(InputError, match="run: a run that others watch too cannot be paused"):
        store.hold(run, 1)


def test_another_learning_rate_makes_another_recipe_that_shares_what_is_done(store):
    run, other = start(store), start(store, "bob")
    lease, _ = take(store, waiting(store)[0])
    lease.write([row(0, 1, 0.7), row(1, 1)], 1, 1.0, {}, b"state", b"arrays")
    assert store.fork(run, 0.25) == 3
    changed = store.progress(run)
    assert changed.recipe == RECIPE.with_(changes=((3, 0.25),)) and changed.epoch == 1
    assert store.records(run)[0]["test_accuracy"] == 0.7 and store.snapshot(run, 0) == b"arrays"
    new, _ = take(store, waiting(store)[0])
    assert new.checkpoint().state == b"state"
    assert not lease.must_leave()  # bob still watches the old one
    assert store.progress(other).recipe == RECIPE
    new.write([row(0, 2), row(1, 2)], 2, 1.0, {}, None)
    assert store.fork(run, 0.5) == 4
    assert store.progress(run).recipe.changes == ((3, 0.25), (4, 0.5))
    assert new.must_leave()  # nobody watches that one any more
    with pytest.raises(InputError, match="lr: must lie in"):
        store.fork(run, -1.0)
    last, _ = take(store, waiting(store)[0])
    last.write([row(0, 3), row(1, 3)], 3, 1.0, {}, None)
    with pytest.raises(InputError, match="run: its learning rate can change only before its last epoch begins"):
        store.fork(run, 0.1)
    last.leave()
    assert store.fork(run, 0.1) == 4  # at rest after epoch 3, it has not begun the fourth


def test_a_part_lost_on_the_way_is_queued_again(store):
    start(store)
    part = waiting(store)[0]
    grant(store, part, "me:1:y")
    assert recover(store, "me:1:y", known={part}) == 0
    assert recover(store, "me:1:y", known=set()) == 1
    assert waiting(store) == [part]


@pytest.fixture
def dead(request):
    """A process of this machine that has ended and that nobody has asked for: it still has its id."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        os.sched_yield()
    yield process.pid
    process.wait()


def test_what_a_killed_server_was_computing_is_taken_up_at_once(store, dead):
    host, now = socket.gethostname(), psutil.Process().create_time()
    mine, living = (
        leased_by(store, engine_name(), 0.1),
        leased_by(store, f"{host}:{os.getpid()}:{now:.0f}-other", 0.2),
    )
    zombie = leased_by(store, f"{host}:{dead}:{now:.0f}-x", 0.3)
    reused = leased_by(store, f"{host}:{os.getpid()}:{now - 60:.0f}-x", 0.4)  # a restarted container's server
    ended = leased_by(store, f"{host}:{2**22 + 1}:{now:.0f}-x", 0.5)
    older = leased_by(store, f"{host}:{os.getpid()}:abcd", 0.6)  # a name without a time: the id must do
    assert recover(store, "me:1:y") == 3
    assert set(waiting(store)) == {zombie, reused, ended} and not {mine, living, older} & set(waiting(store))


def leased_by(store, engine, lr):
    start(store, recipe=RECIPE.with_(lr=lr))
    part = waiting(store)[0]
    grant(store, part, engine)
    return part


def test_an_engine_that_gives_signs_of_life_keeps_its_parts(store):
    part = leased_by(store, "elsewhere:1:x", 0.1)
    with store.decide() as connection:
        connection.execute(t.parts.update().values(heartbeat=0.0))
    heartbeat(store, [part], "elsewhere:2:x")  # somebody else's sign
    assert recover(store, "me:1:y") == 1
    grant(store, part, "elsewhere:1:x")
    with store.decide() as connection:
        connection.execute(t.parts.update().values(heartbeat=0.0))
    heartbeat(store, [part], "elsewhere:1:x")
    assert recover(store, "me:1:y") == 0


def test_the_list_of_runs_is_paged_and_has_the_last_records(store):
    first = start(store, shares=((0,), (1,)))
    (one, _), (two, _) = (take(store, number) for number in waiting(store))
    for epoch in (1, 2, 3):
        one.write([row(0, epoch, epoch / 10)], epoch, 1.0, {}, None)
    two.write([row(1, 1, 0.7)], 1, 1.0, {}, None)
    last = {(r["lane"], r["epoch"], r["test_accuracy"]) for r in store.latest(first)}
    assert last == {(0, 3, 0.3), (1, 1, 0.7)}
    others = [start(store, recipe=RECIPE.with_(lr=lr)) for lr in (0.1, 0.2)]
    start(store, "bob")
    assert store.count("ann") == 3 and store.runs("ann") == [*others[::-1], first]
    assert store.runs("ann", offset=1, limit=1) == [others[0]] and store.runs("ann", offset=3, limit=2) == []
    assert store.latest(others[0]) == []


def test_the_last_records_of_a_stopped_view_are_those_it_was_stopped_at(store):
    mine, other = start(store), start(store, "bob")
    lease, _ = take(store, waiting(store)[0])
    lease.write([row(0, 1), row(1, 1)], 1, 1.0, {}, None)
    store.stop(mine)
    lease.write([row(0, 2), row(1, 2)], 2, 1.0, {}, None)
    assert {r["epoch"] for r in store.latest(mine)} == {1} and {r["epoch"] for r in store.latest(other)} == {2}
