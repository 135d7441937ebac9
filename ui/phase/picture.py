"""A map as its figures take it: the numbers of every loss, the words of every cell, theory's line."""

from functools import lru_cache
from html import escape

import numpy as np

from alf.figures.phase_map import Heat, axis_name, edges
from alf.losses import parse
from alf.phase import Cell, Measure, Measured, PhaseMap
from alf.phase.theory import CellTheory, curve, of_cell
from alf.theory.verdict import Status
from ui.phase.fields import short_name
from ui.phase.shown import Shown


def heats(seen: Shown, measure: Measure) -> list[Heat]:
    """Every loss of the map with what was measured of it and what theory says."""
    return [_heat(seen, index, measure) for index in range(len(seen.phase.losses))]


def _heat(seen: Shown, loss: int, measure: Measure) -> Heat:
    phase = seen.phase
    size = len(phase.y), len(phase.x)
    mean, std = np.full(size, np.nan), np.full(size, np.nan)
    going, failed = np.zeros(size, bool), np.zeros(size, bool)
    words = [[""] * size[1] for _ in range(size[0])]
    state = None if seen.recording else seen.state
    for y in range(size[0]):
        for x in range(size[1]):
            cell = Cell(loss, x, y)
            one = seen.cells.get(cell)
            if one is not None and (middle := one.mean(measure.key)) is not None:
                mean[y, x], std[y, x] = middle, one.std(measure.key)
            if state is not None:
                going[y, x], failed[y, x] = cell in state.going, cell in state.failed
            words[y][x] = _words(seen, cell, measure)
    line, about = _line(seen, loss)
    return Heat(title_names(phase)[loss], mean, std, len(phase.recipe.seeds), words, going, failed, line, about)


def _words(seen: Shown, cell: Cell, measure: Measure) -> str:
    """`in_words`, worked out once where it will not change any more."""
    kept = _kept(seen.phase.key, measure.key, seen.recording is None)
    if cell in kept:
        return kept[cell]
    words = in_words(seen, cell, measure)
    if cell in seen.cells and (said := said_of(seen, cell)) is not None and said.status != Status.UNDECIDED:
        kept[cell] = words
    return words


@lru_cache(maxsize=32)
def _kept(phase: str, measure: str, own: bool) -> dict[Cell, str]:
    """What was said of the cells of a map for which measurement and theory have both come: it does not change."""
    return {}


@lru_cache(maxsize=64)
def names(phase: PhaseMap) -> list[str]:
    """The losses without what the axes change, each different from the others.

    >>> from ui.phase.fields import DEFAULT
    >>> names(DEFAULT)
    ['AGCE (q = 0.6)']
    """
    return [short_name(spec, (phase.x.kind, phase.y.kind)) for spec in phase.losses]


def title_names(phase: PhaseMap) -> list[str]:
    """The losses as titles have them: beside each other without their values, where they differ in more than these."""
    bare = [parse(spec).name for spec in phase.losses]
    return bare if len(bare) == len(set(bare)) > 1 else names(phase)


def said_of(seen: Shown, cell: Cell) -> CellTheory | None:
    """What theory says of a cell, as far as it was asked."""
    return of_cell(seen.phase, cell, seen.answers)


def in_words(seen: Shown, cell: Cell, measure: Measure) -> str:
    """A cell for the pointer: what it is, what was measured, what theory says."""
    phase, one = seen.phase, seen.cells.get(cell)
    state = None if seen.recording else seen.state
    lines = [f"<b>{escape(names(phase)[cell.loss])}</b>", escape(at(phase, cell))]
    if one is None:
        if state is not None and cell in state.failed:
            lines.append(escape(state.failed[cell]))
        else:
            lines.append("being trained" if state is not None and cell in state.going else "not measured yet")
        return "<br>".join(lines)
    seeds = f"{len(one.seeds)} seeds" if len(one.seeds) > 1 else "one seed"
    lines.append(f"{measure.name} {with_spread(one, measure)} ({seeds})")
    if one.ended:
        lines.append(f"{len(one.ended)} of {len(one.seeds)} networks diverged: their last epoch counts")
    if (said := said_of(seen, cell)) is not None:
        lines += theory_lines(said)
    return "<br>".join(lines)


def at(phase: PhaseMap, cell: Cell) -> str:
    """Where a cell lies.

    >>> from ui.phase.fields import DEFAULT
    >>> at(DEFAULT, Cell(0, 0, 3))
    'a = 0.05, symmetric noise rate = 0.3333'
    """
    kind, places = phase.recipe.noise[0].partition(":")[0], zip(phase.axes, (cell.x, cell.y), strict=True)
    return ", ".join(f"{axis_name(over.kind, kind)} = {over.values[i]:.4g}" for over, i in places)


