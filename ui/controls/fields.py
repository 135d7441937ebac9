"""Fields for one part of a view's state: a choice of words, a switch, the number of classes."""

import streamlit as st

from ui.glossary import hint
from ui.state import MOST_CLASSES
from ui.view import View, keep


def class_count(view: View, most: int = MOST_CLASSES) -> None:
    """K, as a number field."""
    key = keep("classes", view["classes"])
    st.number_input("Classes K", 2, most, step=1, key=key, help=hint("K"), on_change=_set, args=(key, "classes"))
    if note := view.notes.get("classes"):
        st.caption(note)


def pick(view: View, name: str, label: str, options: dict[str, str], about: str) -> None:
    """A choice of one of a few words, each with the text it is shown by."""
    key = keep(f"pick-{name}", view[name])
    st.selectbox(label, list(options), format_func=options.get, key=key, help=about, on_change=_set, args=(key, name))


def switch(view: View, name: str, label: str, off: str, on: str, about: str) -> None:
    """A switch between two words."""
    key = keep(f"switch-{name}", view[name] == on)
    st.toggle(label, key=key, help=about, on_change=_switch, args=(key, name, off, on))


def _set(key: str, name: str) -> None:
    View.set(name, st.session_state[key])


def _switch(key: str, name: str, off: str, on: str) -> None:
    View.set(name, on if st.session_state[key] else off)
