"""Excess risk: how far minimising the surrogate's excess pushes the 0-1 excess down.

For a completely asymmetric l(u_y), with phi(t) = (l(0) - l(t)) / (l(0) - l(1)),

    0-1 excess <= c_K (L excess) / (l(0) - l(1)),   c_K = sup { 1 / (1 - sum_{i != j} phi(u_i)) : u_j largest }.
"""

from fractions import Fraction
from math import inf, nextafter

import sympy
from sympy import Expr, oo

from alf.losses import Loss
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import sign_of_number, working
from alf.theory.claims.complete import completely_asymmetric
from alf.theory.curve.profile import half_concave
from alf.theory.curve.shape import Shape, exact_value, shape_of
from alf.theory.risk.structure import Structure, structure_of
from alf.theory.verdict import Status, Step, Verdict, Witness, holds, not_defined, step, undecided
from alf.theory.witnesses.witness import witness

QUOTED = 2.0
"""The constant often quoted for every number of classes."""


def excess_risk(loss: Loss, classes: int) -> Verdict:
    """The excess risk bound of a loss l(u_y), with the tight constant c_K.

    `data` holds `constant` (c_K, rounded up), `exact`, `quoted` (2), `drop` (l(0) - l(1)), and where c_K > 2 the
    separating point. Where c_K was searched for, `constant` is the largest value that was found, and `searched` says
    among what.

    >>> from alf.losses import parse
    >>> excess_risk(parse("mae"), 3).data["constant"]
    3.0
    """
    claim = "excess_risk"
    structure = structure_of(loss, classes)
    if structure is None or not structure.pointwise:
        return not_defined(claim, "The bound is stated for losses of u_y alone; this one depends on the whole vector.")
    complete = completely_asymmetric(loss, classes)
    if complete.holds is None:
        return undecided(claim, "It was not settled whether the loss is completely asymmetric.", complete.steps)
    if not complete.holds:
        return calibration_curve(loss, structure, classes)
    shape = shape_of(structure.h)
    if shape.at_zero in (None, oo) or shape.at_one in (None, -oo):
        return undecided(claim, "l(0) or l(1) is not finite.", complete.steps)
    if not half_concave(shape):
        return searched(claim, shape, complete.steps, classes)
    return _tight(claim, shape, structure, complete.steps)


def _tight(claim: str, shape: Shape, structure: Structure, steps) -> Verdict:
    """c_K exactly, where phi is convex on [0, 1/2]."""
    classes = structure.classes
    exact, split, ball = tight_constant(shape, classes)
    if exact is None:
        return undecided(claim, "It was not settled which number of equal shares is the worst.", steps)
    drop = shape.drop
    above = sign_of_number(exact - 2)
    if above is None:
        return undecided(claim, "c_K could not be told from 2.", steps)
    constant = rounded_up(exact, float(ball.mid()))
    shown = next((t for t in (f"{constant:.{n}g}" for n in range(6, 18)) if above == 0 or t != "2"), "2")
    worst = (
        f"phi is convex on [0, 1/2], so the worst case is one of the {classes - 1} equal splits among 2 to {classes} "
        f"classes: the split among {split}."
    )
    text = (
        f"0-1 excess <= c_{classes} (L excess) / (l(0) - l(1)) with c_{classes} = {shown} for K = {classes}. "
        "No smaller constant holds."
    )
    tex = rf"c_{{{classes}}} = {sympy.latex(exact)} \approx {shown}"
    more = [
        step(worst, status=Status.CERTIFIED, theorem="equal-splits"),
        Step(text, exact, tex, Status.CERTIFIED, "excess-risk"),
    ]
    data = {
        "constant": constant,
        "exact": str(exact),
        "classes_sharing": split,
        "searched": f"every equal split among 2 to {classes} classes",
        "quoted": QUOTED,
        "drop": float(drop),
        "drop_exact": str(drop),
    }
    if above == 1:
        found = separating_point(structure, split)
        if found is None:
            return undecided(claim, "c_K is above 2, but no point was found that shows it.", (*steps, *more))
        text = f"The often quoted constant 2 is too small for K = {classes}: the point below separates them."
        data["separating_point"] = found.to_json()
    else:
        text = f"The often quoted constant 2 holds here: c_{classes} {'=' if above == 0 else '<'} 2."
    return holds(claim, (*steps, *more, step(text, status=Status.CERTIFIED)), data)


