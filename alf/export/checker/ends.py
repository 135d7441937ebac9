"""The ends of (0, 1): a function of t on the strip (0, eps] as t^alpha L^beta c(t), with L = |log t| and c enclosed.

The powers are exact; c is an interval that holds its value for every t of the strip. So signs, infinite limits and
finite ones are read off without sampling.
"""

from contextlib import suppress
from fractions import Fraction
from math import prod

import sympy
from mpmath import libmp

from alf.export.checker.interval import (
    NON_NEGATIVE,
    Interval,
    Undefined,
    atan,
    between,
    cos,
    cosh,
    exp,
    log,
    number,
    power,
    sin,
    sinh,
    tan,
    tanh,
)
from alf.export.checker.program import ONE, ZERO, Program, exact
from alf.export.checker.reading import u

t = sympy.Symbol("t", positive=True)
DEEPEST = 2**20
"""The strip (0, 2^-DEEPEST] is where limits are read off."""
MOST_TERMS = 4
FLAT = 8
"""The power of t beside which exp(-1/t) is bounded."""


KINKS = (sympy.Abs, sympy.Max, sympy.Min)


def without_kinks(e, sign):
    """An expression without the kinks that can be told to lie elsewhere.

    `sign` says of an expression without kinks 1 where it is at least 0, -1 where it is at most 0, None where it is not
    known.
    """
    for kink in sympy.postorder_traversal(e):
        if isinstance(kink, KINKS) and not any(a.has(*KINKS) for a in kink.args):
            fewer = _fewer_sides(kink, sign)
            if fewer is not None:
                return without_kinks(e.xreplace({kink: fewer}), sign)
    return e


def _fewer_sides(kink, sign):
    """A kink with one side less, None where no two can be told apart."""
    first, *others = kink.args
    if isinstance(kink, sympy.Abs):
        of_first = sign(first)
        return None if of_first is None else of_first * first
    for other in others:
        of_gap = sign(sympy.expand(first - other))
        if of_gap is not None:
            dropped = other if (of_gap > 0) == isinstance(kink, sympy.Max) else first
            return kink.func(*(a for a in kink.args if a != dropped))
    return None


class Form:
    """t^alpha L^beta c; alpha is an expression where parameters move in it."""

    def __init__(self, alpha, beta, c):
        self.alpha, self.beta, self.c = sympy.expand(alpha), Fraction(beta), c

    def __mul__(self, other):
        return Form(self.alpha + other.alpha, self.beta + other.beta, self.c * other.c)

    def power(self, e):
        """The form to a power."""
        return Form(self.alpha * e, self.beta * e, power(self.c, e))


