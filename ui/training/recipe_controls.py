"""A training recipe: the data set, what its own recipe gives, and what the reader changes of that."""

import math

import streamlit as st

from alf.data import DATASETS
from alf.errors import InputError
from alf.losses import catalogue, parse
from alf.settings import settings
from alf.training.networks_spec import NETWORKS, network_spec
from alf.training.recipe import LIMITS, RATES, SCHEDULES
from alf.training.recipes import classroom_noise, kinds_of
from ui.controls.fields import number, pick, segments, switch
from ui.controls.noise import drowns
from ui.state import recipe_fields
from ui.state.view import View, keep, refusal_kept
from ui.training import session
from ui.words.glossary import hint

KIND_NAMES = {"classroom": "Classroom", "paper": "Paper"}


SCHEDULE_NAMES = dict(zip(SCHEDULES, ("Cosine, down to 0", "Constant"), strict=True))


AUGMENT_NAMES = {
    "none": "None",
    "crop-flip": "Shifted and mirrored",
    "crop-flip-rotate": "Shifted, mirrored and turned",
}


NAMES = {
    "network": "network",
    "samples": "samples",
    "epochs": "epochs",
    "lr": "learning rate",
    "batch": "batch",
    "momentum": "momentum",
    "weight_decay": "weight decay",
    "schedule": "schedule",
    "clip": "clipping",
    "augment": "augmentation",
}


WIDTHS = ("mlp:64", "mlp:256", "mlp:512", "mlp:256,256")


def data(view: View) -> None:
    """The data set and which recipe of it; choosing one brings all of its own values along."""
    key = keep("pick-data", view["data"])
    st.selectbox("Data", list(DATASETS), format_func=_data_name, key=key, on_change=_data, args=(key,))
    kinds = kinds_of(view["data"])
    if len(kinds) > 1:
        words = {kind: KIND_NAMES[kind] for kind in kinds}
        about = " ".join(hint(f"{kind} recipe") for kind in kinds)
        segments("pick-recipe", "Recipe", words, view["recipe"], _kind, required=True, width="stretch", help=about)


def rate(view: View) -> None:
    """The learning rate with which a run will start."""
    _number(view, "lr", "Learning rate", *RATES, lr_step(recipe_fields.own(View.now())["lr"]), "learning rate")


def lr_step(lr: float) -> float:
    """A step for a field of learning rates: a tenth of a round number near it.

    >>> lr_step(1.0), lr_step(0.3), lr_step(0.01)
    (0.1, 0.01, 0.001)
    """
    return float(f"1e{math.floor(math.log10(lr)) - 1}")


def recipe(view: View) -> None:
    """The rest of a training recipe, for those who want to change it."""
    switch(view, "scale", "Equal gradient scale", "own", "equal", hint("equal scale"))
    with st.expander("Size of the run", key="recipe"):
        _number(view, "epochs", "Epochs", 1, settings().max_epochs, 10, "epoch")
        _number(view, "seeds", "Seeds", 1, recipe_fields.MOST_SEEDS, 1, "seed")
        _number(view, "samples", "Training samples (0: all)", 0, 10**6, 100, "training samples")
        _network(view)
        _device(view)
    with st.expander("Optimiser", key="optimiser"):
        _number(view, "batch", "Batch", 1, LIMITS["batch"], 16, "batch")
        _number(view, "momentum", "Momentum", 0.0, 0.999, 0.1, "momentum")
        _number(view, "weight_decay", "Weight decay", 0.0, 1.0, 1e-4, "weight decay")
        pick(view, "schedule", "Learning rate over the epochs", SCHEDULE_NAMES, hint("schedule"))
        _number(view, "clip", "Largest gradient norm", 1e-3, 1e9, 1.0, "clipping")
        offered = recipe_fields.augments(view["data"])
        if len(offered) > 1:
            names = {key: AUGMENT_NAMES.get(key, key) for key in offered}
            pick(view, "augment", "Moved pictures", names, hint("augmentation"))
    _changed(view)
    found = session.devices().known()
    st.fragment(_device_caption, run_every=1.0 if found is None else None, key="device-caption")(view["device"])


def _number(view: View, name: str, label: str, low: float, high: float, step: float, term: str) -> None:
    number(f"number-{name}", label, view.value(name), (low, high), step, hint(term), View.set, name)


