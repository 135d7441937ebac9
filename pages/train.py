"""What happens when we train?"""

import streamlit as st

from alf.data import dataset
from ui import controls
from ui.asking.page_questions import read_loss
from ui.shell import head
from ui.state import link, recipe_fields
from ui.state.view import View
from ui.training import inspection, recipe_controls, session
from ui.training.buttons import run_buttons
from ui.training.drawn_labels import noise_picture
from ui.training.panel import results

head(
    "Train",
    "Give a network wrong labels and press Start. Watch the accuracy rise, and then see which loss memorises "
    "the wrong labels.",
)
FIELDS = (
    *recipe_fields.fields(link.losses(recipe_fields.LOSSES, parse=read_loss)),
    link.token("run"),
    *inspection.FIELDS,
)
view = View("train", FIELDS)
view.show_warnings()
shown, problem = session.run_or_recorded(view["run"])
active = shown.progress is not None and shown.progress.active
with st.container(key="train"):
    with st.container(key="start"):
        run_buttons(view, shown)
    with st.container(key="controls"):
        recipe_controls.data(view)
        controls.noise(view, dataset(view["data"]).classes, view["data"])
        controls.loss_list(view, compact=True)
        recipe_controls.recipe(view)
    with st.container(key="results", gap="medium"):
        if problem:
            st.warning(f"{problem}. The recorded run is shown instead.")
        results(view["run"], shown)
        noise_picture(view)
view.save()