class Strip:
    """Evaluates expressions in t over (0, 2^-k], k at least 4."""

    def __init__(self, k, values):
        self.k, self.values = k, values
        self.length = -log(number(2)) * number(-k)  # L at t = eps, where it is least
        self.forms = {}

    def form(self, e):
        """The form of an expression at this end, remembered."""
        if e not in self.forms:
            try:
                found = self._form(e)
            except Undefined:
                found = self._taylor(e)
                if found is None:
                    raise
            else:
                c = found.c
                if not (c.positive or c.negative or c.zero) and e != t:
                    found = self._taylor(e) or found
            self.forms[e] = found
        return self.forms[e]

    def range(self, x):
        """The values of an expression in the parameters alone."""
        return number(exact(x, {})) if x.is_Rational else Program(x, t, self.values).enclose(ONE)[0]

    def limit(self, form):
        """The limit for t to 0, enclosed; 1 or -1 where it is plus or minus infinity."""
        alpha, c = self.range(form.alpha), form.c
        vanishing = alpha.positive or (alpha.zero and form.beta < 0)
        if c.zero or (vanishing and c.bounded):
            return ZERO
        if alpha.zero and form.beta == 0 and c.bounded:
            return c
        if not (alpha.negative or (alpha.zero and form.beta > 0)) or not (c.positive or c.negative):
            raise Undefined("a limit is not known")
        return 1 if c.positive else -1

    def span(self, alpha, beta):
        """The values of t^alpha L^beta on the strip."""
        if isinstance(alpha, sympy.Rational):
            alpha = exact(alpha, {})
        if not isinstance(alpha, Fraction):
            ends = self.range(alpha)
            low, high = (Fraction(*libmp.to_rational(end)) for end in (ends.lo, ends.hi))
            return self.span(low, beta).hull(self.span(high, beta))  # t^alpha lies between the two for every t
        if alpha == beta == 0:
            return ONE
        if alpha < 0:
            return _turned(self.span(-alpha, -beta))
        end = power(self._eps(), alpha) * (power(self.length, beta) if beta else ONE)
        if alpha == 0:
            return end.hull(Interval(end.lo, NON_NEGATIVE.hi)) if beta > 0 else end.hull(ZERO)
        if beta > 0 and not number(Fraction(beta) / alpha).below(self.length):  # largest where L = beta/alpha
            end = end.hull(power(number(Fraction(beta) / alpha), beta))
        return ZERO.hull(end)

    def interval(self, form):
        """The values of a form on the strip."""
        return self.span(form.alpha, form.beta) * form.c

    def _eps(self):
        return number(Fraction(1, 2**self.k)) if self.k <= 4096 else exp(-self.length)

    def _form(self, e):
        constant = None if e.has(t) else exact(e, self.values)
        if constant is not None:
            return Form(0, 0, number(constant))
        if e == t:
            return Form(1, 0, ONE)
        if not e.has(t):
            return Form(0, 0, Program(e, t, self.values).enclose(ONE)[0])
        if e.is_Add:
            return self._sum([self.form(a) for a in e.args])
        if e.is_Mul:
            return prod(map(self.form, e.args), start=Form(0, 0, ONE))
        if e.is_Pow and e.base != sympy.E:
            exponent = None if e.exp.has(t) else exact(e.exp, self.values)
            if exponent is None and e.exp.has(t):
                return self.form(sympy.exp(e.exp * sympy.log(e.base)))
            base = self.form(e.base)
            if exponent is None:
                return self._moving_power(base, e.exp)
            if exponent.denominator != 1 and not base.c.positive:
                raise Undefined("a root of a number that may be 0 or below")
            return base.power(exponent)
        inner = self.form(e.exp if e.is_Pow else e.args[0])
        if isinstance(e, sympy.log):
            return self._log(inner)
        if isinstance(e, KINKS):
            return self.form(self.resolved(e))
        name = "exp" if e.is_Pow else type(e).__name__
        steep = inner.alpha.is_Rational and inner.alpha < 0 and inner.beta == 0
        if name == "exp" and steep and inner.c.negative:
            return self._flat(exact(-inner.alpha, {}), -inner.c)
        if name == "exp" and steep and inner.c.positive:
            flat = self._flat(exact(-inner.alpha, {}), inner.c)
            return Form(-flat.alpha, 0, _turned(flat.c))
        if name not in _PLAIN:
            raise Undefined(f"{name} is not known here")
        return Form(0, 0, _PLAIN[name](self.interval(inner)))

    def _sum(self, forms):
        forms = [f for f in forms if not f.c.zero]
        if not forms:
            return Form(0, 0, ZERO)
        first, total = forms[0], ZERO
        for f in forms[1:]:
            later = self.range(first.alpha - f.alpha)
            if later.positive or (later.zero and f.beta > first.beta):
                first = f
        for f in forms:
            total = total + self.span(f.alpha - first.alpha, f.beta - first.beta) * f.c
        return Form(first.alpha, first.beta, total)

    def _moving_power(self, base, exponent):
        """A power whose exponent is no fraction: it moves with the parameters, or is irrational."""
        if base.beta or not base.c.positive:
            raise Undefined("a power of a number that may be 0 or below")
        return Form(base.alpha * exponent, 0, exp(self.range(exponent) * log(base.c)))

    def _log(self, form):
        if not form.c.positive:
            raise Undefined("a logarithm of a number that may be 0 or below")
        rest = log(form.c)
        if form.alpha == form.beta == 0:
            return Form(0, 0, rest)
        if form.alpha == 0:
            raise Undefined("a logarithm of a logarithm")
        # log L / L falls from L = e on, and L >= log 16 > e
        slow = ZERO.hull(log(self.length) / self.length) * number(form.beta)
        return Form(0, 1, -self.range(form.alpha) + slow + ZERO.hull(self.length.inverse()) * rest)

    def _flat(self, n, c):
        """exp(-c t^-n), below every power of t: t^m times something small, where t^-m exp(-c t^-n) rises with t."""
        steep = Interval(c.lo, c.lo) * power(self._eps().inverse(), n)
        if not number(Fraction(FLAT) / n).below(steep):
            return Form(0, 0, ZERO.hull(ONE))
        return Form(FLAT, 0, ZERO.hull(power(self._eps().inverse(), FLAT) * exp(-steep)))

    def _taylor(self, e):
        """f = t^n f^(n)(s) / n! where f and its first n-1 derivatives are exactly 0 at t = 0 and f is smooth there."""
        if not e.has(t) or e.has(*KINKS):
            return None
        room = between(0, Fraction(1, 2 ** min(self.k, 4096)))
        factorial, f = 1, e
        try:
            Program(e, t, self.values).enclose(room, 1)
            for n in range(MOST_TERMS):
                value = Program(f, t, self.values).enclose(room)[0]
                if n and (value.positive or value.negative):
                    return Form(n, 0, value / number(factorial))
                if not self._vanishes(f):
                    return None
                f, factorial = sympy.diff(f, t), factorial * (n + 1)
        except Undefined:
            pass
        return None

    def _vanishes(self, f):
        at_zero = f.subs(t, 0)
        if at_zero == 0 or exact(at_zero, self.values) == 0:
            return True
        return sympy.expand(at_zero) == 0

    def resolved(self, e):
        """An expression without the kinks that do not lie in the strip."""
        return without_kinks(e, self._sign)

    def _sign(self, e):
        c = self.form(sympy.expand(e)).c
        if not (c.positive or c.negative or c.zero):
            raise Undefined("a kink may lie next to an end")
        return -1 if c.negative else 1


