"""Witnesses: points that refute, made only here and checked when they are made.

A witness is two numbers that contradict a claim. Both are computed from the loss, the weights and the point, in balls
of growing precision until these are disjoint in the right direction; where equality contradicts too, from an exact
difference that is 0. Where they do not contradict each other there is no witness, so the claim is not refuted.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import sympy
from mpmath.libmp import from_man_exp, to_str
from sympy import Expr

from alf.losses import u
from alf.theory.certify import as_rational
from alf.theory.enclosure import sign_of_number, to_ball, working
from alf.theory.minimum import is_least
from alf.theory.shape import Shape, shape_of
from alf.theory.structure import Structure
from alf.theory.verdict import Witness

MOST_BITS = 4096
DIGITS = 30
"""Beyond so many digits the difference is shown instead."""


@dataclass(frozen=True)
class Kind:
    """What the two numbers of a witness are, and which relations between them contradict the claim.

    Parameters
    ----------
    relations : str
        Those of ``<``, ``=`` and ``>`` that contradict.
    statement : str
        What a reader is told; with ``equal``, what the reader is told where the two are equal.
    labels : tuple of str
    numbers : callable
        (subject, weights, point, bits) -> two balls.
    difference : callable or None
        (subject, weights, point) -> value - bound, exact; for kinds that equality contradicts.
    fits : callable
        (subject, weights, point) -> whether the point is one that this kind is about.
    """

    relations: str
    statement: str
    labels: tuple[str, str]
    numbers: Callable
    fits: Callable
    difference: Callable | None = None
    equal: str = ""


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
    if "=" in rule.relations and rule.difference is not None:
        difference = rule.difference(subject, weights, point)
        if difference is not None and sign_of_number(difference) == 0:
            return "=", _zeroed(value), _zeroed(bound)
    return relation, value, bound


def _zeroed(ball):
    """0 for a ball around it that is too small to matter: what is shown of it is then 0."""
    return to_ball(0) if ball.contains(0) else ball


# --- how the two numbers are shown --------------------------------------------------------------------------------


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
    x, context = Fraction(mantissa) * Fraction(2) ** exponent, Context(prec=digits, rounding=ROUND_HALF_EVEN)
    return format(context.divide(Decimal(x.numerator), Decimal(x.denominator)).normalize(context), "g")


# --- curves -------------------------------------------------------------------------------------------------------


def exact_value(shape: Shape, x: Fraction) -> Expr | None:
    """l(x) as an exact number; None where an end has no limit."""
    if x in (0, 1):
        return shape.at_zero if x == 0 else shape.at_one
    for piece in shape.pieces if shape.located else ():
        if piece.lo <= x <= piece.hi:
            return piece.expression.subs(u, as_rational(x))
    return shape.expression.subs(u, as_rational(x))


def _rise(shape: Shape, _, point, bits: int):
    return shape.value(point[1], bits), shape.value(point[0], bits)


def _rise_exactly(shape: Shape, _, point) -> Expr | None:
    first, last = (exact_value(shape, x) for x in point)
    return None if first is None or last is None else last - first


def _chord(shape: Shape, _, point, bits: int):
    with working(bits):
        return shape.value(point[1], bits), (shape.value(point[0], bits) + shape.value(point[2], bits)) / 2


def _in_order(_, weights, point) -> bool:
    return 0 <= point[0] < point[-1] <= 1 and (len(point) < 3 or point[0] + point[2] == 2 * point[1])


# --- predictions --------------------------------------------------------------------------------------------------


def top(values) -> int:
    """The place of the largest."""
    return max(range(len(values)), key=lambda i: values[i])


def vertex(place: int, classes: int) -> tuple[Fraction, ...]:
    """The prediction that is sure of one class.

    >>> vertex(1, 3)
    (Fraction(0, 1), Fraction(1, 1), Fraction(0, 1))
    """
    return tuple(Fraction(int(i == place)) for i in range(classes))


def _on_simplex(structure: Structure, point) -> bool:
    return len(point) == structure.classes and sum(point) == 1 and min(point) >= 0


def _away(structure: Structure, weights, point) -> bool:
    """A prediction that is not e_m, for weights with one largest."""
    m = top(weights)
    unique = sum(1 for w in weights if w == weights[m]) == 1
    return _on_simplex(structure, point) and len(weights) == len(point) and unique and point[m] != 1


def _at_vertex(structure: Structure, weights, point, bits: int):
    corner = vertex(top(weights), len(point))
    return structure.risk(point, weights, bits), structure.risk(corner, weights, bits)


def _at_vertex_exactly(structure: Structure, weights, point) -> Expr | None:
    parts = [_exact_risk(structure, weights, x) for x in (point, vertex(top(weights), len(point)))]
    return None if None in parts else parts[0] - parts[1]


def _exact_risk(structure: Structure, weights, point) -> Expr | None:
    total, mass = sympy.Integer(0), sum(weights)
    summands = [(shape_of(structure.h), weights), (shape_of(structure.sigma), [mass] * len(point))]
    for shape, shares in summands:
        for x, w in zip(point, shares, strict=True):
            if w == 0 or shape.expression == 0:
                continue
            value = exact_value(shape, x)
            if value is None or not value.is_finite:
                return None
            total += as_rational(w) * value
    for part in structure.normalised:
        there = {w for x, w in zip(point, weights, strict=True) if x == 0}
        if part.singular and there:
            if len(there) > 1:
                return None
            total += part.weight * as_rational(there.pop())
            continue
        values = [exact_value(shape_of(part.summand), x) for x in point]
        if any(v is None or not v.is_finite for v in values):
            return None
        above = sum(as_rational(w) * v for w, v in zip(weights, values, strict=True))
        total += part.weight * above / sum(values)
    return total


def _singular(structure: Structure) -> bool:
    return bool(structure.normalised) and all(p.singular for p in structure.normalised) and structure.classes >= 3


def _against_limit(structure: Structure, weights, point, bits: int):
    """Normalised parts bring a risk that is a mean of the weights, which tends to the least along a path into e_m."""
    corner = vertex(top(weights), len(point))
    with working(bits):
        least = sum((to_ball(p.weight) for p in structure.normalised), to_ball(0)) * to_ball(min(weights))
        return structure.risk(point, weights, bits), least + structure.rest.risk(corner, weights, bits)


def _against_limit_exactly(structure: Structure, weights, point) -> Expr | None:
    here = _exact_risk(structure, weights, point)
    rest = _exact_risk(structure.rest, weights, vertex(top(weights), len(point)))
    if here is None or rest is None:
        return None
    return here - rest - sum(p.weight for p in structure.normalised) * as_rational(min(weights))


def _is_limit(structure: Structure, weights, point) -> bool:
    return _singular(structure) and _away(structure, weights, point)


def predicts_wrongly(weights, point) -> bool:
    """Whether a class that is not most probable has the largest share, alone or tied."""
    return any(x == max(point) and w < max(weights) for x, w in zip(point, weights, strict=True))


def _against_least(structure: Structure, weights, point, bits: int):
    here = structure.risk(point, weights, bits)
    if not structure.normalised:  # certified to be the least by `fits`
        return here, here
    with working(bits):
        return here, sum((to_ball(p.weight) for p in structure.normalised), to_ball(0)) * to_ball(min(weights))


def _against_least_exactly(structure: Structure, weights, point) -> Expr | None:
    if not structure.normalised:
        return sympy.Integer(0)
    here = _exact_risk(structure, weights, point)
    return None if here is None else here - sum(p.weight for p in structure.normalised) * as_rational(min(weights))


def _is_least_and_wrong(structure: Structure, weights, point) -> bool:
    if not _on_simplex(structure, point) or min(weights) < 0 or not predicts_wrongly(weights, point):
        return False
    if structure.normalised:  # the risk is a mean of the weights
        return structure.h == 0 and structure.sigma == 0
    return is_least(structure, weights, point)


def _sums(structure: Structure, _, point, bits: int):
    """sum_i L(u, i) at a point and at the uniform prediction; a normalised part sums to its weight."""
    f, even = shape_of(sum_function(structure)), Fraction(1, len(point))
    with working(bits):
        more = sum((to_ball(p.weight) for p in structure.normalised), to_ball(0))
        here = sum((f.value(x, bits) for x in point), more)
        return here, more + len(point) * f.value(even, bits)


def sum_function(structure: Structure) -> Expr:
    """f with sum_i L(u, i) = constant + sum_i f(u_i)."""
    return sympy.expand_mul(structure.h + structure.classes * structure.sigma)


def _excesses(structure: Structure, weights, point, bits: int):
    """0-1 excess of a prediction, and twice the excess of a completely asymmetric loss, whose least risk is at the
    vertex of a most probable class."""
    curve, most = shape_of(structure.h), max(weights)
    with working(bits):
        low, high = curve.value(1, bits), curve.value(0, bits)
        least = to_ball(most) * low + to_ball(sum(weights) - most) * high
        scaled = (structure.risk(point, weights, bits) - least) / (high - low)
        return to_ball(most - weights[top(point)]), 2 * scaled


def _one_prediction(structure: Structure, weights, point) -> bool:
    return _on_simplex(structure, point) and structure.pointwise and sum(1 for x in point if x == max(point)) == 1


def _entries(pair, *_):
    return to_ball(pair[0]), to_ball(pair[1])


KINDS: dict[str, Kind] = {
    "rise": Kind(
        ">=",
        "The loss rises from the first point to the second.",
        ("l at the second", "l at the first"),
        _rise,
        _in_order,
        _rise_exactly,
        "The loss is the same at the two points, so it does not fall between them.",
    ),
    "above chord": Kind(
        ">",
        "At the middle point the loss is above the chord between the outer two.",
        ("l at the middle", "chord at the middle"),
        _chord,
        _in_order,
    ),
    "below chord": Kind(
        "<",
        "At the middle point the loss is below the chord between the outer two.",
        ("l at the middle", "chord at the middle"),
        _chord,
        _in_order,
    ),
    "sums": Kind(
        "<>",
        "The sums of the losses over all labels differ at this point and at the uniform prediction.",
        ("sum at the point", "sum at the uniform prediction"),
        _sums,
        lambda structure, _, point: _on_simplex(structure, point),
    ),
    "vertex": Kind(
        "<=",
        "The weighted risk at this point is lower than at the vertex e_m.",
        ("risk at the point", "risk at e_m"),
        _at_vertex,
        _away,
        _at_vertex_exactly,
        "The weighted risk at this point equals that at the vertex e_m, so e_m is not the only minimiser.",
    ),
    "limit": Kind(
        "<=",
        "The risk at this point is lower than every limit that the risk has along a path to e_m.",
        ("risk at the point", "least limit of the risk at e_m"),
        _against_limit,
        _is_limit,
        _against_limit_exactly,
        "The risk at this point, away from e_m, is no higher than any limit that it has along a path to e_m.",
    ),
    "least": Kind(
        "=",
        "No prediction has a lower conditional risk than this one, which gives its largest share to a class that is "
        "not most probable.",
        ("risk at the point", "least risk of any prediction"),
        _against_least,
        _is_least_and_wrong,
        _against_least_exactly,
    ),
    "constant": Kind(
        ">",
        "The 0-1 excess of this prediction is above twice the scaled excess of the loss.",
        ("0-1 excess", "2 x (L excess) / (l(0) - l(1))"),
        _excesses,
        _one_prediction,
    ),
    "dominance": Kind(
        "<=",
        "Another given label is at least as likely as the clean one: clean labels do not dominate.",
        ("probability of the clean label", "probability of the other"),
        _entries,
        lambda pair, weights, _: pair[0] in weights and pair[1] in weights,
        lambda pair, *_: as_rational(pair[0] - pair[1]),
    ),
}
"""What a witness may show, by name."""

CLAIMED: dict[str, tuple[str, ...]] = {
    "decreasing": ("rise",),
    "convex": ("above chord",),
    "concave": ("below chord",),
    "symmetric": ("sums",),
    "asymmetric": ("vertex", "limit"),
    "noise_tolerant": ("vertex", "limit", "dominance"),
    "completely_asymmetric": ("vertex", "limit"),
    "calibrated": ("least",),
    "excess_risk": (),
}
"""The kinds of witness that refute a claim."""
