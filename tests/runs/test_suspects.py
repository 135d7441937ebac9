"""Results of the version that trained several typed losses as one are not shown again as if they were right."""

import pytest

from alf.runs import tables as t
from alf.runs.leases import Lease, grant, waiting
from alf.runs.store import Store
from alf.runs.worker import work
from alf.training import recipe as recipes
from alf.training.recipe import Recipe
from alf.training.records import METRICS
from tests.runs.older import back_to

pytestmark = pytest.mark.both_stores

COMMON = {"data": "digits", "network": "mlp:8", "epochs": 2, "samples": 100}
TYPED = Recipe(losses=("formula:exp(-u/a);a=2", "formula:1-u**2"), **COMMON)
RIGHT = [Recipe(losses=losses, **COMMON) for losses in (("ce", "mae"), ("ce", "formula:1-u**2"))]
RECORD = dict.fromkeys(METRICS, 0.5) | {"dead_classes": 1}


def of_the_old_version(url, monkeypatch) -> dict[Recipe, str]:
    """A store with a run of each recipe as version 1 left it: an epoch of it computed, or all of it."""
    store, runs = Store(url), {}
    with monkeypatch.context() as old:
        old.setattr(recipes, "TYPED_VERSION", 1)
        for recipe in (TYPED, *RIGHT):
            runs[recipe] = store.start(recipe, "ann", [[0, 1]])
            part = waiting(store)[0]
            lease = Lease(store, part, grant(store, part, "host:1:x"))
            lease.begin({"host": "host", "pid": 1, "address": None})
            rows = [RECORD | {"lane": lane, "epoch": epoch} for lane in (0, 1) for epoch in (1, 2)]
            lease.write(rows, 2, 1.0, {}, b"state", b"arrays")
            lease.finish()
    store.stop(runs[RIGHT[0]])
    with store.decide() as connection:
        back_to(connection, t.SUSPECT_SCHEMA - 1)
    store.close()
    return runs


@pytest.fixture
def store(make_url, monkeypatch):
    url = make_url()
    runs = of_the_old_version(url, monkeypatch)
    store = Store(url)
    yield store, runs
    store.close()


def test_they_are_listed_with_the_reason_and_without_their_numbers(store):
    store, runs = store
    progress = store.progress(runs[TYPED])
    assert (progress.status, progress.message) == ("failed", t.TRAINED_AS_ONE)
    assert store.records(runs[TYPED]) == [] == store.latest(runs[TYPED])
    assert store.snapshot(runs[TYPED], 0) is None
    assert runs[TYPED] in store.runs("ann")


def test_what_was_right_stays(store):
    store, runs = store
    for recipe in RIGHT:
        assert store.progress(runs[recipe]).status == "finished"
        assert len(store.records(runs[recipe])) == 4
        assert store.start(recipe, "bob", [[0, 1]]) and waiting(store) == []  # shared, not computed again


def test_the_same_recipe_is_computed_anew(store):
    store, runs = store
    run = store.start(TYPED, "ann", [[0, 1]])
    assert run != runs[TYPED]
    [part] = waiting(store)
    assert work(store.url, part, grant(store, part, "host:1:x")) == "finished"
    first, second = (record["train_loss"] for record in store.latest(run))
    assert abs(first - second) > 0.01
    assert store.records(runs[TYPED]) == []
