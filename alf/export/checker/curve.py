"""A function of u on (0, 1): the sign of a derivative on a subdivision that covers it, limits, enclosures.

The cover consists of two strips at the ends, where `Strip` reads the sign off, and cells between them, each enclosed
with everything inside it: a formula with a pole, a jump or a complex number anywhere in (0, 1) is never covered.
"""

from fractions import Fraction
from functools import lru_cache

import sympy

from alf.export.checker.ends import KINKS, Strip, limit, local, signed_form, t, without_kinks
from alf.export.checker.interval import BITS, EVERYTHING, Undefined, between, number
from alf.export.checker.program import Program, cell_value
from alf.export.checker.reading import u

STRIPS = (5, 8, 12, 20, 40, 80, 200)
"""Strips (0, 2^-k] that are tried."""
MOST_CELLS, THINNEST = 6000, Fraction(1, 2**240)
MOST_CELLS_MOVING, THINNEST_MOVING = 600, Fraction(1, 2**40)
"""Cells that a cover may take, and those that are not halved any more: where parameters move it is these to halve."""
LARGEST_DEGREE, LONGEST_PRODUCT = 40, 80


def covered(low, high, settled, most, thinnest):
    """Whether all from low to high is settled, part by part: a part that is not is halved.

    At most so many parts are looked at, and none below the thinnest is halved; nor is one where `settled` says None, as
    there is no hope.
    """
    cells = [(low, high)]
    for _ in range(most):
        if not cells:
            return True
        low, high = cells.pop()
        answer = settled(low, high)
        if answer is None or (not answer and high - low < thinnest):
            return False
        if not answer:
            cells += [((low + high) / 2, high), (low, (low + high) / 2)]
    return False


class Signs:
    """What a cover has found about the sign of a function.

    `found` has -1, 0 and 1 for cells where it is strictly negative, exactly 0, strictly positive; `weak` -1 and 1 for
    cells where it is at most 0, at least 0 and not more is known. `complete` says that the cells cover (0, 1), `kinks`
    that a kink may lie in one of them, `flat` that the function may be 0 on a whole stretch.
    """

    def __init__(self):
        self.found, self.weak = set(), set()
        self.complete, self.kinks, self.flat = False, False, False

    def add(self, x, split=False, pinned=True):
        """Count a cell; False where its sign is open. `pinned` says that the function is not 0 all over it."""
        if x.zero:
            self.found.add(0)
            self.flat = True
        elif x.positive or x.negative:
            self.found.add(1 if x.positive else -1)
        elif x.at_least_zero or x.at_most_zero:
            self.weak.add(1 if x.at_least_zero else -1)
            self.flat = self.flat or split or not pinned
        else:
            return False
        self.kinks = self.kinks or split
        return True

    @property
    def mixed(self):
        """Whether both signs were found, or one where the other is possible."""
        return {1, -1} <= self.found | self.weak

    def only(self, sign):
        """Whether the function has this sign weakly all over (0, 1)."""
        return self.complete and self.found | self.weak <= {0, sign}


