"""Intervals of floats, rounded outward: sums, products, quotients, and functions by balls at the two ends."""

import math
from fractions import Fraction

from flint import arb

INF = math.inf
WHOLE = (-INF, INF)


class OutOfDomain(ArithmeticError):
    """The expression is not a real number somewhere on the cell."""


def down(x: float) -> float:
    """The next double below."""
    return math.nextafter(x, -INF)


def up(x: float) -> float:
    """The next double above."""
    return math.nextafter(x, INF)


def sign_between(ends: tuple[float, float], strict: bool = False) -> int | None:
    """The sign of every number in an interval, 0 allowed beside it unless `strict`; None where there is no one sign."""
    lo, hi = ends
    if lo >= 0 >= hi:
        return 0
    if lo > 0 or (lo >= 0 and not strict):
        return 1
    return -1 if hi < 0 or (hi <= 0 and not strict) else None


def _sum_ends(x: float, y: float) -> tuple[float, float]:
    """Floats below and above x + y, equal when the sum is exact."""
    s = x + y
    if s != s:  # inf - inf
        return -INF, INF
    if math.isinf(s):
        if math.isinf(x) or math.isinf(y):
            return s, s
        return (down(s), s) if s > 0 else (s, up(s))
    t = s - x
    error = (x - (s - t)) + (y - t)
    if error == 0:
        return s, s
    return (s, up(s)) if error > 0 else (down(s), s)


def add(a, b):
    """The sum of two intervals."""
    return _sum_ends(a[0], b[0])[0], _sum_ends(a[1], b[1])[1]


def _product_ends(x: float, y: float) -> tuple[float, float]:
    if x == 0 or y == 0:  # 0 * inf is 0 here: infinite ends stand for arbitrarily large finite numbers
        return 0.0, 0.0
    product = x * y
    if abs(x) == 1 or abs(y) == 1 or math.isinf(x) or math.isinf(y):
        return product, product
    return down(product), up(product)


def mul(a, b):
    """The product of two intervals."""
    if a[0] >= 0 and b[0] >= 0:  # most factors have one sign
        return _product_ends(a[0], b[0])[0], _product_ends(a[1], b[1])[1]
    if a[0] >= 0 and b[1] <= 0:
        return _product_ends(a[1], b[0])[0], _product_ends(a[0], b[1])[1]
    if a[1] <= 0 and b[0] >= 0:
        return _product_ends(a[0], b[1])[0], _product_ends(a[1], b[0])[1]
    ends = [_product_ends(x, y) for x in a for y in b]
    return min(e[0] for e in ends), max(e[1] for e in ends)


def neg(a):
    """An interval with its sign turned."""
    return -a[1], -a[0]


def inverse(a):
    """One over an interval; everything where it holds 0."""
    lo, hi = a
    if lo < 0 < hi or lo == hi == 0:
        return WHOLE
    low = -INF if hi == 0 else _inverse_ends(hi)[0]
    high = INF if lo == 0 else _inverse_ends(lo)[1]
    return low, high


def _inverse_ends(x: float) -> tuple[float, float]:
    value = 1 / x
    return (value, value) if abs(x) in (1, INF) else (down(value), up(value))


def outward(a: Fraction, b: Fraction) -> tuple[float, float]:
    """Floats that enclose [a, b]."""
    x, y = float(a), float(b)
    return (down(x) if Fraction(x) > a else x), (up(y) if Fraction(y) < b else y)


def ball_ends(ball) -> tuple[float, float]:
    """Floats around an Arb ball; equal where it is one float."""
    if ball.is_nan():
        return WHOLE
    lo, hi = float(ball.lower()), float(ball.upper())
    return (lo, hi) if lo == hi == ball else (down(lo), up(hi))


def _increasing(method, first: tuple[float, float], last: tuple[float, float]):
    """A function that rises from `first` to `last`, each a place and the value (or the limit) there."""
    limits = dict((first, last))

    def end(x):
        value = limits.get(x)
        return ball_ends(method(arb(x))) if value is None else (value, value)

    def function(a):
        return max(end(a[0])[0], first[1]), min(end(a[1])[1], last[1])

    return function


i_exp = _increasing(arb.exp, (-INF, 0.0), (INF, INF))
i_sinh = _increasing(arb.sinh, (-INF, -INF), (INF, INF))
i_tanh = _increasing(arb.tanh, (-INF, -1.0), (INF, 1.0))
i_atan = _increasing(arb.atan, (-INF, -up(math.pi / 2)), (INF, up(math.pi / 2)))
_log = _increasing(arb.log, (0.0, -INF), (INF, INF))
_cosh = _increasing(arb.cosh, (0.0, 1.0), (INF, INF))


def i_cosh(a):
    """The hyperbolic cosine of an interval."""
    return _cosh(i_abs(a))


def i_log(a):
    """The logarithm of an interval; `OutOfDomain` where it holds a negative number."""
    if a[0] < 0:
        raise OutOfDomain("log of a negative number")
    return _log(a)


