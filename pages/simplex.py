"""Where does the best prediction go when labels are wrong?"""

import streamlit as st

from ui import controls
from ui.asking.page_questions import read_loss
from ui.shell import head
from ui.state import link
from ui.state.view import View
from ui.verdicts.triangle import KINDS, edge, released, simplex

MOST = 3
KEY = "simplex-triangles"


def release() -> None:
    """The slider was let go: its rate goes into the link."""
    rate = released(KEY)
    if isinstance(rate, int | float) and 0 <= rate <= 1:
        View.set("rate", min(float(rate), KINDS[View.now()["kind"]]))


head(
    "Simplex",
    "Drag the share of wrong labels. For some losses the best prediction leaves the clean label at once, for others "
    "only above a critical noise rate.",
)
FIELDS = (
    link.losses(("ce", "agce:a=0.6,q=0.6", "ngce:q=0.7"), most=MOST, parse=read_loss),
    link.noise_kind(KINDS),
    link.noise_rate(0.4, lambda values: KINDS[values["kind"]]),
    link.choice("shown", ("triangle", "edge"), "triangle"),
    link.choice("beside", ("no", "yes"), "no"),
    link.classes(),
)
view = View("simplex", FIELDS)
view.show_warnings()
triangle = view["shown"] == "triangle"
rate = view["rate"]
with st.container(key="simplex"):
    with st.container(key="controls"):
        controls.pick(
            view, "kind", "Label noise", {"symmetric": "Symmetric", "pair": "Pair"}, controls.hint("noise rate")
        )
        controls.pick(
            view,
            "shown",
            "Predictions",
            {"triangle": "Over three classes", "edge": "Between two of K classes"},
            "The triangle shows every prediction over three classes. For more classes, choose the predictions between "
            "two: the true class and the likeliest wrong label.",
        )
        if triangle:
            controls.switch(
                view, "beside", "Compare with clean labels", "no", "yes", "The same risk without wrong labels."
            )
        else:
            controls.class_count(view)
        controls.loss_list(view, compact=True, most=MOST)
    with st.container(key="claims"):
        if triangle:
            st.html(
                '<p class="alf-note">Every point of a triangle is a prediction over three classes. The dot is the best '
                "one. The bright line is the path of training, from the same probability for every class.</p>"
            )
            simplex(view["loss"], view["kind"], rate, KEY, release, view["beside"] == "yes")
        else:
            edge(view["loss"], view["kind"], rate, view["classes"])
view.save()
