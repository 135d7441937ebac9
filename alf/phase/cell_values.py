"""What was measured of a cell: from epoch records to a number per seed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, pstdev
from typing import Any

from alf.phase.phase_map import Cell, PhaseMap
from alf.training.recipe import Lane
from alf.training.records import Record


@dataclass(frozen=True)
class Measure:
    """A quantity that a map can show.

    Attributes
    ----------
    key, name, about
        What people type, what they read, one sentence on what it is.
    share
        Whether it is a share, in [0, 1]; else a number of classes.
    """

    key: str
    name: str
    about: str
    share: bool = True


_ALL = (
    Measure("last", "last accuracy", "Accuracy on the clean test set after the last epoch."),
    Measure("drop", "best minus last", "How much of the accuracy of the best epoch is gone after the last one."),
    Measure("memorised", "memorised share", "Share of the flipped training samples that get the wrong label they had."),
    Measure("confidence", "confidence in the clean class", "Mean probability of the true class over the test set."),
    Measure("dead", "dead classes", "Number of classes that are not predicted once on the test set.", share=False),
)
MEASURES = {measure.key: measure for measure in _ALL}
"""The quantities, by key."""


@dataclass(frozen=True)
class Measured:
    """What a cell has come to.

    Attributes
    ----------
    seeds
        Its seeds.
    values
        By key of a measure, one number a seed; None where there is none: nothing was flipped, or the model diverged
        before the end of its first epoch.
    ended
        Seed -> why its model ended early; it counts with its last finished epoch.
    """

    seeds: tuple[int, ...]
    values: Mapping[str, tuple[float | None, ...]]
    ended: Mapping[int, str] = field(default_factory=dict)

    def known(self, measure: str) -> list[float]:
        """The numbers there are."""
        return [value for value in self.values[measure] if value is not None]

    def mean(self, measure: str) -> float | None:
        """The mean over the seeds; None where no seed has a number.

        >>> measured = Measured((0, 1), {"last": (0.5, 1.0), "memorised": (None, None)})
        >>> measured.mean("last"), measured.std("last"), measured.mean("memorised")
        (0.75, 0.25, None)
        """
        known = self.known(measure)
        return fmean(known) if known else None

    def std(self, measure: str) -> float | None:
        """The standard deviation over the seeds (divisor n)."""
        known = self.known(measure)
        return pstdev(known) if known else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` takes them back."""
        return {
            "seeds": list(self.seeds),
            "values": {measure: list(values) for measure, values in self.values.items()},
            "ended": {str(seed): reason for seed, reason in self.ended.items()},
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Measured":
        """Make it from JSON values.

        >>> one = Measured((0,), {"last": (0.5,)}, {0: "Diverged."})
        >>> Measured.from_dict(one.to_dict()) == one
        True
        """
        return cls(
            tuple(values["seeds"]),
            {measure: tuple(numbers) for measure, numbers in values["values"].items()},
            {int(seed): reason for seed, reason in values["ended"].items()},
        )


def measured(
    phase: PhaseMap, cells: Iterable[Cell], records: Iterable[Record], ended: Mapping[Lane, str]
) -> dict[Cell, Measured]:
    """What cells have come to.

    Parameters
    ----------
    phase
        The map.
    cells
        Cells whose models are among the records.
    records
        Epoch records (see `alf.training.records`), which name loss, noise and seed.
    ended
        Model -> why it ended early.
    """
    curves: defaultdict[Lane, list[Record]] = defaultdict(list)
    for record in records:
        curves[Lane(record["loss"], record["noise"], record["seed"])].append(record)
    found = {}
    for cell in cells:
        lanes = [Lane(phase.loss(cell), phase.noise(cell), seed) for seed in phase.recipe.seeds]
        numbers = [_numbers(curves.get(lane, ())) for lane in lanes]
        values = {measure: tuple(one[measure] for one in numbers) for measure in MEASURES}
        found[cell] = Measured(phase.recipe.seeds, values, {lane.seed: ended[lane] for lane in lanes if lane in ended})
    return found


def _numbers(curve: Sequence[Record]) -> dict[str, float | None]:
    """The measures of one model, from its records."""
    if not curve:
        return dict.fromkeys(MEASURES)
    last = max(curve, key=lambda record: record["epoch"])
    accuracy = last["test_accuracy"]
    return {
        "last": accuracy,
        "drop": max(record["test_accuracy"] for record in curve) - accuracy,
        "memorised": last["flipped_given_accuracy"],
        "confidence": last.get("confidence"),
        "dead": last.get("dead_classes"),
    }


def grid(phase: PhaseMap, cells: Mapping[Cell, Measured], loss: int, measure: str) -> list[list[float | None]]:
    """The means of one loss as rows of y with columns of x; None where nothing is known yet."""
    return [
        [cells[cell].mean(measure) if (cell := Cell(loss, x, y)) in cells else None for x in range(len(phase.x))]
        for y in range(len(phase.y))
    ]
