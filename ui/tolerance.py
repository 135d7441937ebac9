"""Which losses tolerate a noise: every loss of the catalogue and the reader's own, answered one by one, as a table."""

import html
import math
from urllib.parse import urlencode

import streamlit as st

from alf.figures.palette import style
from alf.losses import Loss, catalogue, parse
from alf.theory import Verdict
from ui.claims import COLOURS, WORDS
from ui.controls import DATA_NAMES, swatch
from ui.glossary import term
from ui.prover import Question, answer

CLAIM = "noise_tolerant"
EVERY = 0.4


@st.cache_data(show_spinner=False)
def known() -> dict[str, str]:
    """Every configuration of the catalogue: spec -> for which data sets it is a preset."""
    found: dict[str, list[str]] = {}
    for declaration in catalogue().values():
        presets = declaration.preset_losses() or {"": declaration.example()}
        for data, loss in presets.items():
            found.setdefault(loss.spec, []).append(DATA_NAMES.get(data, data))
    return {spec: ", ".join(name for name in names if name) for spec, names in found.items()}


def ranking(noise: str, classes: int, own: tuple[str, ...]) -> None:
    """The table; looks again by itself until every loss is answered."""
    specs = tuple(dict.fromkeys((*own, *known())))
    waiting = any(verdict is None for verdict in _verdicts(specs, noise, classes).values())
    st.fragment(_ranking, run_every=EVERY if waiting else None, key="ranking-live")(specs, noise, classes, own, waiting)


def _verdicts(specs, noise: str, classes: int) -> dict[str, Verdict | None]:
    return {spec: answer(Question(spec, noise, classes), CLAIM) for spec in specs}


def _ranking(specs, noise: str, classes: int, own, waiting: bool) -> None:
    found = _verdicts(specs, noise, classes)
    done = [verdict for verdict in found.values() if verdict is not None]
    good = sum(verdict.holds is True for verdict in done)
    said = f"{good} of {len(specs)} losses tolerate it" if len(done) == len(specs) else f"{len(done)} of {len(specs)} …"
    order = sorted(specs, key=_order(found)) if len(done) == len(specs) else specs  # nothing moves while it fills in
    rows = "".join(_row(parse(spec), found[spec], noise, classes, spec in own) for spec in order)
    st.html(
        f'<h2 class="alf-h2">{said}</h2><div class="alf-scroll"><table class="alf-table"><thead><tr><th>Loss</th>'
        f"<th>{term('noise tolerant', 'Tolerates it')}</th><th>{term('margin')}</th><th>Decided by</th><th></th></tr>"
        f"</thead><tbody>{rows}</tbody></table></div>"
    )
    if waiting and len(done) == len(specs):
        st.rerun()


def _order(found):
    """Tolerant losses first, the widest margin first; then what is open, then what fails."""

    def key(spec: str):
        verdict = found[spec]
        if verdict is None:
            return (1, 0.0)
        return ({True: 0, None: 2, False: 3}[verdict.holds], -_margin(verdict))

    return key


def _margin(verdict: Verdict) -> float:
    margin = verdict.data.get("margin")
    return -math.inf if margin is None else float(margin)


def _row(loss: Loss, verdict: Verdict | None, noise: str, classes: int, own: bool) -> str:
    values = html.escape(loss.label.removeprefix(loss.name).strip(" ()"))
    preset = "yours" if own else known().get(loss.spec, "")
    name = swatch(
        style(loss.key), f"{html.escape(loss.name)}<small>{', '.join(t for t in (values, preset) if t)}</small>"
    )
    link = html.escape("prove?" + urlencode({"loss": loss.spec, "noise": noise, "classes": classes}))
    if verdict is None:
        return f'<tr><td>{name}</td><td><span class="alf-chip alf-busy">…</span></td><td></td><td></td><td></td></tr>'
    light, dark = COLOURS[verdict.status]
    word = {True: "Yes", False: "No"}.get(verdict.holds, WORDS[verdict.status].capitalize())
    margin = _margin(verdict)
    shown = f"{margin:.3g}" if math.isfinite(margin) else "—"
    rule = next((row["rule"] for row in reversed(verdict.data.get("rows", []))), "—")
    return (
        f'<tr style="--c:{light};--d:{dark}"><td>{name}</td><td><span class="alf-chip">{word}</span></td>'
        f'<td>{shown}</td><td>{rule}</td><td><a href="{link}" target="_self">Why?</a></td></tr>'
    )
