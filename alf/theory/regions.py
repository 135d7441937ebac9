"""Where along one hyperparameter a loss tolerates a noise, stretch by stretch and from end to end of the domain.

The domain is cut at the hyperparameter's breakpoints; between two cuts the first way that applies is taken:

1. a **condition** g >= 0 in the hyperparameter that is necessary and sufficient (the ratio's closed form against 1/R,
   the vertex KKT rule), its signs certified over the whole stretch: however often it changes, nothing is missed;
2. **no dependence**: the hyperparameter does not enter the rule that decides;
3. **boxes**: l certified convex or concave for every value of a small stretch, and there the condition of its ratio;
4. a **search**: values tested, boundaries between different answers bisected. What lies between two values with the
   same answer is then only observed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import sympy
from sympy import Expr, Pow, Symbol, diff, oo

from alf.errors import InputError
from alf.losses import K, Loss, u
from alf.losses.domain import Parameter
from alf.losses.exact import substitute
from alf.theory.certify import as_fraction, as_rational, exact_zero, outward, sign_pattern
from alf.theory.claims import prove
from alf.theory.enclosure import at_point, on_cell
from alf.theory.families import family_of, stretches
from alf.theory.progress import stage
from alf.theory.ratios import ratio_of
from alf.theory.signs import NEGATIVE, NON_NEGATIVE, NON_POSITIVE, POSITIVE, U_IN_CELL, ZERO, Interval, sign_of, tidy
from alf.theory.structure import structure_of

T = Symbol("t", positive=True)
"""In (0, 1); a half-line is written through it as end + t/(1 - t)."""

PIECES = 16
"""Into how many pieces a search cuts the whole domain."""

BEYOND = (10, 100, 1000)
"""How far a search looks beyond the slider of a half-line, in multiples of its end."""


@dataclass(frozen=True)
class Stretch:
    """Values between `low` and `high`, which may be infinite; `how` is proved, certified or observed.

    `holds` is None where nothing is known. A stretch with low == high is one value.
    """

    low: Fraction | float
    high: Fraction | float
    holds: bool | None
    how: str


@dataclass(frozen=True)
class Condition:
    """The loss tolerates exactly where every one of `least` is at least 0; `formula` is the ratio's closed form."""

    least: tuple[Expr, ...]
    formula: Expr | None = None


def tolerates(loss: Loss, noise) -> bool | None:
    """What the claim says about this very loss: what it leaves open is not offered as tolerant.

    A constant loss, for which the claim is not defined, tolerates nothing.
    """
    verdict = prove("noise_tolerant", loss, noise, noise.classes)
    return False if verdict.status == "not_defined" else verdict.holds


def at(loss: Loss, parameter: Parameter, value) -> Loss:
    """The loss with the hyperparameter moved."""
    return loss.replace(**{parameter.name: as_rational(value)})


def _allowed(loss: Loss, parameter: Parameter, value) -> bool:
    try:
        at(loss, parameter, value)
    except InputError:  # outside the domain, or l is too large for doubles there
        return False
    return True


def sweep(loss: Loss, parameter: Parameter, noise, shares: list[tuple[Fraction, ...]]) -> list[Stretch]:
    """The whole domain, in order; `shares` are the noise's distinct rows, each from large to small."""
    domain = parameter.domain
    cuts = sorted({domain.lower, domain.upper, *parameter.breakpoints})
    found: list[Stretch] = []
    for low, high in pairwise([*cuts, None]):
        if low in domain:
            value = as_fraction(low)
            stage(f"testing {parameter.name} = {float(value):.6g}")
            found.append(Stretch(value, value, tolerates(at(loss, parameter, value), noise), "certified"))
        if high is not None:
            found += _between(loss, parameter, noise, shares, _end(low), _end(high))
    return found


def _end(cut: Expr) -> Fraction | float:
    return float(cut) if cut in (oo, -oo) else as_fraction(cut)


def _between(loss, parameter, noise, shares, low, high) -> list[Stretch]:
    """The open stretch between two cuts."""
    inside = at(loss, parameter, _sample(low, high))
    core, independent = deciding(inside, parameter, noise.classes)
    if independent:
        return [Stretch(low, high, tolerates(inside, noise), "proved")]
    found = None if core is None else condition(core, parameter, shares, low, high)
    if found is not None:
        known = _by_condition(found, parameter, low, high, "proved")
    else:
        known = _by_boxes(core, parameter, shares, low, high)
    result: list[Stretch] = []
    for one in known:
        wide = math.isinf(one.high - one.low) or one.high - one.low > (abs(one.low) + abs(one.high)) / 10**9
        left_open = one.holds is None and wide
        result += _by_search(loss, parameter, noise, one.low, one.high) if left_open else [one]
    return result


