"""What a control does to the reader's losses: the only place where they change.

A message may come from a widget whose loss has gone meanwhile (another was picked, a row was removed, a button was
pressed twice): then it has nothing to change.
"""

from collections.abc import Sequence

import streamlit as st

from alf.losses import Loss, parse
from ui.asking.page_questions import read_loss
from ui.state.view import View, infinite, refusal_kept


def show_refusal(key: str) -> None:
    """What was wrong with the text last typed into this field."""
    if error := st.session_state.get(f"{key}.refusal"):
        st.error(infinite(error))


def change_losses(specs: Sequence[str]) -> None:
    forget_refusals()
    View.set("loss", tuple(dict.fromkeys(specs)))


def forget_refusals() -> None:
    for key in [key for key in st.session_state if str(key).endswith(".refusal")]:
        del st.session_state[key]  # what was wrong before is no longer there


def specs_now() -> list[str]:
    return list(View.now().get("loss", ()))


def loss_at(index: int, spec: str) -> Loss | None:
    """The loss at this place of the page, as long as it is the one, at whatever values, that had `spec` there."""
    specs, was = specs_now(), parse(spec)
    now = parse(specs[index]) if index < len(specs) else None
    same = now is not None and now.key == was.key and now.expression == was.expression
    return now if same else None


def put_at(index: int, spec: str) -> None:
    specs = specs_now()
    specs[index] = spec
    change_losses(specs)


def typed_spec(key: str) -> str | None:
    """The canonical spec of a typed text; a sentence for the page when it is none."""
    text = st.session_state[key].strip()
    with refusal_kept(f"{key}.refusal"):
        return read_loss(text).spec if text else None
    return None  # it was refused
