"""Which losses tolerate a noise: every loss of the catalogue and the reader's own, answered one by one, as a table.

Beside a loss that fails stands a suggestion: the nearest value of one hyperparameter at which it tolerates. That
is found for the reader's own losses, and for the others when asked: it keeps the workers busy for half a minute.
"""

import html
import math
from collections.abc import Sequence
from urllib.parse import urlencode

import streamlit as st
from sympy import Rational

from alf.data import DATASETS
from alf.figures.palette import Style, style
from alf.losses import Loss, catalogue, parse
from alf.numbers import rounded
from alf.theory import Verdict
from alf.theory.verdict import Status
from ui.asking.page_questions import LATE, Question, answer, crowd, ratio_of, regions
from ui.controls.losses import named, swatch, values_of
from ui.verdicts.starting_weight import starts_slowly
from ui.words.glossary import term
from ui.words.key_figures import html_table
from ui.words.statuses import COLOURS, word
from ui.words.verdict_words import ANSWERS, values_in_words

EVERY = 0.4


@st.cache_data(show_spinner=False)
def catalogue_presets() -> dict[str, str]:
    """Every configuration of the catalogue: spec -> for which data sets it is a preset."""
    found: dict[str, list[str]] = {}
    for declaration in catalogue().values():
        presets = declaration.preset_losses() or {"": declaration.example()}
        for data, loss in presets.items():
            found.setdefault(loss.spec, []).append(DATASETS[data].name if data else "")
    return {spec: ", ".join(name for name in names if name) for spec, names in found.items()}


def ranking(noise: str, classes: int, own: tuple[str, ...], suggest_all: bool) -> None:
    """The table; looks again by itself until every loss is answered."""
    specs = tuple(dict.fromkeys((*own, *catalogue_presets())))
    asked = specs if suggest_all else own
    waiting = not _settled(*_answers(specs, noise, classes, asked))
    live = st.fragment(_ranking, run_every=EVERY if waiting else None, key="ranking-live")
    live(specs, noise, classes, own, asked, waiting)


def _answers(specs, noise: str, classes: int, asked) -> tuple[dict[str, Verdict | None], dict[str, list | None]]:
    """Each loss's verdict; once all are known, suggestions for those of `asked` that fail. None while under way."""
    found = {spec: answer(Question(spec, noise, classes), "noise_tolerant") for spec in specs}
    if None in found.values() or not any(verdict.holds for verdict in found.values()):
        return found, {}  # where no loss at all tolerates, no hyperparameter would help
    return found, {s: regions(Question(s, noise, classes)) for s in asked if found[s].holds is False}


def _settled(found: dict, suggestions: dict) -> bool:
    return None not in found.values() and None not in suggestions.values()


def _ranking(specs, noise: str, classes: int, own, asked, waiting: bool) -> None:
    found, suggestions = _answers(specs, noise, classes, asked)
    done = [verdict for verdict in found.values() if verdict is not None]
    good = sum(verdict.holds is True for verdict in done)
    said = (
        f"{good} of {len(specs)} losses {'tolerates' if good == 1 else 'tolerate'} this noise"
        if len(done) == len(specs)
        else f"{len(done)} of {len(specs)} …"
    )
    # nothing moves while it fills in
    order = sorted(specs, key=lambda spec: _place(found[spec])) if len(done) == len(specs) else specs
    rows = "".join(
        _row(
            parse(spec),
            found[spec],
            suggestions.get(spec, []) if spec in asked else (),
            Question(spec, noise, classes),
            spec in own,
        )
        for spec in order
    )
    failing = (
        suggestions if len(done) == len(specs) else [s for s in own if found[s] is not None and found[s].holds is False]
    )
    st.html(
        f'<h2 class="alf-h2">{said}</h2>'
        + html_table(
            f"<th>Loss</th><th>{term('noise tolerant', 'Tolerates the noise')}</th><th>{term('margin')}</th>"
            f"<th>Decided by</th><th>{term('suggestion', 'Tolerates the noise with')}</th><th></th>",
            rows,
            "alf-ranking" if failing or len(asked) > len(own) else "alf-ranking alf-no-suggestions",
        )
    )
    if waiting and (busy := crowd()):
        st.caption(busy)
    if waiting and _settled(found, suggestions):
        st.rerun()