def _sample(low, high) -> Fraction:
    if math.isfinite(low) and math.isfinite(high):
        return (low + high) / 2
    return low + 1 if math.isfinite(low) else high - 1


# --- what decides -------------------------------------------------------------------------------------------------


def deciding(loss: Loss, parameter: Parameter, classes: int) -> tuple[Loss | None, bool]:
    """The loss whose noise tolerance decides, and whether the hyperparameter has no say in it.

    Beside a normalised part that has no value at a vertex, three or more classes, the other part decides alone; a
    positive factor changes nothing. (None, False) where neither is known.

    >>> from alf.losses import parse
    >>> loss = parse("nce+ael:alpha=1,beta=3,a=2")
    >>> [deciding(loss, loss.declaration.parameter(name), 3)[1] for name in ("alpha", "a")]
    [True, False]
    """
    terms = [term for weight, term in loss.terms if weight != 0]
    if len(loss.terms) == 1:
        core = loss
    elif len(terms) == 1:
        core = terms[0]
    else:
        if any(structure_of(t, classes) is None for t in terms):
            return None, False
        normalised = [t for t in terms if not structure_of(t, classes).separable]
        others = [t for t in terms if structure_of(t, classes).separable]
        if classes < 3 or len(others) != 1 or not all(_without_vertex(t) for t in normalised):
            return None, False
        core = others[0]
    if parameter.name not in core.values or (core is not loss and parameter.name in _weights(loss)):
        return core, True
    if core.sums and not structure_of(core, classes).separable:
        return (core, True) if classes >= 3 and _without_vertex(core) else (None, False)
    return core, False


def _weights(loss: Loss) -> set[str]:
    return {symbol.name for symbol, _ in loss.declaration.parts}


def _without_vertex(loss: Loss) -> bool:
    """Whether a normalised loss's summand is a multiple of log(u) that does not vanish at 0, whatever its parameters:
    it is decided by that alone."""
    return all((s / sympy.log(u)).subs(u, 0).is_number and (s / sympy.log(u)).subs(u, 0) != 0 for _, s in loss.sums)


def condition(core: Loss, parameter: Parameter, shares, low, high) -> Condition | None:
    """What is necessary and sufficient between two cuts, in the hyperparameter; None where no rule gives it."""
    if not core.pointwise:
        return _kkt(core, parameter, shares, low, high)
    ratio = ratio_of(core)
    if ratio.formula is None or ratio.status != "proved":
        return None
    formula = substitute(ratio.formula, {s: v for s, v in core.substitution.items() if s != parameter.symbol})
    share = min(row[0] / row[1] for row in shares)
    return Condition((as_rational(share) * formula - 1,), ratio.formula)


def _kkt(core: Loss, parameter: Parameter, shares, low, high) -> Condition | None:
    """Risks that are sums over classes, convex or concave for every value between the cuts."""
    if len(core.sums) != 1:
        return None
    symbol, summand = core.sums[0]
    classes = len(shares[0])
    others = {s: v for s, v in core.substitution.items() if s != parameter.symbol}
    whole = substitute(core.expression, others).subs(K, classes)
    slope = diff(whole, symbol)
    if slope.has(u, symbol):
        return None
    h, sigma = sympy.expand_mul(whole - slope * symbol), slope * substitute(summand, others)
    written = Interval(parameter, _rational(low), _rational(high)).written
    (place,) = written.free_symbols
    h, sigma = h.subs(parameter.symbol, written), sigma.subs(parameter.symbol, written)
    least: list[Expr] = []
    for row in shares:
        total = as_rational(sum(row))
        psi = {x: as_rational(x) * h + total * sigma for x in row}
        bends = {sign_of(tidy(diff(f, u, 2).subs(u, U_IN_CELL))) for f in psi.values()}
        if bends <= {NEGATIVE, NON_POSITIVE, ZERO}:
            least.append(h.subs(u, 0) - h.subs(u, 1))
        elif bends == {POSITIVE} or bends <= {POSITIVE, NON_NEGATIVE}:
            slopes = {x: _joined_powers(diff(f, u)) for x, f in psi.items()}
            least += [slopes[x].subs(u, 0) - slopes[row[0]].subs(u, 1) for x in dict.fromkeys(row[1:])]
        else:
            return None
    back = _written_back(parameter.symbol, low, high)
    found = tuple(sympy.expand(sympy.expand(g).subs(place, back)) for g in least)
    return None if any(_singular(g) for g in found) else Condition(found)


def _joined_powers(f: Expr) -> Expr:
    """u**p/u as u**(p - 1), which has a value at 0."""
    return sympy.Add(*(sympy.powsimp(term, combine="exp") for term in sympy.Add.make_args(sympy.expand_mul(f))))


