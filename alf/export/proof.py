"""Verdicts as a stand-alone script that derives every claim in it from the loss, and exits 0 only if it could.

A script states one thing: a loss, a number of classes, a noise matrix and an answer to each claim, at the loss's values
and, where it could be derived, all over the domain that the author of a formula gave to its parameters. What leads from
the loss to the answer is derived by the script itself (`alf.export.checker`), which shares nothing with `alf.theory`.
It is run once before it is handed out: what it cannot derive is named in it and not claimed.
"""

import ast
from collections import Counter
from importlib.resources import files
from pprint import pformat
from typing import Any

import sympy

from alf.errors import InputError
from alf.export import checker
from alf.losses import Loss
from alf.losses.formula import Formula
from alf.numbers import exact_number, exact_text
from alf.theory.claims.scope import everywhere
from alf.theory.verdict import Status, Verdict

PARTS = ("interval", "reading", "program", "ends", "curve", "risk", "rules", "claims", "statement", "domain", "check")
"""The parts of the checker, in the order in which a script has them."""

CLAIMABLE = (Status.PROVED, Status.CERTIFIED, Status.REFUTED)

_HEAD = '''#!/usr/bin/env python3
"""A proof that checks itself: exits with status 0 only if every claim at its end is derived from the loss there.

It trusts Python, SymPy's reading, differentiation and algebra of formulas, and mpmath's arithmetic and elementary
functions to within 8 bits of 100; everything else is derived below, by intervals that cover (0, 1), the simplex and,
where a claim is about a domain of the parameters, that domain.
Needs SymPy (which brings mpmath). {loss}. Written by the Asymmetric Loss Explorer.
"""
'''


class NotExported(InputError):
    """A file that cannot be written; the sentence is meant for the reader."""


def proof_script(loss: Loss, noise, classes: int, verdicts: list[Verdict]) -> str:
    """The script as text.

    Parameters
    ----------
    loss : Loss
    noise : Noise or None
    classes : int
    verdicts : list of Verdict
        Answers that are proved, certified or refuted become claims where the script can derive them; others are named
        as not claimed.

    Raises
    ------
    NotExported
        Where the script derives the opposite of a verdict, or cannot read the loss.
    """
    return script_text(confirmed(statement(loss, noise, classes, verdicts)), loss.label)


def statement(loss: Loss, noise, classes: int, verdicts: list[Verdict]) -> dict:
    """What a script states, unchecked: one structure of plain texts and numbers."""
    names = {s: _name(s) for s in loss.expression.free_symbols}
    matrix = None if noise is None or noise.exact is None or noise.kind == "none" else noise.exact
    typed = loss.declaration if isinstance(loss.declaration, Formula) else None
    text = typed.text.partition(";")[0] if typed else str(loss.expression.xreplace(names))
    fixed = (item.partition("=") for item in typed.fixed) if typed else ()
    stated: dict[str, Any] = {
        "formula": text,
        "sums": {str(_name(s)): str(summand.xreplace(names)) for s, summand in loss.sums},
        "values": {
            **{name: str(exact_number(value)) for name, _, value in fixed},
            **{
                str(p.symbol if typed else _name(p.symbol)): str(loss.values[p.name])
                for p in loss.declaration.parameters
            },
        },
        "domain": {p.name: (str(p.domain.lower), str(p.domain.upper)) for p in loss.declaration.parameters}
        if typed
        else {},
        "classes": classes,
        "matrix": None if matrix is None else [_row(row) for row in matrix],
        "claims": [],
        "over": [],
        "points": {},
        "failing": {},
        "open": {},
        "open_over": {},
    }
    for verdict in verdicts:
        if verdict.holds is None or verdict.status not in CLAIMABLE:
            stated["open"][verdict.claim] = verdict.status.replace("_", " ")
            continue
        constant = verdict.claim == "excess_risk" and verdict.holds
        answer = _decimal(verdict.data["exact"]) if constant else verdict.holds
        stated["claims"].append((verdict.claim, answer))
        if everywhere(loss, verdict):
            stated["over"].append((verdict.claim, True))
        witness = verdict.witness
        if witness is not None and witness.point:
            point = _row(witness.point) if witness.weights else list(map(exact_text, witness.point))
            stated["points"][verdict.claim] = (point, _row(witness.weights) if witness.weights else None)
    return stated


