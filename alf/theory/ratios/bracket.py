"""The infimum of A/B by branch and bound, certified (THEORY, section 3).

Write mu = -l' and, for 0 < d <= 1 and 0 <= x <= 1 - d,

    A(x, d) = (l(x) - l(x + d)) / d     the mean of mu over [x, x + d],
    B(d)    = (l(0) - l(d)) / d         the mean of mu over [0, d].

Then r is the infimum of A(x, d) / B(d), and r_up the infimum over x = 1 - d. Both means are as smooth as mu, down to
d = 0, so branch and bound on (x, d) needs no special case there.
"""

import heapq
import math
from dataclasses import dataclass
from fractions import Fraction

from alf.theory.arithmetic.balls import ball_ends, sign_of_number
from alf.theory.curve.shape import Shape
from alf.theory.ratios.flat_spots import FlatSpots

RELATIVE = 9e-4


ABSOLUTE = 9e-7
"""Widths at which a bracket is good enough, a little less than the 1e-3 and 1e-6 that THEORY asks."""


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
        low, high = ball_ends((self.value(x) - self.value(x + d)) / d)
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
