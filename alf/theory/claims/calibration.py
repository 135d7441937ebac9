"""Classification calibration: does minimising the conditional risk always predict a most probable class?

A loss l(u_y) with kinks is calibrated where no tie of the two largest shares can be a minimiser.
Only a tie u_m = u_n = t at the top, t in [1/K, 1/2], can be a minimiser that predicts a less probable class (exchanging
the two shares settles the rest). Moving h from n to m changes the risk by p_n A(h) - p_m B(h) with

    A(h) = l(t-h) - l(t),   B(h) = l(t) - l(t+h),

so no tie at t is a minimiser, for any p_m > p_n, where some h has B(h) >= A(h), or where B/A tends to 1 or more as
h -> 0. Where l is smooth and decreases strictly it tends to 1, so kinks alone matter. Where B < A for every h, the tie
of two classes (t = 1/2) is a minimiser for p_m/p_n next to 1, and one of more classes is where a multiplier says so.
"""

from fractions import Fraction
from math import inf, isfinite

import sympy
from sympy import diff

from alf.losses import Loss, u
from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.arithmetic.sign_pattern import touches
from alf.theory.claims.complete import completely_asymmetric
from alf.theory.curve.parameter_cell import proved_sign, sign_steps
from alf.theory.curve.pieces import Kink
from alf.theory.curve.shape import Shape, exact_value, one_sided_slopes, shape_of, slopes_at
from alf.theory.curve.symbolic_sign import NEGATIVE
from alf.theory.risk.structure import Structure, structure_of
from alf.theory.theorems import THEOREMS
from alf.theory.verdict import Status, Step, Verdict, Witness, applied, holds, refuted, step, undecided
from alf.theory.witnesses.witness import witness


def calibrated(loss: Loss, classes: int) -> Verdict:
    """Whether a loss is classification calibrated.

    >>> from alf.losses import parse
    >>> calibrated(parse("ce"), 10).holds, calibrated(parse("nce"), 3).holds, calibrated(parse("nce"), 2).holds
    (True, False, True)
    """
    structure = structure_of(loss, classes)
    if structure is None:
        return undecided("calibrated", "No rule covers this form of loss.")
    if loss.pointwise and proved_sign(loss, 1) == NEGATIVE:
        return holds("calibrated", (*sign_steps(loss, 1), *_exchange()))
    if structure.normalised:
        return _normalised(structure)
    return _smooth(structure) if shape_of(structure.h).smooth else _with_kinks(loss, structure)


def _smooth(structure: Structure) -> Verdict:
    """h decreasing: strictly by its derivative, or with isolated zeros where it is analytic."""
    shape = shape_of(structure.h)
    if not shape.decreasing:
        return undecided("calibrated", "h is not known to decrease strictly.")
    derivative = diff(structure.h, u)
    if structure.sigma != 0 and touches(-derivative, u, 0, 1):
        return undecided("calibrated", "h' may vanish, and then the sum over the classes decides at a tie.")
    steps = [Step("h(u) decreases strictly on (0, 1).", derivative, sympy.latex(derivative), Status.CERTIFIED)]
    return holds("calibrated", (*steps, applied("odd-order", status=Status.CERTIFIED), *_exchange()))


def _normalised(structure: Structure) -> Verdict:
    classes = structure.classes
    alone = structure.h == 0 and structure.sigma == 0
    singular = any(p.singular for p in structure.normalised)
    if alone and singular and classes >= 3:
        return _sequence(structure)
    if alone and classes == 2:
        return holds("calibrated", (applied("normalised-two-classes", structure.normalised[0].summand),))
    steps: list[Step] = []
    for part in structure.normalised:
        shape = shape_of(part.summand)
        signs, value = {r.sign for r in shape.slope_runs}, shape.value(Fraction(1, 2))
        if not ((signs == {-1} and value > 0) or (signs == {1} and value < 0)):
            return undecided("calibrated", "|s| is not known to decrease strictly.", steps)
        steps.append(
            step(
                "|s(u)| decreases strictly, so s(u_y)/S decreases strictly in u_y at fixed S.",
                part.summand,
                Status.CERTIFIED,
            )
        )
    if alone:
        return holds("calibrated", (*steps, *_exchange()))
    shape = shape_of(structure.h)
    if not shape.decreasing or not shape.smooth:
        return undecided("calibrated", "h is not known to decrease strictly.", steps)
    steps.append(step("The other part's h(u) decreases strictly.", structure.h, Status.CERTIFIED))
    text = (
        "Exchanging u_m and u_n lowers both parts wherever p_m > p_n and u_m < u_n. At u_m = u_n moving mass from n "
        "to m does, by an amount that stays away from 0 along a sequence because the other part is continuous."
    )
    return holds("calibrated", (*steps, step(text, theorem="exchange")))


