"""The infimum of A/B by branch and bound, certified (THEORY, section 3).

Write mu = -l' and, for 0 < d <= 1 and 0 <= x <= 1 - d,

    A(x, d) = (l(x) - l(x + d)) / d     the mean of mu over [x, x + d],
    B(d)    = (l(0) - l(d)) / d         the mean of mu over [0, d].

Then r is the infimum of A(x, d) / B(d), and r_up the infimum over x = 1 - d. Both means are as smooth as mu, down to
d = 0, so branch and bound on (x, d) needs no special case there, but where both are 0 (`FlatSpots`).
"""

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import sympy
from sympy import Expr, Integer, oo

from alf.losses import u
from alf.theory.arithmetic.balls import exact_zero, sign_of_number
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.intervals import ball_ends
from alf.theory.curve.derivative import derivative_of
from alf.theory.curve.shape import Shape

RELATIVE, ABSOLUTE = 9e-4, 9e-7
"""Widths at which a bracket is good enough, a little less than the 1e-3 and 1e-6 that THEORY asks."""

GRID = 8
"""Into how many parts each side is cut at first."""

THINNEST = 2.0**-48
"""A box is cut no further in d: the corners of thinner ones would not be exact."""

ROUNDING = 2.0**-48
"""What a bound computed in doubles is widened by, relative to the magnitudes it is a sum or difference of.

Each operation is off by at most 2**-53 of its result. The longest chain here, the drop of `Means.centred`, has eight
(three in a difference of slopes, four to scale and add it, one to subtract it), so 2**-50 would do.
"""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """x in [x0, x1] and d in [d0, d1], all dyadic; with `line` the part of x = 1 - d in it, its diagonal."""

    x0: float
    x1: float
    d0: float
    d1: float
    line: bool = False

    @classmethod
    def on_line(cls, d0: float, d1: float) -> "Box":
        """The part of x = 1 - d with d in [d0, d1]."""
        return cls(1 - d1, 1 - d0, d0, d1, True)

    @property
    def window(self) -> Interval:
        """What the stretches [x, x + d] of the box cover."""
        return self.x0, min(1.0, self.x1 + self.d1)

    @property
    def middle(self) -> tuple[float, float]:
        """A point (x, d) of the triangle in the box."""
        d = (self.d0 + self.d1) / 2
        return 1 - d if self.line else min((self.x0 + self.x1) / 2, 1 - d), d

    def halves(self) -> "list[Box]":
        """The box cut across its longer side; halves outside of the triangle are left out."""
        d = (self.d0 + self.d1) / 2
        if self.line:
            return [Box.on_line(self.d0, d), Box.on_line(d, self.d1)]
        if self.x1 - self.x0 >= self.d1 - self.d0:
            x = (self.x0 + self.x1) / 2
            parts = [Box(self.x0, x, self.d0, self.d1), Box(x, self.x1, self.d0, self.d1)]
        else:
            parts = [Box(self.x0, self.x1, self.d0, d), Box(self.x0, self.x1, d, self.d1)]
        return [part for part in parts if part.x0 + part.d0 < 1]


def _first_boxes(line: bool) -> list[Box]:
    cells = [(i / GRID, (i + 1) / GRID) for i in range(GRID)]
    if line:
        return [Box.on_line(*d) for d in cells]
    return [Box(*x, *d) for j, d in enumerate(cells) for x in cells[: GRID - j]]


@dataclass
class Bracket:
    """Certified bounds of an infimum, where it sits, and whether they are close enough."""

    low: float
    high: float
    at: tuple[float, float]
    closed: bool


def zero_slopes(shape: Shape) -> Iterator[Expr]:
    """Points of (0, 1] at which l' is exactly zero."""
    last = shape.slope_at_one
    if last not in (None, oo, -oo) and sign_of_number(last) == 0:
        yield Integer(1)
    for run in shape.bend_runs:  # an inner zero of l' <= 0 is a zero of l''
        if run.sign is None:
            for piece in shape.derivative(1):
                c = exact_zero(piece.expression, u, run.lo, run.hi) if piece.lo <= run.lo <= piece.hi else None
                if c is not None and c > 0:
                    yield c


