"""Asymmetry on given label weights: which rule decides, with what margin, and the point that refutes.

L is asymmetric on w when the weighted risk R(u) = sum_i w_i L(u, i) is minimised exactly where the loss for the most
likely label m is: at the vertex e_m. Losses without a value at a vertex (normalised cross entropy) are judged by
minimising sequences, that is by the lower limit of R there.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import sympy
from sympy import Expr, oo

from alf.losses import Loss, u
from alf.theory.certify import as_rational, outward, sign_pattern, touches
from alf.theory.enclosure import OutOfDomain, on_cell, one_at_a_time, sign_of_number
from alf.theory.failures import Contradiction
from alf.theory.ratios import Ratio, concave_then_convex, ratio_exceeds, ratio_of, ratio_of_shape
from alf.theory.shape import shape_of, smooth_pieces
from alf.theory.structure import Structure, passive_term, structure_of
from alf.theory.verdict import Step, Witness, step
from alf.theory.witness import vertex, witness


@dataclass(frozen=True)
class Decision:
    """The answer for one list of label weights.

    Parameters
    ----------
    holds : bool or None
    status : str
        Status of a positive or an open answer; a negative one carries a witness.
    rule : str
        The rule that decided; of a combination first the rule of its other part, whose margin it is.
    steps : tuple of Step
    witness : Witness or None
    margin : float or None
        What the rule compares, as a number that is positive where the claim holds and 0 at the boundary: for the ratio
        rule (w_m/w_n) r - 1; None for a rule that compares no numbers.
    """

    holds: bool | None
    rule: str
    steps: tuple[Step, ...]
    witness: Witness | None = None
    margin: float | None = None
    weights: tuple[Fraction, ...] = field(default=())

    def __post_init__(self):
        if (self.holds is False) != (self.witness is not None):
            raise Contradiction(f"the {self.rule} rule: what fails has a witness, and nothing else has one")

    def to_json(self) -> dict:
        """What --json says of it."""
        return {
            "shares": [str(w) for w in self.weights],
            "holds": self.holds,
            "rule": self.rule,
            "margin": self.margin,
        }


def denied(rule: str, steps, found: Witness | None, margin: float | None = None) -> Decision:
    """The loss fails, as the witness shows; without one it was not settled."""
    if found is None:
        missing = Step("The property seems to fail, but no point that shows it was found.", status="undecided")
        return Decision(None, rule, (*steps, missing))
    return Decision(False, rule, tuple(steps), found, margin)


@one_at_a_time
def decide(loss: Loss, weights) -> Decision:
    """Whether a loss is asymmetric on label weights.

    Parameters
    ----------
    loss : Loss
    weights : sequence of Fraction
        Non-negative, one per class, with a unique largest entry.

    Examples
    --------
    >>> from alf.losses import parse
    >>> decide(parse("ael:a=2.5"), [Fraction(6, 10), Fraction(4, 10)]).holds
    True
    """
    weights = tuple(Fraction(w) for w in weights)
    order = sorted(range(len(weights)), key=lambda i: -weights[i])
    if weights[order[0]] == weights[order[1]]:
        raise ValueError("the weights have no unique largest entry")
    found = _decide_sorted(loss, tuple(weights[i] for i in order))
    moved = None if found.witness is None else found.witness.reordered(order, weights)
    return Decision(found.holds, found.rule, found.steps, moved, found.margin, weights)


@lru_cache(maxsize=4096)
def _decide_sorted(loss: Loss, w: tuple[Fraction, ...]) -> Decision:
    """The same with the weights from large to small."""
    if w[1] == 0:
        text = "Only one label has weight, so the weighted risk is a multiple of the loss for that label."
        return Decision(True, "clean", (step(text),))
    structure = structure_of(loss, len(w))
    if structure is None:
        return Decision(None, "none", (Step("No rule covers this form of loss.", status="undecided"),))
    if structure.pointwise:
        return _pointwise(loss, structure, w)
    if structure.separable:
        return _separable(structure, w)
    if len(structure.normalised) == 1 and structure.h == 0 and structure.sigma == 0:
        return _normalised(structure, w)
    return _mixed(loss, structure, w)


# --- losses of u_y alone ---------------------------------------------------------------------------------------


def _pointwise(loss: Loss, structure: Structure, w) -> Decision:
    shape = shape_of(structure.h)
    ratio = ratio_of(loss) if loss.pointwise else ratio_of_shape(structure.h)
    steps = list(ratio.steps)
    share = w[0] / w[1]
    if not ratio.defined:
        return _flat(shape, structure, w, steps)
    if shape.at_zero == oo:
        text = "l(0) is infinite, so the risk at the vertex is infinite as soon as another label has weight."
        return denied("ratio", (*steps, step(text)), _interior_witness(structure, w), -1.0)  # r = 0
    low = ratio.interval[0]
    margin = float(share) * low - 1
    if ratio.exact is not None:
        return _by_exact_ratio(shape, structure, w, ratio, steps, margin)
    if share * Fraction(low) > 1:
        product = f"w_m/w_n = {share}, and (w_m/w_n) r >= {float(share) * low:.6g} > 1"
        text = f"{product}: the loss is asymmetric by the ratio rule."
        return Decision(True, "ratio", (*steps, Step(text, status="certified")), None, margin)
    two = two_class(structure, w)
    if two.holds is False or (two.holds and sum(1 for x in w if x) == 2):
        return Decision(two.holds, two.rule, (*steps, *two.steps), two.witness)  # the ratio's margin did not decide
    if two.holds and half_concave(shape):
        text = (
            "l is concave on [0, 1/2], so to put shares that sum to at most 1/2 together on the heaviest of their "
            "labels does not raise the risk: what holds on the edge between the two heaviest labels holds on the whole "
            "simplex."
        )
        more = step(text, status="certified")
        return Decision(True, "edge", (*steps, *two.steps, more))
    if two.holds and concave_then_convex(shape):
        text = (
            "|l'| rises and then falls, so of all steps of the same length l falls least over the first or over the "
            "last: what holds on the edge between the two heaviest labels holds for every exchange of mass."
        )
        return Decision(True, "edge", (*steps, *two.steps, step(text, status="certified")))
    from alf.theory.simplex import minimise_at_vertex

    direct = minimise_at_vertex(structure, w)
    if direct.holds is None and ratio_exceeds(structure.h, 1 / share):
        text = f"w_m/w_n = {share}, and r > w_n/w_m = {float(1 / share):.12g}: asymmetric by the ratio rule."
        return Decision(True, "ratio", (*steps, step(text, status="certified")))
    more = direct.steps if direct.holds is not None else (*direct.steps, _how_open(ratio, share))
    return Decision(direct.holds, direct.rule, (*steps, *more), direct.witness, direct.margin)


SETS = (
    "The loss is constant on a stretch next to u = 1, so several predictions are best: 'asymmetric' says here that "
    "the weighted risk and the loss for class m have the same set of minimisers."
)


def _flat(shape, structure: Structure, w, steps) -> Decision:
    """A loss with flat stretches. Lower risk than at e_m, which is best for class m, refutes in every reading."""
    if not shape.weakly_decreasing:
        return Decision(None, "ratio", (*steps, Step("The ratio rule needs a decreasing loss.", status="undecided")))
    from alf.theory.symmetry import superadditive

    steps = [step("l rises nowhere, and is constant on a stretch.", status="certified")]
    steps += [step(SETS)] if shape.flat_at_one else []
    known = superadditive(shape)
    if known is not None:
        return Decision(True, "completely asymmetric", (*steps, *known))
    found = edge_witness(structure, w)
    if found is not None and found.relation == "<":
        return Decision(False, "edge", tuple(steps), found)
    if shape.flat_at_one:
        missing = Step("No rule here compares the two sets, and no point of lower risk was found.", status="undecided")
        return Decision(None, "edge", (*steps, missing))
    from alf.theory.simplex import minimise_at_vertex

    direct = minimise_at_vertex(structure, w)
    return Decision(direct.holds, direct.rule, (*steps, *direct.steps), direct.witness, direct.margin)


def _how_open(ratio: Ratio, share: Fraction) -> Step:
    """By how much the ratio rule and its converse miss the answer."""
    r, upper = ([f"{x:.9g}" for x in ends] for ends in (ratio.interval, ratio.upper_interval))
    text = (
        f"The loss is asymmetric on these weights if w_n/w_m = {float(1 / share):.9g} is below r, and is not if it is "
        f"above r_up; r lies in [{r[0]}, {r[1]}] and r_up in [{upper[0]}, {upper[1]}]."
    )
    return Step(text, status="undecided")


def _by_exact_ratio(shape, structure, w, ratio, steps, margin) -> Decision:
    """Convex and concave losses: the ratio decides, and at equality whether the infimum is attained."""
    share = w[0] / w[1]
    if ratio.exact == 1:
        text = "r = 1: the loss is asymmetric on all weights with a unique largest entry."
        return Decision(True, "ratio", (*steps, step(text, status=ratio.status)), None, float(share) - 1)
    sign = sign_of_number(as_rational(share) * ratio.exact - 1)
    product = as_rational(share) * ratio.exact
    if sign is None:
        return Decision(None, "ratio", (*steps, Step("(w_m/w_n) r could not be told from 1.", status="undecided")))
    relation = {1: ">", 0: "=", -1: "<"}[sign]
    tex = rf"\frac{{w_m}}{{w_n}} r = {sympy.latex(product)} {relation} 1"
    compared = Step(f"w_m/w_n = {share} and (w_m/w_n) r {relation} 1.", product, tex, "certified")
    steps = [*steps, compared]
    if sign > 0:
        return Decision(True, "ratio", tuple(steps), None, margin)
    if sign == 0 and ratio.attained is False:
        text = "At equality the infimum is not attained, so the vertex is still the only minimiser."
        return Decision(True, "ratio", (*steps, step(text, status="certified")), None, 0.0)
    return denied("ratio", steps, edge_witness(structure, w), margin)


# --- the edge between the two heaviest labels ---------------------------------------------------------------------


def edge_gap(structure: Structure, w) -> Expr:
    """R(u) - R(e_m) on the edge u = (1-t, t, 0, ...), with t written u."""
    total = sum(w)
    first, second = structure.psi(w[0], total), structure.psi(w[1], total)
    here = first.subs(u, 1 - u) + second
    at_vertex = shape_of(first).at_one + shape_of(second).at_zero
    return here - at_vertex


def two_class(structure: Structure, w) -> Decision:
    """The edge between the two heaviest labels decides when no third label has weight, and can refute always."""
    gap = edge_gap(structure, w)
    text = "Between the two heaviest labels, R(u) - R(e_m) at u = (1-t, t):"
    if positive_inside(gap) and sign_of_number_at_one(gap) == 1:
        return Decision(
            True,
            "edge",
            (step(text + " positive for all 0 < t <= 1.", gap, "certified"),),
        )
    found = edge_witness(structure, w)
    if found is not None:
        return Decision(False, "edge", (step(text + " not positive everywhere.", gap, "certified"),), found)
    return Decision(None, "edge", (Step(text + " sign not settled.", gap, sympy.latex(gap), "undecided"),))


def gap_below(gap: Expr, lo: Fraction, hi: Fraction) -> bool:
    """Whether a function with switches may reach 0 on a sliver that hides one."""
    try:
        return on_cell(gap, u)(*outward(lo, hi))[0] <= 0
    except OutOfDomain:
        return True


def positive_inside(gap: Expr) -> bool:
    """Whether a function is above 0 on all of (0, 1]: of one sign, and nowhere touching 0."""
    pieces, located = smooth_pieces(gap)
    if not located:
        return False
    if {r.sign for p in pieces for r in sign_pattern(p.expression, u, p.lo, p.hi)} != {1}:
        return False
    for before, after in pairwise(pieces):
        if before.hi < after.lo and gap_below(gap, before.hi, after.lo):
            return False
    for piece in pieces:
        for cell in touches(piece.expression, u, piece.lo, piece.hi):
            # next to 1 the value there decides, which the caller asks for
            if cell.hi < 1 or cell.hi - cell.lo > Fraction(1, 2**20):
                return False
    return True


def half_concave(shape) -> bool:
    """Whether l is concave on [0, 1/2].

    With phi = l(0) - l convex there and phi(0) = 0, sum_{i != j} w_i phi(u_i) <= max w_i phi(sum u_i) while the sum is
    at most 1/2, and over 0 <= u_i <= 1/2 the largest value of sum w_i phi(u_i) is at (1/2, 1/2, 0, ...); exchanging the
    two coordinates of an edge puts the larger on the heavier label. So the edge of the two heaviest is the worst.
    """
    half = Fraction(1, 2)
    if not shape.located or any(k.turn not in (-1, 0) for k in shape.kinks if k.lo < half):
        return False
    bends = [p for p in shape.derivative(2) if p.lo < half]
    for i, piece in enumerate(bends):  # both neighbours answer for the interval that hides their switch
        lo, hi = bends[i - 1].hi if i else piece.lo, bends[i + 1].lo if i + 1 < len(bends) else piece.hi
        if any(r.sign not in (-1, 0) for r in sign_pattern(piece.expression, u, lo, min(hi, half))):
            return False
    return True


def sign_of_number_at_one(gap: Expr) -> int | None:
    """The sign of an expression's limit at u = 1; None where it is not known."""
    value = shape_of(gap).at_one
    return None if value is None else sign_of_number(value)


