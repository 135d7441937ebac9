"""The reader's losses as controls, made from their declarations: the list, its presets, adding and removing."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import chain

import streamlit as st

from alf.data import DATASETS
from alf.figures.base import Series
from alf.figures.palette import Style, styles
from alf.losses import Loss, catalogue, distinct_labels, parse
from alf.losses.labels import Label
from ui.controls.changes import change_losses, forget_refusals, loss_at, put_at, show_refusal, specs_now, typed_spec
from ui.controls.hyperparameters import exact_field, numbered_name, slider, spec_field
from ui.state import selection
from ui.state.selection import MOST
from ui.state.view import View, keep
from ui.words.glossary import hint


def loss_list(view: View, compact: bool = False, most: int = MOST) -> None:
    """Every loss of the view with its sliders (in its menu where `compact`), and the ways to add one.

    Where the page has room for fewer than the reader has, a field chooses which are shown, and none is taken away.
    """
    chosen = _which_of_mine(view, most)
    removable = len(view["loss"]) > 1 and not chosen
    for index, (loss, _, style) in enumerate(named(map(parse, view["loss"]))):
        with st.container(key=f"loss-{index}", gap="small"):
            one_loss(index, loss, style, removable, compact)
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
        one_loss(0, loss, styles([loss.key])[0], removable=False)


def _which_of_mine(view: View, most: int) -> bool:
    """A field for which of the reader's losses the page shows, where it cannot show all; whether there is one."""
    mine, shown = View.own("loss"), view["loss"]
    guests = selection.guests(mine, shown)
    if not guests and set(shown) == set(mine):
        return False
    options = [*mine, *guests]
    words = {spec: parse(spec).label for spec in options}
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
        room = len(mine) + len(guests) <= MOST
        full = "" if room else f": your list has at most {MOST} losses"
        st.caption(f"{names} {'is' if len(guests) == 1 else 'are'} shown on this page only{full}.")
        if room:
            st.button("Add to your losses", key="look-add", type="tertiary", on_click=_join)
    return True


