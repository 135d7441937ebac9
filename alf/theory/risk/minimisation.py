"""Certified minimisation of a risk that is a sum over classes, R(u) = sum_i psi_i(u_i), on the whole simplex.

The question is whether R is larger than at the vertex e_m everywhere else. **The algorithm.**

1. A minimiser that is no vertex satisfies mu_i(u_i) = lambda wherever u_i > 0, with mu_i = -psi_i'. On each *branch*, a
   stretch where psi_i bends one way, mu_i is monotone, so lambda determines u_i (`branches` tabulates psi_i and mu_i).
2. At a minimiser at most one coordinate lies where its psi is strictly concave (moving mass between two such lowers R).
   What is left is one number, lambda, and finitely many *choices*: for each coordinate, 0 or a branch (`all_choices`).
3. For each choice and each small *cell* [a, b] of lambda with middle lambda_0, its *columns* bound
   R(u) = sum_i (psi_i(u_i) + lambda_0 u_i) - lambda_0 from below, of second order in the width of the cell, because
   psi_i(u) + lambda u is stationary at u_i.
4. A cell is dropped where the bound is above R(e_m), where no u_i has its multiplier in the cell, or where the u_i
   cannot sum to 1. Cells that are left are cut finer, with the tables under them, until doubles can tell no more:
   weights 1e-8 from a threshold are decided.

**What makes the answer True**, no cell left, a proof: (i) every minimiser is covered: the branches and convex kinks
cover [0, 1], a concave kink cannot hold a minimiser, the choices are all there are, and the first cells cover the
multiplier of every coordinate in (0, 1/2] (`_multipliers`), one of which every minimiser but a vertex has; (ii) a cell
is dropped for a reason that holds for every u_i in it: enclosures are outward and what doubles add to them is covered
by the constants below. The other vertices are compared by the caller. A point as the answer is checked by itself, in
balls or exactly, and rests on none of this.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from sympy import Add, oo

from alf.losses import u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.cells import enclose_number
from alf.theory.curve.shape import shape_of
from alf.theory.risk.branches import (
    MOST_COLUMNS,
    NODES,
    ROUNDING,
    Branch,
    Column,
    branches,
    column_of,
    finer_branch,
)
from alf.theory.risk.structure import Structure, vertex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CELLS = 256
"""Into how many cells the range of lambda is cut at first."""

MOST_CHOICES = 6000

MOST_CELLS = 4000
"""With how many cells left a search goes on."""

FINER = 16
"""Into how many parts a cell that is left is cut."""

ROUNDS = 8
"""How often what is left is cut finer, lambda and the nodes: until rounding is all that is left."""

VERTEX_SLACK = 1e-12
"""By how much more than the vertex's a risk must be for its cell to be dropped, relative to 1 + |R(e_m)|.

The only thing to cover is R(e_m) made a double: 2**-53, some 1e-16. The rest keeps cells of risks too close for doubles
for the exact tests, which decide them.
"""

SUM_SLACK = 1e-9
"""How far from 1 the doubles of coordinates that sum to 1 may sum to.

A node is at most 2**-54 from what it stands for, and a product and a sum for each of n columns are off by 2**-53 of a
partial sum, at most 1 where it matters (the sum of the low ends at most 1, that of the high ends less than 1). Together
3 n 2**-53, below 1e-12 for n = `MOST_COLUMNS`.
"""

PAD = 1e-9
"""By what the range of lambda is widened, relative to its ends. Enclosures need none; a single value needs a cell."""

Group = tuple[Fraction, int]
"""A label weight, and how many labels have it."""

Choice = tuple[tuple[int, ...], ...]
"""For each group: how many coordinates are 0, and how many lie on each branch of its psi."""

Tables = Mapping[Fraction, Sequence[Branch]]
"""The branches of psi for each label weight."""

Point = tuple[Fraction, ...]
Found = Point | Literal[True] | None
"""True where the vertex alone has the least risk; a point that shows that it has not; None where neither was shown."""


def sum_against_vertex(structure: Structure) -> Found:
    """sum_i l(u_i) on the simplex against its value at a vertex, for a loss l(u_y).

    Returns
    -------
    True where it is larger at every point that is no vertex, a point where it is smaller, or None.
    """
    w = (Fraction(1),) * structure.classes
    at_vertex = structure.risk(vertex(0, structure.classes), w, 200)
    found = search(structure, w, at_vertex)
    if found is None or found is True:
        return found
    return found if structure.risk(found, w, 200) < at_vertex else None


def search(structure: Structure, w: Point, at_vertex: Any) -> Found:
    """Whether the risk under weights w is larger than at_vertex, the ball of R(e_m), at every point that is no vertex.

    Returns
    -------
    True where every choice is excluded, a point with a risk that is not larger, or None.
    """
    risk = _Risk(structure, w, at_vertex)
    tables = risk.tables()
    if tables is None:
        return None
    left = _first_cells(risk, tables)
    if left is None:
        return None
    for _ in range(ROUNDS):
        if not left:
            return True
        found = _below_vertex(risk, tables, left)
        if found is not None:
            return found
        if len(left) > MOST_CELLS:
            return None
        tables = _finer_tables(risk.groups, tables, left)
        left = _cut(risk, tables, left)
    return _exact_tie(risk, tables, left) if left else True


@dataclass(frozen=True)
class _Risk:
    """A risk under label weights, and its value at the vertex of the heaviest label as a ball."""

    structure: Structure
    w: Point
    at_vertex: Any

    @cached_property
    def groups(self) -> list[Group]:
        """The distinct weights, each with the number of its labels."""
        return [(x, self.w.count(x)) for x in dict.fromkeys(self.w)]

    @cached_property
    def psi(self) -> dict[Fraction, Any]:
        """The class function for each weight."""
        return {x: self.structure.psi(x, sum(self.w, Fraction(0))) for x, _ in self.groups}

    @cached_property
    def at_zero(self) -> dict[Fraction, float]:
        """A lower bound of psi(0) for each weight."""
        return {x: enclose_number(shape_of(psi).at_zero)[0] for x, psi in self.psi.items()}

    @cached_property
    def bound(self) -> float:
        """A cell whose risks are all above it cannot hold a risk as low as the vertex's."""
        return float(self.at_vertex.upper()) + VERTEX_SLACK * (1 + abs(float(self.at_vertex)))

    def tables(self) -> Tables | None:
        """The branches for each weight; None where one could not be tabulated or psi(0) is not finite."""
        found = {x: branches(psi) for x, psi in self.psi.items()}
        if None in found.values() or any(shape_of(psi).at_zero in (None, oo) for psi in self.psi.values()):
            return None
        return {x: table for x, table in found.items() if table is not None}


