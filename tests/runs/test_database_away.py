"""A database that goes away while recipes are trained, and comes back: it is waited for, and nothing is done twice."""

import threading
import time

import pytest
from sqlalchemy import select

from alf.runs import Engine, Store
from alf.runs import tables as t
from alf.runs.database import DatabaseAway
from alf.runs.leases import Lease, grant, waiting
from alf.runs.recipe_sweep import RecipeSweep
from alf.settings import Settings
from alf.training import Recipe
from tests.runs.fakes import RECIPE, row

RECIPES = [
    Recipe("digits", ("ce", "mae"), ("symmetric:0.5",), network="mlp:64", epochs=60, lr=(20 + i) / 100)
    for i in range(8)
]  # fmt: skip


def until(condition, seconds=150.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
    return found


def parts(store, status):
    """What the store says of the parts in a state: who computed them, under a lease of when."""
    with store.read() as connection:
        columns = t.parts.c.id, t.parts.c.leased, t.parts.c.seconds, t.parts.c.epoch
        return {row.id: row for row in connection.execute(select(*columns).where(t.parts.c.status == status))}


@pytest.mark.timeout(600)
def test_a_sweep_waits_for_a_database_that_goes_away_and_says_so(postgresql_at_an_address, caplog):
    server = postgresql_at_an_address
    engine = Engine(Settings.from_environment({"ALF_STORE": server.new(), "ALF_WORKERS": "2"}))
    store, lines = engine.store, []
    going = threading.Thread(
        target=lambda: lines.extend(RecipeSweep(engine, RECIPES, "ann").lines(lambda recipe: None)), daemon=True
    )
    going.start()
    until(lambda: len(parts(store, "finished")) >= 2 and parts(store, "running"))
    server.stop()
    until(lambda: "does not answer" in caplog.text)
    with pytest.raises(
        DatabaseAway, match=rf"^ALF_STORE: postgresql.*@127.0.0.2:{server.port}/runs1 does not answer: "
    ):
        store.runs("ann")
    time.sleep(3)
    assert going.is_alive()  # it waits
    server.start()
    before = parts(store, "finished")
    going.join(timeout=300)
    after = parts(store, "finished")
    assert not going.is_alive() and len(after) == len(RECIPES) and len(before) >= 2
    assert {number: after[number] for number in before} == before  # what had finished was left as it was
    assert [line["status"] for _, line in lines if "epoch" not in line] == ["finished"] * len(RECIPES)
    for number in range(len(RECIPES)):
        seen = sorted((line["lane"], line["epoch"]) for of, line in lines if of == number and "epoch" in line)
        assert seen == [(lane, epoch) for lane in (0, 1) for epoch in range(1, 61)]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("alf.")]
    assert len(said) == 2 and said[1] == "ALF_STORE: the database answers again." and "Traceback" not in caplog.text
    engine.close()


def test_a_worker_keeps_what_it_has_until_the_database_is_back(postgresql_at_an_address):
    server = postgresql_at_an_address
    store = Store(server.new())
    run = store.start(RECIPE, "ann", [[0, 1]])
    part = waiting(store)[0]
    lease = Lease(store, part, grant(store, part, "host:1:x"), patience=60.0)
    lease.begin({"host": "host", "pid": 1, "address": None})
    server.stop()
    lease.patience = 0.0
    with pytest.raises(DatabaseAway):
        lease.write([row(0, 1)], 1, 1.0, {})
    lease.patience = 60.0
    writing = threading.Thread(target=lease.write, args=([row(lane, 1) for lane in (0, 1)], 1, 1.0, {}))
    writing.start()
    time.sleep(2)
    assert writing.is_alive()
    server.start()
    writing.join(timeout=30)
    assert [(record["lane"], record["epoch"]) for record in store.records(run)] == [(0, 1), (1, 1)]
    lease.finish()
    assert store.progress(run).status == "finished"
    store.close()