def _rational(end) -> Expr:
    return as_rational(end) if math.isfinite(end) else oo if end > 0 else -oo


def _written_back(symbol: Symbol, low, high) -> Expr:
    """The positive symbol of `Interval.written` in the hyperparameter."""
    if not math.isfinite(high):
        return symbol - as_rational(low)
    if not math.isfinite(low):
        return as_rational(high) - symbol
    return as_rational(high - low) / (symbol - as_rational(low)) - 1


def _singular(g: Expr) -> bool:
    return g.has(sympy.nan, sympy.zoo, oo, -oo) or any(p.base == 0 for p in g.atoms(Pow)) or g.has(u)


# --- the signs of a condition -------------------------------------------------------------------------------------


def _by_condition(found: Condition, parameter: Parameter, low, high, how: str) -> list[Stretch]:
    """Where every one of the functions is at least 0, cut at their zeros."""
    stage(f"certifying where the condition on {parameter.name} holds")
    runs = [_signs(g, parameter.symbol, low, high) for g in found.least]
    cuts = sorted({low, high, *(end for run in runs for a, b, _ in run for end in (a, b))})
    result = []
    for a, b in pairwise(cuts):
        signs = [next((s for x, y, s in run if x <= a and b <= y), None) for run in runs]
        holds = False if -1 in signs else None if None in signs else True
        result.append(Stretch(a, b, holds, how))
    return result


def _signs(g: Expr, symbol: Symbol, low, high) -> list[tuple]:
    """(low, high, sign) over the stretch; where the sign changes, the part that is not settled is as short as a
    double's last digits."""
    if not g.has(symbol):
        return [(low, high, sign_pattern(g, T)[0].sign)]
    if math.isfinite(low) and math.isfinite(high):
        runs = sign_pattern(g, symbol, low, high)
    else:
        moved = as_rational(low) + T / (1 - T) if math.isfinite(low) else as_rational(high) - T / (1 - T)
        runs = sign_pattern(tidy(_without_growth(g, symbol).subs(symbol, moved)), T)
    found = [(_from(r.lo, low, high), _from(r.hi, low, high), r.sign) for r in runs]
    if math.isinf(low):
        found = [(b, a, s) for a, b, s in reversed(found)]
    for i in range(1, len(found) - 1):
        (a, b, left), (_, _, here), (c, d, right) = found[i - 1 : i + 2]
        if here is None and left is not None and right is not None:
            b, c = _narrowed(g, symbol, b, c, left, right)
            zero = exact_zero(g, symbol, b, c)
            if zero is not None and _monotone(g, symbol, b, c):
                b = c = as_fraction(zero)
            found[i - 1 : i + 2] = [(a, b, left), (b, c, None), (c, d, right)]
    return found


def _without_growth(g: Expr, symbol: Symbol) -> Expr:
    """g over its fastest growing power, so that what is left has a limit: 3 (2/3)**p - 1 for 3 * 2**p - 3**p."""
    bases = {p.base for p in g.atoms(Pow) if p.base.is_Rational and p.base > 1 and p.exp == symbol}
    if len(bases) < 2:
        return g
    scaled = sympy.expand(g * max(bases) ** -symbol)
    return sympy.Add(*(sympy.powsimp(term, combine="base") for term in sympy.Add.make_args(scaled)))


def _from(t: Fraction, low, high):
    """The value of the hyperparameter that T stands for."""
    if math.isfinite(low) and math.isfinite(high):
        return t
    away = t / (1 - t) if t < 1 else math.inf
    return low + away if math.isfinite(low) else high - away


def _narrowed(g: Expr, symbol: Symbol, a, b, left: int, right: int):
    """The short stretch in which a sign changes, halved until its ends agree to 15 digits."""
    value = at_point(g, symbol)
    while left != right and b - a > abs(a + b) / 10**15:
        middle = ((a + b) / 2).limit_denominator(10**30)
        ball = value(middle, 200)
        sign = 1 if ball > 0 else -1 if ball < 0 else None
        if sign not in (left, right) or not a < middle < b:
            break
        a, b = (middle, b) if sign == left else (a, middle)
    return a, b


def _monotone(g: Expr, symbol: Symbol, a, b) -> bool:
    """Whether g has no second zero in a short stretch."""
    low, high = on_cell(diff(g, symbol), symbol)(*outward(a, b))
    return low > 0 or high < 0


# --- boxes --------------------------------------------------------------------------------------------------------


