"""sum_i l(u_i) on the simplex against its value at a vertex: what makes a loss l(u_y) completely asymmetric."""

from fractions import Fraction
from itertools import product

from sympy import oo

from alf.losses import u
from alf.theory.curve.profile import half_concave, upper_is_one
from alf.theory.verdict import Status, Step, applied, step

AT_MOST_ONE = step(
    "So sum_i phi(u_i) <= 1 on the simplex, and the loss is completely asymmetric.",
    status=Status.CERTIFIED,
    theorem="superadditive",
)


def two_classes(shape) -> tuple[Step, ...]:
    """Why a loss with r_up = 1 is asymmetric on every pair of weights."""
    gap = shape.expression + shape.expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    return (
        step("l(t) + l(1-t) >= l(0) + l(1) for all t.", gap, Status.CERTIFIED),
        applied("two-classes"),
    )


def above_one(shape, classes: int):
    """A rational point with sum phi(u_i) > 1, by a search over shares of two sizes and local moves."""
    from math import inf

    low, high = shape.value(1, 200), shape.value(0, 200)
    if not high.is_finite():
        return None

    def phi(x):
        return float((high - shape.value(x, 200)) / (high - low))

    grid = 60
    table = [phi(Fraction(k, grid)) for k in range(grid + 1)]
    best, shares = -inf, [Fraction(0)]
    for n in range(2, classes + 1):
        for k in range(grid + 1):  # n - 1 equal shares, the rest on one class
            for others in range(1, n):
                if k * others <= grid:
                    value = table[grid - k * others] + others * table[k]
                    if value > best:
                        best, shares = value, [Fraction(grid - k * others, grid), *[Fraction(k, grid)] * others]
    for i, j in product(range(grid + 1), repeat=2):
        if i + j <= grid and table[i] + table[j] + table[grid - i - j] > best:
            best = table[i] + table[j] + table[grid - i - j]
            shares = [Fraction(k, grid) for k in (i, j, grid - i - j)]
    if best <= 1 + 1e-9:
        return None
    shares.sort(reverse=True)
    return tuple(shares + [Fraction(0)] * (classes - len(shares)))


def superadditive(shape) -> tuple[Step, ...] | None:
    """Why a half-concave loss is completely asymmetric for any number of classes; None where it is not shown to be."""
    if shape.at_zero in (None, oo) or not half_concave(shape) or not upper_is_one(shape):
        return None
    gap = shape.expression + shape.expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    text = "l(t) + l(1-t) >= l(0) + l(1) for all t."
    return (
        step("l is concave on [0, 1/2].", status=Status.CERTIFIED),
        step(text, gap, Status.CERTIFIED),
        applied("half-superadditive", status=Status.CERTIFIED),
        AT_MOST_ONE,
    )
