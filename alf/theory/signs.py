"""Signs proved for whole ranges of parameters.

A parameter's domain is split at its breakpoints into cells; on a cell every symbol is written through a positive one
(a = 1 + b, q = 1/(1 + s), u = 1/(1 + x)), after which the sign of a factored derivative can be read off: sums whose
terms agree, powers of positive bases, logarithms of numbers below 1. `log y` of unknown weight is caught between
1 - 1/y and y - 1.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import sympy
from sympy import Abs, Add, Expr, Integer, Mul, Pow, Symbol, exp, log, oo

from alf.losses import Loss, u
from alf.losses.domain import Parameter
from alf.losses.exact import readable, substitute
from alf.theory.algebra import factored
from alf.theory.continuity import conditions
from alf.theory.enclosure import at_point, sign_of_number
from alf.theory.failures import Contradiction
from alf.theory.progress import stage
from alf.theory.verdict import Step, step

_X = Symbol("_x", positive=True)
U_IN_CELL = 1 / (1 + _X)
"""u in (0, 1), through a positive symbol."""

_PLUS, _MINUS, _ZERO = (False, True, True), (True, True, False), (False, True, False)
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
    if e.base is sympy.E:
        return POSITIVE
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


def _agree(signs):
    """The sign of a sum of terms of these signs."""
    negative, positive = any(s[0] for s in signs), any(s[2] for s in signs)
    if negative and positive:
        return UNKNOWN
    zero = all(s[1] for s in signs)
    return negative, zero, positive


def _sum(e: Add, depth: int):
    found = _agree([sign_of(t, depth - 1) for t in e.args])
    if found != UNKNOWN:
        return found
    if not e.has(log, exp, sympy.sinh, sympy.tanh) and depth > 1:
        numerator, denominator = sympy.fraction(sympy.together(e))
        numerator = sympy.expand(numerator)
        if isinstance(numerator, Add):
            found = _agree([sign_of(t, depth - 1) for t in numerator.args])
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
        ends = []
        for bound in (1 - 1 / y, y - 1):
            ends.append(sign_of(sympy.factor(sympy.together(rest + slope * bound)), depth - 1))
        found = _agree(ends)
        if found != UNKNOWN:
            return found
    return UNKNOWN


# --- cells of the parameter space ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interval:
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


def interval_of(parameter: Parameter, value: Expr) -> Interval:
    """The side of the cell in which a value lies."""
    domain = parameter.domain
    cuts = {domain.lower, domain.upper, *parameter.breakpoints}
    if value in cuts:
        return Interval(parameter, value, value)
    return Interval(parameter, max(c for c in cuts if c < value), min(c for c in cuts if c > value))


@dataclass(frozen=True)
class Cell:
    """A cell of a loss's parameter space, and the loss on it."""

    loss: Loss

    @cached_property
    def sides(self) -> tuple[Interval, ...]:
        """The interval of each hyperparameter, in declared order."""
        return tuple(interval_of(p, self.loss.values[p.name]) for p in self.loss.declaration.parameters)

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
    if needed is None:
        return False
    for condition in needed:
        sign = cell.sign(condition.inside)
        if sign != POSITIVE and not (condition.needs == "nonzero" and sign == NEGATIVE):
            return False
    return True


@lru_cache(maxsize=256)
def proved_sign(loss: Loss, order: int):
    """The sign of the order-th derivative of l over the loss's cell and 0 < u < 1; UNKNOWN where not proved.

    Every proof is compared with numbers at the loss's own values; a disagreement is an internal error.

    >>> from alf.losses import parse
    >>> proved_sign(parse("agce:a=0.6,q=0.6"), 2) == POSITIVE
    True
    """
    cell = Cell(loss)
    if cell.expression.has(Abs, sympy.Max, sympy.Min):
        return UNKNOWN
    if not proved_continuous(loss):
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


@lru_cache(maxsize=512)
def sign_step(loss: Loss, order: int) -> Step | None:
    """The proof of the sign of l' or l'' as a step; None where it is not proved."""
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
    return Step(text, derivative, tex, "proved")


def pretty(e: Expr) -> Expr:
    """A derivative as a person would write it, and exactly equal."""
    return min((e, sympy.powsimp(e), sympy.factor_terms(e), sympy.powsimp(sympy.factor_terms(e))), key=sympy.count_ops)


