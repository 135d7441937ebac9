"""What is kept and what is not: by age, number and size, and never what is going or in use."""

import os
import random
import time

import pytest
from sqlalchemy import select

from alf.errors import InputError
from alf.runs import retention
from alf.runs import tables as t
from alf.runs.leases import waiting
from alf.runs.retention import RESUMABLE, SAFE, kept, tidy
from alf.runs.store import DAY
from alf.settings import Settings
from tests.runs.fakes import RECIPE, compute, take

pytestmark = pytest.mark.both_stores
SOAK = os.environ.get("ALF_SOAK") == "1"


def keeping(days=90, runs=5000, mb=4000):
    return Settings.from_environment(
        {"ALF_KEEP_DAYS": str(days), "ALF_KEEP_RUNS": str(runs), "ALF_KEEP_MB": str(mb), "ALF_STORE": "unused.sqlite"}
    )


def finished(store, i, owner="ann", arrays=b"arrays"):
    run = store.start(RECIPE.with_(lr=0.1 + i / 1000), owner, [[0, 1]])
    compute(store, 2, arrays=arrays).finish()
    return run


def used(store, run, when):
    """Say when a run was last used."""
    with store.decide() as connection:
        mine = select(t.runs.c.result).where(t.runs.c.id == run).scalar_subquery()
        connection.execute(t.results.update().where(t.results.c.key == mine).values(used=when))


def checkpoints(store):
    with store.read() as connection:
        return len(connection.execute(select(t.checkpoints.c.part)).all())


def test_a_checkpoint_goes_with_its_use(store):
    finished(store, 0)
    assert checkpoints(store) == 0
    run = store.start(RECIPE, "ann", [[0, 1]])
    lease = compute(store, 2)
    store.stop(run)
    lease.leave()
    tidy(store, keeping())
    assert checkpoints(store) == 1
    tidy(store, keeping(), time.time() + RESUMABLE + 1)
    assert checkpoints(store) == 0 and len(store.records(run)) == 4
    assert store.start(RECIPE, "ann", [[0, 1]]) == run
    again, _ = take(store)
    assert again.checkpoint() is None  # it begins anew
    tidy(store, keeping(), time.time() + RESUMABLE + 1)
    again.write([], 1, 1.0, {}, b"state")
    tidy(store, keeping(), time.time() + RESUMABLE + 1)
    assert checkpoints(store) == 1  # somebody is computing it


def test_a_run_is_kept_for_its_days_and_a_look_puts_that_off(store, make_engine):
    left, looked = finished(store, 0), finished(store, 1)
    before = time.time() - 89.5 * DAY
    used(store, left, before), used(store, looked, before)
    assert tidy(store, keeping()) == 0
    engine = make_engine(store.url)
    assert engine.kept_until(engine.progress(looked)) == pytest.approx(before + 90 * DAY)  # as it was found
    assert engine.kept_until(engine.progress(looked)) == pytest.approx(time.time() + 90 * DAY, abs=60)
    assert tidy(store, keeping(), time.time() + DAY) == 1
    assert store.runs("ann") == [looked]
    with pytest.raises(InputError, match="run: no such run"):
        store.progress(left)
    assert tidy(store, keeping(), time.time() + 91 * DAY) == 1
    with store.read() as connection:
        for table in (t.results, t.runs, t.parts, t.records, t.checkpoints, t.snapshots):
            assert connection.execute(select(table)).all() == []


def test_starting_a_finished_run_again_puts_its_end_off(store):
    run = finished(store, 0)
    used(store, run, 1.0)
    store.start(RECIPE.with_(lr=0.1), "bob", [[0, 1]])
    assert tidy(store, keeping()) == 0 and store.progress(run).status == "finished"


def test_what_is_running_stays_and_what_is_paused_and_forgotten_goes(store):
    paused, running = (store.start(RECIPE.with_(lr=lr), "ann", [[0, 1]]) for lr in (0.1, 0.2))
    compute(store, 1).leave()
    store.hold(paused, 1)
    take(store)
    assert store.progress(paused).status == "paused" and store.progress(running).status == "running"
    for run in (paused, running):
        used(store, run, 1.0)
    assert tidy(store, keeping(runs=1, mb=1)) == 1
    assert store.runs("ann") == [running]


