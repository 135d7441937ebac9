"""Which labels are made wrong, and how many: the kind of noise, its rate, or a typed noise."""

from collections.abc import Mapping

import streamlit as st

from alf.errors import InputError
from alf.noise import CONFUSIONS, Noise, parse_noise
from ui.controls import matrix
from ui.controls.fields import segments
from ui.state.link import STAND_IN
from ui.state.view import View, keep
from ui.words.glossary import hint

SHORT = {"none": "None", "symmetric": "Symmetric", "pair": "Pair", "typed": "Typed"}
LONG = {
    "none": "None: every label is right",
    "symmetric": "Symmetric: any other class",
    "pair": "Pair: always the next class",
    "asymmetric": "Asymmetric: a class that looks alike",
    "instance": "Instance: depends on the sample",
    "typed": "Your own matrix, typed",
}
_WITHOUT_RATE = ("none", "typed")


def noise(
    view: View, classes: int, data: str | None = None, cells: bool = False, rates: Mapping[str, str] | None = None
) -> None:
    """The kind of label noise and its rate, or a typed noise; with a data set, the kinds that need one too.

    With `cells` a typed matrix is left to `ui.controls.matrix.editor`. With `rates`, kinds of noise and their words,
    these are offered without a rate: the page has it on an axis.
    """
    spec, where = view["noise"], (classes, data)
    kind, words = spec.partition(":")[0], rates or (SHORT if data is None else LONG)
    shown = kind if kind in words else "typed"
    about = " ".join(hint(f"{kind} noise") for kind in words if kind not in _WITHOUT_RATE)
    if data is None or rates:
        segments("noise-kind", "Label noise", words, shown, _kind, *where, required=True, width="stretch", help=about)
    else:
        offered = [kind for kind in words if kind != "asymmetric" or data in CONFUSIONS]
        key = keep("noise-kind-data", shown)
        st.selectbox(
            "Label noise", offered, format_func=words.get, key=key, help=about, on_change=_kind, args=(key, *where)
        )
    if shown not in _WITHOUT_RATE and not rates:
        _rate(spec, shown, where)
    elif shown == "typed" and cells and kind == "matrix":
        with st.container(key="noise-own"):
            st.caption("Your own matrix, row by row:")
    elif shown == "typed":
        matrix.text_field(spec, *where)
    matrix.say_kept_noise(view, data)


def _rate(spec: str, kind: str, where: tuple) -> None:
    rate = float(parse_noise(spec, *where).rate)
    key = keep("noise-rate", rate)
    st.slider(
        "Rate",
        0.0,
        max(0.95, rate),
        step=0.01,
        format="%.2f" if round(rate, 2) == rate else "%g",
        key=key,
        help=hint("noise rate"),
        on_change=_rated,
        args=(key, kind, *where),
    )


def drowns(spec: str, classes: int, data: str) -> bool:
    """Whether under a noise clean labels are not the likeliest; one that does not fit the data is only stood in for."""
    try:
        return parse_noise(spec, classes, data).clean_dominates is False
    except InputError:
        return False


def _kind(key: str, classes: int, data: str | None) -> None:
    if (kind := st.session_state[key]) is None:  # a click that came while the page was drawn anew
        return
    now = _now(classes, data)
    rate = 0.4 if now.rate in (None, 0) else now.rate
    if kind == "none":
        View.set("noise", "none")
    elif kind == "typed":
        rows = now.exact or parse_noise(f"symmetric:{rate}", classes).exact
        if classes <= 20:  # a matrix of a hundred classes is not typed
            spec = "matrix:" + ";".join(",".join(str(p) for p in row) for row in rows)
            matrix.set_matrix(parse_noise(spec, classes))
    else:
        _take(f"{kind}:{rate}", classes, data)


def _rated(key: str, kind: str, classes: int, data: str | None) -> None:
    if View.now()["noise"].partition(":")[0] == kind:  # another kind may have been chosen meanwhile
        _take(f"{kind}:{round(st.session_state[key], 6)}", classes, data)


def _now(classes: int, data: str | None) -> Noise:
    """The noise shown, or 40% where it was that of a page or number of classes that has gone."""
    try:
        return parse_noise(View.now()["noise"], classes, data)
    except InputError:
        return parse_noise(STAND_IN, classes, data)


def _take(spec: str, classes: int, data: str | None) -> None:
    try:
        View.set("noise", parse_noise(spec, classes, data).spec)
    except InputError:  # a kind or a rate that only the page before could offer
        return
