"""Intervals of floats, rounded outward: sums, products, quotients."""

import math
from fractions import Fraction

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
    if math.isinf(x):
        return 0.0, 0.0
    value = 1 / x
    return (value, value) if abs(x) == 1 else (down(value), up(value))


def outward(a: Fraction, b: Fraction) -> tuple[float, float]:
    """Floats that enclose [a, b]."""
    x, y = float(a), float(b)
    if Fraction(x) > a:
        x = math.nextafter(x, -INF)
    if Fraction(y) < b:
        y = math.nextafter(y, INF)
    return x, y
