"""Where does the best prediction go when labels are wrong?"""

import streamlit as st

from ui import controls, state
from ui.prover import read_loss
from ui.shell import head
from ui.simplex import KINDS, released, simplex
from ui.view import View

MOST = 3
KEY = "simplex-triangles"


def release() -> None:
    """The slider was let go: its rate goes into the link."""
    rate = released(KEY)
    if isinstance(rate, int | float) and 0 <= rate <= 1:
        View.set("rate", min(float(rate), KINDS[st.session_state["view.model"]["kind"]]))


head(
    "Simplex",
    "Every point of the triangle is a prediction over three classes. Drag the share of wrong labels: the dot is the "
    "best prediction, the bright line the way training takes from knowing nothing.",
)
FIELDS = (
    state.losses(("ce", "agce:a=0.6,q=0.6", "ngce:q=0.7"), most=MOST, parse=read_loss),
    state.choice("kind", tuple(KINDS), "pair"),
    state.share("rate", 0.3, 0.0, 2 / 3),
)
view = View("simplex", FIELDS)
view.say()
with st.container(key="simplex"):
    with st.container(key="controls"):
        controls.pick(
            view, "kind", "Label noise", {"symmetric": "Symmetric", "pair": "Pair"}, controls.hint("noise rate")
        )
        controls.loss_list(view, compact=True, most=MOST)
    with st.container(key="claims"):
        simplex(view["loss"], view["kind"], min(view["rate"], KINDS[view["kind"]]), KEY, release)
view.save()
