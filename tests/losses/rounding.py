"""How far a double's value of an expression may lie from the true one: a bound that follows from its conditioning.

Standard running error analysis, to first order: every operation adds its own rounding to what it makes of the errors of
its operands. `ULPS` is what a good library's elementary function may be off by, whatever the processor.
"""

import numpy as np
from sympy import Abs, Add, Expr, Mul, Pow, exp, log
from sympy.codegen.cfunctions import expm1

EPS = float(np.finfo(float).eps)
ULPS = 4


def bound(expression: Expr, values: dict) -> np.ndarray:
    """An upper bound of the rounding error of an expression, elementwise over arrays of its symbols' values.

    Parameters
    ----------
    expression : Expr
        As it is printed for the library that computes it.
    values : dict of Symbol -> (ndarray, ndarray or 0)
        Each symbol's value and the error that this already has.
    """
    with np.errstate(all="ignore"):
        return 2 * _walk(expression, dict(values), {})[1]  # twice for the terms of second order


def _walk(e: Expr, values: dict, seen: dict):
    if e not in seen:
        seen[e] = _operation(e, values, seen)
    return seen[e]


def _operation(e: Expr, values: dict, seen: dict):
    """(value, error) of one node."""
    if e in values:
        return values[e]
    if e.is_number:
        value = float(e)
        return value, 0.0 if e.is_Integer else EPS * abs(value)
    args = [_walk(a, values, seen) for a in e.args]
    if isinstance(e, Add):
        value, error = args[0]
        for other, more in args[1:]:
            exact = _whole(value) & _whole(other)
            value = value + other
            error = error + more + np.where(exact, 0.0, EPS * np.abs(value))
        return value, error
    if isinstance(e, Mul):
        value, error = args[0]
        for other, more in args[1:]:
            exact = (np.abs(value) == 1) | (np.abs(other) == 1)
            new = np.where(exact, 0.0, EPS * np.abs(value * other))
            error = _product(value, more) + _product(other, error) + new
            value = value * other
        return value, error
    if isinstance(e, Pow):
        (base, off), (exponent, shift) = args
        value = np.power(base, exponent)
        return value, np.abs(value) * (
            _product(exponent / base, off) + _product(np.log(np.abs(base)), shift) + ULPS * EPS
        )
    (x, off) = args[0]
    if isinstance(e, Abs):
        return np.abs(x), off
    if isinstance(e, exp):
        return np.exp(x), np.exp(x) * (off + ULPS * EPS)
    if isinstance(e, expm1):
        return np.expm1(x), np.exp(x) * off + ULPS * EPS * np.abs(np.expm1(x))
    if isinstance(e, log):
        return np.log(x), _product(1 / x, off) + ULPS * EPS * np.abs(np.log(x))
    raise NotImplementedError(e.func)


def _whole(x):
    return np.equal(np.mod(x, 1), 0)


def _product(x, error):
    """|x| error, where an error of nothing stays nothing."""
    return np.where(error == 0, 0.0, np.abs(x) * error)
