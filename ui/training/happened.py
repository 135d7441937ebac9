"""What happened to each loss of a run, in sentences, each with links to the pictures that explain it."""

from html import escape
from urllib.parse import urlencode

import streamlit as st

from alf.errors import InputError
from alf.losses import parse
from alf.noise import Noise
from alf.numbers import fraction_text
from alf.training.diagnosis import diagnose
from alf.training.recipe import Recipe
from alf.training.states import RunState
from alf.training.symptoms import Finding, Kind
from ui.asking.page_questions import Question, answer
from ui.controls.losses import named, swatch
from ui.training import session
from ui.words.glossary import hint, hinted
from ui.words.statuses import COLOURS, word

EVERY = 1.0  # seconds between looks while a run goes on
SOON = 0.5  # while a proof is awaited
SELDOM = 2.0  # while a run is paused


def happened(shown: session.Shown, run: str | None) -> None:
    """The section "What happened" of a run; looks again by itself while the run goes on or a proof is awaited."""
    _, awaiting = _findings(shown, run)
    every = SOON if awaiting else None
    if shown.progress is not None and shown.progress.active:
        every = SELDOM if shown.progress.status == RunState.PAUSED else EVERY
    st.fragment(_section, run_every=every, key="happened-live")(run, awaiting)


def _section(run: str | None, awaiting: bool) -> None:
    shown, _ = session.run_or_recorded(run)
    found, still = _findings(shown, run)
    going = shown.progress is not None and shown.progress.active
    title = "What has happened so far" if going else "What happened"
    note = "" if found else '<p class="alf-note">This is said after the first epochs.</p>'
    rows = "".join(
        _row(shown, run, *case, found[case[0].spec]) for case in _cases(shown.recipe) if case[0].spec in found
    )
    st.html(f'<section class="alf-happened"><h2 class="alf-h2">{title}</h2>{note}{rows}</section>')
    if awaiting and not still and not going:
        st.rerun()  # as a whole, so that the looking ends


def _cases(recipe: Recipe):
    return [(loss, style) for loss, _, style in named(map(parse, recipe.losses))]


def _findings(shown: session.Shown, run: str | None) -> tuple[dict[str, tuple[Finding, ...]], bool]:
    """What is said of each loss under the run's first noise, and whether a proof is awaited that may add to it."""
    recipe, noise, awaited = shown.recipe, shown.recipe.noise[0], []
    question = question_noise(recipe.parse_noise(noise))

    def tolerates(loss: str, _: str) -> str | None:
        verdict = answer(Question(loss, question, recipe.dataset.classes), "noise_tolerant")
        awaited.append(verdict is None)
        return str(verdict.status) if verdict is not None and verdict.holds else None

    ended = shown.progress.ended if shown.progress else {}
    records = [record for record in shown.records if record["noise"] == noise]
    found = diagnose(recipe, records, ended, _never_predicted(shown, run), tolerates)
    return {loss: findings for (loss, under), findings in found.items() if under == noise}, any(awaited)


def question_noise(noise: Noise) -> str:
    """A noise as the theory is asked about it: one that belongs to a data set as its matrix.

    >>> from alf.noise import parse_noise
    >>> question_noise(parse_noise("pair:0.4", 3)), question_noise(parse_noise("asymmetric:0.4", 10, "mnist"))[:30]
    ('pair:0.4', 'matrix:1,0,0,0,0,0,0,0,0,0;0,1')
    """
    if noise.kind != "asymmetric" or noise.exact is None:
        return noise.spec
    return "matrix:" + ";".join(",".join(map(fraction_text, row)) for row in noise.exact)


def _never_predicted(shown: session.Shown, run: str | None) -> dict[int, tuple[int, ...]]:
    """The classes that each model never predicts, for models that lost some; known once the run is at rest."""
    if shown.progress is not None and shown.progress.active:
        return {}  # snapshots are behind the records
    last: dict[int, dict] = {}
    for record in shown.records:
        if record["epoch"] > last.get(record["lane"], record | {"epoch": 0})["epoch"]:
            last[record["lane"]] = record
    lost = [lane for lane, record in last.items() if record.get("dead_classes")]
    if not lost:
        return {}
    if shown.recorded:
        places = {lane: i for i, lane in enumerate(session.recorded_run().recipe.lanes)}
        return {lane: _never(None, places[shown.recipe.lanes[lane]], last[lane]["epoch"]) for lane in lost}
    epochs = session.engine().store.snapshot_epochs(run)
    return {lane: _never(run, lane, epochs[lane]) for lane in lost if epochs.get(lane) == last[lane]["epoch"]}


