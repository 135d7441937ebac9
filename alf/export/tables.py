"""A table of what was measured here beside what was published, to take away: CSV, LaTeX, Markdown, JSON.

CSV has a line for each cell and published number, in full precision. LaTeX and Markdown have the losses as rows and the
noises as columns; what must be said beside the numbers is below them.
"""

import csv
import io
import re
import shlex
from collections.abc import Callable
from typing import Any

from alf.export.latex import escape
from alf.losses import parse
from alf.runs.reproduction import SPREADS, Cell, Outcome, Table
from alf.training.protocols import protocol_text
from alf.training.published import Method

COLUMNS = (
    *("data", "protocol", "method", "loss", "noise", "ours", "ours_std", "seeds", "epochs", "published"),
    *("published_std", "source", "difference", "outside_spread", "outcome", "publications_disagree", "remarks"),
)
OUTSIDE, PARTIAL, DISPUTED = "*", "†", "‡"
"""Marks: a difference beyond the spread, ours not by the published protocol, publications that disagree."""
MISSING = "–"


def csv_table(table: Table) -> str:
    """Write a table as CSV; no text in it begins as a formula of a spreadsheet does."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for cell in table.cells:
        writer.writerows({name: _safe(value) for name, value in line.items()} for line in _lines(table, cell))
    return stream.getvalue()


def _safe(value: object) -> object:
    """A value of a CSV cell: text that a spreadsheet would compute gets an apostrophe before it.

    >>> _safe("=1+1"), _safe("ce"), _safe(-0.5)
    ("'=1+1", 'ce', -0.5)
    """
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def _lines(table: Table, cell: Cell) -> list[dict[str, Any]]:
    """The lines of a cell: one for each published number, or one without."""
    ours = cell.ours
    mine: dict[str, Any] = {
        "data": table.protocol.data, "protocol": protocol_text(table.protocol), "method": cell.method.name,
        "loss": cell.method.loss, "noise": cell.noise, "publications_disagree": _yes(cell.disputed),
        "remarks": "; ".join(filter(None, (cell.method.note, *_published_with(cell.method), *cell.partial))),
    }  # fmt: skip
    if ours is not None:
        seeds = " ".join(map(str, ours.accuracies))
        mine |= {"ours": ours.mean, "ours_std": ours.spread, "seeds": seeds, "epochs": ours.epochs}
    lines = []
    for index, number in enumerate(cell.theirs):
        line = mine | {"published": number.mean, "published_std": number.spread, "source": number.source}
        if cell.comparisons:
            found = cell.comparisons[index]
            line |= {"difference": found.difference, "outside_spread": _yes(found.outside), "outcome": found.outcome}
        lines.append(line)
    return lines or [mine]


def _published_with(method: Method) -> list[str]:
    """What the protocol of a row's source has that no recipe here has, in words."""
    return [f"published with {method.differs}"] if method.differs else []


def _yes(value: bool | None) -> str | None:
    return None if value is None else "yes" if value else "no"


