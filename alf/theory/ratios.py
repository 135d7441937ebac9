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
from alf.theory.certify import Budget, exact_zero, sign_pattern
from alf.theory.enclosure import OutOfDomain, at_point, constant_ball, on_cell, one_at_a_time, sign_of_number
from alf.theory.progress import stage
from alf.theory.shape import Shape, _derivative, _is_zero, shape_of, smooth_pieces
from alf.theory.verdict import Step, step

RELATIVE = 9e-4
ABSOLUTE = 9e-7
"""Widths at which a bracket is good enough, a little less than the 1e-3 and 1e-6 that THEORY asks."""

SHORTCUT = 3000
"""Evaluations spent on a sign that would save the branch and bound: between steep steps a sum like l(t) + l(1-t) may
be 0 but for exp(-40000), and no number of them tells its sign."""


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
        """Whether the loss has a ratio."""
        return self.status != "not_defined"

    def to_json(self) -> dict:
        """What --json says of it."""
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
        """What --json says of it."""
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


@one_at_a_time
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
        text = (
            "l is concave: it falls over every step at least as much as over a step of that length from 0, "
            "so r = r_up = 1."
        )
        return exact_ratio(Integer(1), (_bend_step(shape, -1), step(text, status="certified")), attained=True)
    if shape.convex:
        return _convex_ratio(shape)
    return _bracket(shape)


def _bend_step(shape: Shape, sign: int) -> Step:
    word = "convex" if sign > 0 else "concave"
    expression = sympy.diff(shape.expression, u, 2) if shape.smooth else None
    return step(f"l is {word} on [0, 1].", expression, "certified")


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
        exact = Fraction(middle) == Fraction(int(value.p), int(value.q))
        interval = (middle, middle) if exact else (math.nextafter(middle, 0), math.nextafter(middle, 2))
    else:
        low, high = _ends(constant_ball(value, 100))
        interval = (max(0.0, low), min(1.0, high))
        middle = float(value.evalf(30))
    return Ratio(
        status, middle, interval, middle, interval, value, formula, tuple(steps), at=(1.0, 0.0), attained=attained
    )


# --- branch and bound -------------------------------------------------------------------------------------------


def _bracket(shape: Shape) -> Ratio:
    stage("bracketing the ratio by branch and bound")
    mean = Means(shape)
    steps = [step("l'' changes sign on [0, 1]: no closed form by convexity or concavity alone.")]
    first = shape.slope_at_zero
    zero = _zero_slope(shape)
    limit_zero = zero is not None and first is not None and first != oo and sign_of_number(first) == -1
    if upper_is_one(shape):
        upper = Bracket(1.0, 1.0, (0.0, 1.0), True)
        steps.append(step("l(t) + l(1-t) >= l(0) + l(1) for all t: r_up = 1.", status="certified"))
    elif first == -oo and shape.slope_at_one not in (None, -oo):
        upper = Bracket(0.0, 0.0, (1.0, 0.0), True)
        steps.append(step("l'(0) is infinite and l'(1) finite: r_up = 0 as a limit.", status="certified"))
    elif limit_zero and zero == 1:
        upper = Bracket(0.0, 0.0, (1.0, 0.0), True)
    else:
        upper = minimise(mean, line=True)
        if not upper.closed:
            upper = _certify_upper(shape, upper)
    if first == -oo:
        lower = Bracket(0.0, 0.0, (0.5, 0.0), True)
        steps.append(step("l'(0) is infinite and l' is finite inside: r = 0 as a limit (u2 -> 0).", status="certified"))
    elif limit_zero:
        lower = Bracket(0.0, 0.0, (float(zero), 0.0), True)
        steps.append(step(f"l'({zero}) = 0 and l'(0) < 0: r = 0 as a limit.", status="certified"))
    elif concave_then_convex(shape):
        lower = upper
        text = (
            "l is concave and then convex, so |l'| rises and then falls: the least drop over a step of given length is "
            "at one of the two ends, and r = r_up."
        )
        steps.append(step(text, status="certified"))
    else:
        flat = FlatSpots(shape)
        if flat.deeper is not None:
            lower = Bracket(0.0, 0.0, (float(flat.deeper), 0.0), True)
            text = f"l' vanishes to a higher order at {flat.deeper} than at 0: r = 0 as a limit."
            steps.append(step(text, status="certified"))
        else:
            mean.flat = flat if flat.order else None
            lower = minimise(mean, line=False, known=upper.high)
    interval = (lower.low, min(lower.high, upper.high))
    status = "certified" if lower.closed and upper.closed else "undecided"
    for name, b in (("r", interval), ("r_up", (upper.low, upper.high))):
        text = f"{name} lies in [{b[0]:.9g}, {b[1]:.9g}]" + ("." if b[0] == b[1] else " by interval branch and bound.")
        steps.append(step(text, status="certified"))
    exact = Integer(round(interval[0])) if interval[0] == interval[1] == upper.low == upper.high else None
    return Ratio(
        status, _middle(*interval), interval, _middle(upper.low, upper.high), (upper.low, upper.high),
        exact, None, tuple(steps), at=lower.at,
    )  # fmt: skip


