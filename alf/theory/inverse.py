"""The questions turned round: which hyperparameters make a loss tolerant, and how much noise does it tolerate?"""

from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from fractions import Fraction
from itertools import pairwise

import sympy
from sympy import Expr, Rational, Symbol, oo

from alf.errors import InputError
from alf.losses import Loss
from alf.theory.asymmetry import decide
from alf.theory.certify import as_rational
from alf.theory.claims import prove
from alf.theory.enclosure import constant_ball, one_at_a_time
from alf.theory.progress import stage
from alf.theory.ratios import critical_noise, ratio_of
from alf.theory.structure import single
from alf.theory.verdict import Step, step

R = Symbol("R", positive=True)
"""w_m / w_n, the largest weight over the second largest, in the hardest row of the noise."""


@dataclass(frozen=True)
class Stretch:
    """Values of a parameter between `low` and `high`; `holds` where the loss is tolerant at both, as far as tested."""

    low: float
    high: float
    holds: bool | None


@dataclass(frozen=True)
class Region:
    """For which values of a parameter a loss tolerates a noise, the other parameters as they are.

    Parameters
    ----------
    parameter : str
    status : str
        proved where a formula was found, certified where the boundary was bracketed (tolerant at one end of the
        bracket, not at the other), observed for the stretches between tested values.
    formula : Expr or None
        The boundary in R = w_m/w_n.
    value : float or None
        The boundary for this noise, None where there is none in the domain; of a bracket the end that tolerates.
    interval : tuple of float or None
        Enclosure of the boundary; None where a bracket has no end at which the loss is known not to tolerate.
    relation : str
        ">=" or "<=": on which side of the boundary the loss tolerates, "always" or "never" where there is none.
    stretches : tuple of Stretch
        What was found over the domain.
    """

    parameter: str
    status: str
    formula: Expr | None
    value: float | None
    interval: tuple[float, float] | None
    relation: str
    stretches: tuple[Stretch, ...] = ()
    steps: tuple[Step, ...] = field(default=(), repr=False)

    def to_json(self) -> dict:
        return {
            "parameter": self.parameter,
            "status": self.status,
            "formula": None if self.formula is None else str(self.formula),
            "value": self.value,
            "interval": self.interval and list(self.interval),
            "relation": self.relation,
            "stretches": [[s.low, s.high, s.holds] for s in self.stretches],
            "steps": [s.to_json() for s in self.steps],
        }


def hardest_share(noise) -> Fraction:
    """The least w_m/w_n over the rows of a noise matrix; infinite rows (no noise) do not count.

    >>> from alf.noise import parse_noise
    >>> hardest_share(parse_noise("pair:0.4", 10))
    Fraction(3, 2)
    """
    shares = []
    for row in noise.exact:
        ordered = sorted(row, reverse=True)
        if ordered[1] > 0:
            shares.append(Fraction(ordered[0]) / ordered[1])
    return min(shares, default=Fraction(0))


@one_at_a_time
def tolerant_region(loss: Loss, parameter: str, noise) -> Region:
    """For which values of one parameter the loss tolerates a noise.

    Parameters
    ----------
    loss : Loss
        The other parameters' values are its own.
    parameter : str
    noise : Noise
        With a matrix; its clean labels must dominate.

    Examples
    --------
    >>> from alf.losses import parse
    >>> from alf.noise import parse_noise
    >>> found = tolerant_region(parse("ael:a=2"), "a", parse_noise("pair:0.4", 10))
    >>> found.formula, found.relation, round(found.value, 6)
    (1/log(R), '>=', 2.466303)
    """
    chosen = loss.declaration.parameter(parameter)
    if noise.exact is None:
        raise InputError("noise: a model with one matrix is needed, got instance-dependent noise")
    if not noise.clean_dominates:
        raise InputError("noise: clean labels must be the likeliest in every row, got a matrix where they are not")
    share = hardest_share(noise)
    if share == 0:
        return Region(parameter, "proved", None, None, None, "always", steps=(step("There is no noise to tolerate."),))
    found = _by_formula(loss, chosen, share)
    return found if found is not None else _by_search(loss, chosen, noise)


