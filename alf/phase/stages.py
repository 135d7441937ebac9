"""In which order a map is computed: a coarse grid first, then between its points where they differ most.

The cells are divided into *blocks* once and for all: a block is what is trained together, one recipe. Which blocks
there are does not depend on what was measured, only their order does: so whoever goes on with a map, in whatever state
it was left, finds the blocks that are done by their recipes and repeats nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, product
from math import ceil, isqrt
from typing import TypeVar

from alf.phase.axes import LIMITS
from alf.phase.cell_values import Measured
from alf.phase.phase_map import Cell, PhaseMap

LANES, FIRST = 48, 12
"""Networks that are trained together, at most; and in the blocks of the coarsest grid, which somebody waits for."""
COARSEST = 3
"""Points along each axis that the coarsest grid has at least, where there are so many."""

T = TypeVar("T")


@dataclass(frozen=True)
class Block:
    """Cells that are trained together.

    Attributes
    ----------
    number
        Its place in the list of all blocks.
    level
        Of the grid that it belongs to; 0 is the coarsest.
    cells
        The cells: every combination of some losses, columns and rows.
    """

    number: int
    level: int
    cells: tuple[Cell, ...]


@lru_cache(maxsize=64)
def blocks(phase: PhaseMap, lanes: int = LANES) -> tuple[Block, ...]:
    """Divide a map into blocks of at most so many networks; a single cell may have more seeds than that.

    >>> from alf.phase.axes import parse_axis
    >>> from alf.training import Recipe
    >>> recipe = Recipe(data="digits", losses=("ael:a=1",), noise=("pair:0.1",), seeds=(0, 1, 2))
    >>> phase = PhaseMap(recipe, parse_axis("a=1:12:12"), parse_axis("noise=0.1:0.4:10"))
    >>> [sum(len(block.cells) for block in blocks(phase) if block.level == level) for level in range(3)]
    [9, 21, 90]
    """
    made: list[Block] = []
    for level, rectangles in enumerate(_grids(phase)):
        most = max(1, min(lanes, LANES if level else FIRST) // len(phase.recipe.seeds))
        for columns, rows in rectangles:
            for cells in _tiles(phase, columns, rows, most):
                made.append(Block(len(made), level, cells))
    return tuple(made)


def _grids(phase: PhaseMap) -> Iterator[list[tuple[Sequence[int], Sequence[int]]]]:
    """Yield each grid's points that the ones before do not have, as rectangles (columns, rows) of indices."""
    before: tuple[Collection[int], Collection[int]] = (), ()
    for steps in _steps(phase):
        columns, rows = (range(0, len(axis), step) for axis, step in zip(phase.axes, steps, strict=True))
        fresh = [x for x in columns if x not in before[0]]
        old = [x for x in columns if x in before[0]]
        yield [(fresh, rows), (old, [y for y in rows if y not in before[1]])]
        before = columns, rows


def _steps(phase: PhaseMap) -> list[tuple[int, int]]:
    """The distances of grid points along x and y, the coarsest first, each half of the one before.

    >>> from alf.phase.axes import parse_axis
    >>> from alf.training import Recipe
    >>> _steps(PhaseMap(Recipe(data="digits", losses=("ael:a=1",)), parse_axis("a=1:12:12"), parse_axis("lr=1,2")))
    [(4, 1), (2, 1), (1, 1)]
    """
    coarsest = []
    for axis in phase.axes:
        step = 1
        while ceil(len(axis) / (2 * step)) >= COARSEST:
            step *= 2
        coarsest.append(step)
    return [(max(1, coarsest[0] >> level), max(1, coarsest[1] >> level)) for level in range(max(coarsest).bit_length())]


def _tiles(phase: PhaseMap, columns: Sequence[int], rows: Sequence[int], most: int) -> Iterator[tuple[Cell, ...]]:
    """Divide a rectangle, for all losses, into tiles of at most so many cells that can be one recipe."""
    if not columns or not rows:
        return
    together = min(len(phase.losses), most)
    wide, high = (1 if axis.kind in LIMITS and axis.kind != "noise" else most // together for axis in phase.axes)
    if wide > 1 and high > 1:  # both axes vary within a recipe: about square
        high = min(len(rows), isqrt(high))
        wide = min(len(columns), most // together // high)
        high = min(len(rows), most // together // wide)
    parts = (_evenly(range(len(phase.losses)), together), _evenly(rows, high), _evenly(columns, wide))
    for losses, ys, xs in product(*parts):
        yield tuple(Cell(loss, x, y) for loss, y, x in product(losses, ys, xs))


def _evenly(values: Sequence[T], most: int) -> list[Sequence[T]]:
    """Divide a sequence into as few parts of at most so many as it takes, of nearly the same length.

    >>> _evenly(range(7), 3)
    [range(0, 2), range(2, 5), range(5, 7)]
    """
    count = ceil(len(values) / most)
    bounds = [round(i * len(values) / count) for i in range(count + 1)]
    return [values[low:high] for low, high in pairwise(bounds)]


def in_order(phase: PhaseMap, waiting: Iterable[Block], cells: Mapping[Cell, Measured], measure: str) -> list[Block]:
    """Put blocks in the order in which they should be computed.

    Coarser grids come first; of one grid, the blocks whose surroundings in the coarser one differ most by `measure`:
    by how much the means of neighbouring cells are apart, less what their seeds are apart.
    """
    waiting = list(waiting)
    if not waiting:
        return []
    level = min(block.level for block in waiting)
    steps = _steps(phase)
    known = {
        cell: (mean, one.std(measure) or 0.0) for cell, one in cells.items() if (mean := one.mean(measure)) is not None
    }

    def change(block: Block) -> float:
        if block.level != level or not level:
            return 0.0  # its turn has not come
        return max(_change(cell, known, steps[level - 1]) for cell in block.cells)

    return sorted(waiting, key=lambda block: (block.level, -change(block), block.number))


def _change(cell: Cell, known: Mapping[Cell, tuple[float, float]], steps: tuple[int, int]) -> float:
    """How far the known values at the corners of a cell's square in a grid are apart, beyond their own spread."""
    corners = product(*((low := index // step * step, low + step) for index, step in zip(cell[1:], steps, strict=True)))
    found = [known[corner] for x, y in corners if (corner := Cell(cell.loss, x, y)) in known]
    if len(found) < 2:
        return 0.0
    means, spreads = zip(*found, strict=True)
    return float(max(0.0, max(means) - min(means) - sum(spreads) / len(spreads)))
