"""Look inside a run: what its networks get wrong, learned by heart and see, and the regions they give each class.

Nothing is loaded before a view is chosen; what is loaded is kept by run, lane and epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from alf.data.declaration import DataSet
from alf.errors import InputError
from alf.figures.base import Series
from alf.figures.inspection import class_accuracy_figure, confusion_figure, plane_figure
from alf.figures.palette import Style
from alf.figures.regions import memorised_points_figure, regions_figure
from alf.losses import Loss, parse
from alf.training.inspect import REACH, Inspection
from alf.training.recipe import Recipe
from alf.training.states import RunState
from ui.asking.page_questions import read_loss
from ui.charts.chart import chart
from ui.controls.fields import segments
from ui.controls.losses import named
from ui.state import link
from ui.state.view import View
from ui.training import features, memorised, session

EVERY = 1.0  # seconds between looks at the engine, while a run goes on


SOON = 0.5  # while t-SNE is being computed


WIDE = 2.0  # while a run is paused: another tab may let it go on


VIEWS = {
    "regions": "Decision regions",
    "wrong": "What it gets wrong",
    "heart": "What it memorised",
    "sees": "What it sees",
}


def _quiet(field: link.Field) -> link.Field:
    """The field, left out of the link while it has its default: most links are of runs nobody has looked into."""
    return replace(field, write=lambda value: [] if value == field.default else field.write(value))


FIELDS = (
    _quiet(link.choice("look", ("closed", *VIEWS), "closed")),
    # None stands for the run's first loss
    _quiet(link.spec("look-loss", lambda text, _: read_loss(text).spec)),
    _quiet(link.whole("look-seed", 0, 0, 999_999_999)),
    _quiet(link.choice("look-at", tuple(memorised.KINDS), "learned")),
    _quiet(link.whole("look-page", 0, 0, 9999)),
    _quiet(link.choice("look-map", tuple(features.KINDS), "pca")),
)
"""What of the page's state is of this section; the page has them among its own."""


@dataclass(frozen=True)
class Model:
    """One loss's model of the chosen seed: how it is shown, and what is known of it (or why nothing is)."""

    loss: Loss
    style: Style
    name: str
    lane: int
    seen: Inspection | None
    why: str = ""


def panels(shown: session.Shown, run: str | None, active: bool) -> None:
    """The section "Look inside" of a run: a choice of views, and the one that is open."""
    recipe = shown.recipe
    views = {key: words for key, words in VIEWS.items() if key != "regions" or recipe.dataset.shape == (2,)}
    with st.container(key="inside", gap="small"):
        st.html('<h2 class="alf-h2">Look inside</h2>')
        look = View.now()["look"] if View.now()["look"] in views else None
        segments("inside-look", "Look inside", views, look, _look, label_visibility="collapsed")
        if look is None:
            st.html('<p class="alf-note">Class by class and sample by sample: pick a view.</p>')
            return
        which = None if shown.recorded else run
        _choices(recipe, look)
        every, awaiting = _pace(shown, which, active, look)
        side_by_side = look in ("regions", "sees") or (look == "heart" and not recipe.dataset.is_picture)
        with st.container(key=f"inside-body-{len(recipe.losses) if side_by_side else 1}", gap="small"):
            st.fragment(_body, run_every=every, key="inside-live")(which, look, awaiting)


def _choices(recipe: Recipe, look: str) -> None:
    """Which loss and which seed, where there is a choice."""
    with st.container(key="inside-choices", horizontal=True, gap="medium", vertical_alignment="bottom"):
        if look == "wrong" or (look == "heart" and recipe.dataset.is_picture):
            names = {loss.spec: name.short for loss, name, _ in named(map(parse, recipe.losses))}
            _pick("look-loss", "Loss", names, chosen_loss(recipe))
        if len(recipe.seeds) > 1:
            _pick("look-seed", "Seed", {seed: str(seed) for seed in recipe.seeds}, chosen_seed(recipe))
        if look == "sees":
            _pick("look-map", "Kind of map", features.KINDS, View.now()["look-map"])


def _pick(name: str, label: str, options: dict, now) -> None:
    if len(options) > 1:
        segments(f"inside-{name}", label, options, now, memorised.choose, name, required=True)


