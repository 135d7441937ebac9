"""A claim on the page: its question in plain words, its verdict in words and colour, its steps as rendered formulas."""

import html
import re
from fractions import Fraction

from alf.figures.palette import BAD, GOOD, NEUTRAL, UNSURE
from alf.theory import CLAIMS, Verdict
from ui.glossary import term

QUESTIONS = {
    "decreasing": "Does it fall as the label gets more probable?",
    "convex": "Is it convex?",
    "concave": "Is it concave?",
    "symmetric": "Is it symmetric?",
    "asymmetric": "Is it asymmetric on this noise?",
    "completely_asymmetric": "Is it asymmetric on every noise?",
    "noise_tolerant": "Does it tolerate this noise?",
    "calibrated": "Is it calibrated?",
    "excess_risk": "Does a small loss mean few mistakes?",
}
TERMS = {
    "symmetric": "symmetric",
    "asymmetric": "asymmetric",
    "completely_asymmetric": "completely asymmetric",
    "noise_tolerant": "noise tolerant",
    "calibrated": "calibrated",
    "excess_risk": "excess risk",
}
ANSWERS = {True: "Yes", False: "No"}
COLOURS = {
    "proved": GOOD,
    "certified": GOOD,
    "observed": UNSURE,
    "refuted": BAD,
    "undecided": UNSURE,
    "not_defined": NEUTRAL,
}
WORDS = {
    "proved": "proved",
    "certified": "certified",
    "observed": "only observed",
    "refuted": "refuted",
    "undecided": "undecided",
    "not_defined": "not defined",
}
assert tuple(QUESTIONS) == CLAIMS


def title(claim: str, verdict: Verdict | None) -> str:
    """The card's head: the question, and the answer with how it is known."""
    question = QUESTIONS[claim]
    if claim in TERMS:
        question = term(TERMS[claim], question)
    if verdict is None:
        return f'<div class="alf-claim"><h4>{question}</h4><span class="alf-chip alf-busy">working …</span></div>'
    light, dark = COLOURS[verdict.status]
    said = WORDS[verdict.status]
    answer = f"{ANSWERS[verdict.holds]} · {said}" if verdict.holds is not None else said.capitalize()
    chip = term(verdict.status, answer)
    return (
        f'<div class="alf-claim" style="--c:{light};--d:{dark}"><h4>{question}</h4>'
        f'<span class="alf-chip">{chip}</span></div>'
    )


def reason(verdict: Verdict) -> str:
    """The sentence that decided: the counterexample where there is one, the last step otherwise."""
    if verdict.witness is not None:
        return plain(verdict.witness.statement)
    return plain(verdict.steps[-1].statement) if verdict.steps else ""


def steps(verdict: Verdict) -> str:
    """Every step as Markdown: its sentence, its formula, and how it is known."""
    lines = []
    for number, step in enumerate(verdict.steps, 1):
        lines.append(f"**{number}.** {escape(step.statement)} *({WORDS[step.status]})*")
        if step.latex:
            lines.append(f"$$\n{step.latex}\n$$")
    if verdict.witness is not None:
        w = verdict.witness
        lines.append(f"**Counterexample.** {escape(w.statement)}")
        lines.append(f"$$\n({', '.join(_coordinate(x) for x in w.point)})\n$$")
        lines.append(f"{escape(w.labels[0])}: {w.value:.8g}, {escape(w.labels[1])}: {w.bound:.8g}")
    return "\n\n".join(lines)


def noise_in_words(spec: str) -> str:
    """A noise as a sentence names it.

    >>> noise_in_words("pair:0.4"), noise_in_words("none")
    ('40% pair noise', 'clean labels')
    """
    kind, _, rate = spec.partition(":")
    if kind == "none":
        return "clean labels"
    if kind == "matrix":
        return "this noise matrix"
    return f"{100 * float(Fraction(rate)):.4g}% {kind} noise"


def enough(regions: list[dict]) -> str:
    """What would be enough for the noise, as Markdown: each hyperparameter's boundary, the others as they are."""
    parts = []
    for region in regions:
        name = region["name"] if len(region["name"]) == 1 else rf"\mathrm{{{region['name']}}}".replace("_", r"\_")
        if region["relation"] in (">=", "<=") and region["value"] is not None:
            sign = r"\ge" if region["relation"] == ">=" else r"\le"
            middle = f" {region['formula']} =" if region["formula"] else ""
            parts.append(rf"${name} {sign}{middle} {region['value']:.4g}$".replace(" =", r" \approx"))
        elif region["relation"] == "always":
            parts.append(f"any ${name}$")
        elif region["relation"] == "never":
            parts.append(f"no ${name}$")
    if not parts:
        return ""
    ratio = ", $R = w_m / w_n$ of the hardest row" if any("R" in region["formula"] for region in regions) else ""
    return f"Enough for this noise, each with the others as they are: {'; '.join(parts)}{ratio}."


def plain(text: str) -> str:
    """A sentence of the library as HTML, its indices set as indices.

    >>> plain("p_m < 1")
    'p<sub>m</sub> &lt; 1'
    """
    return re.sub(r"\b([A-Za-z])_([a-z]{1,2}|\d)\b", r"\1<sub>\2</sub>", html.escape(text, quote=False))


def escape(text: str) -> str:
    """A sentence of the library inside Markdown: its stars, underscores and dollars are meant as they are."""
    for mark in "\\`*_$[]<>~|":
        text = text.replace(mark, "\\" + mark)
    return text


def _coordinate(value) -> str:
    text = str(value)
    return text if len(text) <= 9 and not isinstance(value, float) else rf"\approx {float(value):.6g}"
