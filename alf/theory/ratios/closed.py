"""The ratio in closed form for a whole cell of parameters, where l is proved convex or concave there."""

from functools import lru_cache

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, exp, log, oo

from alf.losses import Loss, u
from alf.losses.exact import readable, substitute
from alf.theory.arithmetic.balls import at_point
from alf.theory.curve.parameter_cell import Cell, proved_sign, sign_steps
from alf.theory.curve.shape import shape_of
from alf.theory.curve.symbolic_sign import NEGATIVE, NON_POSITIVE, POSITIVE, UNKNOWN, ZERO, sign_of, sign_of_sum, tidy
from alf.theory.failures import Contradiction
from alf.theory.ratios.ratio import exact_ratio
from alf.theory.verdict import Status, Step, applied


@lru_cache(maxsize=256)
def closed_ratio(loss: Loss):
    """The ratio for a whole cell of parameters, where l is proved convex or concave there; None otherwise."""
    slope, bend = proved_sign(loss, 1), proved_sign(loss, 2)
    if slope != NEGATIVE or bend == UNKNOWN:
        return None
    cell = Cell(loss)
    if any(not side.point and side.lower == -oo and side.upper == oo for side in cell.sides):
        return None
    steps = list(sign_steps(loss, 1, 2))
    if bend in (NEGATIVE, NON_POSITIVE, ZERO):
        steps.append(applied("concave", Integer(1)))
        return exact_ratio(Integer(1), steps, Integer(1), Status.PROVED, attained=True)
    shape = shape_of(loss.exact)
    derivative = sympy.diff(cell.expression, u)
    if shape.at_zero == oo or shape.slope_at_zero == -oo:
        where = "l(0)" if shape.at_zero == oo else "l'(0)"
        status = (
            Status.PROVED
            if _blows_up(cell, cell.expression if shape.at_zero == oo else derivative)
            else Status.CERTIFIED
        )
        tex = r"\lim_{u \to 0} l" + ("" if where == "l(0)" else "'") + r"(u) = \pm\infty"
        text = f"{where} is infinite: r = r_up = 0, as a limit for u2 -> 0."
        steps.append(Step(text, Integer(0), tex, status, "infinite-at-0"))
        return exact_ratio(Integer(0), steps, Integer(0), status, attained=False)
    assert shape.slope_at_one is not None
    expected = shape.slope_at_one / shape.slope_at_zero
    # (1-u)**a / (1-u) has no value at 1 as it stands; joined, it is 0 there
    derivative = readable(sympy.powsimp(derivative, combine="exp"))
    formula = quotient(_at(derivative, 1, cell), _at(derivative, 0, cell), cell)
    value = readable(substitute(formula, loss.substitution))
    if value.has(sympy.nan, sympy.zoo, sympy.oo):
        return exact_ratio(expected, [*steps, _mean_value(expected)], expected, Status.CERTIFIED, attained=False)
    gap = at_point(value - expected, u)(0, 200)
    if not gap.contains(0):
        raise Contradiction(f"{loss.spec}: closed ratio {formula} disagrees with l'(1)/l'(0) = {expected}")
    return exact_ratio(value, [*steps, _mean_value(formula)], formula, Status.PROVED, attained=False)


def _at(e: Expr, end: int, cell: Cell) -> Expr:
    """An expression at 0 or 1, where 0 to the power of what is positive on the cell is 0."""
    written = {s.parameter.symbol: s.written for s in cell.sides if not s.point}
    return e.subs(u, end).replace(
        lambda p: isinstance(p, Pow) and p.base == 0,
        lambda p: Integer(0) if sign_of(sympy.together(p.exp.subs(written))) == POSITIVE else p,
    )


def _mean_value(formula: Expr) -> Step:
    return applied("convex", formula, latex=r"r = \frac{l'(1)}{l'(0)} = " + sympy.latex(formula))


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
    return bool(growing) and sign_of_sum(growing) in (POSITIVE, NEGATIVE)


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
    others: list[Expr] = []
    groups: dict[Expr, Expr] = {}
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
