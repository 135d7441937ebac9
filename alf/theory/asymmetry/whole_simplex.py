"""The rule that minimises the risk over the whole simplex."""

from alf.theory.asymmetry.decision import Decision, denied
from alf.theory.progress import stage
from alf.theory.risk.minimisation import search
from alf.theory.risk.structure import Structure, vertex
from alf.theory.verdict import Status, Step, step
from alf.theory.witnesses.witness import witness


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
    for i in range(1, len(w)):
        if w[i] == w[i - 1]:
            continue
        shown = witness("vertex", structure, vertex(i, len(w)), w)
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
