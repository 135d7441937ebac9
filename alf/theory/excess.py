"""Excess risk: how far minimising the surrogate's excess pushes the 0-1 excess down.

For a completely asymmetric l(u_y), with phi(t) = (l(0) - l(t)) / (l(0) - l(1)),

    0-1 excess <= c_K (L excess) / (l(0) - l(1)),   c_K = sup { 1 / (1 - sum_{i != j} phi(u_i)) : u_j largest }.
"""

from fractions import Fraction

import sympy
from sympy import oo

from alf.losses import Loss, u
from alf.theory.shape import Shape, shape_of
from alf.theory.structure import structure_of
from alf.theory.symmetry import completely_asymmetric
from alf.theory.verdict import Step, Verdict, Witness, holds, not_defined, step, undecided

QUOTED = 2.0
"""The constant often quoted for every number of classes."""


def excess_risk(loss: Loss, classes: int) -> Verdict:
    """The excess risk bound of a loss l(u_y), with the tight constant c_K.

    `data` holds `constant` (c_K), `exact`, `quoted` (2), `drop` (l(0) - l(1)), and where c_K > 2 the separating point.

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
        from alf.theory.calibration_function import calibration_curve

        return calibration_curve(loss, structure, classes)
    shape = shape_of(structure.h)
    exact, split = tight_constant(shape, classes)
    if exact is None:
        return _searched(claim, shape, complete.steps, classes)
    constant = float(exact)
    drop = shape.at_zero - shape.at_one
    text = f"0-1 excess <= {constant:.6g} (L excess) / (l(0) - l(1)) for K = {classes}; no smaller constant will do."
    tex = rf"c_{{{classes}}} = {sympy.latex(exact)} \approx {constant:.6g}"
    steps = [
        *complete.steps,
        Step(text, exact, tex, "certified", ("constant", str(shape.expression), classes, str(exact))),
    ]
    data = {
        "constant": constant,
        "exact": str(exact),
        "classes_sharing": split,
        "quoted": QUOTED,
        "drop": float(drop),
        "drop_exact": str(drop),
    }
    witness = None
    if constant > QUOTED + 1e-12:
        witness = separating_point(shape, structure, split)
        more = f"The often quoted constant 2 is too small for K = {classes}: the point below separates them."
        steps.append(step(more, status="certified"))
        data["separating_point"] = witness.to_json()
    else:
        steps.append(step(f"The often quoted constant 2 holds here: c_K = {constant:.6g} <= 2.", status="certified"))
    return holds(claim, steps, data)


def tight_constant(shape: Shape, classes: int):
    """c_K, exactly, and how many classes share the probability at the worst point.

    With phi convex on [0, 1/2], sum_{i != j} phi(u_i) under u_i <= u_j is largest where some u_i equal u_j and one is
    left over; over the equal splits (1/s, ..., 1/s) that gives max over s of 1 / (1 - (s-1) phi(1/s)).
    """
    half = Fraction(1, 2)
    convex = shape.concave or all(r.sign in (-1, 0) for r in shape.bend_runs if r.lo < half - Fraction(1, 10**6))
    if not convex or shape.at_zero in (None, oo) or (shape.kinks and not shape.concave):
        return None, None
    drop = shape.at_zero - shape.at_one
    best, split, size = None, None, -1.0
    for s in range(2, classes + 1):
        level = _value(shape, sympy.Rational(1, s))
        phi = (shape.at_zero - level) / drop
        value = sympy.together(1 / (1 - (s - 1) * phi))
        number = float(value)
        if number > size:
            best, split, size = value, s, number
    return best, split


def _searched(claim: str, shape: Shape, steps, classes: int) -> Verdict:
    """c_K by a dense search where phi is not convex on [0, 1/2]: a lower bound of it, so the verdict is `observed`."""
    import numpy as np

    if shape.at_zero in (None, oo):
        return undecided(claim, "l(0) is not finite.", steps)
    grid = 180
    values = np.array([float(shape.value(Fraction(k, grid), 80)) for k in range(grid + 1)])
    phi = (values[0] - values) / (values[0] - values[-1])
    best = 0.0
    for top in range(1, grid + 1):
        if top * classes < grid:
            continue
        # the others share grid - top, each at most top: the best sum by dynamic programming over their number
        room = min(grid - top, grid)
        reach = np.full(room + 1, -np.inf)
        reach[0] = 0.0
        for _ in range(min(classes - 1, 12)):
            new = reach.copy()
            for k in range(1, min(top, room) + 1):
                new[k:] = np.maximum(new[k:], reach[: room + 1 - k] + phi[k])
            reach = new
            if np.isfinite(reach[room]) and classes > 12:
                break
        if np.isfinite(reach[room]):
            best = max(best, reach[room])
    if best >= 1:
        return undecided(claim, "The tight constant could not be bounded.", steps)
    constant = 1 / (1 - best)
    text = f"0-1 excess <= c_K (L excess) / (l(0) - l(1)) with c_{classes} near {constant:.6g}, by a search on a grid."
    data = {"constant": constant, "quoted": QUOTED, "drop": float(shape.at_zero - shape.at_one), "grid": grid}
    return Verdict(claim, "observed", True, (*steps, Step(text, status="observed")), None, data)


def _value(shape: Shape, point):
    place = Fraction(int(point.p), int(point.q))
    for piece in shape.pieces:
        if piece.lo <= place <= piece.hi:
            return piece.expression.subs(u, point)
    return shape.expression.subs(u, point)


def separating_point(shape: Shape, structure, split: int) -> Witness:
    """Probabilities and a prediction whose 0-1 excess is more than twice the scaled surrogate excess."""
    classes = structure.classes
    low, high = shape.value(1, 200), shape.value(0, 200)
    tiny = Fraction(1, 10**6)
    for gap in (Fraction(1, 1000), Fraction(1, 10**5)):
        # split - 1 labels share the probability, the last of the group has none and is predicted
        base = Fraction(1, split - 1)
        p = [base] * (split - 1) + [Fraction(0)] * (classes - split + 1)
        if split > 2:
            p[0] += gap
            p[1] -= gap
        point = [Fraction(1, split) - tiny / (split - 1)] * (split - 1) + [Fraction(1, split) + tiny]
        point += [Fraction(0)] * (classes - split)
        excess_01 = max(p) - p[split - 1]
        risk = structure.risk(tuple(point), p, 200)
        scaled = float((risk - _least_risk(low, high, p)) / (high - low))
        if float(excess_01) > QUOTED * scaled:
            break
    statement = "The 0-1 excess of this prediction is above twice the scaled excess of the loss."
    return Witness(
        statement, tuple(point), float(excess_01), QUOTED * scaled, tuple(p),
        ("0-1 excess", "2 x (L excess) / (l(0) - l(1))"),
    )  # fmt: skip


def _least_risk(low, high, p):
    """The least conditional risk of a completely asymmetric loss: at the vertex of a most probable class."""
    top = max(p)
    return _q(top) * low + _q(1 - top) * high


def _q(x: Fraction):
    from alf.theory.enclosure import to_ball

    return to_ball(x)
