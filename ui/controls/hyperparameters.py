"""A loss's hyperparameters as controls: sliders, exact numbers, the whole as text."""

import html
import re
from collections.abc import Sequence

import streamlit as st

from alf.errors import InputError, quoted
from alf.losses import Loss, Parameter
from alf.numbers import decimal, exact_number
from ui.controls.changes import loss_at, put_at, show_refusal, typed_spec
from ui.state.view import keep, refusal_kept
from ui.words.verdict_words import GREEK


def slider(index: int, loss: Loss, parameter: Parameter) -> None:
    """A slider over the declared range, widened where the value lies outside it."""
    value = loss.floats[parameter.name]
    low, high = (float(end) for end in parameter.slider)
    step = 0.01 if high - low <= 1.2 else 0.05 if high - low <= 20 else 0.1
    key = keep(slider_key(index, loss, parameter), value)
    with st.container(
        key=f"hyper-{index}-{parameter.name}", horizontal=True, vertical_alignment="center", gap="small", wrap=False
    ):
        st.html(_symbol(parameter))
        st.slider(
            f"{parameter.name} of {numbered_name(index, loss)}",
            min(low, value),
            max(high, value),
            step=step,
            format="%g" if round(value, 2) != value else "%.2f",
            key=key,
            label_visibility="collapsed",  # seen as a letter, heard in words
            on_change=_slide,
            args=(key, index, loss.spec, parameter.name),
        )


def slider_key(index: int, loss: Loss, parameter: Parameter) -> str:
    """The key of a hyperparameter's slider."""
    return f"{index}.{loss.key}.{parameter.name}"


def live_curves(losses: Sequence[Loss], classes: int, u, quantities: Sequence[str]) -> dict:
    """What the browser needs to follow a held slider: each loss's formula as JavaScript, from its declaration."""
    from alf.losses.javascript import RUNTIME, source

    sliders = {
        "st-key-" + re.sub(r"[^A-Za-z0-9_-]", "-", slider_key(i, loss, parameter)): [i, place]
        for i, loss in enumerate(losses)
        for place, parameter in enumerate(loss.declaration.parameters)
    }
    return {
        "runtime": RUNTIME,
        "forms": [source(loss.declaration) for loss in losses],
        "parameters": [list(loss.floats.values()) for loss in losses],
        "classes": classes,
        "u": u,
        "quantities": list(quantities),
        "sliders": sliders,
    }


def exact_field(index: int, loss: Loss, parameter: Parameter) -> None:
    """One hyperparameter as a number with all its digits."""
    key = f"exact-{index}-{loss.key}-{parameter.name}"
    label, about = f"{letter_of(parameter)}, {parameter.domain.words}", f"{_meaning(parameter)}."
    _text_field(key, label, decimal(loss.values[parameter.name]), about, _exactly, index, loss.spec, parameter.name)


def spec_field(key: str, label: str, index: int, loss: Loss) -> None:
    """A loss as text."""
    about = "For example agce:a=0.6,q=0.6, or nce+agce:alpha=1,beta=4,a=6,q=1.5, or a formula exp(-u/a);a=2[1,9]"
    _text_field(key, label, loss.spec, about, _retype, index, loss.spec)


def _text_field(key: str, label: str, text: str, about: str, take, *arguments) -> None:
    """A field for a text that may be refused: then it stays as it was typed, and the reason stands below it."""
    if f"{key}.refusal" not in st.session_state or key not in st.session_state:
        keep(key, text)
    st.text_input(label, key=key, help=about, on_change=take, args=(key, *arguments))
    show_refusal(key)


def numbered_name(index: int, loss: Loss) -> str:
    """A loss as the name of a control says it: two of one name are told apart by their place."""
    return f"{loss.name}, loss {index + 1}" if index else loss.name


def letter_of(parameter: Parameter) -> str:
    return GREEK.get(parameter.name, parameter.name)


def _symbol(parameter: Parameter) -> str:
    """A parameter's letter, or word, with its meaning as a hint."""
    shown = letter_of(parameter)
    meaning = f"{_meaning(parameter)}; {parameter.domain.words}."
    look = "alf-symbol alf-letter" if len(shown) == 1 else "alf-symbol"
    return f'<span class="alf-term {look}" tabindex="0" data-hint="{html.escape(meaning)}">{html.escape(shown)}</span>'


def _meaning(parameter: Parameter) -> str:
    return f"{parameter.meaning[:1].upper()}{parameter.meaning[1:]}"


def _slide(key: str, index: int, spec: str, name: str) -> None:
    loss = loss_at(index, spec)
    try:
        moved = loss and loss.replace(**{name: round(st.session_state[key], 6)})
    except InputError:  # a value of the slider's former range
        return
    if moved is not None:
        put_at(index, moved.spec)


def _exactly(key: str, index: int, spec: str, name: str) -> None:
    loss, text = loss_at(index, spec), st.session_state[key].strip()
    with refusal_kept(f"{key}.refusal"):
        if loss is None:
            return
        value, domain = exact_number(text), loss.declaration.parameter(name).domain
        if value is None or value not in domain:
            words = f"must be a number {domain.words}".replace("number any number", "number")
            got = quoted(text) if text else "nothing"
            stays = f"{decimal(loss.values[name])} stays in use."
            comma = " A decimal point is needed." if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
            raise InputError(f"{GREEK.get(name, name)}: {words}, got {got}.{comma} {stays}")
        put_at(index, loss.replace(**{name: value}).spec)  # may be refused: values of l that no double holds


def _retype(key: str, index: int, spec: str) -> None:
    if loss_at(index, spec) is not None and (typed := typed_spec(key)) is not None:
        put_at(index, typed)
