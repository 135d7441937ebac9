"""The kinds of witnesses: for each, its two numbers in balls and exactly, and the points that it is about."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import Expr

from alf.numbers import as_rational
from alf.theory.arithmetic.balls import to_ball, working
from alf.theory.curve.shape import Shape, exact_value, shape_of
from alf.theory.risk.multiplier import is_least
from alf.theory.risk.structure import Structure, top, vertex


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
    exactly : callable or None
        (subject, weights, point) -> the two numbers, each exact or None; for kinds that equality contradicts.
    fits : callable
        (subject, weights, point) -> whether the point is one that this kind is about.
    """

    relations: str
    statement: str
    labels: tuple[str, str]
    numbers: Callable
    fits: Callable
    exactly: Callable | None = None
    equal: str = ""


def _rise(shape: Shape, _, point, bits: int):
    return shape.value(point[1], bits), shape.value(point[0], bits)


def _rise_exactly(shape: Shape, _, point):
    return exact_value(shape, point[1]), exact_value(shape, point[0])


def _chord(shape: Shape, _, point, bits: int):
    with working(bits):
        return shape.value(point[1], bits), (shape.value(point[0], bits) + shape.value(point[2], bits)) / 2


def _in_order(_, weights, point) -> bool:
    return 0 <= point[0] < point[-1] <= 1 and (len(point) < 3 or point[0] + point[2] == 2 * point[1])


def _on_simplex(structure: Structure, point) -> bool:
    return len(point) == structure.classes and sum(point) == 1 and min(point) >= 0


def _away(structure: Structure, weights, point) -> bool:
    """A prediction that is not e_m, for weights with one largest."""
    unique = len(weights) == len(point) and weights.count(max(weights)) == 1
    return _on_simplex(structure, point) and unique and point[top(weights)] != 1


def _at_vertex(structure: Structure, weights, point, bits: int):
    corner = vertex(top(weights), len(point))
    return structure.risk(point, weights, bits), structure.risk(corner, weights, bits)


def _at_vertex_exactly(structure: Structure, weights, point):
    corner = vertex(top(weights), len(point))
    return _exact_risk(structure, weights, point), _exact_risk(structure, weights, corner)


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
        total += part.weight * above / sympy.Add(*values)
    return total


def _against_limit(structure: Structure, weights, point, bits: int):
    """Normalised parts bring a risk that is a mean of the weights, which tends to the least along a path into e_m."""
    corner = vertex(top(weights), len(point))
    with working(bits):
        least = sum((to_ball(p.weight) for p in structure.normalised), to_ball(0)) * to_ball(min(weights))
        return structure.risk(point, weights, bits), least + structure.rest.risk(corner, weights, bits)


def _against_limit_exactly(structure: Structure, weights, point):
    rest = _exact_risk(structure.rest, weights, vertex(top(weights), len(point)))
    least = sum(p.weight for p in structure.normalised) * as_rational(min(weights))
    return _exact_risk(structure, weights, point), None if rest is None else rest + least


def _is_limit(structure: Structure, weights, point) -> bool:
    parts = structure.normalised
    singular = bool(parts) and all(part.singular for part in parts) and structure.classes >= 3
    return singular and _away(structure, weights, point)


def predicts_wrongly(weights, point) -> bool:
    """Whether a class that is not most probable has the largest share, alone or tied."""
    return any(x == max(point) and w < max(weights) for x, w in zip(point, weights, strict=True))


def _against_least(structure: Structure, weights, point, bits: int):
    here = structure.risk(point, weights, bits)
    if not structure.normalised:  # certified to be the least by `fits`
        return here, here
    with working(bits):
        return here, sum((to_ball(p.weight) for p in structure.normalised), to_ball(0)) * to_ball(min(weights))


def _against_least_exactly(structure: Structure, weights, point):
    here = sympy.Integer(0) if not structure.normalised else _exact_risk(structure, weights, point)
    return here, sum(p.weight for p in structure.normalised) * as_rational(min(weights))


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
        lambda pair, *_: (as_rational(pair[0]), as_rational(pair[1])),
    ),
}
"""What a witness may show, by name."""
