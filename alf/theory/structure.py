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
from alf.theory.certify import as_rational
from alf.theory.enclosure import working
from alf.theory.shape import Shape, _is_zero, shape_of


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
                    total += _ball(part.weight) * _ball(there.pop()) if len(there) == 1 else arb.nan()
                    continue
                values = [shape.value(x, bits) for x in point]
                above = sum((_ball(w) * v for w, v in zip(weights, values, strict=True)), arb(0))
                total += _ball(part.weight) * above / sum(values, arb(0))
            return total


def _ball(x):
    from alf.theory.enclosure import to_ball

    return to_ball(x)


def _times(weight: Fraction, shape: Shape, x, bits: int):
    from flint import arb

    if weight == 0 or shape.expression == 0:
        return arb(0)
    return _ball(weight) * shape.value(x, bits)


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
        if _is_zero(diff(summand, u, 2)):  # a linear summand has a constant sum
            total = classes * summand.subs(u, Rational(1, classes))
            h += weight * factor * summand / total
        else:
            normalised.append(Normalised(weight * factor, summand))
    h, sigma = sympy.expand_mul(h), sympy.expand_mul(sigma)
    return Structure(classes, tuple(normalised), h, sigma)


def alone(loss: Loss) -> Expr | None:
    """l(u) of a loss that depends on u_y alone, a combination whose other parts have weight 0 included.

    >>> from alf.losses import parse
    >>> alone(parse("nce+ael:alpha=0,beta=1,a=2")), alone(parse("nce"))
    (exp(-u/2), None)
    """
    terms = [(weight, term) for weight, term in loss.terms if weight != 0]
    if not all(term.pointwise for _, term in terms):
        return None
    return sum((weight * term.exact for weight, term in terms), Integer(0))


def single(loss: Loss) -> Loss:
    """The catalogue's loss that a combination with one weight 0 and one weight 1 is; otherwise the loss itself."""
    terms = [(weight, term) for weight, term in loss.terms if weight != 0]
    return terms[0][1] if len(terms) == 1 and terms[0][0] == 1 else loss


def passive_term(loss: Loss, classes: int) -> Loss | None:
    """The one part of a combination that is a loss of u_y alone, beside normalised ones; None for any other form.

    >>> from alf.losses import parse
    >>> passive_term(parse("nce+ael:alpha=1,beta=3,a=2"), 3).spec, passive_term(parse("nce"), 3)
    ('ael:a=2', None)
    """
    parts = [term for weight, term in loss.terms if weight != 0 and structure_of(term, classes).separable]
    return parts[0] if len(parts) == 1 and parts[0].pointwise else None


def constant(loss: Loss) -> bool:
    """Whether every weight is 0, so that nothing depends on the prediction."""
    found = alone(loss)
    return found is not None and not found.has(u)
