"""Derivatives of l in a form that encloses well, and whether an expression is identically zero."""

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import chain

import sympy
from sympy import Expr, diff

from alf.losses import u
from alf.theory.arithmetic.balls import at_point
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.intervals import OutOfDomain
from alf.theory.curve.algebra import in_exponential


@lru_cache(maxsize=4096)
def derivative_of(f: Expr, order: int) -> Expr:
    """A derivative in a form that encloses well: powers of one base joined, a sum of squares left factored.

    Factoring a rational function multiplies it out first: of a narrow spike the plain sum is much the tighter.
    """
    g = diff(f, u, order)
    if g.is_number:
        return g
    if is_identically_zero(g):
        return sympy.Integer(0)
    if g.is_polynomial(u):
        return sympy.factor(g)
    if g.is_rational_function(u):
        return min((sympy.factor(g), g), key=_looseness)
    found = in_exponential(g)
    return sympy.powsimp(g, combine="exp") if found is None else found


def _looseness(g: Expr) -> tuple[int, float]:
    """How wide g's enclosures are over small cells: how many are infinite, and the sum of the others' widths."""
    cell = on_cell(g, u)
    infinite, total = 0, 0.0
    for k in range(1, 63, 3):
        try:
            low, high = cell(k / 64, (k + 1) / 64)
        except OutOfDomain:
            low, high = -math.inf, math.inf
        if math.isfinite(high - low):
            total += high - low
        else:
            infinite += 1
    return infinite, total


def is_identically_zero(g: Expr) -> bool:
    """Whether an expression in u is identically zero: by expansion, after a look at a few points."""
    if g == 0:
        return True
    try:
        value = at_point(g, u)
        for point in chain((Fraction(1, 3), Fraction(5, 7)), telling_points(g)):
            ball = value(point, 200)
            if ball > 0 or ball < 0:
                return False
    except NotImplementedError:
        pass
    return sympy.expand(g) == 0 or sympy.simplify(g) == 0


def telling_points(g: Expr) -> Iterator[Fraction]:
    """Points on every scale around the zeros of g's linear parts: tanh((u - c)/w) is 1 to all appearance elsewhere."""
    for node in g.atoms(sympy.Add):
        slope = node.diff(u)
        if slope.is_Rational and slope != 0:
            root = node.subs(u, 0) / -slope
            if root.is_Rational and 0 <= root < 1:
                for k in range(1, 18):
                    yield Fraction(root) + Fraction(37, 10 ** (k + 2))
