"""Rigorous enclosures of SymPy expressions of one variable: on a cell, and at a point.

`on_cell(f, x)` gives a function (lo, hi) -> (lo, hi) that encloses f over the cell; ends may be infinite, so that
singular ends are ordinary numbers here. Sums and products round outward in floating point (an operation that was exact
is recognised as such), transcendental functions come from Arb's balls at the two ends of the cell.

`at_point(f, x)` gives a function (point, bits) -> Arb ball.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache, wraps
from threading import RLock

import sympy
from sympy import Abs, Add, Expr, Max, Min, Mul, Pow, Rational, Symbol, exp, log

from alf.losses.exact import LongNumber, unwrapped

INF = math.inf
WHOLE = (-INF, INF)


ALONE = RLock()
"""Arb's precision is one for the whole process: whoever computes with balls holds this lock meanwhile."""


@contextmanager
def working(bits: int) -> Iterator[None]:
    """Ball arithmetic at a precision of its own, one thread at a time; the only way to set the precision.

    >>> with working(200):
    ...     third = _arb()(1) / 3
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


class OutOfDomain(ArithmeticError):
    """The expression is not a real number somewhere on the cell."""


def down(x: float) -> float:
    """The next double below."""
    return math.nextafter(x, -INF)


def up(x: float) -> float:
    """The next double above."""
    return math.nextafter(x, INF)


def _sum_ends(x: float, y: float) -> tuple[float, float]:
    """Floats below and above x + y, equal when the sum is exact."""
    s = x + y
    if s != s:  # inf - inf
        return -INF, INF
    if math.isinf(s):
        if math.isinf(x) or math.isinf(y):
            return s, s
        return (down(s), s) if s > 0 else (s, up(s))
    t = s - x
    error = (x - (s - t)) + (y - t)
    if error == 0:
        return s, s
    return (s, up(s)) if error > 0 else (down(s), s)


def add(a, b):
    """The sum of two intervals."""
    return _sum_ends(a[0], b[0])[0], _sum_ends(a[1], b[1])[1]


def _product_ends(x: float, y: float) -> tuple[float, float]:
    if x == 0 or y == 0:  # 0 * inf is 0 here: infinite ends stand for arbitrarily large finite numbers
        return 0.0, 0.0
    product = x * y
    if abs(x) == 1 or abs(y) == 1 or math.isinf(x) or math.isinf(y):
        return product, product
    return down(product), up(product)


def mul(a, b):
    """The product of two intervals."""
    if a[0] >= 0 and b[0] >= 0:  # most factors have one sign
        return _product_ends(a[0], b[0])[0], _product_ends(a[1], b[1])[1]
    if a[0] >= 0 and b[1] <= 0:
        return _product_ends(a[1], b[0])[0], _product_ends(a[0], b[1])[1]
    if a[1] <= 0 and b[0] >= 0:
        return _product_ends(a[0], b[1])[0], _product_ends(a[1], b[0])[1]
    ends = [_product_ends(x, y) for x in a for y in b]
    return min(e[0] for e in ends), max(e[1] for e in ends)


def neg(a):
    """An interval with its sign turned."""
    return -a[1], -a[0]


def inverse(a):
    """One over an interval; everything where it holds 0."""
    lo, hi = a
    if lo < 0 < hi or lo == hi == 0:
        return WHOLE
    low = -INF if hi == 0 else _inverse_ends(hi)[0]
    high = INF if lo == 0 else _inverse_ends(lo)[1]
    return low, high


def _inverse_ends(x: float) -> tuple[float, float]:
    if math.isinf(x):
        return 0.0, 0.0
    value = 1 / x
    return (value, value) if abs(x) == 1 else (down(value), up(value))


@lru_cache(maxsize=1)
def _arb():
    """Arb's type, imported with the first question."""
    from flint import arb

    return arb


def _ball(value: float):
    return _arb()(value)


def _ends(ball) -> tuple[float, float]:
    """Floats around an Arb ball."""
    if not ball.is_finite():
        if ball.is_nan():
            return WHOLE
        return float(ball.lower()), float(ball.upper())
    return down(float(ball.lower())), up(float(ball.upper()))


