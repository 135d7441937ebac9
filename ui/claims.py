"""A claim on the page: its question in plain words, its verdict in words and colour, its steps as rendered formulas."""

import html
import re
from fractions import Fraction

import sympy

from alf.figures.palette import BAD, GOOD, NEUTRAL, UNSURE
from alf.theory import CLAIMS, Verdict
from alf.theory.ratios import Ratio
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


def condition(ratio: Ratio) -> str:
    """The asymmetry ratio and the condition it puts on the weights of the labels, as Markdown.

    >>> from alf.losses import parse
    >>> from alf.theory import ratio
    >>> condition(ratio(parse("mae")))
    'Asymmetry ratio $r = 1$ (proved): asymmetric wherever one label is the heaviest.'
    """
    if not ratio.defined or ratio.value is None:
        return f"Asymmetry ratio: {escape(ratio.steps[-1].statement)}"
    formula = ratio.formula if ratio.formula is not None and ratio.formula.free_symbols else ratio.exact
    known = f" ({WORDS[ratio.status]})"
    if ratio.exact is not None and ratio.exact.is_Integer:
        printed = f"r = {sympy.latex(formula)} = {ratio.exact}" if formula.free_symbols else f"r = {ratio.exact}"
        where = "wherever one label is the heaviest" if ratio.exact == 1 else "on no weights with a second label"
        return f"Asymmetry ratio ${printed}${known}: asymmetric {where}."
    if ratio.exact is not None:
        sign = r"\ge" if ratio.attained is False else ">"
        value = f"{ratio.value:.4g}" if ratio.value else "0"
        bound = rf" \approx {1 / ratio.value:.4g}" if ratio.value else ""
        return (
            rf"Asymmetry ratio $r = {sympy.latex(formula)} \approx {value}${known}: "
            rf"asymmetric exactly where $w_m / w_n {sign} 1/r{bound}$."
        )
    low, high = ratio.interval[0], ratio.upper_interval[1]
    if not low or not high:
        return rf"Asymmetry ratio $r \approx {ratio.value:.4g}$, upper ratio $\approx {ratio.upper_value:.4g}${known}."
    both = rf"Asymmetry ratio $r \approx {ratio.value:.4g}$, upper ratio $\approx {ratio.upper_value:.4g}${known}: "
    return both + (
        rf"asymmetric where $w_m / w_n > {1 / low:.4g}$, not where $w_m / w_n < {1 / high:.4g}$; between the two, and "
        "with three or more labels, only a search over the simplex decides."
    )


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
