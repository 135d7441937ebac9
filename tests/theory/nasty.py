"""Formulas made to fool a prover, and an attack on what it says about them that knows where to look.

A formula is a harmless loss plus one or two terms with trouble at a random place: poles, jumps, saw-teeth, switches as
little as 1e-15 apart, kinks hidden in roots of squares, near-cancelling parts. The generator says where the trouble is
and how wide, so that the attack can sample on that scale. It evaluates the text itself in 150 digits by mpmath, in
more where two numbers of a witness cannot be told apart, and shares nothing with the engine: neither SymPy's rewriting
nor an enclosure.
"""

import random
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import mpmath

DIGITS = 150
MOST_DIGITS = 2400
"""Digits up to which a witness's numbers are looked at: a step of tanh may differ from a line by 1e-600 only."""
NAMES = ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan")
FUNCTIONS = {n: getattr(mpmath, n) for n in NAMES}


@dataclass(frozen=True)
class Nasty:
    """A formula's text, (place, width) of its troubles, and whether it certainly is no continuous function."""

    text: str
    spots: tuple[tuple[float, float], ...]
    broken: bool


BASES = ["1-u", "1-u", "exp(-u)", "(1-u)**2", "1-u**2", "-log(u+0.5)", "cos(u)", "2*exp(-u/3)", "-u-sin(6*u)/7"]

TERMS = [  # text, whether it breaks continuity; {c} place, {w} width, {h} height, {s} height / width, {k} frequency
    ("-max(0,min({s}*(u-{c}),{h}))", False),
    ("+max(0,min({s}*(u-{c}),{h}))", False),
    ("-max(0,min({s}*(exp(u)-exp({c})),{h}))", False),
    ("-{h}*min(1,max(0,(u-{c})/{w}))**2", False),
    ("+{h}*max(0,1-abs(u-{c})/{w})", False),
    ("-{h}*max(0,1-abs(u-{c})/{w})", False),
    ("+{f}*{w}*max(0,1-abs(u-{c})/{w})", False),
    ("-{h}*tanh((u-{c})/{w})", False),
    ("+{h}*tanh((u-{c})/{w})", False),
    ("+{f}*{w}*tanh((u-{c})/{w})", False),
    ("-{h}*atan((u-{c})/{w})", False),
    ("-{h}/(1+((u-{c})/{w})**2)", False),
    ("+{h}*{w}*log(((u-{c})/{w})**2+1)", False),
    ("+{h}*exp(-((u-{c})/{w})**2)", False),
    ("+{h}*abs(abs(u-{c})-{w})", False),
    ("-{h}*max(u-{c},min(2*(u-{c}),3*(u-{c})-{w}))", False),
    ("+{h}*max(0,{c}-u)**2", False),
    ("+{h}*max(0,exp({c})-exp(u))**2", False),
    ("+{h}*max(0,{c}-u)**0.5", False),
    ("-{h}*max(0,u-{c})**0.5", False),
    ("+{h}*sqrt((u-{c})**2+{w}**2)", False),
    ("+{h}*sqrt(u**2-2*{c}*u+{c}*{c})", False),
    ("-{h}*sqrt(u**2-2*{c}*u+{c}*{c})", False),
    ("+{h}*(u**2-2*{c}*u+{c}*{c})**1.5", False),
    ("-{h}*(u**2-2*{c}*u+{c}*{c})**0.25", False),
    ("+{h}*sqrt(exp(2*u)-2*exp({c})*exp(u)+exp(2*{c}))", False),
    ("-{h}*sqrt(1-cos({k}*(u-{c}))**2)", False),
    ("+{h}*log(exp(abs(u-{c})))", False),
    ("+{h}*(u-{c})**2-{h}*(u**2-2*{c}*u)", False),
    ("+{big}*(u-{c})-{big}*u", False),
    ("-{tiny}*tan({k}*u)", True),
    ("-{tiny}*atan(tan({k}*u+{c}))", True),
    ("+{tiny}*tanh(1/(u-{c}))", True),
    ("-{tiny}*tanh(1/(u-{c}))", True),
    ("-{tiny}/(u-{c})", True),
    ("+{tiny}/(u-{c})**2", True),
    ("-{tiny}*atan(1/(exp(u)-exp({c})))", True),
    ("-{tiny}*exp(-1/(u-{c})**2)", True),
    ("+{tiny}*log(abs(u-{c}))", True),
    ("+{tiny}*abs(u-{c})**-0.5", True),
    ("-{tiny}*(u-{c})/abs(u-{c})", True),
    ("-{tiny}*(u-{c})*((u-{c})**2)**-0.5", True),
    ("-{tiny}*sqrt(u-{c})", True),
]