@lru_cache(maxsize=512)
def _gap_signs(expression: Expr) -> tuple:
    """Signs of l(t) + l(1-t) - l(0) - l(1) on (0, 1/2), whose positivity is r_up = 1."""
    shape = shape_of(expression)
    if shape.at_zero in (None, oo) or shape.at_one is None:
        return (None,)
    gap = expression + expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    if _is_zero(gap):
        return (0,)
    half = Fraction(1, 2)
    value = at_point(gap, u)
    if any(value(Fraction(k, 128), 100) < 0 for k in range(1, 64)):
        return (-1,)
    pieces, located = smooth_pieces(gap, Fraction(0), half)
    return _signs(pieces) if located else (None,)


def _signs(pieces) -> tuple[int | None, ...]:
    """Signs of a function on its smooth pieces; None with them where `SHORTCUT` evaluations do not settle one."""
    budget = Budget(SHORTCUT)
    return tuple(r.sign for p in pieces for r in sign_pattern(p.expression, u, p.lo, p.hi, budget))


def upper_is_one(shape: Shape) -> bool:
    """Whether r_up = 1: no step at 1 is smaller than the same step at 0."""
    return set(_gap_signs(shape.expression)) <= {0, 1}


def concave_then_convex(shape: Shape) -> bool:
    """Whether |l'| rises and then falls (or only one of the two), kinks included."""
    turns = [(r.lo, 1, r.sign) for r in shape.bend_runs if r.sign in (1, -1)]
    small = all(r.sign is not None or r.hi - r.lo < Fraction(1, 2**30) for r in shape.bend_runs)
    for kink in shape.kinks:
        sign = sign_of_number(kink.right - kink.left)
        if sign is None:
            return False
        if sign:
            turns.append((kink.lo, 0, sign))  # a kink comes before the piece that begins at it
    signs = [sign for _, _, sign in sorted(turns)]
    return shape.located and small and signs == sorted(signs)


def _certify_upper(shape: Shape, found: "Bracket") -> "Bracket":
    """r_up >= rho by the sign of l(1-t) - l(1) - rho (l(0) - l(t)), which also settles the end t -> 0."""
    if shape.at_zero in (None, oo):
        return found
    for part in (Fraction(1, 2000), Fraction(1, 500), Fraction(1, 100)):
        rho = Fraction(found.high) * (1 - part)
        scale = sympy.Rational(rho.numerator, rho.denominator)
        drop = shape.expression.subs(u, 1 - u) - shape.at_one - scale * (shape.at_zero - shape.expression)
        pieces, located = smooth_pieces(drop)
        if located and set(_signs(pieces)) <= {0, 1}:
            low = max(found.low, math.nextafter(float(rho), 0.0))
            return Bracket(low, found.high, found.at, found.high - low <= 1e-3 * found.high)
    return found


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


