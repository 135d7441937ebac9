"""Is it asymmetric, calibrated, tolerant: why, or where does it fail?"""

import streamlit as st

from alf.noise import parse_noise
from ui import controls
from ui.asking.page_questions import Question, read_loss
from ui.controls import matrix
from ui.shell import head
from ui.state import link
from ui.state.view import View
from ui.verdicts.claim_cards import claim_cards
from ui.words.glossary import hint

head(
    "Prove",
    "Pick a loss and a noise. Every claim is proved step by step, or refuted by a point that you can check by hand.",
)
FIELDS = (link.losses(("agce:a=0.6,q=0.6",), most=1, parse=read_loss), link.classes(), link.noise("pair:0.4"))
view = View("prove", FIELDS)
view.show_warnings()
question = Question(view["loss"][0], view["noise"], view["classes"])
with st.container(key="prove"):
    with st.container(key="controls"):
        controls.only_loss(view)
        controls.class_count(view)
        controls.noise(view, view["classes"], cells=True)
        if view["noise"].startswith("matrix:"):
            matrix.editor(parse_noise(view["noise"], view["classes"]))
    with st.container(key="claims"):
        claim_cards(question)
        with st.expander("Words that are easily confused", key="vocabulary"):
            for word in ("asymmetric", "symmetric", "calibrated", "noise tolerant"):
                st.markdown(f"**{word.capitalize()}.** {hint(word)}")
view.save()