def markdown_table(table: Table) -> str:
    """Write a table as Markdown: in each cell ours, theirs and the difference."""
    heads = ["loss", *(noise.replace(":", " ") for noise in table.noises)]
    lines = [_row(heads), _row(["---", *["---:"] * len(table.noises)])]
    for method in table.methods:
        cells = [" / ".join(_parts(table, table.cell(method, noise), _plain)) for noise in table.noises]
        lines.append(_row([_plain(_named(method)), *cells]))
    return "\n".join([*lines, "", *(f"{_plain(line)}  " for line in remarks(table)), ""])


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\|*_`<])", r"\\\1", text)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def latex_table(table: Table) -> str:
    """Write a table as LaTeX without further packages, to be put into a paper."""
    lines = [
        r"\begin{table}\scriptsize",
        rf"\begin{{tabular}}{{l{'r' * len(table.noises)}}}",
        r"\hline",
        " & ".join(["loss", *(escape(noise.replace(":", " ")) for noise in table.noises)]) + r" \\",
        r"\hline",
    ]
    for method in table.methods:
        cells = [_stacked(_parts(table, table.cell(method, noise), _tex)) for noise in table.noises]
        lines.append(" & ".join([_tex(_named(method)), *cells]) + r" \\")
    caption = " ".join(map(_tex, remarks(table)))
    return "\n".join([*lines, r"\hline", r"\end{tabular}", rf"\caption{{{caption}}}", r"\end{table}", ""])


_IN_TEX = {"±": r"$\pm$", "−": "$-$", "†": r"\dag{}", "‡": r"\ddag{}", "–": "--", "√": r"$\surd$", "²": "$^2$"}


def _tex(text: str) -> str:
    r"""Text safe in LaTeX, with the signs of the tables.

    >>> print(_tex("−0.81* ± 0.3"))
    $-$0.81* $\pm$ 0.3
    """
    text = escape(text)
    for sign, command in _IN_TEX.items():
        text = text.replace(sign, command)
    return text


def _stacked(parts: list[str]) -> str:
    lines = r" \\ ".join(parts)
    return parts[0] if len(parts) == 1 else rf"\shortstack[r]{{{lines}}}"


def _named(method: Method) -> str:
    """A row's name: the loss with its hyperparameters, and what its source calls it where that is another name."""
    if method.loss is None:
        return method.name
    loss = parse(method.loss)
    return loss.label if loss.name == method.name else f"{loss.label}, published as {method.name}"


def _parts(table: Table, cell: Cell, written: Callable[[str], str]) -> list[str]:
    """What a cell says: ours, theirs, the differences, those of several publications in one order."""
    if cell.ours is None and not cell.theirs:
        return [written(MISSING)]
    parts = [written(ours_text(cell))]
    if cell.theirs:
        theirs = (f"{_spread(n.mean, n.spread)} [{table.sources.index(n.source) + 1}]" for n in cell.theirs)
        parts.append(written(", ".join(theirs) + (f" {DISPUTED}" if cell.disputed else "")))
    if cell.comparisons:
        parts.append(written(", ".join(difference_text(c.difference, c.outside) for c in cell.comparisons)))
    return parts


def ours_text(cell: Cell) -> str:
    """Ours in a cell: mean, deviation, seeds and epochs, and the mark of what is no reproduction."""
    if cell.ours is None:
        return MISSING
    ours, many = cell.ours, len(cell.ours.accuracies)
    how = f"({many} seed{'s' if many > 1 else ''}, {ours.epochs} epoch{'s' if ours.epochs > 1 else ''})"
    return f"{_spread(ours.mean, ours.spread)} {how}" + ("" if cell.comparable or not cell.theirs else f" {PARTIAL}")


def _spread(mean: float, spread: float | None) -> str:
    return f"{mean:.2f}" + ("" if spread is None else f" ± {spread:.2f}")


def difference_text(points: float, outside: bool | None) -> str:
    """A difference in points, with a mark where it is beyond the spread.

    >>> difference_text(-0.811, True), difference_text(0.2, None)
    ('−0.81*', '+0.20')
    """
    return f"{points:+.2f}".replace("-", "−") + (OUTSIDE if outside else "")


def remarks(table: Table) -> list[str]:
    """What must be said beside the numbers, a sentence each: how to read them, the protocol, sources, single rows."""
    said = [
        f"Test accuracy in % at the last epoch on {table.protocol.dataset.name}: ours, published, difference; "
        f"± is the standard deviation of single runs (divisor n - 1, as the sources have it).",
    ]
    marks = []
    if any(c.outside for cell in table.cells for c in cell.comparisons):
        marks.append(f"{OUTSIDE} further apart than {SPREADS:g} √(s² + t²), s and t the two deviations")
    if any(cell.ours and cell.theirs and not cell.comparable for cell in table.cells):
        marks.append(f"{PARTIAL} not the published experiment, so no reproduction")
    if any(cell.disputed for cell in table.cells):
        marks.append(f"{DISPUTED} the publications disagree")
    if marks:
        said.append("; ".join(marks) + ".")
    if table.departs and any(cell.ours for cell in table.cells):
        said.append(f"Ours departs from the published protocol: {'; '.join(table.departs)}.")
    more = {f"{_named(cell.method)}, {cell.noise.replace(':', ' ')}: {'; '.join(extra)}." for cell in table.cells
            if (extra := [why for why in cell.partial if why not in table.departs])}  # fmt: skip
    said += sorted(more)
    for method in table.methods:
        about = [text for text in (method.note, *_published_with(method)) if text]
        if about and any(cell.theirs for cell in table.cells if cell.method == method):
            said.append(f"{method.name}: {'; '.join(about)}.")
    return said + [f"[{index}] {source}." for index, source in enumerate(table.sources, 1)]


def counted(table: Table) -> dict[Outcome, int]:
    """How many comparisons came to what."""
    found = [c.outcome for cell in table.cells for c in cell.comparisons]
    return {outcome: found.count(outcome) for outcome in Outcome if outcome in found}


def json_table(table: Table) -> dict[str, Any]:
    """A table as plain values."""
    rows = []
    for method in table.methods:
        cells = [_json_cell(table.cell(method, noise)) for noise in table.noises]
        rows.append({"method": method.name, "loss": method.loss, "note": method.note or None, "cells": cells})
    return {
        "data": table.protocol.data,
        "protocol": protocol_text(table.protocol),
        "departs": list(table.departs),
        "seeds": list(table.seeds),
        "noises": list(table.noises),
        "rows": rows,
        "outcomes": counted(table),
        "sources": list(table.sources),
    }


def _json_cell(cell: Cell) -> dict[str, Any]:
    ours = cell.ours and {
        "mean": cell.ours.mean,
        "std": cell.ours.spread,
        "accuracies": {str(seed): value for seed, value in cell.ours.accuracies.items()},
        "epochs": cell.ours.epochs,
        "ended": list(cell.ours.ended),
    }
    theirs = []
    for index, number in enumerate(cell.theirs):
        found = cell.comparisons[index] if cell.comparisons else None
        theirs.append({
            "mean": number.mean, "std": number.spread, "source": number.source,
            "difference": found and found.difference, "outside_spread": found and found.outside,
            "outcome": found and found.outcome,
        })  # fmt: skip
    return {
        "noise": cell.noise, "ours": ours, "published": theirs, "publications_disagree": cell.disputed,
        "partial": list(cell.partial), "missing_seeds": list(cell.missing), "going_epoch": cell.going,
    }  # fmt: skip


def file_name(table: Table) -> str:
    """What the recipe of a table's missing cells is called as a file, without its ending."""
    return f"{table.protocol.data.replace(':', '-')}-table"


def commands(table: Table) -> str:
    """The commands that train a table's recipe on a machine with a GPU, or on a cluster, and then show the table."""
    name, data, text = file_name(table), table.protocol.data, protocol_text(table.protocol)
    fetch = [] if table.protocol.dataset.local else [f"python -m alf data fetch {data}"]
    noises = " ".join(f"--noise {shlex.quote(noise)}" for noise in table.noises)
    chosen = f"--protocol {shlex.quote(text)} --seeds {','.join(map(str, table.seeds))} {noises}"
    return "\n".join([
        *fetch,
        f"python -m alf sweep {name}.json > {name}.jsonl",
        f"ALF_SCHEDULER=tcp://SCHEDULER:8786 python -m alf sweep {name}.json > {name}.jsonl  # the same on a cluster",
        f"python -m alf tables --data {data} {chosen} --runs {name}.jsonl --format markdown",
    ])  # fmt: skip
