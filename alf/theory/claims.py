"""The claims one by one: each gives a verdict, on its own."""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import chain

import sympy

from alf.errors import InputError
from alf.losses import Loss, u
from alf.theory.asymmetry import Decision, decide
from alf.theory.calibration import calibrated
from alf.theory.continuity import discontinuity_of
from alf.theory.descent import find_rise
from alf.theory.enclosure import one_at_a_time
from alf.theory.excess import excess_risk
from alf.theory.failures import stopped
from alf.theory.progress import last_begun
from alf.theory.scope import at_its_values, stated
from alf.theory.shape import Shape, shape_of
from alf.theory.signs import (
    NEGATIVE,
    NON_NEGATIVE,
    NON_POSITIVE,
    POSITIVE,
    UNKNOWN,
    ZERO,
    proved_sign,
    sign_step,
)
from alf.theory.structure import alone, constant, single
from alf.theory.symmetry import completely_asymmetric, symmetric
from alf.theory.verdict import CLAIMS, Step, Verdict, Witness, holds, not_defined, refuted, step, undecided
from alf.theory.witness import witness


@one_at_a_time
def prove(claim: str, loss: Loss, noise=None, classes: int = 10) -> Verdict:
    """The verdict on one claim; asked again, it is remembered.

    Parameters
    ----------
    claim : str
        One of `alf.theory.CLAIMS`.
    loss : Loss
    noise : Noise, optional
        For ``asymmetric`` and ``noise_tolerant``; it has a number of classes of its own, which must be `classes`.
    classes : int
        Number of classes K, at least 2.

    Raises
    ------
    InputError
        For an unknown claim, or classes that disagree with the noise.
    """
    if claim not in CLAIMS:
        raise InputError(f"claim must be one of {', '.join(CLAIMS)}, got {claim!r}")
    if not isinstance(classes, int) or isinstance(classes, bool) or not 2 <= classes <= 1000:
        raise InputError(f"classes: a whole number in [2, 1000] is needed, got {classes!r}")
    if noise is not None and noise.classes != classes:
        raise InputError(f"noise: it is for {noise.classes} classes, got classes = {classes}")
    return _prove(claim, loss, noise if claim in ("asymmetric", "noise_tolerant") else None, classes)


@lru_cache(maxsize=4096)
def _prove(claim: str, loss: Loss, noise, classes: int) -> Verdict:
    loss = single(loss)
    try:
        verdict = _decide(claim, loss, noise, classes)
    except Exception as error:
        why = stopped(error, f"{claim} of {loss.spec}")
        return undecided(claim, f"{last_begun() or 'The first step'} stopped: {why}.")
    try:
        return stated(claim, loss, verdict, lambda other: _decide(claim, other, noise, classes))
    except Exception as error:  # the verdict stands at the loss's own values
        stopped(error, f"where {claim} holds of {loss.spec}")
        return at_its_values(loss, verdict)


def _decide(claim: str, loss: Loss, noise, classes: int) -> Verdict:
    gap = discontinuity_of(loss, classes)
    if gap is not None:
        return undecided(claim, gap.reason)
    if claim in ("decreasing", "convex", "concave"):
        return _shape_claim(claim, loss)
    if constant(loss) and claim != "symmetric":
        return not_defined(claim, "Every weight is 0: the loss is constant, so every prediction minimises it.")
    if claim == "symmetric":
        return symmetric(loss, classes)
    if claim == "completely_asymmetric":
        return completely_asymmetric(loss, classes)
    if claim == "calibrated":
        return calibrated(loss, classes)
    if claim == "excess_risk":
        return excess_risk(loss, classes)
    return _on_noise(claim, loss, noise)


def verify(loss: Loss, noise=None, classes: int = 10, claims=CLAIMS) -> Iterator[Verdict]:
    """One verdict per claim, in the order asked.

    >>> from alf.losses import parse
    >>> [(v.claim, v.holds) for v in verify(parse("mae"), claims=("decreasing", "symmetric", "calibrated"))]
    [('decreasing', True), ('symmetric', True), ('calibrated', True)]
    """
    for claim in claims:
        yield prove(claim, loss, noise, classes)


