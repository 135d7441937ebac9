"""What does this loss look like, and how asymmetric is it?"""

import streamlit as st

from alf.figures.shape import U, loss_figure, slope_figure, weight_figure
from alf.losses import parse
from ui import controls
from ui.asking.page_questions import read_loss
from ui.charts.chart import mount, payload
from ui.shell import head
from ui.state import link
from ui.state.view import View
from ui.verdicts.ratio_cards import ratio_cards, rest_note


@st.cache_data(max_entries=256, show_spinner=False)
def curves(specs: tuple[str, ...], classes: int) -> bytes:
    """The three figures, ready for the browser."""
    losses = [parse(spec) for spec in specs]
    return payload(
        (
            loss_figure.spec(controls.series(losses, U, lambda loss: loss.value(U, classes)), classes),
            slope_figure.spec(controls.series(losses, U, lambda loss: loss.derivative(U, classes)), classes),
            weight_figure.spec(controls.series(losses, U, lambda loss: loss.sample_weight(U, classes)), classes),
        ),
        live=controls.live_curves(losses, classes, U, ("value", "derivative", "weight")),
    )


head(
    "Explore",
    "Move a slider. If a loss keeps its slope up to u = 1, its best prediction stays the clean label although "
    "some labels are wrong.",
)
view = View("explore", (link.losses(parse=read_loss), link.classes()))
view.show_warnings()
with st.container(key="explore"):
    with st.container(key="chart"):
        mount(curves(view["loss"], view["classes"]), "explore-curves")
        if said := rest_note(view["loss"]):
            st.html(said)
    with st.container(key="controls"):
        controls.class_count(view)
        controls.loss_list(view)
    with st.container(key="numbers", gap="medium"):
        ratio_cards(view["loss"], view["classes"])
view.save()
