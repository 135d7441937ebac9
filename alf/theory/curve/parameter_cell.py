"""Signs of l' and l'' proved for whole ranges of parameters.

A parameter's domain is split at its breakpoints into cells; on a cell every symbol is written through a positive one
(a = 1 + b, q = 1/(1 + s), u = 1/(1 + x)), after which the sign of a factored derivative can be read off.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import sympy
from sympy import Abs, Expr, Symbol, oo

from alf.losses import Loss, u
from alf.losses.domain import Parameter
from alf.losses.exact import substitute
from alf.theory.arithmetic.balls import at_point
from alf.theory.curve.continuity import conditions
from alf.theory.curve.derivative import factored
from alf.theory.curve.symbolic_sign import (
    NEGATIVE,
    NON_NEGATIVE,
    NON_POSITIVE,
    POSITIVE,
    U_IN_CELL,
    UNKNOWN,
    ZERO,
    sign_of,
    tidy,
)
from alf.theory.failures import Contradiction
from alf.theory.progress import stage
from alf.theory.verdict import Status, Step


@dataclass(frozen=True)
class CellSide:
    """One parameter's side of a cell: a point (lower == upper) or an open interval."""

    parameter: Parameter
    lower: Expr
    upper: Expr

    @property
    def point(self) -> bool:
        """Whether it holds one number only."""
        return self.lower == self.upper

    @property
    def written(self) -> Expr:
        """The parameter through a positive symbol that ranges over (0, oo)."""
        if self.point:
            return self.lower
        s = Symbol(f"_{self.parameter.name}", positive=True)
        if self.upper == oo:
            return self.lower + s if self.lower != -oo else Symbol(self.parameter.name, real=True)
        if self.lower == -oo:
            return self.upper - s
        return self.lower + (self.upper - self.lower) / (1 + s)

    def __str__(self) -> str:
        name = self.parameter.name
        if self.point:
            return f"{name} = {self.lower}"
        if self.upper == oo:
            return f"{name} > {self.lower}"
        return f"{name} < {self.upper}" if self.lower == -oo else f"{self.lower} < {name} < {self.upper}"


def side_of(parameter: Parameter, value: Expr) -> CellSide:
    """The side of the cell in which a value lies."""
    domain = parameter.domain
    cuts = {domain.lower, domain.upper, *parameter.breakpoints}
    if value in cuts:
        return CellSide(parameter, value, value)
    return CellSide(parameter, max(c for c in cuts if c < value), min(c for c in cuts if c > value))


@dataclass(frozen=True)
class Cell:
    """A cell of a loss's parameter space, and the loss on it."""

    loss: Loss

    @cached_property
    def sides(self) -> tuple[CellSide, ...]:
        """The interval of each hyperparameter, in declared order."""
        return tuple(side_of(p, self.loss.values[p.name]) for p in self.loss.declaration.parameters)

    @cached_property
    def expression(self) -> Expr:
        """l in its parameters, those that are fixed on the cell in place."""
        fixed = {s.parameter.symbol: s.lower for s in self.sides if s.point}
        return substitute(self.loss.expression, fixed)

    @cached_property
    def free(self) -> bool:
        """Whether any parameter may move."""
        return any(not s.point for s in self.sides)

    def sign(self, e: Expr):
        """The sign of an expression in u and the parameters, over the whole cell and u in (0, 1)."""
        written = {s.parameter.symbol: s.written for s in self.sides if not s.point}
        inside = e.subs(written, simultaneous=True).subs(u, U_IN_CELL)
        return sign_of(tidy(inside))

    def __str__(self) -> str:
        return ", ".join([*(str(s) for s in self.sides), "0 < u < 1"])


@lru_cache(maxsize=256)
def proved_continuous(loss: Loss) -> bool:
    """Whether l is proved real, finite and continuous (and its roots smooth) over the loss's cell and 0 < u < 1.

    Where it is not, nothing is proved from the sign of a derivative.

    >>> from alf.losses import parse
    >>> proved_continuous(parse("agce:a=0.6,q=0.6")), proved_continuous(parse("formula:1-u-1e-9*tan(u)"))
    (True, False)
    """
    cell = Cell(loss)
    needed = conditions(cell.expression)
    allowed = {"nonzero": (POSITIVE, NEGATIVE), "positive": (POSITIVE,), "nonnegative": (POSITIVE,)}
    return needed is not None and all(cell.sign(c.inside) in allowed[c.needs] for c in needed)


@lru_cache(maxsize=256)
def proved_sign(loss: Loss, order: int):
    """The sign of the order-th derivative of l over the loss's cell and 0 < u < 1; UNKNOWN where not proved.

    Every proof is compared with numbers at the loss's own values; a disagreement is an internal error.

    >>> from alf.losses import parse
    >>> proved_sign(parse("agce:a=0.6,q=0.6"), 2) == POSITIVE
    True
    """
    cell = Cell(loss)
    if cell.expression.has(Abs, sympy.Max, sympy.Min) or not proved_continuous(loss):
        return UNKNOWN
    stage(f"proving the sign of derivative {order} for all hyperparameters")
    derivative = sympy.diff(cell.expression, u, order)
    found = cell.sign(derivative)
    if found == UNKNOWN and sympy.count_ops(derivative) < 40:  # many generators take minutes
        found = cell.sign(factored(derivative) or derivative)
    if found != UNKNOWN:
        _cross_check(loss, order, found)
    return found


def _cross_check(loss: Loss, order: int, sign) -> None:
    function = at_point(sympy.diff(loss.exact, u, order), u)
    for k in range(1, 16):
        value = function(sympy.Rational(k, 16), 120)
        if (value > 0 and not sign[2]) or (value < 0 and not sign[0]):
            raise Contradiction(f"{loss.spec}: the proved sign of derivative {order} is contradicted at u = {k}/16")


def sign_steps(loss: Loss, *orders: int) -> tuple[Step, ...]:
    """The proofs of the signs of l' (order 1) and l'' (order 2) as steps; of those signs that are proved."""
    return tuple(step for order in orders if (step := _sign_step(loss, order)) is not None)


@lru_cache(maxsize=512)
def _sign_step(loss: Loss, order: int) -> Step | None:
    found = proved_sign(loss, order)
    if found == UNKNOWN:
        return None
    cell = Cell(loss)
    relation = {POSITIVE: ">", NEGATIVE: "<", ZERO: "=", NON_NEGATIVE: ">=", NON_POSITIVE: "<="}[found]
    marks = "'" * order
    derivative = pretty(sympy.diff(cell.expression, u, order))
    sign = {">=": r"\ge", "<=": r"\le"}.get(relation, relation)
    tex = f"l{marks}(u) = {sympy.latex(derivative)} {sign} 0"
    text = f"l{marks}(u) {relation} 0 for all {cell}: every factor's sign can be read off."
    return Step(text, derivative, tex, Status.PROVED)


def pretty(e: Expr) -> Expr:
    """A derivative as a person would write it, and exactly equal."""
    return min((e, sympy.powsimp(e), sympy.factor_terms(e), sympy.powsimp(sympy.factor_terms(e))), key=sympy.count_ops)
