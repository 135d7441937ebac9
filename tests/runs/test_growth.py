"""Runs and readers come and go: what the store and the server hold on to does not grow with how many there were."""

import gc
import os
import tracemalloc

import pytest
from sqlalchemy import func, select, text

from alf.runs import tables as t
from alf.runs.histories import Histories
from alf.runs.retention import SAFE, tidy
from alf.settings import Settings
from tests.runs.fakes import RECIPE, compute

SOAK = os.environ.get("ALF_SOAK") == "1"
RUNS, READERS, KEPT = (500, 200, 40) if SOAK else (42, 14, 6)

MOST = 2000 if SOAK else 40
EPOCHS = 12 if SOAK else 3


def pages(store) -> int:
    """Bytes of the database that are or were in use; what is deleted in PostgreSQL is there until it is swept."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("VACUUM"))
            return connection.scalar(text("SELECT pg_database_size(current_database())"))
        return connection.scalar(text("PRAGMA page_count")) * connection.scalar(text("PRAGMA page_size"))


@pytest.mark.both_stores
def test_neither_memory_nor_database_grow_with_the_number_of_runs_and_readers(store):
    keep = {"ALF_KEEP_RUNS": str(KEPT), "ALF_STORE": "unused.sqlite"}
    settings, histories = Settings.from_environment(keep), Histories(store, most=MOST)
    sizes, memory = [], []
    tracemalloc.start()
    try:
        for done in range(1, RUNS + 1):
            recipe = RECIPE.with_(lr=0.1 + done / 10_000)
            run = store.start(recipe, f"owner-{done}", [[0, 1]])
            lease = compute(store, EPOCHS, state=bytes(50_000), arrays=bytes(50_000))
            if done % 3:
                lease.finish()
            else:  # stopped, or its rate changed: what is left behind has no run any more
                store.stop(run) if done % 2 else store.fork(run, 0.01)
                lease.leave()
                if not done % 2:
                    store.stop(run)
            for reader in range(done * READERS // RUNS - (done - 1) * READERS // RUNS):
                seen = store.start(recipe, f"reader-{done}-{reader}", [[0, 1]]) if done % 3 == 1 else run
                assert len(histories.of(seen)) == 2 * EPOCHS
                store.progress(seen), store.latest(seen)
            with store.decide() as connection:  # an hour passes every few runs
                connection.execute(t.results.update().values(used=t.results.c.used - SAFE / 5))
            tidy(store, settings)
            if done % (RUNS // 6) == 0:
                gc.collect()
                sizes.append(pages(store))
                memory.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    with store.read() as connection:
        for table, each in ((t.results, 1), (t.parts, 1), (t.records, 2 * EPOCHS), (t.snapshots, 1), (t.runs, 3)):
            assert connection.scalar(select(func.count()).select_from(table)) <= each * (KEPT + 6)
    assert histories.count <= MOST
    assert sizes[-1] <= 1.1 * sizes[2], sizes
    assert memory[-1] <= memory[2] + 1_000_000, memory


@pytest.mark.skipif(not SOAK, reason="a server, 500 runs and 200 readers take minutes; ALF_SOAK=1 runs it")
def test_a_server_does_not_grow_with_the_runs_and_readers_it_has_had():
    from benchmarks.growth import GROWTH, grown, measure

    sizes = list(measure(500, 200))
    assert grown(sizes, "memory") <= GROWTH and grown(sizes, "store") <= GROWTH, sizes
