"""One function for each claim, which derives it, or its opposite, from the statement alone."""

from collections import Counter
from contextlib import suppress
from fractions import Fraction

import sympy

from alf.export.checker.curve import covered, is_zero
from alf.export.checker.interval import EVERYTHING, Undefined, between, maximum, number
from alf.export.checker.reading import u
from alf.export.checker.risk import NotDerived, _rational
from alf.export.checker.rules import (
    HALF,
    asymmetric_on,
    bends,
    edge_of_equals,
    half_concave,
    least_at_zero,
    over_simplex,
    strictly_decreasing,
)

# --- the shape of l ----------------------------------------------------------------------------------------------


def decreasing(s):
    """Show that l falls strictly."""
    if strictly_decreasing(s.loss.l):
        return "l is finite and continuous on (0, 1) and l' < 0 there but for single points, on a cover of (0, 1)"
    raise NotDerived("l' could not be shown to be negative on a cover of (0, 1)")


def not_decreasing(s):
    """Find where l does not fall."""
    signs = s.loss.l.signs(1)
    if signs.found & {0, 1}:
        return "there is a cell on which l does not fall"
    x, y = s.witness(2)
    if x < y and not s.loss.l.at(y).below(s.loss.l.at(x)) and (s.loss.l.at(y) - s.loss.l.at(x)).at_least_zero:
        return f"l({y}) is not below l({x})"
    raise NotDerived("no rise of l was found")


def bent(s, sign):
    """Show that l is convex (1) or concave (-1)."""
    if bends(s.loss.l, sign):
        return (
            f"l is finite and continuous on (0, 1) and l'' {'>=' if sign > 0 else '<='} 0, kinks included, on a cover"
        )
    raise NotDerived("l'' could not be shown to have one sign on a cover of (0, 1)")


def not_bent(s, sign):
    """Find where l bends the other way."""
    l = s.loss.l  # noqa: E741
    if -sign in l.signs(2).found:
        return f"there is a cell with l'' {'<' if sign > 0 else '>'} 0"
    x, middle, y = s.witness(3) if s.point else _chord(l, sign)
    chord = (l.at(x) + l.at(y)) * number(HALF)
    wrong = chord.below(l.at(middle)) if sign > 0 else l.at(middle).below(chord)
    if x < y and x + y == 2 * middle and wrong:
        return f"the chord over {x}, {middle}, {y} lies on the wrong side"
    raise NotDerived("no chord on the wrong side was found")


def _chord(l, sign):  # noqa: E741
    """Three points around a kink that turns the wrong way."""
    cells = [(Fraction(0), Fraction(1))]
    for _ in range(2000):
        if not cells:
            break
        low, high = cells.pop()
        middle = (low + high) / 2
        if low > 0 and high < 1:
            x = l.enclose(2, low, high)
            if x.at_least_zero if sign > 0 else x.at_most_zero:
                continue
            for x in (low, low - min(low, high - low) / 3):  # a kink may lie at the middle of either, not of both
                gap = l.at((x + high) / 2) - (l.at(x) + l.at(high)) * number(HALF)
                if x and (gap.positive if sign > 0 else gap.negative):
                    return x, (x + high) / 2, high
        if high - low > Fraction(1, 2**40):
            cells += [(middle, high), (low, middle)]
    raise NotDerived("no kink that turns the wrong way was found")


# --- symmetry ----------------------------------------------------------------------------------------------------


def _sum_function(loss):
    """f with sum_i L(u, i) = constant + sum_i f(u_i)."""
    loss.normalisers()  # each has one sign
    return loss.curve(sympy.expand(loss.h + loss.classes * loss.sigma))


def symmetric(s):
    """Show that the losses over all labels have one sum, whatever the prediction."""
    f = _sum_function(s.loss)
    if not f.regular():
        raise NotDerived("f could not be shown to be finite and continuous on (0, 1)")
    if f.smooth() is None:
        raise NotDerived("f has kinks")
    if s.loss.classes == 2:
        flat = is_zero(sympy.diff(f.expression + f.expression.subs(u, 1 - u), u), s.loss.values)
    else:
        flat = is_zero(sympy.diff(f.expression, u, 2), s.loss.values)
    if flat:
        return (
            "f is linear, so the sum over the labels is constant" if s.loss.classes > 2 else "f(t) + f(1-t) is constant"
        )
    raise NotDerived("the sum over the labels could not be shown to be constant")