def _turned(x):
    """1/x where x lies above 0, though it comes near."""
    if x.positive:
        return x.inverse()
    return Interval(Interval(x.hi, x.hi).inverse().lo, NON_NEGATIVE.hi)


_PLAIN = {"exp": exp, "sin": sin, "cos": cos, "tan": tan, "sinh": sinh, "cosh": cosh, "tanh": tanh, "atan": atan}


def signed_form(strip, e):
    """The enclosed factor of a form whose sign is settled, weakly; None where no form's is."""
    return next((f.c for f in _forms(strip, e) if f.c.at_least_zero or f.c.at_most_zero), None)


def _forms(strip, e):
    """The forms of an expression as it stands, multiplied out, and over one denominator, where it has them."""
    for change in (lambda x: x, sympy.expand, sympy.together):
        with suppress(Undefined):
            yield strip.form(change(e))


def local(expression, end):
    """The expression in t, the distance from an end: from 0 to the right, from any other to the left."""
    end = Fraction(end)
    return expression.subs(u, sympy.Rational(end.numerator, end.denominator) - t if end else t)


def limit(expression, end, values):
    """The limit of an expression in u at 0 or 1: an interval, or 1 or -1 for plus or minus infinity."""
    strip = Strip(DEEPEST, values)
    for form in _forms(strip, local(expression, end)):
        with suppress(Undefined):
            return strip.limit(form)
    raise Undefined("a limit at an end is not known")