def _increasing(name: str, at_minus, at_plus):
    """A monotone function from its values at the ends; limits are given at -oo and +oo."""

    def end(x):
        if math.isinf(x):
            limit = at_plus if x > 0 else at_minus
            return limit, limit
        return _ends(getattr(_ball(x), name)())

    def function(a):
        lo, hi = a
        return end(lo)[0], end(hi)[1]

    return function


_raw_exp = _increasing("exp", 0.0, INF)
_raw_tanh = _increasing("tanh", -1.0, 1.0)
_raw_atan = _increasing("atan", -up(math.pi / 2), up(math.pi / 2))
i_sinh = _increasing("sinh", -INF, INF)


def i_exp(a):
    """The exponential of an interval."""
    if a == (0.0, 0.0):
        return 1.0, 1.0
    lo, hi = _raw_exp(a)
    return max(lo, 0.0), hi


def i_tanh(a):
    """The hyperbolic tangent of an interval."""
    lo, hi = _raw_tanh(a)
    return max(lo, -1.0), min(hi, 1.0)


def i_atan(a):
    """The arc tangent of an interval."""
    return _raw_atan(a)


def i_cosh(a):
    """The hyperbolic cosine of an interval."""
    lo, hi = i_abs(a)
    low = INF if math.isinf(lo) else _ends(_ball(lo).cosh())[0]
    high = INF if math.isinf(hi) else _ends(_ball(hi).cosh())[1]
    return max(low, 1.0), high


def i_log(a):
    """The logarithm of an interval; `OutOfDomain` where it holds a negative number."""
    lo, hi = a
    if lo < 0:
        raise OutOfDomain("log of a negative number")
    low = -INF if lo == 0 else (INF if math.isinf(lo) else _ends(_ball(lo).log())[0])
    high = -INF if hi == 0 else (INF if math.isinf(hi) else _ends(_ball(hi).log())[1])
    if lo == 1.0:
        low = 0.0
    if hi == 1.0:
        high = 0.0
    return low, high


def _extremes(a, shift) -> tuple[int, int] | None:
    """Numbers of the first and last multiple of pi (shifted by shift * pi) reached on the cell; None where unclear."""
    from flint import arb

    pi = arb.pi()
    lo, hi = (_ball(a[0]) / pi - shift).floor(), (_ball(a[1]) / pi - shift).floor()
    first, last = lo.unique_fmpz(), hi.unique_fmpz()
    return None if first is None or last is None else (int(first), int(last))


def _near_extreme(a, low: float, high: float) -> tuple[float, float]:
    """Sine or cosine where an end of the cell cannot be told from an extreme: a short cell holds at most one, of the
    sign that the values have."""
    if a[1] - a[0] < 1 and low > 0:
        return max(low, -1.0), 1.0
    if a[1] - a[0] < 1 and high < 0:
        return -1.0, min(high, 1.0)
    return -1.0, 1.0


def i_cos(a):
    """The cosine of an interval."""
    if math.isinf(a[0]) or math.isinf(a[1]) or a[1] - a[0] > 7:
        return -1.0, 1.0
    if a == (0.0, 0.0):
        return 1.0, 1.0
    ends = [_ends(_ball(x).cos()) for x in a]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    span = _extremes(a, 0)
    if span is None:
        return _near_extreme(a, low, high)
    inside = range(span[0] + 1, span[1] + 1)
    if any(k % 2 == 0 for k in inside) or a[0] == 0 or a[1] == 0:
        high = 1.0
    if any(k % 2 for k in inside):
        low = -1.0
    return max(low, -1.0), min(high, 1.0)


def i_sin(a):
    """The sine of an interval."""
    from flint import arb

    if math.isinf(a[0]) or math.isinf(a[1]) or a[1] - a[0] > 7:
        return -1.0, 1.0
    ends = [_ends(_ball(x).sin()) if x else (0.0, 0.0) for x in a]
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    span = _extremes(a, arb(0.5))
    if span is None:
        return _near_extreme(a, low, high)
    inside = range(span[0] + 1, span[1] + 1)  # k-th extreme is at (k + 1/2) pi
    if any(k % 2 == 0 for k in inside):
        high = 1.0
    if any(k % 2 for k in inside):
        low = -1.0
    return max(low, -1.0), min(high, 1.0)


