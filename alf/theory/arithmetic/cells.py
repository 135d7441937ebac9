"""Enclosures of an expression over a cell.

`on_cell(f, x)` gives a function (lo, hi) -> (lo, hi) that encloses f over the cell; ends may be infinite, so that
singular ends are ordinary numbers here. Sums and products round outward in floating point (an operation that was exact
is recognised as such), transcendental functions come from Arb's balls at the two ends of the cell.
"""

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache, reduce

import sympy
from sympy import Abs, Add, Expr, Max, Min, Mul, Pow, Symbol, exp, log

from alf.losses.exact import LongNumber, unwrapped
from alf.theory.arithmetic import intervals
from alf.theory.arithmetic.balls import ALONE, constant_ball
from alf.theory.arithmetic.intervals import WHOLE, OutOfDomain, ball_ends

Enclosure = Callable[[float, float], tuple[float, float]]
"""From the ends of a cell to ends between which a function has all its values on the cell."""


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
    return ball_ends(constant_ball(value))


_FUNCTIONS = {
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
_CHAINS = {Add: "add", Max: "i_max", Min: "i_min"}
"""What stands between the arguments of a sum, a maximum and a minimum."""


class _CellCompiler:
    """Writes an expression as steps, each one interval operation, a common subexpression once."""

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

    def exact(self, value: Expr) -> tuple[Symbol, Symbol]:
        """An exact number as floats around it, and as a ball."""
        return self.constant(enclose_number(value)), self.constant(constant_ball(value))

    def emit(self, operation: str, *operands: Symbol | int) -> Symbol:
        name = Symbol(f"t{len(self.steps)}")
        self.steps.append((name, sympy.Function(operation)(*operands)))
        return name

    def chain(self, operation: str, names: Iterable[Symbol]) -> Symbol:
        return reduce(lambda before, name: self.emit(operation, before, name), names)

    def visit(self, e: Expr) -> Symbol:
        """The name of the step that encloses e."""
        if e not in self.names:
            self.names[e] = self.written(e)
        return self.names[e]

    def written(self, e: Expr) -> Symbol:
        if not e.has(*self.moving):
            return self.constant(enclose_number(e))
        if isinstance(e, Mul):
            return self.product(e)
        if isinstance(e, Pow):
            return self.power(e)
        if e.func in _CHAINS:
            return self.chain(_CHAINS[e.func], map(self.visit, e.args))
        if e.func in _FUNCTIONS:
            return self.emit(_FUNCTIONS[e.func], self.visit(e.args[0]))
        raise NotImplementedError(f"no enclosure for {e.func}")

    def product(self, e: Mul) -> Symbol:
        if e.args[0] == -1:
            return self.emit("neg", self.visit(Mul(*e.args[1:])))
        joint, rest = self.joint(e.args) or self.joint_exponential(e.args) or ((), e.args)
        return self.chain("mul", [*joint, *map(self.visit, rest)])

    def joint(self, factors):
        """x**c and log(x)**k are enclosed together: apart, 0 * oo would lose everything."""
        x = self.variable
        split = [(f, *f.as_base_exp()) for f in factors]
        powers = [(f, c) for f, base, c in split if base == x]
        logs = [(f, k) for f, base, k in split if base == log(x) and k.is_Integer and k > 0]
        if len(powers) != 1 or len(logs) != 1:
            return None
        (power, c), (logarithm, k) = powers[0], logs[0]
        if not c.is_positive or c.has(*self.moving):
            return None
        name = self.emit("power_log", self.names[x], *self.exact(c), int(k))
        if k % 2:
            name = self.emit("neg", name)
        return [name], [f for f in factors if f not in (power, logarithm)]

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
        balls = (self.constant(constant_ball(v)) for v in (a, c))
        name = self.emit("power_exp", self.names[x], *self.exact(b), *balls)
        return [name], [g for g in factors if g not in (f, powers[0])]

    def power(self, e: Pow) -> Symbol:
        base, exponent = e.base, unwrapped(e.exp)
        if exponent.is_Integer:
            return self.emit("int_power", self.visit(base), int(exponent))
        if not exponent.has(*self.moving):
            return self.emit("real_power", self.visit(base), *self.exact(exponent))
        return self.emit("i_exp", self.emit("mul", self.visit(exponent), self.emit("i_log", self.visit(base))))


@lru_cache(maxsize=2048)
def on_cell(expression: Expr, variable: Symbol) -> Enclosure:
    """A function (lo, hi) -> (lo, hi) that encloses the expression over the cell [lo, hi].

    The whole line where it may not be a real number.

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
        modules=[vars(intervals)],
        cse=lambda _: (compiler.steps, result),  # the steps in order, in place of SymPy's own common subexpressions
    )

    def cell(lo: float, hi: float, y=None):
        try:
            with ALONE:
                return function((lo, hi), y, *constants)
        except OutOfDomain:
            return WHOLE

    return cell
