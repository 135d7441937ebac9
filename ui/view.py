"""A page's view: what it shows, kept for the reader between pages and in the URL.

The model is a plain dict in the session; widgets change it in their callbacks and are set from it before they are
drawn, so that sliders, presets, typed specs and links can never disagree. A URL that the page did not write itself (a
link, the back button) goes before the model, unless a widget has just changed it.
"""

import time
from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.state import Field, decode, encode

_MODEL, _PAGE, _WRITTEN, _TOUCHED, _SAID = "view.model", "view.page", "view.written", "view.touched", "view.said"
_CHANGED = "view.changed"
_UNSEEN = 1.5  # seconds within which the browser may not have drawn the widgets of our last change
_IN_FLIGHT = 1.5  # seconds within which the browser may still send the URL from before our last change


class View:
    """The state of one page: read with `view[name]`, changed with `view.set(name, value)` in a widget's callback."""

    def __init__(self, page: str, fields: Sequence[Field]):
        self.page = page
        self.fields = tuple(fields)
        model = st.session_state.setdefault(_MODEL, {})
        asked = {field.name: st.query_params.get_all(field.name) for field in fields}
        asked = {name: texts for name, texts in asked.items() if texts}
        touched = st.session_state.pop(_TOUCHED, False)
        linked = False
        if asked and not touched and self._from_outside(asked):
            linked = True
            values, problems = decode(fields, asked, model)
            for field in fields:
                # What the link leaves out keeps the reader's own value, where there is one.
                if field.name in asked or field.name not in model:
                    model[field.name] = values[field.name]
            st.session_state[_SAID] = (page, problems)
        for field in fields:
            model.setdefault(field.name, field.default)
        if linked or st.session_state.get(_PAGE) != page:
            # The reader's own value, or one from another page, may not go with the rest: too many losses, a noise of
            # other classes.
            values, _ = decode(fields, encode(fields, model))
            model.update(values)
            st.session_state[_PAGE] = page
            st.session_state[_CHANGED] = time.monotonic()

    def __getitem__(self, name: str) -> Any:
        return st.session_state[_MODEL][name]

    @property
    def values(self) -> dict[str, Any]:
        """The whole model, as the fields' own rules need it; not to be changed."""
        return st.session_state[_MODEL]

    def value(self, name: str) -> Any:
        """A field's value, with what None stands for put in (see `ui.state.follows`)."""
        return next(field for field in self.fields if field.name == name).value(self.values)

    @staticmethod
    def set(name: str, value: Any) -> None:
        """Change the state, from a widget's callback."""
        st.session_state[_MODEL][name] = value
        st.session_state[_TOUCHED] = True
        st.session_state[_CHANGED] = time.monotonic()
        st.session_state.pop(_SAID, None)

    def fit(self, name: str, value: Any) -> None:
        """Correct a value that no longer goes with the others, while the page runs: the link says what is shown."""
        if st.session_state[_MODEL][name] != value:
            st.session_state[_MODEL][name] = value
            st.session_state[_CHANGED] = time.monotonic()

    def say(self) -> None:
        """Show what of the link could not be used, until the reader changes something."""
        page, problems = st.session_state.get(_SAID, (None, []))
        if page == self.page and problems:
            st.warning(
                "This link holds something that cannot be used. " + " ".join(f"{_sentence(p)}" for p in problems)
            )

    def save(self) -> None:
        """Write the state into the URL, where it differs."""
        params = encode(self.fields, st.session_state[_MODEL])
        now = {name: st.query_params.get_all(name) for name in st.query_params}
        if params != now:
            st.query_params.from_dict(params)
        written = st.session_state.get(_WRITTEN, {}).get(self.page)
        if not written or written[0] != params:
            st.session_state[_WRITTEN] = {self.page: (params, written[0] if written else None, time.monotonic())}

    def _from_outside(self, asked: dict[str, list[str]]) -> bool:
        written = st.session_state.get(_WRITTEN, {}).get(self.page)
        if not written:
            return True
        last, before, when = written
        return asked != last and not (asked == before and time.monotonic() - when < _IN_FLIGHT)


def keep(key: str, value: Any) -> str:
    """Set a widget's value from the model before it is drawn; returns its key.

    Streamlit tells the browser a value once. When the page runs again before the browser has drawn it (claims that are
    settled at once), the second run's message takes the place of the first and the widget would show its default: so
    the value is told again for a moment.
    """
    fresh = time.monotonic() - st.session_state.get(_CHANGED, 0.0) < _UNSEEN
    if fresh or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def _sentence(text: str) -> str:
    # A stranger's text goes through Markdown here: no links, images, formulas or emphasis from a URL.
    for mark in "\\`*_[]<>$#:~|!()":
        text = text.replace(mark, "\\" + mark)
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