def _network(view: View) -> None:
    now, own = view.value("network"), recipe_fields.own(View.now())["network"]
    shape = DATASETS[view["data"]].shape
    options = dict.fromkeys((now, own, *WIDTHS, *(key for key in NETWORKS if key != "mlp" and _takes(key, shape))))
    key = keep("choice-network", now)
    st.selectbox(
        "Network",
        list(options),
        key=key,
        accept_new_options=True,
        help=" ".join(f"**{name}**: {about}." for name, about in NETWORKS.items())
        + " Type another, such as mlp:128,64.",
        on_change=_typed_network,
        args=(key, shape),
    )
    if error := st.session_state.get("network.error"):
        st.error(error)


def _takes(network: str, shape: tuple[int, ...]) -> bool:
    try:
        network_spec(network, shape)
    except InputError:
        return False
    return True


def _device(view: View) -> None:
    found = session.devices().known()
    names = _device_names()
    offered = {key: text for key, text in names.items() if not found or key in ("auto", view["device"], *found)}
    pick(view, "device", "Device", offered, "Where the networks are trained.")


def _device_names() -> dict[str, str]:
    names = {"auto": "The best there is", "cpu": "CPU", "cuda": "CUDA", "mps": "Apple GPU"}
    return names | (session.devices().known() or {})


def _device_caption(wanted: str) -> None:
    """Say in words which device a run would use; looks again by itself until that is known."""
    found = session.devices().known()
    if found is None:
        st.session_state["devices.unknown"] = True
        st.caption("Looking for a GPU …")
        return
    best = next(iter(found.values()))
    if wanted not in ("auto", *found):
        st.caption(f"{_device_names()[wanted]} was not found here: the run uses {best}.")
    elif list(found) == ["cpu"]:
        st.caption(f"No GPU was found: the run uses {best}.")
    else:
        st.caption(f"The run uses {best if wanted == 'auto' else found[wanted]}.")
    if st.session_state.pop("devices.unknown", False):
        st.rerun()  # once more as a whole: the list of devices shows their names too, and the looking ends


def _changed(view: View) -> None:
    """What the reader has changed of the recipe, and the way back."""
    changed = [NAMES[name] for name in recipe_fields.FOLLOWING if view[name] is not None]
    kind = KIND_NAMES[view["recipe"]].lower() if view["recipe"] in kinds_of(view["data"]) else "classroom"
    if not changed:
        st.caption(f"All as in the {kind} recipe of {DATASETS[view['data']].name}.")
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"Changed from the {kind} recipe: {', '.join(changed)}.", width="stretch")
        st.button("Undo", key="recipe-own", type="tertiary", help="Back to the recipe's own values", on_click=_follow)


def _data_name(key: str) -> str:
    declared = DATASETS[key]
    comes = "from the data folder or downloaded" if settings().data_dir else "downloaded on first use"
    return f"{declared.name}, {declared.classes} classes" + ("" if declared.local else f", {comes}")


def _data(key: str) -> None:
    chosen = st.session_state[key]
    View.set("data", chosen)
    if View.now()["recipe"] not in kinds_of(chosen):
        View.set("recipe", kinds_of(chosen)[0])
    _follow()
    _losses_of_paper()
    if drowns(View.now()["noise"], DATASETS[chosen].classes, chosen):  # a page's own default may be nobody's choice yet
        View.set("noise", classroom_noise(chosen))


def _kind(key: str) -> None:
    View.set("recipe", st.session_state[key])
    _follow()
    _losses_of_paper()


def _follow() -> None:
    """Let every value be the recipe's own again."""
    for name in recipe_fields.FOLLOWING:
        View.set(name, None)
    st.session_state.pop("network.error", None)


def _losses_of_paper() -> None:
    """In the paper's recipe a loss at the authors' values for another data set takes those for this one."""
    model = View.now()
    if model["recipe"] != "paper":
        return
    specs = []
    for spec in model["loss"]:
        presets = catalogue()[parse(spec).key].preset_losses() if parse(spec).key in catalogue() else {}
        known = spec in (loss.spec for loss in presets.values())
        specs.append(presets[model["data"]].spec if known and model["data"] in presets else spec)
    View.set("loss", tuple(dict.fromkeys(specs)))


def _typed_network(key: str, shape: tuple[int, ...]) -> None:
    with refusal_kept("network.error"):
        st.session_state[key] = network_spec(st.session_state[key] or "", shape)
        View.set("network", st.session_state[key])