def i_tan(a):
    """The tangent of an interval."""
    from flint import arb

    if math.isinf(a[0]) or math.isinf(a[1]) or a[1] - a[0] > 3.2:
        return WHOLE
    span = _extremes(a, arb(0.5))
    if span is None or span[0] != span[1]:
        return WHOLE
    return (_ends(_ball(a[0]).tan())[0] if a[0] else 0.0), (_ends(_ball(a[1]).tan())[1] if a[1] else 0.0)


def i_abs(a):
    """The absolute value of an interval."""
    lo, hi = a
    if lo >= 0:
        return a
    if hi <= 0:
        return -hi, -lo
    return 0.0, max(-lo, hi)


def i_max(a, b):
    """The larger of two intervals."""
    return max(a[0], b[0]), max(a[1], b[1])


def i_min(a, b):
    """The smaller of two intervals."""
    return min(a[0], b[0]), min(a[1], b[1])


def int_power(a, n: int):
    """An interval to a whole power."""
    if n < 0:
        return inverse(int_power(a, -n))
    if n == 1:
        return a
    if n % 2 == 0:
        a = i_abs(a)
    return _int_end(a[0], n)[0], _int_end(a[1], n)[1]


def _int_end(x: float, n: int) -> tuple[float, float]:
    if x in (0.0, 1.0) or math.isinf(x):
        value = x if n % 2 or x >= 0 else -x
        return value, value
    if x == -1.0:
        value = 1.0 if n % 2 == 0 else -1.0
        return value, value
    return _ends(_ball(x) ** n)


def real_power(a, e, exact):
    """a**e for a >= 0, e a float enclosure of the exponent and `exact` an Arb ball of it."""
    lo, hi = a
    if lo < 0:
        raise OutOfDomain("a power of a negative number")
    if e[0] > 0:
        return (_power_end(lo, exact)[0], _power_end(hi, exact)[1])
    if e[1] < 0:
        return (_power_end(hi, exact)[0], _power_end(lo, exact)[1])
    return i_exp(mul(e, i_log(a)))


def _power_end(x: float, exact) -> tuple[float, float]:
    rising = exact > 0
    if x == 0:
        return (0.0, 0.0) if rising else (INF, INF)
    if math.isinf(x):
        return (INF, INF) if rising else (0.0, 0.0)
    if x == 1.0:
        return 1.0, 1.0
    lo, hi = _ends(_ball(x) ** exact)
    return max(lo, 0.0), hi


def power_log(x, c, c_ball, k: int):
    """x**c * (-log x)**k on a cell inside [0, 1], for c > 0: 0 at 0, one maximum at exp(-k/c)."""
    lo, hi = x
    if lo < 0 or hi > 1:
        return mul(real_power(x, c, c_ball), int_power(neg(i_log(x)), k))

    def value(t):
        return (0.0, 0.0) if t == 0 else mul(_power_end(t, c_ball), int_power(neg(i_log((t, t))), k))

    first, last = value(lo), value(hi)
    peak = _ends((-_ball(float(k)) / c_ball).exp())
    low, high = min(first[0], last[0]), max(first[1], last[1])
    if hi >= peak[0] and lo <= peak[1]:
        high = max(high, _ends((_ball(float(k)) / (c_ball * _ball(1.0).exp())) ** k)[1])
    return max(low, 0.0), high


def power_exp(x, b, b_ball, a_ball, c_ball):
    """x**-b * exp(-c x**-a) on a cell in [0, oo), a, b, c > 0: rising from 0 up to x = (a c / b)**(1/a)."""
    lo, hi = x
    peak = _ends((a_ball * c_ball / b_ball) ** (1 / a_ball))[0]
    if lo < 0 or hi > peak or hi == 0:
        slow = inverse(real_power(x, b, b_ball))
        return mul(slow, i_exp(neg(mul(_ends(c_ball), inverse(real_power(x, _ends(a_ball), a_ball))))))

    def value(t):
        if t == 0:
            return 0.0, 0.0
        ball = _ball(t)
        return _ends((-c_ball * ball ** (-a_ball)).exp() * ball ** (-b_ball))

    return max(value(lo)[0], 0.0), value(hi)[1]


@lru_cache(maxsize=4096)
def constant_ball(value: Expr, bits: int = 64):
    """An Arb ball around an exact SymPy number."""
    with working(bits + 20):
        return _PointCompiler(Symbol("_none")).compile(value)(None)


