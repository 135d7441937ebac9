"""What happens when we train?"""

import streamlit as st

from alf.data import DATASETS, dataset
from alf.errors import InputError
from alf.settings import settings
from ui import controls, lab, state
from ui.live import results
from ui.prover import read_loss
from ui.shell import head
from ui.view import View

DEFAULTS = ("ce", "mae", "agce:a=4,q=0.2", "ael:a=3.5")


def start() -> None:
    """Hand the recipe of the controls to the engine; the run's id goes into the link."""
    try:
        View.set("run", lab.engine().start(lab.recipe_of(st.session_state["view.model"]), lab.owner()))
    except InputError as error:
        st.session_state["train.said"] = str(error)
    else:
        st.session_state.pop("train.said", None)


def stop(run: str) -> None:
    """Ask the engine to stop the run; the page shows at once that it was asked."""
    lab.engine().stop(run)


head(
    "Train",
    "Give a network wrong labels and press Start. Watch the accuracy rise, and then see which loss learns the wrong "
    "labels by heart.",
)
FIELDS = (
    state.choice("data", tuple(DATASETS), "digits"),
    state.losses(DEFAULTS, parse=read_loss),
    state.noise("symmetric:0.5"),
    state.whole("seeds", 3, 1, 10),
    state.whole("epochs", 120, 1, settings().max_epochs),
    state.share("lr", 1.0, 1e-5, 100.0),
    state.choice("scale", ("own", "equal"), "own"),
    state.choice("device", ("auto", "cpu", "cuda", "mps"), "auto"),
    state.token("run"),
)
view = View("train", FIELDS)
view.say()
shown, problem = lab.shown(view["run"])
active = shown.progress is not None and shown.progress.active
with st.container(key="train"):
    with st.container(key="start"):
        with st.container(horizontal=True):
            st.button("Start", type="primary", key="start-run", disabled=active, on_click=start, width="stretch")
            if active:
                asked = shown.progress.status == "stopping"
                st.button("Stop", key="stop-run", disabled=asked, on_click=stop, args=(view["run"],), width="stretch")
        if said := st.session_state.get("train.said"):
            st.error(said)
    with st.container(key="controls"):
        controls.data(view)
        controls.noise(view, dataset(view["data"]).classes, view["data"])
        controls.loss_list(view, compact=True)
        controls.recipe(view)
    with st.container(key="results", gap="medium"):
        if problem:
            st.warning(f"{problem} The recorded run is shown instead.")
        results(view["run"], active)
view.save()
