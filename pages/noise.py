"""Which losses tolerate this noise matrix?"""

import streamlit as st

from alf.figures.matrix import dominance_figure, matrix_figure
from alf.noise import parse_noise
from ui import controls
from ui.asking.page_questions import read_loss
from ui.charts.chart import chart
from ui.controls import matrix
from ui.controls.matrix_text import MOST
from ui.shell import head
from ui.state import link
from ui.state.view import View
from ui.verdicts.noise_ranking import needs, ranking
from ui.words.key_figures import dominates, key_figures, rates

head(
    "Noise",
    "Set a noise, or type your own matrix. For every loss the page proves that it tolerates the noise, or "
    "shows that it does not.",
)
FIELDS = (
    link.classes(most=MOST),
    link.noise("pair:0.4"),
    link.losses(parse=read_loss),
    link.choice("mend", ("own", "all"), "own"),
)
view = View("noise", FIELDS)
view.show_warnings()
noise = parse_noise(view["noise"], view["classes"])
with st.container(key="noise"):
    with st.container(key="controls"):
        controls.class_count(view, most=MOST)
        controls.noise(view, view["classes"], cells=True)
        matrix.editor(noise)
    with st.container(key="claims", gap="medium"):
        if noise.transition is not None:
            st.html(key_figures(rates(noise) + dominates(noise)))
            chart(
                matrix_figure.spec(noise.transition),
                dominance_figure.spec(noise.transition, needs(view["loss"])),
                key="noise-matrix",
            )
        if noise.transition is None:
            st.info(controls.hint("no matrix"))
        elif noise.kind == "none":
            st.info(
                "Every label is right: there is nothing to tolerate. Choose a noise to see which losses tolerate it."
            )
        else:
            controls.switch(
                view,
                "mend",
                "Suggest hyperparameters for every loss that does not tolerate the noise",
                "own",
                "all",
                controls.hint("suggestion"),
            )
            ranking(noise.spec, noise.classes, view["loss"], view["mend"] == "all")
view.save()
