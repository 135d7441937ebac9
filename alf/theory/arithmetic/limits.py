"""What a function does next to an end of an interval: its exact limit, and its sign where it may vanish.

Limits come from rules of our own; SymPy's are confirmed by values close to the end.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Symbol, exp, expand, log

from alf.numbers import as_rational
from alf.theory.arithmetic.balls import at_point, sign_of_number
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.intervals import sign_between

T = Symbol("t", positive=True)
"""Distance to an end of the interval."""

Near = tuple[int, float]
"""The sign of every value on (0, width], and that width."""

LARGEST_SLOPE = 400
"""Operations up to which what vanishes at an end is differentiated: tan(tanh(1/t)) grows threefold each time."""


def from_end(f: Expr, x: Symbol, end: Fraction, side: int) -> Expr:
    """f as a function of the distance T to the end, on its inner side (side = 1: to the right of it)."""
    moved = f.subs(x, as_rational(end) + side * T) if end or side < 0 else f.subs(x, T)
    moved = moved.replace(lambda e: isinstance(e, Pow) and e.exp.has(T), lambda e: exp(e.exp * log(e.base)))
    return moved.replace(
        lambda e: isinstance(e, (Pow, sympy.Function)) and isinstance(e.args[0], (Add, Mul)),
        lambda e: e.func(expand(e.args[0]), *e.args[1:]),
    )


def leading_exponent(term: Expr) -> Expr:
    """The power of T that stands as a factor of the term."""
    return Add(*(f.as_base_exp()[1] for f in Mul.make_args(term) if f == T or (isinstance(f, Pow) and f.base == T)))


def multiplied_out(f: Expr) -> Expr:
    """Numerators multiplied out term by term; denominators stay as they are."""
    for _ in range(3):
        f = Add(*(sympy.powsimp(_distribute(t), combine="exp") for t in Add.make_args(f)))
    return f


def _distribute(term: Expr) -> Expr:
    """The term's sums, and small powers of sums, multiplied out (SymPy's `expand` multiplies denominators too)."""
    parts = [Integer(1)]
    for factor in Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if isinstance(base, Add) and exponent.is_Integer and 0 < exponent <= 6:
            factor = expand(factor, deep=False) if exponent > 1 else factor
            parts = [part * piece for part in parts for piece in Add.make_args(factor)]
        else:
            parts = [part * factor for part in parts]
    return Add(*parts)


def or_none(algorithm: Callable, *arguments):
    """What an algorithm of SymPy's answers, and None where it gives up.

    `limit` and `solve`, asked for what they cannot do, leave with errors of their inner workings as often as with
    NotImplementedError: TypeError, AttributeError, PrecisionExhausted, RecursionError. Nothing but SymPy's code runs
    here, so no error of ours is lost.

    >>> u = sympy.Symbol("u")
    >>> or_none(sympy.limit, sympy.floor(u), u, 0), or_none(sympy.solve, sympy.Eq(sympy.cos(u), u), u)
    (0, None)
    """
    try:
        return algorithm(*arguments)
    except MemoryError:  # the worker's end, not the algorithm's
        raise
    except Exception:
        return None


@lru_cache(maxsize=4096)
def one_sided_limit(f: Expr) -> Expr | None:
    """The limit of f(T) at T = 0+, exact; None where there is none or it could not be confirmed.

    SymPy's limit is confirmed by values close to the end, because it is not always right.
    """
    plain = structural_limit(f)
    if plain is None:  # multiplied out, 0 times infinity is seen to be a power against a logarithm
        plain = structural_limit(multiplied_out(f))
    if plain is not None:
        return plain
    if _essential(f) or sympy.count_ops(f) > 300:  # SymPy's algorithm may not come back
        return None
    value = or_none(sympy.limit, f, T, 0, "+")
    if value is None:
        return None
    if (not value.is_number and value not in (sympy.oo, -sympy.oo)) or value.has(sympy.nan, sympy.AccumBounds):
        return None
    return value if _confirmed(f, value) else None


def structural_limit(f: Expr) -> Expr | None:
    """The limit at 0+ by the rules for sums, products, powers and continuous functions; None where they do not decide.

    >>> structural_limit(1 / T + log(T)) is None, structural_limit(sympy.exp(-1 / T) / T**2)
    (True, 0)
    """
    if not f.has(T):
        return f
    if f == T:
        return Integer(0)
    if isinstance(f, Add):
        return _limit_of_sum([structural_limit(t) for t in f.args])
    if isinstance(f, Mul):
        return _limit_of_product(f)
    if isinstance(f, Pow):
        if f.base == T and f.exp.is_number:
            return {1: Integer(0), 0: Integer(1), -1: sympy.oo, None: None}[sign_of_number(f.exp)]
        return _limit_of_power(structural_limit(f.base), f.exp)
    inner = structural_limit(f.args[0]) if len(f.args) == 1 else None
    if inner is None:
        return None
    if isinstance(f, exp):
        return Integer(0) if inner == -sympy.oo else sympy.oo if inner == sympy.oo else exp(inner)
    if isinstance(f, log):
        if inner == sympy.oo:
            return inner
        sign = sign_of_number(inner)
        return log(inner) if sign == 1 else -sympy.oo if sign == 0 else None
    if inner in (sympy.oo, -sympy.oo):
        side = 1 if inner == sympy.oo else -1
        at_infinity = {
            sympy.tanh: Integer(side),
            sympy.atan: side * sympy.pi / 2,
            sympy.sinh: inner,
            sympy.cosh: sympy.oo,
        }
        return at_infinity.get(f.func)
    if f.func in (sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan):
        return f.func(inner)
    if f.func is sympy.tan and sign_of_number(sympy.cos(inner)) in (1, -1):
        return sympy.tan(inner)
    return None


def _limit_of_sum(limits) -> Expr | None:
    if None in limits:
        return None
    infinite = {x for x in limits if x in (sympy.oo, -sympy.oo)}
    if len(infinite) == 2:
        return None
    return infinite.pop() if infinite else Add(*limits)


def _limit_of_product(f: Mul) -> Expr | None:
    limits = [structural_limit(x) for x in f.args]
    if None in limits:
        return None
    signs = [1 if x == sympy.oo else -1 if x == -sympy.oo else sign_of_number(x) for x in limits]
    infinite = any(x in (sympy.oo, -sympy.oo) for x in limits)
    if not infinite:
        return Mul(*limits)
    if None in signs:
        return None
    if 0 not in signs:
        return sympy.oo if signs.count(-1) % 2 == 0 else -sympy.oo
    return Integer(0) if _dominated(f, limits) else None


def _dominated(f: Mul, limits) -> bool:
    """Whether a product of form 0 * oo vanishes: a power beats logarithms, exp(-1/t**a) beats powers and logarithms."""
    total, logs, fast = Integer(0), False, False
    for factor, limit in zip(f.args, limits, strict=True):
        base, exponent = factor.as_base_exp()
        if isinstance(factor, exp) and limit == 0:
            fast = fast or _falls_like_a_power(factor.args[0])
        elif base == T and exponent.is_number:
            total += exponent
        elif isinstance(base, log) and exponent.is_number:
            logs = True
            if base.args[0] != T:
                return False
        elif limit in (sympy.oo, -sympy.oo):
            return False
    return fast or (logs and sign_of_number(total) == 1)


def _falls_like_a_power(g: Expr) -> bool:
    """Whether g -> -oo at least as fast as -c t**(-a) for some a, c > 0."""
    terms = Add.make_args(g)
    exponents = [leading_exponent(t) for t in terms]
    return any(e.is_number and sign_of_number(e) == -1 for e in exponents)


def _limit_of_power(base, exponent) -> Expr | None:
    if base is None or exponent.has(T):
        return None
    up = sign_of_number(exponent)
    if base == sympy.oo:
        return sympy.oo if up == 1 else Integer(0) if up == -1 else None
    if base == -sympy.oo:
        if not exponent.is_Integer:
            return None
        return Integer(0) if up == -1 else sympy.oo if exponent % 2 == 0 else -sympy.oo
    sign = sign_of_number(base)
    if sign == 0:  # from which side is not known, so only a positive power is
        return Integer(0) if up == 1 else None
    if sign == 1 or exponent.is_Integer:
        return base**exponent
    return None


def _essential(f: Expr) -> bool:
    """Whether an exponential (or a hyperbolic function) of something unbounded occurs."""
    for node in f.atoms(exp, sympy.sinh, sympy.cosh, sympy.tanh, sympy.sin, sympy.cos):
        inner = structural_limit(node.args[0])
        if inner is None or inner in (sympy.oo, -sympy.oo):
            return True
    return False


def _confirmed(f: Expr, value: Expr) -> bool:
    """Whether values of f at 2**-k approach the claimed limit."""
    try:
        function = at_point(f, T)
        target = None if value in (sympy.oo, -sympy.oo) else at_point(value, T)(0, 3000)
    except NotImplementedError:  # a limit may hold functions that have no balls here
        return False
    distances = []
    for k in (20, 60, 200, 900):
        ball = function(Fraction(1, 2**k), 6000)
        if not ball.is_finite():
            return False
        distances.append(float(ball) if target is None else float(abs(ball - target)))
    if target is None:
        sign = 1 if value is sympy.oo else -1
        return sign * distances[-1] > sign * distances[0] and sign * distances[-1] > 3
    scale = 1 + float(abs(target))
    return distances[-1] <= 1e-9 * scale or distances[-1] < 0.25 * distances[0] + 1e-12 * scale


@lru_cache(maxsize=4096)
def end_sign(f: Expr, depth: int = 8, strict: bool = False) -> Near | None:
    """The sign of f(T) on (0, width], as (sign, width); None where it could not be settled.

    With `strict` the sign is that of every value; otherwise f may touch 0. `depth` counts how often f may still be
    replaced by a factor of it or by its derivative.

    >>> end_sign(1 / T + log(T))[0], end_sign(T - T**2)[0], end_sign(sympy.sin(T) - T)[0]
    (1, 1, -1)
    """
    if f.is_number:
        return _of_number(f)
    if f == T or isinstance(f, (exp, sympy.cosh)):
        return 1, 1.0
    return _by_enclosures(f, strict) or _by_factors(f, depth, strict) or _by_lowest_power(f, depth, strict)


def _of_number(number: Expr) -> Near | None:
    sign = sign_of_number(number)
    return None if sign is None else (sign, 1.0)


def _by_enclosures(f: Expr, strict: bool) -> Near | None:
    """The sign of an enclosure of f over [0, width], for narrower and narrower widths."""
    try:
        cell = on_cell(f, T)
    except NotImplementedError:
        return None
    for k in range(24):
        width = 0.125 / 4**k
        sign = sign_between(cell(0.0, width), strict)
        if sign is not None:
            return sign, width
    return None


def _by_factors(f: Expr, depth: int, strict: bool) -> Near | None:
    """The sign of a product from the signs of its factors."""
    if not isinstance(f, Mul) or depth == 0:
        return None
    sign, width = 1, 0.5
    for factor in f.args:
        base, exponent = factor.as_base_exp()
        power = factor.func is Pow and exponent.is_Integer
        part = end_sign(base if power else factor, depth - 1, strict)
        if part is None or (power and part[0] == 0):
            return None
        even = power and int(exponent) % 2 == 0
        sign, width = sign * (1 if even else part[0]), min(width, part[1])
    return sign, width


def _by_lowest_power(f: Expr, depth: int, strict: bool) -> Near | None:
    """The sign of f over the lowest power of T among its terms: of its limit, or of its slope where the limit is 0."""
    scaled = _without_lowest_power(f)
    if scaled is None:
        return None
    if scaled.is_number:
        return _of_number(expand(scaled))
    found = _by_enclosures(scaled, strict) if scaled != f else None
    if found or depth == 0 or sympy.count_ops(scaled) > LARGEST_SLOPE or not _vanishes(scaled):
        return found
    return end_sign(sympy.diff(scaled, T), depth - 1, strict)


def _without_lowest_power(f: Expr) -> Expr | None:
    """f, multiplied out, over the lowest power of T in front of a term; None where the powers cannot be compared."""
    terms = Add.make_args(multiplied_out(f))
    exponents = [leading_exponent(t) for t in terms]
    if not all(e.is_number for e in exponents):
        return None
    lowest = exponents[0]
    for e in exponents[1:]:
        if sign_of_number(e - lowest) == -1:
            lowest = e
    if lowest == 0:
        return Add(*terms)
    return Add(*(sympy.powsimp(t * T ** (-lowest), combine="exp") for t in terms))


def _vanishes(f: Expr) -> bool:
    """Whether f(T) tends to exactly 0 at 0."""
    value = one_sided_limit(f)
    return value is not None and sign_of_number(value) == 0
