"""Interval arithmetic with outward rounding, on mpmath's numbers.

An `Interval` encloses finite real numbers; an end may be infinite, which says "unbounded on this side". So 0 times an
infinite end is 0. What has no value somewhere on its arguments (a division by 0, a logarithm of a negative number, a
tangent across a pole) raises `Undefined`.
"""

from fractions import Fraction
from functools import cmp_to_key, reduce

from mpmath import libmp


class Undefined(ArithmeticError):
    """An expression has no value somewhere on the interval, or none that could be enclosed."""


BITS = [100]
"""The working precision, as a list of one number so that `precise` can change it."""

_UP, _DOWN = "c", "f"
_ZERO, _ONE, _INF, _NINF = libmp.fzero, libmp.fone, libmp.finf, libmp.fninf
_GUARD = 8
"""Last bits of mpmath's elementary functions that are not relied on."""
_FAR = libmp.from_man_exp(1, 40)
_IN_ORDER = cmp_to_key(libmp.mpf_cmp)


class precise:
    """A context with another working precision."""

    def __init__(self, bits):
        self.bits = bits

    def __enter__(self):
        self.before, BITS[0] = BITS[0], max(BITS[0], self.bits)

    def __exit__(self, *error):
        BITS[0] = self.before


def _times(x, y, rounding):
    return _ZERO if x == _ZERO or y == _ZERO else libmp.mpf_mul(x, y, BITS[0], rounding)


class Interval:
    """All reals between two numbers; made from a `Fraction`, or from two ends by `between`."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo, hi):
        if lo == _INF or hi == _NINF or lo == libmp.fnan or hi == libmp.fnan:
            raise Undefined("no number is enclosed")
        self.lo, self.hi = lo, hi

    def __add__(self, other):
        lo = libmp.mpf_add(self.lo, other.lo, BITS[0], _DOWN)
        return Interval(lo, libmp.mpf_add(self.hi, other.hi, BITS[0], _UP))

    def __neg__(self):
        return Interval(libmp.mpf_neg(self.hi), libmp.mpf_neg(self.lo))

    def __sub__(self, other):
        return self + -other

    def __mul__(self, other):
        if self.at_most_zero and not self.zero:
            return -(-self * other)
        if other.at_most_zero and not other.zero:
            return -(self * -other)
        if self.at_least_zero and other.at_least_zero:
            return Interval(_times(self.lo, other.lo, _DOWN), _times(self.hi, other.hi, _UP))
        if self.at_least_zero:
            return Interval(_times(self.hi, other.lo, _DOWN), _times(self.hi, other.hi, _UP))
        if other.at_least_zero:
            return other * self
        ends = [(x, y) for x in (self.lo, self.hi) for y in (other.lo, other.hi)]
        low, high = [_times(x, y, _DOWN) for x, y in ends], [_times(x, y, _UP) for x, y in ends]
        return Interval(_least(low), _most(high))

    def inverse(self):
        """1 / x, where x cannot be 0."""
        if not (self.positive or self.negative):
            raise Undefined("a division by 0")
        return Interval(_one_over(self.hi, _DOWN), _one_over(self.lo, _UP))

    def __truediv__(self, other):
        return self * other.inverse()

    @property
    def positive(self):
        """Whether every number in it is above 0."""
        return self.lo[0] == 0 and self.lo != _ZERO  # mpmath's numbers begin with the sign

    @property
    def negative(self):
        """Whether every number in it is below 0."""
        return self.hi[0] == 1

    @property
    def at_least_zero(self):
        """Whether no number in it is below 0."""
        return self.lo[0] == 0

    @property
    def at_most_zero(self):
        """Whether no number in it is above 0."""
        return self.hi[0] == 1 or self.hi == _ZERO

    @property
    def zero(self):
        """Whether it is 0 and nothing else."""
        return self.lo == self.hi == _ZERO

    @property
    def bounded(self):
        """Whether both ends are finite."""
        return self.lo != _NINF and self.hi != _INF

    @property
    def lower(self):
        """The lower end as a double, which may be off by a little."""
        return libmp.to_float(self.lo)

    @property
    def upper(self):
        """The upper end as a double."""
        return libmp.to_float(self.hi)

    @property
    def bounded_above(self):
        """Whether the upper end is finite."""
        return self.hi != _INF

    def below(self, other):
        """Whether every number here is below every number there."""
        return libmp.mpf_lt(self.hi, other.lo)

    def hull(self, other):
        """The smallest interval that holds both."""
        return Interval(_least([self.lo, other.lo]), _most([self.hi, other.hi]))

    def meet(self, other):
        """What lies in both, where both enclose the same number."""
        lo, hi = _most([self.lo, other.lo]), _least([self.hi, other.hi])
        if libmp.mpf_lt(hi, lo):
            raise Undefined("no number is enclosed")
        return Interval(lo, hi)

    def __repr__(self):
        return f"[{libmp.to_str(self.lo, 15)}, {libmp.to_str(self.hi, 15)}]"


def _least(numbers):
    return min(numbers, key=_IN_ORDER)


def _most(numbers):
    return max(numbers, key=_IN_ORDER)


def _one_over(x, rounding):
    return _ZERO if x in (_INF, _NINF) else libmp.mpf_div(_ONE, x, BITS[0], rounding)


def number(x):
    """The interval of one rational number."""
    x = Fraction(x)
    return between(x, x)


def between(low, high):
    """The interval of all reals between two rational numbers."""
    low, high = Fraction(low), Fraction(high)
    return Interval(
        libmp.from_rational(low.numerator, low.denominator, BITS[0], _DOWN),
        libmp.from_rational(high.numerator, high.denominator, BITS[0], _UP),
    )


EVERYTHING = Interval(_NINF, _INF)
NON_NEGATIVE = Interval(_ZERO, _INF)


# --- elementary functions -----------------------------------------------------------------------------------------


def _loose(x, rounding):
    """A value of mpmath's, moved outwards by more than its error; below 0 never by more than to 0."""
    if x in (_ZERO, _INF, _NINF):
        return x
    slack = libmp.mpf_shift(libmp.mpf_abs(x), _GUARD - BITS[0])
    return (libmp.mpf_sub if rounding == _DOWN else libmp.mpf_add)(x, slack, BITS[0], rounding)


