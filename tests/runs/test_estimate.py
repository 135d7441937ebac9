"""How long a recipe will take, from parts that have been computed on this machine."""

import math
import socket

import pytest

from alf.data import DATASETS
from alf.runs import estimate
from alf.runs.estimate import seconds_needed
from alf.runs.leases import Lease, grant, waiting
from alf.training.networks import parameter_count
from alf.training.recipe import Recipe
from alf.training.samples import sizes

pytestmark = pytest.mark.both_stores

RECIPE = Recipe(data="digits", losses=("ce", "mae"), seeds=(0, 1), network="mlp:8", epochs=10)


def computed(store, recipe, lanes, epoch, seconds, host=None):
    store.start(recipe, "ann", [lanes])
    [part] = waiting(store)
    lease = Lease(store, part, grant(store, part, "host:1:x"))
    lease.begin({"host": host or socket.gethostname(), "pid": 1, "address": None})
    lease.write([], epoch, seconds, {}, None)
    lease.finish()


def test_before_anything_like_it_was_trained_here_the_guess_is_rough_and_scaled_by_others(store):
    guess = seconds_needed(store, RECIPE, 2)
    assert guess.rough and 0 < guess.seconds < math.inf
    computed(store, RECIPE.with_(lr=0.5), [0, 1, 2, 3], 10, 20.0, host="elsewhere")
    assert seconds_needed(store, RECIPE, 2) == guess
    other = RECIPE.with_(network="mlp:16")
    computed(store, other, [0, 1, 2, 3], 10, 50.0 * estimate.guessed_seconds(other, 4))  # five times as long as guessed
    assert seconds_needed(store, RECIPE, 2).seconds == pytest.approx(5 * guess.seconds)


@pytest.mark.parametrize("network", ["mlp:8", "mlp:64,32", "cnn-tiny", "cnn-small"])
def test_a_guess_counts_the_weights_of_the_network(store, network):
    weights = parameter_count(network, (1, 8, 8), 10)
    counted = list(estimate.multiplications(RECIPE.with_(network=network)))
    if network.startswith("mlp"):  # all but the biases
        assert 0.8 * weights < sum(counted) < weights
    more = RECIPE.with_(network=network, epochs=20)
    assert seconds_needed(store, more, 1).seconds > seconds_needed(store, RECIPE.with_(network=network), 1).seconds


def test_the_sizes_of_the_data_are_those_of_the_data():
    for name, data in DATASETS.items():
        if data.local:
            arrays = data.load()
            known = sizes(Recipe(data=name, losses=("ce",)))
            assert known == (len(arrays.train_labels), len(arrays.test_labels))


def test_it_is_that_of_its_like_scaled_by_epochs_models_and_samples(store):
    computed(store, RECIPE.with_(lr=0.5, epochs=40), [0, 1, 2, 3], 20, 40.0)  # four models: 2 s an epoch
    assert seconds_needed(store, RECIPE, 2).seconds == pytest.approx(20.0)
    assert seconds_needed(store, RECIPE.with_(epochs=30, losses=("ce", "formula:1-u**2")), 1).seconds == pytest.approx(
        60.0
    )
    twice = RECIPE.with_(seeds=(0, 1, 2, 3))  # two parts of four models
    assert seconds_needed(store, twice, 2).seconds == pytest.approx(20.0)
    assert seconds_needed(store, twice, 1).seconds == pytest.approx(40.0)
    assert seconds_needed(store, RECIPE.with_(samples=500), 2).rough  # all of the data is another matter
    computed(store, RECIPE.with_(samples=500), [0, 1, 2, 3], 10, 5.0)
    assert seconds_needed(store, RECIPE.with_(samples=1000, lr=0.1), 2).seconds == pytest.approx(10.0)


def test_what_is_there_already_takes_no_time(store):
    computed(store, RECIPE, [0, 1, 2, 3], 10, 20.0)
    assert seconds_needed(store, RECIPE, 2).seconds == 0.0
