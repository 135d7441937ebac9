"""A cell of the map, opened: its numbers, what theory says, its curves, and the ways to its proof and its training."""

import streamlit as st

from alf.data import dataset
from alf.figures.base import Series
from alf.figures.headline import Result
from alf.figures.training import accuracy_figure, bands, memorised_figure
from alf.losses import parse
from alf.phase import MEASURES, Cell
from alf.training.records import summarise
from ui.charts.chart import chart
from ui.controls.losses import named
from ui.phase.fields import cell_of
from ui.phase.picture import at, names, said_of, theory_lines, with_spread
from ui.phase.shown import Shown
from ui.runs.rows import train_link
from ui.shell import entry, page
from ui.state.view import View
from ui.training import session
from ui.words.key_figures import html_table, table_row
from ui.words.markdown import literal


def opened_cell(view: View, seen: Shown) -> None:
    """The panel below the map, where a cell is open."""
    cell = cell_of(view["cell"], seen.phase)
    if cell is None:
        st.caption("Click a cell for its curves. Drag a box over the map to measure that part of it more closely.")
        return
    phase = seen.phase
    with st.container(key="opened", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{literal(names(phase)[cell.loss])}** · {literal(at(phase, cell))}", width="stretch")
            st.button("Close", key="close-cell", type="tertiary", on_click=View.set, args=("cell", None))
        one = seen.cells.get(cell)
        if one is None:
            st.caption("This cell is not measured yet.")
        else:
            head = "".join(f"<th>{measure.name}</th>" for measure in MEASURES.values())
            st.html(html_table(head, table_row([with_spread(one, measure) for measure in MEASURES.values()])))
            for why in dict.fromkeys(one.ended.values()):
                st.caption(literal(why))
        if (said := said_of(seen, cell)) is not None:
            words = "; ".join(theory_lines(said))
            st.caption(literal(words[:1].upper() + words[1:] + "."))
        _links(seen, cell)
        _curves(seen, cell)


def _links(seen: Shown, cell: Cell) -> None:
    phase = seen.phase
    data, noise = phase.data(cell), phase.noise(cell)
    with st.container(horizontal=True, gap="small"):
        if noise.partition(":")[0] in ("symmetric", "pair", "none"):
            asked = {"loss": phase.loss(cell), "noise": noise, "classes": str(dataset(data).classes)}
            st.page_link(page(entry("Prove")), label="Its proof →", query_params=asked)
        if ":" not in data:
            asked = train_link(phase.recipe_of([cell]))
            st.page_link(page(entry("Train")), label="Train it →", query_params=asked)


def _curves(seen: Shown, cell: Cell) -> None:
    """The cell's networks over the epochs."""
    run = None if seen.recording or seen.sweep is None else seen.sweep.run_of(cell)
    if run is None:
        if seen.recording:
            st.caption("Of a recorded map only the numbers are kept: press Start to train it and see the curves.")
        return
    phase = seen.phase
    spec, noise = phase.loss(cell), phase.noise(cell)
    records = [row for row in session.engine().curves(run) if row["loss"] == spec and row["noise"] == noise]
    if not records:
        return
    _, name, style = next(named([parse(spec)]))
    row = summarise(records)[0]

    def drawn(builder, metric: str, what: str) -> dict:
        found = bands(records, metric).get(spec)
        series = [] if found is None else [Series(name.label, style, *found, name.short)]
        ends = [Result(name.short, row[what]["mean"], row[what]["std"], len(row["seeds"]))] if row[what] else []
        return builder.spec(series, phase.recipe.epochs, (), ends)

    chart(
        drawn(accuracy_figure, "test_accuracy", "last"),
        drawn(memorised_figure, "flipped_given_accuracy", "memorised"),
        key="cell-curves",
        legend=False,
    )
