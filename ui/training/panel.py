"""A run as it goes: what it is, how far it is, its curves, and what stands at the end."""

import numpy as np
import streamlit as st

from alf.figures.base import Series, names
from alf.figures.headline import Result, leaders
from alf.figures.training import accuracy_figure, bands, memorised_figure, metric_figure, pale
from alf.losses import parse
from alf.numbers import rounded
from alf.training.recipe import Recipe
from alf.training.records import summarise
from alf.training.states import RunState
from ui.charts.chart import chart
from ui.controls.losses import named, swatch
from ui.state import recipe_fields
from ui.state.view import View
from ui.training import happened, inspection, session
from ui.words.glossary import term
from ui.words.key_figures import accuracies, html_table, over_seeds, table_row
from ui.words.statuses import word

EVERY = 0.7  # seconds between looks at the engine, while a run goes on


SELDOM = 2.0  # while it is paused: another tab may let it go on


MORE = ("clean_accuracy", "flipped_true_accuracy", "train_loss", "grad_norm")


def results(run: str | None, shown: session.Shown) -> None:
    """Everything about the run; looks again by itself while it is going on."""
    now = _state(shown)
    going = shown.progress is not None and shown.progress.active
    every = None if not going else SELDOM if shown.progress.status == RunState.PAUSED else EVERY
    st.fragment(_results, run_every=every, key="results-live")(run, now)
    happened.happened(shown, run)
    inspection.panels(shown, run, going)


def _state(shown: session.Shown) -> tuple:
    """What decides which buttons there are and what the controls say; when it changes the whole page runs again."""
    progress = shown.progress
    if progress is None:
        return (shown.differs,)
    return shown.differs, progress.run, progress.status, progress.pausing, shown.recipe.key


def _results(run: str | None, drawn: tuple) -> None:
    shown, _ = session.run_or_recorded(run)
    _status(shown)
    _curves(shown)
    st.html(results_table(shown))
    if shown.differs:
        _offer(shown, run)
    more = st.expander("More curves", key="more-curves", on_change="rerun")
    if more.open:
        with more:
            _more(shown)
    if _state(shown) != drawn:
        st.rerun()


def _curves(shown: session.Shown) -> None:
    """Accuracy and memorisation; before there is an epoch, those of the run before, pale, in the same place."""
    waiting = bool(shown.progress and shown.progress.active and not shown.records)
    source = session.last_shown() if waiting else shown
    epochs, changes = source.recipe.epochs, source.recipe.changes
    figures = [
        accuracy_figure.spec(series(source, "test_accuracy"), epochs, changes, ends(source, "last")),
        memorised_figure.spec(series(source, "flipped_given_accuracy"), epochs, changes, ends(source, "memorised")),
    ]
    if waiting:
        whose = f"{'the recorded run' if source.recorded else 'the run before'}, on {source.recipe.dataset.name}"
        first = f"The first epoch is being computed: {shown.progress.at:.0%} of it is done"
        words = shown.progress.message or (first if shown.progress.at else first.partition(":")[0])
        figures = [
            pale(figure, words.rstrip("."), f"Pale: {whose}, until the first epoch is done.") for figure in figures
        ]
    chart(*figures, key="train-curves")


def _more(shown: session.Shown) -> None:
    recipe = shown.recipe
    figures = [metric_figure.spec(series(shown, metric), recipe.epochs, metric, recipe.changes) for metric in MORE]
    chart(*figures[:2], key="train-more", legend=False)
    chart(*figures[2:], key="train-scale", legend=False)


def _status(shown: session.Shown) -> None:
    words = session.in_words(shown.recipe)
    if shown.recorded:
        then = f"with these settings ({shown.about}). Press Start to train your own."
        if shown.differs:
            then = f"with other settings than the controls: {_differing(shown)}."
        st.html(f'<div class="alf-run"><b>A recorded run</b> {then}<i style="--w:0%"></i><small>{words}</small></div>')
        return
    progress = shown.progress
    if progress.status != RunState.RUNNING:
        st.session_state.pop("train.pace", None)  # the time it stood still is none of its speed
    whose = "Your run" if progress.owner == session.owner() else "Somebody else’s run"
    if shown.differs:
        words += f". Its settings are not those of the controls and of the page’s link: {_differing(shown)}."
    st.html(
        f'<div class="alf-run"><b>{whose}:</b> {progress_in_words(shown)}<i style="--w:{progress.fraction:.1%}"></i>'
        f"<small>{words}</small></div>"
    )
    if progress.status == RunState.FAILED:
        st.error(progress.message)
    for note in (*progress.notes, *dict.fromkeys(progress.ended.values())):
        st.info(note)


def _differing(shown: session.Shown) -> str:
    """Which settings of a run differ from those of the controls, as a clause."""
    several = len(shown.differs) > 1 or shown.differs[0].endswith("s")
    listed = names(list(shown.differs)) if len(shown.differs) <= 3 else f"{len(shown.differs)} of them"
    return f"{listed} {'differ' if several else 'differs'}"


