"""Signs of expressions in positive symbols, read off.

Of a factored expression: sums whose terms agree, powers of positive bases, logarithms of numbers below 1. `log y` of
unknown weight is caught between 1 - 1/y and y - 1.
"""

from functools import lru_cache

import sympy
from sympy import Abs, Add, Expr, Mul, Pow, Symbol, exp, log

from alf.theory.arithmetic.balls import sign_of_number

_X = Symbol("_x", positive=True)


U_IN_CELL = 1 / (1 + _X)
"""u in (0, 1), through a positive symbol."""


# a sign is (may be negative, may be zero, may be positive)
POSITIVE, NEGATIVE, ZERO = (False, False, True), (True, False, False), (False, True, False)
NON_NEGATIVE, NON_POSITIVE, UNKNOWN = (False, True, True), (True, True, False), (True, True, True)


@lru_cache(maxsize=4096)
def sign_of(e: Expr, depth: int = 6) -> tuple[bool, bool, bool]:
    """The sign of an expression in symbols whose assumptions say positive or non-negative.

    Remembered: five of six questions on the way to a sum's sign have been asked before.

    >>> a, b = sympy.symbols("a b", positive=True)
    >>> sign_of(log(a / (a + b))) == NEGATIVE, sign_of(a - b) == UNKNOWN
    (True, True)
    """
    if e.is_number:
        found = sign_of_number(e)
        return UNKNOWN if found is None else (NEGATIVE, ZERO, POSITIVE)[found + 1]
    if isinstance(e, Symbol):
        if e.is_positive:
            return POSITIVE
        if e.is_nonnegative:
            return NON_NEGATIVE
        return NEGATIVE if e.is_negative else UNKNOWN
    if depth <= 0:
        return UNKNOWN
    if isinstance(e, Mul):
        result = POSITIVE
        for factor in e.args:
            result = _times(result, sign_of(factor, depth - 1))
        return result
    if isinstance(e, Pow):
        return _power(e, depth)
    if isinstance(e, (exp, sympy.cosh)):
        return POSITIVE
    if isinstance(e, (sympy.sinh, sympy.tanh, sympy.atan)):
        return sign_of(e.args[0], depth - 1)
    if isinstance(e, log):
        return sign_of(sympy.together(e.args[0] - 1), depth - 1)
    if isinstance(e, Abs):
        return NON_NEGATIVE
    if isinstance(e, Add):
        return _sum(e, depth)
    return UNKNOWN


def _times(a, b):
    return (
        (a[0] and b[2]) or (a[2] and b[0]),
        a[1] or b[1],
        (a[0] and b[0]) or (a[2] and b[2]),
    )


def _power(e: Pow, depth: int):
    base = sign_of(e.base, depth - 1)
    if base == POSITIVE:
        return POSITIVE
    if e.exp.is_Integer:
        n = int(e.exp)
        if n < 0 and base[1]:
            return UNKNOWN
        if n % 2 == 0:
            return (False, base[1], True)
        return base
    if base == NON_NEGATIVE and sign_of(e.exp, depth - 1) == POSITIVE:
        return NON_NEGATIVE
    return UNKNOWN


def sign_of_sum(signs):
    """The sign of a sum of terms of these signs."""
    negative, positive = any(s[0] for s in signs), any(s[2] for s in signs)
    if negative and positive:
        return UNKNOWN
    zero = all(s[1] for s in signs)
    return negative, zero, positive


def _sum(e: Add, depth: int):
    found = sign_of_sum([sign_of(t, depth - 1) for t in e.args])
    if found != UNKNOWN:
        return found
    if not e.has(log, exp, sympy.sinh, sympy.tanh) and depth > 1:
        numerator, denominator = sympy.fraction(sympy.together(e))
        numerator = sympy.expand(numerator)
        if isinstance(numerator, Add):
            found = sign_of_sum([sign_of(t, depth - 1) for t in numerator.args])
            if found == UNKNOWN and len(numerator.args) <= 12:
                factored = sympy.factor_terms(sympy.factor(numerator))
                found = sign_of(factored, depth - 1) if not isinstance(factored, Add) else UNKNOWN
        else:
            found = sign_of(numerator, depth - 1)
        below = sign_of(denominator, depth - 1)
        if found != UNKNOWN and not below[1]:
            return _times(found, below)
    common = _without_common_factor(e)
    if common is not None:
        factor, rest = common
        return _times(sign_of(factor, depth - 1), sign_of(rest, depth - 1))
    return _between_logarithms(e, depth)


def _without_common_factor(e: Add):
    """A power with a symbolic exponent shared by all terms, taken out: (1-u)**gamma (...)."""
    powers = [t for t in sympy.preorder_traversal(e) if isinstance(t, Pow) and not t.exp.is_number]
    for power in dict.fromkeys(powers):
        rest = sympy.powsimp(sympy.expand_mul(Add(*(t / power for t in e.args))), combine="exp")
        if sum(1 for t in sympy.preorder_traversal(rest) if isinstance(t, Pow) and not t.exp.is_number) < len(powers):
            return power, rest
    return None


def _between_logarithms(e: Add, depth: int):
    """A sum linear in log y: log y lies in [1 - 1/y, y - 1], so both ends decide."""
    for logarithm in sorted(e.atoms(log), key=str):
        place = sympy.Dummy("L", real=True)
        replaced = e.subs(logarithm, place)
        slope = sympy.diff(replaced, place)
        if slope.has(place):
            continue
        y = logarithm.args[0]
        rest = replaced.subs(place, 0)
        ends = [sympy.factor(sympy.together(rest + slope * bound)) for bound in (1 - 1 / y, y - 1)]
        found = sign_of_sum([sign_of(end, depth - 1) for end in ends])
        if found != UNKNOWN:
            return found
    return UNKNOWN


def tidy(e: Expr) -> Expr:
    """Bases and arguments over one denominator, so that 1 - 1/(1+x) shows as x/(1+x)."""
    return e.replace(lambda t: isinstance(t, (Pow, log)) and not t.is_number, _tidy_node)


def _tidy_node(t):
    if isinstance(t, log):
        return log(sympy.together(t.args[0]))
    base, exponent = t.base, t.exp
    if isinstance(base, Add):
        base = sympy.factor_terms(sympy.together(base))
    return Pow(base, sympy.together(exponent) if isinstance(exponent, Add) else exponent)
