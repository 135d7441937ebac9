"""A run as it goes: what it is, how far it is, its curves, and what stands at the end."""

import numpy as np
import streamlit as st

from alf.figures.base import Series
from alf.figures.palette import styles
from alf.figures.training import accuracy_figure, bands, memorised_figure, metric_figure
from alf.losses import parse
from alf.training.records import summarise
from ui import lab
from ui.chart import chart
from ui.controls import swatch
from ui.glossary import term

EVERY = 0.7  # seconds between looks at the engine, while a run goes on
MORE = ("clean_accuracy", "flipped_true_accuracy", "train_loss", "grad_norm")
STATUS = {
    "queued": "waiting for a free worker",
    "running": "running",
    "stopping": "stopping",
    "stopped": "stopped",
    "finished": "finished",
    "failed": "failed",
}


def results(run: str | None, active: bool) -> None:
    """Everything about the run; looks again by itself while it is going on."""
    st.fragment(_results, run_every=EVERY if active else None, key="results-live")(run, active)


def _results(run: str | None, active: bool) -> None:
    shown, _ = lab.shown(run)
    _status(shown)
    curves = {metric: series(shown, metric) for metric in ("test_accuracy", "flipped_given_accuracy")}
    epochs = shown.recipe.epochs
    chart(
        accuracy_figure.spec(curves["test_accuracy"], epochs),
        memorised_figure.spec(curves["flipped_given_accuracy"], epochs),
        key="train-curves",
    )
    st.html(table(shown))
    with st.expander("More curves", key="more-curves"):
        figures = [metric_figure.spec(series(shown, metric), epochs, metric) for metric in MORE]
        chart(*figures[:2], key="train-more", legend=False)
        chart(*figures[2:], key="train-scale", legend=False)
    if active and not shown.progress.active:
        st.rerun()  # once more as a whole, so that the looking ends and Start comes back


def _status(shown: lab.Shown) -> None:
    words = lab.in_words(shown.recipe)
    if shown.recorded:
        st.html(
            f'<div class="alf-run"><b>A recorded run</b> ({shown.about}). Press Start to train your own.'
            f'<i style="--w:0%"></i><small>{words}</small></div>'
        )
        return
    progress = shown.progress
    left = lab.time_left(progress.seconds_left)
    said = f"{STATUS[progress.status]}, epoch {progress.epoch} of {progress.epochs}" + (f", {left}" if left else "")
    st.html(
        f'<div class="alf-run"><b>Your run</b> {said}<i style="--w:{progress.fraction:.1%}"></i>'
        f"<small>{words}</small></div>"
    )
    if progress.status == "failed":
        st.error(progress.message)
    for note in (*progress.notes, *dict.fromkeys(progress.ended.values())):
        st.info(note)


def series(shown: lab.Shown, metric: str) -> list[Series]:
    """A metric of the run as one series for each of its losses, in the recipe's order and colours."""
    found = bands(shown.records, metric, shown.progress.ended if shown.progress else ())
    losses = [parse(spec) for spec in shown.recipe.losses]
    names = [loss.name for loss in losses]
    nothing = (np.array([]), np.array([]), np.array([]))
    result = []
    for loss, style in zip(losses, styles(loss.key for loss in losses), strict=True):
        x, mean, spread = found.get(loss.spec, nothing)
        short = loss.name if names.count(loss.name) == 1 else loss.label
        result.append(Series(loss.label, style, x, mean, spread, short))
    return result


def table(shown: lab.Shown) -> str:
    """Last and best accuracy and the share of wrong labels memorised, per loss; the best last one in bold."""
    ended = shown.progress.ended if shown.progress else {}
    rows = {row["loss"]: row for row in summarise(shown.records, ended)}
    losses = [parse(spec) for spec in shown.recipe.losses]
    best = max((row["last"]["mean"] for row in rows.values()), default=None)
    lines = []
    for loss, style in zip(losses, styles(loss.key for loss in losses), strict=True):
        row = rows.get(loss.spec)
        values = loss.label.removeprefix(loss.name).strip(" ()")
        name = swatch(style, f"{loss.name}<small>{values}</small>")
        if row is None:
            cells = ["…", "…", "…", "…"]
        else:
            last = _share(row["last"])
            cells = [
                f"<b>{last}</b>" if row["last"]["mean"] == best else last,
                _share(row["best"]),
                f"{np.mean(row['best_epochs']):.0f}",
                _share(row["memorised"]) if row["memorised"] else "—",
            ]
        lines.append(f"<tr><td>{name}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = (
        f"<th>Loss</th><th>Accuracy at the last {term('epoch')}</th><th>{term('best', 'Best on the way')}</th>"
        f"<th>at epoch</th><th>Wrong labels {term('memorisation', 'memorised')}</th>"
    )
    return (
        f'<div class="alf-scroll"><table class="alf-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _share(value: dict) -> str:
    return f"{value['mean']:.1%}<small> ± {100 * value['std']:.1f}</small>"