@st.cache_data(max_entries=4096, show_spinner=False)
def _never(run: str | None, lane: int, epoch: int) -> tuple[int, ...]:
    """The classes that a model predicts for no test sample after its last epoch; none where that is not known."""
    from alf.runs.recorded_run import recorded

    try:
        seen = recorded("digits").inspect(lane) if run is None else session.engine().inspect(run, lane)
    except InputError:  # the data are not on this machine
        return ()
    return seen.never_predicted if seen is not None and seen.epoch == epoch else ()


def _row(shown: session.Shown, run: str | None, loss, style, findings: tuple[Finding, ...]) -> str:
    said = "".join(
        f'<p style="--c:{COLOURS[finding.kind][0]};--d:{COLOURS[finding.kind][1]}">{_chip(finding.kind)} '
        f"{escape(finding.sentence)} {_links(shown, run, loss, finding)}</p>"
        for finding in findings
    )
    return f'<div class="alf-case">{swatch(style, loss)}<div>{said}</div></div>'


def _chip(kind: Kind) -> str:
    return f'<span class="alf-chip">{hinted(word(kind), hint(HINTS[kind])) if kind in HINTS else word(kind)}</span>'


HINTS = {Kind.MEMORISING: "memorisation", Kind.TRAPPED: "trapped", Kind.STARVING: "starving", Kind.DIVERGED: "diverged"}


def _links(shown: session.Shown, run: str | None, loss, finding: Finding) -> str:
    """Links to the view of this page that shows it, and to the page that explains it."""
    recipe = shown.recipe
    classes, noise = recipe.dataset.classes, recipe.parse_noise(recipe.noise[0])
    explore = _page("explore", f"Sample weight of {loss.name} →", loss=recipe.losses, classes=classes)
    if finding.kind == Kind.MEMORISING:
        spec = question_noise(noise)
        tolerant = (
            "" if noise.exact is None else _page("noise", "Losses that tolerate it →", noise=spec, classes=classes)
        )
        return _view("heart", loss.spec, "What it memorised ↓") + tolerant
    if finding.kind == Kind.TRAPPED:
        return _view("wrong", loss.spec, "What it gets wrong ↓") + explore
    if finding.kind == Kind.STARVING:
        return _more("Gradient norm ↑") + explore
    if finding.kind == Kind.DIVERGED:
        return _more("Training loss ↑")
    if finding.kind == Kind.THEORY:
        proof = _page("prove", "The proof →", loss=loss.spec, noise=question_noise(noise), classes=classes)
        if noise.kind not in ("symmetric", "pair"):
            return proof
        within = f"{noise.kind}:{min(float(noise.rate), 0.4):.12g}"  # three classes tolerate less than ten
        proof += _page("mirror", "Where training follows theory →", loss=recipe.losses, noise=within)
        rate = {"kind": noise.kind, "rate": f"{float(noise.rate):.12g}", "shown": "edge", "classes": classes}
        return proof + _page("simplex", "The best prediction →", loss=loss.spec, **rate)
    return ""


def _page(address: str, words: str, **params) -> str:
    """A link to another page."""
    query = urlencode(params, doseq=True)
    return f'<a href="{escape(f"{address}?{query}")}" target="_self" class="alf-inside">{escape(words)}</a>'


def _view(look: str, spec: str, words: str) -> str:
    """A link to a view of the section "Look inside" of this page."""
    now = {name: st.query_params.get_all(name) for name in st.query_params}
    params = urlencode(now | {"look": look, "look-loss": spec}, doseq=True)
    return f'<a href="{escape(f"?{params}")}" target="_self" class="alf-inside" data-to="inside">{escape(words)}</a>'


def _more(words: str) -> str:
    """A link to "More curves" of this page."""
    return f'<a href="" target="_self" class="alf-inside" data-to="more-curves">{escape(words)}</a>'
