"""The mirror on its page: the best prediction over the noise, the networks trained beside it, and how far they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from alf.errors import InputError
from alf.figures.base import Series, names
from alf.figures.mirror import Mirrored, mirror_figure
from alf.figures.palette import Style
from alf.losses import Loss, parse
from alf.losses.labels import Label
from alf.noise import NoisePath, noise_path, parse_noise
from alf.phase.mirror import (
    Best,
    Networks,
    best_confidence,
    best_on_path,
    curve_places,
    drawn_transitions,
    farthest,
    networks,
)
from alf.training.recipe import Lane, Recipe
from alf.training.recipes import mirror, mirror_places
from ui.asking.jobs import KnownPart
from ui.asking.page_questions import Question, tolerated
from ui.charts.chart import chart
from ui.controls.losses import named, swatch
from ui.state.view import View, refusal_kept
from ui.training import panel, session
from ui.words.key_figures import html_table, table_row

CLASSES = 3
EVERY = 0.5
"""Seconds between looks at the engine and at the theory's workers, while one of them is at work."""

KINDS = {"symmetric": "Symmetric", "pair": "Pair", "typed": "Typed"}
NEVER = 1e-3
"""So close to where clean labels stop dominating, the end of a search counts as that."""

_ERROR = "mirror.error"

ABOUT = """<b>What the theorem is about:</b> the best prediction. That is what a network would say that can say anything
and has seen infinitely many labels. Up to the ring it is sure of the clean class, whatever the wrong labels say.
<b>What it is not about:</b> how a network gets there. With few samples it may memorise their wrong labels; where
gradients vanish it may start too slowly, or never predict some class. Here the three classes lie far apart and each
network sees 3,000 labels, so that it can find the best prediction. The labels drawn are never exactly in the shares
asked for: the last column measures from the best prediction for the labels as they were drawn."""


@dataclass(frozen=True)
class Seen:
    """What is known of the networks: their last records by lane, and the reader's own run where there is one."""

    records: dict[Lane, dict[str, Any]]
    own: session.Shown | None
    recorded: str
    problem: str | None = None

    @property
    def going(self) -> bool:
        """Whether the run is under way."""
        return self.own is not None and self.own.progress.active


def path_of(noise: str) -> NoisePath:
    """The way to a noise over the three classes; InputError where there is none."""
    return noise_path(parse_noise(noise, CLASSES))


def buttons(view: View) -> None:
    """Start and Stop, and how long it would take."""
    try:
        recipe = _recipe(view["loss"], view["noise"])
    except InputError:
        return
    seen = look(view["mirror"], recipe)
    mine = seen.going and seen.own.progress.owner == session.owner()
    with st.container(key="run-bar"):
        st.button("Start", type="primary", key="start-mirror", disabled=mine, on_click=_start, args=(recipe,))
        if mine:
            st.button("Stop", key="stop-mirror", on_click=_stop, args=(view["mirror"],))
        else:
            st.caption(f"{len(recipe.lanes)} networks: {session.time_needed(recipe)}")
    if error := st.session_state.get(_ERROR):
        st.error(error)


def results(view: View) -> None:
    """The figure, the distances and what they mean; looks again by itself while something is being worked out."""
    specs, noise, run = view["loss"], view["noise"], view["mirror"]
    try:
        recipe = _recipe(specs, noise)
    except InputError as error:
        st.info(f"{str(error)[:1].upper()}{str(error)[1:]}. Choose symmetric or pair noise, or type a matrix.")
        return
    waiting = None in _parts(specs, noise) or look(run, recipe).going
    st.fragment(_results, run_every=EVERY if waiting else None, key="mirror-live")(specs, noise, run, waiting)


def look(run: str | None, recipe: Recipe) -> Seen:
    """The networks of a recipe that there are: of the reader's run, else of the recording that ships."""
    from alf.runs.recorded_run import recorded

    shipped = recorded("mirror")
    found, about, problem, own = {}, "", None, None
    if _bare(shipped.recipe) == _bare(recipe):
        wanted = set(recipe.lanes)
        found = {lane: r for r in shipped.records if (lane := _lane(r)) in wanted}
        about = f"{shipped.made['date']}, {shipped.made['device']}"
    if run:
        try:
            records, progress = session.engine().store.latest(run), session.engine().progress(run)
        except InputError as error:
            problem = str(error)
        else:
            mine = set(progress.recipe.lanes)
            if _bare(progress.recipe) == _bare(recipe) and not mine.isdisjoint(recipe.lanes):
                own = session.Shown(progress.recipe, (), progress)  # the last records tell no speed
                found = {lane: r for lane, r in found.items() if lane not in mine} | {_lane(r): r for r in records}
    return Seen(found, own, about, problem)


def _lane(record: dict[str, Any]) -> Lane:
    return Lane(record["loss"], record["noise"], record["seed"])


