"""The parts of the Runs page: the list, what one can do to a run, and runs beside each other."""

import time
from dataclasses import dataclass
from html import escape

import streamlit as st

from alf.figures.headline import Result, leaders
from alf.figures.runs import MOST, Curves, Mark, compare_figure, curves, loss_styles
from alf.losses import parse
from alf.runs.recorded_run import LISTED, recorded
from alf.training.published import departures, published
from alf.training.recipe import Recipe
from alf.training.records import summarise
from alf.training.states import RunState
from ui.charts.chart import chart
from ui.controls.losses import swatch
from ui.state import recipe_fields
from ui.state.link import Field, encode, losses, token
from ui.training import session
from ui.words import key_figures
from ui.words.glossary import term
from ui.words.markdown import literal
from ui.words.statuses import COLOURS, word

RECORDED = "recorded-"


LONGEST_LEGEND = 8  # more curves than this are named by the table alone


@dataclass(frozen=True)
class Run:
    """A run as this page shows it.

    `mine` says whether this reader may change it; `records` are the last ones in a list, all in a comparison.
    """

    id: str
    title: str
    recipe: Recipe
    records: tuple[dict, ...]
    status: str
    message: str | None
    notes: tuple[str, ...]
    ended: dict[int, str]
    epoch: int
    created: float | None
    mine: bool
    active: bool
    kept_until: float | None

    @property
    def is_recorded(self) -> bool:
        """Whether it came with the project."""
        return self.id.startswith(RECORDED)


def tokens(name: str) -> Field:
    """Up to `MOST` identifiers, none twice; the name is repeated in the URL."""
    one = token(name)

    def read(texts, values):
        found = list(dict.fromkeys(one.read([text], values)[0] for text in texts))
        said = [f"at most {MOST} runs fit one view, got {len(found)}; the first ones are shown"]
        return tuple(found[:MOST]), said if len(found) > MOST else []

    return Field(name, (), read, list)


def stored_run(progress, records) -> Run:
    """A run of the store."""
    return Run(
        progress.run, progress.name or title(progress.recipe), progress.recipe, tuple(records), progress.status,
        progress.message if progress.status in (RunState.FAILED, RunState.QUEUED) else None,
        progress.notes, progress.ended,
        progress.epoch, progress.created, progress.owner == session.owner(), progress.active,
        session.engine().kept_until(progress),
    )  # fmt: skip


def recorded_run(name: str) -> Run:
    """A run that came with the project."""
    run = recorded(name)
    return Run(
        RECORDED + name, f"A recorded run of {run.recipe.dataset.name.lower()}", run.recipe, run.records,
        RunState.FINISHED, None, (f"Made on {run.made['date']}, {run.made['device']}.",), run.ended, run.recipe.epochs,
        None, False, False, None,
    )  # fmt: skip


def find(run: str) -> Run:
    """The run with this id and all its records.

    Raises
    ------
    InputError
        No such run.
    """
    if run.removeprefix(RECORDED) in LISTED and run.startswith(RECORDED):
        return recorded_run(run.removeprefix(RECORDED))
    return stored_run(session.engine().progress(run), session.engine().curves(run))


def title(recipe: Recipe) -> str:
    """What a run without a name is called."""
    noise = " and ".join(spec.replace(":", " ") if len(spec) < 30 else "a matrix" for spec in recipe.noise[:2])
    more = f" and {len(recipe.noise) - 2} more" if len(recipe.noise) > 2 else ""
    return (
        f"{recipe.dataset.name}, {noise}{more}" if recipe.noise != ("none",) else f"{recipe.dataset.name}, right labels"
    )


def ago(when: float, now: float | None = None) -> str:
    """How long ago, as precise as anybody wants to know.

    >>> ago(0, 30), ago(0, 200), ago(0, 8000), ago(0, 200_000), ago(0, 10_000_000)
    ('just now', '3 min ago', '2 h ago', '2 days ago', '1970-01-01')
    """
    seconds = (time.time() if now is None else now) - when
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min ago"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.0f} h ago"
    return f"{seconds / 86400:.0f} days ago" if seconds < 30 * 86400 else time.strftime("%Y-%m-%d", time.gmtime(when))


def row(run: Run) -> str:
    """A run in the list: its name and state, what it was, and how far each loss has come."""
    last = {(r["loss"], r["noise"]): r for r in summarise(run.records, run.ended)} if run.records else {}
    ends = []
    for spec, style in loss_styles([run.recipe]).items():
        loss, noise = parse(spec), run.recipe.noise[0]
        found = last.get((spec, noise))
        end = f"{found['last']['mean']:.0%}" if found else "…"
        ends.append(swatch(style, loss, end, f"{loss.label}, accuracy at its last epoch"))
    when = "" if run.created is None else f" · <time>{ago(run.created)}</time>"
    said = f'<p class="alf-why">{escape(run.message)}</p>' if run.message and run.status == RunState.FAILED else ""
    return (
        f'<div class="alf-row"><div class="alf-row-head"><b>{escape(run.title)}</b>{state(run)}</div>'
        f"<small>{escape(session.in_words(run.recipe))}{when}</small>{said}"
        f'<div class="alf-ends">{"".join(ends)}</div></div>'
    )


def state(run: Run) -> str:
    """A run's state as a chip."""
    light, dark = COLOURS[run.status]
    at = f", epoch {run.epoch} of {run.recipe.epochs}" if run.status not in (RunState.FINISHED, RunState.QUEUED) else ""
    said = "recorded" if run.is_recorded else word(run.status)
    return f'<span class="alf-chip" style="--c:{light};--d:{dark}">{said}{at}</span>'


