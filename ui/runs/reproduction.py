"""The parts of the Tables page: the controls, the table, what is missing and how to get it, and the files."""

import streamlit as st

from alf.data import DATASETS
from alf.errors import InputError
from alf.export import tables as written
from alf.export.run import recipe_text
from alf.losses import parse
from alf.runs.measured import Measured, merged, read_runs
from alf.runs.reproduction import MOST_NOISES, Cell, Table, columns, lookup, table
from alf.runs.table_plan import Plan, plan
from alf.settings import settings
from alf.training.protocols import protocol, protocol_kinds, protocol_text
from alf.training.published import NOISES, Method, departures, methods
from alf.training.recipe import Recipe
from ui.controls.fields import number, pick
from ui.runs.reproduction_table import column_name
from ui.shell import entry, page
from ui.state import link
from ui.state.view import View, keep, refusal_kept
from ui.training import session
from ui.training.fetching import fetches, key_of, needed
from ui.words.glossary import hint
from ui.words.markdown import literal

DATA = ("cifar10", "cifar100", "mnist", "fashion-mnist", "digits")
MOST_SEEDS = 10
_ERROR, _WAITING, _FILES = "tables.error", "tables.waiting", "tables.files"


def fields() -> tuple[link.Field, ...]:
    """The fields of the page's view."""

    def grid(texts, values):
        found, problems = [], []
        for text in texts[: 2 * MOST_NOISES]:
            try:
                found += columns(values["table"], [text])
            except InputError as error:
                problems.append(str(error))
        found = list(dict.fromkeys(found))
        if len(found) > MOST_NOISES:
            problems.append(f"at most {MOST_NOISES} noises fit one table, got {len(found)}")
        return tuple(found[:MOST_NOISES]) or NOISES, problems[:3]

    def fitting(value, values):  # noises of another data set, a matrix of ten classes for one of a hundred
        return grid(value, values)[0], ""

    def rows(text, values):
        names = [row_key(method) for method in methods(values["table"])]
        if text not in names:
            raise InputError(f"row must be one of {', '.join(names)}, got {text[:60]!r}")
        return text

    own = link.follows(
        link.spec("protocol", lambda text, values: protocol_text(protocol(values["table"], text))),
        lambda values: protocol_kinds(values["table"])[-1],
    )
    return (
        link.choice("table", DATA, DATA[0]),
        link.Field("grid", NOISES, grid, list, fit=fitting),
        own,
        link.whole("wanted", 3, 1, MOST_SEEDS),
        link.follows(link.spec("row", rows), lambda values: row_key(methods(values["table"])[0])),
        link.follows(link.spec("at", _at), lambda values: values["grid"][0]),
    )


def _at(text: str, values) -> str:
    if text not in values["grid"]:
        raise InputError(f"at must be one of {', '.join(values['grid'])}, got {text[:60]!r}")
    return text


def row_key(method: Method) -> str:
    """What a row is called in the link: its loss, or where it has none its name."""
    return method.loss or method.name


def chosen(view: View) -> Recipe:
    """The protocol of ours, with the seeds asked for."""
    return protocol(view["table"], view.value("protocol")).with_(seeds=tuple(range(view["wanted"])))


# -- controls --------------------------------------------------------------------------------------------------------


def controls(view: View, found: Measured) -> None:
    """Data, noises, and how ours were trained."""
    with st.container(key="tables-controls", gap="small"):
        key = keep("tables-data", view["table"])
        st.selectbox("Data", DATA, format_func=lambda data: DATASETS[data].name, key=key, on_change=_data, args=(key,))
        now = view.value("protocol")
        known = [protocol_text(recipe) for recipe in found]
        options = dict.fromkeys((*reversed(protocol_kinds(view["table"])), *sorted(known), now))
        names = {text: protocol_in_words(view["table"], text) for text in options}
        key = keep("pick-protocol", now)
        st.selectbox("Ours were trained by", list(names), format_func=names.get, key=key, help=hint("protocol"),
                     on_change=_protocol, args=(key,))  # fmt: skip
        key = keep("tables-grid", list(view["grid"]))
        st.multiselect(
            "Label noise",
            list(dict.fromkeys((*NOISES, *view["grid"]))),
            format_func=column_name,
            key=key,
            max_selections=MOST_NOISES,
            accept_new_options=True,
            help="Columns of the table. Type another, such as pair:0.3.",
            on_change=_grid,
            args=(key,),
        )
        if error := st.session_state.get("tables.grid"):
            st.error(literal(error))
    with st.expander("Train ours in another way", key="tables-size"):
        recipe = chosen(view)
        with st.container(key="tables-numbers", gap="small"):
            number(
                "tables-epochs",
                "Epochs",
                recipe.epochs,
                (1, settings().max_epochs),
                10,
                hint("epoch"),
                _changed,
                "epochs",
            )
            number("tables-samples", "Training samples (0: all)", recipe.samples or 0, (0, 10**6), 1000,
                   hint("training samples"), _changed, "samples")  # fmt: skip
            number("tables-wanted", "Seeds", view["wanted"], (1, MOST_SEEDS), 1, hint("seed"), View.set, "wanted")