def _bare(recipe: Recipe) -> Recipe:
    """A recipe but for its lanes, none of which depends on the others, and the device."""
    return recipe.with_(losses=("ce",), noise=("none",), seeds=(0,), device="auto")


def _recipe(specs: tuple[str, ...], noise: str) -> Recipe:
    return mirror(specs, path_of(noise))


def _results(specs: tuple[str, ...], noise: str, run: str | None, waiting: bool) -> None:
    recipe, path, parts = _recipe(specs, noise), path_of(noise), _parts(specs, noise)
    seen = look(run, recipe)
    if seen.problem:
        st.warning(f"{seen.problem}.{' The recorded networks are shown instead.' if seen.records else ''}")
    _status(seen, recipe)
    losses = list(named(map(parse, specs)))
    held = [_networks(spec, path, recipe, seen, part) for spec, part in zip(specs, parts, strict=True)]
    pictures = [
        _mirrored(*loss, beside, part, path, recipe) for loss, beside, part in zip(losses, held, parts, strict=True)
    ]
    chart(mirror_figure.spec(pictures, axis_title(path), float(path.reach), len(recipe.seeds)), key="mirror-curves")
    st.html(_table(losses, held, parts, path, seen.going))
    for (_, label, _), beside in zip(losses, held, strict=True):
        if sentence := _trapped(label.label, beside, path):
            st.info(sentence)
        if not beside.best.unique.all():
            st.info(_not_unique(label.label))
    st.html(f'<p class="alf-note">{ABOUT}</p>')
    if waiting and not seen.going and None not in parts:
        st.rerun()


def _status(seen: Seen, recipe: Recipe) -> None:
    words = (
        f"{recipe.dataset.about} 3,000 labels, {recipe.network.replace(':', ' ').upper()}, {recipe.epochs} epochs, "
        f"learning rate {recipe.lr:g}, {len(recipe.seeds)} seeds."
    )
    if seen.own is None:
        missing = [spec for spec in recipe.losses if not any(lane.loss == spec for lane in seen.records)]
        said = f"a recording ({seen.recorded}). Press Start to train your own."
        if len(missing) == len(recipe.losses):
            said = "none yet. Press Start to train them."
        elif missing:
            said = (
                f"a recording ({seen.recorded}) without {names([parse(s).label for s in missing])}. Start trains all."
            )
        head, share = "Networks", 0.0
    else:
        progress = seen.own.progress
        head = "Your networks" if progress.owner == session.owner() else "Somebody else’s networks"
        said, share = panel.progress_in_words(seen.own), progress.fraction
    st.html(f'<div class="alf-run"><b>{head}:</b> {said}<i style="--w:{share:.1%}"></i><small>{words}</small></div>')
    if seen.own is not None:
        for note in (*seen.own.progress.notes, *dict.fromkeys(seen.own.progress.ended.values())):
            st.info(note)


def _parts(specs: Sequence[str], noise: str) -> list[KnownPart | None]:
    """How far each loss tolerates the noise on the way to it, None while it is being worked on."""
    end = path_of(noise).end.spec
    return [tolerated(Question(spec, end, CLASSES)) for spec in specs]


@st.cache_data(max_entries=256, show_spinner=False)
def _best(spec: str, end: str, part: KnownPart | None, places: tuple[float, ...]) -> Best:
    proved = 0.0 if part is None or part.interval is None else part.interval[0]
    return best_on_path(parse(spec), path_of(end), np.array(places), proved)


@st.cache_data(max_entries=32, show_spinner=False)
def _drawn(end: str) -> np.ndarray:
    drawn = drawn_transitions(_recipe(("ce",), end))
    return drawn.reshape(-1, CLASSES, CLASSES)


@st.cache_data(max_entries=256, show_spinner=False)
def _best_as_drawn(spec: str, end: str) -> Best:
    return best_confidence(parse(spec), _drawn(end))


def _networks(spec: str, path: NoisePath, recipe: Recipe, seen: Seen, part: KnownPart | None) -> Networks:
    end = path.end.spec
    best = _best(spec, end, part, _places(path))
    return networks(spec, recipe, seen.records, best, _best_as_drawn(spec, end))


def _places(path: NoisePath) -> tuple[float, ...]:
    return tuple(map(float, mirror_places(path)))


def _mirrored(
    loss: Loss, label: Label, style: Style, beside: Networks, part: KnownPart | None, path: NoisePath, recipe: Recipe
) -> Mirrored:
    x = curve_places(path)
    best = _best(loss.spec, path.end.spec, part, tuple(x.tolist()))
    middle, half = (best.high + best.low) / 2, np.where(best.unique, 0.0, (best.high - best.low) / 2)
    curve = Series(label.label, style, x, middle, half, label.short)
    there = ~np.isnan(beside.mean)
    at = np.array(_places(path))[there]
    dots = Series(label.label, style, at, beside.mean[there], beside.spread[there], label.short)
    ring = part.rate if beside.best.unique.all() and _known(part) and not _never(part, path) else None
    return Mirrored(curve, dots, beside.gap[there] if beside.best.unique.all() else None, ring)


