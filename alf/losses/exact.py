"""Exact numbers in exponents, kept as they are: `LongNumber` wraps one so that SymPy leaves its powers alone.

SymPy evaluates a rational to the power of a rational at once: 12**(3253/5000) becomes a root of 2**1506 * 3**3253, and
with exponents of seven digits the integer under the root has billions of them. So an exponent with more than two digits
is a `LongNumber`, an atom with an exact value, and a power of it stays the power that it is.
"""

from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Pow, Rational, Symbol
from sympy.core.expr import AtomicExpr

LONGEST = 24
"""The largest numerator and denominator of an exponent that SymPy may evaluate."""


class LongNumber(AtomicExpr):
    """An exact rational number that SymPy does not evaluate powers of.

    >>> Rational(283, 250) ** LongNumber(Rational(3253, 5000))
    (283/250)**(3253/5000)
    """

    __slots__ = ("value",)
    is_number = True
    is_commutative = True
    is_real = True
    is_extended_real = True
    is_finite = True
    # SymPy is not told that it is rational: it would look for the minimal polynomial, of degree 5000, of a power of it

    precedence = 1000  # it prints its own parentheses

    def __new__(cls, value: Rational) -> "LongNumber":
        """Wrap a rational number."""
        self: LongNumber = AtomicExpr.__new__(cls)
        self.value = value
        return self

    def __getnewargs__(self) -> tuple[Rational]:
        return (self.value,)

    def _hashable_content(self) -> tuple[Rational]:
        return (self.value,)

    def _eval_is_zero(self) -> bool:
        return False

    def _eval_is_extended_positive(self) -> Any:
        return self.value.is_positive

    def _eval_is_extended_negative(self) -> Any:
        return self.value.is_negative

    def _eval_evalf(self, prec: int) -> Expr:
        return self.value._eval_evalf(prec)

    def __float__(self) -> float:
        return float(self.value)

    def _sympystr(self, printer: Any) -> str:
        return str(self.value) if self.value.is_Integer and self.value >= 0 else f"({self.value})"

    _sympyrepr = _sympystr

    def _printed(self, printer: Any) -> str:
        return str(printer._print(self.value))

    _latex = _printed

    def _code(self, printer: Any) -> str:
        return f"({printer._print(self.value)})"

    _pythoncode = _mpmathcode = _numpycode = _javascript = _code


def unwrapped(exponent: Expr) -> Expr:
    """The exponent with the rationals in place of their wrappers: sums and products of them may be worked out.

    >>> unwrapped(LongNumber(Rational(1747, 5000)) - 1)
    -3253/5000
    """
    return exponent.xreplace({number: number.value for number in exponent.atoms(LongNumber)})


def wrapped(value: Expr) -> Expr:
    """The number as it may stand in an exponent: a `LongNumber` where SymPy must not evaluate a power of it."""
    long = value.is_Rational and max(abs(int(value.p)), int(value.q)) > LONGEST
    return LongNumber(value) if long else value


def power(base: Expr, exponent: Expr) -> Expr:
    """A power as it is typed: one number to the power of another stays as it is where SymPy would write it out.

    >>> power(Rational(12), Rational(3253, 5000))
    12**(3253/5000)
    """
    return base ** (wrapped(exponent) if base.is_number and not exponent.is_integer else exponent)


@lru_cache(maxsize=1024)
def wrap_exponents(expression: Expr) -> Expr:
    """The expression with every long fraction in an exponent wrapped; whole numbers stay, for polynomials.

    >>> x = Symbol("x", positive=True)
    >>> wrap_exponents(x ** Rational(1747, 5000)).subs(x, 12)
    12**(1747/5000)
    """
    powers = {e for e in expression.atoms(Pow) if e.base is not sympy.E}
    numbers = {n for e in powers for n in e.exp.atoms(Rational) if not n.is_Integer and wrapped(n) is not n}
    if not numbers:
        return expression
    return expression.replace(
        lambda e: isinstance(e, Pow) and e.base is not sympy.E and bool(numbers & e.exp.atoms(Rational)),
        lambda e: Pow(e.base, e.exp.xreplace({n: wrapped(n) for n in numbers})),
    )


def substitute(expression: Expr, values: dict[Symbol, Expr]) -> Expr:
    """The expression with exact values in place of symbols, long exponents wrapped.

    >>> a, q = sympy.symbols("a q", positive=True)
    >>> substitute((a + 1) ** q / q, {a: Rational(1, 7), q: Rational(1747, 5000)})
    (8/7)**(1747/5000)/(1747/5000)
    """
    expression = wrap_exponents(expression)
    used = {s for e in expression.atoms(Pow) if e.base is not sympy.E for s in e.exp.free_symbols}
    return expression.subs({s: wrapped(v) if s in used else v for s, v in values.items()})


def readable(expression: Expr) -> Expr:
    """A closed form to be read: numbers and exponents worked out, the powers not.

    >>> readable(Rational(283, 533) ** (1 - LongNumber(Rational(1747, 5000))))
    (283/533)**(3253/5000)
    >>> readable(1 / (1 + LongNumber(Rational(233, 40))))
    40/273
    """
    if isinstance(expression, LongNumber):
        return expression.value
    if isinstance(expression, Pow) and expression.exp.has(LongNumber):
        exponent = expression.exp
        return Pow(readable(expression.base), wrapped(unwrapped(exponent)) if exponent.is_number else exponent)
    if not expression.has(LongNumber):
        return expression
    return expression.func(*map(readable, expression.args))