def test_beyond_the_number_those_go_that_were_left_alone_longest(store):
    runs = [finished(store, i) for i in range(6)]
    now = time.time()
    for i, run in enumerate(runs):
        used(store, run, now - 2 * SAFE - (6 - i))
    queued = store.start(RECIPE.with_(lr=0.9), "ann", [[0, 1]])
    used(store, queued, now - 3 * SAFE)
    used(store, runs[0], now)  # somebody has just used it
    assert tidy(store, keeping(runs=4)) == 3
    assert set(store.runs("ann")) == {runs[0], runs[4], runs[5], queued}
    assert tidy(store, keeping(runs=1)) == 2
    assert set(store.runs("ann")) == {runs[0], queued}


def test_beyond_the_size_too(store):
    runs = [finished(store, i, arrays=bytes(400_000)) for i in range(4)]
    for i, run in enumerate(runs):
        used(store, run, time.time() - 2 * SAFE - (4 - i))
    assert sum(one.bytes for one in kept(store)) == pytest.approx(1.6e6, rel=0.01)
    assert tidy(store, keeping(mb=1)) == 2
    assert set(store.runs("ann")) == set(runs[2:])


def test_what_came_into_use_after_it_was_found_stays(store, monkeypatch):
    run = finished(store, 0)
    used(store, run, 1.0)
    found = retention._old

    def old(store, before):
        keys = found(store, before)
        used(store, run, time.time())  # somebody opens it just now
        return keys

    monkeypatch.setattr(retention, "_old", old)
    assert tidy(store, keeping()) == 0 and store.progress(run).status == "finished"


def test_a_result_whose_run_went_on_with_another_rate_goes_when_its_workers_have(store):
    run = store.start(RECIPE, "ann", [[0, 1]])
    lease = compute(store, 2)
    store.fork(run, 0.01)
    assert len(kept(store)) == 2
    assert tidy(store, keeping()) == 0
    lease.leave()
    assert tidy(store, keeping()) == 1
    assert len(store.records(run)) == 4 and len(waiting(store)) == 1


def test_whatever_happened_what_is_going_stays_and_the_rest_fits(store):
    """Random stores and settings: nothing goes that may not, and nothing more stays than that and what fits."""
    draw = random.Random(0)
    for turn in range(30 if SOAK else 4):
        now = time.time()
        for i in range(8):
            run = store.start(RECIPE.with_(lr=0.1 + i / 1000, batch=32 + turn), "ann", [[0, 1]])
            what = draw.choice(("queued", "running", "finished", "stopped", "failed"))
            mine = next(part for part in waiting(store))
            if what != "queued":
                lease = compute(store, draw.randint(1, 5), mine, arrays=bytes(draw.randint(1, 300_000)))
                if what == "stopped":
                    store.stop(run)
                    lease.leave()
                elif what != "running":
                    lease.finish() if what == "finished" else lease.fail("Out of memory.")
            else:
                store.stop(run)
            used(store, run, now - draw.choice((0.0, 2 * SAFE, 80 * DAY, 100 * DAY)) - i)
        settings = keeping(runs=draw.choice((1, 6, 5000)), mb=draw.choice((1, 4000)))
        before = {one.key: one for one in kept(store)}
        tidy(store, settings, now)
        after = {one.key for one in kept(store)}
        for key in before.keys() - after:
            one = before[key]
            assert not one.going and one.used < now - SAFE
            over = len(before) > settings.keep_runs or sum(o.bytes for o in before.values()) > settings.keep_mb * 10**6
            assert over or one.used < now - 90 * DAY
        assert all(before[key].going or before[key].used >= now - 90 * DAY for key in after)
        free = [before[key] for key in after if not before[key].going and before[key].used < now - SAFE]
        fits = len(after) <= settings.keep_runs and sum(before[k].bytes for k in after) <= settings.keep_mb * 10**6
        assert fits or not free
