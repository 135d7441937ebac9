"""The shell around every page: its settings, its look, its navigation. A page is one entry in `PAGES`."""

import threading
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from alf.settings import settings
from alf.theory.asking.prover import Unfinished

ROOT = Path(__file__).parent.parent
NAME = "Asymmetric Loss Explorer"
_HISTORY = (Path(__file__).parent / "history.js").read_text()
_RUN = threading.local()  # whether this thread's script run went through `run`
_LOGO = str(Path(__file__).parent / "logo.svg")


@dataclass(frozen=True)
class Entry:
    """A page: its file in pages/, its address, its word in the navigation, the question it answers.

    `door` is the sentence with which the home page invites into it; without one it has no door there.
    """

    file: str
    address: str
    title: str
    question: str
    door: str = ""


PAGES = (
    Entry("home.py", "", "Home", "What are asymmetric losses?"),
    Entry(
        "explore.py",
        "explore",
        "Explore",
        "What does this loss look like, and how asymmetric is it?",
        "Pick a loss, move its sliders and watch its curve, its slope and the noise it tolerates.",
    ),
    Entry(
        "prove.py",
        "prove",
        "Prove",
        "Is a loss asymmetric, calibrated, noise tolerant? Why, or where does it fail?",
        "Every claim proved step by step, or refuted by a point you can check by hand.",
    ),
    Entry(
        "atlas.py",
        "atlas",
        "Atlas",
        "How do hyperparameters change the noise that a loss tolerates?",
    ),
    Entry(
        "noise.py",
        "noise",
        "Noise",
        "Which losses tolerate this noise?",
    ),
    Entry(
        "simplex.py",
        "simplex",
        "Simplex",
        "Where does the best prediction go when labels are wrong?",
    ),
    Entry(
        "mirror.py",
        "mirror",
        "Mirror",
        "Does a trained network find the best prediction?",
    ),
    Entry(
        "train.py",
        "train",
        "Train",
        "What happens when we train?",
        "Train small networks on wrong labels and watch which loss memorises them.",
    ),
    Entry(
        "phase.py",
        "phase",
        "Phase",
        "Where does training succeed, and what does the theorem say?",
    ),
    Entry("tables.py", "tables", "Tables", "Do we reproduce the published numbers?"),
    Entry("runs.py", "runs", "Runs", "What has been run?"),
)


def run() -> None:
    """Set the page up and run the one the reader asked for."""
    help_ = {"Get help": address} if (address := settings().docs_url) else None
    st.set_page_config(NAME, _LOGO, layout="wide", initial_sidebar_state="collapsed", menu_items=help_)
    st.html(f"<script>{_HISTORY}</script>", unsafe_allow_javascript=True)
    st.logo(_LOGO, size="large")
    chosen = _navigation()
    _RUN.inside = True
    try:
        chosen.run()
    except Unfinished as why:  # the machine is busy, or the worker was lost: nothing that the reader did
        st.warning(f"This page could not be worked out now. {why}")
        st.button("Try again")
    finally:
        _RUN.inside = False


def _navigation():
    return st.navigation([page(entry) for entry in PAGES], position="top")


def page(entry: Entry):
    """The Streamlit page of an entry, e.g. for a link to it."""
    return st.Page(
        ROOT / "pages" / entry.file, title=entry.title, url_path=entry.address or None, default=not entry.address
    )


def entry(title: str) -> Entry:
    """The entry with this word in the navigation."""
    return next(e for e in PAGES if e.title == title)


def routed() -> None:
    """Go through `run`, which says what keeps a page from being shown; `head` does so for most pages."""
    if not getattr(_RUN, "inside", False):
        # Until the router has run once, a fresh server runs the files of a folder called pages/ by itself, without it.
        # Only a call of st.navigation ends that; it holds for the whole server.
        _navigation()
        st.rerun()


def head(title: str, lead: str = "") -> None:
    """The question a page answers, as its heading, with one sentence on how. Every page begins with it."""
    routed()
    st.html(f'<header class="alf-head"><h1>{entry(title).question}</h1><p>{lead}</p></header>')