def tight_constant(shape: Shape, classes: int):
    """c_K as an exact number, how many classes share at the worst point, and a ball of c_K; None where not settled.

    Where phi is convex on [0, 1/2] the equal splits decide: the theorem ``equal-splits``.

    >>> from alf.losses import u
    >>> tight_constant(shape_of(4 - (1 + u) ** 2), 4)[:2]
    (16/7, 4)
    """
    for bits in (128, 512, 2048):
        sums = {s: _shared(shape, s, bits) for s in range(2, classes + 1)}
        worst = max(sums, key=lambda s: float(sums[s].mid()))
        rivals = [s for s in sums if s != worst and not sums[s] < sums[worst]]
        if not rivals:
            break
    exact = {s: _shared_exactly(shape, s) for s in (*rivals, worst)}
    if any(sign_of_number(exact[worst] - exact[s]) not in (0, 1) for s in rivals):
        return None, None, None
    return 1 / (1 - exact[worst]), worst, 1 / (1 - sums[worst])


def _shared(shape: Shape, s: int, bits: int):
    """(s-1) phi(1/s), as a ball."""
    with working(bits):
        high, low = shape.value(0, bits), shape.value(1, bits)
        return (s - 1) * (high - shape.value(Fraction(1, s), bits)) / (high - low)


def _shared_exactly(shape: Shape, s: int) -> Expr:
    level = exact_value(shape, Fraction(1, s))
    assert shape.at_zero is not None and level is not None
    return sympy.together((s - 1) * (shape.at_zero - level) / shape.drop)


def rounded_up(exact: Expr, near: float) -> float:
    """The float that is no less than an exact number, from one next to it.

    >>> from sympy import Rational
    >>> rounded_up(Rational(3), 3.0), rounded_up(Rational(1, 3), 1 / 3) > Rational(1, 3)
    (3.0, True)
    """
    return near if sign_of_number(as_rational(near) - exact) in (0, 1) else nextafter(near, inf)


def separating_point(structure: Structure, split: int) -> Witness | None:
    """Probabilities and a prediction whose 0-1 excess is more than twice the scaled surrogate excess.

    split - 1 labels share the probability, the last of the group has none and is predicted by a little more. The nearer
    c_K is to 2, the less: the gap is shrunk until the two numbers contradict.
    """
    classes = structure.classes
    for k in (3, 4, 5, 6, 8, 10, 13, 17, 22, 30, 50, 100, 200):
        gap = Fraction(1, 10**k)
        p = [Fraction(1, split - 1)] * (split - 1) + [Fraction(0)] * (classes - split + 1)
        if split > 2:  # one label is the most probable
            p[0], p[1] = p[0] + gap, p[1] - gap
        tilt = gap / 1000
        point = [Fraction(1, split) - tilt / (split - 1)] * (split - 1) + [Fraction(1, split) + tilt]
        found = witness("constant", structure, (*point, *(Fraction(0),) * (classes - split)), p)
        if found is not None:
            return found
    return None


GRID = 180


def searched(claim: str, shape: Shape, steps, classes: int) -> Verdict:
    """c_K by a search: over all equal splits, and over all predictions in multiples of 1/GRID. A lower bound of it."""
    equal = [_shared(shape, s, 128) for s in range(2, classes + 1)]
    value = [shape.value(Fraction(k, GRID), 128) for k in range(GRID + 1)]
    if not all(x.is_finite() for x in (*equal, *value)):
        return undecided(claim, "l could not be evaluated everywhere.", steps)
    phi = [float((value[0] - v) / (value[0] - value[-1])) for v in value]
    best = max(*(float(x.mid()) for x in equal), _largest_sum(phi, classes))
    if best >= 1:
        return undecided(claim, "The tight constant could not be bounded.", steps)
    constant = 1 / (1 - best)
    reach = f"every equal split among 2 to {classes} classes, and every prediction in multiples of 1/{GRID}"
    if classes > GRID:
        reach += f" (so with at most {GRID} classes that have a share)"
    text = (
        f"0-1 excess <= c_{classes} (L excess) / (l(0) - l(1)), where c_{classes} is at least {constant:.6g}, "
        f"the largest found over {reach}. phi is not convex on [0, 1/2], so a prediction between these may need a "
        "larger constant."
    )
    data = {
        "constant": constant,
        "quoted": QUOTED,
        "drop": float(shape.drop),
        "grid": GRID,
        "classes_sharing": min(classes, GRID),
        "searched": reach,
    }
    bound = Step(text, status=Status.OBSERVED, theorem="excess-risk")
    return Verdict(claim, Status.OBSERVED, True, (*steps, bound), None, data)