def _sequence(structure: Structure) -> Verdict:
    """NCE and NFL for three classes or more: a prediction of the wrong class has the least risk."""
    classes = structure.classes
    tail = Fraction(1, 100 * classes) if classes > 3 else Fraction(1, 5)
    weights = [Fraction(1, 2), Fraction(3, 10), Fraction(1, 5) - tail * (classes - 3), *([tail] * (classes - 3))]
    point = [Fraction(1, 10 * (classes - 2))] * classes
    point[-1] = Fraction(0)  # the lightest label's
    point[1] += 1 - sum(point)
    steps = (applied("mean-of-weights", structure.normalised[0].summand, Status.CERTIFIED),)
    return refuted("calibrated", steps, witness("least", structure, point, weights))


def _exchange() -> tuple[Step, Step]:
    """The exchange argument, after the hypothesis that no sign shows."""
    return step(THEOREMS["exchange"].hypotheses[0] + "."), applied("exchange")


def _with_kinks(loss: Loss, structure: Structure) -> Verdict:
    """Whether a loss whose h has kinks is calibrated."""
    claim, shape = "calibrated", shape_of(structure.h)
    if not shape.located or any(r.sign not in (-1, 0) for r in shape.slope_runs):
        return undecided(claim, "h is not known to decrease.")
    if not structure.pointwise:
        return undecided(claim, "Beside a sum over the classes, the ties at kinks were not settled.")
    flat = [r for r in shape.slope_runs if r.sign == 0]
    if any(r.lo < Fraction(1, 2) for r in flat):
        return _with_flat(structure, shape, flat)
    where = "l decreases strictly on (0, 1)." if not flat else f"l decreases strictly on (0, {flat[0].lo})."
    steps = [step(where, structure.h, Status.CERTIFIED)]
    half, share = Fraction(1, 2), Fraction(1, structure.classes)
    left = None
    for kink in shape.kinks:
        where = f"u = {kink.at}" if kink.at is not None else f"near u = {float(kink.lo):.6g}"
        if kink.lo > half or kink.hi < share:
            steps.append(step(f"The kink at {where} cannot be a tie of the two largest shares."))
            continue
        reason = _no_tie(structure, shape, kink)
        if reason is not None:
            steps.append(step(f"At the kink {where} {reason}.", status=Status.CERTIFIED, theorem="kink-tie"))
            continue
        found = None if kink.at is None else tie(structure, shape, Fraction(kink.at))
        if found is not None:
            text = (
                f"At the kink {where} the loss is steeper to the left, and a prediction that ties there is a minimiser."
            )
            return refuted(claim, (*steps, step(text, status=Status.CERTIFIED, theorem="kink-tie")), found)
        left = left or where
    if left is None:
        return holds(claim, (*steps, *_exchange()))

    complete = completely_asymmetric(loss, structure.classes)
    if complete.holds:
        return holds(claim, (*complete.steps, applied("complete-calibrated")))
    return undecided(claim, f"Ties at the kink {left} were not settled.", steps)


def _with_flat(structure: Structure, shape: Shape, flat) -> Verdict:
    """l constant on a stretch that begins below 1/2: an exchange of two shares in it changes nothing."""
    claim, half, share = "calibrated", Fraction(1, 2), Fraction(1, structure.classes)
    for run in flat:
        for t in dict.fromkeys((max(run.lo, share), min(run.hi, half), max(run.lo, min((run.lo + run.hi) / 2, half)))):
            found = tie(structure, shape, t) if share <= t <= half else None
            if found is not None:
                text = f"l is constant next to u = {t}, and a prediction that ties there is a minimiser."
                return refuted(claim, (step(text, structure.h, Status.CERTIFIED),), found)
    return undecided(claim, f"l is constant from u = {flat[0].lo} on, and the ties there were not settled.")


def _no_tie(structure: Structure, shape: Shape, kink: Kink) -> str | None:
    """Why no tie at this kink is a minimiser; None where no reason was found."""
    if kink.at is None:
        (least_before, _), (_, most_after) = slopes_at(shape, kink)
        if most_after < 0 and least_before >= most_after:
            return "the slope is at least as steep to the right, so moving mass from n to m lowers the risk"
        return None
    t = Fraction(kink.at)
    before, after = one_sided_slopes(structure.h, t)
    if (
        before is not None
        and after is not None
        and sign_of_number(after) == -1
        and sign_of_number(after - before) in (0, -1)
    ):
        return "the slope is at least as steep to the right, so moving mass from n to m lowers the risk"
    move = _better_move(shape, t)
    if move is not None:
        return f"a larger move, of {move}, lowers the risk for all p_m > p_n"
    return None