FURTHEST = 2**20
"""Bits of the smallest probability at which a refutation is looked for."""


def edge_witness(structure: Structure, w) -> Witness | None:
    """The simplest point (1-t, t, 0, ...) whose risk is not above the vertex's."""
    base = structure.risk(vertex(0, len(w)), w, 400)
    candidates = [Fraction(k, n) for n in (2, 3, 4, 5, 8, 10, 16, 20, 50, 100) for k in range(1, n + 1)]
    best, found = None, None
    for t in dict.fromkeys(candidates):
        gap = base - structure.risk(_edge(t, len(w)), w, 400)
        if gap > 0 and (best is None or float(gap) > best):
            best, found = float(gap), t
    bits = 400
    if found is None:
        found = _lowest_on_edge(structure, w, base)
    if found is None:
        # an infinite slope may show very close to 0 only: u**0.999999 is below 2 u / 3 from 2**-600000 on
        furthest = FURTHEST if shape_of(structure.h).slope_at_zero == -oo else 4000
        depth = 7
        while depth <= furthest:
            t = Fraction(1, 2**depth)
            bits = 400 + (6 * depth if depth <= 4000 else 5 * depth // 4)  # with an infinite slope they differ by t
            if structure.risk(vertex(0, len(w)), w, bits) - structure.risk(_edge(t, len(w)), w, bits) > 0:
                found = t
                break
            depth += 1 if depth < 40 else depth // 8 if depth < 4000 else depth
        if found is not None and depth < 4000:  # deeper on either side
            bits = 400
            near = [found, found / 2, found * 3 / 4, found / 4]
            found = min(near, key=lambda x: float(structure.risk(_edge(x, len(w)), w, 400) - base))
    if found is None:
        found = _exact_tie(structure, w, candidates)
    return None if found is None else witness("vertex", structure, _edge(found, len(w)), w)


def _lowest_on_edge(structure: Structure, w, base) -> Fraction | None:
    """Where the risk rises least per step away from the vertex, if it falls there: next to a threshold the stretch on
    which it falls is too narrow to hold a simple fraction."""

    def rise(t: float) -> float:
        return float(structure.risk(_edge(Fraction(t), len(w)), w, 400) - base) / t

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
        if 0 < t < 1 and base - structure.risk(_edge(t, len(w)), w, 400) > 0:
            return t
    return None


def _exact_tie(structure: Structure, w, candidates):
    """A point of the edge with exactly the vertex's risk."""
    gap = edge_gap(structure, w)
    for t in dict.fromkeys(candidates):
        ball = structure.risk(_edge(t, len(w)), w, 400) - structure.risk(vertex(0, len(w)), w, 400)
        if ball.contains(0) and t > 0:
            value = gap.subs(u, as_rational(t))
            if value.is_number and not value.has(sympy.nan, sympy.zoo, oo) and sign_of_number(value) == 0:
                return t
    return None


def _edge(t: Fraction, n: int) -> tuple[Fraction, ...]:
    return (1 - t, t, *(Fraction(0) for _ in range(n - 2)))


def _interior_witness(structure: Structure, w) -> Witness | None:
    """The point that the weights are, whose risk is finite where that at the vertex is infinite."""
    total = sum(w)
    return witness("vertex", structure, tuple(x / total for x in w), w)


# --- risks that are sums over classes ---------------------------------------------------------------------------


def _separable(structure: Structure, w) -> Decision:
    total = sum(w)
    functions = {x: shape_of(structure.psi(x, total)) for x in dict.fromkeys(w)}
    heavy, others = functions[w[0]], {x: functions[x] for x in dict.fromkeys(w[1:])}
    if heavy.at_one == oo or any(f.at_zero == oo for f in others.values()):
        text = "The risk is infinite at the vertex e_m and finite inside the simplex."
        return denied("infinite vertex", (step(text, status="certified"),), _interior_witness(structure, w))
    if all(f.concave for f in functions.values()):
        return _concave(structure, w)
    if all(f.convex for f in functions.values()):
        return _vertex_kkt(structure, w, heavy, others, functions)
    two = two_class(structure, w)
    if two.holds is False:
        return two
    from alf.theory.simplex import minimise_at_vertex

    return minimise_at_vertex(structure, w)


def _concave(structure: Structure, w) -> Decision:
    h = shape_of(structure.h)
    drop = h.at_zero - h.at_one
    sign = sign_of_number(drop)
    steps = [
        step("R is concave on the simplex, so its minimum is at a vertex.", status="certified"),
        step("R(e_j) - R(e_m) = (w_m - w_j) (h(0) - h(1)).", drop, "certified"),
    ]
    if sign == 1:
        steps.append(step("h(0) - h(1) > 0: e_m is the only minimiser (concavity rule).", status="certified"))
        return Decision(True, "concavity", tuple(steps), None, float((w[0] - w[1]) / sum(w)))
    return Decision(None, "concavity", tuple(steps))


def _vertex_kkt(structure: Structure, w, heavy, others, functions) -> Decision:
    steps = [step("R is convex on the simplex.", status="certified")]
    slope = heavy.slope_at_one
    tied = False
    margin = None
    for weight, f in others.items():
        if slope is None or f.slope_at_zero is None:
            return Decision(
                None,
                "vertex KKT",
                (*steps, Step("A slope of the risk at the vertex is not known.", status="undecided")),
            )
        if f.slope_at_zero == -oo or slope == oo:
            sign, difference = -1, -oo
        elif slope == -oo or f.slope_at_zero == oo:
            sign, difference = 1, oo
        else:
            difference = f.slope_at_zero - slope
            sign = sign_of_number(difference)
        relation = {1: "<", 0: "=", -1: ">", None: "?"}[sign]
        tex = rf"\frac{{\partial R}}{{\partial u_m}} = {sympy.latex(slope)} {relation} {sympy.latex(f.slope_at_zero)}"
        text = f"dR/du_m {relation} dR/du_j at e_m for a label of weight {weight}."
        steps.append(Step(text, difference, tex, "certified"))
        if sign is None:
            return Decision(
                None,
                "vertex KKT",
                (*steps, Step("The slopes of the risk at the vertex could not be told apart.", status="undecided")),
            )
        margin = float(difference) if margin is None else min(margin, float(difference))
        if sign < 0:
            place = w.index(weight, 1)
            order = [0, place, *(i for i in range(1, len(w)) if i != place)]
            found = edge_witness(structure, tuple(w[i] for i in order))
            return denied("vertex KKT", steps, found and found.reordered(order, w), margin)
        tied = tied or sign == 0
    if tied and not _strictly_convex(functions.values()):
        return denied("vertex KKT", steps, edge_witness(structure, w), margin)
    steps.append(step("The vertex KKT conditions hold, so e_m is the only minimiser.", status="certified"))
    return Decision(True, "vertex KKT", tuple(steps), None, margin)


def _strictly_convex(functions) -> bool:
    """Convex with at most isolated zeros of the second derivative."""
    return all(f.convex and f.smooth and all(r.sign == 1 for r in f.bend_runs) for f in functions)


# --- normalised losses ------------------------------------------------------------------------------------------


def symmetric_form(w) -> bool:
    """Whether all weights but the largest are equal."""
    return len(set(w[1:])) == 1


def _normalised(structure: Structure, w) -> Decision:
    (part,) = structure.normalised
    classes = len(w)
    if symmetric_form(w):
        text = (
            "The loss is symmetric: its weighted risk is C w_n + (w_m - w_n) L(u, m) with w_m > w_n, "
            "so it has the minimisers of L(u, m) (symmetric rule)."
        )
        return Decision(True, "symmetric", (step(text),), None, float((w[0] - w[1]) / sum(w)))
    if part.singular:
        text = (
            "The loss has no value at e_m: the limit depends on the path. Wherever the lightest label has probability "
            "0, far away from e_m too, the risk is the weight of that label, the least value that a risk can have."
        )
        light = w.index(min(w[1:]), 1)
        point = [w[1] / (w[0] + w[1]) / (20 * classes)] * classes
        point[1], point[light] = w[1] / (w[0] + w[1]), Fraction(0)
        point[0] = 1 - sum(point[1:])
        found = witness("limit", structure, point, w)
        return denied("normaliser", (step(text, status="certified"),), found)
    # the nearer s is to a line at 0, the closer to e_m the risk begins to fall: for 1 - u^q at t^(1-q) below a constant
    for k in (*range(4, 400), *(2**n for n in range(9, 14))):
        t = Fraction(1, 2**k)
        bits = 200 + 4 * k
        if structure.risk(_edge(t, classes), w, bits) < structure.risk(vertex(0, classes), w, bits):
            text = (
                "The risk falls along the edge from e_m to e_n: s has infinite slope at 0, and w_n is above the mean."
            )
            found = witness("vertex", structure, _edge(t, classes), w)
            return denied("normaliser", (step(text, status="certified"),), found)
    return Decision(
        None,
        "normaliser",
        (Step("No point that refutes the property was found, and no rule decides it.", status="undecided"),),
    )


# --- combinations -----------------------------------------------------------------------------------------------


def _mixed(loss: Loss, structure: Structure, w) -> Decision:
    """A normalised part plus a part that is a sum over classes."""
    rest = _decide_rest(loss, structure, w)
    steps = list(rest.steps)
    singular = all(p.singular for p in structure.normalised)
    if rest.holds:
        if symmetric_form(w):
            text = (
                "The normalised part is symmetric and has e_m among its minimisers; e_m is the only minimiser of the "
                "other part."
            )
            steps.append(step(text + " So e_m is the only minimiser of their sum (sum rule)."))
            return Decision(True, f"{rest.rule} and sum", tuple(steps), None, rest.margin)
        if singular and len(w) >= 3:
            text = (
                "The normalised part's risk is a mean of the weights: it is never below the smallest weight, and "
                "tends to that along a path into e_m. The other part has e_m as its only minimiser. So every "
                "minimising sequence converges to e_m."
            )
            steps.append(step(text))
            return Decision(True, f"{rest.rule} and normaliser", tuple(steps), None, rest.margin)
    if rest.holds is False and len(w) >= 3 and singular:
        found = _mixed_witness(structure, w, rest.witness)
        if found is not None:
            text = (
                "Near this point the normalised part's risk is as small as it can be, and the other part's risk is "
                "lower than at e_m."
            )
            more = step(text, status="certified")
            return Decision(False, f"{rest.rule} and normaliser", (*steps, more), found, rest.margin)
    if len(w) == 2:
        return _mixed_two(structure, w, steps)
    return Decision(None, "sum", (*steps, Step("No rule decides the sum.", status="undecided")))


def _decide_rest(loss: Loss, structure: Structure, w) -> Decision:
    """The other part by itself, as the loss it is: a positive weight changes neither its ratio nor its minimisers."""
    rest = structure.rest
    if not rest.pointwise:
        return _separable(rest, w)
    return _pointwise(passive_term(loss, structure.classes) or loss, rest, w)


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
        more = step(text + " is negative somewhere.", gap, "certified")
        return Decision(False, "edge", (*steps, more), found)
    if positive_inside(gap):
        more = step(text + " is positive.", gap, "certified")
        return Decision(True, "edge", (*steps, more))
    return Decision(None, "edge", (*steps, Step(text + ": sign not settled.", status="undecided")))


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
        if structure.risk(_edge(t, 2), w, bits) < structure.risk(vertex(0, 2), w, bits):
            return witness("vertex", structure, _edge(t, 2), w)
    return None
