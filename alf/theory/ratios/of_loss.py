"""Which rule gives the ratio of a loss: a closed form, a limit, or a bracket."""

import math
from fractions import Fraction
from functools import lru_cache

import sympy
from sympy import Expr, Integer, oo

from alf.losses import Loss, u
from alf.theory.arithmetic.balls import one_at_a_time, sign_of_number
from alf.theory.curve.pieces import smooth_pieces
from alf.theory.curve.profile import concave_then_convex, signs_on_pieces, upper_is_one
from alf.theory.curve.shape import Shape, alone, constant, shape_of, single
from alf.theory.progress import stage
from alf.theory.ratios.bracket import Bracket, FlatSpots, Means, minimise, zero_slopes
from alf.theory.ratios.closed import closed_ratio
from alf.theory.ratios.ratio import Ratio, exact_ratio
from alf.theory.verdict import Status, Step, applied, step


@one_at_a_time
def ratio_of(loss: Loss) -> Ratio:
    """The asymmetry ratio of a loss.

    Parameters
    ----------
    loss : Loss

    Returns
    -------
    Ratio
        With status ``not_defined`` for a loss that depends on more of the prediction than u_y.

    Examples
    --------
    >>> from alf.losses import parse
    >>> r = ratio_of(parse("agce:a=0.6,q=0.6"))
    >>> round(r.value, 6), r.formula, r.status
    (0.67548, (a/(a + 1))**(1 - q), 'proved')
    """
    loss = single(loss)
    expression = alone(loss)
    if expression is None:
        text = (
            f"{loss.name} depends on the whole vector u, not on u_y alone; "
            "the asymmetry ratio is not defined for this loss."
        )
        return Ratio(Status.NOT_DEFINED, steps=(Step(text, status=Status.NOT_DEFINED),))
    if constant(loss):
        return Ratio(Status.NOT_DEFINED, steps=(Step("The loss is constant.", status=Status.NOT_DEFINED),))
    found = closed_ratio(loss) if loss.pointwise else None
    return ratio_of_shape(expression) if found is None else found


@lru_cache(maxsize=1024)
def ratio_of_shape(expression: Expr) -> Ratio:
    """The ratio of an exact l(u), by closed form where l is convex or concave and by branch and bound elsewhere."""
    shape = shape_of(expression)
    if not shape.decreasing:
        reason = "l is not known to decrease strictly on (0, 1), which the ratio needs."
        return Ratio(Status.NOT_DEFINED, steps=(Step(reason, status=Status.NOT_DEFINED),))
    if shape.at_zero == oo:
        text, zero = "l(0) is infinite: r = 0 as a limit (u1 > 0 fixed, u2 -> 0).", (0.0, 0.0)
        infinite = (step(text, status=Status.CERTIFIED, theorem="infinite-at-0"),)
        return Ratio(Status.CERTIFIED, 0.0, zero, 0.0, zero, Integer(0), None, infinite, at=(1.0, 0.0), attained=False)
    if shape.concave:
        steps = (_bend_step(shape, -1), applied("concave", status=Status.CERTIFIED))
        return exact_ratio(Integer(1), steps, attained=True)
    if shape.convex:
        return _convex_ratio(shape)
    return _bracket(shape)


def _bend_step(shape: Shape, sign: int) -> Step:
    word = "convex" if sign > 0 else "concave"
    expression = sympy.diff(shape.expression, u, 2) if shape.smooth else None
    return step(f"l is {word} on [0, 1].", expression, Status.CERTIFIED)


def _convex_ratio(shape: Shape) -> Ratio:
    first, last = shape.slope_at_zero, shape.slope_at_one
    if first is None or last is None:
        return _bracket(shape)
    steps = [_bend_step(shape, 1)]
    if first == -oo:
        text = "l'(0) is infinite: r = r_up = l'(1)/l'(0) = 0 as a limit."
        steps.append(step(text, status=Status.CERTIFIED, theorem="infinite-at-0"))
        return exact_ratio(Integer(0), steps, attained=False)
    value = last / first
    steps.append(applied("convex", value, Status.CERTIFIED))
    attained = shape.linear_near(0) and shape.linear_near(1)
    return exact_ratio(value, steps, attained=attained)