def _by_formula(loss: Loss, parameter, share: Fraction) -> Region | None:
    """The ratio's formula solved for the parameter."""
    if not loss.pointwise or single(loss) != loss:
        return None
    ratio = ratio_of(loss)
    symbol = parameter.symbol
    if ratio.formula is None or not ratio.formula.has(symbol):
        return None
    stage("solving the ratio's formula for the parameter")
    try:
        solutions = sympy.solve(sympy.Eq(sympy.log(ratio.formula), -sympy.log(R)), symbol)
    except NotImplementedError:
        return None
    others = {s: v for s, v in loss.substitution.items() if s != symbol}
    for solution in solutions:
        formula = sympy.simplify(solution)
        exact = formula.subs(others).subs(R, as_rational(share))
        if not exact.is_number or not exact.is_real:
            continue
        ball = constant_ball(exact, 100)
        value = float(ball)
        gap = constant_ball(ratio.formula.subs(others).subs(symbol, exact) - 1 / as_rational(share), 200)
        if not gap.contains(0) or not _between(value, parameter):
            continue
        relation = _side(loss, parameter, value, share)
        if relation is None:
            continue
        tex = f"{sympy.latex(symbol)} \\{'ge' if relation == '>=' else 'le'} {sympy.latex(formula)}"
        text = f"The ratio is at least 1/R exactly for {symbol} {relation} this, R = w_m/w_n = {share} here."
        steps = (*ratio.steps, Step(text, formula, tex, "proved"))
        ends = (float(ball.lower()), float(ball.upper()))
        return Region(parameter.name, "proved", formula, value, ends, relation, steps=steps)
    return None


def _between(value: float, parameter) -> bool:
    return float(parameter.domain.lower) <= value <= float(parameter.domain.upper)


def _side(loss: Loss, parameter, value: float, share: Fraction) -> str | None:
    """On which side of the boundary the ratio is large enough, tested a little way off on both."""
    answers = []
    for factor in (Fraction(99, 100), Fraction(101, 100)):
        middle = Fraction(value).limit_denominator(10**9)
        base = parameter.domain.lower
        near = Fraction(int(base)) + (middle - int(base)) * factor if base not in (-oo, oo) else middle * factor
        exact = as_rational(near)
        if exact not in parameter.domain:
            return None
        other = ratio_of(loss.replace(**{parameter.name: exact}))
        if other.interval is None:
            return None
        answers.append(other.interval[0] * float(share) > 1)
    return {(False, True): ">=", (True, False): "<="}.get(tuple(answers))


def _tolerates(loss: Loss, noise) -> bool | None:
    """What the claim says about this very loss: what it leaves open is not offered as tolerant."""
    return prove("noise_tolerant", loss, noise, noise.classes).holds


def inward(loss: Loss, region: Region, noise, digits: int) -> Rational | None:
    """The end of the tolerant range as a reader may type it: rounded into the range, and proved to tolerate.

    Parameters
    ----------
    loss : Loss
        As it was given to `tolerant_region`.
    region : Region
    noise : Noise
    digits : int
        Significant digits; more are taken where so few miss a narrow range.

    Returns
    -------
    Rational or None
        None where the range has no end, or no rounding of it is proved to tolerate.

    Examples
    --------
    >>> from alf.losses import parse
    >>> from alf.noise import parse_noise
    >>> loss, noise = parse("ael:a=2"), parse_noise("pair:0.4", 10)
    >>> float(inward(loss, tolerant_region(loss, "a", noise), noise, 3))
    2.47
    """
    if region.relation not in (">=", "<=") or region.value is None:
        return None
    rounding = ROUND_CEILING if region.relation == ">=" else ROUND_FLOOR
    domain = loss.declaration.parameter(region.parameter).domain
    for precision in range(digits, 18):
        end = Rational(str(Context(prec=precision, rounding=rounding).create_decimal(region.value)))
        if end not in domain:
            continue
        stage(f"testing {region.parameter} = {float(end):.6g}")
        if _tolerates(loss.replace(**{region.parameter: end}), noise):
            return end
    return None


