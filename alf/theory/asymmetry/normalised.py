"""Normalised losses, alone and with another part beside them."""

from fractions import Fraction

from alf.losses import Loss, u
from alf.numbers import as_rational
from alf.theory.asymmetry.decision import Decision, denied
from alf.theory.asymmetry.edge import edge_gap, edge_point, positive_inside
from alf.theory.asymmetry.pointwise import decide_pointwise
from alf.theory.asymmetry.separable import decide_separable
from alf.theory.risk.structure import Structure, passive_term, vertex
from alf.theory.verdict import Status, Step, Witness, applied, step
from alf.theory.witnesses.witness import witness


def symmetric_form(w) -> bool:
    """Whether all weights but the largest are equal."""
    return len(set(w[1:])) == 1


def decide_normalised(structure: Structure, w) -> Decision:
    """A normalised loss alone."""
    (part,) = structure.normalised
    classes = len(w)
    if symmetric_form(w):
        return Decision(True, "symmetric", (applied("symmetric-rule"),), None, float((w[0] - w[1]) / sum(w)))
    if part.singular:
        light = w.index(min(w[1:]), 1)
        point = [w[1] / (w[0] + w[1]) / (20 * classes)] * classes
        point[1], point[light] = w[1] / (w[0] + w[1]), Fraction(0)
        point[0] = 1 - sum(point[1:])
        found = witness("limit", structure, point, w)
        return denied("normaliser", (applied("mean-of-weights", status=Status.CERTIFIED),), found)
    # the nearer s is to a line at 0, the closer to e_m the risk begins to fall: for 1 - u^q at t^(1-q) below a constant
    for k in (*range(4, 400), *(2**n for n in range(9, 14))):
        t = Fraction(1, 2**k)
        bits = 200 + 4 * k
        if structure.risk(edge_point(t, classes), w, bits) < structure.risk(vertex(0, classes), w, bits):
            found = witness("vertex", structure, edge_point(t, classes), w)
            return denied("normaliser", (applied("steep-normaliser", status=Status.CERTIFIED),), found)
    return Decision(
        None,
        "normaliser",
        (Step("No point that refutes the property was found, and no rule decides it.", status=Status.UNDECIDED),),
    )


def decide_mixed(loss: Loss, structure: Structure, w) -> Decision:
    """A normalised part plus a part that is a sum over classes."""
    rest = _decide_rest(loss, structure, w)
    steps = list(rest.steps)
    singular = all(p.singular for p in structure.normalised)
    if rest.holds:
        if symmetric_form(w):
            text = "The normalised part is symmetric and has e_m among its minimisers (symmetric rule)."
            steps += [step(text, theorem="symmetric-rule"), applied("sum-rule")]
            return Decision(True, f"{rest.rule} and sum", tuple(steps), None, rest.margin)
        if singular and len(w) >= 3:
            steps.append(applied("normaliser"))
            return Decision(True, f"{rest.rule} and normaliser", tuple(steps), None, rest.margin)
    if rest.holds is False and len(w) >= 3 and singular:
        found = _mixed_witness(structure, w, rest.witness)
        if found is not None:
            text = (
                "Near this point the normalised part's risk is as small as it can be, and the other part's risk is "
                "lower than at e_m."
            )
            more = step(text, status=Status.CERTIFIED, theorem="normaliser")
            return Decision(False, f"{rest.rule} and normaliser", (*steps, more), found, rest.margin)
    if len(w) == 2:
        return _mixed_two(structure, w, steps)
    return Decision(None, "sum", (*steps, Step("No rule decides the sum.", status=Status.UNDECIDED)))


def _decide_rest(loss: Loss, structure: Structure, w) -> Decision:
    """The other part by itself, as the loss it is: a positive weight changes neither its ratio nor its minimisers."""
    rest = structure.rest
    if not rest.pointwise:
        return decide_separable(rest, w)
    return decide_pointwise(passive_term(loss, structure.classes) or loss, rest, w)


def _mixed_witness(structure: Structure, w, other: Witness | None) -> Witness | None:
    """The other part's witness, with a tiny probability of a lightest label."""
    if other is None:
        return None
    zeros = [i for i in range(len(w)) if other.point[i] == 0]
    light = [i for i in zeros if i and w[i] == min(w)]
    if not light:
        return None
    for k in (4, 5, 6, 7, 8, 9, None):  # where doubles run out the limit, 0, is as good: the risk has a value there
        small = Fraction(0) if k is None else Fraction(1, 2 ** (2**k))
        point = list(other.point)
        for i in zeros:  # the lightest labels' logarithms must dominate the other zeros'
            point[i] = small if i in light else Fraction(1, 2**20)
        point[max(range(len(w)), key=lambda i: point[i])] -= sum(point) - 1
        found = witness("limit", structure, point, w)
        if found is not None:
            return found
    return None


def _mixed_two(structure: Structure, w, steps) -> Decision:
    """Two classes: one variable, so the sign of R - R(e_m) on the edge decides."""
    gap = edge_gap(structure.rest, w)
    for part in structure.normalised:
        s, other = part.summand, part.summand.subs(u, 1 - u)
        share = s / (s + other)  # L(u, n) on the edge, 1 at e_m
        gap += part.weight * as_rational(w[0] - w[1]) * (1 - share)
    text = "On the edge between the two labels R(u) - R(e_m)"
    found = _mixed_edge_witness(structure, w)
    if found is not None:
        more = step(text + " is negative somewhere.", gap, Status.CERTIFIED, theorem="edge")
        return Decision(False, "edge", (*steps, more), found)
    if positive_inside(gap):
        more = step(text + " is positive.", gap, Status.CERTIFIED, theorem="edge")
        return Decision(True, "edge", (*steps, more))
    return Decision(None, "edge", (*steps, Step(text + ": sign not settled.", status=Status.UNDECIDED)))


def _mixed_edge_witness(structure: Structure, w) -> Witness | None:
    """A point of the edge between two classes whose risk is below the vertex's.

    Next to the vertex the normalised part costs only t / -log t, less than any fall of the other part's of order t: so
    the points reach as close to it as 2**-32768.
    """
    fractions = dict.fromkeys(Fraction(k, n) for n in (2, 4, 8, 16, 32, 64, 128) for k in range(1, n))
    for t in (
        *fractions,
        *(Fraction(1, 2**k) for k in range(8, 64)),
        *(Fraction(1, 2 ** (2**j)) for j in range(6, 16)),
    ):
        bits = 256 + 5 * t.denominator.bit_length() // 4
        if structure.risk(edge_point(t, 2), w, bits) < structure.risk(vertex(0, 2), w, bits):
            return witness("vertex", structure, edge_point(t, 2), w)
    return None