def _bracket(shape: Shape) -> Ratio:
    stage("bracketing the ratio by branch and bound")
    mean = Means(shape)
    steps = [step("l'' changes sign on [0, 1]: no closed form by convexity or concavity alone.")]
    first = shape.slope_at_zero
    zero = next(zero_slopes(shape), Integer(0))  # 0 where there is none
    limit_zero = zero != 0 and first is not None and first != oo and sign_of_number(first) == -1
    if upper_is_one(shape):
        upper = Bracket(1.0, 1.0, (0.0, 1.0), True)
        text = "l(t) + l(1-t) >= l(0) + l(1) for all t: r_up = 1."
        steps.append(step(text, status=Status.CERTIFIED, theorem="two-ends"))
    elif first == -oo and shape.slope_at_one not in (None, -oo):
        upper = Bracket(0.0, 0.0, (1.0, 0.0), True)
        text = "l'(0) is infinite and l'(1) finite: r_up = 0 as a limit."
        steps.append(step(text, status=Status.CERTIFIED, theorem="infinite-at-0"))
    elif limit_zero and zero == 1:
        upper = Bracket(0.0, 0.0, (1.0, 0.0), True)
    else:
        upper = minimise(mean, line=True)
        if not upper.closed:
            upper = _certify_upper(shape, upper)
    if first == -oo:
        lower = Bracket(0.0, 0.0, (0.5, 0.0), True)
        text = "l'(0) is infinite and l' is finite inside: r = 0 as a limit (u2 -> 0)."
        steps.append(step(text, status=Status.CERTIFIED, theorem="infinite-at-0"))
    elif limit_zero:
        lower = Bracket(0.0, 0.0, (float(zero), 0.0), True)
        text = f"l'({zero}) = 0 and l'(0) < 0: r = 0 as a limit."
        steps.append(step(text, status=Status.CERTIFIED, theorem="vanishing-slope"))
    elif concave_then_convex(shape):
        lower = upper
        steps.append(applied("rise-and-fall", status=Status.CERTIFIED))
    else:
        flat = FlatSpots(shape)
        if flat.deeper is not None:
            lower = Bracket(0.0, 0.0, (float(flat.deeper), 0.0), True)
            text = f"l' vanishes to a higher order at {flat.deeper} than at 0: r = 0 as a limit."
            steps.append(step(text, status=Status.CERTIFIED, theorem="vanishing-slope"))
        else:
            mean.flat = flat if flat.order else None
            lower = minimise(mean, line=False, known=upper.high)
    interval = (lower.low, min(lower.high, upper.high))
    status = Status.CERTIFIED if lower.closed and upper.closed else Status.UNDECIDED
    for name, b in (("r", interval), ("r_up", (upper.low, upper.high))):
        text = f"{name} lies in [{b[0]:.9g}, {b[1]:.9g}]" + ("." if b[0] == b[1] else " by interval branch and bound.")
        steps.append(step(text, status=Status.CERTIFIED, theorem="" if b[0] == b[1] else "bracket"))
    exact = Integer(round(interval[0])) if interval[0] == interval[1] == upper.low == upper.high else None
    return Ratio(
        status, sum(interval) / 2, interval, (upper.low + upper.high) / 2, (upper.low, upper.high),
        exact, None, tuple(steps), at=lower.at,
    )  # fmt: skip


def _certify_upper(shape: Shape, found: "Bracket") -> "Bracket":
    """r_up >= rho by the sign of l(1-t) - l(1) - rho (l(0) - l(t)), which also settles the end t -> 0."""
    if shape.at_zero in (None, oo):
        return found
    for part in (Fraction(1, 2000), Fraction(1, 500), Fraction(1, 100)):
        rho = Fraction(found.high) * (1 - part)
        scale = sympy.Rational(rho.numerator, rho.denominator)
        drop = shape.expression.subs(u, 1 - u) - shape.at_one - scale * (shape.at_zero - shape.expression)
        pieces, located = smooth_pieces(drop)
        if located and set(signs_on_pieces(pieces)) <= {0, 1}:
            low = max(found.low, math.nextafter(float(rho), 0.0))
            return Bracket(low, found.high, found.at, found.high - low <= 1e-3 * found.high)
    return found


def ratio_exceeds(expression: Expr, target: Fraction) -> bool:
    """Whether r > target is certified: the bracket of r, refined only where this answer depends on it."""
    found = ratio_of_shape(expression)
    if found.interval is None or Fraction(found.interval[1]) <= target:
        return False
    if Fraction(found.interval[0]) > target:
        return True
    stage("comparing the ratio with what the noise needs by branch and bound")
    shape, goal = shape_of(expression), math.nextafter(float(target), 2.0)
    mean, flat = Means(shape), FlatSpots(shape)
    mean.flat = flat if flat.order else None
    return minimise(mean, line=False, known=found.interval[1], target=goal).low > goal
