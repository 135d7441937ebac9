"""The matrix on the page: as text, cell by cell, pasted or uploaded; rows are normalised only when asked.

What cannot be used is kept where it was typed, with the reason beside it. A matrix that the page's number of classes
does not fit stays the reader's noise (`ui.state.link.noise` shows a stand-in), and comes back with its own number.
"""

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import streamlit as st

from alf.errors import InputError
from alf.noise import Noise, parse_noise
from alf.numbers import fraction_text
from ui.controls import matrix_text
from ui.state.view import View, keep

_PROBLEM = "matrix.problem"


_MOST_TYPED = 100


def text_field(spec: str, classes: int, data: str | None = None) -> None:
    """A noise as text, a matrix row by row; a text that is none stays, and the reason stands below it."""
    key = "noise-typed"
    problem = _problem("text")
    if problem is None or key not in st.session_state:
        keep(key, matrix_text.lines(spec))
    rows = st.session_state[key].count("\n") + 1
    st.text_area(
        "As text",
        key=key,
        height=min(28 + 24 * max(2, rows), 240),
        max_chars=matrix_text.LONGEST,
        help="The rows of a matrix, such as .6, .4 and below it .3, .7; or symmetric:0.4, pair:1/3"
        + (", or asymmetric:0.4 for confusable classes" if data else ""),
        on_change=_typed,
        args=(key, classes, data),
    )
    _say(problem)


def editor(noise: Noise) -> None:
    """The matrix cell by cell, and the ways to bring one along."""
    labels = [str(i + 1) for i in range(noise.classes)]
    if noise.exact is not None and noise.classes <= matrix_text.MOST:
        cells = pd.DataFrame([[fraction_text(p) for p in row] for row in noise.exact], index=labels, columns=labels)
        key = f"matrix-{zlib.crc32(f'{noise.spec}{noise.classes}'.encode())}"
        st.caption("Click a cell to change it; decimals and fractions such as 1/3 are kept exactly.")
        with st.container(key="matrix-cells"):
            st.data_editor(
                cells,
                key=key,
                column_config={"_index": st.column_config.TextColumn(disabled=True)},
                on_change=_edited,
                args=(key, noise.spec, noise.classes),
                width="stretch",
            )
    with st.popover("Paste or upload", width="stretch"):
        _say(_problem("pasted"))
        st.text_area(
            "From a spreadsheet",
            key="matrix-paste",
            placeholder="0.6\t0.4\n0.3\t0.7",
            max_chars=matrix_text.LONGEST,
            on_change=_pasted,
        )
        st.caption("Names in a first row or column are left out; decimal commas are understood.")
        st.file_uploader(
            "Or a CSV file, at most 5 MB", type=["csv", "tsv", "txt"], key="matrix-file", on_change=_uploaded
        )
    _say(_problem("cells"))
    if noise.kind == "matrix":  # below the cells, which would jump away from under the pointer otherwise
        text_field(noise.spec, noise.classes)


def say_kept_noise(view: View, data: str | None) -> None:
    """Say which noise the page cannot show, and offer to go back to a matrix's own number of classes."""
    if "noise" not in view.notes:
        return
    st.info(view.notes["noise"])
    spec = View.own("noise")
    n = spec.count(";") + 1
    if data is None and spec.startswith("matrix:"):
        st.button(f"Back to the matrix, K = {n}", key="matrix-back", on_click=View.set, args=("classes", n))


@contextmanager
def _refusable(where: str, draft=None) -> Iterator[None]:
    """Keep why something is refused, and the numbers where normalising would help, until the noise changes."""
    try:
        yield
    except InputError as error:
        st.session_state[_PROBLEM] = (where, str(error), draft, View.now()["noise"])


def _problem(where: str):
    found = st.session_state.get(_PROBLEM)
    if found is None or found[0] != where or found[3] != View.now()["noise"]:
        return None
    return found


def _say(problem) -> None:
    if problem is None:
        return
    st.error(problem[1])
    if problem[2] is not None:
        st.button("Normalise the rows", key=f"matrix-normalise-{problem[0]}", on_click=_normalise)


def _typed(key: str, classes: int, data: str | None) -> None:
    typed = st.session_state[key].strip()
    if not matrix_text.named(typed):
        rows = re.sub(r"^\s*matrix\s*:?", "", typed, flags=re.I)
        _read(rows, "text", None if data is None else classes, _MOST_TYPED)
        return
    with _refusable("text"):
        View.set("noise", parse_noise(typed, classes, data).spec)


def _edited(key: str, spec: str, classes: int) -> None:
    if View.now()["noise"] != spec:  # another noise was chosen meanwhile
        return
    rows = [[fraction_text(p) for p in row] for row in parse_noise(spec, classes).exact]
    for row, changes in st.session_state[key]["edited_rows"].items():
        for column, cell in changes.items():
            if int(row) < classes and 1 <= int(column) <= classes:
                rows[int(row)][int(column) - 1] = cell if cell is not None else ""
    _take(rows, "cells")


def _pasted() -> None:
    pasted = st.session_state["matrix-paste"]
    if pasted.strip():
        _read(pasted, "pasted")


def _uploaded() -> None:
    file = st.session_state["matrix-file"]
    if file is None:
        return
    data = file.getvalue()[: matrix_text.LONGEST + 1]
    _read(data.decode("utf-8", "replace"), "pasted")


def _read(rows: str, where: str, classes: int | None = None, most: int = matrix_text.MOST) -> None:
    with _refusable(where):
        cells = matrix_text.read_table(rows, most)
        if classes is not None and len(cells) != classes:
            raise InputError(f"matrix: {classes} rows of {classes} numbers are needed here, got {len(cells)} rows")
        _take(cells, where)


def _take(rows: list[list[str]], where: str) -> None:
    """Use these cells where they are a transition matrix; otherwise keep them and say what is wrong."""
    with _refusable(where):
        values = matrix_text.numbers(rows)
        with _refusable(where, values):
            set_matrix(parse_noise(matrix_text.spec(values), len(values)))


def _normalise() -> None:
    where, _, draft, _ = st.session_state.get(_PROBLEM, (None, "", None, ""))
    if draft is None:  # pressed twice, or something else was typed meanwhile
        return
    with _refusable(where):
        rows = matrix_text.normalise(draft)
        set_matrix(parse_noise(matrix_text.spec(rows), len(rows)))


def set_matrix(noise: Noise) -> None:
    """Take a matrix; it brings its number of classes along."""
    View.set("classes", noise.classes)
    View.set("noise", noise.spec)
    st.session_state.pop(_PROBLEM, None)