def _by_boxes(core: Loss | None, parameter: Parameter, shares, low, high) -> Iterator[Stretch]:
    """Stretches on which l is certified convex or concave for every value; the rest with `holds` None, joined."""
    family = None if core is None else family_of(core, parameter.name)
    if family is None or not (math.isfinite(low) and math.isfinite(high)):
        return [Stretch(low, high, None, "observed")]
    stage(f"certifying the shape of l for all {parameter.name}")
    share = as_rational(min(row[0] / row[1] for row in shares))
    first = diff(family.expression, u)
    gap = first.subs(u, 0) - share * first.subs(u, 1)  # at least 0 exactly where R r >= 1, for convex l
    usable = not _singular(gap)

    def shape(a, b) -> int | None:
        if family.sign(1, a, b) != -1:
            return None
        bend = family.sign(2, a, b)
        return None if bend == 1 and not usable else bend

    joined: list[list] = []
    for a, b, bend in stretches(low, high, shape):
        bend = -1 if bend == 0 else bend  # linear: r = 1 as for a concave loss
        if joined and joined[-1][2] == bend:
            joined[-1][1] = b
        else:
            joined.append([a, b, bend])
    found: list[Stretch] = []
    for a, b, bend in joined:
        if bend == 1:
            found += _by_condition(Condition((gap,)), parameter, a, b, "certified")
        else:
            found.append(Stretch(a, b, True if bend == -1 else None, "certified"))
    return found


# --- search -------------------------------------------------------------------------------------------------------


def _by_search(loss: Loss, parameter: Parameter, noise, low, high, width=Fraction(1, 1000)) -> list[Stretch]:
    """Values tested, and every change of the answer bracketed by bisection."""
    answers: dict[Fraction, bool | None] = {}

    def ask(x: Fraction) -> bool | None:
        if x not in answers:
            stage(f"testing {parameter.name} = {float(x):.6g}")
            answers[x] = tolerates(at(loss, parameter, x), noise)
        return answers[x]

    tested = [x for x in _values(parameter, low, high) if _allowed(loss, parameter, x)]
    if not tested:
        return [Stretch(low, high, None, "observed")]
    found = [Stretch(low, tested[0], ask(tested[0]), "observed")]
    for a, b in pairwise(tested):
        first, last = ask(a), ask(b)
        left, right = a, b
        while ask(left) != ask(right) and right - left > width * max(abs(right), Fraction(1, 100)):
            middle = _simplest(left, right)
            left, right = (middle, right) if ask(middle) == first else (left, middle)
        if first == last:
            found.append(Stretch(a, b, first, "observed"))
        else:
            found.append(Stretch(a, left, first, "observed"))
            found.append(Stretch(left, right, None if None in (first, last) else False, "certified"))
            found.append(Stretch(right, b, last, "observed"))
    return [*found, Stretch(tested[-1], high, ask(tested[-1]), "observed")]


def _simplest(a: Fraction, b: Fraction) -> Fraction:
    """The fraction with the smallest denominator in the middle half of a stretch: boundaries are often simple."""
    room = (b - a) / 4
    for denominator in (1, 2, 4, 5, 10, 20, 100, 1000, 10**4, 10**6):
        near = Fraction(round((a + b) / 2 * denominator), denominator)
        if a + room <= near <= b - room:
            return near
    return (a + b) / 2


def _values(parameter: Parameter, low, high) -> list[Fraction]:
    """Even values over the slider's part of the stretch, and some beyond it on a half-line."""
    left, right = (Fraction(str(x)) for x in parameter.slider)
    whole = right - left
    a = max(left, low) if math.isfinite(low) else left
    b = min(right, high) if math.isfinite(high) else right
    tested = []
    if a <= b:
        count = max(2, math.ceil(PIECES * (b - a) / whole))
        tested = [(a + (b - a) * Fraction(k, count)).limit_denominator(10**6) for k in range(count + 1)]
    if not math.isfinite(high):
        tested += [max(abs(right), abs(low), Fraction(1)) * far for far in BEYOND]
    if not math.isfinite(low):
        tested += [-max(abs(left), abs(high), Fraction(1)) * far for far in BEYOND]
    if math.isfinite(low):  # towards a cut
        tested += [low + (min(b, high) - low) / far for far in BEYOND if b > low]
    if math.isfinite(high) and math.isfinite(low):
        tested += [high - (high - max(a, low)) / far for far in BEYOND]
    return sorted({x for x in tested if low < x < high})


def distinct(noise) -> list[tuple[Fraction, ...]]:
    """The rows of a noise matrix that differ by more than an exchange of labels and have a second label, from large
    to small."""
    rows = {tuple(sorted(map(Fraction, row), reverse=True)) for row in noise.exact}
    return sorted((row for row in rows if row[1] > 0), key=lambda row: row[0] / row[1])
