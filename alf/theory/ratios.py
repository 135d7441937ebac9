"""The asymmetry ratio r and the upper ratio r_up of a loss l(u_y) (THEORY, section 3).

Write mu = -l' and, for 0 < d <= 1 and 0 <= x <= 1 - d,

    A(x, d) = (l(x) - l(x + d)) / d     the mean of mu over [x, x + d],
    B(d)    = (l(0) - l(d)) / d         the mean of mu over [0, d].

Then r is the infimum of A(x, d) / B(d), and r_up the infimum over x = 1 - d. Both means are as smooth as mu, down to
d = 0, so branch and bound on (x, d) needs no special case there.
"""

import heapq
import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Expr, Integer, oo

from alf.losses import Loss, u
from alf.theory.certify import exact_zero
from alf.theory.enclosure import constant_ball, sign_of_number
from alf.theory.shape import Shape, shape_of
from alf.theory.verdict import Step, step

RELATIVE = 5e-4
ABSOLUTE = 5e-7
"""Widths at which a bracket is good enough; half of what THEORY asks."""


@dataclass(frozen=True)
class Ratio:
    """What is known about the asymmetry ratio.

    Parameters
    ----------
    status : str
        proved (closed form for all parameters of the cell), certified, undecided (only a wide bracket) or not_defined.
    value, upper_value : float or None
        The ratio, by the bracket's midpoint where no closed form is known.
    interval, upper_interval : tuple of float
        Enclosures; an exact value's are a few units in the last place wide.
    exact : Expr or None
        The exact value where there is one (r = r_up then).
    formula : Expr or None
        The same in the loss's parameters.
    steps : tuple of Step
    at : tuple of float or None
        (u1, u2) where the infimum sits, or which it is approached at as u2 -> 0.
    attained : bool or None
        Whether the infimum is attained at a point with u2 > 0 (other than u1 = 0, where the quotient is always 1).
    """

    status: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    upper_value: float | None = None
    upper_interval: tuple[float, float] | None = None
    exact: Expr | None = None
    formula: Expr | None = None
    steps: tuple[Step, ...] = field(default=(), repr=False)
    at: tuple[float, float] | None = None
    attained: bool | None = None

    @property
    def defined(self) -> bool:
        return self.status != "not_defined"

    def to_json(self) -> dict:
        return {
            "status": self.status,
            "ratio": self.value,
            "interval": self.interval and list(self.interval),
            "upper_ratio": self.upper_value,
            "upper_interval": self.upper_interval and list(self.upper_interval),
            "exact": None if self.exact is None else str(self.exact),
            "formula": None if self.formula is None else str(self.formula),
            "at": self.at and list(self.at),
            "steps": [s.to_json() for s in self.steps],
        }


@dataclass(frozen=True)
class CriticalNoise:
    """Noise rates below which a loss tolerates noise; None where the theory defines none.

    `symmetric` and `pair` are rates, `symmetric_interval` what is certain where r and r_up differ and K >= 3.
    """

    classes: int
    symmetric: float | None
    pair: float | None
    symmetric_interval: tuple[float, float] | None = None
    pair_interval: tuple[float, float] | None = None

    def to_json(self) -> dict:
        return {"classes": self.classes, "symmetric": self.symmetric, "pair": self.pair}


def critical_noise(ratio: Ratio, classes: int) -> CriticalNoise:
    """The symmetric and the pair noise rate up to which a loss with this ratio is tolerant.

    >>> from alf.losses import parse
    >>> c = critical_noise(ratio_of(parse("agce:a=0.6,q=0.6")), 10)
    >>> round(c.symmetric, 4), round(c.pair, 6)
    (0.8587, 0.403156)
    """
    if not ratio.defined or ratio.value is None:
        return CriticalNoise(classes, None, None)
    others = classes - 1

    def symmetric(r: float) -> float:
        return r * others / (1 + r * others)

    pair = tuple(r / (1 + r) for r in ratio.upper_interval)
    low = ratio.upper_interval[0] if classes == 2 else ratio.interval[0]
    between = (symmetric(low), symmetric(ratio.upper_interval[1]))
    # between the two only a direct minimisation decides; the safe end is quoted where they are apart
    middle = symmetric(ratio.upper_value if classes == 2 else ratio.value)
    return CriticalNoise(classes, middle, ratio.upper_value / (1 + ratio.upper_value), between, pair)


