"""Tables of enclosures of psi and mu on the stretches on which mu is monotone."""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from sympy import Expr, oo

from alf.theory.arithmetic.cells import enclose_number, on_cell
from alf.theory.arithmetic.rounding import OutOfDomain, outward
from alf.theory.curve.derivative import derivative_of
from alf.theory.curve.point import slopes_at
from alf.theory.curve.shape import Shape, shape_of

NODES = 1024


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
    value, slope = on_cell(piece.expression, _u()), on_cell(derivative_of(piece.expression, 1), _u())

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


def finer_branch(branch: Branch, needed) -> Branch:
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


def _u():
    from alf.losses import u

    return u


def _around(x: Fraction) -> tuple[float, float]:
    return outward(x, x)


def _limits(shape: Shape, x: Fraction):
    """psi and psi' at an end of [0, 1] by their limits, as enclosures."""
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
