"""A page's view: what it shows, kept for the reader between pages and in the URL.

The model is a plain dict in the session: the reader's own values. A page shows them as far as it can, see
`ui.state.link.fitted` and `ui.state.selection`, and writes back only what the reader changes on it. Widgets change the
model in their callbacks and are set from what is shown before they are drawn, so that sliders, presets, typed specs and
links can never disagree.

Which goes first at a run of the page, the model or the URL? The model,

1. when the URL says nothing of the page, or a widget has just changed the model; the run ends with writing it into the
   URL;
2. when the URL is the one that the page wrote last;
3. when the URL is the one before that, within `URL_UNDERWAY` seconds of our writing the last: the browser sent its
   message before ours came.

Any other URL is a link or the back button, and goes first. The other way round the browser is behind too: within
`WIDGETS_UNDERWAY` seconds of a change it may not have drawn the widgets' new values, and is told them again (`keep`).
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import streamlit as st

from alf.errors import InputError
from ui.asking.page_questions import questions
from ui.state import selection
from ui.state.link import Field, decode, encode, fitted
from ui.words.markdown import literal

_MODEL, _PAGE, _URLS, _TOUCHED, _PROBLEMS = "view.model", "view.page", "view.urls", "view.touched", "view.problems"
_CHANGED, _SHOWN, _LOOKED, _FIELDS = "view.changed", "view.shown", "view.looked", "view.fields"

URL_UNDERWAY = WIDGETS_UNDERWAY = 1.5  # seconds between us and a slow browser, either way


class Urls(NamedTuple):
    """The parameters of the URL that a page wrote last, of the one before, and when it wrote."""

    page: str
    last: dict[str, list[str]]
    before: dict[str, list[str]] | None
    written: float

    def explain(self, page: str, asked: dict[str, list[str]]) -> bool:
        """Whether a URL asked for comes from the page itself: the last one, or for a moment the one before."""
        fresh = time.monotonic() - self.written < URL_UNDERWAY
        return page == self.page and (asked == self.last or (fresh and asked == self.before))


class View:
    """The state of one page: read with `view[name]`, changed with `view.set(name, value)` in a widget's callback."""

    def __init__(self, page: str, fields: Sequence[Field]):
        self._began = time.monotonic()
        self.page = page
        self.fields = tuple(fields)
        model = st.session_state.setdefault(_MODEL, {})
        asked = {field.name: st.query_params.get_all(field.name) for field in fields}
        asked = {name: texts for name, texts in asked.items() if texts}
        touched = st.session_state.pop(_TOUCHED, False)
        urls = st.session_state.get(_URLS)
        linked = bool(asked) and not touched and not (urls and urls.explain(page, asked))
        if linked:
            self._follow(asked)
        for field in fields:
            if field.settles:
                model.setdefault(field.name, field.default)
        if linked or st.session_state.get(_PAGE) != page:
            st.session_state[_PAGE] = page
            st.session_state[_CHANGED] = time.monotonic()
        st.session_state[_FIELDS] = {field.name: field for field in fields}
        st.session_state[_SHOWN], self.notes = self._fitted()

    def __getitem__(self, name: str) -> Any:
        return st.session_state[_SHOWN][name]

    def value(self, name: str) -> Any:
        """A field's value, with what None stands for put in (see `ui.state.link.follows`)."""
        return st.session_state[_FIELDS][name].value(View.now())

    @staticmethod
    def now() -> dict[str, Any]:
        """All that the page shows; not to be changed."""
        return st.session_state.get(_SHOWN, {})

    @staticmethod
    def own(name: str) -> Any:
        """The reader's own value, which the page may not be able to show; None where there is none yet."""
        return st.session_state.get(_MODEL, {}).get(name)

    @staticmethod
    def set(name: str, value: Any) -> None:
        """Change the state, from a widget's callback; what the rest of it gives anyway is not kept as the reader's."""
        before, model = View.now().get(name), st.session_state[_MODEL]
        field = st.session_state.get(_FIELDS, {}).get(name)
        if field and field.own and value == field.own(View.now()):
            value = None
        if name == "loss":
            View._set_losses(before, value)
        elif field and field.part:
            model[field.part.of] = field.part.whole(View.now() | {name: value}, model.get(field.part.of))
        else:
            model[name] = value
        st.session_state.get(_SHOWN, {})[name] = value
        View._touch()

    @staticmethod
    def look(specs: Sequence[str], mine: Sequence[str] | None = None) -> None:
        """Look at other losses on a page with less room, from a widget's callback; with `mine` those change too."""
        if mine is not None and tuple(mine) != View.own("loss"):
            View._keep_losses(tuple(mine))
        st.session_state.setdefault(_LOOKED, {})[st.session_state[_PAGE]] = tuple(specs)
        st.session_state[_SHOWN]["loss"] = tuple(specs)
        View._touch()

    def show_warnings(self) -> None:
        """Show what of the link could not be used, until the reader changes something; and what is kept unseen."""
        page, problems = st.session_state.get(_PROBLEMS, (None, []))
        if page == self.page and problems:
            st.warning("A part of this link cannot be used. " + " ".join(map(_sentence, problems)))
        for name, note in self.notes.items():
            if name not in ("classes", "noise"):  # these stand beside their controls
                st.info(note)

    def save(self) -> None:
        """Write the state into the URL, where it differs; what the page has not asked for again is dropped."""
        params = encode(self.fields, View.now())
        now = {name: st.query_params.get_all(name) for name in st.query_params}
        if params != now:
            st.query_params.from_dict(params)
        urls = st.session_state.get(_URLS)
        before = urls.last if urls and urls.page == self.page else None
        if params != before:
            st.session_state[_URLS] = Urls(self.page, params, before, time.monotonic())
        questions().settle(self._began)

    def _fitted(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What the page shows of the model, and a sentence for each value that it cannot show as it is."""
        values, notes = fitted(self.fields, st.session_state[_MODEL])
        for field in self.fields:
            if field.name == "loss" and field.room:
                looked = st.session_state.get(_LOOKED, {}).get(self.page)
                values["loss"] = selection.shown(values["loss"], looked, field.room)
        return values, notes

    def _follow(self, asked: dict[str, list[str]]) -> None:
        """Take what a link says; what it says that the page would show anyway leaves the reader's own value alone."""
        model, (shown, _) = st.session_state[_MODEL], self._fitted()
        values, problems = decode(self.fields, asked, shown)
        for field in self.fields:
            name = field.name
            if field.part:
                if name in asked and field.write(values[name]) != field.write(shown[name]):
                    model[field.part.of] = field.part.whole(values, model.get(field.part.of))
                continue
            if name not in asked or (name in model and values[name] == shown[name]):
                continue
            if name != "loss" or name not in model:
                model[name] = values[name]
            elif field.room:
                same = st.session_state.get(_PAGE) == self.page
                mine, looked = selection.adopt(model["loss"], shown["loss"], values["loss"], same)
                View._keep_losses(mine)
                st.session_state.setdefault(_LOOKED, {})[self.page] = looked
            else:
                View._keep_losses(values["loss"])
        st.session_state[_PROBLEMS] = (self.page, problems)

    @staticmethod
    def _touch() -> None:
        st.session_state[_TOUCHED] = True
        st.session_state[_CHANGED] = time.monotonic()
        st.session_state.pop(_PROBLEMS, None)

    @staticmethod
    def _set_losses(before: Sequence[str] | None, after: Sequence[str]) -> None:
        """The reader's losses after the page changed those it shows."""
        mine = View.own("loss")
        if mine is None or before is None or not st.session_state[_FIELDS]["loss"].room:
            View._keep_losses(tuple(after))
            return
        View._keep_losses(selection.edit(mine, before, after))
        st.session_state.setdefault(_LOOKED, {})[st.session_state[_PAGE]] = (
            None if View.own("loss") == tuple(after) else tuple(after)
        )

    @staticmethod
    def _keep_losses(after: tuple[str, ...]) -> None:
        """Other losses of the reader's own: what pages with less room look at follows them."""
        mine, looked = View.own("loss") or (), st.session_state.get(_LOOKED, {})
        st.session_state[_LOOKED] = {page: selection.follow(specs, mine, after) for page, specs in looked.items()}
        st.session_state[_MODEL]["loss"] = after


def keep(key: str, value: Any) -> str:
    """Set a widget's value from the model before it is drawn; returns its key.

    Streamlit tells the browser a value once. When the page runs again before the browser has drawn it (claims that are
    settled at once), the second run's message takes the place of the first and the widget would show its default: so
    the value is told again for a moment.
    """
    undrawn = time.monotonic() - st.session_state.get(_CHANGED, 0.0) < WIDGETS_UNDERWAY
    if undrawn or key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


@contextmanager
def refusal_kept(key: str) -> Iterator[None]:
    """Do what may be refused: the sentence that says why is kept in the session, until the same is tried again."""
    st.session_state.pop(key, None)
    try:
        yield
    except InputError as error:
        st.session_state[key] = str(error)


def infinite(text: str) -> str:
    """A sentence of the library with its infinite ends as a page shows them.

    >>> infinite("AUL: a must lie in (1, oo), got 0.5"), infinite("RCE: A must lie in (-oo, 0), got 'foo)'")
    ('AUL: a must lie in (1, ∞), got 0.5', "RCE: A must lie in (−∞, 0), got 'foo)'")
    """
    return text.replace(", oo)", ", ∞)").replace("(-oo, ", "(−∞, ")


def _sentence(text: str) -> str:
    text = literal(infinite(text))
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
