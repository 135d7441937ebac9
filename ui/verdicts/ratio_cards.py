"""The asymmetry ratio and the noise a loss tolerates, as figures a reader can take in at a glance."""

import html

import streamlit as st

from alf.figures.base import names
from alf.figures.palette import Style
from alf.losses import Loss, parse
from alf.numbers import four_places
from alf.theory import critical_noise
from alf.theory.verdict import Status
from ui.asking.jobs import KnownRatio
from ui.asking.page_questions import latex_of, ratio_of
from ui.controls.losses import named, swatch
from ui.words.glossary import term
from ui.words.verdict_words import typeset

CRITICAL = (
    r"$\eta^{*}_{\mathrm{sym}} = \frac{r\,(K-1)}{1 + r\,(K-1)} \qquad "
    r"\eta^{*}_{\mathrm{pair}} = \frac{r_{\mathrm{up}}}{1 + r_{\mathrm{up}}}$"
)


WORDS = {
    Status.PROVED: "proved",
    Status.CERTIFIED: "certified by interval arithmetic",
    Status.UNDECIDED: "bracketed only",
}


def rest_note(specs: tuple[str, ...]) -> str:
    """Where the remaining probability goes in the curves of losses that depend on it, as HTML; empty without one.

    >>> rest_note(("ce", "mae"))
    ''
    """
    whole = names([loss.name for loss in map(parse, specs) if not loss.pointwise])
    if not whole:
        return ""
    shared = term("equal shares", "shared equally by the other classes")
    return f'<p class="alf-note">{html.escape(whole)}: the remaining probability 1 − u is {shared}.</p>'


def ratio_cards(specs: tuple[str, ...], classes: int) -> None:
    """A card for every loss, and the formulas that all of them share; looks again while a ratio is being worked on."""
    waiting = any(ratio_of(spec) is None for spec in specs)
    st.fragment(_cards, run_every=0.3 if waiting else None, key="numbers-live")(specs, classes, waiting)


def _cards(specs: tuple[str, ...], classes: int, waiting: bool) -> None:
    found = {spec: ratio_of(spec) for spec in specs}
    cards = [card(loss, classes, style, found[loss.spec]) for loss, _, style in named(map(parse, specs))]
    st.markdown(
        '<h2 class="alf-h2">How much noise each loss tolerates</h2>\n\n'
        f"Below these critical noise rates the best prediction stays the clean label:\n\n{CRITICAL}\n\n"
        '<div class="alf-cards">\n\n' + "\n\n".join(cards) + "\n\n</div>",
        unsafe_allow_html=True,
    )
    if waiting and None not in found.values():
        st.rerun()


def card(loss: Loss, classes: int, style: Style, found: KnownRatio | None) -> str:
    """A loss's formula, ratios and critical noise rates, as Markdown with HTML around the formulas."""
    colours, latex = f'style="--c:{style.color};--d:{style.dark}"', latex_of(loss.spec)
    formula = rf"$\displaystyle \ell = {latex}$" if latex else ""
    parts = [f'<div class="alf-card" {colours}>', swatch(style, loss), "", formula, ""]
    if found is None:
        parts += ["", '<p class="alf-note">The ratio is being worked out …</p>', ""]
    elif found.defined and found.value is not None:
        critical = critical_noise(found, classes)
        parts.append('<div class="alf-stats">')
        parts.append(_stat("ratio", term("asymmetry ratio"), _number(found.value, found.interval), found.value))
        parts.append(
            _stat("upper", term("upper ratio"), _number(found.upper_value, found.upper_interval), found.upper_value)
        )
        parts.append(
            _stat(
                "symmetric",
                term("symmetric noise"),
                _share(critical.symmetric, critical.symmetric_interval),
                critical.symmetric,
            )
        )
        parts.append(_stat("pair", term("pair noise"), _share(critical.pair, critical.pair_interval), critical.pair))
        parts += ["</div>", "", _reason(found)]
    else:
        parts += ["", f'<p class="alf-note">{typeset(found.reason)}</p>', ""]
    return "\n".join([*parts, "", "</div>"])


def _reason(found: KnownRatio) -> str:
    formula = ""
    if found.formula:
        formula = f" = {found.formula}"
    elif found.exact and found.whole is None:
        formula = f" = {found.exact}"
    if found.value == 0:
        formula += " = 0" if found.whole == 0 else r" \approx 0"
    how = f"{WORDS[found.status]} {typeset(found.domain)}".rstrip()
    text = f"$r{formula}$, {how}." if formula else f"{how[:1].upper()}{how[1:]}."
    return f'<div class="alf-note">\n\n{text}\n\n</div>'


def _stat(name: str, label: str, shown: str, width: float) -> str:
    return (
        f'<div class="alf-stat" data-stat="{name}"><b>{shown}</b><span class="alf-label">{label}</span>'
        f'<i style="--w:{max(0.0, min(1.0, width)):.1%}"></i></div>'
    )


def _number(value: float, interval: tuple[float, float]) -> str:
    """Four decimals, or the bracket where the four are not certain."""
    if interval[1] - interval[0] < 1e-3 or interval[1] - interval[0] <= 2e-3 * value:
        return four_places(value)
    return f"{interval[0]:.3f} … {interval[1]:.3f}"


def _share(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "—"
    if interval and interval[1] - interval[0] > 1e-3:
        return f"{interval[0]:.1%} … {interval[1]:.1%}"
    return "none" if value == 0 else f"{value:.1%}"
