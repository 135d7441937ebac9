"""The claim completely asymmetric: asymmetric on every list of label weights."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import product
from math import inf

import sympy
from sympy import oo

from alf.losses import Loss
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.asymmetry.decide import decide
from alf.theory.asymmetry.pointwise import AT_MOST_ONE, superadditive, upper_step
from alf.theory.asymmetry.separable import decide_separable
from alf.theory.curve.parameter_cell import proved_sign, sign_steps
from alf.theory.curve.profile import upper_is_one
from alf.theory.curve.shape import shape_of
from alf.theory.curve.symbolic_sign import NEGATIVE, NON_POSITIVE, ZERO
from alf.theory.ratios.of_loss import ratio_of, ratio_of_shape
from alf.theory.risk.minimisation import sum_against_vertex
from alf.theory.risk.structure import Structure, passive_term, structure_of
from alf.theory.verdict import Status, Step, Verdict, applied, holds, refuted, step, undecided
from alf.theory.witnesses.witness import witness

CLAIM = "completely_asymmetric"

_LEAST_AT_VERTICES = (
    step("On the simplex sum_i l(u_i) is least at the vertices.", status=Status.CERTIFIED, theorem="minimisation"),
    AT_MOST_ONE,
)


def completely_asymmetric(loss: Loss, classes: int) -> Verdict:
    """Whether a loss is asymmetric on every list of label weights with a unique largest entry."""
    structure = structure_of(loss, classes)
    if structure is None:
        return undecided(CLAIM, "No rule covers this form of loss.")
    if structure.normalised:
        return _with_normalised(loss, structure)
    if structure.pointwise:
        return _pointwise(loss, structure)
    return _separable(structure)


def _pointwise(loss: Loss, structure: Structure) -> Verdict:
    shape = shape_of(structure.h)
    if loss.pointwise and proved_sign(loss, 1) == NEGATIVE and proved_sign(loss, 2) in (NEGATIVE, NON_POSITIVE, ZERO):
        text = (
            "R is concave on the simplex for all weights, and R(e_j) - R(e_m) = (w_m - w_j) (l(0) - l(1)) > 0: e_m is "
            "the only minimiser."
        )
        return holds(CLAIM, (*sign_steps(loss, 1, 2), step(text, theorem="concavity")))
    ratio = ratio_of(loss) if loss.pointwise else ratio_of_shape(structure.h)
    if not ratio.defined:
        return _flat(loss, structure, shape, ratio)
    if ratio.exact == 1:
        return holds(CLAIM, (*ratio.steps, applied("ratio-1", status=ratio.status)))
    if structure.classes == 2 and shape.at_zero not in (None, oo) and upper_is_one(shape):
        return holds(CLAIM, (upper_step(shape), applied("two-classes")))
    below = _refute(loss, structure, ratio)
    if below is not None:
        return below
    known = superadditive(shape)
    if known is not None:
        return holds(CLAIM, known)
    found = sum_against_vertex(structure)
    if found is True:
        return holds(CLAIM, (*ratio.steps, *_LEAST_AT_VERTICES))
    if found is not None:
        verdict = _refute_at(structure, found, ratio)
        if verdict is not None:
            return verdict
    return undecided(
        CLAIM, "Neither sum phi(u_i) <= 1 everywhere nor a point where it is above 1 could be established.", ratio.steps
    )


def _flat(loss: Loss, structure: Structure, shape, ratio) -> Verdict:
    """A loss with flat stretches."""
    if not shape.weakly_decreasing:
        return undecided(CLAIM, "l is not known to decrease strictly.", ratio.steps)
    steps: tuple[Step, ...] = (step("l rises nowhere, and is constant on a stretch.", status=Status.CERTIFIED),)
    steps += (applied("flat-sets"),) if shape.flat_at_one else ()
    known = superadditive(shape)
    if known is not None:
        return holds(CLAIM, (*steps, *known))
    below = _refute_on(loss, structure, (Fraction(3, 2), Fraction(11, 10), Fraction(1001, 1000)), steps)
    if below is not None:
        return below
    if not shape.flat_at_one and sum_against_vertex(structure) is True:
        return holds(CLAIM, (*steps, *_LEAST_AT_VERTICES))
    return undecided(CLAIM, "Neither sum phi(u_i) <= 1 everywhere nor weights that refute were found.", steps)


def _two_weights(share: Fraction, classes: int) -> tuple[Fraction, ...]:
    """Weights of two labels with w_m/w_n = share; the others have none."""
    return (share / (1 + share), 1 / (1 + share), *[Fraction(0)] * (classes - 2))


def _refute_on(loss: Loss, structure: Structure, shares: Iterable[Fraction], steps) -> Verdict | None:
    """The first of these w_m/w_n, of two labels that have all the weight, on which the loss is not asymmetric."""
    for share in shares:
        found = decide(loss, _two_weights(share, structure.classes))
        if found.holds is False:
            text = f"The loss is not asymmetric on weights with w_m/w_n = {share}."
            return refuted(CLAIM, (*steps, step(text, status=Status.CERTIFIED)), found.witness)
    return None


def _refute(loss: Loss, structure: Structure, ratio) -> Verdict | None:
    """Weights that are almost equal, and a point at which sum phi(u_i) > 1."""
    if ratio.upper_interval[1] < 1:
        # any w_m/w_n between 1 and 1/r_up refutes
        top = 1 / ratio.upper_interval[1] if ratio.upper_interval[1] > 0 else 3.0
        share = Fraction(min((1 + top) / 2, 2.0)).limit_denominator(1000)
        shares = (share, 1 + (Fraction(top) - 1) / 10 if top < 1e9 else share, 1 + Fraction(1, 10**6))
        below = _refute_on(loss, structure, (x for x in shares if x > 1), ratio.steps)
        if below is not None:
            return below
    point = _above_one(shape_of(structure.h), structure.classes) if structure.classes > 2 else None
    return None if point is None else _refute_at(structure, point, ratio)


def _refute_at(structure: Structure, point, ratio) -> Verdict | None:
    for slack in (Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000), Fraction(1, 10**6)):
        w = (Fraction(1), *[1 - slack] * (structure.classes - 1))
        found = witness("vertex", structure, point, w)
        if found is not None and found.relation == "<":
            text = "sum phi(u_i) > 1 at this point, so the loss is not asymmetric on weights that are almost equal."
            return refuted(CLAIM, (*ratio.steps, step(text, status=Status.CERTIFIED, theorem="superadditive")), found)
    return None


def _separable(structure: Structure) -> Verdict:
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
                CLAIM,
                (
                    step(text, drop, Status.CERTIFIED),
                    step("So the loss is completely asymmetric (concavity rule).", theorem="concavity"),
                ),
            )
    for n in (100, 10, 1000, 10**6, 10**12):
        found = decide_separable(structure, _two_weights(Fraction(n + 1, n), structure.classes))
        if found.holds is False:
            return refuted(CLAIM, found.steps, found.witness)
    return undecided(CLAIM, "The loss is asymmetric on the weights tried, and no rule decides for all weights.")


def _with_normalised(loss: Loss, structure: Structure) -> Verdict:
    classes = structure.classes
    alone = structure.h == 0 and structure.sigma == 0
    if alone and classes == 2:
        return holds(CLAIM, (applied("symmetric-rule"),))
    if all(part.singular for part in structure.normalised) and not alone:
        passive = passive_term(loss, classes)  # the other part as the loss it is, where it is one
        rest = _separable(structure.rest) if passive is None else completely_asymmetric(passive, classes)
        if rest.holds:
            return holds(CLAIM, (*rest.steps, applied("normaliser")))
    if classes > 2:
        shares = [Fraction(51, 49), Fraction(3, 2), Fraction(501, 499), Fraction(4), Fraction(20)]
    else:
        shares = [*_almost_equal(loss), *(Fraction(n + 1, n) for n in (1, 4, 10, 100, 1000))]
    refuting = None
    for share in shares:
        found = decide(loss, _two_weights(share, classes))
        if found.holds is False:
            refuting = refuting or found
            if found.witness.value < found.witness.bound:  # a difference that doubles show
                refuting = found
                break
    if refuting is not None:
        return refuted(CLAIM, refuting.steps, refuting.witness)
    return undecided(CLAIM, "The loss is asymmetric on the weights tried, and no rule decides for all weights.")


def _almost_equal(loss: Loss) -> list[Fraction]:
    """w_m/w_n so close to 1 that the other part alone fails on two such weights, closest first: the less the normalised
    part, which pulls with their difference, can make up for."""
    passive = passive_term(loss, 2)
    found = ratio_of(passive) if passive is not None else None
    if found is None or found.upper_interval is None or found.upper_interval[1] >= 1:
        return []
    room = 1 / found.upper_interval[1] - 1 if found.upper_interval[1] > 0.5 else 1.0
    parts = (Fraction(f"{room / scale:.1e}") for scale in (1e3, 1e9, 4))
    return [1 + part for part in parts if part > 0]


def _above_one(shape, classes: int):
    """A rational point with sum phi(u_i) > 1, by a search over shares of two sizes and local moves."""
    low, high = shape.value(1, 200), shape.value(0, 200)
    if not high.is_finite():
        return None

    def phi(x):
        return float((high - shape.value(x, 200)) / (high - low))

    grid = 60
    table = [phi(Fraction(k, grid)) for k in range(grid + 1)]
    best, shares = -inf, [Fraction(0)]
    for n in range(2, classes + 1):
        for k in range(grid + 1):  # n - 1 equal shares, the rest on one class
            for others in range(1, n):
                if k * others <= grid:
                    value = table[grid - k * others] + others * table[k]
                    if value > best:
                        best, shares = value, [Fraction(grid - k * others, grid), *[Fraction(k, grid)] * others]
    for i, j in product(range(grid + 1), repeat=2):
        if i + j <= grid and table[i] + table[j] + table[grid - i - j] > best:
            best = table[i] + table[j] + table[grid - i - j]
            shares = [Fraction(k, grid) for k in (i, j, grid - i - j)]
    if best <= 1 + 1e-9:
        return None
    shares.sort(reverse=True)
    return tuple(shares + [Fraction(0)] * (classes - len(shares)))
