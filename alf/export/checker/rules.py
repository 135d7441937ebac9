"""The rules by which a loss is asymmetric on label weights: its weighted risk is least at the vertex e_m alone."""

from fractions import Fraction
from operator import add

import sympy

from alf.export.checker.curve import covered, is_zero
from alf.export.checker.ends import Strip, local, t
from alf.export.checker.interval import Undefined, number
from alf.export.checker.program import exact
from alf.export.checker.reading import u
from alf.export.checker.risk import NotDerived, _rational, fixed

HALF = Fraction(1, 2)
MOST_BOXES, MOST_BOXES_MOVING = 5000, 500
_THIN = Fraction(1, 2**30)


def strictly_decreasing(curve):
    """l' <= 0 all over (0, 1), and 0 nowhere but at single points."""
    signs = curve.signs(1)
    return signs.only(-1) and not signs.flat and -1 in signs.found


def bends(curve, sign):
    """Whether the function is convex (1) or concave (-1) on (0, 1)."""
    return curve.signs(2).only(sign)


def strictly_bent(curve):
    """Whether the curve is smooth and its second derivative is nowhere 0."""
    signs = curve.signs(2)
    return curve.smooth() is not None and bool(signs.found - {0}) and 0 not in signs.found


def asymmetric_on(loss, weights):
    """Derive that the loss is asymmetric on these weights; the sentence names the rule."""
    w = tuple(sorted(weights, reverse=True))
    if w not in loss.settled:  # two claims ask about the same weights
        try:
            loss.settled[w] = _asymmetric_on(loss, w)
        except (NotDerived, Undefined) as why:
            loss.settled[w] = why
    if isinstance(loss.settled[w], Exception):
        raise loss.settled[w]
    return loss.settled[w]


def _asymmetric_on(loss, w):
    if len(w) != loss.classes or w[-1] < 0 or w[0] == w[1]:
        raise NotDerived("the weights have no largest entry")
    if w[1] == 0:
        return "one label alone has weight"
    if not loss.normalised:
        return _separable(loss, w)
    equal = len(set(w[1:])) == 1
    loss.normalisers()  # each has one sign
    if loss.bare:
        if equal:
            return "symmetric rule: R = c w_n + (w_m - w_n) L(u, m)"
        raise NotDerived("a normalised loss is asymmetric on equal weights of the other labels only")
    rule = _separable(loss, w)
    if equal:
        return f"{rule}; the normalised part has e_m among its minimisers (sum rule)"
    if loss.singular():
        return f"{rule}; the normalised part's risk comes down to its least along a way into e_m"
    raise NotDerived("the normalised part was not settled on these weights")


def _separable(loss, w):
    if loss.sigma == 0:
        l = loss.curve(loss.h)  # noqa: E741
        if not strictly_decreasing(l):
            raise NotDerived("l could not be shown to decrease strictly")
        return _pointwise(loss, l, w)
    clean = [Fraction(1)] + [Fraction(0)] * (len(w) - 1)
    for weights in (clean, w):  # e_m must be the one minimiser of L(., m) too
        rule = _sums(loss, weights)
    return rule


def _sums(loss, w):
    total = sum(w)
    functions = {x: loss.psi(x, total) for x in dict.fromkeys(w)}
    if all(bends(f, -1) for f in functions.values()):
        h = loss.curve(loss.h)
        if h.finite(0, 0) is None or h.finite(0, 1) is None or not h.at(Fraction(1)).below(h.at(Fraction(0))):
            raise NotDerived("h(0) > h(1) could not be shown")
        return "concavity rule: every psi_i is concave, and h(0) > h(1)"
    if all(bends(f, 1) for f in functions.values()):
        return _kkt(loss, functions, w)
    raise NotDerived("the class functions bend both ways")


def _kkt(loss, functions, w):
    """e_m is the minimiser of a convex risk where psi_m'(1) < psi_i'(0) for every other i."""
    top = functions[w[0]]
    for x in dict.fromkeys(w[1:]):
        high, low = functions[x].finite(1, 0), top.finite(1, 1)
        if high is None or low is None or top.finite(0, 1) is None:
            raise NotDerived("a slope at the vertex is infinite")
        if low.below(high):
            continue
        if high.below(low) or not _same_slope(loss, top, functions[x]):
            raise NotDerived("the slopes at e_m do not make it a minimiser")
        if not all(strictly_bent(f) for f in functions.values()):
            raise NotDerived("the slopes at e_m are equal, and the risk is not strictly convex")
    return "vertex rule: the risk is convex, and dR/du_m <= dR/du_j at e_m"