class FlatSpots:
    """Points where l' is exactly zero: at 0 (to what order), and in (0, 1].

    Near 0, mu(t) <= M t**k, and near another zero s of order j, mu(x) >= m |x - s|**j; so a step of length d has

        A / B >= (m / M) (k + 1) / (j + 1) 2**-j d**(j - k),     without 2**-j where s = 1 is an end.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        self.order = self._order_at(Integer(0))
        zeros = zero_slopes(shape) if self.order and shape.smooth else ()
        self.spots = [(c, self._order_at(c)) for c in zeros]
        self.deeper = next((c for c, j in self.spots if j > self.order), None)

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
            near = self._derivative(j + 1)(min(lo, float(c)), min(1.0, max(hi, float(c))))
            first = self._derivative(k + 1)(0.0, d1)
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
        return on_cell(derivative_of(self.shape.expression, order), u)


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
        self.value = cache(lambda x: shape.value(x, 140))  # the ball of l(x)
        self.bend = cache(shape.bend)  # l'' over a window
        self.first = cache(lambda d0, d1: self.over(Box(0.0, 0.0, d0, d1)))  # B over d in [d0, d1]

        def mu(lo: float, hi: float) -> Interval:
            low, high = shape.slope(lo, hi)
            return max(0.0, -high), max(0.0, -low)

        self.mu = cache(mu)  # -l' over a cell; never negative, l being certified to decrease

    def mean(self, x: float, d: float) -> Interval:
        """A(x, d) at a point, d > 0."""
        low, high = ball_ends((self.value(x) - self.value(x + d)) / d)
        return max(0.0, low), high

    def over(self, box: Box) -> Interval:
        """The mean of mu over [x, x + d] for all (x, d) in a box."""
        low, high = self.mu(*box.window)
        if box.d0 > 0:
            least, most = self._by_values(box)
            low, high = max(low, least), min(high, most)
        least, most = self._by_bend(box)
        return max(low, least), min(high, most)

    def _by_values(self, box: Box) -> Interval:
        """The same from values of l alone, which is monotone: how much it drops at least and at most; d0 > 0."""
        lo, hi = box.window
        most = _up((self.value(lo) - self.value(hi)) / box.d0)
        end = 1.0 if box.line else box.x0 + box.d0
        return _down((self.value(box.x1) - self.value(end)) / box.d1) if box.x1 < end else 0.0, most

    def _by_bend(self, box: Box) -> Interval:
        """The same from A at the middle, whose slopes are at most max |l''| in x, half of that in d or on the line."""
        bend = self.bend(*box.window)
        x, d = (box.x0 + box.x1) / 2, (box.d0 + box.d1) / 2
        if bend is None or x + d > 1:
            return 0.0, math.inf
        steepest = max(abs(bend[0]), abs(bend[1]))
        spread = 0.0 if box.line else steepest * (box.x1 - box.x0) / 2
        reach = (spread + steepest * (box.d1 - box.d0) / 4) * (1 + ROUNDING)
        value = self.mean(x, d) if d > 0 else self.mu(x, x)
        return math.nextafter(value[0] - reach, -1), math.nextafter(value[1] + reach, math.inf)

    def centred(self, value: float, top: Interval, bottom: Interval, box: Box) -> float:
        """A lower bound of Q = A/B on a box from its value at the middle and the derivatives on the box.

        dQ/dx = (mu(x + d) - mu(x)) / (d B),     dQ/dd = (mu(x + d) - Q mu(d)) / (d B),

        and dQ/dd = (mu(1 - d) - Q mu(d)) / (d B) along x = 1 - d.
        """
        scale = box.d0 * bottom[0]
        if scale <= 0:
            return 0.0
        x, d = box.middle
        low, high = max(0.0, top[0] / bottom[1]), top[1] / bottom[0]
        first = self.mu(box.d0, box.d1)
        far = self.mu(box.x0, box.x1) if box.line else self.mu(box.x0 + box.d0, box.window[1])
        slope = _largest_difference(far, (low * first[0], high * first[1]))
        drop = slope / scale * max(box.d1 - d, d - box.d0)
        if not box.line:
            slope = _largest_difference(far, self.mu(box.x0, box.x1))
            drop += slope / scale * max(box.x1 - x, x - box.x0)
        found = value - drop * (1 + ROUNDING) - value * ROUNDING
        return found if found == found else 0.0

    def rises(self, box: Box) -> bool:
        """Whether A(x, d) >= B(d) for x <= x1: mu rises as far as x1 + d1, or is nowhere less on [d0, d1 + x1] than
        on [0, x1]."""
        if box.x1 + box.d1 <= self.rising:
            return True
        return self.mu(box.d0, box.window[1])[0] >= self.mu(0.0, box.x1)[1]


def _largest_difference(a: Interval, b: Interval) -> float:
    """The largest |x - y| of x in a and y in b, both nowhere negative, and the rounding of their ends."""
    return max(abs(a[1] - b[0]), abs(b[1] - a[0])) + ROUNDING * (a[1] + b[1])


def _down(ball: Any) -> float:
    return math.nextafter(float(ball.lower()), -math.inf) if ball.is_finite() else 0.0


def _up(ball: Any) -> float:
    return math.nextafter(float(ball.upper()), math.inf) if ball.is_finite() else math.inf


class _Search:
    """Boxes that may hold the infimum, the one with the lowest bound first, and the lowest value found so far."""

    def __init__(self, mean: Means, known: float):
        self.mean = mean
        self.best, self.at = min(known, 1.0), (0.0, 1.0)
        self.left: list[tuple[float, int, Box]] = []
        self.stuck = 1.0
        self.kept = 0

    def look_at(self, box: Box) -> None:
        """Bound A/B on a box, try its middle, and keep the box unless the infimum cannot lie in it."""
        mean = self.mean
        top, bottom = mean.over(box), mean.first(box.d0, box.d1)
        low = self._without_middle(box, top, bottom)
        x, d = box.middle
        above, below = mean.mean(x, d), mean.mean(0.0, d)
        here = math.nextafter(above[1] / below[0], math.inf) if below[0] > 0 else math.inf
        if here < self.best:
            self.best, self.at = here, (x, d)
        if low < self.best and box.d0 > 0 and bottom[0] > 0 and below[1] > 0:
            low = max(low, mean.centred(above[0] / below[1], top, bottom, box))
        if low < self.best:
            self.kept += 1
            heapq.heappush(self.left, (low, self.kept, box))

    def _without_middle(self, box: Box, top: Interval, bottom: Interval) -> float:
        """A lower bound of A/B from the enclosures of A and B on the box, and from where l is concave or flat."""
        if bottom[1] <= 0:
            return 1.0
        low = 0.0 if bottom[1] == math.inf else math.nextafter(top[0] / bottom[1], 0.0)
        if box.line or low >= self.best:
            return low
        if self.mean.rises(box):
            low = 1.0
        if self.mean.flat is not None and low < self.best:
            low = max(low, self.mean.flat.bound(*box.window, box.d1))
        return low

    def settled(self, target: float | None) -> bool:
        """Whether the bracket is narrow enough, or on one side of the target."""
        low = self.left[0][0]
        if target is not None:
            return low > target or self.best <= target
        return self.best - low <= max(RELATIVE * self.best, ABSOLUTE)

    def cut(self) -> None:
        """Look at the halves of the box with the lowest bound; the bound of one that cannot be cut stays."""
        low, _, box = heapq.heappop(self.left)
        if box.d1 - box.d0 < THINNEST:
            self.stuck = min(self.stuck, low)
            return
        for half in box.halves():
            self.look_at(half)

    def bracket(self) -> Bracket:
        """What is known of the infimum."""
        low = max(0.0, min(self.best, self.stuck, self.left[0][0] if self.left else self.best))
        return Bracket(low, self.best, self.at, self.best - low <= max(1e-3 * self.best, 1e-6))


def minimise(mean: Means, line: bool, known: float = 1.0, boxes: int = 14000, target: float | None = None) -> Bracket:
    """The infimum of A/B, best box first.

    Parameters
    ----------
    line : bool
        Over x = 1 - d (the upper ratio) instead of the whole triangle.
    known : float
        A value the infimum is already known not to exceed.
    boxes : int
        How many boxes may be kept for cutting.
    target : float, optional
        Stop as soon as the infimum is known to lie above this value, or not to.
    """
    search = _Search(mean, known)
    for box in _first_boxes(line):
        search.look_at(box)
    while search.left and search.kept < boxes and not search.settled(target):
        search.cut()
    return search.bracket()