@lru_cache(maxsize=256)
def closed_ratio(loss: Loss):
    """The ratio for a whole cell of parameters, where l is proved convex or concave there; None otherwise."""
    from alf.theory.ratios import exact_ratio
    from alf.theory.shape import shape_of

    slope, bend = proved_sign(loss, 1), proved_sign(loss, 2)
    if slope != NEGATIVE or bend == UNKNOWN:
        return None
    cell = Cell(loss)
    if any(not side.point and side.lower == -oo and side.upper == oo for side in cell.sides):
        return None
    steps = [sign_step(loss, 1), sign_step(loss, 2)]
    if bend in (NEGATIVE, NON_POSITIVE, ZERO):
        word = "linear" if bend == ZERO else "concave"
        steps.append(
            step(
                f"l is {word}, so r = r_up = 1: over every step l falls at least as much as over a step of that "
                "length from 0.",
                Integer(1),
            )
        )
        return exact_ratio(Integer(1), steps, Integer(1), "proved", attained=True)
    shape = shape_of(loss.exact)
    derivative = sympy.diff(cell.expression, u)
    if shape.at_zero == oo or shape.slope_at_zero == -oo:
        where = "l(0)" if shape.at_zero == oo else "l'(0)"
        status = "proved" if _blows_up(cell, cell.expression if shape.at_zero == oo else derivative) else "certified"
        tex = r"\lim_{u \to 0} l" + ("" if where == "l(0)" else "'") + r"(u) = \pm\infty"
        text = f"{where} is infinite: r = r_up = 0, as a limit for u2 -> 0."
        steps.append(Step(text, Integer(0), tex, status))
        return exact_ratio(Integer(0), steps, Integer(0), status, attained=False)
    expected = shape.slope_at_one / shape.slope_at_zero
    # (1-u)**a / (1-u) has no value at 1 as it stands; joined, it is 0 there
    derivative = readable(sympy.powsimp(derivative, combine="exp"))
    formula = quotient(_at(derivative, 1, cell), _at(derivative, 0, cell), cell)
    value = readable(substitute(formula, loss.substitution))
    if value.has(sympy.nan, sympy.zoo, sympy.oo):
        return exact_ratio(expected, [*steps, _mean_value(expected)], expected, "certified", attained=False)
    gap = at_point(value - expected, u)(0, 200)
    if not gap.contains(0):
        raise Contradiction(f"{loss.spec}: closed ratio {formula} disagrees with l'(1)/l'(0) = {expected}")
    return exact_ratio(value, [*steps, _mean_value(formula)], formula, "proved", attained=False)


def _at(e: Expr, end: int, cell: Cell) -> Expr:
    """An expression at 0 or 1, where 0 to the power of what is positive on the cell is 0."""
    written = {s.parameter.symbol: s.written for s in cell.sides if not s.point}
    return e.subs(u, end).replace(
        lambda p: isinstance(p, Pow) and p.base == 0,
        lambda p: Integer(0) if sign_of(sympy.together(p.exp.subs(written))) == POSITIVE else p,
    )


def _mean_value(formula: Expr) -> Step:
    text = "l is convex: by the mean value theorem r = r_up = l'(1)/l'(0), approached as u2 -> 0 and u1 -> 1."
    return Step(text, formula, r"r = \frac{l'(1)}{l'(0)} = " + sympy.latex(formula), "proved")


def _blows_up(cell: Cell, e: Expr) -> bool:
    """Whether |e| grows beyond bounds as u -> 0 on the whole cell: terms that do agree, others are bounded."""
    growing = []
    for term in Add.make_args(sympy.expand_mul(e)):
        term = sympy.powsimp(term, combine="exp")
        kinds = {_near_zero(cell, factor) for factor in Mul.make_args(term)}
        if kinds <= {"bounded", "vanishing"}:
            continue
        if not kinds <= {"bounded", "infinite"}:
            return False
        growing.append(cell.sign(term))
    return bool(growing) and _agree(growing) in (POSITIVE, NEGATIVE)


def _near_zero(cell: Cell, factor: Expr) -> str | None:
    """Whether a factor as u -> 0 is "infinite", "vanishing", or "bounded" and away from 0; None where not known."""
    written = {s.parameter.symbol: s.written for s in cell.sides if not s.point}
    base, exponent = factor.as_base_exp()
    if factor == log(u) or (base == u and sign_of(tidy(exponent.subs(written))) == NEGATIVE):
        return "infinite"
    value = factor.subs(u, 0)
    if not factor.has(u) or (not value.has(oo, sympy.zoo, sympy.nan) and not cell.sign(value)[1]):
        return "bounded"
    return "vanishing" if factor == u else None


def quotient(top: Expr, bottom: Expr, cell: Cell) -> Expr:
    """top/bottom with powers of one exponent joined: (a/(a+1))**(1-q)."""
    raw = sympy.powsimp(sympy.expand_power_base(top / bottom, force=False), combine="exp")
    written = {s.parameter.symbol: s.written for s in cell.sides if not s.point}
    others, groups = [], {}
    for factor in Mul.make_args(raw):
        base, exponent = factor.as_base_exp() if not isinstance(factor, exp) else (factor, Integer(1))
        if exponent.is_number:
            others.append(factor)
            continue
        if sign_of(sympy.together(exponent.subs(written))) == NEGATIVE:
            base, exponent = 1 / base, -exponent
        exponent = sympy.expand(exponent)
        groups[exponent] = groups.get(exponent, Integer(1)) * base
    return Mul(*others, *(Pow(sympy.cancel(b), e) for e, b in groups.items()))
