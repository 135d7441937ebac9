"""Risks that are sums over classes: the concavity rule and the vertex KKT rule."""

import sympy
from sympy import oo

from alf.theory.arithmetic.balls import sign_of_number
from alf.theory.asymmetry.decision import Decision, denied
from alf.theory.asymmetry.edge import edge_witness, interior_witness, two_class
from alf.theory.curve.shape import shape_of
from alf.theory.progress import stage
from alf.theory.risk.minimisation import search
from alf.theory.risk.structure import Structure, vertex
from alf.theory.verdict import Status, Step, applied, step
from alf.theory.witnesses.witness import witness


def decide_separable(structure: Structure, w) -> Decision:
    """A risk that is a sum over classes, on weights from large to small."""
    total = sum(w)
    functions = {x: shape_of(structure.psi(x, total)) for x in dict.fromkeys(w)}
    heavy, others = functions[w[0]], {x: functions[x] for x in dict.fromkeys(w[1:])}
    if heavy.at_one == oo or any(f.at_zero == oo for f in others.values()):
        steps = (applied("infinite-vertex", status=Status.CERTIFIED),)
        return denied("infinite vertex", steps, interior_witness(structure, w))
    if all(f.concave for f in functions.values()):
        return _concave(structure, w)
    if all(f.convex for f in functions.values()):
        return _vertex_kkt(structure, w, heavy, others, functions)
    two = two_class(structure, w)
    if two.holds is False:
        return two

    return minimise_at_vertex(structure, w)


def _concave(structure: Structure, w) -> Decision:
    h = shape_of(structure.h)
    drop = h.drop
    sign = sign_of_number(drop)
    steps = [
        step(
            "R is concave on the simplex, so its minimum is at a vertex.", status=Status.CERTIFIED, theorem="concavity"
        ),
        step("R(e_j) - R(e_m) = (w_m - w_j) (h(0) - h(1)).", drop, Status.CERTIFIED),
    ]
    if sign == 1:
        text = "h(0) - h(1) > 0: e_m is the only minimiser (concavity rule)."
        steps.append(step(text, status=Status.CERTIFIED, theorem="concavity"))
        return Decision(True, "concavity", tuple(steps), None, float((w[0] - w[1]) / sum(w)))
    return Decision(None, "concavity", tuple(steps))


def _vertex_kkt(structure: Structure, w, heavy, others, functions) -> Decision:
    steps = [step("R is convex on the simplex.", status=Status.CERTIFIED)]
    slope = heavy.slope_at_one
    tied = False
    margin = None
    for weight, f in others.items():
        if slope is None or f.slope_at_zero is None:
            return Decision(
                None,
                "vertex KKT",
                (*steps, Step("A slope of the risk at the vertex is not known.", status=Status.UNDECIDED)),
            )
        sign: int | None
        if f.slope_at_zero == -oo or slope == oo:
            sign, difference = -1, -oo
        elif slope == -oo or f.slope_at_zero == oo:
            sign, difference = 1, oo
        else:
            difference = f.slope_at_zero - slope
            sign = sign_of_number(difference)
        relation = {1: "<", 0: "=", -1: ">", None: "?"}[sign]
        tex = rf"\frac{{\partial R}}{{\partial u_m}} = {sympy.latex(slope)} {relation} {sympy.latex(f.slope_at_zero)}"
        text = f"dR/du_m {relation} dR/du_j at e_m for a label of weight {weight}."
        steps.append(Step(text, difference, tex, Status.CERTIFIED, "vertex-kkt"))
        if sign is None:
            return Decision(
                None,
                "vertex KKT",
                (
                    *steps,
                    Step("The slopes of the risk at the vertex could not be told apart.", status=Status.UNDECIDED),
                ),
            )
        margin = float(difference) if margin is None else min(margin, float(difference))
        if sign < 0:
            place = w.index(weight, 1)
            order = [0, place, *(i for i in range(1, len(w)) if i != place)]
            found = edge_witness(structure, tuple(w[i] for i in order))
            return denied("vertex KKT", steps, found and found.reordered(order, w), margin)
        tied = tied or sign == 0
    if tied and not _strictly_convex(functions.values()):
        return denied("vertex KKT", steps, edge_witness(structure, w), margin)
    text = "The vertex KKT conditions hold, so e_m is the only minimiser."
    steps.append(step(text, status=Status.CERTIFIED, theorem="vertex-kkt"))
    return Decision(True, "vertex KKT", tuple(steps), None, margin)


def _strictly_convex(functions) -> bool:
    """Convex with at most isolated zeros of the second derivative."""
    return all(f.convex and f.smooth and all(r.sign == 1 for r in f.bend_runs) for f in functions)


def minimise_at_vertex(structure: Structure, w):
    """Whether the risk under weights w (from large to small) is smallest at e_m alone.

    Returns
    -------
    Decision
        With rule ``minimisation``; a negative answer has a point of the simplex as its witness.
    """
    stage("minimising the risk over the simplex")
    open_step = "The risk could not be bounded over the whole simplex."
    at_vertex = structure.risk(vertex(0, len(w)), w, 200)
    others = (vertex(i, len(w)) for i in range(1, len(w)) if w[i] != w[i - 1])
    shown = next(filter(None, (witness("vertex", structure, corner, w) for corner in others)), None)
    if shown is not None:
        return Decision(False, "minimisation", (), shown)
    found = search(structure, w, at_vertex)
    if found is None:
        return Decision(None, "minimisation", (Step(open_step, status=Status.UNDECIDED),))
    if found is True:
        text = (
            "Every other stationary point of the weighted risk has a larger risk: lambda and the choice of stretches "
            "were subdivided and bounded by interval arithmetic."
        )
        return Decision(True, "minimisation", (step(text, status=Status.CERTIFIED, theorem="minimisation"),))
    text = "A point of the simplex with a risk not above the vertex's was found by minimisation."
    steps = (step(text, status=Status.CERTIFIED, theorem="minimisation"),)
    return denied("minimisation", steps, witness("vertex", structure, found, w))
