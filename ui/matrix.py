"""The matrix on the page: a preset, cell by cell, pasted or uploaded; rows are normalised only when asked."""

import zlib

import pandas as pd
import streamlit as st

from alf.errors import InputError
from alf.noise import Noise, parse_noise, show
from ui import table
from ui.view import View

_DRAFT, _SAID = "matrix.draft", "matrix.said"


def editor(view: View, noise: Noise) -> None:
    """The matrix cell by cell, and the ways to bring one along."""
    labels = [str(i + 1) for i in range(noise.classes)]
    if noise.exact is not None and noise.classes <= table.MOST:
        cells = pd.DataFrame([[show(p) for p in row] for row in noise.exact], index=labels, columns=labels)
        key = f"matrix-{zlib.crc32(f'{noise.spec}{noise.classes}'.encode())}"
        st.caption("Click a cell to change it; decimals and fractions such as 1/3 are kept exactly.")
        st.data_editor(cells, key=key, on_change=_edited, args=(key, noise.spec, noise.classes), width="stretch")
    with st.popover("Paste or upload", width="stretch"):
        st.text_area(
            "From a spreadsheet",
            key="matrix-paste",
            placeholder="0.6\t0.4\n0.3\t0.7",
            max_chars=table.LONGEST,
            on_change=_pasted,
        )
        st.file_uploader("Or a CSV file", type=["csv", "tsv", "txt"], key="matrix-file", on_change=_uploaded)
    if said := st.session_state.get(_SAID):
        st.error(said)
        if st.session_state.get(_DRAFT):
            st.button("Normalise the rows", key="matrix-normalise", on_click=_normalise)


def _edited(key: str, spec: str, classes: int) -> None:
    rows = [[show(p) for p in row] for row in parse_noise(spec, classes).exact]
    for row, changes in st.session_state[key]["edited_rows"].items():
        for column, text in changes.items():
            rows[int(row)][int(column) - 1] = text if text is not None else ""
    _take(rows)


def _pasted() -> None:
    text = st.session_state["matrix-paste"]
    if text.strip():
        _read(text)


def _uploaded() -> None:
    file = st.session_state["matrix-file"]
    if file is None:
        return
    data = file.getvalue()[: table.LONGEST + 1]
    _read(data.decode("utf-8", "replace"))


def _read(text: str) -> None:
    try:
        rows = table.read_table(text)
    except InputError as error:
        st.session_state[_SAID] = str(error)
        st.session_state.pop(_DRAFT, None)
        return
    _take(rows)


def _take(rows: list[list[str]]) -> None:
    """Use these cells where they are a transition matrix; otherwise keep them and say what is wrong."""
    st.session_state.pop(_DRAFT, None)
    st.session_state.pop(_SAID, None)
    try:
        values = table.numbers(rows)
    except InputError as error:
        st.session_state[_SAID] = str(error)
        return
    try:
        noise = parse_noise(table.spec(values), len(values))
    except InputError as error:
        st.session_state[_SAID] = str(error)
        st.session_state[_DRAFT] = values
        return
    _use(noise)


def _normalise() -> None:
    try:
        rows = table.normalise(st.session_state[_DRAFT])
    except InputError as error:
        st.session_state[_SAID] = str(error)
        return
    _use(parse_noise(table.spec(rows), len(rows)))


def _use(noise: Noise) -> None:
    View.set("classes", noise.classes)
    View.set("noise", noise.spec)
    st.session_state.pop(_DRAFT, None)
    st.session_state.pop(_SAID, None)