def all_choices(groups: Sequence[Group], tables: Tables) -> Iterator[Choice]:
    """For every group, how many coordinates are 0 and how many lie on each branch.

    At most one coordinate of all lies on a concave branch, and at least two are positive.
    """

    def of_group(index: int, concave_left: int) -> Iterator[Choice]:
        if index == len(groups):
            yield ()
            return
        x, count = groups[index]
        kinds = [b.bend for b in tables[x]]
        for counts in _compositions(count, kinds, concave_left):
            used = sum(c for c, k in zip(counts[1:], kinds, strict=True) if k == -1)
            for rest in of_group(index + 1, concave_left - used):
                yield (counts, *rest)

    for choice in of_group(0, 1):
        positive = sum(sum(c[1:]) for c in choice)
        if positive >= 2:
            yield choice


def _compositions(count: int, kinds: list[int], concave_left: int) -> Iterator[tuple[int, ...]]:
    """(zeros, on branch 0, ...) with sum count."""
    if not kinds:
        yield (count,)
        return
    most = min(count, concave_left) if kinds[0] == -1 else count
    for k in range(most + 1):
        for zeros, *others in _compositions(count - k, kinds[1:], concave_left - (k if kinds[0] == -1 else 0)):
            yield (zeros, k, *others)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A choice and a cell [first, last] of lambda in which it may hold a risk as low as the vertex's."""

    choice: Choice
    first: float
    last: float


def _first_cells(risk: _Risk, tables: Tables) -> list[_Cell] | None:
    """The cells of every choice that are left of the first cut; None where there is too much to look at."""
    import numpy as np

    span = _multipliers(tables)
    choices = list(islice(all_choices(risk.groups, tables), MOST_CHOICES + 1))
    columns_at_most = sum(1 + len(tables[x]) for x, _ in risk.groups)
    if span is None or len(choices) > MOST_CHOICES or columns_at_most > MOST_COLUMNS:
        return None
    edges = np.linspace(*span, CELLS + 1)
    first, last = edges[:-1], edges[1:]
    columns = _columns(tables, first, last)
    return [cell for choice in choices for cell in _survivors(risk, choice, columns, first, last)]


def _multipliers(tables: Tables) -> tuple[float, float] | None:
    """A range that holds lambda: with two positive coordinates one of them is at most 1/2."""
    import numpy as np

    near = [(b, b.nodes <= 0.5 + 2 / NODES) for table in tables.values() for b in table]
    low = min(b.mu_low[rows].min() for b, rows in near if rows.any())
    high = max(b.mu_high[rows].max() for b, rows in near if rows.any())
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    pad = PAD * (1 + abs(low) + abs(high))
    return low - pad, high + pad


Columns = dict[tuple[Fraction, int], Column]
"""The column of each label weight and branch."""


def _columns(tables: Tables, first: "Floats", last: "Floats") -> Columns:
    return {(x, i): column_of(b, first, last) for x, table in tables.items() for i, b in enumerate(table)}


