"""Symmetry (the losses over all labels sum to a constant) and complete asymmetry (asymmetric on every w)."""

from fractions import Fraction
from itertools import islice, product

import sympy
from sympy import Expr, diff, oo

from alf.losses import Loss, u
from alf.theory.asymmetry import SETS, decide, half_concave
from alf.theory.enclosure import sign_of_number
from alf.theory.ratios import ratio_of, ratio_of_shape, upper_is_one
from alf.theory.shape import _is_zero, shape_of, smooth_pieces, telling_points
from alf.theory.signs import NEGATIVE, NON_POSITIVE, ZERO, proved_sign, sign_step
from alf.theory.simplex import sum_against_vertex
from alf.theory.structure import Structure, passive_term, structure_of
from alf.theory.verdict import Step, Verdict, Witness, holds, refuted, step, undecided
from alf.theory.witness import sum_function, witness


def symmetric(loss: Loss, classes: int) -> Verdict:
    """Whether sum_i L(u, i) is the same for every prediction u.

    >>> from alf.losses import parse
    >>> symmetric(parse("mae"), 10).holds, symmetric(parse("mse"), 10).holds
    (True, False)
    """
    structure = structure_of(loss, classes)
    if structure is None:
        return undecided("symmetric", "No rule covers this form of loss.")
    f = sum_function(structure)
    steps = []
    if structure.normalised:
        steps.append(step("The normalised part sums to a constant by construction."))
    steps.append(step("sum_i L(u, i) = constant + sum_i f(u_i) with this f:", f, latex="f(u) = " + sympy.latex(f)))
    flat = _affine(f) if classes > 2 else _constant(f + f.subs(u, 1 - u))
    if flat:
        text = "f is linear, so the sum is constant" if classes > 2 else "f(t) + f(1-t) is constant"
        steps.append(step(text + ": symmetric."))
        return holds("symmetric", steps)
    found = _two_sums(structure)
    if found is None:
        return undecided("symmetric", "Neither two points with different sums nor an identity was found.", steps)
    return refuted("symmetric", steps, found)


def _affine(f: Expr) -> bool:
    shape = shape_of(f)
    slopes = {diff(p.expression, u) for p in shape.pieces}
    return (
        shape.located
        and all(_is_zero(diff(p.expression, u, 2)) for p in shape.pieces)
        and (shape.smooth or len(slopes) == 1)
    )


def _constant(f: Expr) -> bool:
    pieces, located = smooth_pieces(f)
    return located and all(_is_zero(diff(p.expression, u)) for p in pieces)


def _two_sums(structure: Structure) -> Witness | None:
    """A point of the simplex over which the sum differs from that at the uniform prediction."""
    classes = structure.classes
    shares = [Fraction(1, 2), Fraction(1, 3), Fraction(3, 4), Fraction(1, 5), Fraction(9, 10), Fraction(2, 7)]
    shape = shape_of(sum_function(structure))
    shares += [(piece.lo + piece.hi) / 2 for piece in shape.pieces[:20]]  # a tent may be narrow
    shares += [kink.lo for kink in shape.kinks[:20]]
    shares += islice(telling_points(shape.expression), 60)  # and a steep step flat to all appearance elsewhere
    hardly = None
    for share in shares:
        for equal in (True, False):
            if equal or classes == 2:
                others = [(1 - share) / (classes - 1)] * (classes - 1)
            else:
                others = [(1 - share) * 2 * Fraction(i, classes * (classes - 1)) for i in range(1, classes)]
            found = witness("sums", structure, (share, *others))
            if found is not None and abs(found.value - found.bound) > 1e-12 * (1 + abs(found.bound)):
                return found
            hardly = hardly or found
    return hardly


def completely_asymmetric(loss: Loss, classes: int) -> Verdict:
    """Whether a loss is asymmetric on every list of label weights with a unique largest entry."""
    claim = "completely_asymmetric"
    structure = structure_of(loss, classes)
    if structure is None:
        return undecided(claim, "No rule covers this form of loss.")
    if structure.normalised:
        return _with_normalised(claim, loss, structure)
    if structure.pointwise:
        return _pointwise(claim, loss, structure)
    return _separable(claim, loss, structure)


