"""The claims asymmetric and noise tolerant, about the rows of a noise matrix."""

from alf.losses import Loss
from alf.theory.asymmetry.decide import decide
from alf.theory.asymmetry.decision import Decision
from alf.theory.verdict import Status, Step, Verdict, applied, holds, not_defined, refuted, step, undecided
from alf.theory.witnesses.witness import witness


def on_noise(claim: str, loss: Loss, noise) -> Verdict:
    """One of the two claims about a noise matrix, decided row by row."""
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
        "margin": decided.margin,
        "rule": decided.rule,
    }
    steps = _row_steps(decisions, noise.classes)
    if decided.holds is False:
        return refuted(claim, steps, decided.witness, data)
    if decided.holds is None:
        return undecided(claim, "The property was not settled for at least one row of the noise matrix.", steps, data)
    if tied and not tolerant:
        return Verdict(claim, Status.NOT_DEFINED, None, (*steps, Step(text, status=Status.NOT_DEFINED)), None, data)
    if tolerant:
        steps.append(applied("noise-tolerance"))
    return holds(claim, steps, data)


def _deciding(decisions: list[Decision]) -> Decision:
    """The row that the answer hangs on: one that fails, else one left open, else the one with the least margin."""
    for answer in (False, None):
        for decision in decisions:
            if decision.holds is answer:
                return decision
    noisy = [d for d in decisions if d.rule != "clean"] or decisions
    return min(noisy, key=lambda d: float("inf") if d.margin is None else d.margin)


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
        status = Status.UNDECIDED if decision.holds is None else Status.PROVED
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
