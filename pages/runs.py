"""What has been run?"""

import streamlit as st

from alf.errors import InputError
from alf.figures.runs import MOST
from ui.runs import actions, ratio_test, rows
from ui.shell import entry, head, page
from ui.state import link
from ui.state.view import View, keep
from ui.training import session
from ui.words.markdown import literal

EACH = 8  # runs on a page of the list
EVERY = 1.0  # seconds between looks, while one of them is going


def pick(run: str, key: str) -> None:
    """Take a run into the comparison, or out of it."""
    others = tuple(other for other in View.now()["runs"] if other != run)
    View.set("runs", ((*others, run) if st.session_state[key] else others)[-MOST:])


def listed(view: View) -> list[rows.Run]:
    """One page of the reader's own runs, and the recorded one."""
    count = session.engine().store.count(session.owner())
    pages = max(1, -(-count // EACH))
    at = min(view["list"], pages)
    found = [
        rows.stored_run(progress, session.engine().store.latest(progress.run))
        for progress in session.engine().runs(session.owner(), EACH * (at - 1), EACH)
    ]
    if not count:
        st.html('<p class="alf-note">You have no runs in this browser yet.</p>')
        st.page_link(page(entry("Train")), label="Train a network →")
    for run in (*found, *(rows.recorded_run(name) for name in rows.LISTED if at == pages)):
        with st.container(key=f"row-{run.id}", horizontal=True, gap="small", wrap=False):
            key = keep(f"pick-{run.id}", run.id in view["runs"])
            st.checkbox(
                f"Compare {run.title}", key=key, label_visibility="collapsed", on_change=pick, args=(run.id, key)
            )
            st.html(rows.row(run))
    if pages > 1:
        turn(at, pages)
    return found


def turn(at: int, pages: int) -> None:
    """Newer and older runs."""
    with st.container(key="pages", horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Newer", key="newer", disabled=at == 1, on_click=View.set, args=("list", at - 1))
        st.caption(f"Page {at} of {pages}", width="content")
        st.button("Older", key="older", disabled=at == pages, on_click=View.set, args=("list", at + 1))


def chosen(view: View, found: list[rows.Run]) -> list[rows.Run]:
    """The runs to show: those that are ticked, otherwise the newest one, otherwise the recorded one."""
    shown = []
    for run in view["runs"]:
        try:
            shown.append(rows.find(run))
        except InputError as error:
            st.warning(literal(str(error)))
    return shown or [rows.find(found[0].id) if found else rows.recorded_run(rows.LISTED[0])]


def body(view: View, looking: bool) -> None:
    """The list and the comparison; looks again by itself while something is going on."""
    with st.container(key="runs"):
        with st.container(key="runs-list", gap="small"):
            actions.open_file()
            found = listed(view)
        with st.container(key="runs-shown", gap="medium"):
            actions.show_error()
            shown = chosen(view, found)
            rows.compare(shown)
            awaiting = ratio_test.ratio_test(shown)
            for run in shown:
                with st.container(key=f"bar-{run.id}", gap="small"):
                    actions.run_bar(run)
    view.save()
    st.session_state["runs.looking"] = awaiting or any(run.active for run in (*found, *shown))
    if looking != st.session_state["runs.looking"]:
        st.rerun()  # as a whole, so that the looking begins or ends


head("Runs", "Your runs, the newest first. Tick some to compare them in one figure.")
if "run" in st.query_params and "runs" not in st.query_params:  # the link of one run, as Train writes it
    st.query_params["runs"] = st.query_params.get_all("run")
view = View("runs", (rows.tokens("runs"), link.whole("list", 1, 1, 10**6)))
view.show_warnings()
looking = st.session_state.get("runs.looking", False)
st.fragment(body, run_every=EVERY if looking else None, key="runs-body")(view, looking)
