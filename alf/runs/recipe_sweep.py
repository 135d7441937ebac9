"""Many recipes, one line after another: what ``python -m alf sweep`` prints while the engine's workers train.

Everything is in the store. Whoever asks for the same recipes again gets what had finished from there, and the others go
on from their last checkpoint.
"""

import getpass
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from alf.errors import InputError
from alf.runs.database import DatabaseAway
from alf.runs.engine import Engine
from alf.runs.progress import Progress
from alf.training.diagnosis import Tolerates
from alf.training.local import summary
from alf.training.recipe import Recipe
from alf.training.records import Record
from alf.training.states import RunState

AHEAD = 2
"""Recipes that wait or run for each worker: one that is finished leaves no worker idle."""
LOOK = 0.2
"""Seconds between two looks at the recipe whose lines are printed, five times as long between two at all of them."""
REST = 4.0
"""Seconds that a stop waits for workers to write down where they are."""

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class RecipeSweep:
    """Trains recipes on an engine, as many at a time as its workers need.

    Parameters
    ----------
    engine
        Where they are trained.
    recipes
        In the order in which they are told about.
    owner
        Whose runs these are; by default those of whoever is logged in.
    """

    def __init__(self, engine: Engine, recipes: Sequence[Recipe], owner: str | None = None):
        self.engine, self.recipes, self.owner = engine, recipes, owner or f"sweep-{_user()}"
        self._runs: dict[int, str] = {}  # number of a recipe -> its run
        self._ended: set[int] = set()  # numbers of recipes for which there is nothing to wait
        self._looked = 0.0
        self._crowded = False  # there is no place in the queue

    @property
    def finished(self) -> int:
        """How many of the recipes have finished."""
        return sum(self.engine.progress(run).status == RunState.FINISHED for run in self._runs.values())

    def lines(self, tolerance: Callable[[Recipe], Tolerates | None]) -> Iterator[tuple[int, Record]]:
        """Yield the number of each recipe with its epoch records, and with its summary, as `alf.training.run` does.

        A database that goes away is waited for. The `summary` of a recipe that could not be trained has no losses.
        """
        for number, recipe in enumerate(self.recipes):
            records: list[Record] = []
            cursor, active = 0, True
            while active:
                progress, news, cursor = self._wait_for(partial(self._look, number, cursor))
                news = [{"run": progress.run, **record} for record in news]
                records += news
                yield from ((number, record) for record in news)
                if active := progress.active:
                    time.sleep(LOOK)
            never = self._wait_for(partial(self._never, progress, records))
            yield number, {"run": progress.run} | _summary(progress, records, never, tolerance(recipe))

    def _look(self, number: int, cursor: int) -> tuple[Progress, list[Record], int]:
        """How far a recipe is, its records since a cursor, and the next one; started first, with what follows."""
        self._start_more(number)
        while number not in self._runs:  # others have taken all places
            time.sleep(1)
            self._start_more(number)
        progress = self.engine.progress(self._runs[number])
        return progress, *self.engine.store.news(progress.recipe.key, cursor)

    def _wait_for(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until the database answers; that it does not is said by the engine's supervisor."""
        while True:
            try:
                return ask()
            except DatabaseAway:
                time.sleep(1)

    def stop(self) -> None:
        """Stop what has not finished, and give its workers the time to write down where they are."""
        active = [run for run in self._runs.values() if self.engine.progress(run).active]
        for run in active:
            self.engine.stop(run)
        end = time.monotonic() + REST
        while time.monotonic() < end and any(self.engine.progress(run).active for run in active):
            time.sleep(0.05)

    def _start_more(self, now: int) -> None:
        """Start recipes from the one that is told about on, so many that no worker is idle."""
        if now in self._runs and time.monotonic() - self._looked < 5 * LOOK:
            return
        self._looked = time.monotonic()
        open_runs = set(self._runs) - self._ended
        self._ended |= {number for number in open_runs if not self.engine.progress(self._runs[number]).active}
        most = AHEAD * self.engine.workers
        for number, recipe in enumerate(self.recipes):
            if number in self._runs:
                continue
            if len(set(self._runs) - self._ended) >= most:
                return
            try:
                self._runs[number] = self.engine.start(recipe, self.owner, limited=False)
            except DatabaseAway:
                raise
            except InputError as error:
                if not self._crowded:
                    log.warning("Waiting for a place in the queue. %s.", error)
                self._crowded = True
                return
            self._crowded = False

    def _never(self, progress: Progress, records: Sequence[Record]) -> dict[int, tuple[int, ...]]:
        """The classes that each model predicts for no test sample, of the models that have such."""
        last = {record["lane"]: record["dead_classes"] for record in records}
        try:
            seen = {lane: self.engine.inspect(progress.run, lane) for lane, dead in last.items() if dead}
        except DatabaseAway:
            raise
        except InputError:  # the data are where the workers are, and not here
            return {}
        return {lane: one.never_predicted for lane, one in seen.items() if one is not None}


def _summary(
    progress: Progress, records: Sequence[Record], never: dict[int, tuple[int, ...]], tolerates: Tolerates | None
) -> Record:
    recipe, ended = progress.recipe, progress.ended
    come = {record["lane"] for record in records if record["epoch"] == recipe.epochs}
    status = progress.status
    if status == RunState.FAILED and come and come | ended.keys() == set(range(len(recipe.lanes))):
        status = RunState.FINISHED  # of the parts that failed all models had diverged, and others have not
    said = [*progress.notes, *([progress.message] if progress.message and status != RunState.FINISHED else [])]
    return summary(
        recipe,
        records,
        ended,
        never,
        tolerates,
        status=status,
        device=", ".join(progress.devices) or None,
        message=" ".join(said) or None,
        seconds=progress.seconds,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may be a number without a name
        return "nobody"
