"""A declaration's expressions as numerical functions that stay sound where the plain formula does not.

Softmax outputs reach 0 and 1 in floating point long before the loss's own logarithms do, so a formula is evaluated in
the four coordinates of a probability that are each exact somewhere,

    u,   log_u = log(u),   v = 1 - u,   log_v = log(1 - u),

and its derivative is taken with respect to log u: d/d(log u) = u d/du is bounded for every loss of the catalogue, where
d/du is not. numpy and torch share this one rewriting.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from sympy import Add, Expr, Integer, Mul, Pow, Symbol, diff, exp, lambdify, log, powsimp
from sympy.codegen.cfunctions import expm1
from sympy.printing.pycode import PythonCodePrinter

from alf.losses.interface import Formulas
from alf.losses.symbols import K, u

# Greek, so that they are identifiers in every language printed to and cannot be a name that a person types.
LOG_U = Symbol("λ", real=True)
V = Symbol("ν", nonnegative=True)
LOG_V = Symbol("μ", real=True)
COORDINATES = (u, LOG_U, V, LOG_V)


def in_coordinates(expression: Expr) -> Expr:
    """The same expression in the coordinates: log(u) and log(1-u) where they stand, u**q as exp(q log u), 1-u as v."""
    expression = powsimp(expression, combine="exp")
    expression = expression.replace(
        lambda e: e.func is log and e.args[0] in (u, 1 - u), lambda e: LOG_U if e.args[0] == u else LOG_V
    )
    # v^(gamma - 1) as v^gamma / v: a power costs several times a division, and v^gamma is there already
    expression = expression.replace(
        lambda e: isinstance(e, Pow) and e.base == 1 - u,
        lambda e: Mul(*(Pow(V, part, evaluate=False) for part in Add.make_args(e.exp)), evaluate=False),
    )
    return expression.replace(
        lambda e: isinstance(e, Pow) and e.base == u and not e.exp.is_Integer, lambda e: exp(e.exp * LOG_U)
    )


def near_one(expression: Expr) -> Expr:
    """1 - u**q of an expression in coordinates as -expm1(q log u), which keeps its digits where u**q is close to 1.

    Written plainly, 1 - u**q loses all of them towards u = 1, and the slope of NGCE multiplies what is left by
    (1-u)**(q-1), which grows there.
    """
    return expression.replace(lambda e: isinstance(e, Add) and Integer(1) in e.args, _without_cancelling)


def _without_cancelling(total: Add) -> Expr:
    rest = [term for term in total.args if term != 1]
    for i, term in enumerate(rest):
        factors = Mul.make_args(-term)
        exponents = [_exponent(factor) for factor in factors]
        if None not in exponents and term.has(*COORDINATES):
            return Add(-expm1(Add(*exponents)), *rest[:i], *rest[i + 1 :], evaluate=False)
    return total


def _exponent(factor: Expr) -> Expr | None:
    """x of a factor that is exp(x); the logarithm of 1 - u is a coordinate."""
    if isinstance(factor, exp):
        return factor.args[0]
    if not isinstance(factor, Pow) or factor.exp.is_Integer:
        return None
    if factor.base == V:
        return factor.exp * LOG_V
    return factor.exp * log(factor.base) if factor.base.is_nonnegative and not factor.base.has(*COORDINATES) else None


def slope_in_log(expression: Expr) -> Expr:
    """u d/du of an expression in u, term by term so that u cancels against the 1/u of a logarithm."""
    return Add(*(powsimp(u * term, combine="exp") for term in Add.make_args(diff(expression, u))))


@dataclass(frozen=True, eq=False)
class Compiled:
    """One expression and its partial derivatives, ready to be printed for an array library.

    Parameters
    ----------
    expression : Expr
        In `u`, the sums' symbols, `K` and parameters; ``log(1 - u)`` may have been replaced by `LOG_V`, which then
        counts as an input of its own.
    inputs : tuple of Symbol
        The differentiable inputs: `LOG_U`, `LOG_V` where used on its own, sums' symbols.
    constants : tuple of Symbol
        `K` and parameters.
    """

    expression: Expr
    inputs: tuple[Symbol, ...]
    constants: tuple[Symbol, ...]
    _functions: dict[tuple[str, bool], Callable[..., Any]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def partials(self) -> tuple["Compiled", ...]:
        """The derivative with respect to each input."""
        derivatives = (
            slope_in_log(self.expression) if symbol == LOG_U else diff(self.expression, symbol)
            for symbol in self.inputs
        )
        return tuple(Compiled(derivative, self.inputs, self.constants) for derivative in derivatives)

    @cached_property
    def varying(self) -> tuple[int, ...]:
        """The inputs in which the partial derivative is not identically 0."""
        return tuple(i for i in range(len(self.inputs)) if self.partials[i].expression != 0)

    def by_input(self, varying: list[Any]) -> list[Any]:
        """The partial derivatives by input, None where one is identically 0, from those that `function` returns."""
        found = iter(varying)
        return [next(found) if i in self.varying else None for i in range(len(self.inputs))]

    def function(self, library: str, partials: bool = False) -> Callable[..., Any]:
        """f(u, log_u, v, log_v, *sums, *constants), or the list of it and its partials that are not 0."""
        key = (library, partials)
        if key not in self._functions:
            forms = [self, *(self.partials[i] for i in self.varying)] if partials else [self]
            expressions = [in_coordinates(form.expression) for form in forms]
            if library != "torch":  # there value and gradient share exp(q log u), and single precision asks for no more
                expressions = [near_one(e) for e in expressions]
            chosen = expressions if partials else expressions[0]
            self._functions[key] = _lambdify(self.arguments, chosen, library, share=partials)
        return self._functions[key]

    @property
    def arguments(self) -> tuple[Symbol, ...]:
        """What every printed form of this expression takes, in order."""
        return (*COORDINATES, *(s for s in self.inputs if s not in COORDINATES), *self.constants)

    @property
    def uses_log_v(self) -> bool:
        """Whether log(1 - u) is an input of its own."""
        return LOG_V in self.inputs

    @cached_property
    def needs_v(self) -> bool:
        """Whether the value or a first partial uses 1 - u in a power, so that it must be computed on its own."""
        return any(e.has(V) for e in self._all)

    @cached_property
    def needs_u(self) -> bool:
        """Whether the value or a first partial uses u other than through its logarithm."""
        return self.needs_v or any(e.has(u) for e in self._all)

    @cached_property
    def divides_by_u(self) -> bool:
        """Whether u stands in a denominator, or in a function whose slope may be infinite at 0."""
        return any(
            power.exp.is_negative is not False and power.base.has(u) for e in self._all for power in e.atoms(Pow)
        )

    @cached_property
    def _all(self) -> list[Expr]:
        return [in_coordinates(form.expression) for form in (self, *self.partials)]


class _TorchPrinter(PythonCodePrinter):
    """Powers as calls: the operator's wrapper in Python costs more than a small tensor's arithmetic."""

    def _print_Pow(self, power: Pow, rational: bool = False) -> str:
        return f"power({self._print(power.base)}, {self._print(power.exp)})"

    def _print_sign(self, expression: Expr) -> str:
        return f"sign({self._print(expression.args[0])})"  # Python's own is a condition, which a tensor cannot answer


def _lambdify(arguments: tuple[Symbol, ...], expressions: Expr | list[Expr], library: str, share: bool) -> Any:
    if library != "torch":
        return lambdify(arguments, expressions, modules=library, cse=share)
    from alf.losses.torch_functions import FUNCTIONS

    settings = {"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True}
    printer = _TorchPrinter(settings | {"user_functions": {name: name for name in FUNCTIONS}})
    return lambdify(arguments, expressions, modules=[FUNCTIONS], printer=printer, cse=share)


@dataclass(frozen=True, eq=False)
class CompiledLoss:
    """g and the s_i of a declaration, compiled."""

    outer: Compiled
    summands: tuple[Compiled, ...]

    @cached_property
    def shared(self) -> Compiled:
        """g with s_i(u_y) as inputs of their own, after the sums: it is an entry of what was summed up anyway."""
        own = tuple(Symbol(f"σ{i}", real=True) for i in range(len(self.summands)))
        expression = self.outer.expression
        for symbol, summand in zip(own, self.summands, strict=True):
            expression = Add(*(_with_own(term, summand.expression, symbol) for term in Add.make_args(expression)))
        return Compiled(expression, (*self.outer.inputs, *own), self.outer.constants)


def _with_own(term: Expr, summand: Expr, own: Symbol) -> Expr:
    """A term of g with s(u_y) written as `own`: a factor of it, or a part as it stands (never u as a root of u**2)."""
    quotient = term / summand
    return own * quotient if not quotient.has(u, LOG_V) else term.xreplace({summand: own})


@lru_cache(maxsize=512)
def compiled(declaration: Formulas) -> CompiledLoss:
    """The compiled form of a declaration; parameters stay arguments, so that one compilation serves every value."""
    constants = (K, *(p.symbol for p in declaration.parameters))
    everything = (declaration.expression, *(s for _, s in declaration.sums))
    coordinates = (LOG_U, LOG_V) if any(e.has(log(1 - u)) for e in everything) else (LOG_U,)
    symbols = tuple(symbol for symbol, _ in declaration.sums)
    g, *summands = (e.xreplace({log(1 - u): LOG_V}) for e in everything)
    outer = Compiled(g, (*coordinates, *symbols), constants)
    return CompiledLoss(outer, tuple(Compiled(s, coordinates, constants) for s in summands))


TAU = Symbol("τ", nonnegative=True)
"""K - 2 + u, in this order: K - 1 times the probability that another class does not have. At K = 2 it is u itself."""


@dataclass(frozen=True, eq=False)
class Path:
    """A loss as a function of u_y alone, the other K - 1 classes sharing the rest equally; and what is drawn of it.

    Each is called as f(u, log u, v, log v, τ, K, *parameters).
    """

    value: Compiled
    derivative: Compiled
    weight: Compiled


@lru_cache(maxsize=512)
def path(declaration: Formulas) -> Path:
    """The curves of a declaration: l, dl/du and -dl/du u (1 - u)."""
    others = {symbol: (summand, (K - 1) * _of_another(summand)) for symbol, summand in declaration.sums}
    sums = {symbol: own + rest for symbol, (own, rest) in others.items()}
    curve = declaration.expression.subs(sums)
    slopes = (_slope_along(term, others, sums) for term in Add.make_args(declaration.expression))
    slope = Add(*(powsimp(term, combine="exp") for term in Add.make_args(Add(*slopes))))
    weight = Add(*(powsimp(-u * (1 - u) * term, combine="exp") for term in Add.make_args(slope)))
    constants = (TAU, K, *(p.symbol for p in declaration.parameters))
    in_tau = (e.replace(lambda part: part == K - 2 + u, lambda part: TAU) for e in (curve, slope, weight))
    return Path(*(Compiled(e, (), constants) for e in in_tau))


def _of_another(summand: Expr) -> Expr:
    """s(u_k) at u_k = (1 - u)/(K - 1), with the logarithms and powers of 1 - u standing as such."""
    complement, rest = Symbol("_complement", positive=True), Symbol("_rest", positive=True)
    other = summand.replace(lambda e: e == 1 - u, lambda e: complement).subs(u, rest)
    other = other.replace(lambda e: e == log(rest), lambda e: log(1 - u) - log(K - 1))
    other = other.replace(
        lambda e: isinstance(e, Pow) and e.base == rest, lambda e: (1 - u) ** e.exp * (K - 1) ** -e.exp
    )
    return other.xreplace({rest: (1 - u) / (K - 1), complement: (K - 2 + u) / (K - 1)})


def _slope_along(term: Expr, others: dict[Symbol, tuple[Expr, Expr]], sums: dict[Symbol, Expr]) -> Expr:
    """d/du of a term of g along the path.

    A share c s/(s + M), M the sum over the other classes, has the slope c (s' M - s M')/(s + M)**2, in which s' s, the
    largest part of the plain quotient rule at the ends, does not appear.
    """
    for symbol, (own, rest) in others.items():
        factor = term * symbol / own
        if not factor.has(u, symbol):
            return factor * (diff(own, u) * rest - own * diff(rest, u)) / sums[symbol] ** 2
    return diff(term.subs(sums), u)
