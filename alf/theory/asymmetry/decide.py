"""Asymmetry on given label weights: which rule decides, with what margin, and the point that refutes.

L is asymmetric on w when the weighted risk R(u) = sum_i w_i L(u, i) is minimised exactly where the loss for the most
likely label m is: at the vertex e_m. Losses without a value at a vertex (normalised cross entropy) are judged by
minimising sequences, that is by the lower limit of R there.
"""

from fractions import Fraction
from functools import lru_cache

from alf.losses import Loss
from alf.theory.arithmetic.balls import one_at_a_time
from alf.theory.asymmetry.decision import Decision
from alf.theory.asymmetry.normalised import decide_mixed, decide_normalised
from alf.theory.asymmetry.pointwise import decide_pointwise
from alf.theory.asymmetry.separable import decide_separable
from alf.theory.risk.structure import structure_of
from alf.theory.verdict import Status, Step, applied


@one_at_a_time
def decide(loss: Loss, weights) -> Decision:
    """Whether a loss is asymmetric on label weights.

    Parameters
    ----------
    loss : Loss
    weights : sequence of Fraction
        Non-negative, one per class, with a unique largest entry.

    Examples
    --------
    >>> from alf.losses import parse
    >>> decide(parse("ael:a=2.5"), [Fraction(6, 10), Fraction(4, 10)]).holds
    True
    """
    weights = tuple(Fraction(w) for w in weights)
    order = sorted(range(len(weights)), key=lambda i: -weights[i])
    if weights[order[0]] == weights[order[1]]:
        raise ValueError("the weights have no unique largest entry")
    found = _decide_sorted(loss, tuple(weights[i] for i in order))
    moved = None if found.witness is None else found.witness.reordered(order, weights)
    return Decision(found.holds, found.rule, found.steps, moved, found.margin, weights)


@lru_cache(maxsize=4096)
def _decide_sorted(loss: Loss, w: tuple[Fraction, ...]) -> Decision:
    """The same with the weights from large to small."""
    if w[1] == 0:
        return Decision(True, "clean", (applied("one-label"),))
    structure = structure_of(loss, len(w))
    if structure is None:
        return Decision(None, "none", (Step("No rule covers this form of loss.", status=Status.UNDECIDED),))
    if structure.pointwise:
        return decide_pointwise(loss, structure, w)
    if structure.separable:
        return decide_separable(structure, w)
    if len(structure.normalised) == 1 and structure.h == 0 and structure.sigma == 0:
        return decide_normalised(structure, w)
    return decide_mixed(loss, structure, w)