def not_symmetric(s):
    """Find two predictions whose sums over all labels differ."""
    f, k = _sum_function(s.loss), s.loss.classes
    even = number(k) * f.at(Fraction(1, k))
    points = [s.witness(k)] if s.point else []
    for share in (HALF, Fraction(1, 3), Fraction(3, 4), Fraction(9, 10), Fraction(2, 7)):
        points.append((share, *([(1 - share) / (k - 1)] * (k - 1))))
        points.append((share, 1 - share, *([Fraction(0)] * (k - 2))))
    for point in points:
        if sum(point) != 1 or min(point) < 0 or (0 in point and f.finite(0, 0) is None):
            continue
        total = sum((number(n) * f.at(x) for x, n in Counter(point).items()), number(0))
        if total.below(even) or even.below(total):
            return f"the sums over the labels differ at {_shown(point)} and at the uniform prediction"
    raise NotDerived("no two predictions with different sums were found")


# --- asymmetry ---------------------------------------------------------------------------------------------------


def asymmetric(s):
    """Show that on every row of the matrix the vertex alone has the least risk."""
    rules = [asymmetric_on(s.loss, row) for row in s.distinct_rows()]
    return "; ".join(dict.fromkeys(rules))


def not_asymmetric(s):
    """Find a row of the matrix and a prediction that is no worse than the vertex."""
    for row in s.distinct_rows():
        why = _refuted_on(s, row)
        if why:
            return why
    raise NotDerived("no prediction was found whose risk is not above that of the vertex")


def noise_tolerant(s):
    """Show that clean labels dominate and that the loss is asymmetric on every row."""
    lost = _outweighed(s.matrix)
    if lost:
        raise NotDerived(f"for clean label {lost} another label is at least as likely: clean labels do not dominate")
    return "clean labels dominate; " + asymmetric(s)


def not_noise_tolerant(s):
    """Find a row in which the clean label does not dominate, or on which the loss is not asymmetric."""
    lost = _outweighed(s.matrix)
    return f"for clean label {lost} another label is at least as likely" if lost else not_asymmetric(s)


def _outweighed(matrix):
    """The first clean label that another label is at least as likely as, None where there is none."""
    rows = enumerate(matrix)
    return next((y + 1 for y, row in rows if any(p >= row[y] for j, p in enumerate(row) if j != y)), None)


def _refuted_on(s, row):
    """The sentence that refutes asymmetry on one row of the matrix, None where no point was found."""
    loss = s.loss
    if sorted(row)[-2] == 0:
        return None
    if loss.bare:
        others = sorted(row)[:-1]
        if loss.singular() and loss.classes > 2 and len(set(others)) > 1:
            return "the straight way into e_m minimises L(., m) and leaves the risk above its infimum, the least weight"
        if len(set(others)) == 1:
            return None
    candidates = []
    if s.point and sorted(s.weights) == sorted(row):
        candidates.append((s.witness(loss.classes), s.weights))
    return _undercut(loss, candidates + [(point, row) for point in _guesses(row)])


def _undercut(loss, candidates):
    """The sentence on the first point, with weights, that is no worse than the vertex; None where there is none."""
    for point, weights in candidates:
        with suppress(Undefined, NotDerived):
            if loss.undercuts(point, weights):
                return f"on the weights {_shown(weights)} the risk at {_shown(point)} is not above that at e_m"
    return None


def _guesses(w):
    """Predictions that often have a low risk: on the edge of the two heaviest labels, and w itself."""
    order = sorted(range(len(w)), key=lambda i: -w[i])
    for x in (
        HALF,
        Fraction(1, 4),
        Fraction(3, 4),
        Fraction(1, 16),
        Fraction(1),
        Fraction(1, 2**10),
        Fraction(1, 2**40),
    ):
        point = [Fraction(0)] * len(w)
        point[order[0]], point[order[1]] = 1 - x, x
        yield tuple(point)
    yield tuple(x / sum(w) for x in w)