def one_loss(index: int, loss: Loss, style: Style, removable: bool, compact: bool = False) -> None:
    """A loss's name, its menu and a slider for each hyperparameter."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.html(swatch(style, loss, None if compact else "", loss.declaration.about), width="stretch")
        menu(index, loss, compact)
        if removable:
            words = f"Remove {numbered_name(index, loss)}"
            st.button(words, key=f"remove-{index}", type="tertiary", help=words, on_click=_remove, args=(loss.spec,))
    if not compact:
        sliders(index, loss)


def menu(index: int, loss: Loss, compact: bool) -> None:
    """Each value as a number and the whole as text; where the list is compact the sliders and presets too."""
    with st.popover(f"Exact values of {numbered_name(index, loss)}", key=f"menu-{index}", type="tertiary"):
        if compact:
            sliders(index, loss)
        for parameter in loss.declaration.parameters:
            exact_field(index, loss, parameter)
        spec_field(f"spec-{index}", "As text, exactly", index, loss)


def sliders(index: int, loss: Loss) -> None:
    """A slider for each hyperparameter, and the authors' values, each one click away."""
    for parameter in loss.declaration.parameters:
        slider(index, loss, parameter)
    found = loss.declaration.preset_losses()
    if not found:
        return
    with st.container(key=f"presets-{index}", horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Presets", help=hint("preset"), width="content")
        for data, preset in found.items():
            st.button(
                DATASETS[data].name,
                key=f"preset-{index}-{data}",
                type="tertiary",
                help=preset.label,
                on_click=_replace,
                args=(index, loss.spec, preset.spec),
            )


def add_loss(view: View, most: int = MOST) -> None:
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
        show_refusal("add-typed")


def values_of(loss: Loss) -> str:
    """What a loss's label says after its name, in HTML.

    >>> values_of(parse("agce:a=1,q=2")), values_of(parse("mae"))
    ('a=1, q=2', '')
    """
    return escape(loss.label.removeprefix(loss.name).strip(" ()"))


def swatch(style: Style, loss: Loss, small: str | None = None, title: str = "") -> str:
    """The loss's line and name, as on every chart, with its values or other HTML in small beside it."""
    small = values_of(loss) if small is None else small
    edge = "solid" if style.dash == "solid" else "dotted" if style.dash.startswith("2") else "dashed"
    return (
        f'<div class="alf-name" title="{escape(title)}"><span class="alf-swatch" style="--c:{style.color};'
        f'--d:{style.dark};--e:{edge}"></span>{escape(loss.name)}<small>{small}</small></div>'
    )


def named(losses: Iterable[Loss]) -> Iterator[tuple[Loss, Label, Style]]:
    """Each loss with its name and style in a figure; the short name leaves its values out where it can."""
    losses = list(losses)
    return zip(losses, distinct_labels(losses), styles(loss.key for loss in losses), strict=True)


def series(losses: Iterable[Loss], x, y) -> list[Series]:
    """The losses as series of a figure; y(loss) gives the values."""
    return [Series(name.label, style, x, y(loss), short=name.short) for loss, name, style in named(losses)]


TYPED = "formula"


EXAMPLE = "formula:exp(-u/a);a=2[0.5,10]"
"""What a reader who wants to type a loss begins with."""


def _describe(key: str) -> str:
    return "Your own formula" if key == TYPED else f"{catalogue()[key].name}: {catalogue()[key].about}"


def _replace(index: int, spec: str, new: str) -> None:
    if loss_at(index, spec) is not None:
        put_at(index, new)


def _remove(spec: str) -> None:
    left = [other for other in specs_now() if other != spec]
    if left:
        change_losses(left)


def _add_typed() -> None:
    if (spec := typed_spec("add-typed")) is None:
        return
    if spec in specs_now():
        st.session_state["add-typed.refusal"] = f"{parse(spec).label} is in the list already."
        return
    _add(spec)
    st.session_state["add-typed"] = ""


def _add_known() -> None:
    if key := st.session_state["add-known"]:
        _add(_fresh(key, specs_now()))
        st.session_state["add-known"] = None


def _add(spec: str) -> None:
    if spec not in specs_now() and len(specs_now()) < MOST:
        change_losses([*specs_now(), spec])


_PICKED = "losses.picked"  # the last loss picked, as long as the reader leaves it as it came


def _pick(key: str) -> None:
    """Look at another loss. It joins the reader's own, in the place of one that was only picked and left as it was."""
    chosen, now = st.session_state[key], specs_now()
    if not now or chosen == parse(now[0]).key:
        return
    forget_refusals()
    spec = EXAMPLE if chosen == TYPED else _fresh(chosen, [])
    spec, before = parse(spec).spec, st.session_state.get(_PICKED)
    View.look((spec,), selection.join(View.own("loss"), spec, before if before == now[0] else None))
    st.session_state[_PICKED] = spec


def _look(key: str) -> None:
    chosen = st.session_state[key]
    chosen = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    known = {*View.own("loss"), *specs_now()}
    if chosen and known.issuperset(chosen):
        View.look(chosen)


def _join() -> None:
    """The guests of the page become losses of the reader."""
    mine = View.own("loss")
    for spec in selection.guests(mine, specs_now()):
        mine = selection.join(mine, spec)
    View.look(specs_now(), mine)


def _fresh(key: str, present: Sequence[str]) -> str:
    """A configuration of the loss that is not in the view yet: a preset, the example, or the example moved a little."""
    declaration = catalogue()[key]
    presets, example = declaration.preset_losses(), declaration.example()
    first = [presets["cifar10"]] if "cifar10" in presets else []
    options = [loss.spec for loss in (*first, *presets.values(), example)]
    moved = (
        example.replace(**{parameter.name: round(low + (high - low) * step / 40, 2)}).spec
        for parameter in declaration.parameters
        for low, high in (parameter.slider,)
        for step in range(1, 40)
    )
    return next((spec for spec in chain(options, moved) if spec not in present), options[0])
