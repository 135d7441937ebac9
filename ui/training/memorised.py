"""Training pictures with a wrong label: which of them a loss has learned by heart, and what the others made of them."""

from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st

from alf.data.declaration import DataSet
from alf.figures.palette import NEUTRAL
from alf.figures.pictures import sample_picture
from ui.controls.fields import segments
from ui.state.view import View

KINDS = {"learned": "Memorised", "alone": "By this loss alone", "resisted": "Predicted right"}


PAGE = 36


WORDS = {
    "learned": "predicts the wrong label",
    "resisted": "predicts the true label",
    "other": "predicts another label",
}


def pictures(chosen, models: Sequence, data: DataSet, kind: str, page: int) -> None:
    """A sentence with the counts, a choice of which pictures, and a page of them with both labels."""
    groups = sort_out(chosen, models)
    total = int(chosen.seen.flipped.sum())
    st.html(f'<h3 class="alf-h3">{escape(headline(chosen.name, groups, total, len(models)))}</h3>')
    counted = {k: f"{words} ({len(groups[k]):,})" for k, words in KINDS.items() if k != "alone" or len(models) > 1}
    kind = kind if kind in counted else "learned"
    with st.container(key="inside-look-row", horizontal=True, vertical_alignment="center"):
        look = {"required": True, "label_visibility": "collapsed"}
        segments("inside-look-at", "Which pictures", counted, kind, choose, "look-at", **look)
        found = groups[kind]
        pages = -(-len(found) // PAGE)
        if pages > 1:
            st.button(
                "Show others",
                key="inside-more",
                type="tertiary",
                on_click=View.set,
                args=("look-page", (page + 1) % pages),
            )
    if not len(found):
        st.html('<p class="alf-note">None of them.</p>')
        return
    start = page % pages * PAGE
    shown = np.random.default_rng(0).permutation(found)[start : start + PAGE]  # not in the order of the classes
    st.html(_key(models) + f'<div class="alf-memorised">{"".join(_tiles(shown, chosen, models, data))}</div>')


def sort_out(chosen, models: Sequence) -> dict[str, np.ndarray]:
    """Positions of the flipped pictures, by what the chosen loss made of them.

    Returns
    -------
    ``learned`` by heart; learned by it ``alone``, by no other model; ``resisted``, predicted right all the same.
    """
    others = [model.seen.memorised for model in models if model is not chosen]
    alone = chosen.seen.memorised & ~np.any(others, axis=0) if others else chosen.seen.memorised
    parts = {"learned": chosen.seen.memorised, "alone": alone, "resisted": chosen.seen.resisted}
    return {name: np.flatnonzero(part) for name, part in parts.items()}


def headline(name: str, groups: dict[str, np.ndarray], total: int, models: int) -> str:
    """What the pictures say.

    >>> groups = {"learned": range(40), "alone": range(30), "resisted": range(9)}
    >>> headline("CE", groups, 60, 3)
    'CE has memorised 40 of 60 wrong labels; 30 of them by this loss alone'
    """
    words = f"{name} has memorised {len(groups['learned']):,} of {total:,} wrong labels"
    if models > 1 and len(groups["learned"]):
        words += f"; {len(groups['alone']):,} of them by this loss alone"
    return words


def _tiles(shown: np.ndarray, chosen, models: Sequence, data: DataSet):
    seen, names = chosen.seen, data.class_names
    inputs = seen.train_inputs(shown)
    for position, picture in zip(shown, inputs, strict=True):
        true, given = escape(names[seen.train_true[position]]), escape(names[seen.train_given[position]])
        marks = "".join(_mark(model, position, names) for model in models)
        yield (
            f'<figure><img src="{sample_picture(picture, data.high)}" alt="{true}, labelled {given}">'
            f"<figcaption>{true} <i>labelled</i> {given}</figcaption><span>{marks}</span></figure>"
        )


def _mark(model, position: int, names: Sequence[str]) -> str:
    """A dot for what a model makes of a picture: full, open or small."""
    state = _state(model.seen, position)
    said = names[model.seen.train_predicted[position]]
    return (
        f'<b class="alf-{state}" style="--c:{model.style.color};--d:{model.style.dark}" '
        f'title="{escape(f"{model.name} says {said}")}"></b>'
    )


def _state(seen, position: int) -> str:
    if seen.memorised[position]:
        return "learned"
    return "resisted" if seen.resisted[position] else "other"


def _key(models: Sequence) -> str:
    """Whose dot is whose, and what full, open and small ones mean."""
    losses = "".join(
        f'<span><b class="alf-learned" style="--c:{m.style.color};--d:{m.style.dark}"></b>{escape(m.name)}</span>'
        for m in models
    )
    neutral = f"--c:{NEUTRAL[0]};--d:{NEUTRAL[1]}"
    states = "".join(f'<span><b class="alf-{s}" style="{neutral}"></b>{words}</span>' for s, words in WORDS.items())
    return f'<p class="alf-dots">{losses}</p><p class="alf-dots">{states}</p>'


def choose(key: str, name: str) -> None:
    """Look at something else, from its first page on."""
    View.set(name, st.session_state[key])
    View.set("look-page", 0)