class Curve:
    """An expression in u whose other symbols have values."""

    def __init__(self, expression, values):
        self.expression, self.values = sympy.sympify(expression), values
        self.program = Program(self.expression, u, values)
        self.moving = [s for s, x in values.items() if isinstance(x, tuple) and self.expression.has(s)]
        self.thinnest = THINNEST_MOVING if self.moving else THINNEST
        self.most_cells = MOST_CELLS_MOVING if self.moving else MOST_CELLS
        self._along = None
        self._limits, self._points = {}, {}
        # asked for again and again
        self.signs = lru_cache(maxsize=None)(self._cover)
        self._strip_interval = lru_cache(maxsize=None)(self._over_strip)
        self._factored = lru_cache(maxsize=None)(self._as_product)

    def at(self, x):
        """The value at a rational point, enclosed; its limit at 0 and 1."""
        key = x, BITS[0]
        if key not in self._points:
            if x in (0, 1):
                found = self.limit(0, int(x))
                if isinstance(found, int):
                    raise Undefined("an infinite value at an end")
            else:
                found = self.program.enclose(number(x))[0]
            self._points[key] = found
        return self._points[key]

    def total(self, *terms):
        """The sum of weights times values, from pairs (weight, point): where parameters move, they move in all at once.

        So the sum is its value at the middle of the parameters and, for each, its slope times the half width: the
        slopes of the terms cancel as the terms do.
        """
        found = self._added(terms)
        if not self.moving or self.smooth() is None:
            return found
        if self._along is None:
            middle = {s: (x[0] + x[1]) / 2 if isinstance(x, tuple) else x for s, x in self.values.items()}
            slopes = [(Curve(sympy.diff(self.expression, s), self.values), s) for s in self.moving]
            self._along = Curve(self.expression, middle), slopes
        still, slopes = self._along
        try:
            near = still._added(terms)
            for slope, s in slopes:
                half = (self.values[s][1] - self.values[s][0]) / 2
                near = near + slope._added(terms) * between(-half, half)
        except Undefined:
            return found
        return found.meet(near)

    def _added(self, terms):
        found = number(0)
        for weight, x in terms:
            found = found + weight * self.at(x)
        return found

    def limit(self, order, end):
        """The limit of a derivative at an end: an interval, or 1 or -1 for plus or minus infinity."""
        key = order, end, BITS[0]
        if key not in self._limits:
            try:
                smooth = Strip(200, self.values).resolved(local(self.expression, end))
                f = sympy.diff(smooth, t, order)
                f = -f if end == 1 and order % 2 else f
                self._limits[key] = limit(f.subs(t, u), 0, self.values)
            except Undefined as error:
                self._limits[key] = error
        if isinstance(self._limits[key], Undefined):
            raise self._limits[key]
        return self._limits[key]

    def finite(self, order, end):
        """The limit where it is a number, otherwise None."""
        try:
            found = self.limit(order, end)
        except Undefined:
            return None
        return None if isinstance(found, int) else found

    def enclose(self, order, low, high):
        """A derivative over (low, high), which may reach an end of (0, 1)."""
        if low == 0 or high == 1:
            found = self._with_strips(order, low, high)
            if found is not None:
                return found
        return self._cell(order, low, high)

    def _cell(self, order, low, high):
        x = between(low, high)
        found = cell_value(self.program, x, order)
        if order < 2 and low > 0 and high < 1:  # the mean value form
            try:
                slope = self.program.enclose(x, order + 1)[order + 1]
                middle = self.program.enclose(number((low + high) / 2), order)[order]
                if not (order == 1 and self.program.split):
                    found = found.meet(middle + slope * (x - number((low + high) / 2)))
            except Undefined:
                pass
        return found

    def _with_strips(self, order, low, high):
        """The hull of a strip at each end that is touched and the cell between, None where that is not known."""
        parts = []
        for end in (0, 1):
            if (end == 0 and low > 0) or (end == 1 and high < 1):
                continue
            room = high if end == 0 else 1 - low
            k = 5
            while Fraction(1, 2**k) > room:
                k += 1
            found = self._strip_interval(order, end, k)
            if found is None:
                return None
            parts.append(found)
            low, high = (Fraction(1, 2**k), high) if end == 0 else (low, 1 - Fraction(1, 2**k))
        if low < high:
            parts.append(self._cell(order, low, high))
        for part in parts[1:]:
            parts[0] = parts[0].hull(part)
        return parts[0]

    def _over_strip(self, order, end, k):
        try:
            strip = Strip(k, self.values)
            return strip.interval(strip.form(self._on_strip(strip, order, end)))
        except Undefined:
            return None

    def _on_strip(self, strip, order, end):
        """A derivative in terms of the distance t from an end."""
        f = sympy.diff(strip.resolved(local(self.expression, end)), t, order)
        return -f if end > 0 and order % 2 else f

    def slope_beside(self, x, side):
        """The one-sided slope at a point inside, to the right (1) or to the left (-1)."""
        place = sympy.Rational(x.numerator, x.denominator)
        beside = Strip(200, self.values).resolved(self.expression.subs(u, place + side * t))
        return number(side) * limit(sympy.diff(beside, t).subs(t, u), 0, self.values)

    def regular(self):
        """Whether the function is enclosed, with its slope inside, on a cover of (0, 1)."""
        ends = []
        for end in (0, 1):
            k = next((k for k in STRIPS if self._strip_interval(0, end, k) is not None), None)
            if k is None:
                return False
            ends.append(Fraction(1, 2**k))
        return covered(ends[0], 1 - ends[1], self._enclosed, self.most_cells, self.thinnest)

    def _enclosed(self, low, high):
        try:
            return bool(self.program.enclose(between(low, high), 1))
        except Undefined:
            return False

    # --- signs

    def _cover(self, order, until=Fraction(1)):
        """The signs of the derivative of this order, on a cover of (0, until)."""
        signs, ends = Signs(), []
        for end in (0, until):
            k = next((k for k in STRIPS if self._strip_signs(signs, order, end, k)), None)
            if k is None:
                return signs
            ends.append(Fraction(1, 2**k))
        extra = self._factored(self.smooth(), order)

        def settled(low, high):
            x = self._sign_cell(order, low, high, extra)
            split = self.program.split
            pinned = self._pinned(x, order, low, (low + high) / 2, high)
            strict = x.positive or x.negative or x.zero
            look = order == 1 and not strict and (split or not pinned) and high - low > Fraction(1, 2**40)
            if look or not signs.add(x, split, pinned):
                return False
            return None if signs.mixed else True

        signs.complete = covered(ends[0], until - ends[1], settled, self.most_cells, self.thinnest)
        return signs

    def _strip_signs(self, signs, order, end, k):
        strip = Strip(k, self.values)
        try:
            strip.form(strip.resolved(local(self.expression, end)))
            c = signed_form(strip, self._on_strip(strip, order, end))
        except Undefined:
            return False
        place = Fraction(1, 2**k) if end == 0 else Fraction(end) - Fraction(1, 2**k)
        # next to the other parts of a function with kinks this one may be flat, for some values of the parameters
        return c is not None and signs.add(c, pinned=self._pinned(c, order, place))

    def _sign_cell(self, order, low, high, extra):
        x = between(low, high)
        try:
            found = self.program.enclose(x, order)[order]
        except Undefined:
            self.program.split = False
            return EVERYTHING
        if found.positive or found.negative or found.zero:
            return found
        split = self.program.split
        if order < 2 and not split:
            middle = (low + high) / 2
            try:
                slope = self.program.enclose(x, order + 1)[order + 1]
                found = found.meet(self.program.enclose(number(middle), order)[order] + slope * (x - number(middle)))
            except Undefined:
                pass
        if not split and self.smooth() is None and high - low < Fraction(1, 2**7):
            extra = self._beside_kinks(order, x)
        for other in extra if not split else ():
            found = found.meet(cell_value(other, x, 0))
        self.program.split = split
        return found

    def smooth(self):
        """The expression where it has no kinks that could not be resolved: it is analytic then on (0, 1)."""
        return self.expression if not self.expression.has(*KINKS) else None

    def _pinned(self, x, order, *points):
        """Whether a function that is analytic on a cell, and whose sign is weak there, is not all 0."""
        if x.positive or x.negative or x.zero or self.smooth() is not None:
            return True
        split = self.program.split
        at = [cell_value(self.program, number(p), order) for p in points]
        self.program.split = split
        return any(y.positive or y.negative for y in at)

    def _as_product(self, f, order):
        """The derivative as a product, in which double zeros are squares; of rational functions, and of short ones
        with moving parameters, for which (1 - q) u^q is of one sign and u^q - q u^q is not."""
        if f is None or not f.is_rational_function(u):
            f = sympy.diff(f, u, order) if f is not None and self.moving and order else None
            short = f is not None and sympy.count_ops(f) <= LONGEST_PRODUCT
            return (Program(sympy.factor(f), u, self.values),) if short else ()
        f = sympy.together(sympy.diff(f, u, order))
        parts = sympy.fraction(f)
        if not f.has(u) or any(
            not p.is_polynomial(u) or sympy.degree(p, u) > LARGEST_DEGREE for p in parts if p.has(u)
        ):
            return ()
        return (Program(sympy.factor(f), u, self.values),)

    def _beside_kinks(self, order, x):
        """The same for a cell that holds no kink, though the expression has some."""

        def sign(e):
            found = cell_value(Program(e, u, self.values), x, 0)
            return 1 if found.at_least_zero else -1 if found.at_most_zero else None

        e = without_kinks(self.expression, sign)
        return () if e.has(*KINKS) else self._factored(e, order)


def resolve(expression, values):
    """An expression without the kinks that lie nowhere in (0, 1)."""

    def sign(e):
        signs = Curve(e, values).signs(0)
        return 1 if signs.only(1) else -1 if signs.only(-1) else None

    return without_kinks(expression, sign)


def is_zero(expression, values):
    """Whether a smooth expression in u is 0 all over (0, 1): by SymPy's algebra, or exactly by enclosure."""
    if expression == 0 or sympy.expand(expression) == 0:
        return True
    signs = Curve(expression, values).signs(0)
    if signs.complete and signs.found == {0} and not signs.weak:
        return True
    if signs.found - {0}:
        return False
    return sympy.simplify(expression) == 0
