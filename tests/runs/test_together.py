"""Many at once: whoever looks and then acts does so as if alone, on both kinds of store, by threads on two servers."""

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import select

from alf.errors import InputError
from alf.runs import tables as t
from alf.runs.leases import Lease, LeaseLost, grant, recover, waiting
from alf.runs.store import Store
from tests.runs.fakes import RECIPE, row, take

pytestmark = pytest.mark.both_stores
SOAK = os.environ.get("ALF_SOAK") == "1"
ROUNDS = 100 if SOAK else 8
SHARES = ((0,), (1,))


@pytest.fixture
def servers(store):
    """Two servers on one store."""
    other = Store(store.url)
    yield store, other
    other.close()


def at_once(*calls):
    """Call all of them at one moment, each in a thread; return what they gave, an `InputError` in its place."""
    together = threading.Barrier(len(calls))

    def one(call):
        together.wait()
        try:
            return call()
        except InputError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def rows(store, table):
    with store.read() as connection:
        return connection.execute(select(table)).all()


def check(store):
    """What always holds between two decisions: a result goes on exactly when somebody watches it."""
    with store.read() as connection:
        parts = connection.execute(select(t.parts)).all()
        watched = set(connection.scalars(select(t.runs.c.result).where(~t.runs.c.stopped)))
        stop = dict(connection.execute(select(t.results.c.key, t.results.c.stop)).all())
    assert Counter(part.result for part in parts) == dict.fromkeys(stop, len(SHARES))
    for part in parts:
        if part.result in watched:
            assert not stop[part.result] and part.status != "stopped"
        else:
            assert part.status != "queued"
            assert part.status != "running" or stop[part.result]


