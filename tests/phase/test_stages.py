"""Blocks: every cell is in exactly one, whatever the map; the order follows what was measured, the blocks do not."""

import random
from collections import Counter

from alf.phase import Cell, Measured, PhaseMap, parse_axis
from alf.phase.stages import FIRST, LANES, blocks, in_order
from alf.training import Recipe
from tests.phase.maps import any_map

RECIPE = Recipe(data="digits", losses=("agce:a=1,q=0.6",), noise=("symmetric:0.4",), network="mlp:8", epochs=2)
PHASE = PhaseMap(RECIPE, parse_axis("a=0.05:6:16:log"), parse_axis("noise=0.1:0.8:16"))


def test_every_cell_is_in_exactly_one_block():
    source = random.Random(7)
    for _ in range(40):
        phase = any_map(source)
        for lanes in (LANES, 5):
            made = blocks(phase, lanes)
            assert Counter(cell for block in made for cell in block.cells) == Counter(phase.cells)
            assert [block.number for block in made] == list(range(len(made)))
            assert [block.level for block in made] == sorted(block.level for block in made)
            assert max(len(block.cells) * len(phase.recipe.seeds) for block in made) <= max(
                lanes, len(phase.recipe.seeds)
            )


def test_a_block_is_one_recipe_that_trains_its_cells_and_no_others():
    source = random.Random(8)
    for _ in range(15):
        phase = any_map(source, most=9)
        trained = Counter()
        for block in blocks(phase):
            recipe = phase.recipe_of(block.cells)
            own = (recipe.lr, recipe.samples)
            trained.update((lane.loss, lane.noise, lane.seed, *own) for lane in recipe.lanes)
        wanted = Counter(
            (lane.loss, lane.noise, lane.seed, recipe.lr, recipe.samples)
            for recipe in (phase.recipe_of([cell]) for cell in phase.cells)
            for lane in recipe.lanes
        )
        assert trained == wanted


def test_colours_come_everywhere_first():
    made = blocks(PHASE)
    coarse = [cell for block in made if block.level == 0 for cell in block.cells]
    assert {(cell.x, cell.y) for cell in coarse} == {(x, y) for x in (0, 4, 8, 12) for y in (0, 4, 8, 12)}
    assert all(len(block.cells) <= FIRST for block in made if block.level == 0)


def measured(value, spread=0.0):
    return Measured((0, 1), {"last": (value - spread, value + spread)})


def test_what_changes_is_refined_first():
    made = blocks(PHASE)
    level = max(block.level for block in made)
    rest = [block for block in made if block.level == level]
    step = {cell: measured(float(cell.x >= 9)) for block in made if block.level < level for cell in block.cells}
    first = in_order(PHASE, rest, step, "last")
    across = [any(8 < cell.x <= 9 for cell in block.cells) for block in first]
    assert across == sorted(across, reverse=True) and any(across) and not all(across)
    noisy = {cell: measured(one.mean("last"), 5.0) for cell, one in step.items()}  # seeds are further apart than cells
    assert in_order(PHASE, rest, noisy, "last") == rest
    assert in_order(PHASE, made, {}, "last") == list(made)
    assert in_order(PHASE, [], {}, "last") == []


def test_an_unknown_corner_is_no_reason():
    last = blocks(PHASE)[-1:]
    assert in_order(PHASE, last, {Cell(0, 0, 0): Measured((0,), {"last": (None,)})}, "last") == list(last)
