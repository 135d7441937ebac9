"""Recorded maps that ship with the project, so that no page is empty: real networks, trained by the command below.

    python -m alf.phase.recorded_map digits

computes the map with the engine (so it may be stopped, goes on where it was, and uses a cluster where ALF_SCHEDULER
names one) and writes ``recorded/digits.json`` beside this file, which says when, on what, with which versions and how
it was made.

>>> found = recorded_map("digits")
>>> len(found.cells) == len(found.phase.cells), sorted(found.made)
(True, ['command', 'date', 'device', 'seconds', 'versions'])
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from alf.errors import InputError
from alf.phase.cell_values import MEASURES, Measured
from alf.phase.phase_map import Cell, PhaseMap
from alf.phase.recipes import default_map, headline_map
from alf.phase.theory import Critical, Question, questions

FOLDER = Path(__file__).parent / "recorded"
MAPS: dict[str, Callable[[], PhaseMap]] = {"digits": default_map, "headline": headline_map}
"""What is recorded, by name."""
DIGITS = 4
"""Digits that are kept of a measured value."""


@dataclass(frozen=True)
class RecordedMap:
    """A recorded map.

    Attributes
    ----------
    name, phase
        Which one.
    cells, answers
        What was measured, and what theory says of it (see `alf.phase.theory`).
    made
        When, on what, with which versions, by which command; `seconds` is the time of training, summed over workers.
    """

    name: str
    phase: PhaseMap
    cells: Mapping[Cell, Measured] = field(repr=False)
    answers: Mapping[Question, Critical] = field(repr=False)
    made: Mapping[str, Any]


@cache
def recorded_map(name: str) -> RecordedMap:
    """Read a recorded map.

    Raises
    ------
    InputError
        No such recording.
    """
    if name not in MAPS:
        raise InputError(f"recorded map: must be one of {', '.join(MAPS)}, got {str(name)[:60]}")
    plain = json.loads((FOLDER / f"{name}.json").read_text())
    phase = PhaseMap.from_dict(plain["map"])
    seeds = phase.recipe.seeds
    columns = [plain["values"][measure] for measure in MEASURES]
    cells = {}
    for place, cell in enumerate(phase.cells):
        values = {measure: tuple(column[place]) for measure, column in zip(MEASURES, columns, strict=True)}
        ended = {int(seed): why for seed, why in plain["ended"].get(str(place), {}).items()}
        cells[cell] = Measured(seeds, values, ended)
    answers = {Question(*asked): Critical.from_dict(found) for asked, found in plain["theory"]}
    return RecordedMap(name, phase, cells, answers, plain["made"])


def record(name: str) -> None:
    """Compute a map and write it down."""
    import torch

    from alf import __version__
    from alf.phase.report import READER, report
    from alf.phase.sweep import Sweep
    from alf.phase.theory import asked_of, settled
    from alf.runs import engine
    from alf.theory.asking.prover import Prover
    from alf.training.devices import choose

    if name not in MAPS:
        raise InputError(f"recorded map: must be one of {', '.join(MAPS)}, got {name[:60]}")
    phase = MAPS[name]()
    with Prover() as prover:
        asked = asked_of(prover, questions(phase))
        done = 0
        for done, row in enumerate(report(phase, engine(), prover), start=1):
            if "loss" in row:
                print(f"\r{done} of {len(phase.cells)} cells", end="", file=sys.stderr, flush=True)
        answers = {one: settled(found) for one, found in asked.items()}
    sweep = Sweep(phase, engine(), READER)
    while (state := sweep.look()).active:  # a look reads so much at a time
        pass
    cells = state.cells
    if len(cells) < len(phase.cells):
        raise SystemExit(f"\n{len(cells)} of {len(phase.cells)} cells are measured. {state.message or ''}")
    made = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "command": f"python -m alf.phase.recorded_map {name}",
        "versions": {"alf": __version__, "torch": torch.__version__},
        "device": choose(phase.recipe.device)[0],
        "seconds": round(sum(part.seconds for part in engine().store.shares(sweep.owner)), 1),
    }
    plain = {
        "map": phase.to_dict(),
        "made": made,
        "values": {
            measure: [[_short(value) for value in cells[cell].values[measure]] for cell in phase.cells]
            for measure in MEASURES
        },
        "ended": {
            str(place): {str(seed): why for seed, why in cells[cell].ended.items()}
            for place, cell in enumerate(phase.cells)
            if cells[cell].ended
        },
        "theory": [[list(one), found.to_dict()] for one, found in answers.items()],
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(plain, separators=(",", ":")) + "\n")


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{DIGITS}g}")


if __name__ == "__main__":
    record(sys.argv[1])