def nasty(count: int, seed: int = 0) -> list[Nasty]:
    """So many formulas, the same for the same seed; not all of them are losses."""
    draw = random.Random(seed)
    found = []
    for _ in range(count):
        text, spots, broken = draw.choice(BASES), [(0.5, 0.1)], False
        for _ in range(draw.choice([1, 1, 2])):
            term, breaks = draw.choice(TERMS)
            digits = draw.choice([1, 2, 4, 4, 6])
            c = min(max(round(draw.uniform(0.02, 0.98), digits), 10.0**-digits), 1 - 10.0**-digits)
            w = float(f"1e-{draw.choice([1, 2, 3, 5, 8, 11, 13, 15])}")
            h = draw.choice([0.001, 0.1, 0.2, 0.4])
            k = draw.choice([2, 3, 7, 20])
            text += term.format(
                c=c, w=w, h=h, s=f"{h / w:.15g}", k=k, f=draw.choice([0.5, 0.9, 0.99, 1.01, 2]),
                big=draw.choice([1e8, 1e15]), tiny=draw.choice([1e-9, 1e-4, 0.01]),
            )  # fmt: skip
            spots += [(c, w), (c, 1e-3), (c, 1e-17)]
            if "tan({k}" in term:
                shift = c if "+{c}" in term else 0.0
                poles = [(mpmath.pi * (n + 0.5) - shift) / k for n in range(12)]
                spots += [(float(p), 10.0**-e) for p in poles if 0 < p < 1 for e in (3, 9, 15)]
                breaks = breaks and any(0 < p < 1 for p in poles)
            if "cos({k}" in term:
                spots += [(float(c + n * mpmath.pi / k), 1e-6) for n in range(-8, 9) if 0 < c + n * mpmath.pi / k < 1]
            broken = broken or breaks
        found.append(Nasty(text, tuple(spots), broken))
    return found


class Curve:
    """A formula's values in 150 digits, and points where it may be troubled."""

    def __init__(self, formula: Nasty):
        self.formula = formula
        self._code = compile(_exact_numbers(formula.text), "<formula>", "eval")
        draw = random.Random(formula.text)
        points = {Fraction(k, 48) for k in range(1, 49)}
        for place, width in formula.spots:
            for scale in (0.03, 0.3, 0.5, 0.9, 1, 1.1, 2, 7):
                for side in (-1, 1):
                    points.add(Fraction(str(round(place, 6))) + side * Fraction(scale) * Fraction(width))
                    points.add(Fraction(place) + side * Fraction(scale) * Fraction(width))
            points.add(Fraction(place) + Fraction(width) * Fraction(draw.random()))
            points.add(Fraction(str(round(place, 6))))
        self.points = sorted(p for p in points if 0 < p <= 1)
        self._values: dict = {}

    def __call__(self, point, digits: int = DIGITS):
        """l(point); at 0 nearly as many digits away from it."""
        point = Fraction(point) if point else Fraction(1, 10 ** (digits - 20))
        if (point, digits) not in self._values:
            with mpmath.workdps(digits):
                x = mpmath.mpf(point.numerator) / point.denominator
                value = eval(self._code, {**FUNCTIONS, "mpf": mpmath.mpf, "abs": abs, "min": min, "max": max, "u": x})
                self._values[point, digits] = _real(mpmath.mpmathify(value), digits)
        return self._values[point, digits]

    def values(self):
        return [self(p) for p in self.points]


