"""Arb's balls: their precision, expressions and numbers in them, and the sign of an exact number."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache, wraps
from threading import RLock

import sympy
from sympy import Abs, Add, Expr, Max, Min, Mul, Pow, Rational, Symbol, exp, log

from alf.losses.exact import LongNumber, unwrapped
from alf.theory.arithmetic.intervals import WHOLE, down, up

ALONE = RLock()
"""Arb's precision is one for the whole process: whoever computes with balls holds this lock meanwhile."""


@contextmanager
def working(bits: int) -> Iterator[None]:
    """Ball arithmetic at a precision of its own, one thread at a time; the only way to set the precision.

    >>> with working(200):
    ...     third = arb_type()(1) / 3
    >>> bool(third.rad() < 2.0**-190)
    True
    """
    from flint import ctx

    with ALONE:
        before = ctx.prec
        ctx.prec = bits
        try:
            yield
        finally:
            ctx.prec = before


def one_at_a_time(function):
    """A function that computes with balls by itself, so that what it finds does not depend on other threads."""

    @wraps(function)
    def by_itself(*arguments, **named):
        with ALONE:
            return function(*arguments, **named)

    return by_itself


@lru_cache(maxsize=1)
def arb_type():
    """Arb's type, imported with the first question."""
    from flint import arb

    return arb


def ball_of(value: float):
    """An exact ball of a float."""
    return arb_type()(value)


def ball_ends(ball) -> tuple[float, float]:
    """Floats around an Arb ball."""
    if not ball.is_finite():
        if ball.is_nan():
            return WHOLE
        return float(ball.lower()), float(ball.upper())
    return down(float(ball.lower())), up(float(ball.upper()))


@lru_cache(maxsize=4096)
def constant_ball(value: Expr, bits: int = 64):
    """An Arb ball around an exact SymPy number."""
    with working(bits + 20):
        return PointCompiler(Symbol("_none")).compile(value)(None)


class PointCompiler:
    """The same expression as a chain of Arb operations."""

    METHODS = {exp: "exp", log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.sinh: "sinh",
               sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.atan: "atan", Abs: "__abs__"}  # fmt: skip

    def __init__(self, variable: Symbol):
        self.variable = variable

    def compile(self, e: Expr):
        """An expression as a function of a ball."""
        from flint import arb, fmpq

        if e == self.variable:
            return lambda x: x
        if isinstance(e, LongNumber):
            e = e.value
        if isinstance(e, Rational):
            number = fmpq(int(e.p), int(e.q))
            return lambda x: arb(number)
        if e is sympy.pi:
            return lambda x: arb.pi()
        if e is sympy.E:
            return lambda x: arb(1).exp()
        if isinstance(e, Add):
            parts = [self.compile(arg) for arg in e.args]
            return lambda x: sum((p(x) for p in parts), arb(0))
        if isinstance(e, Mul):
            parts = [self.compile(arg) for arg in e.args]

            def product(x):
                result = arb(1)
                for part in parts:
                    result = result * part(x)
                return result

            return product
        if isinstance(e, Pow):
            return self.power(e)
        if isinstance(e, (Max, Min)):
            parts = [self.compile(arg) for arg in e.args]
            name = e.func.__name__.lower()

            def extreme(x):
                result = parts[0](x)
                for part in parts[1:]:
                    result = getattr(result, name)(part(x))
                return result

            return extreme
        if e.func in self.METHODS:
            inner, name = self.compile(e.args[0]), self.METHODS[e.func]
            return lambda x: getattr(inner(x), name)()
        raise NotImplementedError(f"no enclosure for {e.func}")

    def power(self, e: Pow):
        """A power as a function of a ball; 0 to a positive power is 0."""
        from flint import arb

        if e.base is sympy.E:
            inner = self.compile(e.exp)
            return lambda x: inner(x).exp()
        base, index = self.compile(e.base), unwrapped(e.exp)
        if index.is_Integer:
            n = int(index)
            return lambda x: ball_power(base(x), n)
        exponent = self.compile(index)
        positive, natural = bool(index.is_positive), bool(e.base.is_nonnegative)

        def power(x):
            b = base(x)
            if b.is_zero() and positive:
                return arb(0)
            if positive and natural and b.contains(0):  # |b|**e, which rises from 0
                return arb(0).union(b.abs_upper() ** exponent(x))
            return b ** exponent(x)

        return power


def ball_power(ball, n: int):
    """A ball to a whole power; Arb's own gives nan for a ball around 0.

    >>> [bool(ball_power(arb_type()(0, 0.5), n).contains(0)) for n in (2, 3)], ball_power(arb_type()(2), -1)
    ([True, True], 0.500000000000000)
    """
    if not ball.contains(0):
        return ball**n
    if n < 0:
        return 1 / ball_power(ball, -n)
    top = ball.abs_upper() ** n
    return arb_type()(0).union(top if n % 2 == 0 else (-top).union(top))


@lru_cache(maxsize=2048)
def at_point(expression: Expr, variable: Symbol):
    """A function (point, bits) -> Arb ball; the point is a Fraction, an int, a float or a SymPy number.

    >>> x = Symbol("x", positive=True)
    >>> round(float(at_point(exp(x), x)(Fraction(1, 2), 60)), 12)
    1.6487212707
    """
    function = PointCompiler(variable).compile(expression)

    def value(point, bits: int = 100):
        with working(bits):
            return function(to_ball(point))

    return value


def to_ball(point):
    """An Arb ball of a number, at the precision in force."""
    from flint import arb, fmpq

    if isinstance(point, arb):
        return point
    if isinstance(point, Expr):
        if point.is_Rational:
            return arb(fmpq(int(point.p), int(point.q)))
        return PointCompiler(Symbol("_none")).compile(point)(None)
    if isinstance(point, Fraction):
        return arb(fmpq(point.numerator, point.denominator))
    return arb(point)


def sign_of_number(value: Expr, most_bits: int = 4000) -> int | None:
    """The sign of an exact SymPy number: -1, 0 or 1; None where neither balls nor SymPy can tell.

    A number is called 0 only after its ball at the most bits has contained 0 and exact arithmetic has agreed.

    >>> sign_of_number(sympy.sqrt(2) + sympy.sqrt(3) - sympy.sqrt(5 + 2 * sympy.sqrt(6)))
    0
    """
    if value.has(sympy.nan, sympy.zoo, sympy.I):
        return None
    if value.is_Rational:
        return int(value.p > 0) - int(value.p < 0)
    if value in (sympy.oo, -sympy.oo):
        return 1 if value is sympy.oo else -1
    bits = 100
    while True:
        ball = constant_ball(value, bits)
        if ball > 0:
            return 1
        if ball < 0:
            return -1
        if ball.is_zero():
            return 0
        if bits >= most_bits:
            return 0 if _is_exactly_zero(value) else None
        bits = min(2 * bits, most_bits)


def _is_exactly_zero(value: Expr) -> bool:
    if value.is_zero:
        return True
    if sympy.expand(value) == 0:
        return True
    # `simplify` to 0 is a rewriting by identities; the ball at 4,000 bits already contains 0.
    return sympy.simplify(value) == 0 or sympy.radsimp(value) == 0