# --- shape -------------------------------------------------------------------------------------------------------

_WANTED = {
    "decreasing": (1, (NEGATIVE,)),
    "convex": (2, (POSITIVE, NON_NEGATIVE, ZERO)),
    "concave": (2, (NEGATIVE, NON_POSITIVE, ZERO)),
}


def _shape_claim(claim: str, loss: Loss) -> Verdict:
    expression = alone(loss)
    if expression is None:
        return not_defined(
            claim,
            f"{loss.name} depends on the whole vector u; a curve l(u) of one number is not defined for this loss.",
        )
    order, wanted = _WANTED[claim]
    found = proved_sign(loss, order) if loss.pointwise else UNKNOWN
    if found in wanted:
        return holds(claim, (sign_step(loss, order),))
    shape = shape_of(expression)
    answer = getattr(shape, claim)
    derivative = sympy.diff(expression, u, order) if shape.smooth else None
    if answer:
        text = f"{claim}: the sign of l{chr(39) * order} is certified on a subdivision of (0, 1)."
        told = "l is continuous at its kinks." if order == 1 else "At no kink does the slope of l jump the other way."
        more = () if not shape.kinks else (step(told, status="certified"),)
        return holds(
            claim,
            (
                step(text, derivative, "certified"),
                *more,
            ),
        )
    risen = _rises(shape) if claim == "decreasing" and answer is None else None
    if risen is not None:
        return refuted(claim, (step("l has this derivative.", derivative),), risen)
    if answer is None:
        return undecided(claim, f"The sign of l{chr(39) * order} could not be certified everywhere on (0, 1).")
    steps = (sign_step(loss, order),) if found != UNKNOWN else (step("l has this derivative.", derivative),)
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
    for run in shape.slope_runs:
        if run.sign in (0, 1):
            x, _, y = _simple_points(run.lo, run.hi)
            found = witness("rise", shape, (x, y))
            if found is not None:
                return found
    return _rises(shape)


def _rises(shape: Shape) -> Witness | None:
    """Two points between which l rises, where the search finds any."""
    found = find_rise(shape)
    return found and witness("rise", shape, found)


def _not_bending(shape: Shape, claim: str) -> Witness | None:
    """Three evenly spaced points whose middle is on the wrong side of the chord between the others."""
    wrong, kind = (-1, "above chord") if claim == "convex" else (1, "below chord")
    spans = sorted(((r.lo, r.hi) for r in shape.bend_runs if r.sign == wrong), key=lambda s: s[0] - s[1])
    wide = (_simple_points(*span) for span in spans)
    hardly = None
    for points in chain(wide, _around_kinks(shape, wrong), _towards_ends(spans[:6])):
        found = witness(kind, shape, points)
        if found is not None and abs(found.value - found.bound) > 1e-12 * (1 + abs(found.bound)):
            return found
        hardly = hardly or found  # the numbers differ beyond what doubles show: a better point may come
    return hardly


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


# --- noise -------------------------------------------------------------------------------------------------------


