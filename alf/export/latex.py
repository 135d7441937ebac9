"""Verdicts as a LaTeX document."""

import re

from alf.theory.theorems import THEOREMS
from alf.theory.verdict import Verdict

_ANSWERS = {True: "holds", False: "does not hold", None: "is open"}
_TITLES = {
    "decreasing": "The loss decreases strictly",
    "convex": "The loss is convex",
    "concave": "The loss is concave",
    "symmetric": "The loss is symmetric",
    "asymmetric": "The loss is asymmetric on the rows of the noise matrix",
    "completely_asymmetric": "The loss is completely asymmetric",
    "noise_tolerant": "The loss tolerates this noise",
    "calibrated": "The loss is classification calibrated",
    "excess_risk": "Excess risk bound",
}


def latex_document(loss, noise, classes: int, verdicts: list[Verdict]) -> str:
    """The proofs as a document that compiles with any LaTeX.

    Parameters
    ----------
    loss : Loss
    noise : Noise or None
    classes : int
    verdicts : list of Verdict

    Examples
    --------
    >>> from alf.losses import parse
    >>> from alf.theory import prove
    >>> text = latex_document(parse("mae"), None, 3, [prove("decreasing", parse("mae"))])
    >>> text.startswith(chr(92) + "documentclass"), "proved" in text
    (True, True)
    """
    noise_text = "none" if noise is None else noise.spec
    lines = [
        r"\documentclass{article}",
        r"\usepackage{amsmath,amssymb}",
        r"\begin{document}",
        rf"\section*{{{escape(loss.label)}}}",
        rf"Loss \texttt{{{escape(loss.spec)}}}, noise \texttt{{{escape(noise_text)}}}, $K = {classes}$ classes:",
        r"\begin{align*} L(u, y) &= " + loss.latex(values=True) + r" \end{align*}",
    ]
    for verdict in verdicts:
        lines += _section(verdict)
    return "\n".join([*lines, r"\end{document}", ""])


def _section(verdict: Verdict) -> list[str]:
    title = _TITLES.get(verdict.claim, verdict.claim)
    lines = [rf"\subsection*{{{title}}}", rf"The claim {_ANSWERS[verdict.holds]} ({escape(verdict.status)})."]
    if verdict.steps:
        lines.append(r"\begin{enumerate}")
        for one in verdict.steps:
            known = f"{one.status}; {THEOREMS[one.theorem].name}" if one.theorem else one.status
            lines.append(rf"\item {escape(one.statement)} \emph{{({escape(known)})}}")
            if one.latex:
                lines.append(rf"\[ {one.latex} \]")
        lines.append(r"\end{enumerate}")
    if verdict.witness is not None:
        lines += _witness(verdict.witness.to_json())
    return lines


def _witness(witness: dict) -> list[str]:
    point = ", ".join(str(x) for x in witness["point"])
    first, second = witness["labels"]
    value, bound = witness["shown"]
    lines = [rf"Witness: {escape(witness['statement'])}"]
    if point:
        lines.append(rf"\[ ({point}) \]")
    if witness["weights"]:
        lines.append(rf"with weights $({', '.join(str(w) for w in witness['weights'])})$:")
    lines.append(rf"{escape(first)} ${_number(value)}$, {escape(second)} ${_number(bound)}$.")
    return lines


def _number(text: str) -> str:
    text = re.sub(r"e([-+]?\d+)", lambda m: rf" \cdot 10^{{{int(m[1])}}}", text)
    return text.replace("inf", r"\infty")


_ESCAPED = str.maketrans(
    {character: "\\" + character for character in "&%$#_{}"}
    | {"\\": r"\textbackslash ", "~": r"\textasciitilde ", "^": r"\textasciicircum ", "<": "$<$", ">": "$>$"}
)


def escape(text: str) -> str:
    r"""Text safe in LaTeX.

    >>> escape("a_1 & 5%")
    'a\\_1 \\& 5\\%'
    """
    return text.translate(_ESCAPED)
