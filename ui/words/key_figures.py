"""Numbers on a page: a row of them, each with a word or two below it, and tables."""

from collections.abc import Iterable, Sequence

from alf.figures.matrix import dominance
from alf.noise import Noise
from alf.numbers import percent, rounded
from alf.training.published import Published
from ui.words.glossary import term


def key_figures(rows: Sequence[tuple[str, str]]) -> str:
    """The (number, words) pairs in HTML."""
    return (
        '<div class="alf-figures">' + "".join(f"<p><b>{n}</b><span>{words}</span></p>" for n, words in rows) + "</div>"
    )


def rates(noise: Noise) -> list[tuple[str, str]]:
    """The nominal rate, where there is one, and the share of wrong labels to be expected."""
    rows = []
    if noise.rate is not None:
        rows.append((percent(noise.rate), term("nominal rate")))
    elif noise.kind == "matrix":
        rows.append(("—", term("no nominal rate", "nominal rate")))
    if noise.overall_rate is not None:
        rows.append((percent(noise.overall_rate), term("overall rate", "expected over all classes")))
    return rows


def dominates(noise: Noise) -> list[tuple[str, str]]:
    """Whether the clean label dominates, and by how much in the weakest row.

    >>> from alf.noise import parse_noise
    >>> dominates(parse_noise("pair:0.4", 3))[1][0]
    '1.5'
    """
    if noise.transition is None:
        return []
    return [
        ("yes" if noise.clean_dominates else "no", term("clean label dominates")),
        (rounded(dominance(noise.transition).min()), "smallest wₘ/wₙ of a row"),
    ]


def html_table(head: str, body: str, look: str = "") -> str:
    """A table in HTML that scrolls where it is too wide: the cells of its head, and its rows."""
    return (
        f'<div class="alf-scroll"><table class="{f"alf-table {look}".strip()}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def table_row(cells: Iterable[str]) -> str:
    """A row of a table in HTML."""
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def accuracies(found: dict | None, leads: bool) -> list[str]:
    """The cells of an entry of `alf.training.records.summarise`: the last accuracy, the best one, and its epoch."""
    if found is None:
        return ["…", "…", "…"]
    last = over_seeds(found, "last")
    return [f"<b>{last}</b>" if leads else last, over_seeds(found, "best"), str(found["best_epoch"])]


def as_published(number: Published) -> str:
    """A published number in HTML, with its deviation where that is known."""
    return f"{number.mean:.2f}%" + ("" if number.spread is None else f"<small> ± {number.spread:.2f}</small>")


def over_seeds(row: dict, what: str) -> str:
    """An entry of `alf.training.records.summarise` in HTML: the mean, and the deviation where there are several seeds.

    >>> over_seeds({"seeds": [0], "last": {"mean": 0.5, "std": 0.0}}, "last")
    '50.0%'
    """
    value = row[what]
    spread = f"<small> ± {100 * value['std']:.1f}</small>" if len(row["seeds"]) > 1 else ""
    return f"{value['mean']:.1%}{spread}"