def _offer(shown: session.Shown, run: str | None) -> None:
    """The shown run's settings for the controls; under the table, so that nothing moves when a run begins."""
    what, about = ("recorded", f"Recorded: {shown.about}.") if shown.recorded else ("run’s", "")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(about, width="stretch")
        words, key = f"Use the {what} settings", "as-recorded" if shown.recorded else "as-run"
        arguments = (shown.recipe, None if shown.recorded else run)
        st.button(words, key=key, type="tertiary", on_click=_take_over, args=arguments)


def _take_over(recipe: Recipe, run: str | None) -> None:
    """Set the controls to a recipe; the run that is shown stays in sight."""
    for name, value in (recipe_fields.values_of(recipe) | {"run": run}).items():
        View.set(name, value)


def progress_in_words(shown: session.Shown) -> str:
    """How a run stands: "running, epoch 5 of 120, 62 s left for the run, 18 models at 3.1 epochs/s, ..."."""
    progress, recipe = shown.progress, shown.recipe
    if progress.status == RunState.PAUSED:
        return progress.message[:1].lower() + progress.message[1:].rstrip(".")
    status = "pausing …" if progress.pausing else word(progress.status)
    if progress.status == RunState.STOPPING:
        status = f"{word(progress.status)} …"
    if progress.status == RunState.QUEUED and progress.message:
        status = progress.message[:1].lower() + progress.message[1:].rstrip(".")
    parts = [status, _epoch(progress)]
    if progress.status == RunState.RUNNING:
        if progress.waiting:
            parts.append(
                f"{progress.waiting} of {len(recipe.lanes)} models {'waits' if progress.waiting == 1 else 'wait'} "
                "for a worker"
            )
        if (reached := _reached(shown)) > progress.epoch:
            parts.append(f"the epochs up to {reached} are computed again from the last checkpoint")
        parts.append(f"{left} for the run" if (left := session.time_left(progress.seconds_left)) else "")
        speed = session.pace(shown)
        models = len(recipe.lanes) - len(progress.ended)
        parts.append(f"{models} model{'s' if models > 1 else ''} at {rounded(speed, 2)} epochs/s" if speed else "")
        parts.append(
            f"learning rate now {recipe.lr_at(min(int(progress.at or progress.epoch) + 1, recipe.epochs)):.3g}"
        )
    elif not progress.active and progress.seconds:
        parts.append(f"{progress.seconds:.0f} s of training")
    return ", ".join(filter(None, parts))


def _reached(shown: session.Shown) -> int:
    """The epoch to which the curves of all models have come that have not ended early."""
    last: dict[int, int] = {}
    for record in shown.records:
        last[record["lane"]] = max(record["epoch"], last.get(record["lane"], 0))
    lanes = range(len(shown.recipe.lanes))
    return min((last.get(lane, 0) for lane in lanes if lane not in shown.progress.ended), default=0)


def _epoch(progress) -> str:
    """Where a run is: epochs that are done, or how much of a long one is."""
    done, share = divmod(progress.at or progress.epoch, 1)
    return f"epoch {done + (share > 0):.0f} of {progress.epochs}" + (
        f" ({share:.0%} of this epoch done)" if share else ""
    )


def series(shown: session.Shown, metric: str) -> list[Series]:
    """A metric of the run as one series for each of its losses, in the recipe's order and colours."""
    found = bands(shown.records, metric, shown.progress.ended if shown.progress else ())
    nothing = (np.array([]), np.array([]), np.array([]))
    return [
        Series(name.label, style, *found.get(loss.spec, nothing), name.short)
        for loss, name, style in named(map(parse, shown.recipe.losses))
    ]


def ends(shown: session.Shown, what: str) -> list[Result]:
    """An entry of the summary as each loss's result, in the recipe's order; losses that have none are left out."""
    rows = {row["loss"]: row for row in summarise(shown.records)}
    return [
        Result(name.short, row[what]["mean"], row[what]["std"], len(row["seeds"]))
        for loss, name, _ in named(map(parse, shown.recipe.losses))
        if (row := rows.get(loss.spec)) and row[what]
    ]


def results_table(shown: session.Shown) -> str:
    """Last and best accuracy and the share of wrong labels memorised, per loss; those that lead in bold."""
    ended = shown.progress.ended if shown.progress else {}
    rows = {row["loss"]: row for row in summarise(shown.records, ended)}
    results = ends(shown, "last")
    lead = {results[i].name for i in leaders(results)}
    lines = []
    for loss, label, style in named(map(parse, shown.recipe.losses)):
        found, memorised = rows.get(loss.spec), "…"
        if found is not None:
            memorised = over_seeds(found, "memorised") if found["memorised"] else "—"
        lines.append(table_row([swatch(style, loss), *accuracies(found, label.short in lead), memorised]))
    head = (
        f"<th>Loss</th><th>Accuracy at the last {term('epoch')}</th><th>{term('best', 'Best on the way')}</th>"
        f"<th>at epoch</th><th>Wrong labels {term('memorisation', 'memorised')}</th>"
    )
    return html_table(head, "".join(lines))