def test_thirty_who_press_start_at_once_watch_one_computation(servers):
    for i in range(max(3, ROUNDS // 4)):
        recipe = RECIPE.with_(lr=0.1 + i / 1000)
        presses = [partial(servers[j % 2].start, recipe, f"reader-{j}", SHARES) for j in range(30)]
        # and one of them in three tabs
        runs = at_once(*presses, *presses[:1] * 2)
        assert len(set(runs[:30])) == 30 and runs[30:] == runs[:1] * 2
        store = servers[0]
        mine = [part for part in rows(store, t.parts) if part.result == recipe.key]
        assert [part.number for part in sorted(mine, key=lambda part: part.number)] == [0, 1]
        assert all(store.progress(run).status == "queued" for run in runs)
    check(servers[0])


def test_limits_hold_when_all_press_at_once(servers):
    recipes = [RECIPE.with_(lr=0.1 + j / 1000) for j in range(24)]
    presses = [partial(servers[j % 2].start, recipe, f"o{j}", SHARES) for j, recipe in enumerate(recipes)]
    got = at_once(*(partial(press, max_queued=7) for press in presses))
    refused = [str(one) for one in got if isinstance(one, InputError)]
    assert len(refused) == 17 and set(refused) == {"runs: at most 7 may be unfinished at a time here, got 7 already"}
    assert len(rows(servers[0], t.results)) == 7


def test_a_failed_run_counts_again_when_it_is_started_again(store):
    first = store.start(RECIPE, "ann", ((0, 1),), max_per_owner=1)
    take(store)[0].fail("Out of memory.")
    second = RECIPE.with_(lr=0.2)
    store.start(second, "ann", ((0, 1),), max_per_owner=1)
    with pytest.raises(InputError, match="at most 1 of yours"):
        store.start(RECIPE, "ann", ((0, 1),), max_per_owner=1)
    take(store)[0].finish()
    assert store.start(RECIPE, "ann", ((0, 1),), max_per_owner=1) == first
    store.start(second, "bob", ((0, 1),), max_queued=1)  # it is finished: nothing is computed for bob


def test_two_who_leave_at_once_stop_the_run_once(servers):
    for i in range(ROUNDS):
        recipe = RECIPE.with_(lr=0.1 + i / 1000)
        runs = [store.start(recipe, owner, SHARES) for store, owner in zip(servers, "ab", strict=True)]
        part = next(p.id for p in rows(servers[0], t.parts) if p.result == recipe.key)
        lease, _ = take(servers[0], part)
        at_once(partial(servers[0].stop, runs[0]), partial(servers[1].stop, runs[1]), lease.leave)
        check(servers[0])
        assert [servers[0].progress(run).status for run in runs] == ["stopped"] * 2
        # It ends where its workers do for the last one to leave alone.
        ends = [r.stopped_epoch for r in rows(servers[0], t.runs) if r.result == recipe.key]
        assert sorted(end is None for end in ends) == [False, True]


def test_one_leaves_as_another_comes(servers):
    for i in range(ROUNDS):
        recipe = RECIPE.with_(lr=0.1 + i / 1000)
        run = servers[0].start(recipe, "a", SHARES)
        part = next(p.id for p in rows(servers[0], t.parts) if p.result == recipe.key)
        lease, _ = take(servers[0], part)
        come = partial(servers[1].start, recipe, "b", SHARES)
        _, other, _ = at_once(partial(servers[0].stop, run), come, lease.leave)
        check(servers[0])
        assert servers[1].progress(other).active and servers[1].progress(run).status == "stopped"


def test_one_deletes_as_another_comes(servers):
    for i in range(ROUNDS):
        recipe = RECIPE.with_(lr=0.1 + i / 1000)
        run = servers[0].start(recipe, "a", SHARES)
        servers[0].stop(run)
        _, other = at_once(partial(servers[0].delete, run), partial(servers[1].start, recipe, "b", SHARES))
        assert servers[1].progress(other).status == "queued"
        check(servers[0])
    assert len(rows(servers[0], t.runs)) == ROUNDS


def test_a_run_is_not_deleted_as_it_is_started_again(servers):
    for i in range(ROUNDS):
        recipe = RECIPE.with_(lr=0.1 + i / 1000)
        run = servers[0].start(recipe, "a", SHARES)
        servers[0].stop(run)
        come = partial(servers[1].start, recipe, "a", SHARES)
        refused, again = at_once(partial(servers[0].delete, run), come)
        assert (again == run) == isinstance(refused, InputError)
        assert servers[1].progress(again).status == "queued"
        check(servers[0])


def test_every_part_is_leased_once(servers):
    for i in range(10):
        servers[0].start(RECIPE.with_(lr=0.1 + i / 1000), f"o{i}", SHARES)
    queue = waiting(servers[0])
    assert len(queue) == 20

    def supervisor(store):
        return [part for part in queue if grant(store, part, "elsewhere:1:x") is not None]

    got = at_once(*(partial(supervisor, servers[j % 2]) for j in range(6)))
    assert sorted(part for parts in got for part in parts) == sorted(queue)


def test_a_cursor_passes_over_no_record_of_workers_that_write_at_once(servers):
    servers[0].start(RECIPE, "a", SHARES)
    workers = [take(store, part) for store, part in zip(servers, waiting(servers[0]), strict=True)]
    done = threading.Event()

    def write(lease, part):
        for epoch in range(1, RECIPE.epochs + 1):
            lease.write([row(part.lanes[0], epoch)], epoch, 1.0, {}, None)

    def look():
        seen, cursor = [], 0
        while not done.is_set():
            new, cursor = servers[1].news(RECIPE.key, cursor)
            seen += new
        return seen + servers[1].news(RECIPE.key, cursor)[0]

    with ThreadPoolExecutor(4) as pool:
        looks = [pool.submit(look) for _ in range(2)]
        at_once(*(partial(write, *worker) for worker in workers))
        done.set()
        for seen in looks:
            found = Counter((record["lane"], record["epoch"]) for record in seen.result())
            assert found == {(lane, epoch): 1 for lane in (0, 1) for epoch in range(1, RECIPE.epochs + 1)}


def test_another_learning_rate_takes_over_what_was_computed_with_the_old_one_and_no_more(servers):
    for i in range(ROUNDS):
        recipe = RECIPE.with_(momentum=0.5 + i / 1000)
        run = servers[0].start(recipe, "a", SHARES)
        servers[0].start(recipe, "b", SHARES)
        parts = [part.id for part in rows(servers[0], t.parts) if part.result == recipe.key]
        workers = [take(store, part) for store, part in zip(servers, parts, strict=True)]

        def write(lease, part):
            for epoch in range(1, 20):
                lease.write([row(part.lanes[0], epoch)], epoch, 1.0, {}, b"%d" % epoch)

        *_, change = at_once(*(partial(write, *worker) for worker in workers), partial(servers[0].fork, run, 0.01))
        recipe = servers[0].progress(run).recipe
        taken = Counter()
        for record in rows(servers[0], t.records):
            if record.result == recipe.key:
                taken[record.lane] = max(taken[record.lane], record.epoch)
        assert max(taken.values(), default=0) < change == recipe.changes[0].epoch
        for part in rows(servers[0], t.parts):
            if part.result == recipe.key:
                assert part.epoch == taken[part.lanes[0]] and part.status == "queued"
                [saved] = [c for c in rows(servers[0], t.checkpoints) if c.part == part.id] or [None]
                assert (0 if saved is None else int(saved.state)) == part.epoch


ACTS = ("start", "stop", "delete", "fork", "hold", "grant", "leave", "finish", "recover")


def test_anything_at_once(servers):
    """Readers, workers and servers do whatever they may, in any order: what must hold does after each round."""
    draw = random.Random(0)
    recipes = [RECIPE.with_(lr=0.1 + i / 1000) for i in range(3)]

    def act(store, seed):
        own = random.Random(seed)
        for _ in range(6):
            what, owner = own.choice(ACTS), own.choice("abcd")
            mine = store.runs(owner)
            try:
                if what == "start" or not mine:
                    store.start(own.choice(recipes), owner, SHARES)
                elif what in ("stop", "delete"):
                    getattr(store, what)(own.choice(mine))
                elif what == "fork":
                    store.fork(own.choice(mine), own.choice((0.01, 0.02)))
                elif what == "hold":
                    store.hold(own.choice(mine), own.choice((None, 1)))
                elif what == "recover":
                    recover(store, "elsewhere:1:x")
                elif what == "grant":
                    for part in waiting(store)[:1]:
                        grant(store, part, "elsewhere:1:x")
                else:
                    with store.read() as connection:
                        running = connection.execute(select(t.parts).where(t.parts.c.status == "running")).all()
                    for part in running[:1]:
                        getattr(Lease(store, part.id, part.claim), what)()
            except (InputError, LeaseLost):
                pass  # refused in words, or somebody was quicker

    for _ in range(ROUNDS):
        at_once(*(partial(act, servers[j % 2], draw.random()) for j in range(6)))
        check(servers[0])
