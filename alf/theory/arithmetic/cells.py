"""Enclosures of an expression over a cell.

`on_cell(f, x)` gives a function (lo, hi) -> (lo, hi) that encloses f over the cell; ends may be infinite, so that
singular ends are ordinary numbers here. Sums and products round outward in floating point (an operation that was exact
is recognised as such), transcendental functions come from Arb's balls at the two ends of the cell.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Abs, Add, Expr, Max, Min, Mul, Pow, Symbol, exp, log

from alf.losses.exact import LongNumber, unwrapped
from alf.theory.arithmetic import functions, intervals
from alf.theory.arithmetic.balls import ALONE, ball_ends, constant_ball

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
def on_cell(expression: Expr, variable: Symbol) -> Enclosure:
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
        modules=[{**vars(intervals), **vars(functions)}],
        cse=lambda _: (compiler.steps, result),  # the steps in order, in place of SymPy's own common subexpressions
    )

    def cell(lo: float, hi: float, y=None):
        with ALONE:
            return function((lo, hi), y, *constants)

    return cell