def _pace(shown: session.Shown, run: str | None, active: bool, look: str) -> tuple[float | None, bool]:
    """How often the open view looks again, None once nothing can change any more; and whether it awaits t-SNE."""
    if active:
        return WIDE if shown.progress.status == RunState.PAUSED else EVERY, False
    if look == "sees" and View.now()["look-map"] == "tsne":
        seen = [model.seen for model in _models(shown, run, []) if model.seen]
        if not features.ready(run, seen):
            return SOON, True
    return None, False


def _body(run: str | None, look: str, awaiting: bool) -> None:
    """The open view; runs again by itself while the run goes on."""
    shown, _ = session.run_or_recorded(run)
    said: list[str] = []
    models = _models(shown, run, said)
    there = [model for model in models if model.seen]
    st.html(f'<p class="alf-note">{_when(shown, models)}</p>')
    for words in said:
        st.info(words)
    if not there:
        return
    data = shown.recipe.dataset
    chosen = next((m for m in there if m.loss.spec == chosen_loss(shown.recipe)), None)
    if look == "wrong":
        _wrong(there, chosen, data)
    elif look == "regions":
        _regions(there, data)
    elif look == "heart" and not there[0].seen.flipped.any():
        st.html('<p class="alf-note">Every training label is right here: there is no wrong label to memorise.</p>')
    elif look == "heart" and data.is_picture:
        if chosen:
            memorised.pictures(chosen, there, data, View.now()["look-at"], View.now()["look-page"])
    elif look == "heart":
        _points_by_heart(there, data)
    elif look == "sees":
        _sees(run, shown, there, data, awaiting)


def _models(shown: session.Shown, run: str | None, said: list[str]) -> list[Model]:
    """Every loss's model of the chosen seed; `said` takes a sentence for each that cannot be shown."""
    recipe = shown.recipe
    ended = shown.progress.ended if shown.progress else {}
    whole = session.recorded_run().recipe if run is None else recipe  # of a recording only some models may be shown
    epochs = (
        dict.fromkeys(range(len(whole.lanes)), recipe.epochs)
        if run is None
        else session.engine().store.snapshot_epochs(run)
    )
    lanes = {lane: i for i, lane in enumerate(whole.lanes)}
    found = []
    for loss, name, style in named(map(parse, recipe.losses)):
        lane = lanes[loss.spec, recipe.noise[0], chosen_seed(recipe)]
        seen, why = None, ended.get(lane, "")
        if not why and lane in epochs:
            try:
                seen = _inspection(run, lane, epochs[lane])
            except InputError as error:  # the data are not on this machine
                why = str(error)
        if why:
            said.append(f"{name.short}: {why}")
        found.append(Model(loss, style, name.short, lane, seen, why))
    return found


@st.cache_resource(show_spinner=False, max_entries=64)
def _inspection(run: str | None, lane: int, epoch: int) -> Inspection | None:
    """What a lane's model did at an epoch, kept for all sessions."""
    if run is None:
        from alf.runs.recorded_run import recorded

        return recorded("digits").inspect(lane)
    return session.engine().inspect(run, lane)


def chosen_loss(recipe: Recipe) -> str:
    """The loss looked at: the one of the link where the run has it, otherwise the run's first."""
    return View.now()["look-loss"] if View.now()["look-loss"] in recipe.losses else recipe.losses[0]


def chosen_seed(recipe: Recipe) -> int:
    """The seed looked at: the one of the link where the run has it, otherwise the run's first."""
    return View.now()["look-seed"] if View.now()["look-seed"] in recipe.seeds else recipe.seeds[0]


def _when(shown: session.Shown, models: Sequence[Model]) -> str:
    """As of which epoch the pictures are, or why there are none yet."""
    recipe = shown.recipe
    epochs = sorted({model.seen.epoch for model in models if model.seen})
    if not epochs:
        if shown.progress and shown.progress.active:
            return "The first pictures come with the first epoch."
        return "" if any(model.why for model in models) else "This run kept no pictures: it ended too soon."
    when = f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {epochs[0]} to {epochs[-1]}"
    noise = "" if len(recipe.noise) == 1 else f", {recipe.noise[0]}"
    seeds = f" of seed {chosen_seed(recipe)}" if len(recipe.seeds) > 1 else ""
    return f"The models{seeds} after {when} of {recipe.epochs}{noise}."