def completely_asymmetric(s):
    """Show that the loss is asymmetric on all weights with one greatest."""
    loss = s.loss
    loss.normalisers()  # each has one sign
    if loss.bare:
        if loss.classes == 2:
            return "R = c w_n + (w_m - w_n) L(u, m) with two classes"
        raise NotDerived("a normalised loss fails for three classes or more")
    if loss.normalised and not (loss.classes == 2 or loss.singular()):
        raise NotDerived("the normalised part was not settled on all weights")
    if loss.sigma != 0:
        sigma, both, h = (loss.curve(e) for e in (loss.sigma, sympy.expand(loss.h + loss.sigma), loss.h))
        if bends(sigma, -1) and bends(both, -1) and h.at(Fraction(1)).below(h.at(Fraction(0))):
            return "L(., i) is concave for every i and h(0) > h(1) (concavity rule)"
        raise NotDerived("L(., i) could not be shown to be concave")
    return _complete(loss, loss.curve(loss.h))


def _complete(loss, l):  # noqa: E741
    if not strictly_decreasing(l):
        raise NotDerived("l could not be shown to decrease strictly")
    if l.finite(0, 0) is None or l.finite(0, 1) is None:
        raise NotDerived("l(0) or l(1) is not finite")
    if bends(l, -1):
        return "l decreases and is concave"
    if bends(l, 1):
        raise NotDerived("l is convex and not linear")
    if (loss.classes == 2 or half_concave(l)) and edge_of_equals(l):
        return "l(t) + l(1-t) >= l(0) + l(1)" + ("" if loss.classes == 2 else ", and l is concave on [0, 1/2]")
    if over_simplex(l, [Fraction(1)] * loss.classes, every=True):
        return "sum_i (l(0) - l(u_i)) <= l(0) - l(1), by a bound over a grid of the simplex"
    raise NotDerived("sum phi(u_i) <= 1 could not be shown on the simplex")


def not_completely_asymmetric(s):
    """Find weights on which the loss is not asymmetric."""
    loss = s.loss
    if loss.bare and loss.classes > 2 and loss.singular():
        return "on w = (3/5, 2/5, 0, ...) the straight way into e_m does not minimise the risk, but minimises L(., m)"
    tries = [(s.witness(loss.classes), s.weights)] if s.point else []
    for n in (1, 4, 20, 100, 1000):
        w = (Fraction(n + 1), Fraction(n), *([Fraction(0)] * (loss.classes - 2)))
        tries += [(point, w) for point in _guesses(w)]
    why = _undercut(loss, tries)
    if why:
        return why
    raise NotDerived("no weights and prediction were found that refute")


# --- calibration -------------------------------------------------------------------------------------------------


def calibrated(s):
    """h and every |s| fall strictly, so an exchange lowers the risk; a tie at the top is left by a small move."""
    loss = s.loss
    normalisers = [s for _, s in loss.normalisers()]
    if loss.bare and loss.classes > 2 and loss.singular():
        raise NotDerived("the infimum is approached at wrong predictions")
    h = loss.curve(loss.h)
    parts = [h] if loss.h.has(u) else []
    if not all(strictly_decreasing(f) for f in (*parts, *normalisers)):
        raise NotDerived("a part could not be shown to decrease strictly")
    for f in parts:
        _leaves_ties(loss, f)
    # where the sums move as well, at second order, the slope must not vanish
    steep = normalisers + ([h] if loss.sigma != 0 else [])
    if any(f.smooth() is None or f.signs(1).weak for f in steep) or loss.curve(loss.sigma).smooth() is None:
        raise NotDerived("the slope might vanish at a tie, where the sums over the classes move")
    # L(u, y) = (h + sigma)(u_y) + the other labels' sigma: bounded below, infinity allowed
    for e in (loss.sigma, sympy.expand(loss.h + loss.sigma)):
        for end in (0, 1):
            value = loss.curve(e).limit(0, end)
            if value == -1:
                raise NotDerived("the loss is not bounded below")
    return "exchanging u_m and u_n lowers the risk where p_m > p_n and u_m < u_n, and a tie is left by a small move"


def _leaves_ties(loss, f):
    """At a tie t in [1/K, 1/2] the slope is no steeper to the left: there is no convex kink."""
    if f.smooth() is not None:
        return  # analytic and decreasing: the first derivative that does not vanish is of odd order and negative

    def settled(low, high):
        if high < Fraction(1, loss.classes) or low > HALF:
            return True
        try:
            _, slope, bend = f.program.enclose(between(low, high), 2)
        except Undefined:
            slope, bend = EVERYTHING, EVERYTHING
            f.program.split = True
        # no kink, where the first derivative that does not vanish decides; or none that is convex
        return not f.program.split or (slope.negative and bend.bounded_above)

    if not covered(Fraction(1, 2 * loss.classes), Fraction(5, 8), settled, 4000, Fraction(1, 2**60)):
        raise NotDerived("a kink may hold a tie of the two largest probabilities")


