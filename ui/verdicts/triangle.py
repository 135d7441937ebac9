"""The triangle of predictions that follows the noise rate in the browser, without asking the server.

The risk is linear in the label weights, so the browser gets one raster of the loss for each label and adds them up as
the rate is dragged; the minimisers for each rate come along. On release the rate goes into the link.
"""

import base64
from pathlib import Path

import numpy as np
import orjson
import streamlit as st

from alf.figures.risk import P, edge_figure
from alf.figures.simplex import SCALE, raster
from alf.losses import parse
from alf.theory import critical_noise
from alf.theory.risk.minimiser import minimise
from ui.asking.page_questions import ratio_of
from ui.charts.chart import chart, component
from ui.controls.fields import rate_slider
from ui.controls.losses import named, series

_HERE = Path(__file__).parent


_JS = (_HERE / "triangle.js").read_text()


KINDS = {"symmetric": 2 / 3, "pair": 1 / 2}  # up to which rate the clean label dominates three classes


STEPS = 121


EVERY = 0.3  # seconds between looks at the workers, while one is at work


COLUMNS = 111


def simplex(specs: tuple[str, ...], kind: str, rate: float, key: str, on_rate, beside: bool = False) -> None:
    """One triangle for each loss and one slider for all of them.

    Parameters
    ----------
    kind : str
        symmetric or pair.
    rate : float
        Where the slider stands.
    on_rate : callable
        Called after the slider is let go; `released(key)` then gives its rate.
    beside : bool
        Show the risk under clean labels beside each.

    Looks again by itself while a critical rate is being worked out.
    """
    losses = [
        {
            "label": name.label,
            "color": style.color,
            "dark": style.dark,
            **_pictures(loss.spec, kind),
            **_critical(loss.spec, kind),
        }
        for loss, name, style in named(map(parse, specs))
    ]
    if beside:
        losses = [picture for loss in losses for picture in (loss | {"clean": True}, loss)]
    message = {"losses": losses, "kind": kind, "rate": rate, "top": KINDS[kind], "scale": SCALE}
    mount(orjson.dumps(message), key, on_rate)
    if any(loss["pending"] for loss in losses):
        st.fragment(_until_known, run_every=EVERY, key="simplex-live")(specs)


def _until_known(specs: tuple[str, ...]) -> None:
    """Run the page once more when every ratio is known; the component stays outside, so that its slider is heard."""
    if all(ratio_of(spec) is not None for spec in specs):
        st.rerun()


def edge(specs: tuple[str, ...], kind: str, rate: float, classes: int) -> None:
    """The risk between the true class and its strongest rival among K classes, and a slider for the rate."""
    share = rival_share(kind, rate, classes)
    predictions = np.zeros((len(P), classes))
    predictions[:, 0], predictions[:, 1] = P, 1 - P
    losses = [parse(spec) for spec in specs]
    with np.errstate(all="ignore"):
        curves = series(losses, P, lambda loss: loss.vector(predictions)[:, 0])
    noise = f"{100 * rate:.3g}% {kind} noise over {classes} classes" if rate else ""
    chart(edge_figure.spec(curves, share, noise), key="simplex-edge")
    rate_slider("simplex-rate", rate, KINDS[kind], 0.01)


def rival_share(kind: str, rate: float, classes: int) -> float:
    """Of the labels that say the true class or its likeliest rival, the share that say the rival.

    >>> rival_share("pair", 0.4, 10), round(rival_share("symmetric", 0.6, 4), 6)
    (0.4, 0.333333)
    """
    rival = rate if kind == "pair" else rate / (classes - 1)
    return rival / (1 - rate + rival)


def released(key: str) -> float | None:
    """The rate at which the slider was let go."""
    return (st.session_state.get(key) or {}).get("rate")


def weights(kind: str, rates: np.ndarray) -> np.ndarray:
    """Label weights of the first class at each rate, shape (..., 3).

    >>> weights("pair", np.array([0.4])).tolist()
    [[0.6, 0.4, 0.0]]
    """
    rates = np.asarray(rates, dtype=float)
    others = (rates / 2, rates / 2) if kind == "symmetric" else (rates, np.zeros_like(rates))
    return np.stack([1 - rates, *others], axis=-1)


def mount(data: bytes, key: str, on_rate) -> None:
    """Hand the bytes to the component; the page tests put a recorder here."""
    component("alf_simplex", _JS)(key=key, data=data, on_rate_change=on_rate)


@st.cache_data(max_entries=64, show_spinner=False)
def _pictures(spec: str, kind: str) -> dict:
    loss = parse(spec)
    _, y, predictions = raster(COLUMNS)
    with np.errstate(all="ignore"):
        values = np.nan_to_num(loss.vector(predictions), nan=60.0, posinf=60.0)
    rates = np.linspace(0, KINDS[kind], STEPS)
    found = minimise(loss.vector, weights(kind, rates))
    return {
        "columns": COLUMNS,
        "rows": len(y),
        "labels": [
            base64.b64encode(np.ascontiguousarray(values[..., i], dtype="<f4").tobytes()).decode() for i in range(3)
        ],
        "best": [m.point.round(6).tolist() for m in found],
        "edges": [m.edge for m in found],
    }


def _critical(spec: str, kind: str) -> dict:
    """The rate at which the minimiser leaves its corner, None without one, and whether it is still being worked out."""
    found = ratio_of(spec)
    known = found is not None and found.defined and found.value is not None
    return {"critical": getattr(critical_noise(found, 3), kind) if known else None, "pending": found is None}
