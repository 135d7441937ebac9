"""What happens when we train?"""

import streamlit as st

from alf.data import dataset
from ui import controls, inspection, lab, recipe_state, state
from ui.live import results
from ui.noise_picture import noise_picture
from ui.prover import read_loss
from ui.run_bar import bar
from ui.shell import head
from ui.view import View

head(
    "Train",
    "Give a network wrong labels and press Start. Watch the accuracy rise, and then see which loss memorises "
    "the wrong labels.",
)
FIELDS = (
    *recipe_state.fields(state.losses(recipe_state.LOSSES, parse=read_loss)),
    state.token("run"),
    *inspection.FIELDS,
)
view = View("train", FIELDS)
view.say()
shown, problem = lab.shown(view["run"])
active = shown.progress is not None and shown.progress.active
with st.container(key="train"):
    with st.container(key="start"):
        bar(view, shown)
    with st.container(key="controls"):
        controls.data(view)
        controls.noise(view, dataset(view["data"]).classes, view["data"])
        controls.loss_list(view, compact=True)
        controls.recipe(view)
    with st.container(key="results", gap="medium"):
        if problem:
            st.warning(f"{problem}. The recorded run is shown instead.")
        results(view["run"], shown)
        noise_picture(view)
view.save()