class FlatSpots:
    """Points where l' is exactly zero: at 0 (to what order), and in (0, 1].

    Near 0, mu(t) <= M t**k, and near another zero s of order j, mu(x) >= m |x - s|**j; so a step of length d has

        A / B >= (m / M) (k + 1) / (j + 1) 2**-j d**(j - k),     without 2**-j where s = 1 is an end.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        self.order = self._order_at(Integer(0))
        self.spots: list[tuple[Expr, int]] = []
        if self.order and shape.smooth:
            for c in self._zeros():
                self.spots.append((c, self._order_at(c)))
        self.deeper = next((c for c, j in self.spots if j > self.order), None)

    def _zeros(self):
        if self.shape.slope_at_one == 0:
            yield Integer(1)
        derivative = sympy.diff(self.shape.expression, u)
        for run in self.shape.bend_runs:
            if run.sign is None:
                c = exact_zero(derivative, u, run.lo, run.hi)
                if c is not None and 0 < c < 1:
                    yield c

    def _order_at(self, c: Expr, most: int = 6) -> int:
        """How many derivatives of l vanish at c, from the first on; 0 where the first does not."""
        f = self.shape.expression
        for order in range(most):
            f = sympy.diff(f, u)
            value = f.subs(u, c)
            if not value.is_number or value.has(sympy.nan, sympy.zoo, oo) or sign_of_number(value) != 0:
                return order
        return most

    def bound(self, lo: float, hi: float, d1: float) -> float:
        """A lower bound of A/B for windows inside [lo, hi] and steps up to d1; 0 where the lemma does not apply."""
        k = self.order
        best = 0.0
        for c, j in self.spots:
            if j > k or not lo - 0.02 <= float(c) <= hi + 0.02:
                continue
            try:
                near = self._derivative(j + 1)(min(lo, float(c)), min(1.0, max(hi, float(c))))
                first = self._derivative(k + 1)(0.0, d1)
            except OutOfDomain:
                continue
            if near[0] <= 0 <= near[1]:
                continue
            m = min(abs(near[0]), abs(near[1])) / math.factorial(j)
            top = max(abs(first[0]), abs(first[1])) / math.factorial(k)
            if not 0 < top < math.inf:
                continue
            factor = 1.0 if c == 1 else 2.0**-j
            best = max(best, m / top * (k + 1) / (j + 1) * factor * d1 ** (j - k) * (1 - 1e-12))
        return best

    def _derivative(self, order: int):
        return on_cell(_derivative(self.shape.expression, order), u)


@dataclass
class Bracket:
    """Certified bounds of an infimum, where it sits, and whether they are close enough."""

    low: float
    high: float
    at: tuple[float, float]
    closed: bool


def _rises_until(shape: Shape) -> float:
    """How far from 0 on l is concave, kinks included."""
    end = Fraction(0)
    kinks = {k.lo: sign_of_number(k.right - k.left) for k in shape.kinks}
    for run in shape.bend_runs:
        if run.lo > end or run.sign not in (-1, 0) or kinks.get(run.lo, -1) not in (-1, 0):
            break
        end = run.hi
    return math.nextafter(float(end), 0.0) if Fraction(float(end)) > end else float(end)


class Means:
    """Enclosures of A(x, d) and B(d) over boxes with dyadic corners, which floats add and subtract exactly."""

    def __init__(self, shape: Shape):
        self.shape = shape
        self.flat: FlatSpots | None = None
        self.rising = _rises_until(shape)
        self._values: dict[float, object] = {}
        self._slopes: dict[tuple, tuple[float, float]] = {}
        self._firsts: dict[tuple, tuple[float, float]] = {}
        self._bends: dict[tuple, tuple[float, float] | None] = {}

    def value(self, x: float):
        """Its value at x, remembered."""
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

    def mean(self, x: float, d: float) -> tuple[float, float]:
        """A(x, d) at a point, d > 0."""
        from alf.theory.enclosure import _ends

        low, high = _ends((self.value(x) - self.value(x + d)) / d)
        return max(0.0, low), high

    def over(self, x0: float, x1: float, d0: float, d1: float, line: bool) -> tuple[float, float]:
        """The mean of mu over [x, x + d] for x in [x0, x1] and d in [d0, d1].

        `line`: x = 1 - d instead, and x0, x1 are not used.
        """
        if line:
            lo, hi = 1 - d1, 1.0
        else:
            lo, hi = x0, min(1.0, x1 + d1)
        window = (lo, hi)
        low, high = self.mu(*window)
        bend = self.bend(window)
        if d0 > 0:  # l is monotone, so its values alone bound the drop; this needs no derivative
            if line:
                least, most = self.value(1 - d0) - self.value(1.0), self.value(lo) - self.value(1.0)
            else:
                least = self.value(x1) - self.value(x0 + d0) if x1 < x0 + d0 else None
                most = self.value(x0) - self.value(min(1.0, x1 + d1))
            if least is not None:
                low = max(low, _down(least / d1))
            high = min(high, _up(most / d0))
        if bend is None:
            return low, high
        steepest = max(abs(bend[0]), abs(bend[1]))
        d = (d0 + d1) / 2
        if line:
            x, spread = 1 - d, 0.0
        else:
            x, spread = (x0 + x1) / 2, steepest * (x1 - x0) / 2
            if x + d > 1:
                return low, high
        value = self.mean(x, d) if d > 0 else self.mu(x, x)
        reach = (spread + steepest * (d1 - d0) / 4) * (1 + 1e-12)
        return max(low, math.nextafter(value[0] - reach, -1)), min(high, math.nextafter(value[1] + reach, math.inf))

    def centred(self, value: float, top, bottom, xs, ds, line: bool) -> float:
        """A lower bound of Q = A/B on a box from its value at a point and the derivatives on the box.

        dQ/dx = (mu(x + d) - mu(x)) / (d B),     dQ/dd = (mu(x + d) - Q mu(d)) / (d B),

        and dQ/dd = (mu(1 - d) - Q mu(d)) / (d B) along x = 1 - d.
        """
        x0, x1, x = xs
        d0, d1, d = ds
        scale = d0 * bottom[0]
        if scale <= 0:
            return 0.0
        low, high = max(0.0, top[0] / bottom[1]), top[1] / bottom[0]
        first = self.mu(d0, d1)
        far = self.mu(1 - d1, 1 - d0) if line else self.mu(x0 + d0, min(1.0, x1 + d1))
        drop = max(abs(far[0] - high * first[1]), abs(far[1] - low * first[0])) / scale * max(d1 - d, d - d0)
        if not line:
            near = self.mu(x0, x1)
            drop += max(abs(far[1] - near[0]), abs(near[1] - far[0])) / scale * max(x1 - x, x - x0)
        found = value - drop * (1 + 1e-12) - 1e-15
        return found if found == found else 0.0

    def rises(self, x1: float, d0: float, d1: float) -> bool:
        """Whether A(x, d) >= B(d) for x <= x1: mu rises as far as x1 + d1, or is nowhere less on [d0, d1 + x1] than
        on [0, x1]."""
        if x1 + d1 <= self.rising:
            return True
        return self.mu(d0, min(1.0, d1 + x1))[0] >= self.mu(0.0, x1)[1]

    def first(self, d0: float, d1: float) -> tuple[float, float]:
        """B over d in [d0, d1]."""
        found = self._firsts.get((d0, d1))
        if found is None:
            found = self._firsts[d0, d1] = self.over(0.0, 0.0, d0, d1, False)
        return found

    def bend(self, window):
        """l'' over a window, remembered."""
        if window not in self._bends:
            self._bends[window] = self.shape.bend(*window)
        return self._bends[window]


def _down(ball) -> float:
    return math.nextafter(float(ball.lower()), -math.inf) if ball.is_finite() else 0.0


def _up(ball) -> float:
    return math.nextafter(float(ball.upper()), math.inf) if ball.is_finite() else math.inf


def ratio_exceeds(expression: Expr, target: Fraction) -> bool:
    """Whether r > target is certified: the bracket of r, refined only where this answer depends on it."""
    found = ratio_of_shape(expression)
    if not found.defined or Fraction(found.interval[1]) <= target:
        return False
    if Fraction(found.interval[0]) > target:
        return True
    stage("comparing the ratio with what the noise needs by branch and bound")
    shape, goal = shape_of(expression), math.nextafter(float(target), 2.0)
    mean, flat = Means(shape), FlatSpots(shape)
    mean.flat = flat if flat.order else None
    return minimise(mean, line=False, known=found.interval[1], target=goal).low > goal


def minimise(mean: Means, line: bool, known: float = 1.0, boxes: int = 14000, target: float | None = None) -> Bracket:
    """The infimum of A/B, best box first.

    Parameters
    ----------
    line : bool
        Over x = 1 - d (the upper ratio) instead of the whole triangle.
    known : float
        A value the infimum is already known not to exceed.
    boxes : int
        How many boxes may be looked at.
    target : float, optional
        Stop as soon as the infimum is known to lie above this value, or not to.
    """
    best, at = min(known, 1.0), (0.0, 1.0)
    heap: list = []
    counter, stuck = 0, 1.0

    def push(x0, x1, d0, d1):
        nonlocal best, at, counter
        top = mean.over(x0, x1, d0, d1, line)
        bottom = mean.first(d0, d1)
        low = 0.0 if bottom[1] == math.inf else math.nextafter(top[0] / bottom[1], 0.0) if bottom[1] > 0 else 1.0
        if not line and low < best and mean.rises(x1, d0, d1):
            low = 1.0
        if mean.flat is not None and not line and low < best:
            low = max(low, mean.flat.bound(x0, min(1.0, x1 + d1), d1))
        d = (d0 + d1) / 2
        x = 1 - d if line else min((x0 + x1) / 2, 1 - d)
        a, b = mean.mean(x, d), mean.mean(0.0, d)
        here = math.nextafter(a[1] / b[0], math.inf) if b[0] > 0 else math.inf
        if here < best:
            best, at = here, (x, d)
        if low < best and d0 > 0 and bottom[0] > 0 and b[1] > 0:
            low = max(low, mean.centred(a[0] / b[1], top, bottom, (x0, x1, x), (d0, d1, d), line))
        if low < best:
            counter += 1
            heapq.heappush(heap, (low, counter, x0, x1, d0, d1))

    cells = 8
    for j in range(cells):
        d0, d1 = j / cells, (j + 1) / cells
        if line:
            push(None, None, d0, d1)
            continue
        for i in range(cells - j):
            push(i / cells, (i + 1) / cells, d0, d1)
    while heap and counter < boxes:
        low, _, x0, x1, d0, d1 = heapq.heappop(heap)
        near = best - low <= max(RELATIVE * best, ABSOLUTE)
        if near if target is None else low > target or best <= target:
            heapq.heappush(heap, (low, 0, x0, x1, d0, d1))
            break
        if d1 - d0 < 2.0**-48:  # no box can be smaller: its bound stays, the others are still worked on
            stuck = min(stuck, low)
            continue
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
            if part[0] + part[2] < 1:
                push(*part)
    low = max(0.0, min(best, stuck, heap[0][0] if heap else best))
    closed = best - low <= max(1e-3 * best, 1e-6)
    return Bracket(low, best, at, closed)
