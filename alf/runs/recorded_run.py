"""Recorded runs that ship with the project, so that no page is empty: real curves, made by the command below.

    python -m alf.runs.recorded_run digits

trains the classroom recipe (six losses, three seeds) on this machine and writes ``recorded/digits.json`` beside this
file, which says when, on what and with which versions it was made, and ``recorded/digits.safetensors``, what the models
did at the end, sample by sample. With ``mirror`` it trains the networks of the Mirror page under symmetric and pair
noise, and writes what they came to in ``recorded/mirror.json``.

>>> run = recorded("digits")
>>> run.recipe.epochs, len(run.records) == run.recipe.epochs * len(run.recipe.lanes)
(120, True)
>>> run.inspect(0).epoch
120
"""

import json
import sys
import time
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from alf.data import Arrays
from alf.errors import InputError
from alf.noise import noise_path, parse_noise
from alf.training.inspect import Inspection, inspect
from alf.training.recipe import Recipe
from alf.training.records import METRICS, Record, summarise

FOLDER = Path(__file__).parent / "recorded"
LISTED = ("digits",)
"""Those with whole curves, which can stand among a reader's own runs."""
NAMES = (*LISTED, "mirror")
AXES = 16
"""Principal axes of the features that are shipped; they hold nine tenths of the variance."""


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
    records: tuple[Record, ...] = field(repr=False)
    ended: dict[int, str]
    made: dict[str, Any]

    @property
    def summary(self) -> list[Record]:
        """Last and best accuracy per loss; see `alf.training.records.summarise`."""
        return summarise(self.records, self.ended)

    def part(self, recipe: Recipe) -> tuple[Record, ...] | None:
        """Return the records that a recipe would give, where its models are among the recorded ones; else None.

        A model does not depend on those trained beside it, so that they are what the recipe gives (on whatever device).

        >>> run = recorded("digits")
        >>> len(run.part(run.recipe.with_(losses=("mae", "ce"), seeds=(2,), device="auto")))
        240
        >>> run.part(run.recipe.with_(lr=0.5)) is None
        True
        """
        mine = self.recipe
        if recipe.with_(losses=mine.losses, noise=mine.noise, seeds=mine.seeds, device=mine.device) != mine:
            return None
        places = {lane: place for place, lane in enumerate(recipe.lanes)}
        if not places.keys() <= set(mine.lanes):
            return None
        found = [record for record in self.records if mine.lanes[record["lane"]] in places]
        found = [record | {"lane": places[mine.lanes[record["lane"]]]} for record in found]
        return tuple(sorted(found, key=lambda record: (record["epoch"], record["lane"])))

    def inspect(self, lane: int) -> Inspection | None:
        """Return what a lane's model did sample by sample after the last epoch; None when it had ended early."""
        return inspect(self.recipe, self._arrays, self._snapshot, lane)

    @cached_property
    def _arrays(self) -> Arrays:
        return self.recipe.load()

    @cached_property
    def _snapshot(self) -> dict[str, np.ndarray]:
        from safetensors.numpy import load_file

        return load_file(FOLDER / f"{self.name}.safetensors")


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
        columns = zip(*(columns[metric] for metric in METRICS), strict=True)
        for epoch, values in enumerate(columns, start=plain.get("first", 1)):
            record = {"run": f"recorded-{name}", "lane": lane, **recipe.lanes[lane]._asdict(), "epoch": epoch}
            records.append(record | dict(zip(METRICS, values, strict=True)))
    records.sort(key=lambda record: (record["epoch"], record["lane"]))
    ended = {int(lane): reason for lane, reason in plain["ended"].items()}
    return Recorded(name, recipe, tuple(records), ended, plain["made"])


def _recipe(name: str) -> Recipe:
    """What is trained for a recording."""
    from alf.training.recipes import MIRROR_LOSSES, classroom, mirror

    if name != "mirror":
        return classroom(name).with_(device="cpu")
    others = ("ngce:q=0.7", "agce:a=4,q=0.2", "ael:a=3.5")  # with which the Simplex and Train pages begin
    ways = [mirror((*MIRROR_LOSSES, *others), noise_path(parse_noise(kind, 3))) for kind in ("pair:1", "symmetric:1")]
    return ways[0].with_(noise=ways[0].noise + ways[1].noise, device="cpu")


def record(name: str) -> None:
    """Train the models of a recording and write it down."""
    import torch
    from safetensors.numpy import save_file

    from alf.training.snapshots import snapshot
    from alf.training.trainer import Trainer

    recipe = _recipe(name)
    first = recipe.epochs if name == "mirror" else 1
    trainer = Trainer(recipe, recipe.load())
    rows = [row for row in trainer.run() if row["epoch"] >= first]
    lanes: list[dict[str, list[float | None]]] = [{metric: [] for metric in METRICS} for _ in recipe.lanes]
    for row in rows:
        for metric in METRICS:
            value = row[metric]
            lanes[row["lane"]][metric].append(float(f"{value:.4g}") if isinstance(value, float) else value)
    threads = torch.get_num_threads()
    plain = {
        "recipe": recipe.to_dict(),
        "first": first,
        "made": {
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "command": f"python -m alf.runs.recorded_run {name}",
            "torch": torch.__version__,
            "device": f"CPU, {threads} thread{'s' * (threads != 1)}",
            "seconds": round(trainer.seconds, 1),
        },
        "ended": {str(lane): reason for lane, reason in trainer.ended.items()},
        "lanes": lanes,
    }
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(plain, separators=(",", ":")) + "\n")
    if name == "mirror":
        return
    shot = snapshot(trainer)
    shot |= {"features": shot["features"][..., :AXES].copy(), "variance": shot["variance"][:, :AXES].copy()}
    save_file(shot, FOLDER / f"{name}.safetensors")
    for row in summarise(rows, trainer.ended):
        print(f"{row['loss']:20} last {row['last']['mean']:.3f} ± {row['last']['std']:.3f}  ", end="")
        print(f"best {row['best']['mean']:.3f}  memorised {row['memorised']['mean']:.3f}")


if __name__ == "__main__":
    record(*sys.argv[1:])
