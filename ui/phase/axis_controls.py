"""An axis of a map as fields: what changes along it, from where to where, in how many values, and all of it as text."""

import streamlit as st

from alf.data import dataset
from alf.figures.phase_map import axis_name
from alf.noise import parse_noise
from alf.numbers import decimal
from alf.phase import Axis, parse_axis
from ui.phase.fields import first_axis, kinds
from ui.state.view import View, keep, refusal_kept
from ui.words.glossary import hint
from ui.words.markdown import literal


def axis_fields(view: View, name: str) -> None:
    """The fields of the axis ``x`` or ``y``."""
    axis, other = parse_axis(view[name]), parse_axis(view["y" if name == "x" else "x"])
    noise = parse_noise(view["map-noise"], dataset(view["map-data"]).classes, view["map-data"]).kind
    offered = dict.fromkeys((axis.kind, *kinds(view["map-loss"], other.kind)))
    with st.container(key=f"axis-{name}", gap="small"):
        key = keep(f"kind-{name}", axis.kind)
        st.selectbox(
            f"Along {name}",
            list(offered),
            format_func=lambda kind: axis_name(kind, noise),
            key=key,
            help=hint("axis"),
            on_change=_kind,
            args=(key, name),
        )
        _range(axis, name)
        _refusal(name, axis)


def axes_as_text(view: View) -> None:
    """Both axes as links and the command line have them."""
    with st.expander("Axes as text", key="axes-text"):
        for name in ("x", "y"):
            key = keep(f"text-{name}", view[name])
            args = (key, name, view[name])
            st.text_input(f"{name} axis", key=key, help=hint("axis as text"), on_change=_typed, args=args)


def _refusal(name: str, axis: Axis) -> None:
    """Why what was typed last is no axis, as long as the one before it stays in use."""
    error = st.session_state.get(f"{name}.refusal")
    if error and st.session_state.get(f"{name}.refused") == axis.text:
        st.error(literal(f"{error}. {axis.text} stays in use."))


def _range(axis: Axis, name: str) -> None:
    low, high, count = (f"{part}-{name}" for part in ("low", "high", "count"))
    keep(low, axis.values[0])
    keep(high, axis.values[-1])
    keep(count, len(axis))
    with st.container(key=f"range-{name}", horizontal=True, gap="small"):
        args = (name, axis.text)
        st.number_input("From", key=low, format="%g", step=None, on_change=_ranged, args=args, width=92)
        st.number_input("To", key=high, format="%g", step=None, on_change=_ranged, args=args, width=92)
        st.number_input("Values", key=count, step=1, on_change=_ranged, args=args, width=92)
    log = keep(f"log-{name}", axis.log)
    st.toggle("Logarithmic", key=log, help=hint("logarithmic"), on_change=_ranged, args=args)


def _kind(key: str, name: str) -> None:
    now = View.now()
    if st.session_state[key] is None:  # a click that came while the page was drawn anew
        return
    count = len(parse_axis(now[name]))
    st.session_state[f"{name}.refused"] = now[name]
    with refusal_kept(f"{name}.refusal"):
        _set(name, first_axis(st.session_state[key], now, count))


def _ranged(name: str, before: str) -> None:
    kind = parse_axis(before).kind
    low, high, count = (st.session_state[f"{part}-{name}"] for part in ("low", "high", "count"))
    log = ":log" if st.session_state[f"log-{name}"] else ""
    shown = ["" if value is None else decimal(value) for value in (low, high)]
    _take(name, before, f"{kind}={shown[0]}:{shown[1]}:{'' if count is None else count}{log}")


def _typed(key: str, name: str, before: str) -> None:
    _take(name, before, st.session_state[key])


def _take(name: str, before: str, text: str) -> None:
    """Set the axis to what was typed, or keep the sentence that says why not."""
    st.session_state[f"{name}.refused"] = before
    with refusal_kept(f"{name}.refusal"):
        _set(name, parse_axis(text))


def _set(name: str, axis: Axis) -> None:
    View.set(name, axis.text)
    View.set("cell", None)