def _wrong(models: Sequence[Model], chosen: Model | None, data: DataSet) -> None:
    names = data.class_names
    rows = [Series(m.loss.label, m.style, np.arange(data.classes), m.seen.class_accuracy, short=m.name) for m in models]
    figures = [class_accuracy_figure.spec(rows, names)]
    if chosen:
        figures.append(confusion_figure.spec(chosen.seen.confusion, names, chosen.name, _kind(data)))
    chart(*figures, key="inside-wrong")


def _regions(models: Sequence[Model], data: DataSet) -> None:
    figures = []
    for model in models:
        seen = model.seen
        right = float((seen.test_predicted == seen.test_true).mean())
        by_heart = (
            f", {seen.memorised.sum()} of {seen.flipped.sum()} wrong labels memorised" if seen.flipped.any() else ""
        )
        figures.append(
            regions_figure.spec(
                seen.scores,
                REACH,
                data.normalise(seen.train_inputs()),
                seen.train_given,
                seen.flipped,
                data.class_names,
                f"{model.name}: {right:.0%} of test points predicted right{by_heart}",
                _height(models),
            )
        )
    _side_by_side(figures, "inside-regions", legend=False)
    st.html(
        '<p class="alf-note">The colour of the plane is the class the network would predict there, stronger where it '
        "is surer. Dots are training points in the colour of their label; a cross has a wrong label. A cross in a "
        "patch of its own colour has been memorised.</p>"
    )


def _points_by_heart(models: Sequence[Model], data: DataSet) -> None:
    figures = [
        memorised_points_figure.spec(
            REACH,
            data.normalise(model.seen.train_inputs()),
            model.seen.train_true,
            model.seen.flipped,
            model.seen.memorised,
            data.class_names,
            model.style,
            model.name,
            _height(models),
        )
        for model in models
    ]
    _side_by_side(figures, "inside-heart", legend=False)
    st.html(
        '<p class="alf-note">Full discs: points whose wrong label the network now predicts. Open ones: it does not. '
        "The other training points are in the colour of their class.</p>"
    )


def _sees(run: str | None, shown: session.Shown, models: Sequence[Model], data: DataSet, awaiting: bool) -> None:
    kind = View.now()["look-map"]
    if kind == "tsne" and shown.progress and shown.progress.active and shown.progress.status != RunState.PAUSED:
        st.info("t-SNE is drawn once the run has ended or is paused. Until then: the principal axes.")
        kind = "pca"
    places = {model.name: features.places(kind, run, model.seen) for model in models}
    for words in dict.fromkeys(place.why for place in places.values() if place.why):
        st.warning(words)
    waiting = [name for name, place in places.items() if place.waiting]
    if waiting:
        st.html(f'<p class="alf-note">t-SNE is being computed for {", ".join(waiting)} …</p>')
    figures = []
    for model in models:
        at, seen = places[model.name].at, model.seen
        if at is not None:
            true, predicted = seen.test_true[: len(at)], seen.test_predicted[: len(at)]
            axes = features.axes(kind, seen.variance)
            height = _height(models)
            figures.append(plane_figure.spec(at, true, predicted, data.class_names, model.name, axes, height))
    if figures:
        _side_by_side(figures, f"inside-{kind}", legend=data.classes <= 10)
    st.html(f'<p class="alf-note">{features.about(kind, _kind(data))}</p>')
    if awaiting and not waiting:
        st.rerun()  # once more as a whole, so that the looking ends


def _side_by_side(figures: Sequence[dict], key: str, legend: bool) -> None:
    """One chart of several square figures, in as many columns as look well."""
    columns = {1: 1, 2: 2, 4: 2}.get(len(figures), 3)
    with st.container(key=f"inside-columns-{columns}"):
        chart(*figures, key=key, legend=legend)


def _height(models: Sequence[Model]) -> int:
    return 400 if len(models) in (1, 2, 4) else 300


def _kind(data: DataSet) -> str:
    return "pictures" if data.is_picture else "points"


def _look(key: str) -> None:
    View.set("look", st.session_state[key] or "closed")
