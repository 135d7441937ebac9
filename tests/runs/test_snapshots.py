"""What is kept of the models sample by sample: which epochs the store has, and what ships with the recorded run."""

import numpy as np
import pytest

from alf.runs.claims import Claim, claim, waiting
from alf.runs.recorded import AXES, FOLDER, NAMES, recorded
from alf.runs.store import Store
from alf.training.recipe import Recipe

RECIPE = Recipe(data="digits", losses=("ce", "mae"), noise=("symmetric:0.5",), network="mlp:8", epochs=4)


def test_each_lane_has_the_epoch_of_its_parts_snapshot(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    run = store.start(RECIPE, "ann", ((1,), (0,)))
    assert store.snapshot_epochs(run) == {}
    for part, epoch in zip(waiting(store), (1, 3), strict=True):
        hold = Claim(store, part, claim(store, part, "host:1:x"))
        row = hold.begin({"host": "host", "pid": 1, "address": None})
        hold.epoch_done(row.result, [], epoch, 1.0, {}, None, b"arrays")
    assert store.snapshot_epochs(run) == {1: 1, 0: 3}
    store.close()


@pytest.mark.parametrize("name", NAMES)
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