def _pointwise(claim: str, loss: Loss, structure: Structure) -> Verdict:
    shape = shape_of(structure.h)
    if loss.pointwise and proved_sign(loss, 1) == NEGATIVE and proved_sign(loss, 2) in (NEGATIVE, NON_POSITIVE, ZERO):
        text = (
            "The weighted risk is concave, so its minimum is at a vertex, and "
            "R(e_j) - R(e_m) = (w_m - w_j)(l(0) - l(1))."
        )
        return holds(claim, (sign_step(loss, 1), sign_step(loss, 2), step(text)))
    ratio = ratio_of(loss) if loss.pointwise else ratio_of_shape(structure.h)
    if not ratio.defined:
        return _flat(claim, loss, structure, shape, ratio)
    if ratio.exact == 1:
        return holds(
            claim,
            (
                *ratio.steps,
                step("r = 1: the loss is asymmetric on all weights with a unique largest entry.", status=ratio.status),
            ),
        )
    if structure.classes == 2 and shape.at_zero not in (None, oo) and upper_is_one(shape):
        return holds(claim, _two_classes(shape))
    below = _refute(claim, loss, structure, ratio)
    if below is not None:
        return below
    known = superadditive(shape)
    if known is not None:
        return holds(claim, known)
    found = sum_against_vertex(structure)
    if found is True:
        text = "sum_i l(u_i) is least at the vertices, so sum_i phi(u_i) <= 1 on the simplex."
        return holds(claim, (*ratio.steps, step(text, status="certified")))
    if found is not None:
        verdict = _refute_at(claim, structure, found, ratio)
        if verdict is not None:
            return verdict
    return undecided(
        claim, "Neither sum phi(u_i) <= 1 everywhere nor a point where it is above 1 could be established.", ratio.steps
    )


def _flat(claim: str, loss: Loss, structure: Structure, shape, ratio) -> Verdict:
    """A loss with flat stretches; R(u) - R(e_m) >= (w_m - w_n) sum_{i != m} (l(0) - l(u_i)) if sum phi(u_i) <= 1."""
    if not shape.weakly_decreasing:
        return undecided(claim, "l is not known to decrease strictly.", ratio.steps)
    steps = (step("l rises nowhere, and is constant on a stretch.", status="certified"),)
    steps += (step(SETS),) if shape.flat_at_one else ()
    known = superadditive(shape)
    if known is not None:
        return holds(claim, (*steps, *known))
    for share in (Fraction(3, 2), Fraction(11, 10), Fraction(1001, 1000)):
        found = decide(loss, (share / (1 + share), 1 / (1 + share), *[Fraction(0)] * (structure.classes - 2)))
        if found.holds is False:
            text = f"The loss is not asymmetric on weights with w_m/w_n = {share}."
            return refuted(claim, (*steps, step(text, status="certified")), found.witness)
    if not shape.flat_at_one and sum_against_vertex(structure) is True:
        text = "sum_i l(u_i) is least at the vertices, so sum_i phi(u_i) <= 1 on the simplex."
        return holds(claim, (*steps, step(text, status="certified")))
    return undecided(claim, "Neither sum phi(u_i) <= 1 everywhere nor weights that refute were found.", steps)


def _two_classes(shape) -> tuple[Step, ...]:
    """With R(1-s, s) - R(1, 0) = w_m (l(1-s) - l(1)) - w_n (l(0) - l(s)) >= (w_m - w_n) (l(0) - l(s)) > 0."""
    gap = shape.expression + shape.expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    return (
        step("l(t) + l(1-t) >= l(0) + l(1) for all t.", gap, "certified"),
        step("So with two classes R(u) - R(e_m) >= (w_m - w_n) (l(0) - l(1-u_m)) > 0 away from e_m."),
    )


