"""Recipes: round trips, canonical forms, and every bad field in one sentence."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alf.errors import InputError
from alf.training.recipe import Recipe
from alf.training.recipes import classroom, named_recipe
from alf.training.records import summarise

FULL = Recipe(
    data="digits",
    losses=("ce", "nce+agce:alpha=1,beta=4,a=6,q=1.5"),
    noise=("symmetric:0.5", "pair:0.3"),
    seeds=(4, 5),
    network="mlp:32,16",
    epochs=7,
    batch=64,
    lr=0.3,
    momentum=0.5,
    weight_decay=1e-4,
    schedule="constant",
    clip=2.5,
    samples=500,
    equal_scale=True,
    device="cpu",
    changes=((3, 0.1), (2, 0.2)),
)


def test_round_trips():
    assert Recipe.from_dict(json.loads(json.dumps(FULL.to_dict()))) == FULL


def test_lanes_in_order():
    assert [tuple(lane) for lane in FULL.lanes][:3] == [
        ("ce", "symmetric:0.5", 4),
        ("ce", "symmetric:0.5", 5),
        ("ce", "pair:0.3", 4),
    ]
    assert len(FULL.lanes) == 8


def test_classroom_is_the_described_one():
    recipe = named_recipe("classroom", "digits")
    assert (recipe.network, recipe.lr, recipe.epochs, recipe.batch, recipe.clip) == ("mlp:512", 1.0, 120, 128, 5.0)
    assert recipe.noise == ("symmetric:0.5",) and len(recipe.lanes) == 18
    with pytest.raises(InputError, match="recipe: must be one of classroom"):
        named_recipe("secret", "digits")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"data": "photos"}, "data: must be one of digits"),
        ({"losses": []}, "losses: between 1 and 64 are needed, got 0"),
        ({"losses": "ce"}, "losses: a list is needed, got ce"),
        ({"losses": ["ce", "ce"]}, "losses: each may be given once, got ce twice"),
        ({"losses": ["agce:a=1,q=1", "agce:q=1.0,a=1.0"]}, "losses: each may be given once"),
        ({"losses": [3]}, "losses: text is needed, got 3"),
        ({"losses": ["aul:a=0.5,p=3"]}, "AUL: a must lie in (1, oo), got 0.5"),
        ({"noise": ["symmetric:2"]}, "noise symmetric: the rate must lie in [0, 1], got 2"),
        ({"seeds": [-1]}, "seeds: must be a whole number in [0, 2147483647], got -1"),
        ({"seeds": [1.5]}, "seeds: must be a whole number in [0, 2147483647], got 1.5"),
        ({"seeds": [True]}, "seeds: must be a whole number"),
        ({"epochs": 0}, "epochs: must be a whole number in [1, 100000], got 0"),
        ({"epochs": "ten"}, "epochs: must be a whole number in [1, 100000], got ten"),
        ({"batch": 10**9}, "batch: must be a whole number in [1, 65536], got 1000000000"),
        ({"lr": float("nan")}, "lr: must lie in [1e-06, 1000], got nan"),
        ({"lr": 0}, "lr: must lie in [1e-06, 1000], got 0"),
        ({"lr": None}, "lr: must lie in [1e-06, 1000], got None"),
        ({"momentum": 1.0}, "momentum: must lie in [0, 1), got 1.0"),
        ({"weight_decay": -1}, "weight_decay: must lie in [0, 1], got -1"),
        ({"clip": float("inf")}, "clip: must lie in (0, 1e+09], got inf"),
        ({"schedule": "steps"}, "schedule: must be one of cosine, constant, got steps"),
        ({"schedule": ["cosine"]}, "schedule: must be one of cosine, constant"),
        ({"device": "tpu"}, "device: must be one of auto, cpu, cuda, mps, got tpu"),
        ({"network": "vgg"}, "network: must be one of mlp"),
        ({"network": "mlp:0"}, "network mlp: 1 to 8 hidden widths in [1, 8192] are needed, got 0"),
        ({"network": "mlp:"}, "are needed, got none"),
        ({"samples": 3}, "samples: must be a whole number in [10, 1000000000], got 3"),
        ({"equal_scale": 1}, "equal_scale: must be true or false, got 1"),
        ({"changes": [[99, 0.1]]}, "changes: epoch: must be a whole number in [1, 50], got 99"),
        ({"changes": [3]}, "changes: pairs (epoch, lr) are needed, got 3"),
        ({"secret": 3}, "recipe: fields are data, losses, noise, "),
    ],
)
def test_bad_fields_are_one_sentence(changes, says):
    good = {"data": "digits", "losses": ["ce"], "epochs": 50}
    with pytest.raises(InputError) as error:
        Recipe.from_dict(good | changes)
    assert says in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 1000


def test_bad_documents():
    with pytest.raises(InputError, match="recipe: losses is missing"):
        Recipe.from_dict({"data": "digits"})
    with pytest.raises(InputError, match="recipe: an object of named fields is needed"):
        Recipe.from_dict([1])


names = st.sampled_from(["data", "losses", "noise", "seeds", "epochs", "lr", "network", "changes", "equal_scale", "x"])
texts = st.one_of(st.text(max_size=12), st.sampled_from(["ce", "digits", "1e999", "nan", "-1", "9" * 39, "mlp:9,9"]))
values = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats())


@given(st.dictionaries(names, st.one_of(values, st.lists(st.one_of(values, st.lists(values, max_size=3)), max_size=3))))
@settings(max_examples=300, deadline=None)
def test_garbage_gives_a_recipe_or_a_sentence(fields):
    try:
        recipe = Recipe.from_dict({"data": "digits", "losses": ["ce"]} | fields)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


def test_importing_recipes_does_not_import_torch():
    code = "import sys, alf.training, alf.data, alf.noise; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_summary_by_hand():
    def lane(index, seed, accuracies, memorised):
        return [
            {"lane": index, "loss": "ce", "noise": "none", "seed": seed, "epoch": e, "test_accuracy": a}
            | {"flipped_given_accuracy": memorised}
            for e, a in enumerate(accuracies, start=1)
        ]

    rows = summarise(lane(1, 8, [0.5, 0.9, 0.6], 0.2) + lane(0, 7, [0.9, 0.4], 0.4), {0: "Diverged."})
    assert len(rows) == 1
    row = rows[0]
    assert row["seeds"] == [7, 8]
    assert row["last"] == {"mean": pytest.approx(0.5), "std": pytest.approx(0.1)}
    assert row["best"]["mean"] == pytest.approx(0.7) and row["best_epoch"] == 1  # the height of the mean curve
    assert row["memorised"]["mean"] == pytest.approx(0.3)
    assert row["epochs"] == [2, 3] and row["ended"] == {"7": "Diverged."}


def test_the_search_never_sees_clean_validation_labels():
    import numpy as np

    from alf.training.search import HELD_OUT, validation_arrays

    recipe = classroom("digits")
    arrays = recipe.load()
    given = validation_arrays(recipe, arrays)
    assert len(given.test_labels) == pytest.approx(HELD_OUT * 1438, abs=6)
    assert len(given.train_labels) + len(given.test_labels) == 1438
    pictures = {
        picture.tobytes(): label for picture, label in zip(arrays.train_inputs, arrays.train_labels, strict=True)
    }
    true = np.array([pictures[picture.tobytes()] for picture in given.test_inputs])
    assert (true != given.test_labels).mean() == pytest.approx(0.5, abs=0.08)
    held, kept = ({p.tobytes() for p in inputs} for inputs in (given.test_inputs, given.train_inputs))
    assert len(held & kept) <= 2  # a picture may occur twice
