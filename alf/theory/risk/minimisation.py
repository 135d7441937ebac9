"""Certified minimisation of a risk that is a sum over classes, R(u) = sum_i psi_i(u_i), on the whole simplex.

A minimiser that is no vertex satisfies mu_i(u_i) = lambda wherever u_i > 0, with mu_i = -psi_i'. On each stretch where
psi_i bends one way mu_i is monotone, so lambda determines u_i up to the choice of stretch; and at a minimiser at most
one coordinate lies where its psi is strictly concave. What is left is one number, lambda, and finitely many choices.
For each choice and each small cell of lambda, tables of enclosures bound

    R(u) = sum_i (psi_i(u_i) + lambda_0 u_i) - lambda_0

from below. The bound is of second order, because psi_i(u) + lambda u is stationary there. Cells that are left are cut
finer, with the tables under them, until doubles can tell no more: weights 1e-8 from a threshold are decided.
"""

from fractions import Fraction
from functools import lru_cache
from itertools import islice

from sympy import Expr, oo

from alf.numbers import as_rational
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.cells import enclose_number
from alf.theory.curve.shape import Shape, shape_of
from alf.theory.risk.branches import NODES, branches, finer_branch
from alf.theory.risk.choices import all_choices
from alf.theory.risk.columns import column_of
from alf.theory.risk.structure import Structure, vertex

CELLS = 256


MOST_CHOICES = 6000


ROUNDS = 8
"""How often what is left is cut finer; 16 times in each, nodes and lambda, so until rounding is all that is left."""


def sum_against_vertex(structure: Structure):
    """sum_i l(u_i) on the simplex against its value at a vertex, for a loss l(u_y).

    Returns
    -------
    True where it is larger at every other point, a point where it is smaller, or None.
    """
    w = (Fraction(1),) * structure.classes
    functions = {w[0]: shape_of(structure.psi(w[0], Fraction(structure.classes)))}
    tables = {w[0]: branches(functions[w[0]].expression)}
    if tables[w[0]] is None or functions[w[0]].at_zero in (None, oo):
        return None
    at_vertex = structure.risk(vertex(0, structure.classes), w, 200)
    found = search(structure, w, functions, tables, at_vertex)
    if found is None or found is True:
        return found
    return found if structure.risk(found, w, 200) < at_vertex else None


def _finer_tables(groups, tables, alive):
    """Tables with more nodes where the cells that are left put a coordinate."""
    import numpy as np

    first, last = (np.array([cell[i] for cell in alive]) for i in (1, 2))
    finer = {}
    for g, (x, _) in enumerate(groups):
        finer[x] = []
        for i, branch in enumerate(tables[x]):
            used = np.array([choice[g][1 + i] > 0 for choice, _, _ in alive])
            needed = np.zeros(len(branch.nodes), bool)
            if used.any():
                column = column_of(branch, first[used], last[used])
                starts = np.searchsorted(branch.nodes, column.low[column.possible])
                stops = np.searchsorted(branch.nodes, column.high[column.possible])
                for a, b in set(zip(starts.tolist(), stops.tolist(), strict=True)):
                    needed[a : b + 1] = True
            finer[x].append(finer_branch(branch, needed))
    return finer


def search(structure: Structure, w, functions, tables, at_vertex):
    """True where every choice is excluded, a point that refutes, or None."""
    import numpy as np

    low, high = _multipliers(tables)
    if low is None:
        return None
    edges = np.linspace(low, high, CELLS + 1)
    bound = float(at_vertex.upper()) + 1e-12 * (1 + abs(float(at_vertex)))
    groups = [(x, sum(1 for y in w if y == x)) for x in dict.fromkeys(w)]
    choices = list(islice(all_choices(groups, tables), MOST_CHOICES + 1))
    if len(choices) > MOST_CHOICES:
        return None
    first, last = edges[:-1], edges[1:]
    alive = []
    columns = _columns(tables, first, last)
    for choice in choices:
        mask = _survivors(choice, groups, functions, columns, first, last, bound)
        alive += [(choice, float(first[i]), float(last[i])) for i in np.flatnonzero(mask)]
    for _ in range(ROUNDS):
        if not alive:
            return True
        found = _candidates(structure, w, groups, tables, alive, at_vertex)
        if found is not None:
            return found
        if len(alive) > 4000:
            return None
        tables = _finer_tables(groups, tables, alive)
        alive = _refine(alive, groups, functions, tables, bound)
    if not alive:
        return True
    return _exact_tie(structure, w, groups, tables, alive)


def _columns(tables, first, last):
    return {(x, i): column_of(b, first, last) for x, bs in tables.items() for i, b in enumerate(bs)}


