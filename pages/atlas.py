"""How do hyperparameters move the ratio and the noise it tolerates?"""

from functools import partial

import streamlit as st

from alf.errors import InputError
from alf.losses import catalogue, parse
from alf.noise import parse_noise
from ui import controls
from ui.asking.page_questions import families, read_loss
from ui.charts.chart import clicked, mount
from ui.shell import head, routed
from ui.state import link
from ui.state.view import View
from ui.verdicts import ratio_map

MAP, SLICES, FULL = "atlas-map", "atlas-slices", "atlas.full"
LEADS = {
    2: "Every point of the map is one loss. Click to change yours. "
    "Losses on the dark side of the red line tolerate the noise.",
    1: "Every point of the curve is one loss. Click to change yours. Losses above the red line tolerate the noise.",
}  # by hyperparameters


def click(chart: str) -> None:
    """A click on the map, or on the curve of a single hyperparameter, sets them here and on every other page."""
    point, model = clicked(chart), View.now()
    if not isinstance(point, dict) or not all(isinstance(point.get(k), int | float) for k in "xy"):
        return
    before = ratio_map.family(model["family"], model["loss"])
    try:
        after = ratio_map.at_point(parse(before), point["x"], point["y"]).spec
    except InputError:
        return  # a click beside the domain moves nothing
    own = [after if spec == before else spec for spec in model["loss"]]
    if before not in own and after not in own:
        own = [after, *own]
    if len(own) <= link.MOST_LOSSES:  # a seventh would cost the reader one of theirs
        View.set("loss", tuple(dict.fromkeys(own)))
    else:
        st.session_state[FULL] = True


routed()  # the losses that can be chosen are worked out
FIELDS = (
    link.choice("family", families(), "agce"),
    link.losses(parse=read_loss),
    link.choice("show", tuple(ratio_map.QUANTITIES), "ratio"),
    link.classes(),
    link.noise("pair:0.4"),
)
view = View("atlas", FIELDS)
head("Atlas", LEADS[len(catalogue()[view["family"]].parameters)])
view.show_warnings()
spec = ratio_map.family(view["family"], view["loss"])
noise = parse_noise(view["noise"], view["classes"])
limit = ratio_map.least_ratio(noise)
overview, slices = ratio_map.pictures(spec, view["show"], view["classes"], limit)
with st.container(key="atlas"):
    with st.container(key="controls"):
        controls.pick(
            view,
            "family",
            "Loss",
            {k: catalogue()[k].name for k in families()},
            "Losses whose ratio is a formula.",
        )
        controls.pick(view, "show", "Show", ratio_map.QUANTITIES, controls.hint("asymmetry ratio"))
        controls.class_count(view)
        controls.noise(view, view["classes"])
        if noise.exact is None:
            st.caption(controls.hint("no matrix"))
        elif limit is None:
            st.caption(
                "With this noise the clean label does not dominate in every class: no loss tolerates this noise."
            )
    with st.container(key="claims", gap="medium"):
        if st.session_state.pop(FULL, False):
            st.info(f"You have {link.MOST_LOSSES} losses already. Remove one on Explore to add one from the map.")
        mount(overview, MAP, partial(click, MAP))
        mount(slices, SLICES, partial(click, SLICES))
        panel = st.expander("Robustness against learning speed", key="trade", on_change="rerun")
        if panel.open:
            with panel:
                mount(ratio_map.trade_off(view["classes"]), "atlas-trade")
view.save()
