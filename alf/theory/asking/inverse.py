"""The question turned round: which values of a hyperparameter tolerate a noise?"""

import math
from dataclasses import dataclass, field
from fractions import Fraction

import sympy
from sympy import Expr, Rational, Symbol

from alf.errors import InputError
from alf.losses import Loss
from alf.losses.domain import Parameter
from alf.losses.exact import substitute
from alf.numbers import as_rational, in_digits
from alf.theory.arithmetic.balls import constant_ball, one_at_a_time
from alf.theory.arithmetic.limits import or_none
from alf.theory.asking.condition import Stretch, condition, deciding
from alf.theory.asking.sweep import at, distinct, sweep, tolerates
from alf.theory.progress import stage
from alf.theory.verdict import Status

R = Symbol("R", positive=True)
"""w_m / w_n, the largest weight over the second largest, in the hardest row of the noise."""


DIGITS = (9, 8, 7, 6, 5, 4, 3, 2, *range(10, 18))
"""Significant digits of an end, in the order in which they are tried: fewer lie further inside."""


LARGEST_FORMULA = 30
"""Operations in a ratio's closed form up to which it is solved for the hyperparameter."""


@dataclass(frozen=True)
class Interval:
    """Values of a hyperparameter that tolerate a noise.

    `low` and `high` belong to it: each, as it is written, is proved to tolerate. None: the interval goes on to that
    end of the hyperparameter's domain without reaching it, be it infinite, open or a value that does not tolerate.
    """

    low: Rational | None
    high: Rational | None


@dataclass(frozen=True)
class Region:
    """For which values of a hyperparameter a loss tolerates a noise, the other ones as they are.

    Parameters
    ----------
    parameter : str
    intervals : tuple of Interval
        In order; empty where no value is known to tolerate.
    status : str
        proved or certified where the whole domain is covered by an argument; observed where values were tested and what
        lies between two of them was not; undecided where a visible part of the domain was left open. The ends of the
        intervals are proved to tolerate in every case.
    formulas : tuple of Expr
        The boundaries inside the domain, in order, in R = w_m/w_n and the other hyperparameters, where the closed form
        of the ratio could be solved for this one; otherwise empty.
    """

    parameter: str
    intervals: tuple[Interval, ...]
    status: str
    formulas: tuple[Expr, ...] = ()
    stretches: tuple[Stretch, ...] = field(default=(), repr=False)

    @property
    def everywhere(self) -> bool:
        """Whether every value that was asked about tolerates."""
        return bool(self.stretches) and all(s.holds for s in self.stretches)

    def to_json(self) -> dict:
        """What --json says of it."""
        return {
            "parameter": self.parameter,
            "intervals": [[None if e is None else float(e) for e in (i.low, i.high)] for i in self.intervals],
            "status": self.status,
            "formula": ", ".join(map(str, self.formulas)) or None,
        }


@one_at_a_time
def tolerant_region(loss: Loss, parameter: str, noise) -> Region:
    """For which values of one hyperparameter the loss tolerates a noise: a union of intervals.

    Parameters
    ----------
    loss : Loss
        The other hyperparameters' values are its own.
    parameter : str
    noise : Noise
        With a matrix; its clean labels must dominate.

    Examples
    --------
    >>> from alf.losses import parse
    >>> from alf.noise import parse_noise
    >>> tolerant_region(parse("ael:a=2"), "a", parse_noise("pair:0.4", 10)).to_json()
    {'parameter': 'a', 'intervals': [[2.46630347, None]], 'status': 'proved', 'formula': '1/log(R)'}
    >>> loss = parse("formula:exp(-u*(a+1/a)/4);a=0.6[0.2,5]")
    >>> tolerant_region(loss, "a", parse_noise("pair:0.35", 10)).to_json()["intervals"]
    [[0.50812077, 1.96803606]]
    """
    chosen = loss.declaration.parameter(parameter)
    if noise.exact is None:
        raise InputError("noise: a model with one matrix is needed, got instance-dependent noise")
    if not noise.clean_dominates:
        raise InputError("noise: clean labels must be the likeliest in every row, got a matrix where they are not")
    shares = distinct(noise)
    if not shares:
        domain = chosen.domain
        whole = Stretch(float(domain.lower), float(domain.upper), True, Status.PROVED)
        ends = (end if end in domain and end.is_Rational else None for end in (domain.lower, domain.upper))
        return Region(parameter, (Interval(*ends),), Status.PROVED, (), (whole,))
    found = sweep(loss, chosen, noise, shares)
    intervals = tuple(filter(None, (_rounded(loss, chosen, noise, *ends) for ends in _joined(found, chosen))))
    return Region(parameter, intervals, _status(found, chosen), _formulas(loss, chosen, noise, intervals), tuple(found))


def _joined(stretches: list[Stretch], parameter: Parameter) -> list[tuple]:
    """The maximal tolerant stretches, as (low, high, whether low belongs, whether high belongs)."""
    found: list[list] = []
    for s in stretches:
        if not s.holds:
            continue
        point = s.low == s.high
        if found and found[-1][1] == s.low and (point or found[-1][3] or not _is_cut(s.low, parameter)):
            found[-1][1], found[-1][3] = s.high, point
        else:
            found.append([s.low, s.high, point, point])
    return [tuple(one) for one in found]