def ratio_of(loss: Loss) -> Ratio:
    """The asymmetry ratio of a loss.

    Parameters
    ----------
    loss : Loss

    Returns
    -------
    Ratio
        With status ``not_defined`` for a loss that depends on more of the prediction than u_y.

    Examples
    --------
    >>> from alf.losses import parse
    >>> r = ratio_of(parse("agce:a=0.6,q=0.6"))
    >>> round(r.value, 6), r.formula, r.status
    (0.67548, (a/(a + 1))**(1 - q), 'proved')
    """
    from alf.theory.structure import alone, constant, single

    loss = single(loss)
    expression = alone(loss)
    if expression is None:
        text = (
            f"{loss.name} depends on the whole vector u, not on u_y alone; "
            "the asymmetry ratio is not defined for this loss."
        )
        return Ratio("not_defined", steps=(Step(text, status="not_defined"),))
    if constant(loss):
        return Ratio("not_defined", steps=(Step("The loss is constant.", status="not_defined"),))
    if not loss.pointwise:
        return ratio_of_shape(expression)
    from alf.theory.signs import closed_ratio

    found = closed_ratio(loss)
    return found if found is not None else ratio_of_shape(expression)


@lru_cache(maxsize=1024)
def ratio_of_shape(expression: Expr) -> Ratio:
    """The ratio of an exact l(u), by closed form where l is convex or concave and by branch and bound elsewhere."""
    shape = shape_of(expression)
    if not shape.decreasing:
        reason = "l is not known to decrease strictly on (0, 1), which the ratio needs."
        return Ratio("not_defined", steps=(Step(reason, status="not_defined"),))
    if shape.at_zero == oo:
        return _zero_ratio("l(0) is infinite: r = 0 as a limit (u1 > 0 fixed, u2 -> 0).", shape)
    if shape.concave:
        text = "l is concave: a step down later is at least as large as the same step at 0, so r = r_up = 1."
        return exact_ratio(Integer(1), (_bend_step(shape, -1), step(text, status="certified")), attained=True)
    if shape.convex:
        return _convex_ratio(shape)
    return _bracket(shape)


def _bend_step(shape: Shape, sign: int) -> Step:
    word = "convex" if sign > 0 else "concave"
    expression = sympy.diff(shape.expression, u, 2) if shape.smooth else None
    return step(f"l is {word} on [0, 1].", expression, "certified", check=("sign", str(expression), sign))


def _zero_ratio(text: str, shape: Shape, upper: bool = True) -> Ratio:
    zero = (0.0, 0.0)
    steps = (step(text, status="certified"),)
    return Ratio("certified", 0.0, zero, 0.0, zero, Integer(0), None, steps, at=(1.0, 0.0), attained=False)


def _convex_ratio(shape: Shape) -> Ratio:
    first, last = shape.slope_at_zero, shape.slope_at_one
    if first is None or last is None:
        return _bracket(shape)
    steps = [_bend_step(shape, 1)]
    if first == -oo:
        steps.append(step("l'(0) is infinite: r = r_up = l'(1)/l'(0) = 0 as a limit.", status="certified"))
        return exact_ratio(Integer(0), steps, attained=False)
    value = last / first
    text = "l is convex: by the mean value theorem r = r_up = l'(1)/l'(0), approached as u2 -> 0, u1 -> 1."
    steps.append(step(text, value, "certified"))
    attained = shape.linear or (shape.linear_near(0) and shape.linear_near(1))
    return exact_ratio(value, steps, attained=attained)


def exact_ratio(value: Expr, steps, formula: Expr | None = None, status="certified", attained=None) -> Ratio:
    """A ratio known in closed form, r = r_up."""
    from alf.theory.enclosure import _ends

    if value.is_Rational:
        middle = float(value)
        interval = (middle, middle)
    else:
        interval = _ends(constant_ball(value, 100))
        middle = float(value.evalf(30))
    return Ratio(
        status, middle, interval, middle, interval, value, formula, tuple(steps), at=(1.0, 0.0), attained=attained
    )