def protocol_in_words(data: str, text: str) -> str:
    """A protocol as an option of a list.

    >>> protocol_in_words("cifar10", "paper"), protocol_in_words("cifar10", "paper:epochs=20")
    ('The paper’s protocol', '20 epochs instead of 120')
    """
    kind, _, changes = text.partition(":")
    name = {"paper": "The paper’s protocol", "classroom": "The classroom recipe"}[kind]
    if not changes:
        return name
    return "; ".join(departures(protocol(data, text))) if kind == "paper" else f"{name}: {changes.replace(',', ', ')}"


def _protocol(key: str) -> None:
    try:  # a label that the browser had from an earlier list is no protocol
        View.set("protocol", protocol_text(protocol(View.now()["table"], st.session_state[key])))
    except InputError:
        st.session_state.pop(key)


def _data(key: str) -> None:
    View.set("table", st.session_state[key])
    for name in ("protocol", "row", "at"):
        View.set(name, None)
    try:
        View.set("grid", columns(st.session_state[key], View.now()["grid"]))
    except InputError:  # a noise that this data set has not
        View.set("grid", NOISES)


def _grid(key: str) -> None:
    with refusal_kept("tables.grid"):
        View.set("grid", columns(View.now()["table"], st.session_state[key]))
        if View.now()["at"] not in View.now()["grid"]:
            View.set("at", None)


def _changed(name: str, value: float) -> None:
    now = View.now()
    recipe = protocol(now["table"], now["protocol"] or protocol_kinds(now["table"])[-1])
    try:
        View.set("protocol", protocol_text(recipe.with_(**{name: value or None})))
    except InputError as error:  # fewer samples than classes
        st.session_state[_ERROR] = str(error)


# -- what is known -----------------------------------------------------------------------------------------------------


def look(view: View) -> tuple[Table, Measured]:
    """The table as it is now, and everything that was measured of this data set."""
    found = merged(lookup(session.engine().store, view["table"], view["grid"]), _loaded())
    mine = {recipe: models for recipe, models in found.items() if recipe.data == view["table"]}
    recipe = chosen(view)
    return table(recipe, view["grid"], recipe.seeds, mine), mine


# -- what is missing -------------------------------------------------------------------------------------------------


def missing(view: View, made: Table) -> None:
    """What is missing, how long it takes, and buttons that start it here."""
    todo = plan(made, session.engine().store, session.engine().settings)
    st.html('<h3 class="alf-h2">What is missing</h3>')
    st.caption(literal(todo.words))
    _wait_for_data()
    if error := st.session_state.get(_ERROR):
        st.error(literal(error))
    if todo.recipes:
        _buttons(todo)
        _one_cell(view, made)
    st.page_link(page(entry("Runs")), label="All runs, with their curves →")


def _buttons(todo: Plan) -> None:
    fit = todo.cells(todo.fitting)
    words = "Start all of them" if todo.fitting == todo.recipes else f"Start what fits into a night ({fit} cells)"
    st.button(
        words.replace("(1 cells)", "(1 cell)") if fit else "Nothing fits into a night",
        key="tables-start",
        type="primary",
        disabled=not fit,
        on_click=_start,
        args=(todo.fitting,),
    )


