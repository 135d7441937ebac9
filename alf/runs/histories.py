"""The records of results that somebody is watching, read once for all who watch.

A page looks at a run every second. What it has seen is kept here for the whole server, so that a look reads only what
is new and thirty readers of one run have its records in memory once. How much is kept has a limit, whoever comes.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from alf.runs.store import Store
from alf.training.records import Record

MOST = 150_000
"""Records kept in all, about 90 MB: seventy runs of the lesson's size, or two of the largest that are allowed."""


@dataclass
class _History:
    """What is known of a result so far."""

    cursor: int = 0
    records: tuple[Record, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)


class Histories:
    """Records by result, those looked at last; thread-safe.

    Parameters
    ----------
    store
        Where they are read.
    most
        How many records are kept in all. A single result that has more is kept as long as it is the last one looked at.
    """

    def __init__(self, store: Store, most: int = MOST):
        self.store, self.most = store, most
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, float], _History] = OrderedDict()

    def of(self, run: str) -> Sequence[Record]:
        """Return a run's records, without the run's id, which those who share them do not share."""
        result, created, end = self.store.view(run)
        key = (result, created)  # deleted and started anew it is another one
        with self._lock:
            history = self._kept.setdefault(key, _History())
            self._kept.move_to_end(key)
        with history.lock:
            new, history.cursor = self.store.news(result, history.cursor)
            if new:
                history.records += tuple(new)
            records = history.records
        self._forget()
        return records if end is None else [record for record in records if record["epoch"] <= end]

    def _forget(self) -> None:
        with self._lock:
            while len(self._kept) > 1 and max(self.count, len(self._kept)) > self.most:
                self._kept.popitem(last=False)

    @property
    def count(self) -> int:
        """How many records are kept."""
        return sum(len(history.records) for history in self._kept.values())
