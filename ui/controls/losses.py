"""A loss's controls, made from its declaration: sliders, presets and spec; adding and removing losses."""

import re
from collections.abc import Sequence

import streamlit as st

from alf.errors import InputError
from alf.figures.base import Series
from alf.figures.palette import Style, styles
from alf.losses import Loss, Parameter, called, catalogue, parse
from ui.glossary import hint
from ui.prover import read_loss
from ui.state import MOST_LOSSES
from ui.view import View, keep

DATA_NAMES = {"mnist": "MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}


def loss_list(view: View, compact: bool = False, most: int = MOST_LOSSES) -> None:
    """Every loss of the view with its sliders (in its menu where `compact`), and the ways to add one."""
    shown = [parse(spec) for spec in view["loss"]]
    for index, (loss, style) in enumerate(zip(shown, styles(loss.key for loss in shown), strict=True)):
        with st.container(key=f"loss-{index}", gap="small"):
            one_loss(view, index, loss, style, removable=len(shown) > 1, compact=compact)
    add_loss(view, most)


def only_loss(view: View) -> None:
    """The one loss of a page: chosen from a list or typed, set by sliders, presets or text."""
    loss = parse(view["loss"][0])
    key = keep("pick", loss.key)
    st.selectbox("Loss", [*catalogue(), TYPED], format_func=_describe, key=key, on_change=_pick, args=(key,))
    if loss.key == TYPED:
        spec_field("formula-typed", "Formula in u", 0, loss)
    with st.container(key="loss-0", gap="small"):
        one_loss(view, 0, loss, styles([loss.key])[0], removable=False)


def one_loss(view: View, index: int, loss: Loss, style: Style, removable: bool, compact: bool = False) -> None:
    """A loss's name, its menu and a slider for each hyperparameter."""
    values = loss.label.removeprefix(loss.name).strip(" ()") if compact else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.html(swatch(style, f"{loss.name}<small>{values}</small>", loss.declaration.about), width="stretch")
        menu(index, loss, compact)
        if removable:
            st.button(
                "✕", key=f"remove-{index}", type="tertiary", help=f"Remove {loss.name}", on_click=_remove, args=(index,)
            )
    if not compact:
        for parameter in loss.declaration.parameters:
            slider(index, loss, parameter)
        presets(index, loss)


def slider(index: int, loss: Loss, parameter: Parameter) -> None:
    """A slider over the declared range, widened where the value lies outside it."""
    value = loss.floats[parameter.name]
    low, high = (float(end) for end in parameter.slider)
    step = 0.01 if high - low <= 1.2 else 0.05 if high - low <= 20 else 0.1
    key = keep(slider_key(index, loss, parameter), value)
    st.slider(
        rf"${_symbol(parameter)}$",
        min(low, value),
        max(high, value),
        step=step,
        format="%g" if round(value, 2) != value else "%.2f",
        key=key,
        help=f"{parameter.meaning[:1].upper()}{parameter.meaning[1:]}; from {parameter.domain}.",
        on_change=_slide,
        args=(key, index, parameter.name),
    )


def slider_key(index: int, loss: Loss, parameter: Parameter) -> str:
    """The key of a hyperparameter's slider."""
    return f"{index}.{loss.key}.{parameter.name}"


def live(losses: Sequence[Loss], classes: int, u, quantities: Sequence[str]) -> dict:
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


def menu(index: int, loss: Loss, compact: bool) -> None:
    """The spec to type, and where the list is compact the sliders and presets too."""
    with st.popover("⋯", key=f"menu-{index}", type="tertiary", help="Exact values and more"):
        if compact:
            for parameter in loss.declaration.parameters:
                slider(index, loss, parameter)
            presets(index, loss)
        spec_field(f"spec-{index}", "As text, exactly", index, loss)


def spec_field(key: str, label: str, index: int, loss: Loss) -> None:
    """A loss as text; a text that is none stays, and the reason stands below it."""
    if f"{key}.said" not in st.session_state or key not in st.session_state:
        keep(key, loss.spec)
    st.text_input(
        label,
        key=key,
        help="For example agce:a=0.6,q=0.6, or nce+agce:alpha=1,beta=4,a=6,q=1.5, or a formula exp(-u/a);a=2[1,9]",
        on_change=_retype,
        args=(key, index),
    )
    _said(key)


def presets(index: int, loss: Loss) -> None:
    """The authors' values, each one click away."""
    found = loss.declaration.preset_losses()
    if not found:
        return
    with st.container(key=f"presets-{index}", horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Presets", help=hint("preset"), width="content")
        for data, preset in found.items():
            st.button(
                DATA_NAMES.get(data, data),
                key=f"preset-{index}-{data}",
                type="tertiary",
                help=preset.label,
                on_click=_replace,
                args=(index, preset.spec),
            )


def add_loss(view: View, most: int = MOST_LOSSES) -> None:
    """A list of the catalogue and a field for a typed spec."""
    if len(view["loss"]) >= most:
        st.caption(f"{most} losses fit one view. Remove one to add another.")
        return
    with st.container(key="add", gap="small"):
        st.selectbox(
            "Add a loss",
            list(catalogue()),
            index=None,
            format_func=_describe,
            placeholder="Add a loss…",
            label_visibility="collapsed",
            key="add-known",
            on_change=_add_known,
        )
        st.text_input(
            "Or type one",
            placeholder="… or type a formula: exp(-u/a);a=2[1,9]",
            label_visibility="collapsed",
            key="add-typed",
            on_change=_add_typed,
        )
        _said("add-typed")


def swatch(style: Style, name: str, more: str = "") -> str:
    """The loss's line and name, as on every chart."""
    edge = "solid" if style.dash == "solid" else "dotted" if style.dash.startswith("2") else "dashed"
    return (
        f'<div class="alf-name" title="{more}"><span class="alf-swatch" style="--c:{style.color};--d:{style.dark};'
        f'--e:{edge}"></span>{name}</div>'
    )


def series(losses: Sequence[Loss], x, y) -> list[Series]:
    """The losses as series of a figure; y(loss) gives the values. A title leaves a loss's values out where it can."""
    styled = zip(losses, called(losses), styles(loss.key for loss in losses), strict=True)
    return [Series(name.label, style, x, y(loss), short=name.short) for loss, name, style in styled]


def _symbol(parameter: Parameter) -> str:
    """A parameter's name as LaTeX; a typed formula's may be any word."""
    name = parameter.name
    if len(name) == 1:
        return name
    return rf"\{name}" if name in _GREEK else rf"\text{{{name.replace('_', chr(92) + '_')}}}"


TYPED = "formula"
EXAMPLE = "formula:exp(-u/a);a=2[0.5,10]"
"""What a reader who wants to type a loss begins with."""

_GREEK = {"alpha", "beta", "gamma"}


@st.cache_data
def _descriptions() -> dict[str, str]:
    return {key: f"{d.name}: {d.about}" for key, d in catalogue().items()}


def _describe(key: str) -> str:
    return "Your own formula" if key == TYPED else _descriptions()[key]


def _said(key: str) -> None:
    """What was wrong with the text last typed into this field."""
    if error := st.session_state.get(f"{key}.said"):
        st.error(error)


# Callbacks: the only places where the model changes.


def _change(specs: Sequence[str]) -> None:
    for key in [key for key in st.session_state if str(key).endswith(".said")]:
        del st.session_state[key]  # what was wrong before is no longer there
    View.set("loss", tuple(dict.fromkeys(specs)))


def _specs() -> list[str]:
    return list(st.session_state["view.model"]["loss"])


def _slide(key: str, index: int, name: str) -> None:
    specs = _specs()
    specs[index] = parse(specs[index]).replace(**{name: round(st.session_state[key], 6)}).spec
    _change(specs)


def _replace(index: int, spec: str) -> None:
    specs = _specs()
    specs[index] = spec
    _change(specs)


def _remove(index: int) -> None:
    specs = _specs()
    del specs[index]
    _change(specs)


def _retype(key: str, index: int) -> None:
    if (spec := _typed(key)) is not None:
        _replace(index, spec)


def _add_typed() -> None:
    if (spec := _typed("add-typed")) is not None:
        _change([*_specs(), spec])
        st.session_state["add-typed"] = ""


def _add_known() -> None:
    if key := st.session_state["add-known"]:
        _change([*_specs(), _fresh(key, _specs())])
        st.session_state["add-known"] = None


def _pick(key: str) -> None:
    chosen = st.session_state[key]
    _change([EXAMPLE if chosen == TYPED else _fresh(chosen, [])])


def _fresh(key: str, present: Sequence[str]) -> str:
    """A configuration of the loss that is not in the view yet: a preset, the example, or the example moved a little."""
    declaration = catalogue()[key]
    options = [loss.spec for loss in (*declaration.preset_losses().values(), declaration.example())]
    if "cifar10" in declaration.presets:
        options.insert(0, declaration.preset_losses()["cifar10"].spec)
    for spec in options:
        if spec not in present:
            return spec
    for parameter in declaration.parameters:
        for value in range(1, 40):
            moved = declaration.example().replace(**{parameter.name: round(parameter.slider[1] * value / 40, 2)}).spec
            if moved not in present:
                return moved
    return options[0]


def _typed(key: str) -> str | None:
    """The canonical spec of a typed text; a sentence for the page when it is none."""
    text = st.session_state[key].strip()
    st.session_state.pop(f"{key}.said", None)
    if not text:
        return None
    try:
        return read_loss(text).spec
    except InputError as error:
        st.session_state[f"{key}.said"] = str(error)
        return None
