"""A claim on the page: its question in plain words, its verdict in words and colour, its steps as rendered formulas."""

import html
import itertools
import re
from fractions import Fraction

from alf.numbers import finite_decimal
from alf.settings import settings
from alf.theory import CLAIMS, Verdict
from alf.theory.theorems import THEOREMS
from alf.theory.verdict import Status
from ui.asking.jobs import KnownRatio
from ui.words.glossary import hinted, term
from ui.words.statuses import COLOURS, word

QUESTIONS = {
    "decreasing": "Does the loss fall as the label gets more probable?",
    "convex": "Is the loss convex?",
    "concave": "Is the loss concave?",
    "symmetric": "Is the loss symmetric?",
    "asymmetric": "Is the loss asymmetric on this noise?",
    "completely_asymmetric": "Is the loss asymmetric on every noise?",
    "noise_tolerant": "Does the loss tolerate this noise?",
    "calibrated": "Is the loss calibrated?",
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


assert tuple(QUESTIONS) == CLAIMS


def title(claim: str, verdict: Verdict | None) -> str:
    """The card's head: the question, and the answer with how it is known."""
    question = QUESTIONS[claim]
    if claim in TERMS:
        question = term(TERMS[claim], question)
    if verdict is None:
        return f'<div class="alf-claim"><h4>{question}</h4><span class="alf-chip alf-busy">working …</span></div>'
    light, dark = COLOURS[verdict.status]
    said = word(verdict.status)
    answer = f"{ANSWERS[verdict.holds]} · {said}" if verdict.holds is not None else said.capitalize()
    chip = term(verdict.status, answer)
    return (
        f'<div class="alf-claim" style="--c:{light};--d:{dark}"><h4>{question}</h4>'
        f'<span class="alf-chip">{chip}</span></div>'
    )


def reason(verdict: Verdict) -> str:
    """The sentence that decided, the counterexample where there is one, and for which hyperparameters it did."""
    said = verdict.witness.statement if verdict.witness is not None else verdict.steps[-1].statement
    domain = verdict.data.get("domain", "")
    return typeset(said) + (f" <small>{typeset(domain[0].upper() + domain[1:])}.</small>" if domain else "")


def steps(verdict: Verdict) -> str:
    """Every step as Markdown with HTML in it: its sentence, how it is known, the theorem it applies, its formula."""
    lines = []
    for place, step in enumerate(verdict.steps, 1):
        lines.append(f"**{place}.** {typeset(step.statement)} *({word(step.status)})*{_theorem(step.theorem)}")
        if step.latex:
            lines.append(f"$$\n{step.latex}\n$$")
    if verdict.witness is not None:
        w = verdict.witness
        lines.append(f"**Counterexample.** {typeset(w.statement)}")
        if w.point:
            lines.append(f'<span class="alf-vector">{vector(w.point)}</span>')
        lines.append(f"{typeset(w.labels[0])}: {raised(w.shown[0])}, {typeset(w.labels[1])}: {raised(w.shown[1])}")
    return "\n\n".join(lines)


def _theorem(key: str) -> str:
    """The theorem's name, its statement as a hint, and a link where the documentation has an address."""
    if not key:
        return ""
    theorem, documentation = THEOREMS[key], settings().docs_url
    hint = f"{theorem.statement} It needs: {'; '.join(theorem.hypotheses)}."
    address = f"{documentation.rstrip('/')}/theorems/#{key}" if documentation else ""
    return f" · {hinted(typeset(theorem.name), hint, address)}"


def vector(point) -> str:
    """A point in HTML that may wrap; from the fifth on, equal neighbours are counted.

    >>> vector((Fraction(1, 2), *[Fraction(1, 14)] * 7))
    '(1/2, 1/14 at each of the 7 others)'
    >>> vector((Fraction(9, 10), Fraction(1, 10)))
    '(9/10, 1/10)'
    """
    parts: list[str] = []
    runs = [(value, len(list(run))) for value, run in itertools.groupby(point)]
    for place, (value, count) in enumerate(runs):
        if count < 5:
            parts += [coordinate(value)] * count
        else:
            where = "others" if place == len(runs) - 1 and place else "next"
            parts.append(f"{coordinate(value)} at each of the {count} {where}")
    return f"({', '.join(parts)})"


def coordinate(value) -> str:
    """A number of a point: a short fraction as it is, anything else to six digits."""
    text = str(value)
    if len(text) <= 9 and not isinstance(value, float):
        return text
    return f"≈ {raised(f'{float(value):.6g}')}" if float(value) else "a positive number below every double"


def raised(text: str) -> str:
    """A number's text in HTML, its exponent raised.

    >>> raised("0.2 - 3.1e-130"), raised("-inf"), raised("0.25")
    ('0.2 − 3.1·10<sup>−130</sup>', '−∞', '0.25')
    """
    text = text.replace("-", "−").replace("inf", "∞")
    return re.sub(r"e([−+])0*(\d+)", lambda m: f"·10<sup>{m[1].strip('+')}{m[2]}</sup>", text)


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


def decimal(exact: str) -> str:
    """A rational number with a finite decimal expansion, in LaTeX and in full: rounding could leave its range.

    >>> decimal("1"), decimal("1233/500"), decimal("9537/1000000000"), decimal("-12500")
    ('1', '2.466', '9.537 \\\\cdot 10^{-6}', '-12500')
    """
    number = finite_decimal(Fraction(exact))
    digits, _, power = f"{number:e}".partition("e")
    return f"{number:f}" if -4 <= int(power) < 6 else rf"{digits} \cdot 10^{{{int(power)}}}"


def values_in_words(region: dict, mathematics: bool = False) -> str:
    """The values of a hyperparameter that tolerate the noise, in words, or the same with LaTeX for Markdown.

    >>> found = {"name": "a", "everywhere": False, "intervals": [["127/250", "246/125"], ["5", None]]}
    >>> values_in_words(found)
    'a from 0.508 to 1.968, or from 5'
    >>> values_in_words(found | {"intervals": []}, mathematics=True), values_in_words(found | {"everywhere": True})
    ('no $a$', 'any a')
    """
    name = region["name"]
    if mathematics:
        letter = name if len(name) == 1 else rf"\mathrm{{{name}}}".replace("_", r"\_")
        name = f"${letter}$"
    if region["everywhere"] or [None, None] in region["intervals"]:
        return f"any {name}"
    if not region["intervals"]:
        return f"no {name}"

    def number(end: str) -> str:
        return f"${decimal(end)}$" if mathematics else f"{float(Fraction(end)):.15g}"

    parts = []
    for low, high in region["intervals"]:
        if low is None or high is None:
            parts.append(f"up to {number(high)}" if low is None else f"from {number(low)}")
        else:
            parts.append(f"at {number(low)}" if low == high else f"from {number(low)} to {number(high)}")
    return f"{name} {', or '.join(parts)}"


def tolerant_values(regions: list[dict]) -> str:
    """Which values tolerate the noise, as Markdown: each hyperparameter's, the others as they are.

    >>> found = {"name": "a", "status": "proved", "everywhere": False, "intervals": [["1233/500", None]]}
    >>> tolerant_values([found | {"formulas": []}])
    'The loss tolerates this noise for $a$ from $2.466$.'
    """
    parts = []
    for region in regions:
        if not region["intervals"] and region["status"] not in (Status.PROVED, Status.CERTIFIED, Status.OBSERVED):
            continue  # late, or not settled
        said = values_in_words(region, mathematics=True)
        if region["formulas"]:
            said += f" ({' and '.join(f'${formula}$' for formula in region['formulas'])} rounded)"
        how = {Status.OBSERVED: ", as far as tested", Status.UNDECIDED: ", the rest is not settled"}
        parts.append(said + how.get(region["status"], ""))
    if not parts:
        return ""
    alone = ", the other hyperparameters as they are" if len(regions) > 1 else ""
    ratio = ", with $R = w_m / w_n$ of the hardest row" if any(region["formulas"] for region in regions) else ""
    return f"The loss tolerates this noise for {'; or for '.join(parts)}{alone}{ratio}."


def condition(ratio: KnownRatio) -> str:
    """The asymmetry ratio and the condition it puts on the weights of the labels, as Markdown.

    >>> from ui.asking.jobs import ratio
    >>> condition(ratio("mae"))
    'Asymmetry ratio $r = 1$ (proved): the loss is asymmetric wherever one label has the largest weight.'
    """
    if not ratio.defined or ratio.value is None:
        return f"Asymmetry ratio: {typeset(ratio.reason)}"
    formula = ratio.formula or ratio.exact
    known = f" ({word(ratio.status)})"
    if ratio.whole is not None:
        printed = f"r = {ratio.formula} = {ratio.whole}" if ratio.formula else f"r = {ratio.whole}"
        where = (
            "wherever one label has the largest weight" if ratio.whole == 1 else "only where a single label has weight"
        )
        return f"Asymmetry ratio ${printed}${known}: the loss is asymmetric {where}."
    if formula:
        sign = r"\ge" if ratio.attained is False else ">"
        value = f"{ratio.value:.4g}" if ratio.value else "0"
        bound = rf" \approx {1 / ratio.value:.4g}" if ratio.value else ""
        return (
            rf"Asymmetry ratio $r = {formula} \approx {value}${known}: "
            rf"the loss is asymmetric exactly where $w_m / w_n {sign} 1/r{bound}$."
        )
    low, high = ratio.interval[0], ratio.upper_interval[1]
    if not low or not high:
        return rf"Asymmetry ratio $r \approx {ratio.value:.4g}$, upper ratio $\approx {ratio.upper_value:.4g}${known}."
    both = rf"Asymmetry ratio $r \approx {ratio.value:.4g}$, upper ratio $\approx {ratio.upper_value:.4g}${known}: "
    return both + (
        rf"the loss is asymmetric where $w_m / w_n > {1 / low:.4g}$, and is not where $w_m / w_n < {1 / high:.4g}$; "
        "between the two, and with three or more labels, only a search over the simplex decides."
    )


GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "eta": "η", "lambda": "λ", "phi": "φ",
         "psi": "ψ", "sigma": "σ"}  # fmt: skip


