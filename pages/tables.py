"""Do we reproduce the published numbers?"""

import streamlit as st

from ui.runs import reproduction, reproduction_table
from ui.shell import head
from ui.state.view import View
from ui.words.markdown import literal

EVERY = 2.0  # seconds between looks, while something is being trained


def body(view: View, looking: bool) -> None:
    """The table and what is missing; looks again by itself while something is going on."""
    made, found = reproduction.look(view)
    reproduction.controls(view, found)
    with st.container(key="tables-shown", gap="medium"):
        st.html(reproduction_table.summary(made))
        st.html(reproduction_table.html_of(made))
        st.caption("  \n".join(literal(line) for line in reproduction.written.remarks(made)))
    with st.container(key="tables-below"):
        with st.container(key="tables-missing", gap="small"):
            reproduction.missing(view, made)
        with st.container(key="tables-elsewhere", gap="small"):
            reproduction.elsewhere(made)
            reproduction.load_files()
    view.save()
    going = reproduction.waiting() or any(cell.going is not None for cell in made.cells)
    if going != looking:
        st.session_state["tables.looking"] = going
        st.rerun()  # as a whole, so that the looking begins or ends


head(
    "Tables",
    "The paper’s losses at the values its authors chose: what was measured here, beside what has been printed, with "
    "the difference. Only the whole protocol can reproduce a number.",
)
view = View("tables", reproduction.fields())
view.show_warnings()
looking = st.session_state.get("tables.looking", False)
st.fragment(body, run_every=EVERY if looking else None, key="tables-body")(view, looking)