# --- branch and bound -------------------------------------------------------------------------------------------


def _bracket(shape: Shape) -> Ratio:
    mean = Means(shape)
    steps = [step("l'' changes sign on [0, 1]: no closed form; the ratio is bracketed by interval branch and bound.")]
    first = shape.slope_at_zero
    upper = minimise(mean, line=True)
    if first == -oo:
        lower = Bracket(0.0, 0.0, (0.5, 0.0), True)
        steps.append(step("l'(0) is infinite and l' is finite inside: r = 0 as a limit (u2 -> 0).", status="certified"))
    else:
        zero = _zero_slope(shape)
        if zero is not None and first is not None and sign_of_number(first) == -1:
            lower = Bracket(0.0, 0.0, (float(zero), 0.0), True)
            steps.append(step(f"l'({zero}) = 0 and l'(0) < 0: r = 0 as a limit.", status="certified"))
            if zero == 1:
                upper = lower
        else:
            lower = minimise(mean, line=False, known=upper.high)
    interval = (lower.low, min(lower.high, upper.high))
    status = "certified" if lower.closed and upper.closed else "undecided"
    for name, b in (("r", interval), ("r_up", (upper.low, upper.high))):
        steps.append(step(f"{name} lies in [{b[0]:.9g}, {b[1]:.9g}].", status=status))
    return Ratio(
        status, _middle(*interval), interval, _middle(upper.low, upper.high), (upper.low, upper.high),
        None, None, tuple(steps), at=lower.at,
    )  # fmt: skip


def _middle(lo: float, hi: float) -> float:
    return lo if lo == hi else (lo + hi) / 2


def _zero_slope(shape: Shape):
    """A point of (0, 1] at which l' is exactly zero."""
    last = shape.slope_at_one
    if last is not None and last not in (oo, -oo) and sign_of_number(last) == 0:
        return Integer(1)
    for run in shape.bend_runs:  # an inner zero of l' <= 0 is a zero of l''
        if run.sign is None:
            for piece in shape.derivative(1):
                c = exact_zero(piece.expression, u, run.lo, run.hi) if piece.lo <= run.lo <= piece.hi else None
                if c is not None and c > 0:
                    return c
    return None


@dataclass
class Bracket:
    """Certified bounds of an infimum, where it sits, and whether they are close enough."""

    low: float
    high: float
    at: tuple[float, float]
    closed: bool


class Means:
    """Enclosures of A(x, d) and B(d) over boxes."""

    def __init__(self, shape: Shape):
        self.shape = shape
        self._values: dict[Fraction, object] = {}
        self._slopes: dict[tuple, tuple[float, float]] = {}

    def value(self, x: Fraction):
        found = self._values.get(x)
        if found is None:
            found = self._values[x] = self.shape.value(x, 140)
        return found

    def mu(self, lo: float, hi: float) -> tuple[float, float]:
        """-l' over a cell; never negative, l being certified to decrease."""
        found = self._slopes.get((lo, hi))
        if found is None:
            low, high = self.shape.slope(lo, hi)
            found = self._slopes[lo, hi] = (max(0.0, -high), max(0.0, -low))
        return found

    def mean(self, x: Fraction, d: Fraction) -> tuple[float, float]:
        """A(x, d) at a point, d > 0."""
        from alf.theory.enclosure import _ends

        low, high = _ends((self.value(x) - self.value(x + d)) / _exact(d))
        return max(0.0, low), high

    def over(self, x0: Fraction, x1: Fraction, d0: Fraction, d1: Fraction, line: bool) -> tuple[float, float]:
        """The mean of mu over [x, x + d] for x in [x0, x1] and d in [d0, d1].

        `line`: x = 1 - d instead, and x0, x1 are not used.
        """
        if line:
            lo, hi = 1 - d1, Fraction(1)
        else:
            lo, hi = x0, min(Fraction(1), x1 + d1)
        window = (float(lo), float(hi))
        low, high = self.mu(*window)
        bend = self.shape.bend(*window)
        if d0 > 0:  # l is monotone, so its values alone bound the drop; this needs no derivative
            if line:
                least, most = self.value(1 - d0) - self.value(Fraction(1)), self.value(lo) - self.value(Fraction(1))
            else:
                least = self.value(x1) - self.value(x0 + d0) if x1 < x0 + d0 else None
                most = self.value(x0) - self.value(min(Fraction(1), x1 + d1))
            if least is not None:
                low = max(low, _down(least / _exact(d1)))
            high = min(high, _up(most / _exact(d0)))
        if bend is None:
            return low, high
        steepest = max(abs(bend[0]), abs(bend[1]))
        d = (d0 + d1) / 2
        if line:
            x, spread = 1 - d, 0.0
        else:
            x, spread = (x0 + x1) / 2, steepest * float(x1 - x0) / 2
            if x + d > 1:
                return low, high
        value = self.mean(x, d) if d > 0 else self.mu(float(x), float(x))
        reach = (spread + steepest * float(d1 - d0) / 4) * (1 + 1e-12)
        return max(low, math.nextafter(value[0] - reach, -1)), min(high, math.nextafter(value[1] + reach, math.inf))

    def first(self, d0: Fraction, d1: Fraction) -> tuple[float, float]:
        """B over d in [d0, d1]."""
        zero = Fraction(0)
        return self.over(zero, zero, d0, d1, False)


