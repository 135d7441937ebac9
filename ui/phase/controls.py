"""What a map is made of: losses, axes, data, noise, how long each network is trained, what is shown, presets."""

import streamlit as st

from alf.data import DATASETS, dataset
from alf.losses import catalogue
from alf.noise import CONFUSIONS, parse_noise
from alf.phase import MEASURES, parse_axis
from alf.settings import settings
from alf.training.networks_spec import network_spec
from alf.training.recipe import RATES
from ui.asking.page_questions import read_loss
from ui.controls.fields import number, pick, switch
from ui.controls.noise import LONG
from ui.phase.axis_controls import axes_as_text, axis_fields
from ui.phase.fields import DEFAULT, FOLLOWING, HEADLINE, KINDS, MOST, QUICK, first_axis, kinds, short_name, values_of
from ui.state.recipe_fields import MOST_SEEDS
from ui.state.view import View, infinite, keep, refusal_kept
from ui.words.glossary import hint


def presets() -> None:
    """Maps to begin with; the last one is recorded."""
    with st.container(key="presets-map", horizontal=True, gap="small", vertical_alignment="center"):
        st.caption("Presets", width="content")
        about = "AGCE: a by the rate of symmetric noise, on handwritten digits"
        st.button(
            "Quick: 8 × 6",
            key="preset-quick",
            type="tertiary",
            help=f"{about}; one seed",
            on_click=_preset,
            args=(QUICK,),
        )
        words = f"{about}; {len(DEFAULT.recipe.seeds)} seeds"
        st.button("Default: 12 × 10", key="preset-default", type="tertiary", help=words, on_click=_preset, args=({},))
        st.button(
            f"{HEADLINE.networks:,} networks",
            key="preset-headline",
            type="tertiary",
            help="Recorded: three losses on data that every network can tell apart, beside the theorem",
            on_click=_preset,
            args=(values_of(HEADLINE) | {"measure": "confidence"},),
        )


def controls(view: View) -> None:
    """All of it, in the order in which it is read."""
    pick(view, "measure", "Show", {key: measure.name for key, measure in MEASURES.items()}, _measures())
    _losses(view)
    axis_fields(view, "x")
    axis_fields(view, "y")
    axes_as_text(view)
    key = keep("pick-map-data", view["map-data"])
    st.selectbox("Data", list(DATASETS), format_func=_data_name, key=key, on_change=_data, args=(key,))
    _noise(view)
    _recipe(view)


def _measures() -> str:
    return " ".join(f"**{measure.name}**: {measure.about}" for measure in MEASURES.values())


def _losses(view: View) -> None:
    mine, changed = list(view["map-loss"]), _kinds(view)
    examples = (declaration.example().spec for declaration in catalogue().values() if declaration.parameters)
    named: dict[str, str] = {}  # each name once: two losses that differ in what an axis changes are one here
    for spec in (*mine, *(View.own("loss") or ()), *examples):
        named.setdefault(short_name(spec, changed), spec)
    key = keep("map-losses", mine)
    st.multiselect(
        f"Losses (up to {MOST})",
        list(named.values()),
        format_func=lambda spec: short_name(spec, changed),
        key=key,
        max_selections=MOST,
        accept_new_options=True,
        placeholder="Choose, or type a formula",
        help=hint("map losses"),
        on_change=_chosen,
        args=(key,),
    )
    if error := st.session_state.get("map-losses.refusal"):
        st.error(infinite(error))


def _chosen(key: str) -> None:
    with refusal_kept("map-losses.refusal"):
        specs = tuple(dict.fromkeys(read_loss(text).spec for text in st.session_state[key]))
        if specs:
            take_losses(specs)


def take_losses(specs: tuple[str, ...]) -> None:
    """Set the map's losses; an axis over a hyperparameter that they do not share becomes one that they have."""
    View.set("map-loss", specs)
    View.set("cell", None)
    axes = {name: parse_axis(View.now()[name]) for name in ("x", "y")}
    for name, axis in axes.items():
        other = axes["y" if name == "x" else "x"]
        offered = kinds(specs, other.kind)
        if axis.kind not in offered:
            axes[name] = first_axis(next(iter(offered)), View.now(), len(axis))
            View.set(name, axes[name].text)


