"""The claims decreasing, convex and concave, about the curve l(u)."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain

import sympy

from alf.losses import Loss, u
from alf.theory.curve.parameter_cell import proved_sign, sign_steps
from alf.theory.curve.profile import find_rise
from alf.theory.curve.shape import Shape, alone, shape_of
from alf.theory.curve.symbolic_sign import NEGATIVE, NON_NEGATIVE, NON_POSITIVE, POSITIVE, UNKNOWN, ZERO
from alf.theory.verdict import Status, Verdict, Witness, holds, not_defined, refuted, step, undecided
from alf.theory.witnesses.witness import clearest, witness

_WANTED = {
    "decreasing": (1, (NEGATIVE,)),
    "convex": (2, (POSITIVE, NON_NEGATIVE, ZERO)),
    "concave": (2, (NEGATIVE, NON_POSITIVE, ZERO)),
}


def shape_claim(claim: str, loss: Loss) -> Verdict:
    """One of the three claims about the curve."""
    expression = alone(loss)
    if expression is None:
        return not_defined(
            claim,
            f"{loss.name} depends on the whole vector u; a curve l(u) of one number is not defined for this loss.",
        )
    order, wanted = _WANTED[claim]
    found = proved_sign(loss, order) if loss.pointwise else UNKNOWN
    if found in wanted:
        return holds(claim, sign_steps(loss, order))
    shape = shape_of(expression)
    answer = getattr(shape, claim)
    derivative = sympy.diff(expression, u, order) if shape.smooth else None
    if answer:
        text = f"{claim}: the sign of l{chr(39) * order} is certified on a subdivision of (0, 1)."
        told = "l is continuous at its kinks." if order == 1 else "At no kink does the slope of l jump the other way."
        more = () if not shape.kinks else (step(told, status=Status.CERTIFIED),)
        return holds(
            claim,
            (
                step(text, derivative, Status.CERTIFIED),
                *more,
            ),
        )
    risen = _rises(shape) if claim == "decreasing" and answer is None else None
    if risen is not None:
        return refuted(claim, (step("l has this derivative.", derivative),), risen)
    if answer is None:
        return undecided(claim, f"The sign of l{chr(39) * order} could not be certified everywhere on (0, 1).")
    steps = sign_steps(loss, order) if found != UNKNOWN else (step("l has this derivative.", derivative),)
    found = _not_decreasing(shape) if claim == "decreasing" else _not_bending(shape, claim)
    if found is None:
        text = f"l{chr(39) * order} has the wrong sign on an interval, but no points that show it were found."
        return undecided(claim, text, steps)
    return refuted(claim, steps, found)


def _simple_points(lo: Fraction, hi: Fraction) -> tuple[Fraction, Fraction, Fraction]:
    """Three evenly spaced fractions in (lo, hi) with small denominators."""
    for n in (4, 8, 10, 16, 20, 50, 100, 1000, 10**5, 10**8, 10**12):
        first = Fraction(int(lo * n) + 1, n)
        count = int((hi - first) * n)
        if count >= 2:
            gap = Fraction(count // 2, n)
            if (first > lo and first + 2 * gap < hi) or (first + 2 * gap <= hi and hi == 1):
                return first, first + gap, first + 2 * gap
    width = (hi - lo) / 4
    return lo + width, lo + 2 * width, lo + 3 * width


def _not_decreasing(shape: Shape) -> Witness | None:
    spans = (_simple_points(run.lo, run.hi) for run in shape.slope_runs if run.sign in (0, 1))
    found = filter(None, (witness("rise", shape, (x, y)) for x, _, y in spans))
    return next(found, None) or _rises(shape)


def _rises(shape: Shape) -> Witness | None:
    """Two points between which l rises, where the search finds any."""
    found = find_rise(shape)
    return found and witness("rise", shape, found)


def _not_bending(shape: Shape, claim: str) -> Witness | None:
    """Three evenly spaced points whose middle is on the wrong side of the chord between the others."""
    wrong, kind = (-1, "above chord") if claim == "convex" else (1, "below chord")
    spans = sorted(((r.lo, r.hi) for r in shape.bend_runs if r.sign == wrong), key=lambda s: s[0] - s[1])
    wide = (_simple_points(*span) for span in spans)
    candidates = chain(wide, _around_kinks(shape, wrong), _towards_ends(spans[:6]))
    return clearest(witness(kind, shape, points) for points in candidates)


def _towards_ends(spans) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """Points ever closer to the ends of stretches: l may bend there and be straight to all appearance elsewhere."""
    for lo, hi in spans:
        width = hi - lo
        for _ in range(30):
            width /= 4
            yield lo + width / 4, lo + width / 2, lo + width * 3 / 4
            yield hi - width * 3 / 4, hi - width / 2, hi - width / 4


def _around_kinks(shape: Shape, turn: int) -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """Ever closer points on both sides of the kinks that turn one way: close enough, the kink is all there is."""
    ends = [Fraction(0), *(k.lo for k in shape.kinks), Fraction(1)]
    for before, kink, after in zip(ends, shape.kinks, ends[2:], strict=False):
        if kink.turn != turn:
            continue
        middle = (kink.lo + kink.hi) / 2
        room = min(middle - before, after - middle) / 2
        for _ in range(40):
            yield middle - room, middle, middle + room
            room /= 4
