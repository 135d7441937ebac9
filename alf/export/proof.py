"""Verdicts as a stand-alone script that derives every step again and exits 0 only if all of them hold.

The script needs SymPy and mpmath. It states the loss, and for each claim facts with the numbers, signs and relations
that they rest on; each is computed again from the loss and compared digit by digit, so that no sign or constant can be
changed unnoticed.
"""

from pathlib import Path
from pprint import pformat

import sympy

from alf.export import checker
from alf.losses import K, Loss
from alf.theory.structure import structure_of
from alf.theory.verdict import Verdict, exact_text


def proof_script(loss: Loss, noise, classes: int, verdicts: list[Verdict]) -> str:
    """The script as text.

    Parameters
    ----------
    loss : Loss
    noise : Noise or None
    classes : int
    verdicts : list of Verdict
        Claims that are open or not defined have nothing to check and are left out.
    """
    statement = _loss(loss, classes)
    derived = checker.Loss(**statement)
    proof = []
    for verdict in verdicts:
        if verdict.holds is None:
            continue
        facts = [fact for one in verdict.steps for fact in _facts(one.check, derived)]
        facts += _witness_facts(verdict, derived)
        facts += _own_facts(verdict, derived)
        proof.append((verdict.claim, verdict.holds, list(dict.fromkeys(facts))))
    body = Path(checker.__file__).read_text(encoding="utf-8")
    code = body.split('"""\n', 1)[1]
    return (
        "#!/usr/bin/env python3\n"
        '"""A proof that checks itself: exits with status 0 only if every statement below can be derived again.\n\n'
        'Needs SymPy and mpmath. Written by the Asymmetric Loss Explorer.\n"""\n'
        + code
        + f"\n\nLOSS = {pformat(statement, width=110, sort_dicts=False)}\n\nPROOF = {pformat(proof, width=110)}\n\n\n"
        'if __name__ == "__main__":\n    raise SystemExit(check(LOSS, PROOF))\n'
    )


def _loss(loss: Loss, classes: int) -> dict:
    """The loss as text: its formula, its values, and the parts of its risk."""
    structure = structure_of(loss, classes)
    values = {p.symbol.name: str(loss.values[p.name]) for p in loss.declaration.parameters}
    return {
        "formula": str(loss.expression.subs(K, sympy.Symbol("K"))),
        "sums": {str(s): str(summand) for s, summand in loss.sums},
        "values": values,
        "classes": classes,
        "normalised": [(str(p.weight), str(p.summand)) for p in structure.normalised],
        "h": str(structure.h),
        "sigma": str(structure.sigma),
    }


def _facts(check: tuple, loss: "checker.Loss") -> list[tuple]:
    """A step's facts, with the digits that pin them."""
    if not check:
        return []
    kind, expression, *more = check
    name = expression
    if loss.same(expression):
        name = "l"
    if kind in ("sign", "limit", "ratio", "number", "zero", "bracket", "constant"):
        return [(kind, name, *more, *checker.digits(kind, loss, name, *more))]
    raise ValueError(f"no fact of kind {kind}")


def _witness_facts(verdict: Verdict, loss: "checker.Loss") -> list[tuple]:
    witness = verdict.witness
    if witness is None:
        separate = verdict.data.get("separating_point")
        return [] if separate is None else [_separating(separate, loss)]
    point, weights = tuple(map(exact_text, witness.point)), tuple(map(exact_text, witness.weights))
    if verdict.claim in ("decreasing", "convex", "concave"):
        return [("curve", verdict.claim, point, *checker.digits("curve", loss, verdict.claim, point))]
    if verdict.claim == "symmetric":
        return [("sums", point, *checker.digits("sums", loss, point))]
    if witness.kind == "dominance":
        return [("rows", weights, *checker.digits("rows", loss, weights, float(witness.value), float(witness.bound)))]
    kind = {"limit": "least at e_m", "least": "least" if loss.normalised else "tie"}.get(witness.kind, witness.kind)
    return [("risk", kind, weights, point, *checker.digits("risk", loss, kind, weights, point))]


def _separating(point: dict, loss: "checker.Loss") -> tuple:
    p, u = tuple(map(str, point["weights"])), tuple(map(str, point["point"]))
    return ("separates", p, u, *checker.digits("separates", loss, p, u))


def _own_facts(verdict: Verdict, loss: "checker.Loss") -> list[tuple]:
    """What a claim is about, beyond its steps: the structure of the loss, the rows of the noise."""
    facts = [("parts", *checker.digits("parts", loss))]
    for row in verdict.data.get("rows", ()):
        weights = tuple(row["shares"])
        facts.append(("share", weights, *checker.digits("share", loss, weights)))
    if verdict.holds and verdict.claim == "calibrated":
        facts += [("falls", *checker.digits("falls", loss))]
    return facts
