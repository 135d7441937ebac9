"""The claim completely asymmetric: asymmetric on every list of label weights."""

from fractions import Fraction

import sympy
from sympy import oo

from alf.losses import Loss
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.asymmetry.decide import decide
from alf.theory.asymmetry.separable import decide_separable
from alf.theory.asymmetry.sums import AT_MOST_ONE, above_one, superadditive, two_classes
from alf.theory.curve.parameter_cell import proved_sign, sign_steps
from alf.theory.curve.profile import upper_is_one
from alf.theory.curve.shape import shape_of
from alf.theory.curve.symbolic_sign import NEGATIVE, NON_POSITIVE, ZERO
from alf.theory.ratios.of_loss import ratio_of, ratio_of_shape
from alf.theory.risk.minimisation import sum_against_vertex
from alf.theory.risk.structure import Structure, passive_term, structure_of
from alf.theory.verdict import Status, Step, Verdict, applied, holds, refuted, step, undecided
from alf.theory.witnesses.witness import witness

_LEAST_AT_VERTICES = (
    step("On the simplex sum_i l(u_i) is least at the vertices.", status=Status.CERTIFIED, theorem="minimisation"),
    AT_MOST_ONE,
)


def completely_asymmetric(loss: Loss, classes: int) -> Verdict:
    """Whether a loss is asymmetric on every list of label weights with a unique largest entry."""
    claim = "completely_asymmetric"
    structure = structure_of(loss, classes)
    if structure is None:
        return undecided(claim, "No rule covers this form of loss.")
    if structure.normalised:
        return _with_normalised(claim, loss, structure)
    if structure.pointwise:
        return _pointwise(claim, loss, structure)
    return _separable(claim, loss, structure)


def _pointwise(claim: str, loss: Loss, structure: Structure) -> Verdict:
    shape = shape_of(structure.h)
    if loss.pointwise and proved_sign(loss, 1) == NEGATIVE and proved_sign(loss, 2) in (NEGATIVE, NON_POSITIVE, ZERO):
        text = (
            "R is concave on the simplex for all weights, and R(e_j) - R(e_m) = (w_m - w_j) (l(0) - l(1)) > 0: e_m is "
            "the only minimiser."
        )
        return holds(claim, (*sign_steps(loss, 1, 2), step(text, theorem="concavity")))
    ratio = ratio_of(loss) if loss.pointwise else ratio_of_shape(structure.h)
    if not ratio.defined:
        return _flat(claim, loss, structure, shape, ratio)
    if ratio.exact == 1:
        return holds(claim, (*ratio.steps, applied("ratio-1", status=ratio.status)))
    if structure.classes == 2 and shape.at_zero not in (None, oo) and upper_is_one(shape):
        return holds(claim, two_classes(shape))
    below = _refute(claim, loss, structure, ratio)
    if below is not None:
        return below
    known = superadditive(shape)
    if known is not None:
        return holds(claim, known)
    found = sum_against_vertex(structure)
    if found is True:
        return holds(claim, (*ratio.steps, *_LEAST_AT_VERTICES))
    if found is not None:
        verdict = _refute_at(claim, structure, found, ratio)
        if verdict is not None:
            return verdict
    return undecided(
        claim, "Neither sum phi(u_i) <= 1 everywhere nor a point where it is above 1 could be established.", ratio.steps
    )


def _flat(claim: str, loss: Loss, structure: Structure, shape, ratio) -> Verdict:
    """A loss with flat stretches."""
    if not shape.weakly_decreasing:
        return undecided(claim, "l is not known to decrease strictly.", ratio.steps)
    steps: tuple[Step, ...] = (step("l rises nowhere, and is constant on a stretch.", status=Status.CERTIFIED),)
    steps += (applied("flat-sets"),) if shape.flat_at_one else ()
    known = superadditive(shape)
    if known is not None:
        return holds(claim, (*steps, *known))
    for share in (Fraction(3, 2), Fraction(11, 10), Fraction(1001, 1000)):
        found = decide(loss, (share / (1 + share), 1 / (1 + share), *[Fraction(0)] * (structure.classes - 2)))
        if found.holds is False:
            text = f"The loss is not asymmetric on weights with w_m/w_n = {share}."
            return refuted(claim, (*steps, step(text, status=Status.CERTIFIED)), found.witness)
    if not shape.flat_at_one and sum_against_vertex(structure) is True:
        return holds(claim, (*steps, *_LEAST_AT_VERTICES))
    return undecided(claim, "Neither sum phi(u_i) <= 1 everywhere nor weights that refute were found.", steps)


