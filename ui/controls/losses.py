"""A loss's controls, made from its declaration: sliders, presets and spec; adding and removing losses."""

import html
import re
from collections.abc import Sequence

import streamlit as st

from alf.errors import InputError
from alf.figures.base import Series
from alf.figures.palette import Style, styles
from alf.losses import Loss, Parameter, catalogue, distinct_labels, parse
from alf.losses.domain import decimal, exact_number, quoted
from ui import selection
from ui.glossary import hint
from ui.prover import read_loss
from ui.state import MOST_LOSSES
from ui.view import View, infinite, keep

DATA_NAMES = {"mnist": "MNIST", "cifar10": "CIFAR-10", "cifar100": "CIFAR-100"}


def loss_list(view: View, compact: bool = False, most: int = MOST_LOSSES) -> None:
    """Every loss of the view with its sliders (in its menu where `compact`), and the ways to add one.

    Where the page has room for fewer than the reader has, a field chooses which are shown, and none is taken away.
    """
    chosen = _which_of_mine(view, most)
    shown = [parse(spec) for spec in view["loss"]]
    for index, (loss, style) in enumerate(zip(shown, styles(loss.key for loss in shown), strict=True)):
        with st.container(key=f"loss-{index}", gap="small"):
            one_loss(view, index, loss, style, removable=len(shown) > 1 and not chosen, compact=compact)
    if not chosen:
        add_loss(view, most)


def only_loss(view: View) -> None:
    """The one loss of a page: one of the reader's, or another from a list or typed; set by sliders, presets or text."""
    _which_of_mine(view, 1)
    loss = parse(view["loss"][0])
    key = keep("pick", loss.key)
    st.selectbox("Loss", [*catalogue(), TYPED], format_func=_describe, key=key, on_change=_pick, args=(key,))
    if loss.key == TYPED:
        spec_field("formula-typed", "Formula in u", 0, loss)
    with st.container(key="loss-0", gap="small"):
        one_loss(view, 0, loss, styles([loss.key])[0], removable=False)


def _which_of_mine(view: View, most: int) -> bool:
    """A field for which of the reader's losses the page shows, where it cannot show all; whether there is one."""
    mine, shown = View.own("loss"), view["loss"]
    guests = selection.guests(mine, shown)
    if not guests and set(shown) == set(mine):
        return False
    options = [*mine, *guests]
    names = [parse(spec).label for spec in options]
    words = dict(zip(options, names, strict=True))
    if most == 1:
        key = keep("look-one", shown[0])
        st.selectbox("One of your losses", options, format_func=words.get, key=key, on_change=_look, args=(key,))
    else:
        key = keep("look-some", list(shown))
        st.multiselect(
            f"Up to {most} of your losses",
            options,
            format_func=words.get,
            key=key,
            max_selections=most,
            on_change=_look,
            args=(key,),
        )
    if guests:
        names = " and ".join(words[spec] for spec in guests)
        room = len(mine) + len(guests) <= MOST_LOSSES
        full = "" if room else f": your list has at most {MOST_LOSSES} losses"
        st.caption(f"{names} {'is' if len(guests) == 1 else 'are'} shown on this page only{full}.")
        if room:
            st.button("Add to your losses", key="look-add", type="tertiary", on_click=_join)
    return True


