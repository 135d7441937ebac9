"""The table of published numbers in HTML: in each cell what was measured here, what was printed, the difference."""

from html import escape

from alf.export import tables as written
from alf.losses import parse
from alf.runs.reproduction import Cell, Outcome, Table
from alf.training.published import Method
from ui.words import key_figures
from ui.words.glossary import term


def column_name(spec: str) -> str:
    """A noise as the head of a column.

    >>> column_name("none"), column_name("symmetric:0.4")
    ('clean', 'symmetric 0.4')
    """
    return "clean" if spec == "none" else spec.replace(":", " ") if len(spec) < 30 else "a matrix"


def summary(made: Table) -> str:
    """What the comparisons came to, in HTML."""
    trainable = [cell for cell in made.cells if cell.method.loss]
    measured = sum(cell.ours is not None for cell in trainable)
    words = {
        Outcome.REPRODUCED: term("reproduced"),
        Outcome.DIFFERENT: term("not reproduced"),
        Outcome.UNKNOWN: "cannot be judged: the source gives no spread",
        Outcome.PARTIAL: "not the published experiment, so not judged",
    }
    counts = [(str(count), words[outcome]) for outcome, count in written.counted(made).items()]
    return key_figures.key_figures([(f"{measured} of {len(trainable)}", "cells measured here"), *counts])


def html_of(made: Table) -> str:
    """The table in HTML: in each cell ours, theirs and the difference."""
    heads = "".join(f"<th>{escape(column_name(noise))}</th>" for noise in made.noises)
    lines = []
    for method in made.methods:
        cells = [cell_html(made, made.cell(method, noise)) for noise in made.noises]
        lines.append(key_figures.table_row([_name(method), *cells]))
    return key_figures.html_table(f"<th>Loss</th>{heads}", "".join(lines), "alf-reproduction")


def _name(method: Method) -> str:
    loss = None if method.loss is None else parse(method.loss)
    label = "not in the catalogue" if loss is None else loss.label.removeprefix(loss.name).strip(" ()")
    also = "" if loss is None or loss.name == method.name else f"; published as {method.name}"
    name = method.name if loss is None else loss.name
    return f'<div class="alf-name">{escape(name)}<small>{escape(label + also)}</small></div>'


def cell_html(made: Table, cell: Cell) -> str:
    """One cell in HTML."""
    parts = []
    if cell.ours is not None:
        ours = cell.ours
        seeds = f"{len(ours.accuracies)} seed{'s' if len(ours.accuracies) > 1 else ''}"
        mark = "" if cell.comparable or not cell.theirs else f" {written.PARTIAL}"
        spread = "" if ours.spread is None else f"<small> ± {ours.spread:.2f}</small>"
        parts.append(f"<b>{ours.mean:.2f}{spread}</b>{mark}<small>{seeds}, {ours.epochs} epochs</small>")
    elif cell.going is not None:
        parts.append(f"<small>epoch {cell.going} of {made.protocol.epochs}</small>")
    elif cell.method.loss is not None:
        parts.append("–")
    for index, theirs in enumerate(cell.theirs):
        source = made.sources.index(theirs.source) + 1
        spread = "" if theirs.spread is None else f" ± {theirs.spread:.2f}"
        parts.append(f'<span title="{escape(theirs.source)}">{theirs.mean:.2f}{spread}<sup>{source}</sup></span>')
        if cell.comparisons:
            found = cell.comparisons[index]
            look = {Outcome.REPRODUCED: "alf-same", Outcome.DIFFERENT: "alf-apart"}.get(found.outcome, "")
            parts.append(f'<i class="{look}">{written.difference_text(found.difference, found.outside)}</i>')
    if cell.disputed:
        parts.append(f"<small>{written.DISPUTED} sources disagree</small>")
    return f'<div class="alf-cell">{"".join(f"<p>{part}</p>" for part in parts) or "–"}</div>'