def _one_cell(view: View, made: Table) -> None:
    """Any one cell: what is known of it, and a button that trains what it lacks."""
    rows = {row_key(method): method for method in made.methods}
    labels = {key: method.name if method.loss is None else parse(method.loss).label for key, method in rows.items()}
    with st.container(key="tables-cell", horizontal=True, gap="small", vertical_alignment="bottom"):
        pick(view, "row", "One cell: loss", labels, "Which cell to train or to look at.")
        pick(view, "at", "Noise", {noise: column_name(noise) for noise in made.noises}, "Which cell.")
        cell = made.cell(rows[view.value("row")], view.value("at"))
        recipe = made.recipe(cell) if cell.missing else None
        st.button(
            "Start this cell",
            key="tables-start-one",
            disabled=recipe is None,
            on_click=_start,
            args=((recipe,),),
        )
    st.caption(literal(_about(cell, recipe)))


def _about(cell: Cell, recipe: Recipe | None) -> str:
    """One cell in words."""
    if cell.method.loss is None:
        return f"{cell.method.name} is not in the catalogue: only its published numbers are shown."
    if recipe is None:
        return "Being trained." if cell.going is not None else "Measured."
    seeds = f"{len(recipe.seeds)} seed{'s' if len(recipe.seeds) > 1 else ''}"
    return f"{seeds} to train: {session.time_needed(recipe)}."


def _wait_for_data() -> None:
    """Start what waits for the files of its data set, once they are there."""
    if not (recipes := st.session_state.get(_WAITING)):
        return
    state = fetches().state(*key_of(recipes[0]))
    if state is None or state.going:
        st.caption(literal(state.words if state else "Looking for the files …"))
        return
    st.session_state.pop(_WAITING)
    if state.ready:
        _start(recipes)
    else:
        st.session_state[_ERROR] = state.error


def _start(recipes: tuple[Recipe, ...]) -> None:
    """Start recipes one after another; the first that is refused says why."""
    with refusal_kept(_ERROR):
        if needed(recipes[0]):
            fetches().ask(*key_of(recipes[0]))
            st.session_state[_WAITING] = recipes
            return
        for recipe in recipes:
            session.engine().start(recipe, session.owner())


def waiting() -> bool:
    """Whether something waits for the files of its data set."""
    return bool(st.session_state.get(_WAITING))


# -- elsewhere, and files --------------------------------------------------------------------------------------------


def elsewhere(made: Table) -> None:
    """The same on a GPU or a cluster: the recipe, and the commands."""
    st.html('<h3 class="alf-h2">On a GPU or a cluster</h3>')
    st.caption(
        "The recipe of the whole table, and what trains it there. A cluster that keeps its runs in this "
        "installation’s store needs no file: the table shows them by itself."
    )
    st.code(written.commands(made), language=None, wrap_lines=True)
    with st.container(key="tables-files", horizontal=True, gap="small"):
        name = written.file_name(made)
        st.download_button(
            "Recipe for a GPU",
            lambda: recipe_text(made.whole("cuda")),
            f"{name}.json",
            "application/json",
            key="tables-recipe",
            on_click="ignore",
        )
        for label, make, ending, mime in (
            ("CSV", written.csv_table, "csv", "text/csv"),
            ("LaTeX", written.latex_table, "tex", "text/x-tex"),
            ("Markdown", written.markdown_table, "md", "text/markdown"),
        ):
            st.download_button(
                f"Table as {label}",
                lambda make=make: make(made),
                f"{name}.{ending}",
                mime,
                key=f"tables-save-{ending}",
                on_click="ignore",
            )


def load_files() -> None:
    """Runs of another machine, from files; they are shown as long as this page is open and are in no link."""
    with st.popover("Load runs of another machine", key="tables-load"):
        given = st.file_uploader(
            "What train --json or sweep printed, or a run exported as JSON",
            type=["jsonl", "json"],
            accept_multiple_files=True,
            key="tables-upload",
        )
        st.session_state[_FILES] = [_read(file) for file in given or ()]
        for _, error in st.session_state[_FILES]:
            if error:
                st.error(literal(error))
        st.caption("They are shown in the table until you reload the page, and nobody else sees them.")


def _read(file) -> tuple[Measured, str]:
    """What a file holds, or a sentence on why nothing; read once, however often the page looks."""
    kept = st.session_state.setdefault("tables.read", {})
    if file.file_id not in kept:
        try:
            kept[file.file_id] = read_runs(file.getvalue()), ""
        except InputError as error:
            kept[file.file_id] = {}, f"{file.name}: {error}"
    return kept[file.file_id]


def _loaded() -> Measured:
    found: Measured = {}
    for one, _ in st.session_state.get(_FILES, ()):
        found = merged(found, one)
    return found
