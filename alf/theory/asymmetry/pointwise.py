"""Losses of u_y alone: the ratio rule, and what decides where the ratio leaves it open."""

from fractions import Fraction

import sympy
from sympy import oo

from alf.losses import Loss, u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.asymmetry.decision import Decision, denied
from alf.theory.asymmetry.edge import edge_witness, interior_witness, two_class
from alf.theory.asymmetry.separable import minimise_at_vertex
from alf.theory.curve.profile import concave_then_convex, half_concave, upper_is_one
from alf.theory.curve.shape import shape_of
from alf.theory.ratios.of_loss import ratio_exceeds, ratio_of, ratio_of_shape
from alf.theory.ratios.ratio import Ratio
from alf.theory.risk.structure import Structure
from alf.theory.verdict import Status, Step, applied, step

AT_MOST_ONE = step(
    "So sum_i phi(u_i) <= 1 on the simplex, and the loss is completely asymmetric.",
    status=Status.CERTIFIED,
    theorem="superadditive",
)


def decide_pointwise(loss: Loss, structure: Structure, w) -> Decision:
    """A loss of u_y alone, on weights from large to small."""
    shape = shape_of(structure.h)
    ratio = ratio_of(loss) if loss.pointwise else ratio_of_shape(structure.h)
    steps = list(ratio.steps)
    share = w[0] / w[1]
    if not ratio.defined:
        return _flat(shape, structure, w, steps)
    if shape.at_zero == oo:
        return denied("ratio", (*steps, applied("infinite-vertex")), interior_witness(structure, w), -1.0)  # r = 0
    assert ratio.interval is not None
    low = ratio.interval[0]
    margin = float(share) * low - 1
    if ratio.exact is not None:
        return _by_exact_ratio(shape, structure, w, ratio, steps, margin)
    if share * Fraction(low) > 1:
        product = f"w_m/w_n = {share}, and (w_m/w_n) r >= {float(share) * low:.6g} > 1"
        text = f"{product}: the loss is asymmetric by the ratio rule."
        return Decision(
            True, "ratio", (*steps, step(text, status=Status.CERTIFIED, theorem="ratio-rule")), None, margin
        )
    two = two_class(structure, w)
    if two.holds is False or (two.holds and sum(1 for x in w if x) == 2):
        return Decision(two.holds, two.rule, (*steps, *two.steps), two.witness)  # the ratio's margin did not decide
    if two.holds and half_concave(shape):
        return Decision(True, "edge", (*steps, *two.steps, applied("half-concave", status=Status.CERTIFIED)))
    if two.holds and concave_then_convex(shape):
        return Decision(True, "edge", (*steps, *two.steps, applied("exchange-of-mass", status=Status.CERTIFIED)))

    direct = minimise_at_vertex(structure, w)
    if direct.holds is None and ratio_exceeds(structure.h, 1 / share):
        text = f"w_m/w_n = {share}, and r > w_n/w_m = {float(1 / share):.12g}: asymmetric by the ratio rule."
        return Decision(True, "ratio", (*steps, step(text, status=Status.CERTIFIED, theorem="ratio-rule")))
    last = () if direct.holds is not None else (_how_open(ratio, share),)
    return Decision(direct.holds, direct.rule, (*steps, *direct.steps, *last), direct.witness, direct.margin)


def _flat(shape, structure: Structure, w, steps) -> Decision:
    """A loss with flat stretches. Lower risk than at e_m, which is best for class m, refutes in every reading."""
    if not shape.weakly_decreasing:
        return Decision(
            None, "ratio", (*steps, Step("The ratio rule needs a decreasing loss.", status=Status.UNDECIDED))
        )

    steps = [step("l rises nowhere, and is constant on a stretch.", status=Status.CERTIFIED)]
    steps += [applied("flat-sets")] if shape.flat_at_one else []
    known = superadditive(shape)
    if known is not None:
        return Decision(True, "completely asymmetric", (*steps, *known))
    found = edge_witness(structure, w)
    if found is not None and found.relation == "<":
        return Decision(False, "edge", tuple(steps), found)
    if shape.flat_at_one:
        missing = Step(
            "No rule here compares the two sets, and no point of lower risk was found.", status=Status.UNDECIDED
        )
        return Decision(None, "edge", (*steps, missing))

    direct = minimise_at_vertex(structure, w)
    return Decision(direct.holds, direct.rule, (*steps, *direct.steps), direct.witness, direct.margin)


def _how_open(ratio: Ratio, share: Fraction) -> Step:
    """By how much the ratio rule and its converse miss the answer."""
    assert ratio.interval and ratio.upper_interval
    r, upper = ([f"{x:.9g}" for x in ends] for ends in (ratio.interval, ratio.upper_interval))
    text = (
        f"The loss is asymmetric on these weights if w_n/w_m = {float(1 / share):.9g} is below r, and is not if it is "
        f"above r_up; r lies in [{r[0]}, {r[1]}] and r_up in [{upper[0]}, {upper[1]}]."
    )
    return Step(text, status=Status.UNDECIDED, theorem="ratio-rule")


def _by_exact_ratio(shape, structure, w, ratio, steps, margin) -> Decision:
    """Convex and concave losses: the ratio decides, and at equality whether the infimum is attained."""
    share = w[0] / w[1]
    if ratio.exact == 1:
        return Decision(True, "ratio", (*steps, applied("ratio-1", status=ratio.status)), None, float(share) - 1)
    sign = sign_of_number(as_rational(share) * ratio.exact - 1)
    product = as_rational(share) * ratio.exact
    if sign is None:
        return Decision(None, "ratio", (*steps, Step("(w_m/w_n) r could not be told from 1.", status=Status.UNDECIDED)))
    relation = {1: ">", 0: "=", -1: "<"}[sign]
    tex = rf"\frac{{w_m}}{{w_n}} r = {sympy.latex(product)} {relation} 1"
    compared = Step(f"w_m/w_n = {share} and (w_m/w_n) r {relation} 1.", product, tex, Status.CERTIFIED, "ratio-rule")
    steps = [*steps, compared]
    if sign > 0:
        return Decision(True, "ratio", tuple(steps), None, margin)
    if sign == 0 and ratio.attained is False:
        text = "At equality the infimum is not attained, so the vertex is still the only minimiser."
        return Decision(True, "ratio", (*steps, step(text, status=Status.CERTIFIED, theorem="ratio-rule")), None, 0.0)
    return denied("ratio", steps, edge_witness(structure, w), margin)


def upper_step(shape) -> Step:
    """That r_up = 1, as a step; where there are two classes the loss is asymmetric on all weights then."""
    gap = shape.expression + shape.expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    return step("l(t) + l(1-t) >= l(0) + l(1) for all t.", gap, Status.CERTIFIED)


def superadditive(shape) -> tuple[Step, ...] | None:
    """Why a half-concave loss is completely asymmetric for any number of classes; None where it is not shown to be."""
    if shape.at_zero in (None, oo) or not half_concave(shape) or not upper_is_one(shape):
        return None
    return (
        step("l is concave on [0, 1/2].", status=Status.CERTIFIED),
        upper_step(shape),
        applied("half-superadditive", status=Status.CERTIFIED),
        AT_MOST_ONE,
    )
