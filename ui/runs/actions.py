"""What a reader does to a run: open it, run it again, go on with it, name it, take it away, delete it."""

import re
import time
from collections.abc import Sequence
from functools import partial
from html import escape

import streamlit as st

from alf.errors import InputError
from alf.export.run import csv_text, json_text, read_recipe, recipe_text
from alf.export.script import script
from alf.training.states import RunState
from ui.asking.page_questions import Reading
from ui.runs.rows import Run, state, train_link
from ui.shell import entry, page
from ui.state.view import View, refusal_kept
from ui.training import session
from ui.words.markdown import literal

_ERROR, _FILE = "runs.error", "runs.file"


MOST_FORMULAS, READ_SECONDS = 6, 8.0  # of one file: its formulas, and for reading all of them


def show_error() -> None:
    """What could not be done, until the next thing is done."""
    if error := st.session_state.get(_ERROR):
        st.error(literal(error))


def run_bar(run: Run) -> None:
    """A run's name and state, why it ended, and everything one can do with it."""
    st.html(f'<div class="alf-bar"><h3>{escape(run.title)}</h3>{state(run)}</div>')
    st.caption(literal(session.in_words(run.recipe)))
    if run.message:
        (st.error if run.status == RunState.FAILED else st.caption)(literal(run.message))
    for note in (*run.notes, *dict.fromkeys(run.ended.values()), *kept(run)):
        st.caption(literal(note))
    with st.container(key=f"do-{run.id}", horizontal=True, gap="small", vertical_alignment="center"):
        if run.mine:
            _going(run)
        if not run.is_recorded:
            st.page_link(page(entry("Train")), label="Open on Train →", query_params={"run": run.id})
        st.page_link(
            page(entry("Train")),
            label="Run again with other settings →",
            query_params=train_link(run.recipe),
            help="Opens Train with this run's settings, ready to be changed.",
        )
        _export(run)
        if run.mine:
            _rename(run)
            _delete(run)


def kept(run: Run) -> list[str]:
    """Until when a run is kept, unless it is still going."""
    if run.kept_until is None or run.active:
        return []
    day = time.strftime("%-d %B %Y", time.gmtime(run.kept_until))
    return [f"Kept until {day}; opening the run keeps it longer. Export what you want to keep forever."]


def _going(run: Run) -> None:
    if run.active:
        asked = run.status == RunState.STOPPING
        st.button("Stop", key=f"stop-{run.id}", disabled=asked, on_click=_do, args=(_stop, run))
    elif run.status in (RunState.STOPPED, RunState.FAILED):
        last = "its last finished epoch" if run.status == RunState.STOPPED else "where it failed"
        st.button(
            "Resume", key=f"resume-{run.id}", help=f"The run goes on from {last}.", on_click=_do, args=(_resume, run)
        )


def _rename(run: Run) -> None:
    with st.popover("Rename", key=f"rename-{run.id}"):
        key = f"name-{run.id}"
        st.text_input("Name", run.title, max_chars=200, key=key, on_change=_do, args=(_name, run, key))


def _delete(run: Run) -> None:
    with st.popover("Delete", key=f"delete-{run.id}"):
        if run.active:
            st.write("This run is still going: stop it first.")
            return
        st.write("This deletes the curves of this run forever, also for everybody who has a link to it.")
        st.button("Delete this run", key=f"really-{run.id}", type="primary", on_click=_do, args=(_forget, run))


def _export(run: Run) -> None:
    """Files are made when they are asked for."""
    recipe, name = run.recipe, _file(run.title)
    with st.popover("Export", key=f"export-{run.id}"):
        save = partial(_save, run.id)
        save("Curves as CSV", lambda: csv_text(_all(run)), f"{name}.csv", "text/csv", not run.records)
        save("Curves and recipe as JSON", lambda: json_text(recipe, _all(run)), f"{name}.json", "application/json")
        save("Recipe (JSON)", lambda: recipe_text(recipe), f"{name}.recipe.json", "application/json")
        save("PyTorch script", lambda: script(recipe), f"{name}.py", "text/x-python", help=_SCRIPT)
        st.caption("The recipe can be opened here again, or trained by `python -m alf sweep`.")


def _all(run: Run) -> Sequence[dict]:
    """A run's records with its id, as they are written to a file."""
    return run.records if run.is_recorded else session.engine().store.records(run.id)


_SCRIPT = "Reproduces the run without this project; needs PyTorch and NumPy."


def _save(run: str, label: str, make, name: str, mime: str, disabled: bool = False, help: str | None = None) -> None:
    key = f"save-{run}-{name.rpartition('.')[2]}-{mime}-{label[:6]}"
    st.download_button(
        label, make, name, mime, key=key, help=help, disabled=disabled, on_click="ignore", width="stretch"
    )


def open_file() -> None:
    """A recipe from a file: read, said in words, and started when the reader says so."""
    with st.popover("Open a recipe", key="open-recipe", help="A recipe or a run that was exported as JSON"):
        given = st.file_uploader("A recipe, or a run with one in it, as JSON", type=["json"], key="recipe-file")
        if given is None:
            return
        recipe, wrong = _read(given)
        if wrong:
            st.error(literal(wrong))
            return
        st.write(literal(session.in_words(recipe)) + ". " + literal(f"Losses: {', '.join(recipe.losses)}."))
        st.button("Start", key="start-recipe", type="primary", on_click=_do, args=(_start, recipe))
        st.page_link(page(entry("Train")), label="Open its settings on Train →", query_params=train_link(recipe))


def _read(given) -> tuple[object, str]:
    """The recipe in a file, or a sentence on why there is none; read once, however often the page looks."""
    kept = st.session_state.get(_FILE)
    if kept is None or kept[0] != given.file_id:
        try:
            found = read_recipe(given.getvalue(), Reading(MOST_FORMULAS, READ_SECONDS)), ""
        except InputError as error:
            found = None, str(error)
        st.session_state[_FILE] = kept = (given.file_id, found)
    return kept[1]


def _do(what, *arguments) -> None:
    """Do it, or keep the sentence that says why not."""
    with refusal_kept(_ERROR):
        what(*arguments)


def _stop(run: Run) -> None:
    session.engine().stop(session.own_run(run.id))


def _resume(run: Run) -> None:
    session.own_run(run.id)
    session.engine().start(run.recipe, session.owner())


def _name(run: Run, key: str) -> None:
    session.engine().store.rename(session.own_run(run.id), st.session_state[key])


def _forget(run: Run) -> None:
    session.engine().store.delete(session.own_run(run.id))
    View.set("runs", tuple(other for other in View.now()["runs"] if other != run.id))


def _start(recipe) -> None:
    View.set("runs", (session.engine().start(recipe, session.owner()),))
    View.set("list", 1)


def _file(title: str) -> str:
    """A file's name from a run's."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", title).strip("-.").lower()[:60] or "run"
