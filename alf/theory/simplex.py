"""Certified minimisation of a risk that is a sum over classes, R(u) = sum_i psi_i(u_i), on the whole simplex.

A minimiser that is no vertex satisfies mu_i(u_i) = lambda wherever u_i > 0, with mu_i = -psi_i'. On each stretch where
psi_i bends one way mu_i is monotone, so lambda determines u_i up to the choice of stretch; and at a minimiser at most
one coordinate lies where its psi is strictly concave. What is left is one number, lambda, and finitely many choices.
For each choice and each small cell of lambda, tables of enclosures bound

    R(u) = sum_i (psi_i(u_i) + lambda_0 u_i) - lambda_0

from below. The bound is of second order, because psi_i(u) + lambda u is stationary there. Cells that are left are cut
finer, with the tables under them, until doubles can tell no more: weights 1e-8 from a threshold are decided.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from sympy import Expr, oo

from alf.theory.certify import as_rational
from alf.theory.enclosure import OutOfDomain, on_cell, sign_of_number
from alf.theory.minimum import slopes_at
from alf.theory.progress import stage
from alf.theory.shape import Shape, _derivative, shape_of
from alf.theory.structure import Structure
from alf.theory.verdict import Step, step
from alf.theory.witness import vertex, witness

NODES = 1024
CELLS = 256
MOST_CHOICES = 6000
ROUNDS = 8
"""How often what is left is cut finer; 16 times in each, nodes and lambda, so until rounding is all that is left."""
FINER = 16
MOST_NEW_NODES = 4096


@dataclass(frozen=True)
class Branch:
    """A stretch on which mu is monotone: its nodes and enclosures of psi and mu there.

    `bend` is 1 where psi is convex (mu falls), -1 where it is concave, 0 where it is linear or a convex kink.
    `row` makes the enclosures at a further node, or None where it cannot.
    """

    bend: int
    nodes: object
    low: object
    high: object
    mu_low: object
    mu_high: object
    row: object = None


def minimise_at_vertex(structure: Structure, w):
    """Whether the risk under weights w (from large to small) is smallest at e_m alone.

    Returns
    -------
    Decision
        With rule ``minimisation``; a negative answer has a point of the simplex as its witness.
    """
    from alf.theory.asymmetry import Decision, denied

    stage("minimising the risk over the simplex")
    total = sum(w)
    functions = {x: shape_of(structure.psi(x, total)) for x in dict.fromkeys(w)}
    open_step = "The risk could not be bounded over the whole simplex."
    at_vertex = structure.risk(vertex(0, len(w)), w, 200)
    for i in range(1, len(w)):
        if w[i] == w[i - 1]:
            continue
        found = witness("vertex", structure, vertex(i, len(w)), w)
        if found is not None:
            return Decision(False, "minimisation", (), found)
    tables = {x: branches(f.expression) for x, f in functions.items()}
    if any(t is None for t in tables.values()) or any(f.at_zero in (None, oo) for f in functions.values()):
        return Decision(None, "minimisation", (Step(open_step, status="undecided"),))
    found = _search(structure, w, functions, tables, at_vertex)
    if found is None:
        return Decision(None, "minimisation", (Step(open_step, status="undecided"),))
    if found is True:
        text = (
            "Every other stationary point of the weighted risk has a larger risk: lambda and the choice of stretches "
            "were subdivided and bounded by interval arithmetic."
        )
        return Decision(True, "minimisation", (step(text, status="certified"),))
    text = "A point of the simplex with a risk not above the vertex's was found by minimisation."
    return denied("minimisation", (step(text, status="certified"),), witness("vertex", structure, found, w))


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
    found = _search(structure, w, functions, tables, at_vertex)
    if found is None or found is True:
        return found
    return found if structure.risk(found, w, 200) < at_vertex else None


@lru_cache(maxsize=256)
def branches(expression: Expr) -> tuple[Branch, ...] | None:
    """The monotone stretches of mu = -psi', tabulated; None where the shape is not settled or a slope is infinite."""
    shape = shape_of(expression)
    if not shape.located:
        return None
    runs = shape.bend_runs
    if any(r.sign is None and r.hi - r.lo > Fraction(1, 2**20) for r in runs):
        return None
    found = []
    for i, run in enumerate(runs):
        if run.sign is None:
            continue
        lo, hi = run.lo, run.hi
        if i and runs[i - 1].sign is None:  # an unsettled sliver belongs to both its neighbours
            lo = runs[i - 1].lo
        if i + 1 < len(runs) and runs[i + 1].sign is None:
            hi = runs[i + 1].hi
        branch = _tabulate(shape, run.sign, lo, hi)
        if branch is None:
            return None
        found.append(branch)
    for kink in shape.kinks:
        if kink.turn is None:
            return None
        if kink.turn == 1:  # at a concave kink no minimiser can sit
            branch = _kink_branch(shape, kink)
            if branch is None:
                return None
            found.append(branch)
    return tuple(found)