def compare(runs: list[Run]) -> None:
    """The curves of the runs in one figure, and what they came to in one table."""
    shown = _curves(runs)
    legend = sum(len(group.series) for group in shown) <= LONGEST_LEGEND
    chart(compare_figure.spec(shown, marks(runs)), key="runs-curves", legend=legend)
    st.html(table(runs))
    if said := notes(runs):
        st.caption("\n\n".join(said))


def _curves(runs: list[Run]) -> list[Curves]:
    named = zip(names(runs), runs, strict=True)
    return curves([(name, run.recipe, run.records, run.ended, run.active) for name, run in named])


def names(runs: list[Run]) -> list[str]:
    """A name for each run; what tells runs of one title apart is said with it."""
    result = []
    for run in runs:
        twins = [other.recipe for other in runs if other.title == run.title]
        differ = next((f for f in _TELLING if len({getattr(recipe, f) for recipe in twins}) == len(twins)), None)
        if len(twins) > 1 and differ:
            result.append(f"{run.title}, {_TELLING[differ]} {getattr(run.recipe, differ)}")
        else:
            number = [other.id for other in runs if other.title == run.title].index(run.id) + 1
            result.append(f"{run.title} ({number})" if len(twins) > 1 else run.title)
    return result


_TELLING = {"lr": "learning rate", "epochs": "epochs", "network": "network", "samples": "samples", "batch": "batch"}


def marks(runs: list[Run]) -> list[Mark]:
    """The published numbers that belong to the runs, each once, at the end of the runs' curves."""
    chosen, found = loss_styles([run.recipe for run in runs]), {}
    for run in runs:
        for spec in run.recipe.losses:
            for noise in run.recipe.noise:
                for number in published(run.recipe.data, spec, noise):
                    label = f"{number.method.name} as published, {noise.replace(':', ' ')}: {number.source}"
                    spread = None if number.spread is None else number.spread / 100
                    at = run.epoch or run.recipe.epochs
                    found[number] = Mark(label, chosen[spec], at, number.mean / 100, spread)
    return list(found.values())


def table(runs: list[Run]) -> str:
    """Last and best accuracy per run, noise and loss; beside published numbers where there are any."""
    groups = _curves(runs)
    lines, with_published, at = [], False, iter(groups)
    for run in runs:
        rows = {(r["loss"], r["noise"]): r for r in summarise(run.records, run.ended)}
        for noise in run.recipe.noise:
            group = next(at)
            for spec, series in zip(run.recipe.losses, group.series, strict=True):
                numbers = published(run.recipe.data, spec, noise)
                with_published = with_published or bool(numbers)
                lines.append((series.style, parse(spec), group.name, rows.get((spec, noise)), numbers))
    many = len(groups) > 1
    there = [line[3] for line in lines if line[3]]
    lead = leaders([Result("", row["last"]["mean"], row["last"]["std"], len(row["seeds"])) for row in there])
    bold = [there[i] for i in lead]
    body = "".join(_line(*line, many, with_published, any(line[3] is row for row in bold)) for line in lines)
    heads = ["Loss"] + ["Run"] * many + [
        f"Accuracy at the last {term('epoch')}", f"{term('best', 'Best on the way')}", "at epoch"
    ] + ["Published", "Difference (points)"] * with_published  # fmt: skip
    head = "".join(f'<th class="alf-left">{name}</th>' if name == "Run" else f"<th>{name}</th>" for name in heads)
    return key_figures.html_table(head, body)


def _line(style, loss, name, found, numbers, many: bool, with_published: bool, leads: bool) -> str:
    cells = [swatch(style, loss), *[f'<span class="alf-of">{escape(name)}</span>'] * many]
    cells += key_figures.accuracies(found, leads)
    if with_published:
        cells.append("<br>".join(map(key_figures.as_published, numbers)) or "—")
        apart = [] if found is None else [100 * found["last"]["mean"] - number.mean for number in numbers]
        cells.append("<br>".join(f"{points:+.1f}".replace("-", "−") for points in apart) or "—")
    return key_figures.table_row(cells)


def notes(runs: list[Run]) -> list[str]:
    """What must be said beside the numbers: their sources, and where the protocols differ."""
    found = []
    for run in runs:
        numbers = [n for spec in run.recipe.losses for noise in run.recipe.noise
                   for n in published(run.recipe.data, spec, noise)]  # fmt: skip
        if not numbers:
            continue
        differs = departures(run.recipe)
        how = (
            f"another protocol, so the numbers cannot be compared directly ({'; '.join(differs)})"
            if differs
            else "the same protocol"
        )
        found.append(f"**{literal(run.title)}** and its published numbers: {how}.")
        found += [
            f"{literal(method.name)} was published with {method.differs}, which no recipe here has."
            for method in dict.fromkeys(n.method for n in numbers)
            if method.differs
        ]
        found += [f"Published: {source}." for source in dict.fromkeys(n.source for n in numbers)]
    return list(dict.fromkeys(found))


def train_link(recipe: Recipe) -> dict[str, list[str]]:
    """The parameters of a link to Train whose controls hold a recipe."""
    written = encode(recipe_fields.fields(losses()), recipe_fields.values_of(recipe))
    return {name: texts for name, texts in written.items() if name != "recipe"}  # the reader's own kind may stay
