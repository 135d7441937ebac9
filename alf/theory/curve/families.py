"""A loss as one of its hyperparameters moves: what is certain for every value between two.

l(u) is then a function of two variables, and the sign of a derivative is certified on the box (0, 1) x [low, high] by
interval arithmetic over a subdivision. What is certain on a box holds for each of its values; a box that could not be
settled is halved, down to `FINEST` of the whole.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from sympy import Abs, Expr, Max, Min, Symbol, diff

from alf.losses import Loss, u
from alf.losses.exact import substitute
from alf.theory.arithmetic.cells import on_box
from alf.theory.arithmetic.intervals import outward, sign_between
from alf.theory.arithmetic.sign_pattern import Budget, halved
from alf.theory.curve.continuity import conditions

FINEST = Fraction(1, 128)
CELLS = 400
"""Cells of (0, 1) that one box may take."""


@dataclass(frozen=True)
class Family:
    """l(u) with one hyperparameter as a symbol.

    >>> from alf.losses import parse
    >>> family = family_of(parse("formula:exp(-u*(a+1/a)/4);a=0.6[0.2,5]"), "a")
    >>> family.sign(1, Fraction(1, 2), Fraction(1)), family.sign(2, Fraction(1, 2), Fraction(1))
    (-1, 1)
    """

    expression: Expr
    symbol: Symbol

    def sign(self, order: int, low: Fraction, high: Fraction) -> int | None:
        """The sign of the order-th derivative on (0, 1) for every value in [low, high], l being continuous for each.

        For l' itself (order 1) the sign is strict inside (0, 1); None where nothing is certain.
        """
        if self.expression.has(Abs, Max, Min) or not self._continuous(low, high):
            return None
        return _sign_on_box(_derivative(self.expression, order), self.symbol, low, high, strict=order == 1)

    def _continuous(self, low: Fraction, high: Fraction) -> bool:
        needed = conditions(self.expression)
        if needed is None:
            return False
        for condition in needed:
            inside = condition.inside
            if inside.is_positive or (inside.is_nonnegative and condition.needs == "nonnegative"):
                continue
            sign = _sign_on_box(inside, self.symbol, low, high, strict=condition.needs != "nonnegative")
            if sign != 1 and not (sign == -1 and condition.needs == "nonzero"):
                return False
        return True


def family_of(loss: Loss, name: str) -> Family | None:
    """The family of a loss of u_y alone; None for any other."""
    if not loss.pointwise:
        return None
    symbol = loss.declaration.parameter(name).symbol
    others = {s: v for s, v in loss.substitution.items() if s != symbol}
    return Family(substitute(loss.expression, others), symbol)


@lru_cache(maxsize=256)
def _derivative(expression: Expr, order: int) -> Expr:
    return diff(expression, u, order)


def _sign_on_box(e: Expr, symbol: Symbol, low: Fraction, high: Fraction, strict: bool) -> int | None:
    """The sign of e for u in (0, 1) and the symbol in [low, high]; 0 may be touched at the ends, and inside unless
    strict."""
    try:
        box, values = on_box(e, u, symbol), outward(low, high)
    except NotImplementedError:  # a derivative may hold functions that have no enclosure: sign, DiracDelta
        return None

    def ask(a: float, b: float) -> int | None:
        touching = not strict or ((a == 0 or b == 1) and b - a <= 0.125)
        return sign_between(box(a, b, values), strict=not touching)

    signs = set()
    for _, _, sign in halved(0.0, 1.0, ask, 2.0**-15, Budget(CELLS)):
        signs.add(sign)
        if sign is None or {1, -1} <= signs or (strict and sign == 0):
            return None
    return max(signs, key=abs)


def stretches(low: Fraction, high: Fraction, ask: Callable) -> Iterator[tuple[Fraction, Fraction, object]]:
    """[low, high] from left to right, each stretch with what `ask(low, high)` says of the boxes that it is made of.

    >>> [(int(4 * a), int(4 * b)) for a, b, found in stretches(Fraction(0), Fraction(1), lambda a, b: b <= 0.5 or None)
    ...  if found]
    [(0, 2)]
    """
    parts = halved(low, high, ask, (high - low) * FINEST)
    for found, group in groupby(parts, key=itemgetter(2)):
        boxes = list(group)
        yield boxes[0][0], boxes[-1][1], found