_SIGNS = {"-&gt;": "→", "&lt;=": "≤", "&gt;=": "≥", "!=": "≠", "&#x27;&#x27;": "″", "&#x27;": "′"}


def typeset(text: str) -> str:
    """A sentence of the library as HTML, also inside Markdown: its mathematics set as such, its marks as they are.

    >>> typeset("p_m < 1"), typeset("l''(u) >= 0, sum_i phi(u_i) -> r_up - u2")
    ('p<sub>m</sub> &lt; 1', 'ℓ″(u) ≥ 0, ∑<sub>i</sub> φ(u<sub>i</sub>) → r<sub>up</sub> − u<sub>2</sub>')
    >>> typeset("u_y**q and 2**-40 of [x](y)")
    'u<sub>y</sub><sup>q</sup> and 2<sup>−40</sup> of &#91;x](y)'
    """
    text = html.escape(text)
    for written, sign in _SIGNS.items():
        text = text.replace(written, sign)
    text = re.sub(r"\b(" + "|".join(GREEK) + r")(?=\b|_)", lambda m: GREEK[m[1]], text)
    text = re.sub(r"\bsum(?=_| [φℓ])", "∑", text)
    text = re.sub(r"\bl(?=[(′″])|\bl(?= (?:is|has|decreases|does|falls|rises)\b)", "ℓ", text)
    text = re.sub(r"(?<= )-(?= )", "−", text)
    text = re.sub(r"(?<![\w/])([A-Za-zα-ω∑])_([A-Za-z]{1,2}|\d)\b", r"\1<sub>\2</sub>", text)
    text = re.sub(r"\bu([12])\b", r"u<sub>\1</sub>", text)
    text = re.sub(
        r"(?<=[\w)>])(?:\*\*|\^)(-?\w+|\(.*?\))", lambda m: f"<sup>{m[1].strip('()').replace('-', '−')}</sup>", text
    )
    return re.sub(r"[\\`*_$\[~|]", lambda m: f"&#{ord(m[0])};", text)