def _tabulate(shape: Shape, bend: int, lo: Fraction, hi: Fraction) -> Branch | None:
    import numpy as np

    inner = [Fraction(k, NODES) for k in range(NODES + 1) if lo < Fraction(k, NODES) < hi]
    nodes = [lo, *inner, hi]
    piece = next(p for p in shape.pieces if p.lo <= (lo + hi) / 2 <= p.hi or p is shape.pieces[-1])
    value, slope = on_cell(piece.expression, _u()), on_cell(_derivative(piece.expression, 1), _u())

    def row(x):
        ends = _around(Fraction(x))
        try:
            v, s = value(*ends), slope(*ends)
        except OutOfDomain:
            v, s = None, None
        if x in (0, 1) and (v is None or not np.isfinite(v).all() or not np.isfinite(s).all()):
            v, s = _limits(shape, x)
        return None if v is None or not np.isfinite(v).all() else (*v, -s[1], -s[0])

    rows = [row(x) for x in nodes]
    if None in rows:
        return None
    return Branch(bend, np.array([float(x) for x in nodes]), *np.array(rows).T, row)


def _finer_branch(branch: Branch, needed) -> Branch:
    """The same stretch with more nodes between those `needed`: the bounds are of second order in their distance."""
    import numpy as np

    gaps = np.flatnonzero(needed[:-1] & needed[1:])
    parts = min(FINER, MOST_NEW_NODES // max(1, len(gaps)))
    if branch.row is None or not len(gaps) or parts < 2:
        return branch
    between = np.linspace(branch.nodes[gaps], branch.nodes[gaps + 1], parts + 1)[1:-1].ravel()
    new = np.setdiff1d(between, branch.nodes)
    rows = [branch.row(float(x)) for x in new]
    if not rows or None in rows:
        return branch
    nodes = np.concatenate([branch.nodes, new])
    order = np.argsort(nodes)
    table = [
        np.concatenate([old, more])[order]
        for old, more in zip((branch.low, branch.high, branch.mu_low, branch.mu_high), np.array(rows).T, strict=True)
    ]
    return Branch(branch.bend, nodes[order], *table, branch.row)


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
                column = _column(branch, first[used], last[used])
                starts = np.searchsorted(branch.nodes, column.low[column.possible])
                stops = np.searchsorted(branch.nodes, column.high[column.possible])
                for a, b in set(zip(starts.tolist(), stops.tolist(), strict=True)):
                    needed[a : b + 1] = True
            finer[x].append(_finer_branch(branch, needed))
    return finer


def _u():
    from alf.losses import u

    return u


def _around(x: Fraction) -> tuple[float, float]:
    from alf.theory.certify import outward

    return outward(x, x)


def _limits(shape: Shape, x: Fraction):
    """psi and psi' at an end of [0, 1] by their limits, as enclosures."""
    from alf.theory.enclosure import enclose_number

    value = shape.at_zero if x == 0 else shape.at_one
    slope = shape.slope_at_zero if x == 0 else shape.slope_at_one
    if value in (None, oo, -oo) or slope is None:
        return None, None
    return enclose_number(value), enclose_number(slope)


def _kink_branch(shape: Shape, kink) -> Branch | None:
    """A convex kink holds a range of multipliers; None where a slope is not finite or a value is not known."""
    import numpy as np

    before, after = slopes_at(shape, kink)
    ends = [shape.value(x, 120) for x in (kink.lo, kink.hi)]
    if not all(np.isfinite((*before, *after))) or not all(e.is_finite() for e in ends):
        return None
    steps = (float(kink.hi) - float(kink.lo)) * max(abs(x) for x in (*before, *after))
    low = min(np.nextafter(float(e.lower()), -np.inf) for e in ends) - steps
    high = max(np.nextafter(float(e.upper()), np.inf) for e in ends) + steps
    steepest, flattest = -before[0], -after[1]
    return Branch(
        0, np.array([float(kink.lo), float(kink.hi)]), np.array([low, low]), np.array([high, high]),
        np.array([flattest, flattest]), np.array([steepest, steepest]),
    )  # fmt: skip


@dataclass(frozen=True)
class Column:
    """Over the cells of lambda: where u_i may lie on one branch, and a lower bound of psi_i(u_i) + lambda_0 u_i."""

    low: object
    high: object
    bound: object
    possible: object


def _column(branch: Branch, first, last) -> Column:
    """Bounds on one branch for the cells [first, last] of lambda."""
    import numpy as np

    nodes, middle = branch.nodes, (first + last) / 2
    count = len(nodes)
    if branch.bend == 1:  # mu falls along the nodes
        start = np.searchsorted(-_falling(branch.mu_low), -last, side="left") - 1
        stop = np.searchsorted(-_falling(branch.mu_high), -first, side="right")
    elif branch.bend == -1:
        start = np.searchsorted(_rising(branch.mu_high), first, side="left") - 1
        stop = np.searchsorted(_rising(branch.mu_low), last, side="right")
    else:
        start, stop = np.zeros(len(first), int), np.full(len(first), count - 1)
    start, stop = np.clip(start, 0, count - 1), np.clip(stop, 0, count - 1)
    least, most = branch.mu_low.min(), branch.mu_high.max()
    possible = (last >= least) & (first <= most) & (stop >= start)
    # psi + lambda_0 u on [x, y], from the node at x or at y and the largest |lambda_0 - mu| between
    x, y = nodes[start], nodes[stop]
    mu_ends = np.stack([branch.mu_low[start], branch.mu_low[stop], branch.mu_high[start], branch.mu_high[stop]])
    if branch.bend == 0:
        mu_ends = np.stack([branch.mu_low[start], branch.mu_high[stop]])
    with np.errstate(invalid="ignore", over="ignore"):
        steep = np.maximum(np.abs(middle - mu_ends.min(axis=0)), np.abs(middle - mu_ends.max(axis=0)))
        at_x = branch.low[start] + middle * x
        at_y = branch.low[stop] + middle * y
        bound = (at_x + at_y) / 2 - steep * (y - x) / 2
        if branch.bend == -1:  # concave: no lower than at its ends
            bound = np.maximum(np.minimum(at_x, at_y), np.nan_to_num(bound, nan=-np.inf))
        if branch.bend == 0 and count == 2 and nodes[1] - nodes[0] < 1e-6:
            bound = np.minimum(at_x, at_y)
        # rounding of the sums above
        bound = bound - 1e-13 * (1 + np.abs(at_x) + np.abs(at_y) + np.abs(middle) + steep * (y - x))
    return Column(x, y, np.nan_to_num(bound, nan=-np.inf), possible)


def _falling(values):
    import numpy as np

    return np.minimum.accumulate(values)


def _rising(values):
    import numpy as np

    return np.maximum.accumulate(values)


def _search(structure: Structure, w, functions, tables, at_vertex):
    """True where every choice is excluded, a point that refutes, or None."""
    import numpy as np

    low, high = _multipliers(tables)
    if low is None:
        return None
    edges = np.linspace(low, high, CELLS + 1)
    bound = float(at_vertex.upper()) + 1e-12 * (1 + abs(float(at_vertex)))
    groups = [(x, sum(1 for y in w if y == x)) for x in dict.fromkeys(w)]
    choices = list(islice(_choices(groups, tables), MOST_CHOICES + 1))
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
    return {(x, i): _column(b, first, last) for x, bs in tables.items() for i, b in enumerate(bs)}


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


def _choices(groups, tables):
    """For every group, how many coordinates are 0 and how many lie on each branch; at most one on a concave branch.

    A choice is a tuple, a group each, of tuples (zeros, count on branch 0, count on branch 1, ...).
    """

    def of_group(index, concave_left):
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


def _compositions(count, kinds, concave_left):
    """(zeros, on branch 0, ...) with sum count."""
    if not kinds:
        yield (count,)
        return

    def rest(i, left, concave):
        if i == len(kinds):
            yield ()
            return
        most = min(left, concave) if kinds[i] == -1 else left
        for k in range(most + 1):
            for more in rest(i + 1, left - k, concave - (k if kinds[i] == -1 else 0)):
                yield (k, *more)

    for branch_counts in rest(0, count, concave_left):
        yield (count - sum(branch_counts), *branch_counts)


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
    from alf.theory.enclosure import enclose_number

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
