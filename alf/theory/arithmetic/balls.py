"""Arb's balls: their precision, expressions and numbers in them, and the signs that they and exact arithmetic tell."""

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache, reduce, wraps
from threading import RLock

import sympy
from flint import arb, ctx, fmpq
from sympy import Abs, Add, Expr, Max, Min, Mul, Pow, Rational, Symbol, diff, exp, log

from alf.losses.exact import LongNumber, unwrapped
from alf.numbers import as_rational

ALONE = RLock()
"""Arb's precision is one for the whole process: whoever computes with balls holds this lock meanwhile."""


@contextmanager
def working(bits: int) -> Iterator[None]:
    """Ball arithmetic at a precision of its own, one thread at a time; the only way to set the precision.

    >>> with working(200):
    ...     third = arb(1) / 3
    >>> bool(third.rad() < 2.0**-190)
    True
    """
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


_FUNCTIONS = {
    exp: arb.exp,
    log: arb.log,
    sympy.sin: arb.sin,
    sympy.cos: arb.cos,
    sympy.tan: arb.tan,
    sympy.sinh: arb.sinh,
    sympy.cosh: arb.cosh,
    sympy.tanh: arb.tanh,
    sympy.atan: arb.atan,
    Abs: arb.__abs__,
}
_CHAINS = {Add: operator.add, Mul: operator.mul, Max: arb.max, Min: arb.min}
"""What stands between the arguments of a sum, a product, a maximum and a minimum."""


def _compiled(e: Expr, variable: Symbol | None = None):
    """An expression as a function of a ball: a chain of Arb's operations."""
    if e == variable:
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
    if isinstance(e, Pow):
        return _compiled_power(e, variable)
    if e.func in _CHAINS:
        parts, join = [_compiled(arg, variable) for arg in e.args], _CHAINS[e.func]
        return lambda x: reduce(join, [part(x) for part in parts])
    if e.func in _FUNCTIONS:
        inner, function = _compiled(e.args[0], variable), _FUNCTIONS[e.func]
        return lambda x: function(inner(x))
    raise NotImplementedError(f"no enclosure for {e.func}")


def _compiled_power(e: Pow, variable: Symbol | None):
    """A power as a function of a ball; 0 to a positive power is 0."""
    base, index = _compiled(e.base, variable), unwrapped(e.exp)
    if index.is_Integer:
        n = int(index)
        return lambda x: ball_power(base(x), n)
    exponent = _compiled(index, variable)
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

    >>> [bool(ball_power(arb(0, 0.5), n).contains(0)) for n in (2, 3)], ball_power(arb(2), -1)
    ([True, True], 0.500000000000000)
    """
    if not ball.contains(0):
        return ball**n
    if n < 0:
        return 1 / ball_power(ball, -n)
    top = ball.abs_upper() ** n
    return arb(0).union(top if n % 2 == 0 else (-top).union(top))


@lru_cache(maxsize=4096)
def constant_ball(value: Expr, bits: int = 64):
    """An Arb ball around an exact SymPy number."""
    with working(bits + 20):
        return to_ball(value)


def to_ball(point):
    """An Arb ball of a number, at the precision in force."""
    if isinstance(point, Expr):
        return _compiled(point)(None)
    return arb(fmpq(point.numerator, point.denominator)) if isinstance(point, Fraction) else arb(point)


@lru_cache(maxsize=2048)
def at_point(expression: Expr, variable: Symbol):
    """A function (point, bits) -> Arb ball; the point is a Fraction, an int, a float, a ball or a SymPy number.

    >>> x = Symbol("x", positive=True)
    >>> round(float(at_point(exp(x), x)(Fraction(1, 2), 60)), 12)
    1.6487212707
    """
    function = _compiled(expression, variable)

    def value(point, bits: int = 100):
        with working(bits):
            return function(to_ball(point))

    return value


PRECISIONS = (100, 200, 400, 800, 1600, 3200, 4000)
"""Bits at which a number's sign is asked for, until a ball tells."""


def sign_of_number(value: Expr) -> int | None:
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
    for bits in PRECISIONS:
        ball = constant_ball(value, bits)
        if ball.is_zero():
            return 0
        if not ball.contains(0):
            return 1 if ball > 0 else -1
    # `simplify` to 0 is a rewriting by identities; the ball at 4,000 bits already contains 0.
    rewritings = (sympy.expand, sympy.simplify, sympy.radsimp)
    return 0 if value.is_zero or any(rewrite(value) == 0 for rewrite in rewritings) else None


def fine_sign(f: Expr, x: Symbol, a: Fraction, b: Fraction, bits: int = 300) -> int | None:
    """The sign of every value on a cell so small that doubles cannot tell f from 0, by balls and the mean value."""
    with working(bits):
        middle = to_ball((a + b) / 2)
        here = middle + arb(0, 1) * to_ball((b - a) / 2)
        ball = at_point(f, x)(here, bits)
        if ball.contains(0) and not f.has(Abs, Max, Min):
            ball = at_point(f, x)(middle, bits) + at_point(diff(f, x), x)(here, bits) * (here - middle)
    return 1 if ball > 0 else -1 if ball < 0 else None


def exact_zero(f: Expr, x: Symbol, lo: Fraction, hi: Fraction) -> Rational | None:
    """A simple fraction in [lo, hi] at which f is exactly zero."""
    c = ((lo + hi) / 2).limit_denominator(10_000)
    if lo <= c <= hi and at_point(f, x)(c, 200).contains(0):
        value = f.subs(x, as_rational(c))
        if value.is_number and sign_of_number(value) == 0:
            return as_rational(c)
    return None