def _data_name(key: str) -> str:
    return f"{DATASETS[key].name}, {DATASETS[key].classes} classes"


def _data(key: str) -> None:
    View.set("map-data", st.session_state[key])
    for name in FOLLOWING:
        View.set(f"map-{name}", None)
    View.set("cell", None)


def _noise(view: View) -> None:
    where = dataset(view["map-data"]).classes, view["map-data"]
    noise = parse_noise(view["map-noise"], *where)
    offered = [kind for kind in KINDS if kind != "asymmetric" or view["map-data"] in CONFUSIONS]
    key = keep("map-noise-kind", noise.kind)
    about = " ".join(hint(f"{kind} noise") for kind in offered)
    st.selectbox("Label noise", offered, format_func=LONG.get, key=key, help=about, on_change=_kind, args=(key, *where))
    if "noise" not in _kinds(view):
        rate = float(noise.rate)
        key = keep("map-noise-rate", rate)
        st.slider(
            "Rate",
            0.0,
            max(0.95, rate),
            step=0.01,
            key=key,
            help=hint("noise rate"),
            on_change=_rate,
            args=(key, *where),
        )


def _kinds(view: View) -> set[str]:
    return {parse_axis(view[name]).kind for name in ("x", "y")}


def _kind(key: str, classes: int, data: str) -> None:
    rate = parse_noise(View.now()["map-noise"], classes, data).rate
    with refusal_kept("map.refusal"):
        View.set("map-noise", parse_noise(f"{st.session_state[key]}:{rate}", classes, data).spec)
        View.set("cell", None)


def _rate(key: str, classes: int, data: str) -> None:
    kind = View.now()["map-noise"].partition(":")[0]
    View.set("map-noise", parse_noise(f"{kind}:{round(st.session_state[key], 6)}", classes, data).spec)
    View.set("cell", None)


def _recipe(view: View) -> None:
    taken = _kinds(view)
    switch(view, "map-scale", "Equal gradient scale", "own", "equal", hint("equal scale"))
    with st.expander("Size of each training", key="map-recipe"):
        _number(view, "seeds", "Seeds of a cell", 1, MOST_SEEDS, 1, "seed")
        _number(view, "epochs", "Epochs", 1, settings().max_epochs, 10, "epoch")
        if "lr" not in taken:
            _number(view, "lr", "Learning rate", *RATES, 0.1, "learning rate")
        if "samples" not in taken:
            _number(view, "samples", "Training samples (0: all)", 0, 10**6, 100, "training samples")
        key = keep("map-network", view.value("map-network"))
        st.text_input("Network", key=key, help="Such as mlp:256 or mlp:128,64: the widths of its hidden layers.",
                      on_change=_network, args=(key, dataset(view["map-data"]).shape))  # fmt: skip
        if error := st.session_state.get("map-network.refusal"):
            st.error(error)
    changed = [name for name in FOLLOWING if view[f"map-{name}"] is not None and name not in taken]
    if changed:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            words = ", ".join({"lr": "learning rate"}.get(name, name) for name in changed)
            st.caption(f"Changed from the map’s recipe: {words}.", width="stretch")
            st.button("Undo", key="map-recipe-own", type="tertiary", on_click=_follow)


def _follow() -> None:
    for name in FOLLOWING:
        View.set(f"map-{name}", None)


def _number(view: View, name: str, label: str, low: float, high: float, step: float, term: str) -> None:
    field = f"map-{name}"
    number(f"number-{field}", label, view.value(field), (low, high), step, hint(term), View.set, field)


def _network(key: str, shape: tuple[int, ...]) -> None:
    with refusal_kept("map-network.refusal"):
        View.set("map-network", network_spec(st.session_state[key] or "", shape))


def _preset(changes: dict) -> None:
    for name, value in (values_of(DEFAULT) | changes).items():
        View.set(name, value)
    for key in [key for key in st.session_state if str(key).endswith(".refusal")]:
        del st.session_state[key]