def _refute(claim, loss, structure: Structure, ratio) -> Verdict | None:
    """Weights that are almost equal, and a point at which sum phi(u_i) > 1."""
    classes = structure.classes
    if ratio.upper_interval[1] < 1:
        # any w_m/w_n between 1 and 1/r_up refutes
        top = 1 / ratio.upper_interval[1] if ratio.upper_interval[1] > 0 else 3.0
        share = Fraction(min((1 + top) / 2, 2.0)).limit_denominator(1000)
        for candidate in (share, 1 + (Fraction(top) - 1) / 10 if top < 1e9 else share, 1 + Fraction(1, 10**6)):
            if candidate <= 1:
                continue
            w = (candidate / (1 + candidate), 1 / (1 + candidate), *(Fraction(0) for _ in range(classes - 2)))
            found = decide(loss, w)
            if found.holds is False:
                text = f"The loss is not asymmetric on weights with w_m/w_n = {candidate}."
                return refuted(claim, (*ratio.steps, step(text, status="certified")), found.witness)
    if classes > 2:
        point = _above_one(shape_of(structure.h), classes)
        if point is not None:
            return _refute_at(claim, structure, point, ratio)
    return None


def _above_one(shape, classes: int):
    """A rational point with sum phi(u_i) > 1, by a search over shares of two sizes and local moves."""
    from math import inf

    low, high = shape.value(1, 200), shape.value(0, 200)
    if not high.is_finite():
        return None

    def phi(x):
        return float((high - shape.value(x, 200)) / (high - low))

    grid = 60
    table = [phi(Fraction(k, grid)) for k in range(grid + 1)]
    best, choice = -inf, None
    for n in range(2, classes + 1):
        for k in range(grid + 1):  # n - 1 equal shares, the rest on one class
            for others in range(1, n):
                if k * others <= grid:
                    value = table[grid - k * others] + others * table[k]
                    if value > best:
                        best, choice = value, (Fraction(grid - k * others, grid), Fraction(k, grid), others)
    for i, j in product(range(grid + 1), repeat=2):
        if i + j <= grid and table[i] + table[j] + table[grid - i - j] > best:
            best = table[i] + table[j] + table[grid - i - j]
            choice = (Fraction(i, grid), Fraction(j, grid), Fraction(grid - i - j, grid))
            choice = ("three", choice)
    if best <= 1 + 1e-9:
        return None
    shares = list(choice[1]) if choice[0] == "three" else [choice[0], *([choice[1]] * choice[2])]
    shares.sort(reverse=True)
    return tuple(shares + [Fraction(0)] * (classes - len(shares)))


def _refute_at(claim, structure: Structure, point, ratio) -> Verdict | None:
    classes = structure.classes
    for slack in (Fraction(1, 10), Fraction(1, 100), Fraction(1, 1000), Fraction(1, 10**6)):
        w = (Fraction(1), *(1 - slack for _ in range(classes - 1)))
        found = witness("vertex", structure, point, w)
        if found is not None and found.relation == "<":
            text = "sum phi(u_i) > 1 at this point, so the loss is not asymmetric on weights that are almost equal."
            return refuted(claim, (*ratio.steps, step(text, status="certified")), found)
    return None


def superadditive(shape) -> tuple[Step, ...] | None:
    """l concave on [0, 1/2] and phi(t) + phi(1-t) <= 1 on [1/2, 1] make sum phi(u_i) <= 1 for any number of classes.

    With u_m >= 1/2 the others sum to d <= 1/2, where phi is convex with phi(0) = 0, so sum <= phi(1-d) + phi(d) <= 1;
    with all u_i <= 1/2 the sum is convex there and largest at (1/2, 1/2, 0, ...).
    """
    if shape.at_zero in (None, oo) or not half_concave(shape) or not upper_is_one(shape):
        return None
    gap = shape.expression + shape.expression.subs(u, 1 - u) - shape.at_zero - shape.at_one
    text = "l(t) + l(1-t) >= l(0) + l(1) for all t."
    return (
        step("l is concave on [0, 1/2].", status="certified"),
        step(text, gap, "certified"),
        step(
            "So sum_i (l(0) - l(u_i)) <= l(0) - l(1) on the simplex: the maximum is at vertices or at "
            "(1/2, 1/2, 0, ...). So the loss is completely asymmetric.",
            status="certified",
        ),
    )