def _by_search(loss: Loss, parameter, noise, width: float = 1e-3, values: int = 8) -> Region:
    """Values over the slider's range tested, and every end of a tolerant stretch bracketed by bisection."""
    low, high = (Fraction(str(x)) for x in parameter.slider)
    tested = [(low + (high - low) * Fraction(k, values)).limit_denominator(10**6) for k in range(values + 1)]
    tested += [Fraction(int(b.p), int(b.q)) for b in parameter.breakpoints if b.is_Rational]
    tested = [x for x in sorted(set(tested)) if as_rational(x) in parameter.domain]
    answers = {}

    def ask(x: Fraction) -> bool | None:
        if x not in answers:
            stage(f"testing {parameter.name} = {float(x):.6g}")
            answers[x] = _tolerates(loss.replace(**{parameter.name: as_rational(x)}), noise)
        return answers[x]

    def stretch(a: Fraction, b: Fraction) -> Stretch:
        return Stretch(float(a), float(b), ask(a) if ask(a) == ask(b) else None)

    stretches, boundaries = [], []
    for a, b in pairwise(tested):
        first = ask(a) is True
        if first == (ask(b) is True):
            stretches.append(stretch(a, b))
            continue
        left, right = a, b
        # an open answer counts as no: only what is proved to tolerate is in the range
        while right - left > Fraction(str(width)) * max(abs(right), Fraction(1, 100)):
            middle = ((left + right) / 2).limit_denominator(10**9)
            left, right = (middle, right) if (ask(middle) is True) == first else (left, middle)
        stretches += [stretch(a, left), stretch(right, b)]
        boundaries.append((a, left, right, b, first))
    joined = _joined(stretches)
    if not boundaries:
        found = {ask(x) for x in tested}
        relation = "?" if len(found) > 1 else {True: "always", False: "never"}.get(found.pop(), "?")
        same = "is the same" if relation != "?" else "is never yes, and somewhere open,"
        text = f"The answer {same} at {len(tested)} values from {float(low)} to {float(high)}."
        return Region(parameter.name, "observed", None, None, None, relation, joined, (step(text, status="observed"),))
    a, left, right, b, first = boundaries[0]
    relation = "?" if len(boundaries) > 1 else "<=" if first else ">="
    tolerant = left if first else right
    failing = [x for x, answer in answers.items() if answer is False and a <= x <= b]
    if not failing:
        text = f"Tolerant at {float(tolerant)}; what lies beyond was not settled."
        more = (step(text, status="observed"),)
        return Region(parameter.name, "observed", None, float(tolerant), None, relation, joined, more)
    nearest = float(min(failing) if first else max(failing))
    ends = (float(left), nearest) if first else (nearest, float(right))
    text = f"Tolerant at one end of [{ends[0]}, {ends[1]}] and not at the other: the boundary lies between."
    more = (step(text, status="certified"),)
    return Region(parameter.name, "certified", None, float(tolerant), ends, relation, joined, more)


def _joined(stretches) -> tuple[Stretch, ...]:
    found: list[Stretch] = []
    for s in stretches:
        if found and found[-1].holds == s.holds and found[-1].high == s.low:
            found[-1] = Stretch(found[-1].low, s.high, s.holds)
        else:
            found.append(s)
    return tuple(found)


@dataclass(frozen=True)
class Tolerated:
    """The largest noise rate that a loss tolerates.

    `rate` is the boundary, `interval` what is certain: tolerated below its low end, not tolerated above its high end.
    `exact` is the boundary where it is known exactly.
    """

    kind: str
    classes: int
    rate: float
    interval: tuple[float, float]
    exact: Expr | None
    status: str

    def to_json(self) -> dict:
        return {
            "kind": self.kind,
            "classes": self.classes,
            "rate": self.rate,
            "interval": list(self.interval),
            "exact": None if self.exact is None else str(self.exact),
            "status": self.status,
        }


@one_at_a_time
def tolerated_rate(loss: Loss, kind: str, classes: int = 10) -> Tolerated:
    """The largest rate of symmetric or pair noise that a loss tolerates.

    Parameters
    ----------
    loss : Loss
    kind : str
        ``symmetric`` or ``pair``.
    classes : int

    Examples
    --------
    >>> from alf.losses import parse
    >>> round(tolerated_rate(parse("amse:a=5"), "symmetric", 3).rate, 3)
    0.533
    """
    if kind not in ("symmetric", "pair"):
        raise InputError(f"noise kind must be symmetric or pair, got {kind!r}")
    ratio = ratio_of(loss)
    others = classes - 1 if kind == "symmetric" else 1
    if ratio.exact is not None:
        exact = others * ratio.exact / (1 + others * ratio.exact)
        near = critical_noise(ratio, classes)
        value = near.symmetric if kind == "symmetric" else near.pair
        return Tolerated(kind, classes, value, (value, value), exact, ratio.status)
    from alf.noise import parse_noise

    low, high = Fraction(0), Fraction(others, others + 1)
    while high - low > Fraction(1, 10_000):
        middle = (low + high) / 2
        stage(f"testing {kind} noise at rate {float(middle):.6g}")
        spec = f"{kind}:{middle.numerator}/{middle.denominator}"
        holds = decide(loss, parse_noise(spec, classes).exact[0]).holds
        if holds is None:
            break
        low, high = (middle, high) if holds else (low, middle)
    status = "certified" if high - low <= Fraction(1, 1000) else "undecided"
    return Tolerated(kind, classes, float(low + high) / 2, (float(low), float(high)), None, status)
