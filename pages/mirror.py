"""Does a trained network find the best prediction?"""

import streamlit as st

from alf.training.recipes import MIRROR_LOSSES
from ui import controls
from ui.asking.page_questions import read_loss
from ui.shell import head
from ui.state import link
from ui.state.view import View
from ui.training import mirror

head(
    "Mirror",
    "Theory says what the best prediction is when labels are wrong. Train networks at nine noise rates and see whether "
    "they say the same.",
)
FIELDS = (
    link.losses(MIRROR_LOSSES, parse=read_loss),
    link.noise("pair:0.4", classes=mirror.CLASSES),
    link.token("mirror"),
)
view = View("mirror", FIELDS)
view.show_warnings()
with st.container(key="mirror"):
    with st.container(key="start"):
        mirror.buttons(view)
    with st.container(key="controls"):
        controls.noise(view, mirror.CLASSES, "clusters", rates=mirror.KINDS)
        controls.loss_list(view, compact=True)
    with st.container(key="results", gap="medium"):
        mirror.results(view)
view.save()
