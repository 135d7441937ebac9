"""What was measured of a data set: from every result of the store, and from another machine's output."""

import json

import pytest

from alf.errors import InputError
from alf.export.run import json_text
from alf.runs.measured import Model, measured, merged, read_runs
from alf.training import Recipe, paper, run
from alf.training.protocols import protocol_of
from alf.training.recipe import Lane
from tests.runs.fakes import trained

QUICK = paper("cifar10", losses=("ce", "mae"), noise=("none",), seeds=(0, 1), epochs=3)


@pytest.mark.both_stores
def test_models_of_several_results_and_owners_stand_together(store):
    trained(store, QUICK)
    trained(store, QUICK.with_(losses=("ce",), noise=("symmetric:0.4",), seeds=(5,), device="cpu"), "you", 0.7)
    trained(store, QUICK.with_(lr=0.5))  # another protocol
    trained(store, QUICK.with_(data="digits", network="mlp:8", augment="none"))  # and data set
    found = measured(store, "cifar10", {"ce", "mae"}, {"none", "symmetric:0.4"})
    assert set(found) == {protocol_of(QUICK), protocol_of(QUICK.with_(lr=0.5))}
    mine = found[protocol_of(QUICK)]
    assert {lane: model.accuracy for lane, model in mine.items()} == pytest.approx({
        Lane("ce", "none", 0): 0.5, Lane("ce", "none", 1): 0.51, Lane("mae", "none", 0): 0.52,
        Lane("mae", "none", 1): 0.53, Lane("ce", "symmetric:0.4", 5): 0.7,
    })  # fmt: skip
    assert all(model == Model(model.accuracy, 3) for model in mine.values())
    assert set(measured(store, "cifar10", {"mae"}, {"none"})[protocol_of(QUICK)]) == {
        Lane("mae", "none", seed) for seed in (0, 1)
    }
    assert measured(store, "mnist", {"ce"}, {"none"}) == {}


def test_what_is_going_on_and_what_diverged_is_said(store):
    trained(store, QUICK, ended={3: 1})
    trained(store, QUICK.with_(seeds=(1, 2)), epochs=2)
    models = measured(store, "cifar10", {"ce", "mae"}, {"none"})[protocol_of(QUICK)]
    assert models[Lane("mae", "none", 1)] == Model(0.53, 1, "Diverged.")
    assert models[Lane("ce", "none", 1)].finished  # the one that has come furthest counts
    assert models[Lane("ce", "none", 2)] == Model(pytest.approx(0.51), 2, None, finished=False, going=True)


def test_a_run_whose_rate_was_changed_has_no_protocol(store):
    trained(store, QUICK.with_(changes=((2, 0.1),)))
    assert measured(store, "cifar10", {"ce", "mae"}, {"none"}) == {}


def test_a_stored_recipe_that_is_refused_today_is_left_out(store):
    trained(store, QUICK)
    with store.decide() as connection:
        connection.exec_driver_sql("""UPDATE results SET recipe = REPLACE(recipe, '"cosine"', '"stairs"')""")
    assert measured(store, "cifar10", {"ce", "mae"}, {"none"}) == {}


@pytest.fixture(scope="module")
def output():
    """What `train --json` prints of a tiny run."""
    recipe = Recipe(
        data="digits", losses=("ce", "mae"), noise=("symmetric:0.5",), seeds=(3,), network="mlp:4", epochs=2
    )
    return recipe, list(run(recipe))


def test_the_output_of_another_machine_is_read(output):
    recipe, values = output
    lines = "\n".join(json.dumps(value) for value in values).encode()
    last = {value["loss"]: value["test_accuracy"] for value in values if value.get("epoch") == 2}
    expected = {protocol_of(recipe): {Lane(loss, "symmetric:0.5", 3): Model(a, 2) for loss, a in last.items()}}
    assert read_runs(lines) == expected
    assert read_runs(json_text(recipe, values[:-1]).encode()) == expected
    cut = b"\n".join(lines.splitlines()[:1] + lines.splitlines()[-1:])
    assert not [model for model in read_runs(cut)[protocol_of(recipe)].values() if model.finished]
    assert merged(read_runs(cut), expected) == merged(expected, read_runs(cut)) == expected


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "at least one whole run"),
        (b"\xff\xfe", "text in UTF-8 is needed, got 2 other bytes"),
        (b"loss,noise\nce,none", "lines of train --json or sweep"),
        (b"[" * 100_000, "lines of train --json or sweep"),
        (b"7", "lines of train --json or sweep"),
        (b'{"recipe": 3, "run": "x"}', "a recipe of this version"),
        (b'{"recipe": {"data": "photos"}, "run": "x"}', "a recipe of this version"),
        (b'{"recipe": {"data": ["cifar10"]}, "records": []}', "a recipe of this version"),
    ],
)
def test_a_file_that_is_none_is_refused_in_a_sentence(contents, said):
    with pytest.raises(InputError, match=said):
        read_runs(contents)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("test_accuracy", 1.5, "test_accuracy: must lie in"),
        ("test_accuracy", float("nan"), "test_accuracy: must lie in"),
        ("test_accuracy", True, "test_accuracy: must lie in"),
        ("epoch", "2", "a record needs loss, noise, seed and epoch"),
        ("loss", None, "a record needs"),
        ("seed", [0], "a record needs"),
    ],
)
def test_a_record_is_checked(output, field, value, said):
    _, values = output
    broken = [values[0] | {field: value}, *values[1:]]
    with pytest.raises(InputError, match=said):
        read_runs("\n".join(json.dumps(value) for value in broken).encode())


def test_a_strangers_formula_is_not_read(output):
    recipe, values = output
    summary = values[-1] | {"recipe": recipe.to_dict() | {"losses": ["formula:" + "(" * 500]}}
    assert set(read_runs("\n".join(map(json.dumps, [*values[:-1], summary])).encode())) == {protocol_of(recipe)}