def _extremes(a, shift: float) -> tuple[int, int] | None:
    """Numbers of the first and last multiple of pi (shifted by shift * pi) reached on the cell; None where unclear."""
    first, last = ((arb(x) / arb.pi() - shift).floor().unique_fmpz() for x in a)
    return None if first is None or last is None else (int(first), int(last))


def _wave(method, shift: float):
    """Sine or cosine: 1 at the even multiples of pi (shifted by shift * pi), -1 at the odd ones."""

    def function(a):
        if not a[1] - a[0] <= 7:  # an infinite end is no less than that
            return -1.0, 1.0
        ends = [ball_ends(method(arb(x))) for x in a]
        low, high = min(e[0] for e in ends), max(e[1] for e in ends)
        span = _extremes(a, shift)
        if span is None:  # a short cell holds at most one extreme, of the sign that the values have
            short = a[1] - a[0] < 1
            return (low if short and low > 0 else -1.0), (high if short and high < 0 else 1.0)
        inside = {k % 2 for k in range(span[0] + 1, span[1] + 1)}
        return (-1.0 if 1 in inside else max(low, -1.0)), (1.0 if 0 in inside else min(high, 1.0))

    return function


i_cos = _wave(arb.cos, 0.0)
i_sin = _wave(arb.sin, 0.5)


def i_tan(a):
    """The tangent of an interval."""
    span = _extremes(a, 0.5) if a[1] - a[0] <= 3.2 else None
    if span is None or span[0] != span[1]:
        return WHOLE
    return ball_ends(arb(a[0]).tan())[0], ball_ends(arb(a[1]).tan())[1]


def i_abs(a):
    """The absolute value of an interval."""
    lo, hi = a
    if lo >= 0:
        return a
    if hi <= 0:
        return -hi, -lo
    return 0.0, max(-lo, hi)


def i_max(a, b):
    """The larger of two intervals."""
    return max(a[0], b[0]), max(a[1], b[1])


def i_min(a, b):
    """The smaller of two intervals."""
    return min(a[0], b[0]), min(a[1], b[1])


def int_power(a, n: int):
    """An interval to a whole power."""
    if n < 0:
        return inverse(int_power(a, -n))
    if n == 1:
        return a
    if n % 2 == 0:
        a = i_abs(a)
    return _int_end(a[0], n)[0], _int_end(a[1], n)[1]


def _int_end(x: float, n: int) -> tuple[float, float]:
    """x**n, an even power of an x that is not negative only."""
    return (x, x) if math.isinf(x) else ball_ends(arb(x) ** n)


def real_power(a, e, exact):
    """a**e for a >= 0, e a float enclosure of the exponent and `exact` an Arb ball of it."""
    if a[0] < 0:
        raise OutOfDomain("a power of a negative number")
    if e[0] <= 0 <= e[1]:
        return i_exp(mul(e, i_log(a)))
    least, most = a if e[0] > 0 else (a[1], a[0])
    return _power_end(least, exact)[0], _power_end(most, exact)[1]


def _power_end(x: float, exact) -> tuple[float, float]:
    if x == 0 or math.isinf(x):
        value = 0.0 if (x == 0) == (exact > 0) else INF
        return value, value
    lo, hi = ball_ends(arb(x) ** exact)
    return max(lo, 0.0), hi


def power_log(x, c, c_ball, k: int):
    """x**c * (-log x)**k on a cell inside [0, 1], for c > 0: 0 at 0, one maximum at exp(-k/c)."""
    lo, hi = x
    if lo < 0 or hi > 1:
        return mul(real_power(x, c, c_ball), int_power(neg(i_log(x)), k))

    def value(t):
        return (0.0, 0.0) if t == 0 else mul(_power_end(t, c_ball), int_power(neg(i_log((t, t))), k))

    first, last = value(lo), value(hi)
    peak = ball_ends((-arb(k) / c_ball).exp())
    low, high = min(first[0], last[0]), max(first[1], last[1])
    if hi >= peak[0] and lo <= peak[1]:
        high = max(high, ball_ends((arb(k) / (c_ball * arb(1).exp())) ** k)[1])
    return max(low, 0.0), high


def power_exp(x, b, b_ball, a_ball, c_ball):
    """x**-b * exp(-c x**-a) on a cell in [0, oo), a, b, c > 0: rising from 0 up to x = (a c / b)**(1/a)."""
    lo, hi = x
    peak = ball_ends((a_ball * c_ball / b_ball) ** (1 / a_ball))[0]
    if lo < 0 or hi > peak or hi == 0:
        slow = inverse(real_power(x, b, b_ball))
        return mul(slow, i_exp(neg(mul(ball_ends(c_ball), inverse(real_power(x, ball_ends(a_ball), a_ball))))))

    def value(t):
        if t == 0:
            return 0.0, 0.0
        return ball_ends((-c_ball * arb(t) ** (-a_ball)).exp() * arb(t) ** (-b_ball))

    return max(value(lo)[0], 0.0), value(hi)[1]
