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
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import pairwise

from sympy import Expr, diff, oo

from alf.errors import InputError
from alf.losses import Loss, u
from alf.losses.domain import Parameter
from alf.numbers import as_rational
from alf.theory.asking.condition import Condition, Stretch, condition, deciding, singular, where_it_holds
from alf.theory.claims.prove import prove
from alf.theory.curve.families import family_of, stretches
from alf.theory.progress import stage
from alf.theory.verdict import Status

PIECES = 16
"""Into how many pieces a search cuts the whole domain."""


CLOSE = Fraction(1, 1000)
"""How narrow a search brackets a change of the answer, relative to the value there."""

Cut = Fraction | float
"""An end of a stretch: a float where it is infinite, exact where not."""

BEYOND = (10, 100, 1000)
"""How far a search looks beyond the slider of a half-line, in multiples of its end."""


def tolerates(loss: Loss, noise) -> bool | None:
    """What the claim says about this very loss: what it leaves open is not offered as tolerant.

    A constant loss, for which the claim is not defined, tolerates nothing.
    """
    verdict = prove("noise_tolerant", loss, noise, noise.classes)
    return False if verdict.status == Status.NOT_DEFINED else verdict.holds


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
            value = Fraction(low)
            stage(f"testing {parameter.name} = {float(value):.6g}")
            found.append(Stretch(value, value, tolerates(at(loss, parameter, value), noise), Status.CERTIFIED))
        if high is not None:
            found += _between(loss, parameter, noise, shares, _end(low), _end(high))
    return found


def _end(cut: Expr) -> Cut:
    return float(cut) if cut in (oo, -oo) else Fraction(cut)


def _between(loss: Loss, parameter: Parameter, noise, shares, low, high) -> list[Stretch]:
    """The open stretch between two cuts."""
    inside = at(loss, parameter, _sample(low, high))
    core, independent = deciding(inside, parameter, noise.classes)
    if independent:
        return [Stretch(low, high, tolerates(inside, noise), Status.PROVED)]
    found = None if core is None else condition(core, parameter, shares, low, high)
    if found is not None:
        known = where_it_holds(found, parameter, low, high, Status.PROVED)
    else:
        known = _by_boxes(core, parameter, shares, low, high)
    result: list[Stretch] = []
    for one in known:
        left_open = one.holds is None and _wide(one.low, one.high)
        result += _by_search(loss, parameter, noise, one.low, one.high) if left_open else [one]
    return result


def _wide(low, high) -> bool:
    return math.isinf(high - low) or high - low > (abs(low) + abs(high)) / 10**9


def _sample(low, high) -> Fraction:
    if math.isfinite(low) and math.isfinite(high):
        return (low + high) / 2
    return low + 1 if math.isfinite(low) else high - 1


def _by_boxes(core: Loss | None, parameter: Parameter, shares, low, high) -> list[Stretch]:
    """Stretches on which l is certified convex or concave for every value; the rest with `holds` None, joined."""
    family = None if core is None else family_of(core, parameter.name)
    if family is None or not (math.isfinite(low) and math.isfinite(high)):
        return [Stretch(low, high, None, Status.OBSERVED)]
    stage(f"certifying the shape of l for all {parameter.name}")
    share = as_rational(min(row[0] / row[1] for row in shares))
    first = diff(family.expression, u)
    gap = first.subs(u, 0) - share * first.subs(u, 1)  # at least 0 exactly where R r >= 1, for convex l
    usable = not singular(gap)

    def shape(a, b) -> int | None:
        if family.sign(1, a, b) != -1:
            return None
        bend = family.sign(2, a, b)
        if bend == 1 and not usable:
            return None
        return -1 if bend == 0 else bend  # linear: r = 1 as for a concave loss

    found: list[Stretch] = []
    for a, b, bend in stretches(low, high, shape):
        if bend == 1:
            found += where_it_holds(Condition((gap,)), parameter, a, b, Status.CERTIFIED)
        else:
            found.append(Stretch(a, b, True if bend == -1 else None, Status.CERTIFIED))
    return found


def _by_search(loss: Loss, parameter: Parameter, noise, low: Cut, high: Cut) -> list[Stretch]:
    """Values tested, and every change of the answer from one to the next bracketed by bisection."""

    @cache
    def holds(x: Fraction) -> bool | None:
        stage(f"testing {parameter.name} = {float(x):.6g}")
        return tolerates(at(loss, parameter, x), noise)

    tested = [x for x in _values(parameter, low, high) if _allowed(loss, parameter, x)]
    if not tested:
        return [Stretch(low, high, None, Status.OBSERVED)]
    found = [Stretch(low, tested[0], holds(tested[0]), Status.OBSERVED)]
    for a, b in pairwise(tested):
        found += _between_tested(a, b, holds)
    return [*found, Stretch(tested[-1], high, holds(tested[-1]), Status.OBSERVED)]


def _between_tested(a: Fraction, b: Fraction, holds: Callable[[Fraction], bool | None]) -> list[Stretch]:
    """What is observed between two tested values, with a bracket of one change where their answers differ."""
    first, last = holds(a), holds(b)
    if first == last:
        return [Stretch(a, b, first, Status.OBSERVED)]
    left, right = a, b  # the answer at left is `first`, at right it is another
    while right - left > CLOSE * max(abs(right), Fraction(1, 100)):
        middle = _simplest(left, right)
        left, right = (middle, right) if holds(middle) == first else (left, middle)
    return [
        Stretch(a, left, first, Status.OBSERVED),
        Stretch(left, right, None if None in (first, last) else False, Status.CERTIFIED),
        Stretch(right, b, last, Status.OBSERVED),
    ]


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
    to small; the hardest, of which w_m/w_n is the least, comes first."""
    rows = {tuple(sorted(map(Fraction, row), reverse=True)) for row in noise.exact}
    return sorted((row for row in rows if row[1] > 0), key=lambda row: row[0] / row[1])
