"""A formula as a list of operations, evaluated with its first two derivatives over an interval of u.

Where a kink (of Max, Min or Abs) may lie in the interval, the first derivative encloses both one-sided slopes and the
second one the jump of the slope, as an end at infinity: max(f, g) bends upwards at least as much as f or g.
"""

from fractions import Fraction
from functools import reduce
from math import prod

import sympy

from alf.export.checker.interval import (
    EVERYTHING,
    NON_NEGATIVE,
    Interval,
    Undefined,
    absolute,
    atan,
    between,
    cos,
    cosh,
    exp,
    log,
    maximum,
    number,
    pi,
    power,
    sin,
    sinh,
    tan,
    tanh,
)

ZERO, ONE = number(0), number(1)
MOST_DIGITS = 2000
"""Bits of a fraction beyond which it is enclosed rather than kept."""


def exact(expression, values):
    """The value of an expression without u as a fraction, None where it is not one rational number or is too long."""
    if expression.is_Rational:
        return Fraction(int(expression.p), int(expression.q))
    if expression.is_Symbol:
        value = values.get(expression)
        return None if isinstance(value, tuple) else value
    parts = [exact(a, values) for a in expression.args]
    if not parts or any(p is None or max(abs(p.numerator), p.denominator).bit_length() > MOST_DIGITS for p in parts):
        return None
    if expression.is_Add:
        return sum(parts, Fraction(0))
    if expression.is_Mul:
        return prod(parts, start=Fraction(1))
    if expression.is_Pow:
        base, e = parts
        if e == 0 or base == 1:
            return Fraction(1)
        if e.denominator == 1 and abs(e) <= 100 and (base or e > 0):
            return base ** int(e)
    return None


class Program:
    """An expression in one variable, ready to be enclosed; `values` are the numbers its other symbols stand for.

    A value may be a pair (low, high): the symbol is then any number between the two, and every enclosure holds for all.
    """

    def __init__(self, expression, variable, values):
        self.values, self.variable = values, variable
        self.operations, self.places = [], {}
        self.split = False
        self._add(sympy.sympify(expression))

    def _add(self, e):
        """The place of a subexpression in the list, appended with what it needs."""
        if e not in self.places:
            self.operations.append(self._operation(e))  # after those that it needs
            self.places[e] = len(self.operations) - 1
        return self.places[e]

    def _operation(self, e):
        """The jet of a subexpression as a function of those found before it, the interval of u and the order."""
        constant = None if e.has(self.variable) else exact(e, self.values)
        if e == self.variable:
            return lambda found, x, order: [x, ONE, ZERO]
        if constant is not None:
            return lambda found, x, order: [number(constant), ZERO, ZERO]
        if isinstance(self.values.get(e), tuple):
            return lambda found, x, order: [between(*self.values[e]), ZERO, ZERO]
        if e is sympy.E or e is sympy.pi:
            return lambda found, x, order: [exp(ONE) if e is sympy.E else pi(), ZERO, ZERO]
        if e.is_Pow and e.base != sympy.E:
            return self._power(e)
        if e.is_Mul and _cubed_kink(e):
            kink, n, others = _cubed_kink(e)
            whole, rest = self._power_of_kink(kink, kink.args[0], Fraction(n + 1)), self._add(others)
            return lambda found, x, order: _product(whole(found, x, order), found[rest], order)
        name = "exp" if e.is_Pow else type(e).__name__
        if name not in (*_KNOWN, *_SEVERAL, "Abs"):
            raise Undefined(f"{name} is not known here")
        first, *others = (self._add(a) for a in ((e.exp,) if e.is_Pow else e.args))
        if name in _SEVERAL:
            return lambda found, x, order: reduce(
                lambda jet, other: self._combine(name, jet, found[other], order), others, found[first]
            )
        if name == "Abs":
            return lambda found, x, order: self._absolute(found[first], order)
        return lambda found, x, order: _chain(found[first], _KNOWN[name](found[first][0], order), order)

    def _power(self, e):
        exponent = None if e.exp.has(self.variable) else exact(e.exp, self.values)
        if exponent is None:
            inner = self._add(e.exp * sympy.log(e.base))
            return lambda found, x, order: _chain(found[inner], _KNOWN["exp"](found[inner][0], order), order)
        if exponent > 1 and isinstance(e.base, sympy.Abs):
            return self._power_of_kink(e.base, e.base.args[0], exponent)
        if exponent > 1 and isinstance(e.base, sympy.Max) and e.base.args[0] == 0 and len(e.base.args) == 2:
            return self._power_of_kink(e.base, e.base.args[1], exponent)
        base = self._add(e.base)
        return lambda found, x, order: _power(found[base], exponent, order)

    def _power_of_kink(self, kink, inner, exponent):
        outer, inside = self._add(kink), self._add(inner)
        return lambda found, x, order: _kinked_power(found[outer], found[inside], exponent, order)

    def enclose(self, x, order=0):
        """[f, f', f''] up to the order over the interval x; `split` says afterwards whether a kink may lie in it."""
        self.split = False
        found: list = []
        for operation in self.operations:
            found.append(operation(found, x, order)[: order + 1])
        return found[-1]

    def _absolute(self, f, order):
        return [absolute(f[0]), *self._greater(f, _minus(f), order)[1:]]

    def _combine(self, name, f, g, order):
        if name == "Add":
            return [a + b for a, b in zip(f, g, strict=True)]
        if name == "Mul":
            return _product(f, g, order)
        if name == "Max":
            return self._greater(f, g, order)
        return _minus(self._greater(_minus(f), _minus(g), order))

    def _greater(self, f, g, order):
        """max(f, g)."""
        if not f[0].below(g[0]) and not g[0].below(f[0]):
            self.split = True
            jet = [maximum(f[0], g[0])]
            jet += [f[k].hull(g[k]) for k in range(1, order + 1)]
            if order == 2:
                jet[2] = Interval(jet[2].lo, NON_NEGATIVE.hi)
            return jet
        return list(g if f[0].below(g[0]) else f)


