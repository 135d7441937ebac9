"""A map as it is measured: Start, Stop, Resume, how far it is, its colours, a click, a box."""

import streamlit as st

from alf.figures.phase_map import phase_map_figure, span
from alf.phase import MEASURES, PhaseMap
from alf.phase.sides import sides
from alf.phase.sweep import SweepState
from alf.runs.estimate import about
from ui.charts import chart as charts
from ui.charts.chart import boxed, clicked, payload
from ui.phase import shown as of_page
from ui.phase.fields import cell_of, values_of
from ui.phase.picture import heats
from ui.phase.shown import Shown
from ui.state.view import View, infinite, refusal_kept
from ui.training import session
from ui.training.fetching import fetches, key_of, needed
from ui.words.markdown import literal

EVERY = 0.7  # seconds between looks at the map while it goes on
SELDOM = 3.0  # of a large map, which takes its time to be sent
LARGE = 2500  # cells
CHART = "phase-map"
HEIGHT, SMALL = 480, 400
_ERROR, _PENDING, _GOING = "phase.error", "phase.pending", "phase.going"


def buttons(seen: Shown) -> None:
    """Start, or Resume, and Stop, each at its place; beside them what Start would cost."""
    status = seen.state.status if seen.state else None
    stopped, finished = status == SweepState.STOPPED, status == SweepState.FINISHED
    again = finished and bool(seen.state.failed)
    word = "Resume" if stopped else "Try again" if again else "Start"
    pending = st.session_state.get(_PENDING)
    with st.container(key="run-bar"):
        off = seen.sweep is None or seen.active or (finished and not again) or bool(pending)
        st.button(word, type="primary", key="start-map", disabled=off, on_click=_start)
        if seen.active:
            st.button("Stop", key="stop-map", on_click=_stop)
        elif pending:
            st.button("Cancel", key="cancel-map", on_click=st.session_state.pop, args=(_PENDING, None))
        elif seen.sweep is not None:
            st.caption(literal(_cost(seen)))
    if pending:
        st.fragment(_fetching, run_every=0.3, key="map-fetching")(pending)
    if seen.problem:
        st.error(literal(infinite(_sentence(seen.problem))))
    if error := st.session_state.get(_ERROR):
        st.error(literal(infinite(_sentence(error))))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _cost(seen: Shown) -> str:
    """How many networks that are, and how long they take."""
    phase = seen.sweep.phase
    if seen.state.status == SweepState.FINISHED:
        return f"{phase.networks:,} networks, all trained"
    losses, seeds = len(phase.losses), len(phase.recipe.seeds)
    parts = [f"{len(phase.x)} × {len(phase.y)} cells"]
    parts += [f"{losses} losses"] if losses > 1 else []
    parts += [f"{seeds} seeds"] if seeds > 1 else []
    many = f"{' × '.join(parts)}: {phase.networks:,} networks"
    left = seen.state.seconds_left if seen.state.status == SweepState.STOPPED else seen.sweep.estimate
    return f"{many}, {about(left)}" + (" more" if seen.state.status == SweepState.STOPPED else "") if left else many


def _start() -> None:
    with refusal_kept(_ERROR):
        begin()


def begin() -> None:
    """Have the map of the controls measured, also while nobody looks; data that are not here yet are looked for first.

    A reader's workers are for one map: another one that is still going on is stopped, and Resume goes on with it.
    """
    sweep = of_page.own_sweep()
    recipe = sweep.phase.recipe_of(sweep.phase.cells[:1])
    if needed(recipe):
        fetches().ask(*key_of(recipe))
        st.session_state[_PENDING] = sweep.phase
        return
    before = st.session_state.get(_GOING)
    if before is not None and before.phase != sweep.phase and before.look().active:
        before.stop()
    sweep.in_background()
    st.session_state[_GOING] = sweep


def _fetching(phase: PhaseMap) -> None:
    """How far the data set is that a map waits for; starts the map when it is there."""
    recipe = phase.recipe_of(phase.cells[:1])
    state = (fetches().state(*key_of(recipe)) or fetches().ask(*key_of(recipe))) if needed(recipe) else None
    if state is not None and state.going:
        st.progress(state.share or 0.0, state.words)
        return
    st.session_state.pop(_PENDING, None)
    if state is None or state.ready:
        _start()
    else:
        st.session_state[_ERROR] = state.error
    st.rerun()


def _stop() -> None:
    with refusal_kept(_ERROR):
        of_page.own_sweep().stop()


# -- the map ---------------------------------------------------------------------------------------------------------


def live_map(seen: Shown) -> None:
    """The map and how far it is; looks again by itself while there is something to wait for."""
    every = (EVERY if len(seen.phase.cells) <= LARGE else SELDOM) if seen.active or seen.asking else None
    st.fragment(_live, run_every=every, key="phase-live")(_drawn(seen))