def _largest_sum(phi, classes: int) -> float:
    """The largest sum of phi(u_i), i != j, over predictions in multiples of 1/GRID in which u_j is the largest.

    For each value of the largest, the sums that at most k others reach are found for k = 1, 2, 4, ... by putting two
    halves together.
    """
    import numpy as np

    n, phi = len(phi) - 1, np.asarray(phi)
    best = 0.0
    for most in range(1, n + 1):
        room = n - most
        if most * (classes - 1) < room:
            continue
        one = np.full(room + 1, -np.inf)
        one[: min(most, room) + 1] = phi[: min(most, room) + 1]
        best = max(best, _together(one, classes - 1)[room])
    return best


def _together(one, count: int):
    """The largest sums over `count` terms by their total, from those of one."""
    if count == 1:
        return one
    half = _together(one, count // 2)
    whole = _joined(half, half)
    return _joined(whole, one) if count % 2 else whole


def _joined(a, b):
    import numpy as np

    found = np.full(len(a), -np.inf)
    for k in np.flatnonzero(np.isfinite(a)):
        found[k:] = np.maximum(found[k:], a[k] + b[: len(b) - k])
    return found


CURVE_GRID = 120


RESTS = 20
"""Shares of 1 that the labels beside the two in question are given."""


def calibration_curve(loss, structure: Structure, classes: int) -> Verdict:
    """delta(eps) as data of an `observed` verdict: there is no linear bound to state.

    Label probabilities are searched among (p_m, p_n, rest shared equally by a few labels, 0, ...), and predictions
    among (x, y, z, ..., z, 0, ...) likewise, where n is predicted.
    """
    import numpy as np

    shape = shape_of(structure.h)
    if shape.at_zero is None or shape.at_one is None:
        return undecided("excess_risk", "l(0) or l(1) is not known.")
    table = np.array([float(shape.value(Fraction(k, CURVE_GRID), 80).mid()) for k in range(CURVE_GRID + 1)])
    epsilons = np.arange(1, 20) / 20
    deltas, count = np.full(len(epsilons), np.inf), 0
    sharing = sorted({1, 2, 3, classes - 2} & set(range(1, classes - 1))) or [0]
    for others in sharing:
        points = _predictions(others)
        # l(0) may be infinite, which interpolation must not spread over the first cell
        values = np.where(points > 0, np.interp(points, np.arange(1, CURVE_GRID + 1) / CURVE_GRID, table[1:]), table[0])
        wrong = (points[:, 1] >= points[:, 0]) & (points[:, 1] >= points[:, 2])
        for rest in np.arange(RESTS) / RESTS if others else (0.0,):
            first, second = (1 - rest + epsilons) / 2, (1 - rest - epsilons) / 2
            possible = (second >= 0) & (first * max(others, 1) >= rest)
            weights = np.stack([first, second, np.full(len(epsilons), rest)])[:, possible]
            with np.errstate(invalid="ignore"):
                parts = values[:, :, None] * weights
            risk = np.where(weights > 0, parts, 0.0).sum(axis=1)
            least = risk[wrong].min(axis=0, initial=np.inf) - risk.min(axis=0, initial=np.inf)
            deltas[possible] = np.minimum(deltas[possible], least)
            count += len(points) * int(possible.sum())
    deltas = np.minimum.accumulate(np.maximum(deltas, 0)[::-1])[::-1]  # an excess of at least eps may be larger
    text = (
        "The loss is not completely asymmetric, so no linear bound is stated; its calibration function delta(eps), the "
        "least L-excess at 0-1 excess >= eps, was searched numerically: the least found among "
        f"{count:,} pairs of a prediction in multiples of 1/{CURVE_GRID} and label probabilities in which all labels "
        "but two have equal shares or none."
    )
    data = {"epsilon": epsilons.tolist(), "delta": deltas.tolist(), "points": count}
    return Verdict("excess_risk", Status.OBSERVED, None, (Step(text, structure.h, status=Status.OBSERVED),), None, data)


def _predictions(others: int):
    """Rows (x, y, z): x for the right class, y for the predicted one, z for each of the others that have a share."""
    import numpy as np

    i, j = np.meshgrid(np.arange(CURVE_GRID + 1), np.arange(CURVE_GRID + 1), indexing="ij")
    keep = i + j <= CURVE_GRID if others else i + j == CURVE_GRID
    i, j = i[keep], j[keep]
    return np.stack([i / CURVE_GRID, j / CURVE_GRID, (CURVE_GRID - i - j) / CURVE_GRID / max(1, others)], axis=1)