def _survivors(risk: _Risk, choice: Choice, columns: Columns, first: "Floats", last: "Floats") -> Iterable[_Cell]:
    """The cells of lambda in which this choice may hold a point with a risk not above the bound."""
    import numpy as np

    middle = (first + last) / 2
    low, high, total, size = np.zeros(len(first)), np.zeros(len(first)), -middle, np.abs(middle)
    possible = np.ones(len(first), bool)
    for (x, _), counts in zip(risk.groups, choice, strict=True):
        if counts[0]:
            at_zero = counts[0] * risk.at_zero[x]
            total, size = total + at_zero, size + abs(at_zero)
        for i, k in enumerate(counts[1:]):
            if k:
                column = columns[x, i]
                low, high = low + k * column.low, high + k * column.high
                total, size = total + k * column.bound, size + k * np.abs(column.bound)
                possible &= column.possible
    possible &= (low <= 1 + SUM_SLACK) & (high >= 1 - SUM_SLACK)
    with np.errstate(invalid="ignore", over="ignore"):  # what is too large to compare is not excluded
        possible &= ~(total - ROUNDING * size > risk.bound)
    return (_Cell(choice, float(first[i]), float(last[i])) for i in np.flatnonzero(possible))


def _finer_tables(groups: list[Group], tables: Tables, left: list[_Cell]) -> Tables:
    """Tables with more nodes where the cells that are left put a coordinate."""
    import numpy as np

    first, last = np.array([cell.first for cell in left]), np.array([cell.last for cell in left])
    finer: dict[Fraction, list[Branch]] = {}
    for g, (x, _) in enumerate(groups):
        finer[x] = []
        for i, branch in enumerate(tables[x]):
            used = np.array([cell.choice[g][1 + i] > 0 for cell in left])
            needed = np.zeros(len(branch.nodes), bool)
            if used.any():
                column = column_of(branch, first[used], last[used])
                starts = np.searchsorted(branch.nodes, column.low[column.possible])
                stops = np.searchsorted(branch.nodes, column.high[column.possible])
                for a, b in set(zip(starts.tolist(), stops.tolist(), strict=True)):
                    needed[a : b + 1] = True
            finer[x].append(finer_branch(branch, needed))
    return finer


def _cut(risk: _Risk, tables: Tables, left: list[_Cell]) -> list[_Cell]:
    """Every cell that is left cut into `FINER` parts, and what is left of these."""
    import numpy as np

    kept: list[_Cell] = []
    by_choice: dict[Choice, list[_Cell]] = {}
    for cell in left:
        by_choice.setdefault(cell.choice, []).append(cell)
    for choice, cells in by_choice.items():
        edges = np.array([np.linspace(cell.first, cell.last, FINER + 1) for cell in cells])
        first, last = edges[:, :-1].ravel(), edges[:, 1:].ravel()
        kept += _survivors(risk, choice, _columns(tables, first, last), first, last)
    return kept


def _points(groups: list[Group], tables: Tables, left: list[_Cell]) -> Iterator[list[float]]:
    """Predictions in the order of w, near the simplex, from the cells that are left."""
    import numpy as np

    for cell in left[:: max(1, len(left) // 60)]:
        columns = _columns(tables, np.array([cell.first]), np.array([cell.last]))
        point: list[float] = []
        for (x, _), counts in zip(groups, cell.choice, strict=True):
            values = [0.0] * counts[0]
            for i, k in enumerate(counts[1:]):
                if k:
                    values += [float(columns[x, i].low[0] + columns[x, i].high[0]) / 2] * k
            point += sorted(values, reverse=True)
        yield point


def _below_vertex(risk: _Risk, tables: Tables, left: list[_Cell]) -> Point | None:
    """A rational point near a cell that is left with a risk certainly below the vertex's."""
    for point in _points(risk.groups, tables, left):
        total = sum(point)
        if total <= 0:
            continue
        for denominator in (60, 1000, 10**6):
            exact = [Fraction(x / total).limit_denominator(denominator) for x in point]
            largest = max(range(len(exact)), key=lambda i: exact[i])
            exact[largest] += 1 - sum(exact)
            if min(exact) < 0 or exact[0] == 1:
                continue
            if risk.structure.risk(tuple(exact), risk.w, 200) < risk.at_vertex:
                return tuple(exact)
    return None


def _exact_tie(risk: _Risk, tables: Tables, left: list[_Cell]) -> Point | None:
    """A simple point with exactly the vertex's risk, or None."""
    psi = [risk.psi[x] for x in risk.w]
    if not psi[0].has(u):
        return None
    at_vertex = Add(shape_of(psi[0]).at_one, *(shape_of(p).at_zero for p in psi[1:]))
    for point in _points(risk.groups, tables, left):
        for denominator in (2, 3, 4, 5, 6, 8, 10, 12, 20, 60):
            exact = [Fraction(x).limit_denominator(denominator) for x in point]
            if sum(exact) != 1 or exact[0] == 1 or min(exact) < 0:
                continue
            parts = (
                shape_of(p).at_zero if x == 0 else p.subs(u, as_rational(x)) for p, x in zip(psi, exact, strict=True)
            )
            value = Add(*parts) - at_vertex
            if value.is_number and sign_of_number(value) == 0:
                return tuple(exact)
    return None