def one_loss(view: View, index: int, loss: Loss, style: Style, removable: bool, compact: bool = False) -> None:
    """A loss's name, its menu and a slider for each hyperparameter."""
    values = loss.label.removeprefix(loss.name).strip(" ()") if compact else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.html(swatch(style, f"{loss.name}<small>{values}</small>", loss.declaration.about), width="stretch")
        menu(index, loss, compact)
        if removable:
            words = f"Remove {_numbered(index, loss)}"
            st.button(words, key=f"remove-{index}", type="tertiary", help=words, on_click=_remove, args=(loss.spec,))
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
    with st.container(
        key=f"hyper-{index}-{parameter.name}", horizontal=True, vertical_alignment="center", gap="small", wrap=False
    ):
        st.html(_symbol(parameter))
        st.slider(
            f"{parameter.name} of {_numbered(index, loss)}",
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
    """Each value as a number and the whole as text; where the list is compact the sliders and presets too."""
    with st.popover(f"Exact values of {_numbered(index, loss)}", key=f"menu-{index}", type="tertiary"):
        if compact:
            for parameter in loss.declaration.parameters:
                slider(index, loss, parameter)
            presets(index, loss)
        for parameter in loss.declaration.parameters:
            exact_field(index, loss, parameter)
        spec_field(f"spec-{index}", "As text, exactly", index, loss)


def exact_field(index: int, loss: Loss, parameter: Parameter) -> None:
    """One hyperparameter as a number with all its digits; a text that is none stays, and the reason stands below it."""
    key = f"exact-{index}-{loss.key}-{parameter.name}"
    if f"{key}.said" not in st.session_state or key not in st.session_state:
        keep(key, decimal(loss.values[parameter.name]))
    st.text_input(
        f"{_letter(parameter)}, {parameter.domain.words}",
        key=key,
        help=f"{parameter.meaning[:1].upper()}{parameter.meaning[1:]}.",
        on_change=_exactly,
        args=(key, index, loss.spec, parameter.name),
    )
    _said(key)


def spec_field(key: str, label: str, index: int, loss: Loss) -> None:
    """A loss as text; a text that is none stays, and the reason stands below it."""
    if f"{key}.said" not in st.session_state or key not in st.session_state:
        keep(key, loss.spec)
    st.text_input(
        label,
        key=key,
        help="For example agce:a=0.6,q=0.6, or nce+agce:alpha=1,beta=4,a=6,q=1.5, or a formula exp(-u/a);a=2[1,9]",
        on_change=_retype,
        args=(key, index, loss.spec),
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
                args=(index, loss.spec, preset.spec),
            )


def add_loss(view: View, most: int = MOST_LOSSES) -> None:
    """A list of the catalogue and a field for a typed spec."""
    if len(view["loss"]) >= most:
        st.caption(f"One view shows at most {most} losses. Remove one to add another.")
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
    styled = zip(losses, distinct_labels(losses), styles(loss.key for loss in losses), strict=True)
    return [Series(name.label, style, x, y(loss), short=name.short) for loss, name, style in styled]


def _numbered(index: int, loss: Loss) -> str:
    """A loss as the name of a control says it: two of one name are told apart by their place."""
    return f"{loss.name}, loss {index + 1}" if index else loss.name


def _letter(parameter: Parameter) -> str:
    return _GREEK.get(parameter.name, parameter.name)


def _symbol(parameter: Parameter) -> str:
    """A parameter's letter, or word, with its meaning as a hint."""
    shown = _letter(parameter)
    meaning = f"{parameter.meaning[:1].upper()}{parameter.meaning[1:]}; {parameter.domain.words}."
    look = "alf-symbol alf-letter" if len(shown) == 1 else "alf-symbol"
    return f'<span class="alf-term {look}" tabindex="0" data-hint="{html.escape(meaning)}">{html.escape(shown)}</span>'


TYPED = "formula"
EXAMPLE = "formula:exp(-u/a);a=2[0.5,10]"
"""What a reader who wants to type a loss begins with."""

_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}


@st.cache_data
def _descriptions() -> dict[str, str]:
    return {key: f"{d.name}: {d.about}" for key, d in catalogue().items()}


def _describe(key: str) -> str:
    return "Your own formula" if key == TYPED else _descriptions()[key]


def _said(key: str) -> None:
    """What was wrong with the text last typed into this field."""
    if error := st.session_state.get(f"{key}.said"):
        st.error(infinite(error))


# Callbacks: the only places where the model changes. A message may come from a widget whose loss has gone meanwhile
# (another was picked, a row was removed, a button was pressed twice): then it has nothing to change.


def _change(specs: Sequence[str]) -> None:
    _forget_said()
    View.set("loss", tuple(dict.fromkeys(specs)))