def _rising(f):
    def enclosed(x):
        return Interval(_loose(f(x.lo, BITS[0], _DOWN), _DOWN), _loose(f(x.hi, BITS[0], _UP), _UP))

    return enclosed


def _exp(x, bits, rounding):
    if x == _INF or (x != _NINF and libmp.mpf_gt(x, _FAR)):
        return _INF if rounding == _UP else libmp.mpf_exp(_FAR, bits, rounding)
    if x == _NINF or libmp.mpf_lt(x, libmp.mpf_neg(_FAR)):
        return _ZERO if rounding == _DOWN else libmp.mpf_exp(libmp.mpf_neg(_FAR), bits, rounding)
    return libmp.mpf_exp(x, bits, rounding)


def _limited(f, low, high):
    """A bounded rising function, with its limits."""

    def value(x, bits, rounding):
        return low() if x == _NINF else high() if x == _INF else f(x, bits, rounding)

    return value


def _half_pi():
    return (pi() * number(Fraction(1, 2))).hi


exp = _rising(_exp)
tanh = _rising(_limited(libmp.mpf_tanh, lambda: libmp.mpf_neg(_ONE), lambda: _ONE))
atan = _rising(_limited(libmp.mpf_atan, lambda: libmp.mpf_neg(_half_pi()), _half_pi))


def sinh(x):
    """The hyperbolic sine."""
    up = exp(x)
    if x.bounded and libmp.mpf_lt(libmp.mpf_abs(x.lo), _FAR) and libmp.mpf_lt(libmp.mpf_abs(x.hi), _FAR):
        return _rising(libmp.mpf_sinh)(x)
    return (up - exp(-x)) * number(Fraction(1, 2))


def cosh(x):
    """The hyperbolic cosine."""
    x = absolute(x)
    low, high = Interval(x.lo, x.lo), Interval(x.hi, x.hi)
    return (exp(low) + exp(-low)).hull(exp(high) + exp(-high)) * number(Fraction(1, 2))


def log(x):
    """The natural logarithm; undefined where the argument may be 0 or below."""
    if not x.positive:
        raise Undefined("a logarithm of a number that may be 0 or below")
    return _rising(libmp.mpf_log)(x)


def pi():
    """An interval that holds pi."""
    return Interval(_loose(libmp.mpf_pi(BITS[0], _DOWN), _DOWN), _loose(libmp.mpf_pi(BITS[0], _UP), _UP))


def _turns(x, offset):
    """The whole numbers k for which x may contain (k + offset) pi; None for too many."""
    if not x.bounded or not libmp.mpf_lt(_most([libmp.mpf_abs(x.lo), libmp.mpf_abs(x.hi)]), _FAR):
        return None
    scaled = x / pi() - number(offset)
    first, last = libmp.to_int(libmp.mpf_ceil(scaled.lo)), libmp.to_int(libmp.mpf_floor(scaled.hi))
    return range(first, last + 1) if last - first < 4 else None


def _wave(f, offset):
    def enclosed(x):
        extremes = _turns(x, offset)
        if extremes is None:
            return between(-1, 1)
        low, high = (_rising(f)(Interval(end, end)) for end in (x.lo, x.hi))
        return reduce(Interval.hull, (number(-1 if k % 2 else 1) for k in extremes), low.hull(high))

    return enclosed


cos = _wave(libmp.mpf_cos, 0)
sin = _wave(libmp.mpf_sin, Fraction(1, 2))


def tan(x):
    """The tangent; undefined across a pole."""
    poles = _turns(x, Fraction(1, 2))
    if poles is None or len(poles):
        raise Undefined("a tangent across a pole")
    return _rising(libmp.mpf_tan)(x)


def absolute(x):
    """The absolute value."""
    if x.at_least_zero:
        return x
    return -x if x.at_most_zero else Interval(_ZERO, _most([libmp.mpf_neg(x.lo), x.hi]))


def maximum(x, y):
    """The larger of two."""
    return Interval(_most([x.lo, y.lo]), _most([x.hi, y.hi]))


def power(x, e):
    """x to a rational power; x at least 0 where it is no whole number."""
    e = Fraction(e)
    if e == 0:
        return number(1)
    if e < 0:
        return power(x, -e).inverse()
    if e == 1:
        return x
    if e.denominator == 1:
        return _whole_power(x, int(e))
    if not x.at_least_zero:
        raise Undefined("a root of a number that may be below 0")
    low = _ZERO if x.lo == _ZERO else exp(number(e) * log(Interval(x.lo, x.lo))).lo
    high = x.hi if x.hi in (_ZERO, _INF) else exp(number(e) * log(Interval(x.hi, x.hi))).hi
    return Interval(low, high)


def _whole_power(x, n):
    raised = _rising(lambda end, bits, rounding: libmp.mpf_pow_int(end, n, bits, rounding))
    return raised(x if n % 2 else absolute(x))
