"""What is kept of the models sample by sample: which epochs the store has, and what ships with the recorded run."""

import time

import numpy as np
import pytest
from safetensors.numpy import load

from alf.runs import journal, worker
from alf.runs.leases import Lease, grant, waiting
from alf.runs.recorded_run import AXES, FOLDER, LISTED, recorded
from alf.training.inspect import inspect
from alf.training.recipe import Recipe
from alf.training.snapshots import snapshot
from alf.training.trainer import Trainer

RECIPE = Recipe(data="digits", losses=("ce", "mae"), noise=("symmetric:0.5",), network="mlp:8", epochs=4)


def test_each_lane_has_the_epoch_of_its_parts_snapshot(store):
    run = store.start(RECIPE, "ann", ((1,), (0,)))
    assert store.snapshot_epochs(run) == {}
    for part, epoch in zip(waiting(store), (1, 3), strict=True):
        lease = Lease(store, part, grant(store, part, "host:1:x"))
        lease.begin({"host": "host", "pid": 1, "address": None})
        lease.write([], epoch, 1.0, {}, None, b"arrays")
    assert store.snapshot_epochs(run) == {1: 1, 0: 3}


def test_a_run_that_leaves_shows_the_epoch_it_leaves_at(store, monkeypatch):
    monkeypatch.setattr(journal, "SNAPSHOT_SHARE", 0.0)  # after the first epoch none is due any more
    monkeypatch.setattr(journal, "CHECKPOINT_SHARE", 0.0)
    run = store.start(RECIPE, "ann", ((0, 1),))
    store.hold(run, 3)
    [part] = waiting(store)
    assert worker.work(store.url, part, grant(store, part, "host:1:x")) == "stopped"
    assert store.snapshot_epochs(run) == {0: 3, 1: 3}
    arrays = RECIPE.load()
    for record in store.records(run, since=2):
        seen = inspect(RECIPE, arrays, load(store.snapshot(run, record["lane"])), record["lane"])
        assert seen.confusion.trace() / seen.confusion.sum() == pytest.approx(record["test_accuracy"])
    plain = Trainer(RECIPE, arrays)  # the features are those of the epoch's weights, not of the batches since
    for _ in range(3):
        plain.run_epoch()
    np.testing.assert_array_equal(load(store.snapshot(run, 0))["features"], snapshot(plain)["features"])


def test_an_allowance_is_a_share_of_the_time():
    allowance = journal.Allowance(0.1)
    assert allowance.allows(0.0)
    allowance.spent, allowance.cost = 1.0, 1.0
    assert not allowance.allows(19.9) and allowance.allows(20.0)


def test_waiting_for_a_processor_is_nothing_that_a_snapshot_costs():
    allowance = journal.Allowance(0.1, guess=0.0)
    since = journal.clocks()
    time.sleep(0.3)
    allowance.took(since)
    assert allowance.cost < 0.15 and allowance.spent == allowance.cost


@pytest.mark.parametrize("name", LISTED)
def test_the_shipped_snapshot_is_that_of_the_recorded_run(name):
    run = recorded(name)
    last = {record["lane"]: record for record in run.records if record["epoch"] == run.recipe.epochs}
    for lane, record in last.items():
        seen = run.inspect(lane)
        assert (seen.lane.loss, seen.lane.seed, seen.epoch) == (record["loss"], record["seed"], record["epoch"])
        assert seen.confusion.trace() / seen.confusion.sum() == pytest.approx(record["test_accuracy"], abs=1e-4)
        assert seen.memorised.sum() / seen.flipped.sum() == pytest.approx(record["flipped_given_accuracy"], abs=1e-4)
        assert seen.features.shape[1] == AXES and np.isfinite(seen.features).all()
    assert (FOLDER / f"{name}.safetensors").stat().st_size < 300_000
