"""Cells so small that doubles cannot tell a function from 0: balls of hundreds of bits, and exact zeros."""

from fractions import Fraction

import sympy
from sympy import Expr, Rational, Symbol, diff

from alf.numbers import as_rational
from alf.theory.arithmetic.balls import at_point, sign_of_number, to_ball, working


def fine_sign(f: Expr, x: Symbol, a: Fraction, b: Fraction, bits: int = 300) -> int | None:
    """The sign of every value on a cell too small for doubles, by balls and the mean value."""
    from flint import arb

    with working(bits):
        middle = to_ball((a + b) / 2)
        here = middle + arb(0, 1) * to_ball((b - a) / 2)
        ball = at_point(f, x)(here, bits)
        if ball.contains(0) and not f.has(sympy.Abs, sympy.Max, sympy.Min):
            ball = at_point(f, x)(middle, bits) + at_point(diff(f, x), x)(here, bits) * (here - middle)
    return 1 if ball > 0 else -1 if ball < 0 else None


def exact_zero(f: Expr, x: Symbol, lo: Fraction, hi: Fraction) -> Rational | None:
    """A simple fraction in [lo, hi] at which f is exactly zero."""
    c = ((lo + hi) / 2).limit_denominator(10_000)
    if not lo <= c <= hi:
        return None
    ball = at_point(f, x)(c, 200)
    if ball > 0 or ball < 0:
        return None
    value = f.subs(x, as_rational(c))
    if value.is_number and not value.has(sympy.nan, sympy.zoo) and sign_of_number(value) == 0:
        return as_rational(c)
    return None
