"""The recorded map is what its command computes: whole, the default one, and some of its cells trained again here."""

from random import Random
from statistics import fmean, variance

import pytest

from alf.errors import InputError
from alf.phase import MEASURES, Cell
from alf.phase.cell_values import measured
from alf.phase.recipes import default_map
from alf.phase.recorded_map import MAPS, recorded_map
from alf.phase.sides import sides
from alf.phase.theory import answer, of_cell, questions
from alf.training import run

TOLERANCE = {"last": 0.03, "memorised": 0.04, "confidence": 0.03}
"""Rounding differs between machines and numbers of lanes, and sixty epochs make more of it: about ten test samples."""


@pytest.mark.parametrize("name", MAPS)
def test_a_recording_is_whole_and_is_the_map_of_its_name(name):
    found = recorded_map(name)
    assert found.phase == MAPS[name]() and set(found.cells) == set(found.phase.cells)
    assert set(found.answers) == set(questions(found.phase))
    assert found.made["command"] == f"python -m alf.phase.recorded_map {name}"
    for one in found.cells.values():
        assert one.seeds == found.phase.recipe.seeds and set(one.values) == set(MEASURES)
        assert all(0 <= value <= 1 for value in one.values["last"])


def test_cells_trained_again_come_to_what_is_recorded():
    found = recorded_map("digits")
    for cell in (Cell(0, 0, 2), Cell(0, 2, 8)):
        *records, _ = run(found.phase.recipe_of([cell]))
        again = measured(found.phase, [cell], records, {})[cell]
        for measure, tolerance in TOLERANCE.items():
            assert again.mean(measure) == pytest.approx(found.cells[cell].mean(measure), abs=tolerance), (cell, measure)


def test_cells_of_the_headline_trained_again_come_to_what_is_recorded():
    found = recorded_map("headline")
    again = Random(7)
    for loss in range(len(found.phase.losses)):
        cells = [Cell(loss, again.randrange(40), again.randrange(40)) for _ in range(3)]
        for cell in cells:
            *records, _ = run(found.phase.recipe_of([cell]))
            mean = measured(found.phase, [cell], records, {})[cell].mean("confidence")
            assert mean == pytest.approx(found.cells[cell].mean("confidence"), abs=0.03), cell


def test_the_headline_number():
    """Most networks lie on theory's side, and those that do not are nearly all surer than the best prediction."""
    found = recorded_map("headline")
    told = sides(found.phase, found.cells, found.answers)
    assert told.counted == 4800 and 0.9 < told.share < 0.95
    assert told.counts[False, True] > 10 * told.counts[True, False]


def test_what_theory_says_today_is_recorded():
    found = recorded_map("digits")
    for question, recorded in list(found.answers.items())[::4]:
        assert answer(question).rate == pytest.approx(recorded.rate, abs=1e-9)
    assert of_cell(found.phase, Cell(0, 0, 9), found.answers).tolerated is False


def test_the_ridge_is_there():
    """At the highest noise the accuracy rises with a and falls again, by two standard errors of twelve networks."""
    found = recorded_map("digits")
    thirds = [
        [value for x in range(start, start + 4) for value in found.cells[Cell(0, x, 9)].values["last"]]
        for start in (0, 4, 8)
    ]
    low, ridge, high = (fmean(values) for values in thirds)
    errors = [variance(values) / len(values) for values in thirds]
    assert ridge - low > 2 * (errors[0] + errors[1]) ** 0.5
    assert ridge - high > 2 * (errors[1] + errors[2]) ** 0.5


def test_an_unknown_recording_is_refused():
    assert default_map() == recorded_map("digits").phase
    with pytest.raises(InputError, match="recorded map: must be one of digits, headline, got moon"):
        recorded_map("moon")