def enclose_number(value: Expr) -> tuple[float, float]:
    """Floats around an exact SymPy number, equal when it is one."""
    if isinstance(value, LongNumber):
        value = value.value
    if value.is_Rational:
        near = float(value)
        if math.isfinite(near) and Fraction(near) == Fraction(int(value.p), int(value.q)):
            return near, near
    if value in (sympy.oo, -sympy.oo):
        return float(value), float(value)
    return _ends(constant_ball(value))


class _CellCompiler:
    """Writes an expression as steps, each one interval operation, a common subexpression once."""

    FUNCTIONS = {
        exp: "i_exp",
        log: "i_log",
        sympy.sin: "i_sin",
        sympy.cos: "i_cos",
        sympy.tan: "i_tan",
        sympy.sinh: "i_sinh",
        sympy.cosh: "i_cosh",
        sympy.tanh: "i_tanh",
        sympy.atan: "i_atan",
        Abs: "i_abs",
    }

    def __init__(self, variable: Symbol, other: Symbol | None = None):
        self.variable = variable
        self.moving = (variable,) if other is None else (variable, other)
        self.steps: list[tuple[Symbol, Expr]] = []
        self.names: dict[Expr, Symbol] = dict(zip(self.moving, sympy.symbols("x y"), strict=False))
        self.constants: dict[Symbol, object] = {}

    def constant(self, value) -> Symbol:
        name = Symbol(f"c{len(self.constants)}")
        self.constants[name] = value
        return name

    def emit(self, expression: Expr, operation: str, *operands: Symbol | int) -> Symbol:
        name = Symbol(f"t{len(self.steps)}")
        self.steps.append((name, sympy.Function(operation)(*operands)))
        self.names[expression] = name
        return name

    def visit(self, e: Expr) -> Symbol:
        if e in self.names:
            return self.names[e]
        if not e.has(*self.moving):
            name = self.constant(enclose_number(e))
            self.names[e] = name
            return name
        if isinstance(e, Add):
            name = self.visit(e.args[0])
            for other in e.args[1:]:
                name = self.emit(sympy.Dummy(), "add", name, self.visit(other))
            self.names[e] = name
            return name
        if isinstance(e, Mul):
            return self.product(e)
        if isinstance(e, Pow):
            return self.power(e)
        if isinstance(e, (Max, Min)):
            name = self.visit(e.args[0])
            for other in e.args[1:]:
                name = self.emit(sympy.Dummy(), f"i_{e.func.__name__.lower()}", name, self.visit(other))
            self.names[e] = name
            return name
        if e.func in self.FUNCTIONS:
            return self.emit(e, self.FUNCTIONS[e.func], self.visit(e.args[0]))
        raise NotImplementedError(f"no enclosure for {e.func}")

    def product(self, e: Expr) -> Symbol:
        factors = list(e.args)
        if factors[0] == -1:
            return self.emit(e, "neg", self.visit(Mul(*factors[1:])))
        joint = self.joint(factors) or self.joint_exponential(factors)
        name = None
        if joint:
            name, factors = joint
        for factor in factors:
            other = self.visit(factor)
            name = other if name is None else self.emit(sympy.Dummy(), "mul", name, other)
        self.names[e] = name
        return name

    def joint(self, factors):
        """x**c and log(x)**k are enclosed together: apart, 0 * oo would lose everything."""
        x = self.variable
        powers = [f for f in factors if f == x or (isinstance(f, Pow) and f.base == x and not f.exp.has(x))]
        logs = [
            f
            for f in factors
            if f == log(x) or (isinstance(f, Pow) and f.base == log(x) and f.exp.is_Integer and f.exp > 0)
        ]
        if len(powers) != 1 or len(logs) != 1:
            return None
        c = powers[0].as_base_exp()[1]
        k = int(logs[0].as_base_exp()[1])
        if not c.is_positive or c.has(*self.moving):
            return None
        exponent, ball = self.constant(enclose_number(c)), self.constant(constant_ball(c))
        name = self.emit(sympy.Dummy(), "power_log", self.names[x], exponent, ball, k)
        if k % 2:
            name = self.emit(sympy.Dummy(), "neg", name)
        return name, [f for f in factors if f not in (powers[0], logs[0])]

    def joint_exponential(self, factors):
        """x**-b and exp(-c x**-a) likewise."""
        x = self.variable
        powers = [f for f in factors if isinstance(f, Pow) and f.base == x and f.exp.is_negative]
        fast = []
        for f in factors:
            if isinstance(f, exp):
                c, rest = f.args[0].as_independent(x, as_Add=False)
                if c.is_negative and isinstance(rest, Pow) and rest.base == x and rest.exp.is_negative:
                    fast.append((f, -c, -rest.exp))
        if len(powers) != 1 or len(fast) != 1:
            return None
        f, c, a = fast[0]
        b = -powers[0].exp
        if any(v.has(*self.moving) for v in (a, b, c)):
            return None
        balls = (self.constant(constant_ball(v)) for v in (b, a, c))
        name = self.emit(sympy.Dummy(), "power_exp", self.names[x], self.constant(enclose_number(b)), *balls)
        return name, [g for g in factors if g not in (f, powers[0])]

    def power(self, e: Expr) -> Symbol:
        if e.base is sympy.E:
            return self.emit(e, "i_exp", self.visit(e.exp))
        base, exponent = e.base, unwrapped(e.exp)
        if exponent.is_Integer:
            return self.emit(e, "int_power", self.visit(base), int(exponent))
        if not exponent.has(*self.moving):
            enclosure, ball = self.constant(enclose_number(exponent)), self.constant(constant_ball(exponent))
            return self.emit(e, "real_power", self.visit(base), enclosure, ball)
        logarithm = self.emit(sympy.Dummy(), "i_log", self.visit(base))
        return self.emit(e, "i_exp", self.emit(sympy.Dummy(), "mul", self.visit(exponent), logarithm))