def _same_slope(loss, top, other):
    values = fixed(loss.values)
    if any(x.q > 10**4 for x in values.values()):
        return False
    slopes = [sympy.diff(f.expression.subs(values), u).subs(u, end) for f, end in ((top, 1), (other, 0))]
    gap = slopes[0] - slopes[1]
    return exact(gap, {}) == 0 or sympy.simplify(gap) == 0


def _pointwise(loss, l, w):  # noqa: E741
    if l.finite(0, 0) is None or l.finite(0, 1) is None:
        raise NotDerived("l(0) or l(1) is not finite")
    if bends(l, -1):
        return "l decreases and is concave: r = 1"
    if bends(l, 1):
        return _kkt(loss, {x: loss.psi(x, sum(w)) for x in dict.fromkeys(w)}, w)
    if sum(1 for x in w if x) == 2:
        if edge(l, w[0], w[1]):
            return "R > R(e_m) on the edge of the two labels"
        raise NotDerived("the edge between the two labels was not settled")
    if half_concave(l) and edge(l, w[0], w[1]):
        return "l is concave on [0, 1/2], so the edge of the two heaviest labels decides"
    if triangle(l, w[0], w[1]):
        return "ratio rule: w_m (l(x) - l(x+d)) > w_n (l(0) - l(d)) all over the triangle"
    if over_simplex(l, w):
        return "the risk was bounded from below over a grid of the simplex"
    raise NotDerived("neither (w_m/w_n) r > 1 nor a bound over the simplex could be shown")


def half_concave(l):  # noqa: E741
    """Whether l is concave on [0, 1/2]."""
    return l.signs(2, HALF).only(-1)


# --- two labels: g(t) = w_m (l(1-t) - l(1)) - w_n (l(0) - l(t)) --------------------------------------------------


def edge(l, first, second):  # noqa: E741
    """Whether g > 0 on (0, 1], for a decreasing l and first > second."""
    return _edge(l, first, second, Fraction(1), lambda x: x.positive)


def edge_of_equals(l):  # noqa: E741
    """Whether l(t) + l(1-t) >= l(0) + l(1): g for equal weights, which is the same at t and 1 - t."""
    smooth = l.smooth()
    if smooth is not None and is_zero(sympy.diff(smooth + smooth.subs(u, 1 - u), u), l.values):
        return True
    return _edge(l, Fraction(1), Fraction(1), HALF, lambda x: x.at_least_zero)


def _edge(l, first, second, until, fine):  # noqa: E741
    top, other = number(first), number(second)

    def settled(a, b):
        if fine(l.total((top, 1 - a), (-top, Fraction(1)), (-other, Fraction(0)), (other, b))):
            return True
        middle = (a + b) / 2
        here = l.total((top, 1 - middle), (-top, Fraction(1)), (-other, Fraction(0)), (other, middle))
        if here.negative:
            return None
        slope = other * l.enclose(1, a, b) - top * l.enclose(1, 1 - b, 1 - a)
        return fine(here + slope * number((b - a) / 2) * _both)

    start = _rises_to(l, ((first, 1), (second, 0)), fine)  # g(0) = 0
    most = MOST_BOXES_MOVING if l.moving else MOST_BOXES
    return start is not None and covered(start, until, settled, most, Fraction(1, 2**50))


_both = number(-1).hull(number(1))


def _rises_to(curve, parts, fine):
    """How far the slope of a sum is fine from t = 0 on, None where it is not; its parts are (weight, end of (0, 1))."""
    for k in range(6, 61, 3):
        strip = Strip(k, curve.values)
        try:
            slopes = (_rational(w) * sympy.diff(strip.resolved(local(curve.expression, end)), t) for w, end in parts)
            if fine(strip.form(sympy.expand(sympy.Add(*slopes))).c):
                return Fraction(1, 2**k)
        except Undefined:
            continue
    return None


def least_at_zero(f):
    """Whether f(t) >= f(0) on (0, 1)."""
    start, level = _rises_to(f, ((1, 0),), lambda x: x.at_least_zero), f.at(Fraction(0))

    def settled(a, b):
        return (f.enclose(0, a, b) - level).at_least_zero

    return start is not None and covered(start, Fraction(1), settled, MOST_BOXES, Fraction(1, 2**40))


# --- any number of labels ----------------------------------------------------------------------------------------