def _is_cut(value, parameter: Parameter) -> bool:
    return math.isfinite(value) and as_rational(value) in (*parameter.breakpoints, parameter.domain.lower)


def _status(stretches: list[Stretch], parameter: Parameter) -> str:
    """The weakest of what the stretches rest on; a stretch left open counts where it could be seen."""
    left, right = (Fraction(str(x)) for x in parameter.slider)
    visible = (right - left) / 500
    if any(s.holds is None and (s.high - s.low > visible or s.low == s.high) for s in stretches):
        return Status.UNDECIDED
    ways = {s.how for s in stretches if s.low != s.high and s.holds is not None}
    return next((how for how in (Status.OBSERVED, Status.CERTIFIED) if how in ways), Status.PROVED)


def _rounded(loss: Loss, parameter: Parameter, noise, low, high, has_low: bool, has_high: bool, digits=DIGITS):
    """A tolerant stretch with ends as they may be written: rounded into it, and each proved to tolerate."""
    ends = []
    width = min(high - low, abs(low) + 1 if math.isfinite(low) else 1, abs(high) + 1 if math.isfinite(high) else 1)
    for end, belongs, inward in ((low, has_low, 1), (high, has_high, -1)):
        if belongs:
            ends.append(as_rational(end))
            continue
        if not math.isfinite(end) or _is_end(end, parameter):
            ends.append(None)
            continue
        if _is_cut(end, parameter):  # up to a value that does not belong
            end += inward * Fraction(width) / 10**6
        found = _written(loss, parameter, noise, end, inward, (low, high), digits)
        if found is None:
            return None
        ends.append(found)
    return Interval(*ends)


def _is_end(value, parameter: Parameter) -> bool:
    return as_rational(value) in (parameter.domain.lower, parameter.domain.upper)


def _written(loss: Loss, parameter: Parameter, noise, end, inward, within, digits) -> Rational | None:
    for precision in digits:
        value = Fraction(in_digits(end, precision, inward))
        if not within[0] <= value <= within[1] or as_rational(value) not in parameter.domain:
            continue
        stage(f"testing {parameter.name} = {float(value):.6g}")
        if tolerates(at(loss, parameter, value), noise):
            return as_rational(value)
    return None


@one_at_a_time
def shortened(loss: Loss, region: Region, noise, digits: int) -> tuple[Interval, ...]:
    """The intervals of a region with ends of so few digits, each again rounded inwards and proved to tolerate.

    An end keeps more digits where so few miss a narrow interval.

    >>> from alf.losses import parse
    >>> from alf.noise import parse_noise
    >>> loss, noise = parse("ael:a=2"), parse_noise("pair:0.4", 10)
    >>> float(shortened(loss, tolerant_region(loss, "a", noise), noise, 3)[0].low)
    2.47
    """
    parameter = loss.declaration.parameter(region.parameter)
    found = []
    for interval in region.intervals:
        low = -math.inf if interval.low is None else Fraction(interval.low)
        high = math.inf if interval.high is None else Fraction(interval.high)
        ends = []
        for end, inward in ((interval.low, 1), (interval.high, -1)):
            if end is None or low == high:
                ends.append(end)
                continue
            order = range(digits, 10)
            near = _written(loss, parameter, noise, Fraction(end), inward, (low, high), order)
            ends.append(end if near is None else near)
        found.append(Interval(*ends))
    return tuple(found)


def _formulas(loss: Loss, parameter: Parameter, noise, intervals) -> tuple[Expr, ...]:
    """The closed forms of the boundaries, where the ratio's can be solved for the hyperparameter."""
    found = []
    for interval in intervals:
        for end in (interval.low, interval.high):
            if end is None or _is_end(end, parameter) or end in parameter.breakpoints:
                continue
            solutions, close = _solutions(loss, parameter, noise, end), 1e-6 * abs(float(end))
            solution = next((f for f, value in solutions if abs(value - float(end)) <= close), None)
            if solution is None:
                return ()
            found.append(solution)
    return tuple(dict.fromkeys(found))


def _solutions(loss: Loss, parameter: Parameter, noise, end: Rational):
    """The ratio's formula near one end solved for the hyperparameter, with the value each solution has."""
    here = at(loss, parameter, Fraction(end))
    core, independent = deciding(here, parameter, noise.classes)
    if core is None or independent or not core.pointwise:
        return
    rows = distinct(noise)
    rule = condition(core, parameter, rows, None, None)
    if rule is None or rule.formula is None or sympy.count_ops(rule.formula) > LARGEST_FORMULA:
        return
    stage("solving the ratio's formula for the hyperparameter")
    solutions = or_none(sympy.solve, sympy.Eq(sympy.log(rule.formula), -sympy.log(R)), parameter.symbol) or ()
    others = {s: v for s, v in core.substitution.items() if s != parameter.symbol}
    for solution in solutions:
        formula = sympy.simplify(solution)
        exact = substitute(formula, {**others, R: as_rational(rows[0][0] / rows[0][1])})
        if exact.is_number and exact.is_real:
            yield formula, float(constant_ball(exact, 100))