def _forget_said() -> None:
    for key in [key for key in st.session_state if str(key).endswith(".said")]:
        del st.session_state[key]  # what was wrong before is no longer there


def _specs() -> list[str]:
    return list(View.now().get("loss", ()))


def _at(index: int, spec: str) -> Loss | None:
    """The loss at this place of the page, as long as it is the one, at whatever values, that had `spec` there."""
    specs, was = _specs(), parse(spec)
    now = parse(specs[index]) if index < len(specs) else None
    same = now is not None and now.key == was.key and now.expression == was.expression
    return now if same else None


def _slide(key: str, index: int, spec: str, name: str) -> None:
    loss = _at(index, spec)
    try:
        moved = loss and loss.replace(**{name: round(st.session_state[key], 6)})
    except InputError:  # a value of the slider's former range
        return
    if moved is not None:
        _put(index, moved.spec)


def _exactly(key: str, index: int, spec: str, name: str) -> None:
    loss, text = _at(index, spec), st.session_state[key].strip()
    st.session_state.pop(f"{key}.said", None)
    if loss is None:
        return
    value, domain = exact_number(text), loss.declaration.parameter(name).domain
    if value is None or value not in domain:
        words = f"must be a number {domain.words}".replace("number any number", "number")
        got = quoted(text) if text else "nothing"
        stays = f"{decimal(loss.values[name])} stays in use."
        comma = " A decimal point is needed." if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
        st.session_state[f"{key}.said"] = f"{_GREEK.get(name, name)}: {words}, got {got}.{comma} {stays}"
        return
    try:
        _put(index, loss.replace(**{name: value}).spec)
    except InputError as error:  # values of l that no double holds
        st.session_state[f"{key}.said"] = str(error)


def _replace(index: int, spec: str, new: str) -> None:
    if _at(index, spec) is not None:
        _put(index, new)


def _put(index: int, spec: str) -> None:
    specs = _specs()
    specs[index] = spec
    _change(specs)


def _remove(spec: str) -> None:
    left = [other for other in _specs() if other != spec]
    if left:
        _change(left)


def _retype(key: str, index: int, spec: str) -> None:
    if _at(index, spec) is not None and (typed := _typed(key)) is not None:
        _put(index, typed)


def _add_typed() -> None:
    if (spec := _typed("add-typed")) is None:
        return
    if spec in _specs():
        st.session_state["add-typed.said"] = f"{parse(spec).label} is in the list already."
        return
    _add(spec)
    st.session_state["add-typed"] = ""


def _add_known() -> None:
    if key := st.session_state["add-known"]:
        _add(_fresh(key, _specs()))
        st.session_state["add-known"] = None


def _add(spec: str) -> None:
    if spec not in _specs() and len(_specs()) < MOST_LOSSES:
        _change([*_specs(), spec])


_PICKED = "losses.picked"  # the last loss picked, as long as the reader leaves it as it came


def _pick(key: str) -> None:
    """Look at another loss. It joins the reader's own, in the place of one that was only picked and left as it was."""
    chosen, now = st.session_state[key], _specs()
    if not now or chosen == parse(now[0]).key:
        return
    _forget_said()
    spec = EXAMPLE if chosen == TYPED else _fresh(chosen, [])
    spec, before = parse(spec).spec, st.session_state.get(_PICKED)
    View.look((spec,), selection.join(View.own("loss"), spec, before if before == now[0] else None))
    st.session_state[_PICKED] = spec


def _look(key: str) -> None:
    chosen = st.session_state[key]
    chosen = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    known = {*View.own("loss"), *_specs()}
    if chosen and known.issuperset(chosen):
        View.look(chosen)


def _join() -> None:
    """The guests of the page become losses of the reader."""
    mine = View.own("loss")
    for spec in selection.guests(mine, _specs()):
        mine = selection.join(mine, spec)
    View.look(_specs(), mine)


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
        low, high = parameter.slider
        for step in range(1, 40):
            moved = declaration.example().replace(**{parameter.name: round(low + (high - low) * step / 40, 2)}).spec
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