def _refine(alive, groups, functions, tables, bound):
    import numpy as np

    kept = []
    by_choice: dict = {}
    for choice, a, b in alive:
        by_choice.setdefault(choice, []).append((a, b))
    for choice, cells in by_choice.items():
        edges = np.concatenate([np.linspace(a, b, 17) for a, b in cells]).reshape(len(cells), 17)
        first, last = edges[:, :-1].ravel(), edges[:, 1:].ravel()
        columns = _columns(tables, first, last)
        mask = _survivors(choice, groups, functions, columns, first, last, bound)
        kept += [(choice, float(first[i]), float(last[i])) for i in np.flatnonzero(mask)]
    return kept


def _multipliers(tables) -> tuple:
    """A range that holds lambda: with two positive coordinates one of them is at most 1/2."""
    import numpy as np

    lows, highs = [], []
    for bs in tables.values():
        for b in bs:
            near = b.nodes <= 0.5 + 2 / NODES
            if near.any():
                lows.append(b.mu_low[near].min())
                highs.append(b.mu_high[near].max())
    low, high = min(lows), max(highs)
    if not (np.isfinite(low) and np.isfinite(high)):
        return None, None
    pad = 1e-9 * (1 + abs(low) + abs(high))
    return low - pad, high + pad


def _survivors(choice, groups, functions, columns, first, last, bound):
    """Cells of lambda in which this choice may hold a point with a risk not above the bound."""
    import numpy as np

    middle = (first + last) / 2
    low, high, risk, size = np.zeros(len(first)), np.zeros(len(first)), -middle, np.abs(middle)
    mask = np.ones(len(first), bool)
    for (x, _), counts in zip(groups, choice, strict=True):
        if counts[0]:
            at_zero = counts[0] * _at_zero(functions[x])
            risk, size = risk + at_zero, size + abs(at_zero)
        for i, k in enumerate(counts[1:]):
            if k:
                column = columns[x, i]
                low, high = low + k * column.low, high + k * column.high
                risk, size = risk + k * column.bound, size + k * np.abs(column.bound)
                mask &= column.possible
    mask &= (low <= 1 + 1e-9) & (high >= 1 - 1e-9)
    with np.errstate(invalid="ignore", over="ignore"):  # what is too large to compare is not excluded
        return mask & ~(risk - 1e-13 * size > bound)  # rounding of the sums above


@lru_cache(maxsize=256)
def _zero_value(expression: Expr) -> float:
    return enclose_number(shape_of(expression).at_zero)[0]


def _at_zero(shape: Shape) -> float:
    return _zero_value(shape.expression)


def _points(groups, tables, alive):
    """Points of the simplex, as fractions in the order of w, near the cells that are left."""
    import numpy as np

    for choice, a, b in alive[:: max(1, len(alive) // 60)]:
        columns = _columns(tables, np.array([a]), np.array([b]))
        point = []
        for (x, _), counts in zip(groups, choice, strict=True):
            values = [0.0] * counts[0]
            for i, k in enumerate(counts[1:]):
                if k:
                    values += [float(columns[x, i].low[0] + columns[x, i].high[0]) / 2] * k
            point += sorted(values, reverse=True)
        yield point


def _candidates(structure: Structure, w, groups, tables, alive, at_vertex):
    """A rational point near a surviving cell whose risk is below the vertex's."""
    for point in _points(groups, tables, alive):
        total = sum(point)
        if total <= 0:
            continue
        for denominator in (60, 1000, 10**6):
            exact = [Fraction(x / total).limit_denominator(denominator) for x in point]
            largest = max(range(len(exact)), key=lambda i: exact[i])
            exact[largest] += 1 - sum(exact)
            if min(exact) >= 0 and exact[0] != 1 and structure.risk(tuple(exact), w, 200) < at_vertex:
                return tuple(exact)
    return None


def _exact_tie(structure: Structure, w, groups, tables, alive):
    """A simple point with exactly the vertex's risk, or None."""
    from alf.losses import u

    total = sum(w)
    psi = [structure.psi(x, total) for x in w]
    if any(not p.has(u) for p in psi[:1]):
        return None
    base = shape_of(psi[0]).at_one + sum(shape_of(p).at_zero for p in psi[1:])
    for point in _points(groups, tables, alive):
        for denominator in (2, 3, 4, 5, 6, 8, 10, 12, 20, 60):
            exact = [Fraction(x).limit_denominator(denominator) for x in point]
            if sum(exact) != 1 or exact[0] == 1 or min(exact) < 0:
                continue
            value = sum(
                (shape_of(p).at_zero if x == 0 else p.subs(u, as_rational(x)) for p, x in zip(psi, exact, strict=True)),
                -base,
            )
            if value.is_number and sign_of_number(value) == 0:
                return tuple(exact)
    return None
