"""Witnesses: points that refute, made only here and checked when they are made.

A witness is two numbers that contradict a claim. Both are computed from the loss, the weights and the point, in balls
of growing precision until these are disjoint in the right direction; where equality contradicts too, from an exact
difference that is 0. Where they do not contradict each other there is no witness, so the claim is not refuted.
"""

import math
from collections.abc import Iterable
from fractions import Fraction

from mpmath.libmp import from_man_exp, to_str

from alf.numbers import in_digits
from alf.theory.arithmetic.balls import sign_of_number, to_ball, working
from alf.theory.verdict import Witness
from alf.theory.witnesses.kinds import KINDS, Kind

MOST_BITS = 4096


DIGITS = 30
"""Beyond so many digits the difference is shown instead."""


def witness(kind: str, subject, point, weights=(), labels: tuple[str, str] | None = None) -> Witness | None:
    """A witness of this kind, or None where the two numbers do not contradict.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    subject : Shape, Structure or Fraction pair
        What the numbers are computed from: the curve l(u), the parts of the risk, or two entries of a noise matrix.
    point : sequence of Fraction
    weights : sequence of Fraction
    labels : tuple of str, optional
        What the two numbers are, where the kind does not say it well enough.

    Examples
    --------
    >>> from alf.losses import u
    >>> from alf.theory.curve.shape import shape_of
    >>> found = witness("rise", shape_of((u - 1) ** 2 * (u + 1)), (Fraction(1, 8), Fraction(1, 4)))
    >>> found is None
    True
    >>> found = witness("above chord", shape_of(-(u**2)), (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)))
    >>> found.relation, found.shown
    ('>', ('-0.25', '-0.3125'))
    """
    rule = KINDS[kind]
    point, weights = tuple(point), tuple(weights)
    if not rule.fits(subject, weights, point):
        return None
    relation, value, bound = _compare(rule, subject, weights, point)
    if relation is None or relation not in rule.relations:
        return None
    return Witness(
        kind=kind,
        statement=rule.equal if relation == "=" and rule.equal else rule.statement,
        point=point,
        weights=weights,
        **_numbers(value, bound, relation),
        labels=labels or rule.labels,
    )


def clearest(found: Iterable[Witness | None]) -> Witness | None:
    """The first witness whose two numbers differ by more than rounding; where none does, the first of all."""
    hardly = None
    for one in found:
        if one is not None and abs(one.value - one.bound) > 1e-12 * (1 + abs(one.bound)):
            return one
        hardly = hardly or one
    return hardly


def _compare(rule: Kind, subject, weights, point):
    """The relation of the two numbers, certified, and their balls."""
    deepest = max((x.denominator.bit_length() for x in (*point, *weights)), default=0)
    bits, most = 128 + 5 * deepest // 4, MOST_BITS + 6 * deepest
    while True:
        value, bound = rule.numbers(subject, weights, point, bits)
        if value.is_nan() or bound.is_nan():
            return None, value, bound
        relation = "<" if value < bound else ">" if value > bound else None
        if value.is_exact() and bound.is_exact() and value == bound:
            relation = "="
        sharp = all(not x.is_finite() or x.rel_accuracy_bits() >= 64 for x in (value, bound))
        if relation and (sharp or bits >= 1024):
            return relation, _zeroed(value), _zeroed(bound)
        if 2 * bits > most:
            break
        bits *= 2
    if rule.exactly is not None:
        exact = rule.exactly(subject, weights, point)
        if None not in exact and sign_of_number(exact[0] - exact[1]) == 0:
            return "=", _zeroed(value), _zeroed(bound)
    return relation, value, bound


def _zeroed(ball):
    """0 for a ball around it that is too small to matter: what is shown of it is then 0."""
    return to_ball(0) if ball.contains(0) else ball


def _numbers(value, bound, relation: str) -> dict:
    """The two balls as floats and as text that stand in the relation as displayed."""
    first, second = float(value.mid()), float(bound.mid())
    if relation == "=":
        shown = f"{first:.12g}"
        return {"value": first, "bound": first, "relation": relation, "shown": (shown, shown)}
    if relation == "<" and not first < second:
        first, second = math.nextafter(first, -math.inf), math.nextafter(second, math.inf)
    if relation == ">" and not first > second:
        first, second = math.nextafter(first, math.inf), math.nextafter(second, -math.inf)
    return {"value": first, "bound": second, "relation": relation, "shown": _shown(value, bound)}


def _shown(value, bound) -> tuple[str, str]:
    """Both numbers to as many digits as tell them apart; beyond `DIGITS`, one by its distance from the other."""
    if not bound.is_finite():
        return _decimal(value, 6), "inf"
    for digits in range(6, DIGITS + 1):
        texts = _decimal(value, digits), _decimal(bound, digits)
        if texts[0] != texts[1]:
            return texts
    with working(64):
        gap = abs((value - bound).mid()).str(3, radius=False)
    near = _decimal(bound, 12)
    return f"{near} {'+' if value > bound else '-'} {gap}", near


def _decimal(ball, digits: int) -> str:
    """The middle of a ball."""
    with working(200):
        mantissa, exponent = (int(x) for x in (ball.mid() + 0).mid().man_exp())
    if abs(exponent) > 5000:  # exp(-500000) as a fraction has whole numbers that take seconds to print
        return to_str(from_man_exp(mantissa, exponent), digits)
    return format(in_digits(Fraction(mantissa) * Fraction(2) ** exponent, digits), "g")