def needs(specs: Sequence[str]) -> list[tuple[str, Style, float]]:
    """The reader's losses that have a ratio r: name, style, and the 1/r, maybe infinite, that w_m/w_n must reach."""
    found = []
    for loss, _, drawn in named(map(parse, specs)):
        ratio = ratio_of(loss.spec)
        if ratio is not None and ratio.defined and ratio.value is not None:
            found.append((loss.label, drawn, 1 / ratio.value if ratio.value else math.inf))
    return found


def suggested(loss: Loss, regions: list[dict]) -> Loss | None:
    """The loss with one hyperparameter changed, as little as possible in proportion, to where it tolerates the noise.

    The value is an end of an interval, of three digits, that a worker has proved to tolerate it.

    >>> suggested(parse("ael:a=2"), [{"name": "a", "suggested": ["247/100"]}]).spec
    'ael:a=2.47'
    """
    changes = []
    for region in regions:
        was = loss.floats[region["name"]]
        for value in map(Rational, region["suggested"]):
            far = abs(math.log(float(value) / was)) if was > 0 and value > 0 else math.inf
            changes.append(((far, abs(float(value) - was)), loss.replace(**{region["name"]: value})))
    return min(changes, key=lambda change: change[0], default=(0, None))[1]


def suggestion_cell(loss: Loss, regions: list[dict], question: Question) -> str:
    """A tolerant hyperparameter for a loss, and all its tolerant values, as HTML.

    A dash says that there is none, so it does not stand where a search ran out of time or left something open.

    >>> question = Question("ael:a=2", "pair:0.4", 10)
    >>> found = {"name": "a", "status": "late", "everywhere": False, "intervals": [], "suggested": []}
    >>> [suggestion_cell(parse("ael:a=2"), [found | {"status": status}], question) for status in ("late", "proved")]
    ['no answer in time', '—']
    """
    if (better := suggested(loss, regions)) is not None:
        name = next(name for name, value in better.values.items() if value != loss.values[name])
        region = next(r for r in regions if r["name"] == name)
        change = html.escape(f"with {name} = {better.floats[name]:.15g}")
        return _link(better.spec, question, change) + f"<small>{html.escape(values_in_words(region))}</small>"
    if any(region["status"] == LATE for region in regions):
        return "no answer in time"
    return "not settled" if any(region["status"] == Status.UNDECIDED for region in regions) else "—"


def _place(verdict: Verdict) -> tuple[int, float]:
    """Tolerant losses first, the widest margin first; then what is open, then what fails."""
    margin = verdict.data.get("margin")
    return {True: 0, None: 1, False: 2}[verdict.holds], math.inf if margin is None else -float(margin)


def _row(loss: Loss, verdict: Verdict | None, regions: Sequence[dict] | None, question: Question, own: bool) -> str:
    preset = "yours" if own else catalogue_presets().get(loss.spec, "")
    name = swatch(style(loss.key), loss, ", ".join(filter(None, (values_of(loss), preset))))
    if verdict is None:
        return f'<tr><td>{name}</td><td><span class="alf-chip alf-busy">…</span></td>{"<td></td>" * 4}</tr>'
    light, dark = COLOURS[verdict.status]
    answer = ANSWERS.get(verdict.holds, word(verdict.status).capitalize())
    margin = verdict.data.get("margin")
    slowly = verdict.holds and starts_slowly(loss.spec, question.classes)
    wait = f" <small>{term('slow start', 'slow start')}</small>" if slowly else ""
    shown = "—" if margin is None else rounded(margin)
    rule = verdict.data.get("rule") or "—"
    if verdict.holds is not False or regions == ():
        suggestion = ""
    elif regions is None:
        suggestion = "…"
    else:
        suggestion = suggestion_cell(loss, regions, question)
    return (
        f'<tr style="--c:{light};--d:{dark}"><td>{name}</td><td><span class="alf-chip">{answer}</span>{wait}</td>'
        f"<td>{shown}</td><td>{rule}</td><td>{suggestion}</td><td>{_link(loss.spec, question, 'Why?')}</td></tr>"
    )


def _link(spec: str, question: Question, text: str) -> str:
    query = urlencode({"loss": spec, "noise": question.noise, "classes": question.classes})
    return f'<a href="{html.escape("prove?" + query)}" target="_self" class="alf-inside">{text}</a>'