def _cubed_kink(e):
    """|g|, n and the other factors of g^n |g| with an even n, which is how SymPy writes |g|^(n+1)."""
    for kink in e.args:
        for f in e.args if isinstance(kink, sympy.Abs) else ():
            if f.is_Pow and f.base == kink.args[0] and f.exp.is_Integer and f.exp > 0 and f.exp % 2 == 0:
                return kink, int(f.exp), sympy.Mul(*(a for a in e.args if a not in (kink, f)))
    return None


def _minus(jet):
    return [-a for a in jet]


def _product(f, g, order):
    jet = [f[0] * g[0]]
    if order >= 1:
        jet.append(f[1] * g[0] + f[0] * g[1])
    if order >= 2:
        jet.append(f[2] * g[0] + number(2) * f[1] * g[1] + f[0] * g[2])
    return jet


def _chain(f, outer, order):
    """The jet of phi(f) from the derivatives of phi over f's interval."""
    jet = [outer[0]]
    if order >= 1:
        jet.append(outer[1] * f[1])
    if order >= 2:
        jet.append(outer[2] * power(f[1], 2) + outer[1] * f[2])
    return jet


def _power(f, e, order):
    if order and e.denominator != 1 and not f[0].positive:
        raise Undefined("a root where its argument may be 0")
    outer = [power(f[0], e)]
    if order >= 1:
        outer.append(number(e) * power(f[0], e - 1) if e else ZERO)
    if order >= 2:
        outer.append(number(e * (e - 1)) * power(f[0], e - 2) if e not in (0, 1) else ZERO)
    return _chain(f, outer, order)


def _kinked_power(f, inner, e, order):
    """f^e for e > 1 and f = |g| or max(0, g): smooth enough at the kink, where f is 0, for the slope not to jump."""
    base = f[0].meet(NON_NEGATIVE)
    jet = [power(base, e)]
    if order >= 1:
        jet.append(number(e) * power(base, e - 1) * f[1])
    if order >= 2:
        curved = inner[2].hull(-inner[2]).hull(ZERO)  # f'' beside the kink
        steep = power(base, e - 2) if e >= 2 or base.positive else power(Interval(base.hi, base.hi), e - 2).hull(
            NON_NEGATIVE) if not base.zero else NON_NEGATIVE  # fmt: skip
        jet.append(number(e * (e - 1)) * steep * power(f[1], 2) + number(e) * power(base, e - 1) * curved)
    return jet


def _with_log(x, order):
    return [log(x), x.inverse(), -power(x.inverse(), 2)]


def _with_tan(x, order):
    t = tan(x)
    slope = ONE + power(t, 2)
    return [t, slope, number(2) * t * slope]


def _with_tanh(x, order):
    t = tanh(x)
    slope = (ONE - power(t, 2)).meet(between(0, 1)) if order else ONE
    return [t, slope, number(-2) * t * slope]


def _with_atan(x, order):
    slope = (ONE + power(x, 2)).inverse()
    return [atan(x), slope, number(-2) * x * power(slope, 2)]


_KNOWN = {
    "exp": lambda x, order: [exp(x)] * 3,
    "log": _with_log,
    "sin": lambda x, order: [sin(x), cos(x), -sin(x)],
    "cos": lambda x, order: [cos(x), -sin(x), -cos(x)],
    "tan": _with_tan,
    "sinh": lambda x, order: [sinh(x), cosh(x), sinh(x)],
    "cosh": lambda x, order: [cosh(x), sinh(x), cosh(x)],
    "tanh": _with_tanh,
    "atan": _with_atan,
}
_SEVERAL = ("Add", "Mul", "Max", "Min")


def cell_value(program, x, order):
    """The derivative of this order over an interval, everything where it has no value there."""
    try:
        return program.enclose(x, order)[order]
    except Undefined:
        return EVERYTHING
