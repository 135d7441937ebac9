"""The claims on the page: a grid of cards that fill in one by one, each on its own."""

import numpy as np
import streamlit as st

from alf.errors import InputError
from alf.figures.base import Series
from alf.figures.risk import calibration_figure
from alf.figures.shape import U
from alf.figures.simplex import raster, simplex_figure, to_plane
from alf.figures.witness import PLAIN, WRONG, curve_figure, path, path_figure
from alf.losses import parse
from alf.numbers import rounded
from alf.theory import CLAIMS, Verdict
from alf.theory.asking.prover import Unfinished
from ui.asking.page_questions import DOCUMENT_SECONDS, Question, crowd, document, ratio_of, regions, snippet
from ui.asking.page_questions import answers as answers_to
from ui.charts.chart import chart
from ui.controls.losses import series
from ui.verdicts.starting_weight import slow_start_warning
from ui.words import verdict_words
from ui.words.statuses import word

FILES = {
    "script": "A stand-alone script that needs only SymPy and mpmath and fails unless every step can be derived again.",
    "latex": "A document with every claim and its steps.",
}


EVERY = 0.3  # seconds between looks at the workers, while one is at work


SOON = 15.0  # seconds to wait for a text that a reader has asked to see


def claim_cards(question: Question) -> None:
    """Every claim about the question, as far as it is settled; looks again by itself until all are."""
    waiting = None in (*answers_to(question).values(), regions(question), ratio_of(question.loss))
    st.fragment(_cards, run_every=EVERY if waiting else None, key="claim-cards")(question, waiting)


def _cards(question: Question, waiting: bool) -> None:
    answers = answers_to(question)
    st.html(_headline(question, answers["noise_tolerant"]))
    enough, ratio = regions(question), ratio_of(question.loss)
    with st.container(key="enough"):
        tolerates = answers["noise_tolerant"]
        if tolerates is not None and tolerates.holds and (slow := slow_start_warning(question.loss, question.classes)):
            st.markdown(slow)
        condition = verdict_words.condition(ratio) if ratio is not None else "The asymmetry ratio is being worked out …"
        st.markdown(condition, unsafe_allow_html=True)
        st.markdown(
            verdict_words.tolerant_values(enough)
            if enough is not None
            else "Looking for hyperparameters with which the loss tolerates this noise …"
        )
    if waiting and (said := crowd()):
        st.caption(said)
    with st.container(key="proof-files", horizontal=True, gap="small"):
        name = parse(question.loss).key.replace("+", "-")
        # The document is short and made at once, so that the page can say what went wrong; the script when it is asked
        # for: it takes a while.
        latex, wrong = ("", "") if waiting else _text(document, "latex", question)
        script = st.popover(
            "Proof as Python", key="proof-script", help=FILES["script"], disabled=waiting, on_change="rerun"
        )
        if script.open and not waiting:
            with script:
                _script(question, f"{name}_proof.py")
        _file("latex", "Proof as LaTeX", latex, f"{name}.tex", waiting or not latex)
    if wrong:
        st.error(wrong)
    with st.container(key="claims-grid"):
        for claim in CLAIMS:
            with st.container(key=f"claim-{claim}", gap="small"):
                _card(question, claim, answers[claim])
    if waiting and None not in (enough, ratio, *answers.values()):
        st.rerun()  # once more as a whole, so that the looking ends


def _file(kind: str, label: str, data: str, name: str, disabled: bool = False) -> None:
    st.download_button(
        label, data, name, "text/plain", key=f"download-{kind}", help=FILES[kind], on_click="ignore", disabled=disabled
    )


def _text(write, *arguments, wait: float = SOON) -> tuple[str, str]:
    """A file's text, or a sentence on why there is none."""
    try:
        return write(*arguments, wait=wait), ""
    except (Unfinished, InputError) as why:
        return "", f"The file could not be written. {why}"


def _script(question: Question, name: str) -> None:
    """The proof as a script to download, or why it could not be written."""
    with st.spinner("Writing the script and running it once …"):
        text, wrong = _text(document, "script", question, wait=DOCUMENT_SECONDS)
    if wrong:
        st.error(wrong)
    else:
        _file("script", "Download the script", text, name)