def _better_move(shape: Shape, t: Fraction) -> Fraction | None:
    """A move h with A(h) - B(h) = l(t-h) + l(t+h) - 2 l(t) <= 0, certified."""
    middle = shape.value(t)

    def excess(h: Fraction):
        return shape.value(t + h) + shape.value(t - h) - 2 * middle

    tried = {h: excess(h) for h in (t * Fraction(k, 64) for k in range(1, 65))}
    finite = {h: ball for h, ball in tried.items() if ball.is_finite()}
    if not finite:
        return None
    for h, ball in finite.items():
        if ball < 0:
            return h
    for h, ball in finite.items():
        if ball.contains(0) and _exactly_no_worse(shape, t, h):
            return h
    least = min(finite, key=lambda h: float(finite[h]) / float(h))
    between_neighbours = (least + t * Fraction(k, 64 * 32) for k in range(-31, 32))
    return next((h for h in between_neighbours if 0 < h <= t and excess(h) < 0), None)


def _exactly_no_worse(shape: Shape, t: Fraction, h: Fraction) -> bool:
    before, here, after = (exact_value(shape, x) for x in (t - h, t, t + h))
    if before is None or here is None or after is None:
        return False
    return sign_of_number(before + after - 2 * here) in (0, -1)


def tie(structure: Structure, shape: Shape, t: Fraction) -> Witness | None:
    """Label weights p with p_m > p_n for which some prediction (t, t, rest) has the least risk."""
    tied = (
        (point, weights) for point in _tied(structure.classes, t) for weights in _weights(structure, shape, t, point)
    )
    return next(filter(None, (witness("least", structure, *one) for one in tied)), None)


def _tied(classes: int, t: Fraction):
    """Two shares of t, and what is left in equal shares on as many classes as the others, or fewer."""
    rest = 1 - 2 * t
    if rest == 0:
        yield (t, t, *(Fraction(0),) * (classes - 2))
        return
    for count in dict.fromkeys((classes - 2, *range(1, min(classes - 2, 12)))):
        if count and rest / count <= t:
            yield (t, t, *(rest / count,) * count, *(Fraction(0),) * (classes - 2 - count))


def _weights(structure: Structure, shape: Shape, t: Fraction, point):
    """Probabilities for which one multiplier, 1 before scaling, suits every share of the prediction."""
    before, after = _secants(shape, t)
    if before == after == 0:  # l is nowhere lower than at t
        yield from (tuple(Fraction(n, sum(p)) for n in p) for p in ((2, *(1,) * (len(point) - 1)),))
        return
    ratios = [before / after if after > 0 else inf] if before > 0 else []
    if t == Fraction(1, 2):
        ratios.append(_least_quotient(shape, t))
    for ratio in ratios:
        yield from _for_ratio(structure, t, point, min(ratio, 4.0), before, after)


def _for_ratio(structure: Structure, t: Fraction, point, ratio: float, before: float, after: float):
    """The same for one bound of p_m/p_n."""
    count = sum(1 for x in point[2:] if x)
    if not ratio > 1:
        return
    scale = before if 0 < before < inf else 4 * after if 0 < after < inf else 1.0
    rest = []
    if count and point[2] != t:
        slope = -_number(one_sided_slopes(structure.h, point[2])[1])
        if not (slope > 0 and isfinite(slope)):
            return
        rest = [1 / slope]
    for spread in (0.5, 0.9, 0.1, 0.01):  # p_m/p_n = ratio ** spread, within the range of the multiplier
        low = ratio ** ((1 - spread) / 2) / scale
        shares = [low * ratio**spread, low, *(rest or [low])]
        for denominator in (20, 100, 1000, 10**6, 10**9):
            whole = [Fraction(x / shares[0]).limit_denominator(denominator) for x in shares]
            p = (whole[0], whole[1], *(whole[2],) * count, *(Fraction(0),) * (len(point) - 2 - count))
            if whole[0] > whole[1] > 0:
                yield tuple(x / sum(p) for x in p)


def _secants(shape: Shape, t: Fraction) -> tuple[float, float]:
    """About the least drop per distance to the left of t, and the largest to the right of it: within these a multiplier
    can lie."""
    middle = float(shape.value(t))
    places = [Fraction(k, 512) for k in range(513)] + [
        t + side * t * Fraction(1, 2**k) for k in range(9, 40) for side in (-1, 1)
    ]
    drops = {x: (middle - float(shape.value(x))) / float(x - t) for x in places if x != t and 0 <= x <= 1}
    return (min(d for x, d in drops.items() if x < t), max(d for x, d in drops.items() if x > t))


def _least_quotient(shape: Shape, t: Fraction) -> float:
    """About the least A(h)/B(h)."""
    middle = float(shape.value(t))
    found = inf
    for k in range(1, 257):
        h = t * Fraction(k, 256)
        fall = middle - float(shape.value(t + h))
        if fall > 0:
            found = min(found, (float(shape.value(t - h)) - middle) / fall)
    return found


def _number(slope) -> float:
    return float("nan") if slope is None else float(slope)