def _exact(x: Fraction):
    from flint import arb, fmpq

    return arb(fmpq(x.numerator, x.denominator))


def _down(ball) -> float:
    return math.nextafter(float(ball.lower()), -math.inf) if ball.is_finite() else 0.0


def _up(ball) -> float:
    return math.nextafter(float(ball.upper()), math.inf) if ball.is_finite() else math.inf


def minimise(mean: Means, line: bool, known: float = 1.0, boxes: int = 6000) -> Bracket:
    """The infimum of A/B, best box first.

    Parameters
    ----------
    line : bool
        Over x = 1 - d (the upper ratio) instead of the whole triangle.
    known : float
        A value the infimum is already known not to exceed.
    boxes : int
        How many boxes may be looked at.
    """
    one = Fraction(1)
    best, at = min(known, 1.0), (0.0, 1.0)
    heap: list = []
    counter = 0

    def push(x0, x1, d0, d1):
        nonlocal best, at, counter
        top = mean.over(x0, x1, d0, d1, line)
        bottom = mean.first(d0, d1)
        low = 0.0 if bottom[1] == math.inf else math.nextafter(top[0] / bottom[1], 0.0) if bottom[1] > 0 else 1.0
        d = (d0 + d1) / 2
        x = 1 - d if line else min((x0 + x1) / 2, 1 - d)
        a, b = mean.mean(x, d), mean.mean(Fraction(0), d)
        here = math.nextafter(a[1] / b[0], math.inf) if b[0] > 0 else math.inf
        if here < best:
            best, at = here, (float(x), float(d))
        if low < best:
            counter += 1
            heapq.heappush(heap, (low, counter, x0, x1, d0, d1))

    cells = 8
    for j in range(cells):
        d0, d1 = Fraction(j, cells), Fraction(j + 1, cells)
        if line:
            push(None, None, d0, d1)
            continue
        for i in range(cells - j):
            push(Fraction(i, cells), Fraction(i + 1, cells), d0, d1)
    while heap and counter < boxes:
        low, _, x0, x1, d0, d1 = heapq.heappop(heap)
        if best - low <= max(RELATIVE * best, ABSOLUTE):
            heapq.heappush(heap, (low, 0, x0, x1, d0, d1))
            break
        if (d1 - d0) < Fraction(1, 2**60):
            heapq.heappush(heap, (low, 0, x0, x1, d0, d1))
            break
        middle = (d0 + d1) / 2
        if line:
            push(None, None, d0, middle)
            push(None, None, middle, d1)
            continue
        centre = (x0 + x1) / 2
        if (x1 - x0) >= (d1 - d0):
            parts = [(x0, centre, d0, d1), (centre, x1, d0, d1)]
        else:
            parts = [(x0, x1, d0, middle), (x0, x1, middle, d1)]
        for part in parts:
            if part[0] + part[2] < one:
                push(*part)
    low = min(heap[0][0], best) if heap else best
    low = max(0.0, low)
    closed = best - low <= max(2 * RELATIVE * best, 2 * ABSOLUTE)
    return Bracket(low, best, at, closed)
