"""The records of watched runs, kept once per server: the same as the store's, within a limit, and only news is read."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from alf.runs.histories import Histories
from alf.runs.leases import recover, waiting
from tests.runs.fakes import RECIPE, compute, row, take


def same(store, histories, run):
    """Whether the history is what the store has, but for the run's id and the order."""
    key = lambda record: (record["epoch"], record["lane"])  # noqa: E731
    mine = sorted(histories.of(run), key=key)
    return [{"run": run} | record for record in mine] == store.records(run)


@pytest.mark.both_stores
def test_it_is_what_the_store_has_whatever_happens(store):
    histories = Histories(store)
    run, other = store.start(RECIPE, "ann", [[0], [1]]), store.start(RECIPE, "bob", [[0], [1]])
    workers = [take(store, part) for part in waiting(store)]
    draw, epochs = random.Random(0), [0, 0]
    for turn in range(30):
        i = draw.randrange(2)
        epochs[i] += 1
        lease, part = workers[i]
        lease.write([row(part.lanes[0], epochs[i], turn / 100)], epochs[i], 1.0, {}, None)
        if turn == 15:
            store.stop(run)
            assert max(record["epoch"] for record in histories.of(run)) <= store.progress(run).epoch
        assert same(store, histories, run) and same(store, histories, other)
    assert "run" not in histories.of(other)[0]  # an id is a link: others must not find it here
    assert histories.of(other) is histories.of(other)


@pytest.mark.both_stores
def test_a_run_that_was_deleted_and_is_started_anew_begins_anew(store):
    histories = Histories(store)
    for accuracy in (0.1, 0.9):
        run = store.start(RECIPE, "ann", [[0, 1]])
        lease, _ = take(store)
        lease.write([row(0, 1, accuracy)], 1, 1.0, {}, None)
        assert [record["test_accuracy"] for record in histories.of(run)] == [accuracy]
        store.stop(run)
        lease.leave()
        store.delete(run)


def test_a_change_of_the_learning_rate_makes_another_history(store):
    histories = Histories(store)
    run = store.start(RECIPE, "ann", [[0, 1]])
    compute(store, 3).leave()
    assert len(histories.of(run)) == 6
    store.fork(run, 0.01)
    assert same(store, histories, run) and len(histories.of(run)) == 6


def test_the_limit_holds_whoever_comes(store):
    histories, runs = Histories(store, most=50), []
    for i in range(12):
        runs.append(store.start(RECIPE.with_(lr=0.1 + i / 1000), f"o{i}", [[0, 1]]))
        compute(store, 10).finish()
    for run in (*runs, *runs[::-1]):
        assert same(store, histories, run) and histories.count <= 50
    long = store.start(RECIPE, "ann", [[0, 1]])
    compute(store, 40).finish()
    assert same(store, histories, long) and histories.count == 80  # one that is larger than the limit is kept alone
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda run: same(store, histories, run), runs * 4))
    assert histories.count <= 50


def queries(store, look):
    """The statements that a look executes, with SQLite's plan for each."""
    seen, plans = [], []

    def note(connection, cursor, statement, parameters, context, many):
        seen.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    look()
    event.remove(store.engine, "before_cursor_execute", note)
    with store.engine.connect() as connection:
        for statement, parameters in seen:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                plans += [row[-1] for row in rows]
    return plans


def test_nothing_that_is_asked_again_and_again_reads_a_whole_table(store):
    """However many runs there ever were: the queue, the supervisor and a watching page go by indexes."""
    run = store.start(RECIPE, "ann", [[0], [1]])
    take(store)
    asked = {
        "queue": lambda: waiting(store),
        "recover": lambda: recover(store, "me:1:y"),
        "progress": lambda: store.progress(run),
        "news": lambda: store.news(store.view(run)[0], 5),
        "latest": lambda: store.latest(run),
        "list": lambda: (store.runs("ann"), store.count("ann")),
        "start": lambda: store.start(RECIPE, "ann", [[0], [1]], max_queued=5, max_per_owner=5),
        "look inside": lambda: (store.snapshot_epochs(run), store.snapshot(run, 0)),
    }
    for name, look in asked.items():
        plans = queries(store, look)
        assert plans, name
        assert not [plan for plan in plans if plan.startswith("SCAN")], (name, plans)


def test_a_look_reads_only_what_is_new(store):
    histories = Histories(store)
    run = store.start(RECIPE, "ann", [[0, 1]])
    lease = compute(store, 40)
    assert len(histories.of(run)) == 80
    read, news = [], store.news

    def counted(result, cursor):
        found = news(result, cursor)
        read.append(len(found[0]))
        return found

    store.news = counted
    histories.of(run)
    lease.write([row(0, 41), row(1, 41)], 41, 1.0, {}, None)
    assert len(histories.of(run)) == 82 and read == [0, 2]
