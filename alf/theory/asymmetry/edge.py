"""The edge between the two heaviest labels: the sign of R - R(e_m) on it, and the points of it that refute."""

from fractions import Fraction
from itertools import pairwise

import sympy
from sympy import Expr, oo

from alf.losses import u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.intervals import outward
from alf.theory.arithmetic.sign_pattern import sign_pattern, touches
from alf.theory.asymmetry.decision import Decision
from alf.theory.curve.pieces import smooth_pieces
from alf.theory.curve.shape import shape_of
from alf.theory.risk.structure import Structure, vertex
from alf.theory.verdict import Status, Step, Witness, step
from alf.theory.witnesses.witness import witness


def edge_gap(structure: Structure, w) -> Expr:
    """R(u) - R(e_m) on the edge u = (1-t, t, 0, ...), with t written u."""
    total = sum(w)
    first, second = structure.psi(w[0], total), structure.psi(w[1], total)
    here = first.subs(u, 1 - u) + second
    ends = shape_of(first).at_one, shape_of(second).at_zero
    assert None not in ends
    return here - ends[0] - ends[1]


def two_class(structure: Structure, w) -> Decision:
    """The edge between the two heaviest labels decides when no third label has weight, and can refute always."""
    gap = edge_gap(structure, w)
    text = "Between the two heaviest labels, R(u) - R(e_m) at u = (1-t, t):"
    if positive_inside(gap) and sign_at_one(gap) == 1:
        return Decision(
            True,
            "edge",
            (step(text + " positive for all 0 < t <= 1.", gap, Status.CERTIFIED, theorem="edge"),),
        )
    found = edge_witness(structure, w)
    if found is not None:
        steps = (step(text + " not positive everywhere.", gap, Status.CERTIFIED, theorem="edge"),)
        return Decision(False, "edge", steps, found)
    return Decision(None, "edge", (Step(text + " sign not settled.", gap, sympy.latex(gap), Status.UNDECIDED),))


def gap_below(gap: Expr, lo: Fraction, hi: Fraction) -> bool:
    """Whether a function with switches may reach 0 on a sliver that hides one."""
    return on_cell(gap, u)(*outward(lo, hi))[0] <= 0


def positive_inside(gap: Expr) -> bool:
    """Whether a function is above 0 on all of (0, 1]: of one sign, and nowhere touching 0."""
    pieces, located = smooth_pieces(gap)
    if not located:
        return False
    if {r.sign for p in pieces for r in sign_pattern(p.expression, u, p.lo, p.hi)} != {1}:
        return False
    if any(a.hi < b.lo and gap_below(gap, a.hi, b.lo) for a, b in pairwise(pieces)):
        return False
    touching = (cell for p in pieces for cell in touches(p.expression, u, p.lo, p.hi))
    # next to 1 the value there decides, which the caller asks for
    return not any(cell.hi < 1 or cell.hi - cell.lo > Fraction(1, 2**20) for cell in touching)


def sign_at_one(gap: Expr) -> int | None:
    """The sign of an expression's limit at u = 1; None where it is not known."""
    value = shape_of(gap).at_one
    return None if value is None else sign_of_number(value)


FURTHEST = 2**20
"""Bits of the smallest probability at which a refutation is looked for."""


def edge_witness(structure: Structure, w) -> Witness | None:
    """The simplest point (1-t, t, 0, ...) whose risk is not above the vertex's."""
    base = structure.risk(vertex(0, len(w)), w, 400)
    simple = dict.fromkeys(Fraction(k, n) for n in (2, 3, 4, 5, 8, 10, 16, 20, 50, 100) for k in range(1, n + 1))
    falls = {t: base - structure.risk(edge_point(t, len(w)), w, 400) for t in simple}
    found = max((t for t in falls if falls[t] > 0), key=lambda t: float(falls[t]), default=None)
    if found is None:
        found = _lowest_on_edge(structure, w, base)
    if found is None:
        # an infinite slope may show very close to 0 only: u**0.999999 is below 2 u / 3 from 2**-600000 on
        furthest = FURTHEST if shape_of(structure.h).slope_at_zero == -oo else 4000
        depth = 7
        while depth <= furthest:
            t = Fraction(1, 2**depth)
            bits = 400 + (6 * depth if depth <= 4000 else 5 * depth // 4)  # with an infinite slope they differ by t
            if structure.risk(vertex(0, len(w)), w, bits) - structure.risk(edge_point(t, len(w)), w, bits) > 0:
                found = t
                break
            depth += 1 if depth < 40 else depth // 8 if depth < 4000 else depth
        if found is not None and depth < 4000:  # deeper on either side
            near = [found, found / 2, found * 3 / 4, found / 4]
            found = min(near, key=lambda x: float(structure.risk(edge_point(x, len(w)), w, 400) - base))
    if found is None:
        found = _exact_tie(structure, w, [t for t in falls if falls[t].contains(0)])
    return None if found is None else witness("vertex", structure, edge_point(found, len(w)), w)


def _lowest_on_edge(structure: Structure, w, base) -> Fraction | None:
    """Where the risk rises least per step away from the vertex, if it falls there: next to a threshold the stretch on
    which it falls is too narrow to hold a simple fraction."""

    def rise(t: float) -> float:
        return float(structure.risk(edge_point(Fraction(t), len(w)), w, 400) - base) / t

    parts = 128
    middle = min((k / parts for k in range(1, parts)), key=rise)
    low, high = middle - 1 / parts, middle + 1 / parts
    golden = (5**0.5 - 1) / 2
    inner, outer = high - golden * (high - low), low + golden * (high - low)
    first, last = rise(inner), rise(outer)
    while high - low > 1e-9:
        if first < last:
            high, outer, last = outer, inner, first
            inner = high - golden * (high - low)
            first = rise(inner)
        else:
            low, inner, first = inner, outer, last
            outer = low + golden * (high - low)
            last = rise(outer)
    for denominator in (10**3, 10**4, 10**6, 10**9):
        t = Fraction((low + high) / 2).limit_denominator(denominator)
        if 0 < t < 1 and base - structure.risk(edge_point(t, len(w)), w, 400) > 0:
            return t
    return None


def _exact_tie(structure: Structure, w, candidates):
    """A point of the edge with exactly the vertex's risk."""
    gap = edge_gap(structure, w)
    for t in candidates:
        value = gap.subs(u, as_rational(t))
        if value.is_number and not value.has(sympy.nan, sympy.zoo, oo) and sign_of_number(value) == 0:
            return t
    return None


def edge_point(t: Fraction, n: int) -> tuple[Fraction, ...]:
    """The prediction (1 - t, t, 0, ..., 0)."""
    return (1 - t, t, *(Fraction(0) for _ in range(n - 2)))


def interior_witness(structure: Structure, w) -> Witness | None:
    """The point that the weights are, whose risk is finite where that at the vertex is infinite."""
    total = sum(w)
    return witness("vertex", structure, tuple(x / total for x in w), w)
