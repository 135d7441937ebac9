"""The condition on a hyperparameter that is necessary and sufficient for a noise, and the signs of it."""

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import sympy
from sympy import Expr, Pow, Symbol, diff, oo

from alf.losses import K, Loss, u
from alf.losses.domain import Parameter
from alf.losses.exact import substitute
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import at_point, exact_zero
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.intervals import outward
from alf.theory.arithmetic.sign_pattern import sign_pattern
from alf.theory.curve.parameter_cell import CellSide
from alf.theory.curve.symbolic_sign import (
    NEGATIVE,
    NON_NEGATIVE,
    NON_POSITIVE,
    POSITIVE,
    U_IN_CELL,
    ZERO,
    sign_of,
    tidy,
)
from alf.theory.progress import stage
from alf.theory.ratios.of_loss import ratio_of
from alf.theory.risk.structure import structure_of
from alf.theory.verdict import Status

T = Symbol("t", positive=True)
"""In (0, 1); a half-line is written through it as end + t/(1 - t)."""


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
        structures = [(t, structure_of(t, classes)) for t in terms]
        if any(structure is None for _, structure in structures):
            return None, False
        normalised = [t for t, structure in structures if structure is not None and not structure.separable]
        others = [t for t, structure in structures if structure is not None and structure.separable]
        if classes < 3 or len(others) != 1 or not all(_without_vertex(t) for t in normalised):
            return None, False
        core = others[0]
    weights = {symbol.name for symbol, _ in loss.declaration.parts}
    if parameter.name not in core.values or (core is not loss and parameter.name in weights):
        return core, True
    parts = structure_of(core, classes) if core.sums else None
    if parts is not None and not parts.separable:
        return (core, True) if classes >= 3 and _without_vertex(core) else (None, False)
    return core, False


def _without_vertex(loss: Loss) -> bool:
    """Whether a normalised loss's summand is a multiple of log(u) that does not vanish at 0, whatever its parameters:
    it is decided by that alone."""
    return all((s / sympy.log(u)).subs(u, 0).is_number and (s / sympy.log(u)).subs(u, 0) != 0 for _, s in loss.sums)


def condition(core: Loss, parameter: Parameter, shares, low, high) -> Condition | None:
    """What is necessary and sufficient between two cuts, in the hyperparameter; None where no rule gives it."""
    if not core.pointwise:
        return _kkt(core, parameter, shares, low, high)
    ratio = ratio_of(core)
    if ratio.formula is None or ratio.status != Status.PROVED:
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
    written = CellSide(parameter, sympy.sympify(low), sympy.sympify(high)).written
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
    return None if any(singular(g) for g in found) else Condition(found)


def _joined_powers(f: Expr) -> Expr:
    """u**p/u as u**(p - 1), which has a value at 0."""
    return sympy.Add(*(sympy.powsimp(term, combine="exp") for term in sympy.Add.make_args(sympy.expand_mul(f))))


def _written_back(symbol: Symbol, low, high) -> Expr:
    """The positive symbol of `Interval.written` in the hyperparameter."""
    if not math.isfinite(high):
        return symbol - as_rational(low)
    if not math.isfinite(low):
        return as_rational(high) - symbol
    return as_rational(high - low) / (symbol - as_rational(low)) - 1


def singular(g: Expr) -> bool:
    """Whether a condition has no value somewhere, or still holds u."""
    return g.has(sympy.nan, sympy.zoo, oo, -oo) or any(p.base == 0 for p in g.atoms(Pow)) or g.has(u)


def where_it_holds(found: Condition, parameter: Parameter, low, high, how: str) -> list[Stretch]:
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
                b = c = Fraction(zero)
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
