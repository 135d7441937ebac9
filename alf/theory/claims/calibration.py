"""Classification calibration: does minimising the conditional risk always predict a most probable class?"""

from fractions import Fraction

import sympy
from sympy import diff

from alf.losses import Loss, u
from alf.theory.arithmetic.sign_pattern import touches
from alf.theory.claims.ties import exchange, with_kinks
from alf.theory.curve.parameter_cell import proved_sign, sign_steps
from alf.theory.curve.shape import shape_of
from alf.theory.curve.symbolic_sign import NEGATIVE
from alf.theory.risk.structure import Structure, structure_of
from alf.theory.verdict import Status, Step, Verdict, applied, holds, refuted, step, undecided
from alf.theory.witnesses.witness import witness


def calibrated(loss: Loss, classes: int) -> Verdict:
    """Whether a loss is classification calibrated.

    >>> from alf.losses import parse
    >>> calibrated(parse("ce"), 10).holds, calibrated(parse("nce"), 3).holds, calibrated(parse("nce"), 2).holds
    (True, False, True)
    """
    structure = structure_of(loss, classes)
    if structure is None:
        return undecided("calibrated", "No rule covers this form of loss.")
    if loss.pointwise and proved_sign(loss, 1) == NEGATIVE:
        return holds("calibrated", (*sign_steps(loss, 1), *exchange()))
    if structure.normalised:
        return _normalised(structure)
    return _smooth(structure) if shape_of(structure.h).smooth else with_kinks(loss, structure)


def _smooth(structure: Structure) -> Verdict:
    """h decreasing: strictly by its derivative, or with isolated zeros where it is analytic."""
    shape = shape_of(structure.h)
    if not shape.decreasing:
        return undecided("calibrated", "h is not known to decrease strictly.")
    derivative = diff(structure.h, u)
    if structure.sigma != 0 and touches(-derivative, u, 0, 1):
        return undecided("calibrated", "h' may vanish, and then the sum over the classes decides at a tie.")
    steps = [Step("h(u) decreases strictly on (0, 1).", derivative, sympy.latex(derivative), Status.CERTIFIED)]
    return holds("calibrated", (*steps, applied("odd-order", status=Status.CERTIFIED), *exchange()))


def _normalised(structure: Structure) -> Verdict:
    classes = structure.classes
    alone = structure.h == 0 and structure.sigma == 0
    singular = any(p.singular for p in structure.normalised)
    if alone and singular and classes >= 3:
        return _sequence(structure)
    if alone and classes == 2:
        return holds("calibrated", (applied("normalised-two-classes", structure.normalised[0].summand),))
    steps: list[Step] = []
    for part in structure.normalised:
        shape = shape_of(part.summand)
        moving = [r.sign for r in shape.slope_runs]
        value = shape.value(Fraction(1, 2))
        falls = (set(moving) == {-1} and value > 0) or (set(moving) == {1} and value < 0)
        if not falls:
            return undecided("calibrated", "|s| is not known to decrease strictly.", steps)
        steps.append(
            step(
                "|s(u)| decreases strictly, so s(u_y)/S decreases strictly in u_y at fixed S.",
                part.summand,
                Status.CERTIFIED,
            )
        )
    if alone:
        return holds("calibrated", (*steps, *exchange()))
    shape = shape_of(structure.h)
    if not shape.decreasing or not shape.smooth:
        return undecided("calibrated", "h is not known to decrease strictly.", steps)
    steps.append(step("The other part's h(u) decreases strictly.", structure.h, Status.CERTIFIED))
    text = (
        "Exchanging u_m and u_n lowers both parts wherever p_m > p_n and u_m < u_n. At u_m = u_n moving mass from n "
        "to m does, by an amount that stays away from 0 along a sequence because the other part is continuous."
    )
    return holds("calibrated", (*steps, step(text, theorem="exchange")))


def _sequence(structure: Structure) -> Verdict:
    """NCE and NFL for three classes or more: a prediction of the wrong class has the least risk."""
    classes = structure.classes
    tail = Fraction(1, 100 * classes) if classes > 3 else Fraction(1, 5)
    weights = [Fraction(1, 2), Fraction(3, 10), Fraction(1, 5) - tail * (classes - 3), *([tail] * (classes - 3))]
    point = [Fraction(1, 10 * (classes - 2))] * classes
    point[-1] = Fraction(0)  # the lightest label's
    point[1] += 1 - sum(point)
    steps = (applied("mean-of-weights", structure.normalised[0].summand, Status.CERTIFIED),)
    return refuted("calibrated", steps, witness("least", structure, point, weights))
