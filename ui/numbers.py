"""The asymmetry ratio and the noise a loss tolerates, as figures a reader can take in at a glance."""

import streamlit as st
import sympy

from alf.figures.palette import Style, styles
from alf.losses import Loss, parse
from alf.theory import critical_noise, ratio
from ui.controls import swatch
from ui.glossary import term

CRITICAL = (
    r"$\eta^{*}_{\mathrm{sym}} = \frac{r\,(K-1)}{1 + r\,(K-1)} \qquad "
    r"\eta^{*}_{\mathrm{pair}} = \frac{r_{\mathrm{up}}}{1 + r_{\mathrm{up}}}$"
)
WORDS = {
    "proved": "proved for every parameter in this range",
    "certified": "certified by interval arithmetic",
    "undecided": "bracketed only",
}


def section(specs: tuple[str, ...], classes: int) -> None:
    """A card for every loss, and the formulas that all of them share."""
    shown = styles(parse(spec).key for spec in specs)
    with st.container(key="numbers-head"):
        st.markdown(
            '<h2 class="alf-h2">How much noise it can stand</h2>\n\n'
            f"Below these shares of wrong labels the best prediction stays the clean label: {CRITICAL}",
            unsafe_allow_html=True,
        )
    st.markdown(
        '<div class="alf-cards">\n\n'
        + "\n\n".join(card(spec, classes, style) for spec, style in zip(specs, shown, strict=True))
        + "\n\n</div>",
        unsafe_allow_html=True,
    )


@st.cache_data(max_entries=1024, show_spinner=False)
def card(spec: str, classes: int, style: Style) -> str:
    """A loss's formula, ratios and critical noise rates, as Markdown with HTML around the formulas."""
    loss = parse(spec)
    found = ratio(loss)
    head = swatch(style, f"{loss.name}<small>{loss.label.removeprefix(loss.name).strip(' ()')}</small>")
    colours = f'style="--c:{style.color};--d:{style.dark}"'
    parts = [f'<div class="alf-card" {colours}>', head, "", rf"$\displaystyle \ell = {loss.latex()}$", ""]
    if found.defined and found.value is not None:
        critical = critical_noise(found, classes)
        parts.append('<div class="alf-stats">')
        parts.append(_stat(term("asymmetry ratio"), _number(found.value, found.interval), found.value))
        parts.append(_stat(term("upper ratio"), _number(found.upper_value, found.upper_interval), found.upper_value))
        parts.append(
            _stat(
                term("symmetric noise"),
                _share(critical.symmetric, critical.symmetric_interval),
                critical.symmetric,
            )
        )
        parts.append(_stat(term("pair noise"), _share(critical.pair, critical.pair_interval), critical.pair))
        parts += ["</div>", ""]
        parts.append(_reason(loss, found))
    else:
        parts += ["", f'<p class="alf-note">{found.steps[-1].statement}</p>', ""]
    return "\n".join([*parts, "", "</div>"])


def _reason(loss: Loss, found) -> str:
    formula = ""
    if found.formula is not None and found.formula.free_symbols:
        formula = f" = {sympy.latex(found.formula)}"
    elif found.exact is not None and not found.exact.is_Integer:
        formula = f" = {sympy.latex(found.exact)}"
    if found.value == 0:
        formula += " = 0"
    text = f"$r{formula}$, {WORDS[found.status]}." if formula else f"{WORDS[found.status].capitalize()}."
    return f'<div class="alf-note">\n\n{text}\n\n</div>'


def _stat(label: str, shown: str, width: float) -> str:
    return (
        f'<div class="alf-stat"><b>{shown}</b><span class="alf-label">{label}</span>'
        f'<i style="--w:{max(0.0, min(1.0, width)):.1%}"></i></div>'
    )


def _number(value: float, interval: tuple[float, float]) -> str:
    """Four decimals, or the bracket where the four are not certain."""
    if interval[1] - interval[0] < 1e-3 or interval[1] - interval[0] <= 2e-3 * value:
        return f"{value:.4f}" if value not in (0, 1) else f"{value:.0f}"
    return f"{interval[0]:.3f} … {interval[1]:.3f}"


def _share(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None:
        return "—"
    if interval and interval[1] - interval[0] > 1e-3:
        return f"{interval[0]:.1%} … {interval[1]:.1%}"
    return "none" if value == 0 else f"{value:.1%}"
