"""Maps: what a cell is, that equal maps are equal, and what is refused before anything is computed."""

import json
import random

import pytest

from alf.errors import InputError
from alf.losses import parse
from alf.phase import Cell, PhaseMap, parse_axis
from alf.training import Recipe
from tests.phase.maps import any_map

RECIPE = Recipe(data="digits", losses=("agce:a=1,q=0.6",), noise=("symmetric:0.4",), network="mlp:8", epochs=2)
A, NOISE = parse_axis("a=0.05:6:12:log"), parse_axis("noise=0.1:0.8:10")


def test_a_map_reads_back_from_json_as_itself():
    source = random.Random(1)
    for _ in range(25):
        phase = any_map(source)
        again = PhaseMap.from_dict(json.loads(json.dumps(phase.to_dict())))
        assert again == phase and again.key == phase.key
        assert PhaseMap(phase.recipe, phase.x, phase.y) == phase


def test_what_an_axis_changes_does_not_tell_maps_apart():
    same = RECIPE.with_(losses=("agce:q=.6,a=5",), noise=("symmetric:0.75",))
    assert PhaseMap(same, A, NOISE).key == PhaseMap(RECIPE, A, NOISE).key
    for other in (RECIPE.with_(noise=("pair:0.4",)), RECIPE.with_(seeds=(1,)), RECIPE.with_(losses=("agce:a=1,q=.7",))):
        assert PhaseMap(other, A, NOISE).key != PhaseMap(RECIPE, A, NOISE).key
    assert PhaseMap(RECIPE, NOISE, A).key != PhaseMap(RECIPE, A, NOISE).key


def test_a_cell_has_the_values_of_its_place():
    source = random.Random(2)
    for _ in range(25):
        phase = any_map(source)
        cell = source.choice(phase.cells)
        lane = phase.recipe_of([cell])
        values = phase.values(cell)
        loss = parse(phase.loss(cell))
        assert (lane.losses, lane.noise, lane.seeds) == ((loss.spec,), (phase.noise(cell),), phase.recipe.seeds)
        for kind, value in values.items():
            found = {
                "noise": lambda lane=lane: float(lane.parse_noise(lane.noise[0]).rate),
                "lr": lambda lane=lane: lane.lr,
                "samples": lambda lane=lane: float(lane.samples),
            }.get(kind, lambda loss=loss, kind=kind: loss.floats[kind])()
            assert found == value, (kind, values)
        rest = {"losses", "noise", "lr", "samples"}
        assert {k: v for k, v in lane.to_dict().items() if k not in rest} == {
            k: v for k, v in phase.recipe.to_dict().items() if k not in rest
        }


def test_no_two_cells_are_the_same_network():
    source = random.Random(5)
    for _ in range(10):
        phase = any_map(source, most=7)
        assert len({phase.recipe_of([cell]).key for cell in phase.cells}) == len(phase.cells)


def test_cells_of_two_learning_rates_are_no_recipe():
    phase = PhaseMap(RECIPE, A, parse_axis("lr=0.1,1"))
    with pytest.raises(InputError, match="cells of one recipe must have the same lr"):
        phase.recipe_of([Cell(0, 0, 0), Cell(0, 0, 1)])


@pytest.mark.parametrize(
    ("recipe", "x", "y", "said"),
    [
        (RECIPE, "a=1,2", "a=1,3", "map: its axes must be of two kinds, got a twice"),
        (RECIPE, "a=0,1", "noise=0.1,0.2", "AGCE: a must lie in (0, oo), got 0"),
        (RECIPE, "b=1,2", "noise=0.1,0.2", "axis b: must be noise, lr, classes, samples or a hyperparameter of every "
         "loss; AGCE: it has a, q"),
        (RECIPE.with_(losses=("agce:a=1,q=0.6", "ce")), "a=1,2", "noise=0.1,0.2", "axis a: must be noise, lr, classes, "
         "samples or a hyperparameter of every loss; CE: it has none"),
        (RECIPE.with_(noise=("none",)), "a=1,2", "noise=0.1,0.2", "axis noise: the noise must be of a kind that has a "
         "rate (symmetric, pair, asymmetric, instance), got none"),
        (RECIPE.with_(noise=("symmetric:0.1", "pair:0.1")), "a=1,2", "lr=0.1,0.2", "map: one noise is needed, got 2"),
        (RECIPE.with_(losses=("agce:a=1,q=0.6", "agce:a=2,q=0.6")), "a=1,2", "noise=0.1,0.2",
         "map: its losses must differ in more than what its axes change, got agce:a=1,q=0.6 twice"),
        (RECIPE.with_(losses=("formula:exp(-u/a);a=2",)), "a=1,2", "noise=0.1,0.2", "axis a: a needs a domain in "
         "formula:exp(-u/a);a=2, written a=VALUE[LOW,HIGH]; without one it is part of the formula"),
        (RECIPE.with_(losses=("formula:exp(-u/a);a=2[1,3]",)), "a=1,4", "noise=0.1,0.2",
         "exp(-u/a): a must lie in [1, 3], got 4"),
        (RECIPE.with_(losses=("formula:exp(-u/noise);noise=2[1,3]",)), "samples=100,200", "noise=0.1,0.2",
         "axis noise: exp(-u/noise) (noise=2) has a hyperparameter of that name, which must be called something else "
         "than noise, lr, classes, samples"),
        (RECIPE, "samples=5,100", "noise=0.1,0.2", "samples: must be a whole number in [10, 1000000000], got 5"),
    ],
)  # fmt: skip
def test_what_is_no_map_is_refused_in_one_sentence(recipe, x, y, said):
    with pytest.raises(InputError) as error:
        PhaseMap(recipe, parse_axis(x), parse_axis(y))
    assert str(error.value) == said


def test_a_file_with_wrong_fields_is_refused_in_one_sentence():
    plain = PhaseMap(RECIPE, A, NOISE).to_dict()
    for wrong, said in (
        ([], "map: an object of named fields is needed"),
        (plain | {"z": 1}, "map: fields are recipe, x, y, got z"),
        ({"x": plain["x"], "y": plain["y"]}, "map: recipe is missing"),
        (plain | {"x": 3}, "axis: text is needed"),
        (plain | {"recipe": {"data": "digits", "losses": ["ce"], "rate": 1}}, "recipe: fields are"),
    ):
        with pytest.raises(InputError, match=said):
            PhaseMap.from_dict(wrong)


def test_asymmetric_noise_belongs_to_its_data_set():
    phase = PhaseMap(RECIPE.with_(noise=("asymmetric:0.4",)), A, NOISE)
    assert phase.noise(Cell(0, 0, 9)) == "asymmetric:0.8"
    with pytest.raises(InputError, match="needs a data set whose confused pairs are known"):
        PhaseMap(RECIPE.with_(data="blobs", noise=("asymmetric:0.4",)), A, NOISE)


def test_classes_and_samples_are_those_of_the_cell():
    phase = PhaseMap(RECIPE, parse_axis("classes=2:10:3"), parse_axis("samples=50:500:2"))
    assert [phase.data(Cell(0, x, 0)) for x in range(3)] == ["digits:2", "digits:6", "digits"]
    recipe = phase.recipe_of([Cell(0, 1, 1)])
    assert (recipe.data, recipe.dataset.classes, recipe.samples) == ("digits:6", 6, 500)
    for wrong, said in (("classes=2,11", "between 2 and 10 classes can be chosen"), ("classes=2,3,10", "got 9")):
        with pytest.raises(InputError, match=said):
            PhaseMap(RECIPE, parse_axis(wrong), parse_axis("samples=9,500"))
