"""The sign of an expression on an interval, certified by interval arithmetic over a subdivision.

`sign_pattern(f, x, lo, hi)` cuts (lo, hi) into runs of one sign. Ends where f is singular or vanishes are settled by a
local argument: a positive power of the distance is divided out, and a value that is exactly zero at the end is replaced
by the sign of the derivative next to it.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol, diff, exp, expand, log

from alf.theory.algebra import or_none
from alf.theory.enclosure import INF, OutOfDomain, add, at_point, mul, on_cell, sign_of_number, to_ball, working

T = Symbol("t", positive=True)
"""Distance to an end of the interval."""


LARGEST_SLOPE = 400
"""Operations up to which what vanishes at an end is differentiated: tan(tanh(1/t)) grows threefold each time."""


@dataclass(frozen=True)
class Run:
    """A stretch of the interval on which the sign is known: 1 (>= 0), -1 (<= 0), 0 (identically 0) or None."""

    lo: Fraction
    hi: Fraction
    sign: int | None


class Budget:
    """Counts evaluations, so that a hard expression ends in `undecided` rather than never."""

    def __init__(self, evaluations: int = 30_000):
        self.left = evaluations

    def spend(self) -> bool:
        """Take one from the budget; False where nothing was left."""
        self.left -= 1
        return self.left >= 0


def as_rational(x) -> Rational:
    x = Fraction(x)
    return Rational(x.numerator, x.denominator)


def as_fraction(x) -> Fraction:
    if isinstance(x, Expr):
        return Fraction(int(x.p), int(x.q))
    return Fraction(x)


def from_end(f: Expr, x: Symbol, end: Fraction, side: int) -> Expr:
    """f as a function of the distance T to the end, on its inner side (side = 1: to the right of it)."""
    moved = f.subs(x, as_rational(end) + side * T) if end or side < 0 else f.subs(x, T)
    moved = moved.replace(
        lambda e: isinstance(e, Pow) and e.exp.has(T) and e.base is not sympy.E, lambda e: exp(e.exp * log(e.base))
    )
    return moved.replace(
        lambda e: isinstance(e, (Pow, sympy.Function)) and isinstance(e.args[0], (Add, Mul)),
        lambda e: e.func(expand(e.args[0]), *e.args[1:]),
    )


def _leading_exponent(term: Expr) -> Expr:
    """The power of T that stands as a factor of the term."""
    return Add(*(f.as_base_exp()[1] for f in Mul.make_args(term) if f == T or (isinstance(f, Pow) and f.base == T)))


def _split(f: Expr) -> Expr:
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


@lru_cache(maxsize=4096)
def end_sign(f: Expr, depth: int = 8, strict: bool = False) -> tuple[int, float] | None:
    """The sign of f(T) on (0, width], as (sign, width); None where it could not be settled.

    With `strict` the sign is that of every value; otherwise f may touch 0.

    >>> end_sign(1 / T + log(T))[0], end_sign(T - T**2)[0], end_sign(sympy.sin(T) - T)[0]
    (1, 1, -1)
    """
    if f.is_number:
        sign = sign_of_number(f)
        return None if sign is None else (sign, 1.0)
    if f == T or isinstance(f, (exp, sympy.cosh)):
        return 1, 1.0
    found = _sign_next_to_zero(f, strict)
    if found:
        return found
    if isinstance(f, Mul):  # each factor by itself
        sign, width = 1, 0.5
        for factor in f.args:
            base, exponent = factor.as_base_exp()
            if exponent.is_Integer and factor.func is Pow:
                part = end_sign(base, depth - 1, strict) if depth else None
                part = None if part is None or part[0] == 0 else (part[0] ** (abs(int(exponent)) % 2 or 2), part[1])
            else:
                part = end_sign(factor, depth - 1, strict) if depth else None
            if part is None:
                sign = None
                break
            sign, width = sign * part[0], min(width, part[1])
        if sign is not None:
            return sign, width
    terms = Add.make_args(_split(f))
    exponents = [_leading_exponent(t) for t in terms]
    if not all(e.is_number for e in exponents):
        return None
    lowest = exponents[0]
    for e in exponents[1:]:
        if sign_of_number(e - lowest) == -1:
            lowest = e
    scaled = Add(*(sympy.powsimp(t * T ** (-lowest), combine="exp") for t in terms)) if lowest != 0 else Add(*terms)
    if scaled.is_number:
        sign = sign_of_number(expand(scaled))
        return None if sign is None else (sign, 1.0)
    if scaled != f:
        found = _sign_next_to_zero(scaled, strict)
        if found:
            return found
    if depth > 0 and sympy.count_ops(scaled) <= LARGEST_SLOPE and _vanishes(scaled):
        slope = sympy.diff(scaled, T)
        return end_sign(slope, depth - 1, strict)
    return None


def _sign_next_to_zero(f: Expr, strict: bool) -> tuple[int, float] | None:
    try:
        cell = on_cell(f, T)
    except NotImplementedError:
        return None
    width = 0.125
    for _ in range(24):
        try:
            lo, hi = cell(0.0, width)
            if lo >= 0 and hi <= 0:
                return 0, width
            if lo > 0 or (lo >= 0 and not strict):
                return 1, width
            if hi < 0 or (hi <= 0 and not strict):
                return -1, width
        except OutOfDomain:
            pass
        width /= 4
    return None


def _vanishes(f: Expr) -> bool:
    """Whether f(T) tends to exactly 0 at 0."""
    value = one_sided_limit(f)
    return value is not None and sign_of_number(value) == 0


@lru_cache(maxsize=4096)
def one_sided_limit(f: Expr) -> Expr | None:
    """The limit of f(T) at T = 0+, exact; None where there is none or it could not be confirmed.

    SymPy's limit is confirmed by values close to the end, because it is not always right.
    """
    plain = structural_limit(f)
    if plain is None:  # multiplied out, 0 times infinity is seen to be a power against a logarithm
        plain = structural_limit(_split(f))
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
    if isinstance(f, Pow) and f.base == T and f.exp.is_number:
        sign = sign_of_number(f.exp)
        return {1: Integer(0), 0: Integer(1), -1: sympy.oo}.get(sign)
    if isinstance(f, Pow) and f.base is not sympy.E:
        return _limit_of_power(structural_limit(f.base), f.exp)
    inner = (
        structural_limit(f.exp if isinstance(f, Pow) else f.args[0]) if len(f.args) == 1 or isinstance(f, Pow) else None
    )
    if inner is None:
        return None
    if isinstance(f, (exp, Pow)):
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
        sign = 1
        for s in signs:
            sign *= s
        return sign * sympy.oo
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
    exponents = [_leading_exponent(t) for t in terms]
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


def sign_pattern(f: Expr, x: Symbol, lo=0, hi=1, budget: Budget | None = None) -> tuple[Run, ...]:
    """Runs of one sign that cover (lo, hi), in order.

    A run with sign None is a tiny cell around a zero whose nature could not be settled, or what the budget left over.

    >>> x = Symbol("x", positive=True)
    >>> [(round(float(r.lo), 3), r.sign) for r in sign_pattern(x - Rational(1, 3), x) if r.sign is not None]
    [(0.0, -1), (0.333, 1)]
    """
    lo, hi = as_fraction(lo), as_fraction(hi)
    if f.is_number:
        return (Run(lo, hi, sign_of_number(f)),)
    budget = budget or Budget()
    runs: list[Run] = []
    left, right = lo, hi
    cell = on_cell(f, x)
    whole = _cell_sign(cell, lo, hi)
    if whole is not None:
        return (Run(lo, hi, whole),)
    width = hi - lo
    start, end = None, None
    if _cell_sign(cell, lo, lo + width / 64) is None:
        start = end_sign(from_end(f, x, lo, 1))
    if _cell_sign(cell, hi - width / 64, hi) is None:
        end = end_sign(from_end(f, x, hi, -1))
    if start:
        left = lo + _dyadic(min(Fraction(start[1]), width / 8))
        runs.append(Run(lo, left, start[0]))
    if end:
        right = hi - _dyadic(min(Fraction(end[1]), width / 8))
    runs += _subdivide(f, x, cell, left, right, budget)
    if end:
        runs.append(Run(right, hi, end[0]))
    return _merge(runs)


def _dyadic(width: Fraction) -> Fraction:
    """The power of two at or below a width."""
    result = Fraction(1)
    while result > width:
        result /= 2
    return result


def _cell_sign(cell, a: Fraction, b: Fraction) -> int | None:
    try:
        lo, hi = cell(*outward(a, b))
    except OutOfDomain:
        return None
    if lo >= 0:
        return 0 if hi <= 0 else 1
    return -1 if hi <= 0 else None


def outward(a: Fraction, b: Fraction) -> tuple[float, float]:
    """Floats that enclose [a, b]."""
    import math

    x, y = float(a), float(b)
    if Fraction(x) > a:
        x = math.nextafter(x, -INF)
    if Fraction(y) < b:
        y = math.nextafter(y, INF)
    return x, y


FINE_STEPS = 150
"""Balls that are spent on a sliver in which doubles cannot tell a function from 0."""


def _subdivide(f, x, cell, a: Fraction, b: Fraction, budget: Budget) -> list[Run]:
    """Cells of one sign from left to right; cells are halved until they have one, or are 2**-40 wide."""
    slope = None
    smallest = (b - a) / 2**40
    stack, found = [(a, b)], []
    while stack:
        lo, hi = stack.pop()
        sign = _cell_sign(cell, lo, hi) if budget.spend() else None
        if sign is None and budget.left > 0 and hi - lo < (b - a) / 16:
            if slope is None:
                slope = on_cell(diff(f, x), x)
            sign = _mean_value_sign(cell, slope, lo, hi)
        if sign is not None:
            found.append(Run(lo, hi, sign))
        elif budget.left <= 0 or hi - lo <= smallest:
            found.append(Run(lo, hi, None))
        else:
            middle = (lo + hi) / 2
            stack += [(middle, hi), (lo, middle)]
    return _finer(f, x, [_settle_zero(f, x, run) if run.sign is None else run for run in _merge(found)])


def _finer(f: Expr, x: Symbol, runs: list[Run]) -> list[Run]:
    """Slivers between two runs of one sign looked at with balls: f may come close to 0 there without reaching it."""
    found = list(runs)
    for i, run in enumerate(runs):
        before, after = runs[i - 1].sign if i else None, runs[i + 1].sign if i + 1 < len(runs) else None
        if run.sign is not None or run.hi - run.lo > Fraction(1, 2**30) or before != after or not before:
            continue
        stack, steps = [(run.lo, run.hi)], 0
        while stack and steps < FINE_STEPS:
            lo, hi = stack.pop()
            steps += 1
            if fine_sign(f, x, lo, hi) != before:
                stack += [((lo + hi) / 2, hi), (lo, (lo + hi) / 2)]
        if not stack:
            found[i] = Run(run.lo, run.hi, before)
    return list(_merge(found))


def touches(f: Expr, x: Symbol, lo, hi, budget: Budget | None = None) -> tuple[Run, ...]:
    """Tiny cells of [lo, hi] in which an f >= 0 could not be shown to be above 0; the end 0 of (0, 1) left out.

    >>> x = Symbol("x", positive=True)
    >>> touches(x + 1, x, 0, 1), [round(float(r.lo), 6) for r in touches((2 * x - 1) ** 2, x, 0, 1)]
    ((), [0.5])
    """
    lo, hi = as_fraction(lo), as_fraction(hi)
    budget = budget or Budget()
    if f.is_number:
        return () if sign_of_number(f) == 1 else (Run(lo, hi, None),)
    if lo == 0:
        end = end_sign(from_end(f, x, lo, 1))
        if end and end[0] == 1:
            lo = _dyadic(min(Fraction(end[1]), (hi - lo) / 64)) / 64
    cell, slope = on_cell(f, x), None
    stack, found = [(lo, hi)], []
    while stack:
        a, b = stack.pop()
        low = _lower(cell, a, b) if budget.spend() else -INF
        if low <= 0 and budget.left > 0 and b - a < (hi - lo) / 16:
            slope = slope or on_cell(diff(f, x), x)
            low = max(low, _mean_value_lower(cell, slope, a, b))
        if low > 0:
            continue
        if budget.left <= 0 or b - a <= (hi - lo) / 2**40:
            found.append(Run(a, b, None))
        else:
            middle = (a + b) / 2
            stack += [(middle, b), (a, middle)]
    return _merge(found)


@dataclass(frozen=True)
class Certain:
    """What is certain about the sign of a continuous function on an open interval.

    Parameters
    ----------
    sign : int or None
        The sign of every value; None where there is no one sign or it could not be certified.
    weak : int or None
        The same where values may also be 0.
    at : Fraction or None
        A place that stood in the way.
    there : tuple of int
        Signs of values that certainly occur: both where the function changes its sign.
    """

    sign: int | None
    weak: int | None = None
    at: Fraction | None = None
    there: tuple[int, ...] = ()

    def fails(self, needs: str) -> bool:
        """Whether the function certainly is not ``nonzero``, ``positive`` or ``nonnegative``."""
        if needs == "nonzero":
            return 0 in self.there or {1, -1} <= {*self.there}
        return -1 in self.there or (needs == "positive" and 0 in self.there)


@lru_cache(maxsize=4096)
def certain_sign(f: Expr, x: Symbol, lo=0, hi=1) -> Certain:
    """The strict sign of a function that is continuous on the open interval (lo, hi).

    >>> x = Symbol("x", positive=True)
    >>> certain_sign(x * (1 - x), x).sign, certain_sign((3 * x - 1) ** 2, x).there, certain_sign(3 * x - 1, x).at
    (1, (0, 1), Fraction(1, 3))
    """
    lo, hi = as_fraction(lo), as_fraction(hi)
    if f.is_number:
        sign = sign_of_number(f)
        return Certain(sign, sign, None if sign else lo, () if sign is None else (sign,))
    if isinstance(f, (exp, sympy.cosh)) or f == x:
        return Certain(1, 1)
    known = _sign_of_factors(f, x, lo, hi)
    if known:
        return Certain(known, known)
    try:
        return _certain_sign(f, x, lo, hi)
    except NotImplementedError:
        return Certain(None, None)


def _sign_of_factors(f: Expr, x: Symbol, lo: Fraction, hi: Fraction) -> int | None:
    """The strict sign of a product or power from those of its parts: (1 - u)**8000 is less than any double, not 0."""
    if isinstance(f, Mul):
        sign = 1
        for factor in f.args:
            part = certain_sign(factor, x, lo, hi).sign
            if not part:
                return None
            sign *= part
        return sign
    if isinstance(f, Pow) and (f.exp.is_number or f.exp == x):
        base = certain_sign(f.base, x, lo, hi).sign
        if base == 1 or (base == -1 and f.exp.is_Integer):
            return 1 if base == 1 or f.exp.is_even else -1
    return None


def _certain_sign(f: Expr, x: Symbol, lo: Fraction, hi: Fraction) -> Certain:
    cell = on_cell(f, x)
    whole = _strict(cell, lo, hi)
    if whole:
        return Certain(whole, whole)
    slope = _slope_cell(f, x)
    seen: dict[int, Fraction] = {}
    weak, trouble = set(), None
    left, right = lo, hi
    for side, end in ((1, lo), (-1, hi)):
        near = lo + (hi - lo) / 64 if side > 0 else hi - (hi - lo) / 64
        if _strict(cell, *sorted((end, near))):
            continue
        moved = from_end(f, x, end, side)
        found = end_sign(moved, strict=True)
        if found is None or found[0] == 0:
            found, trouble = end_sign(moved), end
            if found is None:
                weak.add(None)
                continue
            weak.add(found[0])
        reach = _dyadic(min(Fraction(found[1]), (hi - lo) / 8))
        left, right = (lo + reach, right) if side > 0 else (left, hi - reach)
        if trouble != end:
            seen[found[0]] = end + side * reach / 2
    budget = Budget(6000)
    stack = [(left, right)]
    while stack:
        a, b = stack.pop()
        sign = _strict(cell, a, b)
        if not sign and slope and b - a < (hi - lo) / 16:
            sign = _mean_value_sign(cell, slope, a, b, strict=True)
        if not sign and b - a < (hi - lo) / 2**30:
            sign = fine_sign(f, x, a, b)
        if sign:
            seen.setdefault(sign, (a + b) / 2)
        elif b - a > (hi - lo) / 2**60 and budget.spend():
            stack += [((a + b) / 2, b), (a, (a + b) / 2)]
        else:
            c = exact_zero(f, x, a, b)
            if c is not None:
                seen[0] = as_fraction(c)
            trouble = (a + b) / 2 if c is None else as_fraction(c)
            weak.add(_cell_sign(cell, a, b) if c is None else _settle_zero(f, x, Run(a, b, None)).sign)
        if {1, -1} <= seen.keys():
            return Certain(None, None, _crossing(f, x, seen[-1], seen[1]), tuple(sorted(seen)))
        if budget.left < 0 or len(weak) > 20:
            return Certain(None, None, trouble, tuple(sorted(seen)))
    signs = {s for s in seen if s}
    if trouble is None and len(signs) == 1:
        return Certain(*signs, *signs)
    weak |= signs
    sign = weak.pop() if len(weak) == 1 else None
    return Certain(None, sign, trouble, tuple(sorted(seen)))


def _slope_cell(f: Expr, x: Symbol):
    """Enclosures of the derivative; None where f has kinks."""
    if f.has(sympy.Abs, sympy.Max, sympy.Min):
        return None
    return on_cell(diff(f, x), x)


def _strict(cell, a: Fraction, b: Fraction) -> int | None:
    """The sign of every value on a closed cell."""
    try:
        lo, hi = cell(*outward(a, b))
    except OutOfDomain:
        return None
    return 1 if lo > 0 else -1 if hi < 0 else None


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


def _crossing(f: Expr, x: Symbol, below: Fraction, above: Fraction) -> Fraction:
    """Near where a continuous function that is negative at one point and positive at another crosses 0."""
    value = at_point(f, x)
    for _ in range(60):
        middle = (below + above) / 2
        ball = value(middle, 200)
        if ball > 0:
            above = middle
        elif ball < 0:
            below = middle
        else:
            break
    near = ((below + above) / 2).limit_denominator(10_000)
    return near if min(below, above) <= near <= max(below, above) else (below + above) / 2


def _lower(cell, a: Fraction, b: Fraction) -> float:
    try:
        return cell(*outward(a, b))[0]
    except OutOfDomain:
        return -INF


def _mean_value_lower(cell, slope, a: Fraction, b: Fraction) -> float:
    m = (a + b) / 2
    try:
        low = add(cell(*outward(m, m)), mul(slope(*outward(a, b)), outward((a - b) / 2, (b - a) / 2)))[0]
    except OutOfDomain:
        return -INF
    return low if low == low else -INF


def _mean_value_sign(cell, slope, a: Fraction, b: Fraction, strict: bool = False) -> int | None:
    """The sign by f(x) = f(m) + f'(cell) (x - m)."""
    m = (a + b) / 2
    try:
        value = cell(*outward(m, m))
        s = slope(*outward(a, b))
    except OutOfDomain:
        return None
    half = outward((a - b) / 2, (b - a) / 2)
    lo, hi = add(value, mul(s, half))
    if lo != lo or hi != hi:
        return None
    if strict:
        return 1 if lo > 0 else -1 if hi < 0 else None
    return 1 if lo >= 0 else -1 if hi <= 0 else None


def _settle_zero(f, x, run: Run) -> Run:
    """A tiny cell around an exact zero of even order has the sign of that derivative; otherwise it stays open."""
    if run.hi - run.lo > Fraction(1, 1000):
        return run
    c = exact_zero(f, x, run.lo, run.hi)
    if c is None:
        return run
    g, order = f, 0
    while order < 8:
        g, order = diff(g, x), order + 1
        value = g.subs(x, c)
        if sign_of_number(value) != 0:
            break
    sign = _cell_sign(on_cell(g, x), run.lo, run.hi)
    if order % 2 == 0 and sign:
        return Run(run.lo, run.hi, sign)
    return run


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


def _merge(runs: list[Run]) -> tuple[Run, ...]:
    """Neighbours of one sign joined; an unsettled sliver between two runs stays."""
    merged: list[Run] = []
    for run in runs:
        if merged and merged[-1].sign == run.sign and merged[-1].hi == run.lo:
            merged[-1] = Run(merged[-1].lo, run.hi, run.sign)
        else:
            merged.append(run)
    return tuple(merged)


__all__ = ["Budget", "Integer", "Run", "T", "end_sign", "exp", "one_sided_limit", "sign_pattern"]
