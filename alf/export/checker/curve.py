"""A function of u on (0, 1): the sign of a derivative on a subdivision that covers it, limits, enclosures.

The cover consists of two strips at the ends, where `Strip` reads the sign off, and cells between them, each enclosed
with everything inside it: a formula with a pole, a jump or a complex number anywhere in (0, 1) is never covered.
"""

from fractions import Fraction

import sympy

from alf.export.checker.ends import Strip, limit, local, signed_form, t
from alf.export.checker.interval import BITS, EVERYTHING, Undefined, between, number
from alf.export.checker.program import Program, cell_value, u

STRIPS = (5, 8, 12, 20, 40, 80, 200)
"""Strips (0, 2^-k] that are tried."""
MOST_CELLS = 6000
KINKS = (sympy.Abs, sympy.Max, sympy.Min)
LARGEST_DEGREE = 40


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
        return {1, -1} <= self.found | self.weak

    def only(self, sign):
        """Whether the function has this sign weakly all over (0, 1)."""
        return self.complete and self.found | self.weak <= {0, sign}


class Curve:
    """An expression in u whose other symbols have values."""

    def __init__(self, expression, values):
        self.expression, self.values = sympy.sympify(expression), values
        self.program = Program(self.expression, u, values)
        self._signs, self._limits, self._points, self._strips, self._local = {}, {}, {}, {}, {}

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

    def _strip_interval(self, order, end, k):
        key = order, end, k
        if key not in self._strips:
            try:
                strip = Strip(k, self.values)
                self._strips[key] = strip.interval(strip.form(self._on_strip(strip, order, end)))
            except Undefined:
                self._strips[key] = None
        return self._strips[key]

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
        cells = [(ends[0], 1 - ends[1])]
        for _ in range(MOST_CELLS):
            if not cells:
                return True
            low, high = cells.pop()
            try:
                self.program.enclose(between(low, high), 1)
            except Undefined:
                cells += [((low + high) / 2, high), (low, (low + high) / 2)]
        return False

    # --- signs

    def signs(self, order, until=Fraction(1)):
        """The signs of the derivative of this order, on a cover of (0, until)."""
        if (order, until) not in self._signs:
            self._signs[order, until] = self._cover(order, until)
        return self._signs[order, until]

    def _cover(self, order, until):
        signs, ends = Signs(), []
        for end in (0, until):
            k = next((k for k in STRIPS if self._strip_signs(signs, order, end, k)), None)
            if k is None:
                return signs
            ends.append(Fraction(1, 2**k))
        cells, count = [(ends[0], until - ends[1])], 0
        extra = self._factored(self.smooth(), order)
        while cells and count < MOST_CELLS and not signs.mixed:
            low, high = cells.pop()
            count += 1
            x = self._sign_cell(order, low, high, extra)
            split = self.program.split
            pinned = self._pinned(x, order, low, high)
            strict = x.positive or x.negative or x.zero
            look = order == 1 and not strict and (split or not pinned) and high - low > Fraction(1, 2**40)
            if look or not signs.add(x, split, pinned):
                if (high - low) < Fraction(1, 2**240):
                    return signs
                cells += [((low + high) / 2, high), (low, (low + high) / 2)]
        signs.complete = not cells
        return signs

    def _strip_signs(self, signs, order, end, k):
        strip = Strip(k, self.values)
        try:
            strip.form(strip.resolved(local(self.expression, end)))
            c = signed_form(strip, self._on_strip(strip, order, end))
        except Undefined:
            return False
        return c is not None and signs.add(c)

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

    def _pinned(self, x, order, low, high):
        """Whether a function that is analytic on a cell, and whose sign is weak there, is not all 0."""
        if x.positive or x.negative or x.zero or self.smooth() is not None:
            return True
        split = self.program.split
        at = [cell_value(self.program, number(p), order) for p in (low, (low + high) / 2, high)]
        self.program.split = split
        return any(y.positive or y.negative for y in at)

    def _factored(self, f, order):
        """The derivative as a product, in which double zeros are squares; of rational functions only."""
        if f is None or not f.is_rational_function(u):
            return ()
        f = sympy.together(sympy.diff(f, u, order))
        parts = sympy.fraction(f)
        if not f.has(u) or any(
            not p.is_polynomial(u) or sympy.degree(p, u) > LARGEST_DEGREE for p in parts if p.has(u)
        ):
            return ()
        return (Program(sympy.factor(f), u, self.values),)

    def _beside_kinks(self, order, x):
        """The same for a cell that holds no kink, though the expression has some."""
        e = self.expression
        for _ in range(20):
            inner = next((k for k in sympy.postorder_traversal(e) if isinstance(k, KINKS)), None)
            if inner is None:
                break
            chosen = inner.args[0]
            if isinstance(inner, sympy.Abs):
                chosen = chosen if cell_value(Program(chosen, u, self.values), x, 0).at_least_zero else -chosen
            for other in inner.args[1:]:
                gap = cell_value(Program(other - chosen, u, self.values), x, 0)
                chosen = other if gap.at_least_zero == isinstance(inner, sympy.Max) else chosen
            e = e.xreplace({inner: chosen})
        if (e, order) not in self._local:
            self._local[e, order] = self._factored(e, order)
        return self._local[e, order]


def resolve(expression, values):
    """An expression without the kinks that lie nowhere in (0, 1)."""
    for e in sympy.postorder_traversal(expression):
        if isinstance(e, KINKS) and not any(a.has(*KINKS) for a in e.args):
            chosen = _chosen(e, values)
            if chosen is not None:
                return resolve(expression.xreplace({e: chosen}), values)
    return expression


def _chosen(e, values):
    first = e.args[0]
    if isinstance(e, sympy.Abs):
        signs = Curve(first, values).signs(0)
        return first if signs.only(1) else -first if signs.only(-1) else None
    for other in e.args[1:]:
        signs = Curve(sympy.expand(first - other), values).signs(0)
        keep = 1 if isinstance(e, sympy.Max) else -1
        if signs.only(keep):
            return e.func(*(a for a in e.args if a != other))
        if signs.only(-keep):
            return e.func(*e.args[1:])
    return None


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
