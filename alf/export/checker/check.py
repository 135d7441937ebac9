"""The check of a statement, which exits 0 only where every claim in it has been derived."""

import sympy

from alf.export.checker.domain import Domain
from alf.export.checker.interval import Undefined
from alf.export.checker.risk import NotDerived
from alf.export.checker.statement import Statement, derive


def check(stated, report=print):
    """0 if every claim of the statement is derived, 1 otherwise."""
    try:
        statement, domain = Statement(stated), Domain(stated)
    except (NotDerived, Undefined, sympy.SympifyError, SyntaxError, TypeError, ValueError, AttributeError) as why:
        report(f"FAILED: the statement was not understood: {why}")
        return 1

    def at_value(claim, answer):
        return derive(statement, claim, answer, stated["points"].get(claim))

    derived = [_derived(domain.here, claim, answer, report, at_value) for claim, answer in stated["claims"]]
    derived += [
        _derived(domain.words, claim, answer, report, domain.derive) for claim, answer in stated.get("over", ())
    ]
    for claim, answer in stated["open"].items():
        report(f"{claim}: not claimed here ({answer})")
    for claim, reason in stated.get("open_over", {}).items():
        report(f"{claim}: not claimed{domain.words}; certified at the stated value ({reason})")
    if not stated["claims"]:
        report("FAILED: nothing is claimed")
    return 0 if stated["claims"] and all(derived) else 1


def _derived(where, claim, answer, report, rule):
    """Whether a claim is derived; both are reported."""
    words = {True: "holds", False: "does not hold"}.get(answer, f"holds with the constant {answer}")
    try:
        how = rule(claim, answer)
    except NotDerived as why:
        report(f"FAILED: {claim} {words}{where}: not derived: {why}")
        return False
    report(f"{claim} {words}{where}: {how}")
    return True
