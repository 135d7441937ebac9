"""Witnesses computed again from their points, in as many digits as these need: no number of a verdict is believed.

Like `oracle` it shares no code with `alf.theory`: which two numbers contradict which claim is written down here anew.
"""

import re
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
from oracle import DIGITS, Attack, _exact, fraction, simplex

KINDS = {
    "decreasing": {"rise"},
    "convex": {"above chord"},
    "concave": {"below chord"},
    "symmetric": {"sums"},
    "asymmetric": {"vertex", "limit"},
    "noise_tolerant": {"vertex", "limit", "dominance"},
    "completely_asymmetric": {"vertex", "limit"},
    "calibrated": {"least"},
    "excess_risk": {"constant"},
}
CONTRADICTS = {"rise": ">=", "above chord": ">", "below chord": "<", "sums": "<>", "vertex": "<=", "limit": "<=",
               "dominance": "<=", "least": "=", "constant": ">"}  # fmt: skip
STANDS = {"<": lambda a, b: a < b, "=": lambda a, b: a == b, ">": lambda a, b: a > b}


def check_witness(loss, classes: int, witness: dict, claim: str) -> list[str]:
    """Whether a witness, as JSON, refutes a claim; what is wrong with it, as sentences."""
    if witness is None:
        return [f"{loss.spec}: {claim} is refuted without a witness"]
    kind, relation = witness["kind"], witness["relation"]
    if kind not in KINDS[claim] or relation not in CONTRADICTS[kind]:
        return [f"{loss.spec}: a witness of kind {kind}, {relation}, does not refute {claim}"]
    point, weights = ([fraction(x) for x in witness[k]] for k in ("point", "weights"))
    deepest = max((x.denominator.bit_length() for x in (*point, *weights)), default=0)
    digits = DIGITS + 20 + 45 * deepest // 100
    found = NUMBERS[kind](loss, classes, point, weights, witness, digits)
    if isinstance(found, str):
        return [f"{loss.spec}: {claim}: {found}"]
    value, bound = found
    with mpmath.workdps(digits):
        near = mpmath.isfinite(bound) and abs(value - bound) <= mpmath.mpf(10) ** (15 - digits) * (1 + abs(bound))
        stands = near if relation == "=" else STANDS[relation](value, bound) and not near
    problems = [] if stands else [f"{value} is not {relation} {bound}"]
    for name, number in (("value", value), ("bound", bound)):
        if not _close(float(witness[name]), number):
            problems.append(f"the {name} is {mpmath.nstr(number, 12)}, not {witness[name]}")
    if not STANDS[relation](float(witness["value"]), float(witness["bound"])):
        problems.append(f"as displayed, {witness['value']} is not {relation} {witness['bound']}")
    if all(re.fullmatch(r"-?[0-9.]+(e[+-]?\d+)?|inf", x) for x in witness["shown"]) and not STANDS[relation](
        *map(Decimal, witness["shown"])
    ):
        problems.append(f"the digits {witness['shown']} do not stand as {relation}")
    return [f"{loss.spec}: {claim} by {kind} at {witness['point'][:4]}: {p}" for p in problems]


def _close(stated: float, number) -> bool:
    if mpmath.isinf(number):
        return stated == float(number)
    return abs(stated - float(number)) <= 1e-9 * (abs(stated) + abs(float(number))) + 1e-300


def at(loss, x, digits: int):
    """l(x) of a loss of u_y alone; at 0 and 1 its value, or, where it has none there, that very close by."""
    attack = Attack(loss, 2)
    with mpmath.workdps(digits):
        others = [mpmath.mpf(1) for _ in attack.symbols]
        if x in (0, 1):
            try:
                found = mpmath.re(attack._g(mpmath.mpf(int(x)), *others))
                if mpmath.isfinite(found):
                    return found
            except (ZeroDivisionError, ValueError):
                pass
            tiny = mpmath.mpf(10) ** -(3 * digits)
            with mpmath.workdps(4 * digits):
                return mpmath.re(attack._g(tiny if x == 0 else 1 - tiny, *others))
        return mpmath.re(attack._g(_exact(x), *others))


def _rise(loss, classes, point, weights, witness, digits):
    x, y = point
    return (at(loss, y, digits), at(loss, x, digits)) if 0 <= x < y <= 1 else "the points are not in order"


def _chord(loss, classes, point, weights, witness, digits):
    x, middle, y = point
    if not 0 <= x < middle < y <= 1 or x + y != 2 * middle:
        return "the points are not evenly spaced"
    with mpmath.workdps(digits):
        return at(loss, middle, digits), (at(loss, x, digits) + at(loss, y, digits)) / 2