def with_spread(one: Measured, measure: Measure) -> str:
    """A cell's number, with its deviation where it has several seeds.

    >>> with_spread(Measured((0, 1), {"last": (0.5, 0.6)}), Measure("last", "last accuracy", ""))
    '55.0% ± 5.0%'
    """
    mean, std = one.mean(measure.key), one.std(measure.key)
    if mean is None:
        return "—"
    mean, std = (f"{value:.1%}" if measure.share else f"{value:.3g}" for value in (mean, std))
    return f"{mean} ± {std}" if len(one.seeds) > 1 else mean


def theory_lines(said: CellTheory) -> list[str]:
    """What theory says of a cell, in a line or three."""
    lines = []
    if said.ratio is not None:
        margin = "" if said.margin is None else f", margin {said.margin - 1:+.2f}"
        lines.append(f"asymmetry ratio {said.ratio:.3f}{margin}")
    if said.critical is not None:
        lines.append(f"critical noise rate {said.critical:.3f} ({said.status})")
    words = {True: "in theory the loss tolerates this noise", False: "in theory the loss does not tolerate this noise"}
    lines.append(words.get(said.tolerated, "theory does not decide here"))
    return lines


def _line(seen: Shown, loss: int) -> tuple[tuple[np.ndarray, np.ndarray], str]:
    """Theory's line over the map of a loss, and the sentence about it."""
    phase = seen.phase
    found = curve(phase, loss, seen.answers)
    if found is None:
        return _border(seen, loss)
    values = np.array([value for value, _ in found.points], dtype=float)
    rates = np.array([np.nan if one is None or one.rate is None else one.rate for _, one in found.points], dtype=float)
    line = (values, rates) if found.rates == "y" else (rates, values)
    known = [one for _, one in found.points if one is not None and one.rate is not None]
    missing = sum(one is not None and one.rate is None for _, one in found.points)
    over = phase.x if found.rates == "y" else phase.y
    noise = phase.y if found.rates == "y" else phase.x
    parts = []
    if known:
        how = " or ".join(dict.fromkeys(str(one.status) for one in known))
        first, last = edges(noise)[[0, -1]]
        inside = np.any((rates >= first) & (rates <= last))
        side = "below it" if found.rates == "y" else "to the left of it"
        parts.append(f"Red line: theory’s critical noise rate ({how}); {side} the loss tolerates the noise.")
        if not inside:
            low, high = np.nanmin(rates), np.nanmax(rates)
            where = "above" if low > last else "below" if high < first else "beyond"
            shown = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
            parts[-1] = f"Theory’s critical noise rate ({how}) lies {where} this map: {shown}."
    if missing == len(values):
        parts.append("Theory does not decide for this loss: there is no line.")
    elif missing:
        which = f"{missing} of {len(values)} values of {axis_name(over.kind)}"
        parts.append(f"Where the line is missing ({which}) theory does not decide.")
    return line, " ".join(parts)


def _border(seen: Shown, loss: int) -> tuple[tuple[np.ndarray, np.ndarray], str]:
    """Where no axis is the noise: the border between the cells that tolerate it and those that do not, as steps."""
    phase, nothing = seen.phase, (np.array([]), np.array([]))
    cells = [[said_of(seen, Cell(loss, x, y)) for x in range(len(phase.x))] for y in range(len(phase.y))]
    holds = [[None if said is None else said.tolerated for said in row] for row in cells]
    flat = {value for row in holds for value in row}
    noise = phase.recipe.noise[0].replace(":", " noise ")
    if flat == {True} or flat == {False}:
        return (
            nothing,
            f"In theory the loss tolerates {noise} {'everywhere' if True in flat else 'nowhere'} on this map.",
        )
    if not {True, False} <= flat:
        return nothing, "" if seen.asking else f"Theory does not decide whether the loss tolerates {noise}."
    at_x, at_y = edges(phase.x), edges(phase.y)
    xs, ys = [], []
    for y, row in enumerate(holds):
        for x, one in enumerate(row):
            if x and {one, row[x - 1]} == {True, False}:
                xs += [at_x[x], at_x[x], np.nan]
                ys += [at_y[y], at_y[y + 1], np.nan]
            if y and {one, holds[y - 1][x]} == {True, False}:
                xs += [at_x[x], at_x[x + 1], np.nan]
                ys += [at_y[y], at_y[y], np.nan]
    about = f"Red line: the border between the cells whose loss tolerates {noise} in theory and the others."
    return (np.array(xs), np.array(ys)), about