def _known(part: KnownPart | None) -> bool:
    """Whether it is known, to the width of a line, where the best prediction leaves the clean class."""
    return part is not None and part.interval is not None and part.interval[1] - part.interval[0] < 5e-3


def _never(part: KnownPart, path: NoisePath) -> bool:
    """Whether it stays at the clean class as long as clean labels are the likeliest."""
    return part.interval[0] >= float(path.reach) - NEVER


def axis_title(path: NoisePath) -> str:
    """What stands below the noise."""
    return f"{path.end.kind} noise rate" if path.rated else "share t of the way from clean labels to the matrix"


def _table(losses, held: Sequence[Networks], parts: Sequence[KnownPart | None], path: NoisePath, going: bool) -> str:
    """Where each best prediction leaves the clean class, and how far the networks are from it."""
    at = _places(path)
    rows = []
    for (loss, _, style), beside, part in zip(losses, held, parts, strict=True):
        cells = [swatch(style, loss), _leaves(part, beside, path)]
        place = farthest(beside.gap)
        if place is None or not beside.best.unique.all():
            cells += ["…" if place is None and going else "—"] * 3
        else:
            drawn = farthest(beside.drawn_gap)
            cells += [
                f"{_signed(beside.gap[place])}<small> at {_place(at[place], path)}</small>",
                f"{np.nanmean(np.abs(beside.gap)):.3f}",
                f"{beside.drawn_gap[drawn]:.3f}<small> at {_place(at[drawn], path)}</small>",
            ]
        rows.append(table_row(cells))
    head = (
        "<th>Loss</th><th>Best prediction leaves the clean class</th><th>Networks: farthest from it</th>"
        "<th>mean distance</th><th>farthest from the best for the labels drawn</th>"
    )
    return html_table(head, "".join(rows))


def _leaves(part: KnownPart | None, beside: Networks, path: NoisePath) -> str:
    """The critical rate in words."""
    if not beside.best.unique.all():
        low, high = beside.best.low.min(), beside.best.high.max()
        return f"not unique<small> any from {low:.2f} to {high:.2f}</small>"
    if part is None:
        return "…"
    if part.interval is None:
        return "not decided"
    low, high = part.interval
    if _never(part, path):
        whole = path.reach == 1  # the clean labels are still the likeliest where the way ends
        return f"never<small> {'up to the matrix' if whole else 'while clean labels are the likeliest'}</small>"
    if not _known(part):
        return f"between {_place(low, path)} and {_place(high, path)}"
    if high <= NEVER:
        return "at once"
    return f"at {_place(part.rate, path, 4)}<small> {part.status}</small>"


def _signed(gap: float) -> str:
    """A distance with its sign, to three decimals.

    >>> _signed(0.0214), _signed(-0.5), _signed(-0.0001)
    ('+0.021', '−0.500', '0.000')
    """
    return "0.000" if abs(gap) < 5e-4 else f"{gap:+.3f}".replace("-", "−")


def _place(t: float, path: NoisePath, digits: int = 3) -> str:
    """A place on the way in words: a rate in per cent, else t.

    >>> _place(0.26894, noise_path(parse_noise("pair:1", 3))), _place(0.4, noise_path(parse_noise("pair:1", 3)))
    ('26.9%', '40%')
    """
    return f"{100 * t:.{digits}g}%" if path.rated else f"t = {t:.{digits}g}"


def _trapped(name: str, beside: Networks, path: NoisePath) -> str:
    """A sentence on networks that never predict some class, or nothing."""
    dead = np.nan_to_num(beside.dead) > 0
    if not dead.any():
        return ""
    where = names([_place(t, path) for t, row in zip(_places(path), dead, strict=True) if row.any()])
    count = int(dead.sum())
    who = f"{count} network{'s' if count > 1 else ''} of {name}"
    verb = "never predicts" if count == 1 else "never predict"
    return (
        f"{who}, at {where}, {verb} one of the three classes: training was trapped, of which the theorem says nothing."
    )


def _not_unique(name: str) -> str:
    return (
        f"{name}: there is no one best prediction. The risk is least, or as close to its least value as one likes, at "
        "predictions of every confidence in the band: theory does not say what a network will say."
    )


def _start(recipe: Recipe) -> None:
    with refusal_kept(_ERROR):
        View.set("mirror", session.engine().start(recipe, session.owner()))


def _stop(run: str) -> None:
    with refusal_kept(_ERROR):
        session.engine().stop(session.own_run(run))