@lru_cache(maxsize=2048)
def on_cell(expression: Expr, variable: Symbol):
    """A function (lo, hi) -> (lo, hi) that encloses the expression over the cell [lo, hi].

    Raises OutOfDomain where it may not be a real number.

    >>> x = Symbol("x", positive=True)
    >>> on_cell(1 / x - log(x), x)(0.0, 1.0)
    (1.0, inf)
    """
    return _compiled(_CellCompiler(variable), expression)


@lru_cache(maxsize=512)
def on_box(expression: Expr, first: Symbol, second: Symbol):
    """The same over a box: a function (lo, hi, y) -> (lo, hi), y the other variable's interval.

    >>> x, y = sympy.symbols("x y", positive=True)
    >>> on_box(x * y, x, y)(0.0, 2.0, (3.0, 4.0))
    (0.0, 8.000000000000002)
    """
    return _compiled(_CellCompiler(first, second), expression)


def _compiled(compiler: _CellCompiler, expression: Expr):
    result = compiler.visit(expression)
    constants = tuple(compiler.constants.values())
    function = sympy.lambdify(
        [*sympy.symbols("x y"), *compiler.constants],
        result,
        modules=[globals()],
        cse=lambda _: (compiler.steps, result),  # the steps in order, in place of SymPy's own common subexpressions
    )

    def cell(lo: float, hi: float, y=None):
        with ALONE:
            return function((lo, hi), y, *constants)

    return cell


class _PointCompiler:
    """The same expression as a chain of Arb operations."""

    METHODS = {exp: "exp", log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tan: "tan", sympy.sinh: "sinh",
               sympy.cosh: "cosh", sympy.tanh: "tanh", sympy.atan: "atan", Abs: "__abs__"}  # fmt: skip

    def __init__(self, variable: Symbol):
        self.variable = variable

    def compile(self, e: Expr):
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

    >>> [bool(ball_power(_arb()(0, 0.5), n).contains(0)) for n in (2, 3)], ball_power(_arb()(2), -1)
    ([True, True], 0.500000000000000)
    """
    if not ball.contains(0):
        return ball**n
    if n < 0:
        return 1 / ball_power(ball, -n)
    top = ball.abs_upper() ** n
    return _arb()(0).union(top if n % 2 == 0 else (-top).union(top))


@lru_cache(maxsize=2048)
def at_point(expression: Expr, variable: Symbol):
    """A function (point, bits) -> Arb ball; the point is a Fraction, an int, a float or a SymPy number.

    >>> x = Symbol("x", positive=True)
    >>> round(float(at_point(exp(x), x)(Fraction(1, 2), 60)), 12)
    1.6487212707
    """
    function = _PointCompiler(variable).compile(expression)

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
        return _PointCompiler(Symbol("_none")).compile(point)(None)
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
