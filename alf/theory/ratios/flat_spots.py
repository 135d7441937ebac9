"""Points where l' is exactly zero, to what order, and what that bounds."""

import math
from collections.abc import Iterator

import sympy
from sympy import Expr, Integer, oo

from alf.losses import u
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.fine import exact_zero
from alf.theory.arithmetic.intervals import OutOfDomain
from alf.theory.curve.derivative import derivative_of
from alf.theory.curve.shape import Shape


def zero_slopes(shape: Shape) -> Iterator[Expr]:
    """Points of (0, 1] at which l' is exactly zero."""
    last = shape.slope_at_one
    if last not in (None, oo, -oo) and sign_of_number(last) == 0:
        yield Integer(1)
    for run in shape.bend_runs:  # an inner zero of l' <= 0 is a zero of l''
        if run.sign is None:
            for piece in shape.derivative(1):
                c = exact_zero(piece.expression, u, run.lo, run.hi) if piece.lo <= run.lo <= piece.hi else None
                if c is not None and c > 0:
                    yield c


class FlatSpots:
    """Points where l' is exactly zero: at 0 (to what order), and in (0, 1].

    Near 0, mu(t) <= M t**k, and near another zero s of order j, mu(x) >= m |x - s|**j; so a step of length d has

        A / B >= (m / M) (k + 1) / (j + 1) 2**-j d**(j - k),     without 2**-j where s = 1 is an end.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        self.order = self._order_at(Integer(0))
        zeros = zero_slopes(shape) if self.order and shape.smooth else ()
        self.spots = [(c, self._order_at(c)) for c in zeros]
        self.deeper = next((c for c, j in self.spots if j > self.order), None)

    def _order_at(self, c: Expr, most: int = 6) -> int:
        """How many derivatives of l vanish at c, from the first on; 0 where the first does not."""
        f = self.shape.expression
        for order in range(most):
            f = sympy.diff(f, u)
            value = f.subs(u, c)
            if not value.is_number or value.has(sympy.nan, sympy.zoo, oo) or sign_of_number(value) != 0:
                return order
        return most

    def bound(self, lo: float, hi: float, d1: float) -> float:
        """A lower bound of A/B for windows inside [lo, hi] and steps up to d1; 0 where the lemma does not apply."""
        k = self.order
        best = 0.0
        for c, j in self.spots:
            if j > k or not lo - 0.02 <= float(c) <= hi + 0.02:
                continue
            try:
                near = self._derivative(j + 1)(min(lo, float(c)), min(1.0, max(hi, float(c))))
                first = self._derivative(k + 1)(0.0, d1)
            except OutOfDomain:
                continue
            if near[0] <= 0 <= near[1]:
                continue
            m = min(abs(near[0]), abs(near[1])) / math.factorial(j)
            top = max(abs(first[0]), abs(first[1])) / math.factorial(k)
            if not 0 < top < math.inf:
                continue
            factor = 1.0 if c == 1 else 2.0**-j
            best = max(best, m / top * (k + 1) / (j + 1) * factor * d1 ** (j - k) * (1 - 1e-12))
        return best

    def _derivative(self, order: int):
        return on_cell(derivative_of(self.shape.expression, order), u)