def _sums(loss, classes, point, weights, witness, digits):
    if not _on_simplex(point, classes):
        return "no point of the simplex"
    attack = Attack(loss, classes)
    with mpmath.workdps(digits):
        return tuple(mpmath.fsum(attack.vector(p, digits)) for p in (point, [Fraction(1, classes)] * classes))


def _on_simplex(point, classes: int) -> bool:
    return len(point) == classes and sum(point) == 1 and min(point) >= 0


def risk(loss, classes: int, point, weights, digits: int):
    """sum_i w_i L(point, i), exactly at the ends where L has a value there."""
    attack = Attack(loss, classes)
    with mpmath.workdps(digits):
        if loss.pointwise:
            return mpmath.fsum(_exact(w) * at(loss, x, digits) for x, w in zip(point, weights, strict=True) if w)
        return attack.risk(point, weights, digits)


def _risks(loss, classes, point, weights, witness, digits):
    """The risk at a point and at the vertex of the largest weight, or its least limit there."""
    if not _on_simplex(point, classes) or len(weights) != classes:
        return f"{len(point)} coordinates and {len(weights)} weights for K = {classes}, or no point of the simplex"
    m = max(range(classes), key=lambda i: weights[i])
    if weights.count(weights[m]) > 1 or point[m] == 1:
        return "the largest weight is not the only one, or the point is its vertex"
    attack = Attack(loss, classes)
    here = risk(loss, classes, point, weights, digits)
    if witness["bound"] == "inf":
        if not attack.infinite_at(m, weights) or not here < 1e15:
            return "the risk at the vertex is finite, or that at the point is not"
        return here, mpmath.inf
    if attack.normalised:
        with mpmath.workdps(digits):
            return here, attack.at_vertex(m, weights)
    return here, risk(loss, classes, [Fraction(int(i == m)) for i in range(classes)], weights, digits)


def _entries(loss, classes, point, weights, witness, digits):
    """The two entries of a row of the noise matrix, by their places in the labels."""
    (y, here), (_, other) = (map(int, re.fullmatch(r"T\[(\d+), (\d+)\]", text).groups()) for text in witness["labels"])
    if sum(weights) != 1 or len(weights) != classes or y != here:
        return "no row of a noise matrix, or the first entry is not the clean label's"
    return _exact(weights[here - 1]), _exact(weights[other - 1])


def _least(loss, classes, point, weights, witness, digits):
    """The risk of a wrong prediction, and the least found among very many predictions."""
    if not _on_simplex(point, classes) or abs(sum(weights) - 1) != 0 or min(weights) < 0:
        return "no point of the simplex, or no probabilities"
    if not any(x == max(point) and w < max(weights) for x, w in zip(point, weights, strict=True)):
        return "the prediction is right"
    attack = Attack(loss, classes)
    here = risk(loss, classes, point, weights, digits)
    if attack.normalised:
        with mpmath.workdps(digits):
            return here, attack.at_vertex(0, weights)
    w = np.array([float(x) for x in weights])
    away = simplex(classes)
    centre = np.array([float(x) for x in point])
    near = [centre + s * (away - centre) for s in (0.3, 0.03, 0.001)]
    with np.errstate(all="ignore"):
        risks = [np.where(w > 0, attack.fast_vector(p) * w, 0.0).sum(axis=1) for p in (away, *near)]
    least = min(float(np.nanmin(r)) for r in risks)
    if least < float(here) - 1e-11 * (1 + abs(float(here))):
        return f"a prediction has the risk {least}, below {float(here)}"
    return here, here


def _excesses(loss, classes, point, weights, witness, digits):
    """The 0-1 excess, and twice the scaled excess of the loss over the best risk there is."""
    if not _on_simplex(point, classes) or sum(weights) != 1:
        return "no point of the simplex, or no probabilities"
    predicted = max(range(classes), key=lambda i: point[i])
    if point.count(point[predicted]) > 1:
        return "two classes are predicted"
    m = max(range(classes), key=lambda i: weights[i])
    with mpmath.workdps(digits):
        best = risk(loss, classes, [Fraction(int(i == m)) for i in range(classes)], weights, digits)
        drop = at(loss, 0, digits) - at(loss, 1, digits)
        scaled = (risk(loss, classes, point, weights, digits) - best) / drop
        return _exact(weights[m] - weights[predicted]), 2 * scaled


NUMBERS = {
    "rise": _rise, "above chord": _chord, "below chord": _chord, "sums": _sums, "vertex": _risks, "limit": _risks,
    "dominance": _entries, "least": _least, "constant": _excesses,
}  # fmt: skip
