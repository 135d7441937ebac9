"""The loss that is stated, taken apart, and its weighted risk at a point.

    L(u, y) = sum_j c_j s_j(u_y) / sum_k s_j(u_k)  +  h(u_y)  +  sum_k sigma(u_k)

The parts are derived from the formula. A risk is R(u) = sum_i w_i L(u, i).
"""

from collections import Counter
from fractions import Fraction
from functools import lru_cache, partial

import sympy

from alf.export.checker.curve import Curve, resolve
from alf.export.checker.ends import Strip, t
from alf.export.checker.interval import Undefined, number, precise
from alf.export.checker.program import ZERO, exact
from alf.export.checker.reading import read, u


class NotDerived(Exception):
    """A statement that could not be derived; the sentence says which step is missing."""


LARGEST_WHOLE = 64
"""Whole numbers up to this one are put into the formula; other values stay symbols with a value."""


class Loss:
    """A statement's loss: formula, sums, values and number of classes.

    A value is a number's text or a pair (low, high): what is derived then holds for every number between the two.
    """

    def __init__(self, formula, sums, values, classes):
        if not isinstance(classes, int) or classes < 2:
            raise NotDerived("at least two classes are needed")
        self.classes = classes
        self.values: dict = {}
        self.settled: dict = {}
        names = {"K": sympy.Integer(classes), **{n: self._value(n, x) for n, x in values.items()}}
        symbols = {n: sympy.Symbol(n) for n in sums}
        self.needs: list = []
        g = read(formula, {**names, **symbols}, self.needs)
        self.normalised: list = []
        self.sigma = sympy.Integer(0)
        for name, text in sums.items():
            summand, kept = read(text, names, self.needs), g.has(symbols[name])
            self.needs = [
                self._of_summand(inside, need, symbols[name], summand)
                for inside, need in self.needs
                if not (kept and inside.has(symbols[name]))
            ]  # what is kept is looked at where it is used
            g = self._take_out(g, symbols[name], summand)
        if g.has(*symbols.values()) if symbols else False:
            raise NotDerived("the sums do not enter linearly or as a normaliser")
        if sympy.expand(sympy.diff(self.sigma, u, 2)) == 0:  # the coordinates sum to 1, so this sum is constant
            g, self.sigma = g + classes * self.sigma.subs(u, sympy.Rational(1, classes)), sympy.Integer(0)
        self.h = resolve(g, self.values)
        self.curve = lru_cache(maxsize=None)(partial(Curve, values=self.values))

    def _value(self, name, text):
        if isinstance(text, tuple):
            low, high = text
            signs = {"positive": True} if low > 0 else {"negative": True} if high < 0 else {}
            signs = signs or ({"nonnegative": True} if low == 0 else {"real": True})
            symbol = sympy.Symbol(name, **signs)
            self.values[symbol] = (low, high)
            return symbol
        x = sympy.sympify(text, rational=True)
        if not x.is_number or not x.is_real:
            raise NotDerived(f"{name} is no real number")
        if not x.is_Rational or (x.is_Integer and abs(x) <= LARGEST_WHOLE):
            return x
        symbol = sympy.Symbol(name, positive=True) if x > 0 else sympy.Symbol(name, negative=True)
        self.values[symbol] = Fraction(int(x.p), int(x.q))
        return symbol

    @staticmethod
    def _of_summand(inside, need, symbol, summand):
        """A sum that dropped out of the formula is not 0 where its summand has one sign."""
        if inside == symbol and need == "nonzero":
            return summand, need
        if inside.has(symbol):
            raise NotDerived("a logarithm or quotient of a sum dropped out of the formula")
        return inside, need

    def has_value(self):
        """Derive that the formula has a value all over (0, 1) as it is written, with what SymPy dropped of it."""
        while self.needs:
            inside, need = self.needs[-1]
            signs = Curve(resolve(inside, self.values), self.values).signs(0)
            strict = signs.complete and not signs.weak and signs.found in ({1}, {-1} if need == "nonzero" else {1})
            if not strict and not (need == "nonnegative" and signs.only(1)):
                raise NotDerived(f"the formula has no value where {inside} is not {need}, and that may be so in (0, 1)")
            self.needs.pop()

    def _take_out(self, g, symbol, summand):
        """What is left of g when a sum over the classes has become part of sigma or a normalised part."""
        slope = sympy.diff(g, symbol)
        if not slope.has(u, symbol):
            self.sigma = sympy.expand(self.sigma + slope * summand)
            return g.subs(symbol, 0)
        above = sympy.expand(g * symbol)
        if not above.is_polynomial(symbol) or sympy.degree(above, symbol) > 1:
            raise NotDerived("the sums do not enter linearly or as a normaliser")
        rest, numerator = above.coeff(symbol, 1), above.coeff(symbol, 0)
        weight = sympy.simplify(numerator / summand)
        if weight.has(u):
            raise NotDerived("the normaliser is not the sum of the numerators")
        if sympy.expand(sympy.diff(summand, u, 2)) == 0:
            total = self.classes * summand.subs(u, sympy.Rational(1, self.classes))
            return rest + weight * summand / total
        if Curve(weight, self.values).at(Fraction(1, 2)).positive:
            self.normalised.append((weight, summand))
            return rest
        raise NotDerived("the weight of the normalised part is not known to be positive")

    @property
    def pointwise(self):
        """Whether L depends on the prediction through u_y alone."""
        return not self.normalised and self.sigma == 0

    @property
    def l(self):  # noqa: E743
        """l(u), where the loss is a function of u_y alone."""
        if not self.pointwise:
            raise NotDerived("the loss depends on the whole prediction, so there is no curve l(u)")
        return self.curve(self.h)

    def psi(self, weight, total):
        """The summand of the risk's separable part for a class with this weight."""
        w, every = _rational(weight), _rational(total)
        return self.curve(resolve(sympy.expand(w * self.h + every * self.sigma), self.values))

    @property
    def bare(self):
        """Whether the loss has normalised parts and nothing else that depends on the prediction."""
        return bool(self.normalised) and self.sigma == 0 and not self.h.has(u)

    def normalisers(self):
        """The weight and |s| of every normalised part; s must have one sign in (0, 1)."""
        found = []
        for weight, s in self.normalised:
            signs = self.curve(s).signs(0)
            if not (signs.only(1) or signs.only(-1)):
                raise NotDerived("the normalising summand has no sign of its own")
            found.append((self.curve(weight).at(Fraction(1, 2)), self.curve(s if signs.only(1) else -s)))
        return found

    def singular(self):
        """Whether no normalised part has a value at a vertex."""
        return all(self._singular(s) for _, s in self.normalisers())

    def _singular(self, s):
        """Whether |s| grows at least like |log u| at 0, so that a vertex has no value."""
        strip = Strip(200, self.values)
        form = strip.form(s.expression.subs(u, t))
        alpha = strip.range(form.alpha)
        return form.c.positive and (alpha.negative or (alpha.zero and form.beta >= 1))

    # --- values

    def _separable(self, point, weights):
        """The part of the risk that is a sum over the labels, as (how often, class function, its argument)."""
        groups, total = Counter(zip(point, weights, strict=True)), sum(weights)
        return [(number(n), self.psi(w, total), x) for (x, w), n in groups.items() if self.sigma != 0 or w != 0]

    def risk(self, point, weights):
        """R at a point of the simplex."""
        found = sum((n * psi.at(x) for n, psi, x in self._separable(point, weights)), ZERO)
        zeros = {w for x, w in zip(point, weights, strict=True) if x == 0}
        for weight, s in self.normalisers():
            if zeros and self._singular(s):
                # a mean of the weights with |s| as weights: those of the labels at 0, where they are equal
                if len(zeros) > 1:
                    raise Undefined("the risk has no value at this point")
                found = found + weight * number(min(zeros))
                continue
            values = [s.at(x) for x in point]
            above = sum((number(w) * value for w, value in zip(weights, values, strict=True)), ZERO)
            found = found + weight * above / sum(values, ZERO)
        return found

    def least_at_vertex(self, weights):
        """The risk at e_m, or the least limit of it there; 1 where it is infinite."""
        m, found = weights.index(max(weights)), ZERO
        others = [w for i, w in enumerate(weights) if i != m]
        for n, psi, x in self._separable([int(i == m) for i in range(self.classes)], weights):
            value = psi.limit(0, x)
            if isinstance(value, int):
                if value < 0:
                    raise Undefined("the risk is unbounded below")
                return 1
            found = found + n * value
        for weight, s in self.normalisers():
            mean = number(min(others)) if self._singular(s) else self._mean(s, others, weights[m])
            found = found + weight * mean
        return found

    @staticmethod
    def _mean(s, others, first):
        top, zero = s.at(Fraction(1)), s.at(Fraction(0))
        return (number(first) * top + number(sum(others)) * zero) / (top + number(len(others)) * zero)

    def undercuts(self, point, weights):
        """Whether the risk at a point other than e_m is not above the risk at e_m, whatever the way into e_m."""
        if len(point) != self.classes or len(weights) != self.classes:
            raise NotDerived("the point has another number of classes")
        if sum(point) != 1 or min(point) < 0 or min(weights) < 0:
            raise NotDerived("this is no point of the simplex")
        top = sorted(weights)[-2:]
        m = weights.index(max(weights))
        if top[0] == top[1] or point[m] == 1:
            raise NotDerived("no other point than e_m, or no largest weight")
        size = max(x.denominator.bit_length() for x in (*point, *weights))
        for bits in (100, 100 + 2 * size, 200 + 4 * size, 800 + 8 * size):
            with precise(bits):
                bound = self.least_at_vertex(weights)
                if isinstance(bound, int):
                    return self.risk(point, weights).bounded
                value = self.risk(point, weights)
                if value.below(bound):
                    return True
                if bound.below(value):
                    return False
        return self._ties(point, weights)

    def _ties(self, point, weights):
        """Whether the two risks are exactly equal, and the point is worse for class m: where l is constant next to 1
        the best predictions are a set, and asymmetric is meant for the two sets of minimisers."""
        if self.normalised or len(set(weights)) > 6:
            return False
        total, gap, m = sum(weights), sympy.Integer(0), weights.index(max(weights))
        values = fixed(self.values)
        for i, (x, w) in enumerate(zip(point, weights, strict=True)):
            expression = sympy.expand(_rational(w) * self.h + _rational(total) * self.sigma).subs(values)
            gap += expression.subs(u, _rational(x)) - expression.subs(u, int(i == m))
        if self.sigma == 0:
            h = sympy.expand(self.h).subs(values)
            if _vanishes(h.subs(u, _rational(point[m])) - h.subs(u, 1)):
                return False
        return _vanishes(gap)


def _vanishes(number):
    return exact(number, {}) == 0 or sympy.simplify(number) == 0


def fixed(values):
    """The values that are single numbers, as SymPy has them."""
    return {s: _rational(x) for s, x in values.items() if not isinstance(x, tuple)}


def _rational(x):
    x = Fraction(x)
    return sympy.Rational(x.numerator, x.denominator)