def _drawn(seen: Shown) -> tuple:
    """What decides which controls and panels there are; when it changes the whole page runs again."""
    status = seen.state.status if seen.state else None
    return seen.phase.key, status, seen.asking, View.now().get("cell"), View.now().get("x"), View.now().get("y")


def _live(drawn: tuple) -> None:
    seen = of_page.shown(advance=True)
    now = _drawn(seen)
    if now != drawn and now[3:] != drawn[3:]:
        st.rerun()  # a click: what stands beside the map changes too
    _status(seen)
    measure = MEASURES[View.now()["measure"]]
    found = heats(seen, measure)
    colours, noise = span(found, measure), seen.phase.recipe.noise[0].partition(":")[0]
    height = HEIGHT if len(found) == 1 else SMALL
    figures = [phase_map_figure.spec(heat, *seen.phase.axes, measure, colours, noise, height) for heat in found]
    charts.mount(payload(figures, legend=False, clicks=True, boxes=True), CHART, _click, _box)
    _on_its_side(seen)
    if now != drawn:
        st.rerun()


def _status(seen: Shown) -> None:
    """What is shown, and how far it is."""
    recipe = seen.phase.recipe
    seeds = f", {len(recipe.seeds)} seeds a cell" if len(recipe.seeds) > 1 else ", one seed a cell"
    small = (
        f"{recipe.dataset.name}, {recipe.network.replace(':', ' ').upper()}, {recipe.epochs} epochs, "
        f"learning rate {recipe.lr:g}{seeds}"
    )
    if seen.recording is not None:
        same = seen.sweep is not None and seen.sweep.phase == seen.phase
        made = f"{seen.recording.made['date']}, {seen.recording.made['device'].replace('cpu', 'CPU')}"
        then = f"with these settings ({made})." if same else f"with other settings than the controls ({made})."
        head, share = f"<b>A recorded map</b> {then} Press Start to measure your own.", 0.0
    else:
        state = seen.state
        head, share = f"<b>Your map:</b> {progress(seen)}", state.done / state.total
    st.html(f'<div class="alf-run">{head}<i style="--w:{share:.1%}"></i><small>{small}</small></div>')
    if seen.state is not None and seen.recording is None and seen.state.failed and seen.state.message:
        st.error(literal(seen.state.message))
    for note in seen.state.notes if seen.state is not None and seen.recording is None else ():
        st.caption(literal(note))


def progress(seen: Shown) -> str:
    """How far a map is, in words."""
    state = seen.state
    done = f"{state.done:,} of {state.total:,} cells measured"
    if state.status == SweepState.FINISHED:
        return f"all {state.total:,} cells are measured." if not state.failed else f"{done}."
    if state.status == SweepState.STOPPED:
        return f"stopped with {done}. Resume goes on from there."
    parts = [done]
    if state.status == SweepState.WAITING:
        waits = (state.message or "Waiting for a worker").rstrip(".")
        parts.append(waits[:1].lower() + waits[1:])
    elif state.going:
        parts.append(f"{len(state.going)} being trained")
    if state.status == SweepState.RUNNING and (left := session.time_left(state.seconds_left)):
        parts.append(left)
    return ", ".join(parts) + "."


def _on_its_side(seen: Shown) -> None:
    """How often the networks do what the theorem says, where the map shows the confidence in the clean class."""
    if View.now()["measure"] != "confidence" or seen.asking:
        return
    counted = sides(seen.phase, seen.cells, seen.answers)
    if counted.share is None:
        return
    low, high = counted.interval
    st.caption(
        f"{counted.agree} of {counted.counted} cells with a verdict lie on the side that the theorem says, "
        f"{counted.share:.0%} (95% interval {low:.0%} to {high:.0%}): confident in the clean class where the loss "
        "tolerates the noise, less so where it does not. The theorem is about the best prediction, not about a network "
        "that has seen few samples."
    )


def _click() -> None:
    """A click on a cell opens it; another one closes it."""
    point = clicked(CHART)
    cell = point.get("cell") if isinstance(point, dict) else None
    if not (
        isinstance(cell, list) and len(cell) == 2 and all(isinstance(i, int) for i in (*cell, point.get("figure")))
    ):
        return
    text = f"{point['figure']}-{cell[1]}-{cell[0]}"
    phase = of_page.shown().phase
    if cell_of(text, phase) is not None:
        View.set("cell", None if View.now()["cell"] == text else text)


def _box() -> None:
    """A box becomes a map of its own: as many values between its ends, measured at once."""
    drawn = boxed(CHART)
    if not isinstance(drawn, dict):
        return
    phase = of_page.shown().phase
    with refusal_kept(_ERROR):
        parts = {}
        for name, axis in zip("xy", phase.axes, strict=True):
            ends = drawn.get(name)
            if isinstance(ends, list) and len(ends) == 2 and all(isinstance(end, int | float) for end in ends):
                parts[name] = axis.within(*ends).text
        if parts:
            for name, value in (values_of(phase) | parts).items():
                View.set(name, value)
            begin()