def triangle(l, first, second):  # noqa: E741
    """Whether w_m (l(x) - l(x+d)) > w_n (l(0) - l(d)) for all x >= 0, d > 0, x + d <= 1, by subdivision."""
    top, other = number(first), number(second)
    slopes = {}

    def slope(low, high):
        low = min(low, 1 - _THIN)
        high = min(max(high, low + _THIN), Fraction(1))
        if (low, high) not in slopes:
            slopes[low, high] = l.enclose(1, low, high)
        return slopes[low, high]

    def settled(x, y, d, e):
        """For x <= the first point <= y and d <= the step <= e."""
        if x == 0 and y + e <= 1 and l.enclose(2, Fraction(0), y + e).at_most_zero:
            return True  # l is concave as far as this
        if (other * slope(0, e) - top * slope(x, y + e)).positive:  # divided by the step
            return True
        if d == 0:
            return False
        if y <= x + d and l.total((top, y), (-top, x + d), (-other, Fraction(0)), (other, e)).positive:
            return True
        a, b = (x + y) / 2, (d + e) / 2
        if a + b > 1:
            a = 1 - b
        if a < 0:
            return False
        here = l.total((top, a), (-top, a + b), (-other, Fraction(0)), (other, b))
        along = top * (slope(x, y) - slope(x + d, y + e))
        across = other * slope(d, e) - top * slope(x + d, y + e)
        wide, high = max(y - a, a - x), max(e - b, b - d)
        return (here + along * number(wide) * _both + across * number(high) * _both).positive

    boxes = [(Fraction(0), Fraction(1), Fraction(0), Fraction(1))]
    for _ in range(MOST_BOXES_MOVING if l.moving else MOST_BOXES):
        if not boxes:
            return True
        x, y, d, e = boxes.pop()
        y, e = min(y, 1 - d), min(e, 1 - x)
        if x + d > 1 or e == 0 or settled(x, y, d, e):  # no point with a step above 0, or none that is open
            continue
        if max(y - x, e - d) < Fraction(1, 2**24):
            return False
        if y - x > e - d:
            boxes += [((x + y) / 2, y, d, e), (x, (x + y) / 2, d, e)]
        else:
            boxes += [(x, y, (d + e) / 2, e), (x, y, d, (d + e) / 2)]
    return False


def over_simplex(l, w, every=False):  # noqa: E741
    """Whether sum_i w_i D(u_i) < w_m D(1) on the simplex away from e_m, with D(t) = l(0) - l(t).

    With `every` and equal weights: whether the sum is at most that everywhere. Near the vertex slopes decide; elsewhere
    every u_i lies in a cell of a grid, D(u_i) <= D(a) + M (u_i - a) with the cell's lower end a and the largest slope
    M, and the cells' lower ends are combined one label after another.
    """
    top, second = number(w[0]), number(w[1])
    near = next((d for d in (Fraction(1, 4), Fraction(1, 8), Fraction(1, 16), Fraction(1, 32), Fraction(1, 64)) if (
        second * l.enclose(1, Fraction(0), d) - top * l.enclose(1, 1 - d, Fraction(1))).positive), None)  # fmt: skip
    steepest = _steepest(l)
    if near is None or steepest is None:
        return False
    bound = (top * (l.at(Fraction(0)) - l.at(Fraction(1)))).lower
    sizes = (64,) if l.moving else (64, 256, 512)
    return any(_best_on_grid(l, w, n, near, steepest, every) < bound for n in sizes if n * n * len(w) < 3e6)


def _steepest(l):  # noqa: E741
    """A bound of |l'| on (0, 1)."""
    found = [-l.enclose(1, Fraction(k, 64), Fraction(k + 1, 64)) for k in range(64)]
    return max(x.upper for x in found) if all(x.bounded for x in found) else None


def _best_on_grid(l, w, n, near, steepest, every):  # noqa: E741
    """An upper bound of the sum where u_m (with `every`, each u_i) is at most 1 - near, in doubles with room."""
    drop = [(l.at(Fraction(0)) - l.at(Fraction(k, n))).upper for k in range(n + 1)]
    limit = int(n * (1 - near))
    total = [float("-inf")] * (n + 1)
    total[0] = 0.0
    for i, x in enumerate(w):
        last = limit if every or i == 0 else n
        mine = [float(x) * d for d in drop[: last + 1]]
        total = [max(map(add, mine[: j + 1], total[j::-1])) for j in range(n + 1)]
    slack = float(w[0]) * steepest / n
    scale = 1 + abs(max(drop)) * sum(map(float, w))
    return max(b + slack * min(n - j, len(w)) for j, b in enumerate(total) if n - j <= len(w)) + 1e-9 * scale