def _on_noise(claim: str, loss: Loss, noise) -> Verdict:
    if noise is None or noise.kind == "none":
        return not_defined(claim, "No noise was given, so there are no label weights to be asymmetric on.")
    if noise.exact is None:
        return not_defined(claim, "Instance-dependent noise has no single matrix: its rows depend on the input.")
    tolerant = claim == "noise_tolerant"
    if tolerant:
        failing = _not_dominant(noise)
        if failing is not None:
            return failing
    rows, tied = _distinct_rows(noise)
    if tied and not tolerant:
        text = f"Row {tied[0] + 1} has no unique largest entry, so no vertex is singled out there."
        if not rows:
            return not_defined(claim, text)
    decisions: list[tuple[Decision, list[int]]] = []
    for places in rows.values():
        decisions.append((decide(loss, noise.exact[places[0]]), places))
        if decisions[-1][0].holds is False:
            break
    decided = _deciding([d for d, _ in decisions])
    data = {
        "rows": [{**d.to_json(), "labels": [p + 1 for p in places]} for d, places in decisions],
        "margin": decided and decided.margin,
        "rule": decided and decided.rule,
    }
    steps = _row_steps(decisions, noise.classes)
    failed = next((d for d, _ in decisions if d.holds is False), None)
    if failed is not None:
        return refuted(claim, steps, failed.witness, data)
    if any(d.holds is None for d, _ in decisions):
        return undecided(claim, "The property was not settled for at least one row of the noise matrix.", steps, data)
    if tied and not tolerant:
        return Verdict(claim, "not_defined", None, (*steps, Step(text, status="not_defined")), None, data)
    if tolerant:
        text = (
            "Clean labels dominate and L is asymmetric on every row: the risk with noise has the same minimiser as "
            "the risk without."
        )
        steps.append(step(text))
    return holds(claim, steps, data)


def _deciding(decisions: list[Decision]) -> Decision | None:
    """The row that the answer hangs on: one that fails, else one left open, else the one with the least margin."""
    for answer in (False, None):
        for decision in decisions:
            if decision.holds is answer:
                return decision
    noisy = [d for d in decisions if d.rule != "clean"] or decisions
    return min(noisy, key=lambda d: float("inf") if d.margin is None else d.margin, default=None)


def _not_dominant(noise) -> Verdict | None:
    for y, row in enumerate(noise.exact):
        other = max((p, -j) for j, p in enumerate(row) if j != y)
        if row[y] <= other[0]:
            j = -other[1]
            text = (
                f"For true label {y + 1} the given label {j + 1} is at least as likely: clean labels do not dominate."
            )
            labels = (f"T[{y + 1}, {y + 1}]", f"T[{y + 1}, {j + 1}]")
            found = witness("dominance", (row[y], other[0]), (), row, labels)
            return refuted("noise_tolerant", (step(text),), found)
    return None


def _distinct_rows(noise):
    """Rows that differ by more than an exchange of labels, hardest first, and the rows without a largest entry."""
    rows: dict[tuple, list[int]] = {}
    tied = []
    for y, row in enumerate(noise.exact):
        ordered = tuple(sorted(row, reverse=True))
        if ordered[0] == ordered[1]:
            tied.append(y)
        else:
            rows.setdefault(ordered, []).append(y)
    hardest = sorted(rows, key=lambda r: -(r[1] / r[0]))
    return {r: rows[r] for r in hardest}, tied


def _row_steps(decisions, classes: int) -> list[Step]:
    steps: list[Step] = []
    for decision, places in decisions:
        word = {True: "is asymmetric", False: "is not asymmetric", None: "was not settled"}[decision.holds]
        rule = "" if decision.rule == "none" else f" by the {decision.rule} rule{'s' * (' and ' in decision.rule)}"
        margin = "" if decision.margin is None else f", margin {decision.margin:.6g}"
        for one in decision.steps:
            if one not in steps:
                steps.append(one)
        status = "undecided" if decision.holds is None else "proved"
        steps.append(Step(f"{_when(places, classes)} the loss {word}{rule}{margin}.", status=status))
    return steps


def _when(places: list[int], classes: int) -> str:
    """The rows of a noise matrix as a sentence names them.

    >>> _when([0, 1, 2], 3), _when([1], 3), _when([0, 2], 3)
    ('Whatever the clean label,', 'When the clean label is 2,', 'When the clean label is 1 or 3,')
    >>> _when(list(range(8)), 10)
    'When the clean label is 1, 2, 3, 4, 5 or one of 3 others,'
    """
    if len(places) == classes:
        return "Whatever the clean label,"
    named = [str(p + 1) for p in places[: 6 if len(places) <= 6 else 5]]
    if len(places) > 6:
        named.append(f"one of {len(places) - 5} others")
    return f"When the clean label is {' or '.join(filter(None, (', '.join(named[:-1]), named[-1])))},"
