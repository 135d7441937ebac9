"""Functions of one interval: exponentials, logarithms, trigonometric functions and powers, by balls at the two ends."""

import math

from alf.theory.arithmetic.balls import ball_ends, ball_of
from alf.theory.arithmetic.intervals import INF, WHOLE, OutOfDomain, inverse, mul, neg, up


def _increasing(name: str, at_minus, at_plus):
    """A monotone function from its values at the ends; limits are given at -oo and +oo."""

    def end(x):
        if math.isinf(x):
            limit = at_plus if x > 0 else at_minus
            return limit, limit
        return ball_ends(getattr(ball_of(x), name)())

    def function(a):
        lo, hi = a
        return end(lo)[0], end(hi)[1]

    return function


_raw_exp = _increasing("exp", 0.0, INF)


_raw_tanh = _increasing("tanh", -1.0, 1.0)


_raw_atan = _increasing("atan", -up(math.pi / 2), up(math.pi / 2))


i_sinh = _increasing("sinh", -INF, INF)


def i_exp(a):
    """The exponential of an interval."""
    if a == (0.0, 0.0):
        return 1.0, 1.0
    lo, hi = _raw_exp(a)
    return max(lo, 0.0), hi


def i_tanh(a):
    """The hyperbolic tangent of an interval."""
    lo, hi = _raw_tanh(a)
    return max(lo, -1.0), min(hi, 1.0)


def i_atan(a):
    """The arc tangent of an interval."""
    return _raw_atan(a)


def i_cosh(a):
    """The hyperbolic cosine of an interval."""
    lo, hi = i_abs(a)
    low = INF if math.isinf(lo) else ball_ends(ball_of(lo).cosh())[0]
    high = INF if math.isinf(hi) else ball_ends(ball_of(hi).cosh())[1]
    return max(low, 1.0), high


def i_log(a):
    """The logarithm of an interval; `OutOfDomain` where it holds a negative number."""
    lo, hi = a
    if lo < 0:
        raise OutOfDomain("log of a negative number")
    low = -INF if lo == 0 else (INF if math.isinf(lo) else ball_ends(ball_of(lo).log())[0])
    high = -INF if hi == 0 else (INF if math.isinf(hi) else ball_ends(ball_of(hi).log())[1])
    if lo == 1.0:
        low = 0.0
    if hi == 1.0:
        high = 0.0
    return low, high


def _extremes(a, shift) -> tuple[int, int] | None:
    """Numbers of the first and last multiple of pi (shifted by shift * pi) reached on the cell; None where unclear."""
    from flint import arb

    pi = arb.pi()
    lo, hi = (ball_of(a[0]) / pi - shift).floor(), (ball_of(a[1]) / pi - shift).floor()
    first, last = lo.unique_fmpz(), hi.unique_fmpz()
    return None if first is None or last is None else (int(first), int(last))


def _near_extreme(a, low: float, high: float) -> tuple[float, float]:
    """Sine or cosine where an end of the cell cannot be told from an extreme: a short cell holds at most one, of the
    sign that the values have."""
    if a[1] - a[0] < 1 and low > 0:
        return max(low, -1.0), 1.0
    if a[1] - a[0] < 1 and high < 0:
        return -1.0, min(high, 1.0)
    return -1.0, 1.0


def i_cos(a):
    """The cosine of an interval."""
    if math.isinf(a[0]) or math.isinf(a[1]) or a[1] - a[0] > 7:
        return -1.0, 1.0
    if a == (0.0, 0.0):
        return 1.0, 1.0
    ends = [ball_ends(ball_of(x).cos()) for x in a]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    span = _extremes(a, 0)
    if span is None:
        return _near_extreme(a, low, high)
    inside = range(span[0] + 1, span[1] + 1)
    if any(k % 2 == 0 for k in inside) or a[0] == 0 or a[1] == 0:
        high = 1.0
    if any(k % 2 for k in inside):
        low = -1.0
    return max(low, -1.0), min(high, 1.0)


def i_sin(a):
    """The sine of an interval."""
    from flint import arb

    if math.isinf(a[0]) or math.isinf(a[1]) or a[1] - a[0] > 7:
        return -1.0, 1.0
    ends = [ball_ends(ball_of(x).sin()) if x else (0.0, 0.0) for x in a]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    span = _extremes(a, arb(0.5))
    if span is None:
        return _near_extreme(a, low, high)
    inside = range(span[0] + 1, span[1] + 1)  # k-th extreme is at (k + 1/2) pi
    if any(k % 2 == 0 for k in inside):
        high = 1.0
    if any(k % 2 for k in inside):
        low = -1.0
    return max(low, -1.0), min(high, 1.0)


def i_tan(a):
    """The tangent of an interval."""
    from flint import arb

    if math.isinf(a[0]) or math.isinf(a[1]) or a[1] - a[0] > 3.2:
        return WHOLE
    span = _extremes(a, arb(0.5))
    if span is None or span[0] != span[1]:
        return WHOLE
    return (ball_ends(ball_of(a[0]).tan())[0] if a[0] else 0.0), (ball_ends(ball_of(a[1]).tan())[1] if a[1] else 0.0)


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
    if x in (0.0, 1.0) or math.isinf(x):
        value = x if n % 2 or x >= 0 else -x
        return value, value
    if x == -1.0:
        value = 1.0 if n % 2 == 0 else -1.0
        return value, value
    return ball_ends(ball_of(x) ** n)


def real_power(a, e, exact):
    """a**e for a >= 0, e a float enclosure of the exponent and `exact` an Arb ball of it."""
    lo, hi = a
    if lo < 0:
        raise OutOfDomain("a power of a negative number")
    if e[0] > 0:
        return (_power_end(lo, exact)[0], _power_end(hi, exact)[1])
    if e[1] < 0:
        return (_power_end(hi, exact)[0], _power_end(lo, exact)[1])
    return i_exp(mul(e, i_log(a)))


def _power_end(x: float, exact) -> tuple[float, float]:
    rising = exact > 0
    if x == 0:
        return (0.0, 0.0) if rising else (INF, INF)
    if math.isinf(x):
        return (INF, INF) if rising else (0.0, 0.0)
    if x == 1.0:
        return 1.0, 1.0
    lo, hi = ball_ends(ball_of(x) ** exact)
    return max(lo, 0.0), hi


def power_log(x, c, c_ball, k: int):
    """x**c * (-log x)**k on a cell inside [0, 1], for c > 0: 0 at 0, one maximum at exp(-k/c)."""
    lo, hi = x
    if lo < 0 or hi > 1:
        return mul(real_power(x, c, c_ball), int_power(neg(i_log(x)), k))

    def value(t):
        return (0.0, 0.0) if t == 0 else mul(_power_end(t, c_ball), int_power(neg(i_log((t, t))), k))

    first, last = value(lo), value(hi)
    peak = ball_ends((-ball_of(float(k)) / c_ball).exp())
    low, high = min(first[0], last[0]), max(first[1], last[1])
    if hi >= peak[0] and lo <= peak[1]:
        high = max(high, ball_ends((ball_of(float(k)) / (c_ball * ball_of(1.0).exp())) ** k)[1])
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
        ball = ball_of(t)
        return ball_ends((-c_ball * ball ** (-a_ball)).exp() * ball ** (-b_ball))

    return max(value(lo)[0], 0.0), value(hi)[1]
