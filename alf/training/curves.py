"""The epoch records of one loss under one noise as arrays, model by model, as far as all of its models have come."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alf.training.records import Record

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curves:
    """The models of one loss and noise that have not ended early.

    Attributes
    ----------
    lanes
        Which models, in the order of the rows.
    epochs
        The epochs that all of them have a record of, in order.
    rows
        Those records, model by model.
    """

    lanes: tuple[int, ...]
    epochs: tuple[int, ...]
    rows: tuple[tuple[Record, ...], ...] = field(repr=False)

    def of(self, metric: str) -> Array | None:
        """A metric as (models, epochs); None where a record has none of it.

        >>> rows = [{"lane": lane, "epoch": e, "m": e / 4} for lane in (0, 1) for e in (1, 2)]
        >>> curves_of(rows).of("m").tolist(), curves_of(rows).of("n")
        ([[0.25, 0.5], [0.25, 0.5]], None)
        """
        values = [[row.get(metric) for row in rows] for rows in self.rows]
        if not self.epochs or any(value is None for row in values for value in row):
            return None
        return np.array(values, dtype=float)

    @property
    def accuracy(self) -> Array:
        """Accuracy on clean test samples, (models, epochs): every record has it."""
        found = self.of("test_accuracy")
        return np.empty((len(self.lanes), 0)) if found is None else found


def curves_of(records: Iterable[Record], ended: Collection[int] = ()) -> Curves:
    """Sort the records of one loss and noise by model and epoch; models that `ended` early are left out."""
    found: defaultdict[int, dict[int, Record]] = defaultdict(dict)
    for record in records:
        if record["lane"] not in ended:
            found[record["lane"]][record["epoch"]] = record
    lanes = sorted(found)
    shared = sorted(set.intersection(*(set(found[lane]) for lane in lanes))) if lanes else []
    return Curves(tuple(lanes), tuple(shared), tuple(tuple(found[lane][e] for e in shared) for lane in lanes))