def not_calibrated(s):
    """Find label probabilities whose best prediction does not lead with the likeliest label."""
    loss = s.loss
    if loss.bare and loss.classes > 2 and loss.singular():
        return "p = (1/2, 3/10, 1/5, 0, ...): along u -> (1/10, 9/10 - d, d, ...) the risk comes down to its infimum"
    if loss.pointwise and s.point:
        return _tie(loss, s.witness(loss.classes), s.weights)
    raise NotDerived("no tie was given that minimises the conditional risk")


def _tie(loss, point, p):
    """The tie at `point` minimises sum_i p_i l(u_i), though p has a larger entry in one of its two places."""
    l = loss.l  # noqa: E741
    top, m = max(point), p.index(max(p))
    tied = [i for i, x in enumerate(point) if x == top]
    n = min(tied, key=lambda i: p[i])
    if sum(point) != 1 or min(point) < 0 or min(p) < 0 or m not in tied or not p[n] < p[m]:
        raise NotDerived("this is no tie of a most probable class with one that is less probable")
    if not strictly_decreasing(l):
        raise NotDerived("l could not be shown to decrease strictly")
    if top == HALF and p[m] + p[n] == sum(p):
        if _tie_of_two(loss, l, p[m], p[n]):
            return f"with p = {_shown(p)} the tie at {_shown(point)} minimises the conditional risk"
    elif bends(l, 1) and _tie_by_slopes(l, point, p):
        return f"with p = {_shown(p)} one multiplier holds at the tie {_shown(point)} of a convex risk"
    raise NotDerived("the tie could not be shown to minimise the risk")


def _tie_of_two(loss, l, first, second):  # noqa: E741
    """first l(1/2 + x) + second l(1/2 - x) has its least value on [0, 1/2] at 0."""
    e = _rational(first) * l.expression.subs(u, (1 + u) / 2) + _rational(second) * l.expression.subs(u, (1 - u) / 2)
    return least_at_zero(loss.curve(e))


def _tie_by_slopes(l, point, p):  # noqa: E741
    """The same multiplier lies in p_i times minus the subgradients of l at u_i, for every i."""
    kinks: list = []
    smooth: list = []
    for x, q in set(zip(point, p, strict=True)):
        if x == 0 or q == 0:
            return False
        steep, flat = (-l.slope_beside(x, side) * number(q) for side in (-1, 1))
        (kinks if flat.below(steep) else smooth).append((flat, steep))
    if len(smooth) > 1:
        return False
    levels = [flat.hull(steep) for flat, steep in smooth]
    lowest, highest = [flat for flat, _ in kinks] + levels, [steep for _, steep in kinks] + levels
    return all(low is high or low.below(high) for low in lowest for high in highest)


# --- excess risk -------------------------------------------------------------------------------------------------


def excess_risk(s):
    """c_K = max over s of 1 / (1 - (s-1) phi(1/s)), where phi is convex on [0, 1/2]; the stated digits are those."""
    loss = s.loss
    completely_asymmetric(s)
    l = loss.l  # noqa: E741
    if not (bends(l, -1) or half_concave(l)):
        raise NotDerived("phi could not be shown to be convex on [0, 1/2]")
    drop, best = l.at(Fraction(0)) - l.at(Fraction(1)), number(0)
    for k in range(2, loss.classes + 1):
        phi = (l.at(Fraction(0)) - l.at(Fraction(1, k))) / drop
        value = (number(1) - number(k - 1) * phi).inverse()
        best = maximum(best, value)
    stated, near = number(Fraction(s.answer)), number(Fraction(1, 10**11))
    if (best - stated).below(near) and (stated - best).below(near):
        return f"c_{loss.classes} = {s.answer} to 1e-11, the largest of 1/(1 - (s-1) phi(1/s))"
    raise NotDerived(f"c_{loss.classes} lies in {best}, not at {s.answer}")


def _shown(point):
    texts = [str(x) if x.denominator < 10**9 else f"{float(x):.6g}" for x in point[:6]]
    return f"({', '.join(texts)}{', ...' if len(point) > 6 else ''})"