def _exact_numbers(text: str) -> str:
    import re

    return re.sub(r"(?<![A-Za-z_])(\d+\.?\d*(?:[eE][-+]?\d+)?)", r"mpf('\1')", text)


def _real(value, digits: int):
    """A number that is real but for rounding: where its argument is 0, a root is that of the rounding."""
    assert abs(mpmath.im(value)) <= mpmath.mpf(10) ** (-digits // 3), value
    return mpmath.re(value)


def _sign(curve: Curve, difference) -> int:
    """The sign of `difference(l)`, l being the curve in ever more digits; 0 where the most do not tell it from 0.

    A value is believed beyond what twice the digits make of it.
    """
    digits = DIGITS
    while 2 * digits <= MOST_DIGITS:
        found = []
        for count in (digits, 2 * digits):
            with mpmath.workdps(count):
                found.append(difference(lambda x, count=count: curve(x, count)))
        with mpmath.workdps(2 * digits):
            error = abs(found[0] - found[1]) + mpmath.mpf(10) ** (20 - digits)
            if abs(found[1]) > 10 * error:
                return int(mpmath.sign(found[1]))
        digits *= 2
    return 0


SLACK = mpmath.mpf(10) ** -30


def attack(formula: Nasty, verdict: dict, weights=()) -> list[str]:
    """Contradictions of one verdict, given as JSON, on one curve; `weights` are the rows the noise claims speak of."""
    claim, holds = verdict["claim"], verdict["holds"]
    if holds is None:
        return []
    curve = Curve(formula)
    name = f"{formula.text}: {claim} {verdict['status']}"
    if formula.broken and holds:
        return [f"{name}, but it is no continuous function"]
    with mpmath.workdps(DIGITS):
        if holds:
            return [f"{name}, but {text}" for text in _false_yes(curve, claim, verdict, weights)]
        return [f"{name}, but {text}" for text in _false_no(curve, claim, verdict)]


def _false_yes(curve: Curve, claim: str, verdict: dict, weights) -> list[str]:
    points = curve.points
    if claim == "decreasing":
        return [f"l({float(y)}) >= l({float(x)})" for x, y in pairwise(points) if curve(y) >= curve(x)][:1]
    if claim in ("convex", "concave"):
        sign = 1 if claim == "convex" else -1
        for x, y, z in zip(points, points[1:], points[2:], strict=False):
            share = _ratio(z - y, z - x)
            chord = curve(x) * share + curve(z) * (1 - share)
            if sign * (curve(y) - chord) > SLACK:
                return [f"it is not at {float(y)}"]
        return []
    if claim == "symmetric":
        sums = [curve(x) + curve((1 - x) / 2) * 2 for x in points if x < 1]
        return ["the sums differ"] if max(sums) - min(sums) > SLACK else []
    if claim in ("asymmetric", "noise_tolerant"):
        return [text for w in weights for text in _better(curve, w)][:1]
    if claim == "completely_asymmetric":
        return _better(curve, (Fraction(51, 101), Fraction(50, 101), Fraction(0)))
    if claim == "calibrated":
        return _miscalibrated(curve)
    return []


def _ratio(a: Fraction, b: Fraction):
    q = a / b
    return mpmath.mpf(q.numerator) / q.denominator


def _number(x: Fraction):
    return mpmath.mpf(x.numerator) / x.denominator


def _risk(curve: Curve, point, weights):
    return mpmath.fsum(_number(w) * curve(x) for x, w in zip(point, weights, strict=True) if w)


def _better(curve: Curve, weights) -> list[str]:
    """A point of an edge, or with all three shares, with a lower risk than the vertex of the largest weight."""
    w = sorted((Fraction(x) for x in weights), reverse=True)
    vertex = _risk(curve, (1, 0, 0), w)
    tries = [(1 - t, t, Fraction(0)) for t in curve.points] + [(t, 1 - t, Fraction(0)) for t in curve.points]
    if w[2]:
        tries += [(1 - 2 * t, t, t) for t in curve.points if 2 * t <= 1]
        tries += [(t, (1 - t) / 2, (1 - t) / 2) for t in curve.points]
    for point in tries:
        if point[0] < 1 and _risk(curve, point, w) < vertex - SLACK:
            return [f"the risk at {[float(x) for x in point]} is below the vertex's for {[str(x) for x in w]}"]
    return []


def _miscalibrated(curve: Curve) -> list[str]:
    """With two labels of probability p > 1/2 the least risk must not be where the second is predicted."""
    points = sorted({p for x in curve.points for p in (x, 1 - x) if 0 < p < 1})
    for p in (Fraction(51, 100), Fraction(3, 5), Fraction(4, 5)):
        risks = {x: _number(p) * curve(x) + _number(1 - p) * curve(1 - x) for x in points}
        wrong = min(v for x, v in risks.items() if x <= Fraction(1, 2))
        right = min(v for x, v in risks.items() if x > Fraction(1, 2))
        near = Fraction(1, 2) + Fraction(1, 10**25)
        if wrong < min(right, _number(p) * curve(near) + _number(1 - p) * curve(1 - near)) - mpmath.mpf(10) ** -20:
            return [f"p = {float(p)} is best met by the wrong class"]
    return []


def _false_no(curve: Curve, claim: str, verdict: dict) -> list[str]:
    """Whether the witness does what it says."""
    from oracle import fraction

    witness = verdict["witness"]
    if witness is None:
        return ["there is no witness"]
    point = [fraction(str(x)) for x in witness["point"]]
    if claim == "decreasing":
        rises = point[0] < point[1] and _sign(curve, lambda at: at(point[1]) - at(point[0])) >= 0
        return [] if rises else ["l falls there"]
    if claim in ("convex", "concave"):
        x, y, z = point
        above = _sign(curve, lambda at: 2 * at(y) - at(x) - at(z))
        stands = y == (x + z) / 2 and above == (1 if claim == "convex" else -1)
        return [] if stands else ["the chord says otherwise"]
    if claim == "symmetric":
        even = Fraction(1, len(point))
        apart = _sign(curve, lambda at: mpmath.fsum(map(at, point)) - len(point) * at(even))
        return [] if apart else ["the sums agree"]
    if witness["weights"] and claim in ("asymmetric", "noise_tolerant", "completely_asymmetric"):
        w = [fraction(str(x)) for x in witness["weights"]]
        m = w.index(max(w))
        vertex = _risk(curve, [Fraction(int(i == m)) for i in range(len(w))], w)
        return [] if point[m] < 1 and _risk(curve, point, w) <= vertex + SLACK else ["the vertex is better"]
    return []


def attack_ratio(formula: Nasty, ratio: dict) -> list[str]:
    """Quotients that lie below the lower ends of the ratio's intervals."""
    if ratio["interval"] is None:
        return []
    if formula.broken:
        return [f"{formula.text}: a ratio for what is no continuous function"]
    curve = Curve(formula)
    draw = random.Random(1)
    found = []
    with mpmath.workdps(DIGITS):
        steps = sorted({*curve.points, *(b - a for a, b in pairwise(curve.points))})
        for d in steps:
            drop = curve(0) - curve(d)
            if drop <= SLACK:
                continue
            starts = [Fraction(0), 1 - d, *(x for x in draw.sample(curve.points, min(20, len(curve.points))))]
            for x in starts:
                if not 0 <= x <= 1 - d:
                    continue
                quotient = (curve(x) - curve(x + d)) / drop
                if quotient < ratio["interval"][0] - 1e-12:
                    return [f"{formula.text}: a quotient {float(quotient)} at {float(x)}, {float(d)} lies below r"]
                if x == 1 - d and quotient < ratio["upper_interval"][0] - 1e-12:
                    return [f"{formula.text}: a quotient {float(quotient)} at step {float(d)} lies below r_up"]
    return found
