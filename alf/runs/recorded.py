"""Recorded runs that ship with the project, so that no page is empty: real curves, made by the command below.

    python -m alf.runs.recorded digits

trains the classroom recipe (six losses, three seeds) on this machine and writes ``recorded/digits.json`` beside this
file. It says when, on what and with which versions it was made.

>>> run = recorded("digits")
>>> run.recipe.epochs, len(run.records) == run.recipe.epochs * len(run.recipe.lanes)
(120, True)
"""

import json
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from alf.errors import InputError
from alf.training.recipe import Recipe
from alf.training.records import METRICS, summarise

FOLDER = Path(__file__).parent / "recorded"
NAMES = ("digits",)


@dataclass(frozen=True)
class Recorded:
    """A recorded run.

    Attributes
    ----------
    name
        Which recording; ``run`` in its records is ``recorded-NAME``.
    recipe
        What was trained.
    records
        Epoch records as an engine gives them, by epoch, then lane.
    ended
        Lane index -> why it ended early.
    made
        When, on what, with which versions, in how many seconds.
    """

    name: str
    recipe: Recipe
    records: tuple[dict, ...] = field(repr=False)
    ended: dict[int, str]
    made: dict

    @property
    def summary(self) -> list[dict]:
        """Last and best accuracy per loss; see `alf.training.records.summarise`."""
        return summarise(self.records, self.ended)


@cache
def recorded(name: str) -> Recorded:
    """Read a recorded run.

    Raises
    ------
    InputError
        No such recording.
    """
    if name not in NAMES:
        raise InputError(f"recorded run: must be one of {', '.join(NAMES)}, got {str(name)[:60]}")
    plain = json.loads((FOLDER / f"{name}.json").read_text())
    recipe = Recipe.from_dict(plain["recipe"])
    records = []
    for lane, columns in enumerate(plain["lanes"]):
        for epoch, values in enumerate(zip(*(columns[metric] for metric in METRICS), strict=True), start=1):
            record = {"run": f"recorded-{name}", "lane": lane, **recipe.lanes[lane]._asdict(), "epoch": epoch}
            records.append(record | dict(zip(METRICS, values, strict=True)))
    records.sort(key=lambda record: (record["epoch"], record["lane"]))
    ended = {int(lane): reason for lane, reason in plain["ended"].items()}
    return Recorded(name, recipe, tuple(records), ended, plain["made"])


def record(name: str) -> None:
    """Train the classroom recipe of a data set and write it down."""
    import torch

    from alf.training import classroom, run

    recipe = classroom(name).with_(device="cpu")
    *rows, summary = run(recipe)
    lanes = [{metric: [] for metric in METRICS} for _ in recipe.lanes]
    for row in rows:
        for metric in METRICS:
            value = row[metric]
            lanes[row["lane"]][metric].append(value if value is None else float(f"{value:.4g}"))
    index = {tuple(lane): i for i, lane in enumerate(recipe.lanes)}
    plain = {
        "recipe": recipe.to_dict(),
        "made": {
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "command": f"python -m alf.runs.recorded {name}",
            "torch": torch.__version__,
            "device": f"CPU, {torch.get_num_threads()} threads",
            "seconds": round(summary["seconds"], 1),
        },
        "ended": {str(index[row["loss"], row["noise"], row["seed"]]): row["reason"] for row in summary["ended"]},
        "lanes": lanes,
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(plain, separators=(",", ":")) + "\n")
    for row in summary["losses"]:
        print(f"{row['loss']:20} last {row['last']['mean']:.3f} ± {row['last']['std']:.3f}  ", end="")
        print(f"best {row['best']['mean']:.3f}  memorised {row['memorised']['mean']:.3f}")


if __name__ == "__main__":
    record(*sys.argv[1:])