def _refute(claim, loss, structure: Structure, ratio) -> Verdict | None:
    """Weights that are almost equal, and a point at which sum phi(u_i) > 1."""
    classes = structure.classes
    if ratio.upper_interval[1] < 1:
        # any w_m/w_n between 1 and 1/r_up refutes
        top = 1 / ratio.upper_interval[1] if ratio.upper_interval[1] > 0 else 3.0
        share = Fraction(min((1 + top) / 2, 2.0)).limit_denominator(1000)
        for candidate in (share, 1 + (Fraction(top) - 1) / 10 if top < 1e9 else share, 1 + Fraction(1, 10**6)):
            if candidate <= 1:
                continue
            w = (candidate / (1 + candidate), 1 / (1 + candidate), *(Fraction(0) for _ in range(classes - 2)))
            found = decide(loss, w)
            if found.holds is False:
                text = f"The loss is not asymmetric on weights with w_m/w_n = {candidate}."
                return refuted(claim, (*ratio.steps, step(text, status=Status.CERTIFIED)), found.witness)
    if classes > 2:
        point = above_one(shape_of(structure.h), classes)
        if point is not None:
            return _refute_at(claim, structure, point, ratio)
    return None


def _refute_at(claim, structure: Structure, point, ratio) -> Verdict | None:
    classes = structure.classes
    for slack in (Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000), Fraction(1, 10**6)):
        w = (Fraction(1), *(1 - slack for _ in range(classes - 1)))
        found = witness("vertex", structure, point, w)
        if found is not None and found.relation == "<":
            text = "sum phi(u_i) > 1 at this point, so the loss is not asymmetric on weights that are almost equal."
            return refuted(claim, (*ratio.steps, step(text, status=Status.CERTIFIED, theorem="superadditive")), found)
    return None


def _separable(claim: str, loss: Loss, structure: Structure) -> Verdict:
    """Losses such as MSE, AMSE and ANL."""
    h, sigma = shape_of(structure.h), shape_of(structure.sigma)
    total = shape_of(sympy.expand_mul(structure.h + structure.sigma))
    # psi_i = w_i h + W sigma is a mixture of W sigma (w_i = 0) and W (h + sigma) (w_i = W)
    if sigma.concave and total.concave and h.at_zero not in (oo, None):
        drop = h.at_zero - h.at_one
        if sign_of_number(drop) == 1:
            text = (
                "L(., i) is concave on the simplex for every i, and L(e_j, i) - L(e_i, i) is the same positive number."
            )
            return holds(
                claim,
                (
                    step(text, drop, Status.CERTIFIED),
                    step("So the loss is completely asymmetric (concavity rule).", theorem="concavity"),
                ),
            )
    classes = structure.classes
    for n in (100, 10, 1000, 10**6, 10**12):
        w = (Fraction(n + 1), Fraction(n), *(Fraction(0) for _ in range(classes - 2)))
        found = decide_separable(structure, tuple(x / (2 * n + 1) for x in w))
        if found.holds is False:
            return refuted(claim, found.steps, found.witness)
    return undecided(claim, "The loss is asymmetric on the weights tried, and no rule decides for all weights.")


def _with_normalised(claim: str, loss: Loss, structure: Structure) -> Verdict:
    classes = structure.classes
    alone = structure.h == 0 and structure.sigma == 0
    if alone and classes == 2:
        return holds(claim, (applied("symmetric-rule"),))
    if all(part.singular for part in structure.normalised) and not alone:
        rest = _rest_verdict(claim, loss, structure)
        if rest.holds:
            return holds(claim, (*rest.steps, applied("normaliser")))
    candidates = []
    if classes > 2:
        candidates += [(Fraction(51), Fraction(49)), (Fraction(3, 2), Fraction(1)), (Fraction(501), Fraction(499))]
        candidates += [(Fraction(4), Fraction(1)), (Fraction(20), Fraction(1))]
    else:
        candidates += _almost_equal(loss, structure)
        candidates += [(Fraction(n + 1), Fraction(n)) for n in (1, 4, 10, 100, 1000)]
    refuting = None
    for first, second in candidates:
        w = (first / (first + second), second / (first + second), *(Fraction(0) for _ in range(classes - 2)))
        found = decide(loss, w)
        if found.holds is False:
            refuting = refuting or found
            if found.witness.value < found.witness.bound:  # a difference that doubles show
                refuting = found
                break
    if refuting is not None:
        return refuted(claim, refuting.steps, refuting.witness)
    return undecided(claim, "The loss is asymmetric on the weights tried, and no rule decides for all weights.")


def _almost_equal(loss: Loss, structure: Structure) -> list[tuple[Fraction, Fraction]]:
    """Two weights so close that the other part alone fails on them, closest first: the less the normalised part, which
    pulls with their difference, can make up for."""
    passive = passive_term(loss, structure.classes)
    found = ratio_of(passive) if passive is not None else None
    if found is None or found.upper_interval is None or found.upper_interval[1] >= 1:
        return []
    room = 1 / found.upper_interval[1] - 1 if found.upper_interval[1] > 0.5 else 1.0
    parts = (Fraction(f"{room / scale:.1e}") for scale in (1e3, 1e9, 4))
    return [(1 + part, Fraction(1)) for part in parts if part > 0]


def _rest_verdict(claim: str, loss: Loss, structure: Structure) -> Verdict:
    rest = structure.rest
    passive = passive_term(loss, structure.classes)
    parts = structure_of(passive, structure.classes) if rest.pointwise and passive is not None else None
    if passive is not None and parts is not None:
        return _pointwise(claim, passive, parts)
    return _separable(claim, loss, rest)
