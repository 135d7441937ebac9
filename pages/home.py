"""Two sentences, one picture, three doors."""

import streamlit as st

from alf.figures.risk import P, edge_figure
from alf.losses import parse
from alf.settings import settings
from ui import controls
from ui.charts.chart import chart
from ui.shell import PAGES, head, page
from ui.state import link
from ui.state.view import View

SHOWN = ("ce", "agce:a=4,q=0.2")

head(
    "Home",
    "Many data sets have wrong labels, and a network trained with cross entropy memorises them in the end. An "
    "asymmetric loss is made to prevent this: as long as right labels are common enough, its best prediction is the "
    "right label itself, not a compromise between the labels.",
)
view = View("home", (link.noise_rate(0.4, 0.45),))
view.show_warnings()

losses = [parse(spec) for spec in SHOWN]
with st.container(key="home-picture"):
    chart(edge_figure.spec(controls.series(losses, P, lambda loss: loss.value(P, 2)), view["rate"]), key="home-risk")
    controls.rate_slider("home.rate", view["rate"], 0.45, 0.05)

doors = [entry for entry in PAGES if entry.door]
for column, entry in zip(st.columns(len(doors), gap="medium"), doors, strict=True):
    with column, st.container(key=f"door-{entry.address}"):
        st.html(f'<div class="alf-door"><h3>{entry.question}</h3><p>{entry.door}</p></div>')
        st.page_link(page(entry), label=f"{entry.title} →")
if address := settings().docs_url:
    st.page_link(address, label="Tutorial, gallery of all losses, theory and reference →")
view.save()
