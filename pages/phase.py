"""Where does training succeed, and what does the theorem say?"""

import streamlit as st

from ui.phase import controls
from ui.phase.fields import FIELDS
from ui.phase.live import buttons, live_map
from ui.phase.opened import opened_cell
from ui.phase.shown import shown
from ui.shell import head
from ui.state.view import View

head(
    "Phase",
    "Every cell is a few trained networks. The red line is where the theorem’s promise ends: compare it with where "
    "the colours change.",
)
view = View("phase", FIELDS)
view.show_warnings()
seen = shown()
with st.container(key="phase"):
    with st.container(key="start"):
        controls.presets()
        buttons(seen)
    with st.container(key="controls"):
        controls.controls(view)
    with st.container(key="results", gap="medium"):
        live_map(seen)
        opened_cell(view, seen)
view.save()
