"""The one way a figure reaches the page: a component that calls Plotly.react.

`st.plotly_chart` mounts a new plot at every change of data and loses the reader's zoom; this keeps the plot and changes
its data, so that zoom, hidden traces and selection stay, nothing flickers, and the height is reserved from the start.
"""

from pathlib import Path

import orjson
import plotly
import streamlit as st

_HERE = Path(__file__).parent


LIBRARY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"  # comes with the wheel: no download


LIBRARY_ADDRESS = f"charts/plotly-{plotly.__version__}.min.js"
"""Where `ui.server` serves it, relative to a page."""


_JS = (_HERE / "follow.js").read_text() + (_HERE / "chart.js").read_text().replace("LIBRARY_ADDRESS", LIBRARY_ADDRESS)


def chart(*figures: dict, key: str, legend: bool = True) -> None:
    """Show figures side by side (below each other on a narrow page) under one legend.

    Parameters
    ----------
    figures : dict
        Plain figures: the `.spec` of a builder of `alf.figures`. A change of their data changes the plots in place.
    key : str
        The same key keeps the same plots, with the reader's zoom and hidden traces.
    legend : bool
        Show a legend of the traces' names; a click on a name hides it in every figure.
    """
    mount(payload(figures, legend), key)


def clicked(key: str) -> dict | None:
    """What was clicked last on the chart `key`, once: None when there was nothing.

    {"x", "y", "name"} of the trace, "figure", the number of the figure, and of a heat map "cell", its row and column.
    """
    return (st.session_state.get(key) or {}).get("click")


def boxed(key: str) -> dict | None:
    """The box drawn last on the chart `key`, once: {"figure", "x", "y"} with two ends each, None where it is whole."""
    return (st.session_state.get(key) or {}).get("box")


def payload(figures, legend: bool = True, clicks: bool = False, live: dict | None = None, boxes: bool = False) -> bytes:
    """What the component reads: the figures as JSON; what is not finite becomes null, a gap.

    `live` is what lets curves follow a held slider in the browser (`ui/charts/follow.js`). With `boxes` a box that is
    drawn over a figure is told to the page, which decides what to make of it, in place of a closer look at the figure.
    """
    message = {"legend": legend, "clicks": clicks, "boxes": boxes, "figures": list(figures), "live": live}
    return orjson.dumps(message, option=orjson.OPT_SERIALIZE_NUMPY)


def mount(data: bytes, key: str, on_click=None, on_box=None) -> None:
    """Hand the bytes to the component; `on_click` is called after a click on a point, before the page runs again.

    `on_box` likewise after a box was drawn. The page tests put a recorder here: there is no browser in them.
    """
    given = {"on_click_change": on_click, "on_box_change": on_box}
    callbacks = {name: callback for name, callback in given.items() if callback}
    component("alf_chart", _JS)(key=key, data=data, **callbacks)


@st.cache_resource(show_spinner=False)
def component(name: str, _js: str):
    """The component of this name, declared once; what it draws takes the page's styles."""
    return st.components.v2.component(name, js=_js, isolate_styles=False)