def confirmed(stated: dict) -> dict:
    """The statement with the claims that its script derives; points are kept only where they are needed."""
    try:
        about = checker.Statement(stated)
    except (checker.NotDerived, ArithmeticError, ValueError, TypeError) as why:
        raise NotExported(f"The proof script cannot be written: it cannot read this loss ({why}).") from None
    claims, points, left = [], {}, dict(stated["open"])
    for claim, answer in stated["claims"]:
        for point in dict.fromkeys((None, claim)):
            try:
                checker.derive(about, claim, answer, stated["points"].get(point))
            except checker.NotDerived as why:
                left[claim] = f"the explorer's answer was not derived a second time: {why}"
                continue
            left.pop(claim, None)
            claims.append((claim, answer))
            if point and claim in stated["points"]:
                points[claim] = stated["points"][claim]
            break
        else:
            _contradiction(about, claim, answer)
    found = {**stated, "claims": claims, "points": points, "open": left}
    return {**found, **_over_the_domain(found)} if stated["domain"] else found


def _over_the_domain(stated: dict) -> dict:
    """What is claimed over the typed domain: where a claim holds at the values, that it holds for all, or where not."""
    domain, said = checker.Domain(stated), dict(stated["over"])
    over, failing, left = [], {}, {}
    for claim, answer in stated["claims"]:
        if answer is False:
            continue  # the stated values are of the domain
        if claim in checker.AT_VALUE_ALONE:
            left[claim] = "the number depends on the hyperparameters"
            continue
        try:
            domain.derive(claim, True)
        except checker.NotCovered as why:
            at = _fails(domain, claim, [*domain.points(), why.at])
            if at is None:
                left[claim] = str(why)
                continue
            if said.get(claim):
                raise NotExported(_disagreement(claim, f"holds{domain.words}", domain.fails(claim, at))) from None
            over.append((claim, False))
            failing[claim] = (at, None)
        else:
            over.append((claim, True))
    return {"over": over, "failing": failing, "open_over": left}


def _fails(domain, claim: str, places: list[dict]) -> dict | None:
    """The first of some values at which it is derived that a claim does not hold."""
    for values in places:
        try:
            domain.fails(claim, values)
        except checker.NotDerived:
            continue
        return values
    return None


def _contradiction(about, claim: str, answer) -> None:
    """Raise where the opposite of an answer is derived: then one of two derivations is wrong."""
    if not isinstance(answer, bool):
        return
    try:
        how = checker.derive(about, claim, not answer)
    except checker.NotDerived:
        return
    raise NotExported(_disagreement(claim, "holds" if answer else "does not hold", how))


def _disagreement(claim: str, said: str, how: str) -> str:
    return (
        f"The proof script cannot be written: {claim} was answered with '{said}', and the second derivation says the "
        f"opposite ({how}). One of the two is wrong; please report this loss."
    )


def script_text(stated: dict, label: str) -> str:
    """A statement as the text of a script."""
    imports, bodies = _parts()
    shown = pformat(stated, width=110, sort_dicts=False)
    head = _HEAD.format(loss=f"The loss is {label}".replace("\\", "").replace('"""', ""))
    last = 'if __name__ == "__main__":\n    raise SystemExit(check(STATEMENT))\n'
    return "\n".join([head, *imports, "", *bodies, f"\nSTATEMENT = {shown}\n\n", last])


def _parts() -> tuple[list[str], list[str]]:
    """The checker's parts without their docstrings and imports, and the imports of other packages, once each."""
    imports, bodies = set(), []
    for part in PARTS:
        source = files(checker).joinpath(f"{part}.py").read_text(encoding="utf-8")
        lines, tree = source.splitlines(), ast.parse(source)
        title = (ast.get_docstring(tree) or part).partition("\n")[0]
        dropped: set[int] = set()
        for node in tree.body:
            is_import = isinstance(node, ast.Import | ast.ImportFrom)
            if is_import or node is tree.body[0]:
                dropped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
            if is_import and not (isinstance(node, ast.ImportFrom) and str(node.module).startswith("alf.")):
                imports.add(ast.unparse(node))
        body = "\n".join(line for i, line in enumerate(lines) if i not in dropped).strip("\n")
        bodies.append(f"\n# {'=' * 100}\n# {title}\n\n{body}\n")
    return sorted(imports), bodies


def _name(symbol):
    """A symbol under a name that is none of SymPy's constants."""
    return sympy.Symbol(symbol.name + "_") if symbol.name in ("E", "I", "N", "O", "Q", "S_", "pi") else symbol


def _row(numbers) -> tuple[dict, str]:
    """Numbers as ({place: text}, the text everywhere else)."""
    rest = Counter(numbers).most_common(1)[0][0]
    return {i: exact_text(x) for i, x in enumerate(numbers) if x != rest}, exact_text(rest)


def _decimal(exact: str) -> str:
    """A number to twelve digits after the point."""
    return f"{sympy.N(sympy.sympify(exact), 40):.12f}"
