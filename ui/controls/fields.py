"""Fields for one part of a view's state: a choice of words, a switch, the number of classes."""

import streamlit as st

from ui.state.link import MOST_CLASSES
from ui.state.view import View, keep
from ui.words.glossary import hint


def class_count(view: View, most: int = MOST_CLASSES) -> None:
    """K, as a number field."""
    number("classes", "Classes K", view["classes"], (2, most), 1, hint("K"), View.set, "classes")
    if note := view.notes.get("classes"):
        st.caption(note)


def number(
    key: str, label: str, value: float, limits: tuple[float, float], step: float, about: str, take, name
) -> None:
    """A number between two limits; one that is not stays in its field, with the reason below it.

    The limits are not given to the browser: it would keep such a number from us, with a bubble of its own that soon
    goes away. `take(name, number)` is called with a number that is allowed.
    """
    refusal = st.session_state.get(f"{key}.refusal")
    if refusal and refusal[0] == value and key in st.session_state:
        st.session_state[key] = st.session_state[key]  # as it was typed
    else:
        st.session_state.pop(f"{key}.refusal", None)  # the value has changed elsewhere
        keep(key, value)
    text = "%d" if isinstance(step, int) else "%g"
    st.number_input(
        label,
        step=step,
        format=text,
        key=key,
        help=about,
        on_change=_number,
        args=(key, label, value, limits, take, name),
    )
    if refusal := st.session_state.get(f"{key}.refusal"):
        st.error(refusal[1])


def _number(key: str, label: str, value: float, limits: tuple[float, float], take, name) -> None:
    typed, (low, high) = st.session_state[key], limits
    st.session_state.pop(f"{key}.refusal", None)
    if typed is not None and low <= typed <= high:
        take(name, typed)
    else:
        shown = "nothing" if typed is None else f"{typed:.12g}"
        words = f"{label}: must be between {low:.12g} and {high:.12g}, got {shown}. {value:.12g} stays in use."
        st.session_state[f"{key}.refusal"] = (value, words)


def pick(view: View, name: str, label: str, options: dict[str, str], about: str) -> None:
    """A choice of one of a few words, each with the text it is shown by."""
    key = keep(f"pick-{name}", view.value(name))
    st.selectbox(label, list(options), format_func=options.get, key=key, help=about, on_change=_set, args=(key, name))


def switch(view: View, name: str, label: str, off: str, on: str, about: str) -> None:
    """A switch between two words."""
    key = keep(f"switch-{name}", view[name] == on)
    st.toggle(label, key=key, help=about, on_change=_switch, args=(key, name, off, on))


def rate_slider(key: str, rate: float, highest: float, step: float) -> None:
    """The share of wrong labels, as the rate of the reader's noise."""
    st.slider(
        "Share of wrong labels",
        0.0,
        highest,
        step=step,
        format="percent",
        key=keep(key, rate),
        help=hint("noise rate"),
        on_change=lambda: View.set("rate", round(st.session_state[key], 4)),
    )


def segments(key: str, label: str, words: dict, value, take, *arguments, **look) -> None:
    """A choice of one of a few words, side by side; `take(key, *arguments)` hears of another one."""
    look |= {"format_func": words.get, "key": keep(key, value), "on_change": take, "args": (key, *arguments)}
    st.segmented_control(label, list(words), **look)


def _set(key: str, name: str) -> None:
    View.set(name, st.session_state[key])


def _switch(key: str, name: str, off: str, on: str) -> None:
    View.set(name, on if st.session_state[key] else off)
