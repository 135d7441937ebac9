"""A recipe in a view's state: the link carries it whole, a data set's own values follow the data set."""

from urllib.parse import parse_qs, urlencode

import pytest

from alf.data import DATASETS
from alf.errors import InputError
from alf.training.recipes import kinds_of, named_recipe
from ui.state import link, recipe_fields

FIELDS = recipe_fields.fields(link.losses(recipe_fields.LOSSES))
PAIRS = [(kind, data) for data in DATASETS for kind in kinds_of(data)]


def decode(**params):
    return link.decode(FIELDS, {name: [text] for name, text in params.items()})


@pytest.mark.parametrize(("kind", "data"), PAIRS)
def test_untouched_the_view_is_the_recipe_of_its_data(kind, data):
    values, problems = decode(data=data, recipe=kind, noise="symmetric:0.3")
    expected = named_recipe(kind, data, losses=recipe_fields.LOSSES, noise=("symmetric:0.3",), seeds=(0, 1, 2))
    assert problems == [] and recipe_fields.recipe_of(values) == expected


@pytest.mark.parametrize(("kind", "data"), PAIRS)
def test_its_link_holds_every_value_and_gives_the_same_view(kind, data):
    values, _ = decode(data=data, recipe=kind, noise="none")
    written = link.encode(FIELDS, values)
    assert set(written) == {field.name for field in FIELDS}
    assert link.decode(FIELDS, parse_qs(urlencode(written, doseq=True))) == (values, [])


def test_what_the_reader_set_survives_the_link_and_is_used():
    set_by = {"network": "mlp:8", "samples": "100", "epochs": "7", "lr": "0.123456789", "batch": "32"}
    set_by |= {"momentum": "0.5", "weight_decay": "1e-4", "schedule": "constant", "clip": "1", "augment": "crop-flip"}
    values, problems = decode(**set_by)
    assert problems == [] and None not in [values[name] for name in recipe_fields.FOLLOWING]
    assert link.decode(FIELDS, link.encode(FIELDS, values)) == (values, [])
    recipe = recipe_fields.recipe_of(values)
    assert (recipe.network, recipe.samples, recipe.epochs, recipe.lr, recipe.batch) == (
        "mlp:8",
        100,
        7,
        0.123456789,
        32,
    )
    assert (recipe.momentum, recipe.weight_decay, recipe.schedule) == (0.5, 1e-4, "constant")
    assert (recipe.clip, recipe.augment) == (1.0, "crop-flip")


def test_all_samples_can_be_asked_for_where_the_recipe_takes_a_part():
    values, _ = decode(data="mnist", samples="all")
    assert values["samples"] == 0 and recipe_fields.recipe_of(values).samples is None
    assert recipe_fields.recipe_of(decode(data="mnist")[0]).samples == 10_000


def test_another_data_set_brings_its_own_values_and_keeps_the_readers():
    values, _ = decode(data="digits", batch="64")
    moved = values | {"data": "mnist"}
    assert link.encode(FIELDS, moved)["lr"] == ["0.1"] and link.encode(FIELDS, moved)["batch"] == ["64"]


def test_a_stale_kind_of_recipe_is_the_first_the_data_has():
    values = decode(data="mnist", recipe="paper")[0] | {"data": "digits"}
    assert recipe_fields.own(values)["lr"] == 1.0
    assert link.encode(FIELDS, values)["network"] == ["mlp:512"]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"recipe": "paper"}, "recipe must be one of classroom for digits, got 'paper'"),
        ({"network": "resnet34"}, "network resnet34: takes pictures of at least 16 x 16 pixels"),
        ({"network": "mlp:0"}, "network mlp: 1 to 8 hidden widths"),
        ({"samples": "some"}, "samples must be all or a whole number in [2, 1000000], got 'some'"),
        ({"batch": "1.5"}, "batch must be a whole number in [1, 65536], got '1.5'"),
        ({"momentum": "nan"}, "momentum must be a number in [0, 0.999], got 'nan'"),
        ({"weight_decay": "2"}, "weight decay must be a number in [0, 1], got '2'"),
        ({"schedule": "COSINE"}, "schedule must be one of cosine, constant, got 'COSINE'"),
        ({"clip": "inf"}, "gradient clipping must be a number in [0.001, 1e+09], got 'inf'"),
        ({"data": "moons", "augment": "crop-flip"}, "augment must be one of none for moons, got 'crop-flip'"),
    ],
)
def test_garbage_is_one_sentence_and_the_recipes_own_value(params, said):
    values, problems = decode(**params)
    assert len(problems) == 1 and problems[0].startswith(said)
    assert all(values[name] is None for name in recipe_fields.FOLLOWING) and values["recipe"] == "classroom"


def test_values_that_do_not_go_together_are_refused_in_a_sentence():
    values, problems = decode(samples="5")
    assert problems == []
    with pytest.raises(InputError, match="samples: must be a whole number in"):
        recipe_fields.recipe_of(values)