def _separable(claim: str, loss: Loss, structure: Structure) -> Verdict:
    """Losses such as MSE, AMSE and ANL."""
    from alf.theory.asymmetry import _separable as on_weights

    h, sigma = shape_of(structure.h), shape_of(structure.sigma)
    total = shape_of(sympy.expand_mul(structure.h + structure.sigma))
    # psi_i = w_i h + W sigma is a mixture of W sigma (w_i = 0) and W (h + sigma) (w_i = W)
    if sigma.concave and total.concave and h.at_zero not in (oo, None):
        drop = h.at_zero - h.at_one
        if sign_of_number(drop) == 1:
            text = (
                "L(., i) is concave on the simplex for every i, and L(e_j, i) - L(e_i, i) is the same positive number."
            )
            return holds(
                claim, (step(text, drop, "certified"), step("So the loss is completely asymmetric (concavity rule)."))
            )
    classes = structure.classes
    for n in (100, 10, 1000, 10**6, 10**12):
        w = (Fraction(n + 1), Fraction(n), *(Fraction(0) for _ in range(classes - 2)))
        found = on_weights(structure, tuple(x / (2 * n + 1) for x in w))
        if found.holds is False:
            return refuted(claim, found.steps, found.witness)
    return undecided(claim, "The loss is asymmetric on the weights tried, and no rule decides for all weights.")


def _with_normalised(claim: str, loss: Loss, structure: Structure) -> Verdict:
    classes = structure.classes
    alone = structure.h == 0 and structure.sigma == 0
    if alone and classes == 2:
        text = "With two classes R = w_n + (w_m - w_n) L(u, m), which has the minimisers of L(u, m)."
        return holds(claim, (step(text),))
    if not alone:
        rest = _rest_verdict(claim, loss, structure)
        if rest.holds:
            text = (
                "The normalised part's risk is a mean of the weights and tends to its least along a path into e_m, "
                "so every minimising sequence of the sum converges to e_m when the other part's does."
            )
            return holds(claim, (*rest.steps, step(text)))
    candidates = []
    if classes > 2:
        candidates += [(Fraction(51), Fraction(49)), (Fraction(3, 2), Fraction(1)), (Fraction(501), Fraction(499))]
        candidates += [(Fraction(4), Fraction(1)), (Fraction(20), Fraction(1))]
    else:
        candidates += _almost_equal(loss, structure)
        candidates += [(Fraction(n + 1), Fraction(n)) for n in (1, 4, 10, 100, 1000)]
    refuting = None
    for first, second in candidates:
        w = (first / (first + second), second / (first + second), *(Fraction(0) for _ in range(classes - 2)))
        found = decide(loss, w)
        if found.holds is False:
            refuting = refuting or found
            if found.witness.value < found.witness.bound:  # a difference that doubles show
                refuting = found
                break
    if refuting is not None:
        return refuted(claim, refuting.steps, refuting.witness)
    return undecided(claim, "The loss is asymmetric on the weights tried, and no rule decides for all weights.")


def _almost_equal(loss: Loss, structure: Structure) -> list[tuple[Fraction, Fraction]]:
    """Two weights so close that the other part alone fails on them, closest first: the less the normalised part, which
    pulls with their difference, can make up for."""
    passive = passive_term(loss, structure.classes)
    found = ratio_of(passive) if passive is not None else None
    if found is None or found.upper_interval is None or found.upper_interval[1] >= 1:
        return []
    room = 1 / found.upper_interval[1] - 1 if found.upper_interval[1] > 0.5 else 1.0
    parts = (Fraction(f"{room / scale:.1e}") for scale in (1e3, 1e9, 4))
    return [(1 + part, Fraction(1)) for part in parts if part > 0]


def _rest_verdict(claim: str, loss: Loss, structure: Structure) -> Verdict:
    rest = structure.rest
    passive = passive_term(loss, structure.classes)
    if rest.pointwise and passive is not None:
        return _pointwise(claim, passive, structure_of(passive, structure.classes))
    return _separable(claim, loss, rest)