def _card(question: Question, claim: str, verdict: Verdict | None) -> None:
    st.html(
        verdict_words.title(claim, verdict)
        + f'<p class="alf-reason">{verdict_words.reason(verdict) if verdict else ""}</p>'
    )
    if verdict is None:
        return
    with st.expander(f"{len(verdict.steps)} step{'s' if len(verdict.steps) != 1 else ''}", key=f"steps-{claim}"):
        st.markdown(verdict_words.steps(verdict), unsafe_allow_html=True)
        if (figure := picture(question, claim, verdict)) is not None:
            chart(figure, key=f"picture-{claim}", legend=False)
        copy = st.popover("Copy as LaTeX", key=f"latex-{claim}", type="tertiary", on_change="rerun")
        if copy.open:
            with copy:
                text, wrong = _text(snippet, question, claim)
                st.error(wrong) if wrong else st.code(text, language="latex")


def _headline(question: Question, verdict: Verdict | None) -> str:
    loss = parse(question.loss)
    noise = verdict_words.noise_in_words(question.noise)
    if verdict is None:
        text, chip = f"Does {loss.label} tolerate {noise}?", ""
    else:
        words = {True: "tolerates", False: "does not tolerate"}
        if verdict.holds is None:
            text = f"Whether {loss.label} tolerates {noise} is {word(verdict.status)}"
        else:
            text = f"{loss.label} {words[verdict.holds]} {noise}"
        margin = verdict.data.get("margin")
        chip = f"margin {rounded(margin)}" if isinstance(margin, float) and np.isfinite(margin) else ""
    return f'<div class="alf-verdict"><h2>{text}</h2><span>{chip}</span></div>'


def picture(question: Question, claim: str, verdict: Verdict) -> dict | None:
    """The figure that shows what a verdict says: its counterexample, or the calibration function; None without one."""
    loss = parse(question.loss)
    if claim == "excess_risk" and "epsilon" in verdict.data:
        [curve] = series(
            [loss], np.array(verdict.data["epsilon"]), lambda _: np.array(verdict.data["delta"], dtype=float)
        )
        return calibration_figure.spec(curve)
    if verdict.witness is None or not verdict.witness.point:
        return None
    witness = verdict.witness
    point = np.array([float(x) for x in witness.point])
    if witness.weights and len(point) == len(witness.weights) == question.classes:
        weights = np.array([float(w) for w in witness.weights])
        if question.classes == 3:
            return _triangle(loss, claim, weights, point, witness)
        if claim == "calibrated":
            return None
        t, predictions = path(int(weights.argmax()), point)
        [curve] = series([loss], t, lambda x: _risk(x, weights, predictions))
        return path_figure.spec(curve, float(witness.bound), float(witness.value))
    if loss.pointwise and len(point) <= 3 and not witness.weights and claim in ("decreasing", "convex", "concave"):
        [curve] = series([loss], U, lambda x: x.value(U, question.classes))
        return curve_figure.spec(curve, point, witness.statement.rstrip("."))
    return None


def _risk(loss, weights: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        values = loss.vector(predictions)
        return np.where(weights > 0, weights * np.where(weights > 0, values, 0), 0).sum(-1)


def _triangle(loss, claim: str, weights, point, witness) -> dict:
    _, _, predictions = raster()
    order = np.argsort(-weights, kind="stable")  # the clean class in the first corner
    risk = _risk(loss, weights, predictions[..., np.argsort(order, kind="stable")])
    value, bound = float(witness.value), float(witness.bound)
    x, y = to_plane(point[order])
    marks = [Series(f"counterexample: risk {value:.5g}", WRONG, np.array([x]), np.array([y]))]
    if claim == "calibrated":
        title = f"No prediction has a lower risk than this one, which names a wrong class: {value:.4g}"
    else:
        only = "" if witness.relation == "<" else "only "
        title = (
            f"The clean label is not the {only}best prediction: its risk is {bound:.4g}, the counterexample's "
            f"{value:.4g}"
        )
        marks.insert(0, Series(f"clean label: risk {bound:.5g}", PLAIN, np.array([0.0]), np.array([0.0])))
    shares = ", ".join(f"{w:.4g}" for w in weights[order])
    about = f"The weighted risk over all predictions, dark where it is low. Label weights {shares}."
    return simplex_figure.spec(risk, marks, title, about)
