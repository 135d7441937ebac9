"""How a loss of the whole prediction is built: normalised parts plus a part that is a sum over classes.

Every loss of the catalogue can be written as

    L(u, y) = sum_j c_j s_j(u_y) / sum_k s_j(u_k)  +  h(u_y)  +  sum_k sigma(u_k),

so its risk under label weights w (W = sum of w) is

    R(u) = sum_j c_j (sum_i w_i s_j(u_i)) / (sum_k s_j(u_k))  +  sum_i psi_i(u_i),   psi_i = w_i h + W sigma.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache

import sympy
from sympy import Expr, Integer, Rational, diff, oo

from alf.losses import K, Loss, u
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import to_ball, working
from alf.theory.curve.derivative import is_identically_zero
from alf.theory.curve.shape import Shape, shape_of


@dataclass(frozen=True)
class Normalised:
    """c s(u_y) / sum_k s(u_k), with c > 0; `singular` where s(0) is infinite, so that a vertex has no value."""

    weight: Expr
    summand: Expr

    @cached_property
    def singular(self) -> bool:
        """Whether its summand is infinite at 0."""
        return shape_of(self.summand).at_zero in (oo, -oo)


@dataclass(frozen=True)
class Structure:
    """The parts of a loss for a number of classes."""

    classes: int
    normalised: tuple[Normalised, ...]
    h: Expr
    sigma: Expr

    @property
    def separable(self) -> bool:
        """Whether the risk is a sum over classes."""
        return not self.normalised

    @property
    def pointwise(self) -> bool:
        """Whether the risk has no sum over the classes."""
        return self.separable and self.sigma == 0

    def psi(self, weight: Fraction, total: Fraction) -> Expr:
        """The class function psi of a class with this weight."""
        return _psi(self.h, self.sigma, as_rational(weight), as_rational(total))

    @property
    def rest(self) -> "Structure":
        """The separable part alone."""
        return Structure(self.classes, (), self.h, self.sigma)

    def risk(self, point, weights, bits: int = 120):
        """The weighted risk at a point of the simplex, as an Arb ball; 0 times infinity is 0 (0 weight, no risk)."""
        from flint import arb

        with working(bits):
            total = arb(0)
            mass = sum(weights)
            for x, w in zip(point, weights, strict=True):
                one = _times(w, shape_of(self.h), x, bits)
                if self.sigma != 0:
                    one += _times(mass, shape_of(self.sigma), x, bits)
                    if not one.is_finite():  # infinite at an end, where the two may cancel
                        one = shape_of(self.psi(w, mass)).value(x, bits)
                total += one
            for part in self.normalised:
                shape = shape_of(part.summand)
                if part.singular and 0 in point:
                    # s is infinite at 0, so the part is a mean of the weights of the labels there, whatever the path,
                    # where these are equal; otherwise it has no value
                    there = {w for x, w in zip(point, weights, strict=True) if x == 0}
                    total += to_ball(part.weight) * to_ball(there.pop()) if len(there) == 1 else arb.nan()
                    continue
                values = [shape.value(x, bits) for x in point]
                above = sum((to_ball(w) * v for w, v in zip(weights, values, strict=True)), arb(0))
                total += to_ball(part.weight) * above / sum(values, arb(0))
            return total


def _times(weight: Fraction, shape: Shape, x, bits: int):
    from flint import arb

    if weight == 0 or shape.expression == 0:
        return arb(0)
    return to_ball(weight) * shape.value(x, bits)


@lru_cache(maxsize=1024)
def _psi(h: Expr, sigma: Expr, weight: Expr, total: Expr) -> Expr:
    combined = weight * h + total * sigma
    return sympy.expand(combined) if combined.is_polynomial(u) else sympy.expand_mul(combined)


@lru_cache(maxsize=512)
def structure_of(loss: Loss, classes: int) -> Structure | None:
    """The parts of a loss; None for a form that none of the rules covers.

    >>> from alf.losses import parse
    >>> structure_of(parse("mse"), 3).sigma
    u**2/3
    """
    normalised, h, sigma = [], Integer(0), Integer(0)
    for weight, term in loss.terms:
        if weight == 0:
            continue
        expression = term.exact.subs(K, classes)
        sums = [(s, summand.subs(K, classes)) for s, summand in term.exact_sums]
        if not sums:
            h += weight * expression
            continue
        if len(sums) > 1:
            return None
        symbol, summand = sums[0]
        slope = diff(expression, symbol)
        if not slope.has(u) and not slope.has(symbol):
            h += weight * sympy.expand_mul(expression - slope * symbol)
            sigma += weight * slope * summand
            continue
        numerator = sympy.simplify(expression * symbol)
        factor = sympy.simplify(numerator / summand)
        if numerator.has(symbol) or factor.has(u):
            return None
        if is_identically_zero(diff(summand, u, 2)):  # a linear summand has a constant sum
            total = classes * summand.subs(u, Rational(1, classes))
            h += weight * factor * summand / total
        else:
            normalised.append(Normalised(weight * factor, summand))
    h, sigma = sympy.expand_mul(h), sympy.expand_mul(sigma)
    return Structure(classes, tuple(normalised), h, sigma)


def passive_term(loss: Loss, classes: int) -> Loss | None:
    """The one part of a combination that is a loss of u_y alone, beside normalised ones; None for any other form.

    >>> from alf.losses import parse
    >>> passive_term(parse("nce+ael:alpha=1,beta=3,a=2"), 3).spec, passive_term(parse("nce"), 3)
    ('ael:a=2', None)
    """
    structures = [(term, structure_of(term, classes)) for weight, term in loss.terms if weight != 0]
    parts = [term for term, structure in structures if structure is not None and structure.separable]
    return parts[0] if len(parts) == 1 and parts[0].pointwise else None


def top(values) -> int:
    """The place of the largest."""
    return max(range(len(values)), key=lambda i: values[i])


def vertex(place: int, classes: int) -> tuple[Fraction, ...]:
    """The prediction that is sure of one class.

    >>> vertex(1, 3)
    (Fraction(0, 1), Fraction(1, 1), Fraction(0, 1))
    """
    return tuple(Fraction(int(i == place)) for i in range(classes))
