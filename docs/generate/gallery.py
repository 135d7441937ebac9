"""The gallery: every loss of the catalogue with its formula, curve, ratio and verdicts.

Verdicts are read from ``docs/verdicts.md``, which the engine writes and a test holds against it, so that building the
site proves nothing anew.
"""

from pathlib import Path

import numpy as np

from alf.figures.palette import style
from alf.losses import Declaration, Loss, catalogue

VERDICTS = Path(__file__).parents[1] / "verdicts.md"
WIDTH, HEIGHT, EDGE = 220, 130, 14
U = np.linspace(0.0, 1.0, 101)
WORDS = {"p": "proved", "c": "certified", "o": "observed", "r": "refuted", "u": "undecided"}


def page() -> str:
    """The page."""
    verdicts = _tables(VERDICTS.read_text())
    lines = [
        "# Gallery",
        "",
        "Every loss of the catalogue at the values its authors use (typical ones where there are none), K = 10.",
        "A curve goes over the probability of the label, from 0 to 1, the rest shared equally, from its least to its",
        "greatest value; an infinite loss leaves the picture at the top. What a verdict rests on is in",
        "[the table of all verdicts](verdicts.md).",
    ]
    for declaration in catalogue().values():
        lines += ["", *_entry(declaration, verdicts)]
    return "\n".join(lines) + "\n"


def _tables(text: str) -> dict[str, dict[str, str]]:
    """Every row of the document's tables by its loss: heading -> cell."""
    found: dict[str, dict[str, str]] = {}
    heads: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| loss"):
            heads = cells[1:]
        elif line.startswith("| `"):
            found.setdefault(cells[0].strip("`"), {}).update(zip(heads, cells[1:], strict=True))
    return found


def _entry(declaration: Declaration, verdicts: dict[str, dict[str, str]]) -> list[str]:
    lines = [f"## {declaration.name}", "", declaration.about, "", f"$$\n{declaration.latex()}\n$$", ""]
    for loss in declaration.configurations():
        row = dict(verdicts[loss.spec])
        ratio = row.pop("r")
        lines += ['<div class="alf-loss" markdown>', "", curve(loss), "", f"**`{loss.spec}`**", ""]
        lines += [f"- asymmetry ratio: {ratio if ratio != '-' else 'not defined'}"]
        lines += [f"- {name}: {_words(cell)}" for name, cell in row.items() if ":" not in name and cell != "-"]
        tolerated = [name for name, cell in row.items() if ":" in name and cell.startswith("yes")]
        lines += [f"- tolerates, of the grid: {', '.join(tolerated) or 'none'}", "", "</div>", ""]
    return [*lines, *([f"*{declaration.reference}*"] if declaration.reference else [])]


def _words(cell: str) -> str:
    word, _, letter = cell.partition(" ")
    return f"{word} ({WORDS[letter]})"


def curve(loss: Loss) -> str:
    """The loss over the probability of its label, as an SVG of one line.

    >>> from alf.losses import parse
    >>> curve(parse("mae")).count("<path")
    1
    """
    values = np.asarray(loss.value(U), float)
    finite = np.isfinite(values)
    low, high = values[finite].min(), values[finite].max()
    x = EDGE + U[finite] * (WIDTH - 2 * EDGE)
    y = HEIGHT - EDGE - (values[finite] - low) / ((high - low) or 1) * (HEIGHT - 2 * EDGE)
    points = "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f'<svg class="alf-curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{loss.label} over u">'
        f'<rect x="{EDGE}" y="{EDGE}" width="{WIDTH - 2 * EDGE}" height="{HEIGHT - 2 * EDGE}" class="alf-frame"/>'
        f'<path d="M{points}" fill="none" stroke="{style(loss.key).color}" stroke-width="2"/></svg>'
    )
