"""Start, Pause, Play, Step and Stop, and the learning rate: what a reader does to a run."""

import streamlit as st

from alf.training.recipe import RATES, Recipe
from alf.training.states import RunState
from ui.controls.fields import number
from ui.state.recipe_fields import recipe_of
from ui.state.view import View, refusal_kept
from ui.training import session
from ui.training.fetching import fetches, key_of, needed
from ui.training.recipe_controls import lr_step, rate
from ui.words.glossary import hint

_ERROR, _PENDING, _RATE = "train.error", "train.pending", "train.rate"


def run_buttons(view: View, shown: session.Shown) -> None:
    """The buttons, each there when it can be pressed and always at the same place; below, the learning rate."""
    run = view["run"] if shown.progress is not None else None
    active = run is not None and shown.progress.active and shown.progress.owner == session.owner()
    pending = st.session_state.get(_PENDING)
    with st.container(key="run-bar"):
        st.button("Start", type="primary", key="start-run", disabled=active or bool(pending), on_click=_start)
        if active:
            _of_a_run(run, shown)
        elif pending:
            st.button("Cancel", key="cancel-run", on_click=st.session_state.pop, args=(_PENDING, None))
        else:
            st.caption(_models(view))
    if pending:
        st.fragment(_fetching, run_every=0.3, key="fetching")(pending)
    if error := st.session_state.get(_ERROR):
        st.error(error)
    if active and shown.progress.status != RunState.STOPPING:
        _rate_now(run, shown.recipe)
    else:
        rate(view)
        st.caption("You can change it while the run goes on.")


def _of_a_run(run: str, shown: session.Shown) -> None:
    stopping, paused = (shown.progress.status == state for state in (RunState.STOPPING, RunState.PAUSED))
    if paused or shown.progress.pausing:
        st.button("Play", key="play-run", help="Continue the run", on_click=_do, args=("play", run))
    else:
        st.button("Pause", key="pause-run", disabled=stopping, on_click=_do, args=("pause", run))
    st.button(
        "Step", key="step-run", disabled=not paused, help="Train one more epoch", on_click=_do, args=("step", run)
    )
    st.button("Stop", key="stop-run", disabled=stopping, on_click=_do, args=("stop", run))


def _models(view: View) -> str:
    """What Start would train, and how long that takes."""
    losses, seeds = len(view["loss"]), view["seeds"]
    recipe = session.chosen_recipe()
    needed = f": {session.time_needed(recipe)}" if recipe is not None else ""
    return f"{losses} loss{'es' if losses > 1 else ''} × {seeds} seed{'s' if seeds > 1 else ''}{needed}"


def _rate_now(run: str, recipe: Recipe) -> None:
    """The learning rate of the run that is going; a change counts from the next epoch that has not begun."""
    base = _base(recipe)
    about = hint("learning rate")
    number("lr-now", "Learning rate of this run", base, RATES, lr_step(base), about, _set_rate, run)
    told = st.session_state.get(_RATE)
    if told and told[0] == run:
        st.caption(told[1])
    else:
        st.caption("A change takes effect in the next epoch." if recipe.schedule == "constant" else _cosine(recipe))


def _base(recipe: Recipe) -> float:
    """The learning rate last asked for, before the schedule."""
    return recipe.changes[-1].lr if recipe.changes else recipe.lr


def _cosine(recipe: Recipe) -> str:
    falls = f"it falls to 0 by epoch {recipe.epochs}."
    if not recipe.changes:
        return f"The rate at the start; {falls}"
    epoch = recipe.changes[-1].epoch
    share = f"{_share(recipe, epoch):.2g}"
    return f"It takes effect in epoch {epoch}, where the cosine schedule multiplies it by {share}; {falls}"


def _share(recipe: Recipe, epoch: int) -> float:
    """What the schedule makes of a learning rate in an epoch, as a share of it."""
    return recipe.with_(changes=(), lr=1.0).lr_at(epoch)


def _fetching(recipe: Recipe) -> None:
    """How far the download is that a run waits for; starts the run when it is there."""
    key = key_of(recipe)
    state = (fetches().state(*key) or fetches().ask(*key)) if needed(recipe) else None
    if state is not None and state.going:
        st.progress(state.share or 0.0, state.words)
        return
    st.session_state.pop(_PENDING, None)
    if state is None or state.ready:
        _launch(recipe)
    else:
        st.session_state[_ERROR] = state.error
    st.rerun()


def _start() -> None:
    """Hand the recipe of the controls to the engine, or first see to its data."""
    with refusal_kept(_ERROR):
        recipe = recipe_of(View.now())
        if needed(recipe):
            fetches().ask(*key_of(recipe))
            st.session_state[_PENDING] = recipe
        else:
            _launch(recipe)


def _launch(recipe: Recipe) -> None:
    """The run's id goes into the link."""
    with refusal_kept(_ERROR):
        View.set("run", session.engine().start(recipe, session.owner()))


def _do(what: str, run: str) -> None:
    """Ask the engine to pause, play, step or stop the run; the page shows at once that it was asked."""
    with refusal_kept(_ERROR):
        getattr(session.engine(), what)(session.own_run(run))


def _set_rate(run: str, lr: float) -> None:
    progress = session.engine().progress(run)
    if not progress.active or lr == _base(progress.recipe):
        return  # a field that has just left the page may report once more what it held
    with refusal_kept(_ERROR):
        epoch = session.engine().set_lr(session.own_run(run), lr)
        words = f"The learning rate {lr:g} takes effect in epoch {epoch}"
        if progress.recipe.schedule == "cosine":
            words += f", where the cosine schedule multiplies it by {_share(progress.recipe, epoch):.2g}"
        st.session_state[_RATE] = (run, words + ".")
