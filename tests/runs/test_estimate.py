"""How long a recipe will take, from parts that have been computed on this machine."""

import socket

import pytest

from alf.runs.claims import Claim, claim, waiting
from alf.runs.estimate import seconds_needed
from alf.training.recipe import Recipe

pytestmark = pytest.mark.both_stores

RECIPE = Recipe(data="digits", losses=("ce", "mae"), seeds=(0, 1), network="mlp:8", epochs=10)


def computed(store, recipe, lanes, epoch, seconds, host=None):
    store.start(recipe, "ann", [lanes])
    [part] = waiting(store)
    hold = Claim(store, part, claim(store, part, "host:1:x"))
    row = hold.begin({"host": host or socket.gethostname(), "pid": 1, "address": None})
    hold.epoch_done(row.result, [], epoch, seconds, {}, None)
    hold.finish()


def test_nothing_is_known_before_anything_like_it_was_trained_here(store):
    assert seconds_needed(store, RECIPE, 2) is None
    computed(store, RECIPE.with_(network="mlp:16"), [0, 1, 2, 3], 10, 20.0)
    computed(store, RECIPE.with_(lr=0.5), [0, 1, 2, 3], 10, 20.0, host="elsewhere")
    assert seconds_needed(store, RECIPE, 2) is None


def test_it_is_that_of_its_like_scaled_by_epochs_models_and_samples(store):
    computed(store, RECIPE.with_(lr=0.5, epochs=40), [0, 1, 2, 3], 20, 40.0)  # four models: 2 s an epoch
    assert seconds_needed(store, RECIPE, 2) == pytest.approx(20.0)
    assert seconds_needed(store, RECIPE.with_(epochs=30, losses=("ce", "formula:1-u**2")), 1) == pytest.approx(60.0)
    twice = RECIPE.with_(seeds=(0, 1, 2, 3))  # two parts of four models
    assert seconds_needed(store, twice, 2) == pytest.approx(20.0)
    assert seconds_needed(store, twice, 1) == pytest.approx(40.0)
    assert seconds_needed(store, RECIPE.with_(samples=500), 2) is None  # all of the data: how many are they?
    computed(store, RECIPE.with_(samples=500), [0, 1, 2, 3], 10, 5.0)
    assert seconds_needed(store, RECIPE.with_(samples=1000, lr=0.1), 2) == pytest.approx(10.0)


def test_what_is_there_already_takes_no_time(store):
    computed(store, RECIPE, [0, 1, 2, 3], 10, 20.0)
    assert seconds_needed(store, RECIPE, 2) == 0.0
