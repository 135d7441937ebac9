"""Where runs are computed: worker processes on this machine, or a Dask cluster elsewhere.

What a page does::

    from alf.runs import engine                       # one per server process, made on first use
    from alf.training import Recipe, classroom

    run = engine().start(classroom("digits"), owner=session_id)    # the same recipe again: the same run
    progress = engine().progress(run)                 # .status .fraction .epoch .seconds_left .message .active
    records = engine().curves(run)                    # for a page: everything so far, of which only what is new is read
    records = engine().store.records(run, since=10)   # or: every record with epoch > 10
    engine().stop(run)                                # returns at once; .status is "stopping", then "stopped"

Nothing of this needs the browser session to live: the run id in the URL finds everything again, also after a restart of
the server, and unfinished runs then go on from their last checkpoint.
"""

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

from alf.data import Arrays, dataset
from alf.errors import InputError
from alf.runs.estimate import Estimate, seconds_needed
from alf.runs.histories import Histories
from alf.runs.progress import Progress
from alf.runs.store import DAY, Store
from alf.runs.supervisor import Supervisor
from alf.settings import Settings, settings
from alf.training.inspect import Inspection, inspect
from alf.training.parts import share_out
from alf.training.recipe import Recipe
from alf.training.records import Record
from alf.training.states import RunState

REST, BEGIN = 3.0, 1.0
"""Seconds that a change of the learning rate waits for workers to leave their batch, and then for them to go on."""


class Engine:
    """Starts, watches and stops runs. Thread-safe; workers are started with the first run.

    Parameters
    ----------
    configuration
        Settings; those of the environment by default.
    """

    def __init__(self, configuration: Settings | None = None):
        self.settings = configuration or settings()
        self.store = Store(self.settings.store)
        self.supervisor = Supervisor(self.settings, self.store)
        self._histories = Histories(self.store)
        self._changing = threading.Lock()
        if self.supervisor.left_behind():
            self.supervisor.begin()

    @property
    def workers(self) -> int:
        """How many parts of runs are computed at a time."""
        return self.supervisor.count

    def start(self, recipe: Recipe, owner: str, name: str | None = None, limited: bool = True) -> str:
        """Queue a recipe and return the run's unguessable id.

        The same recipe of the same owner is the same run, however often Start is pressed; of another owner it is
        another run that shares the result. A stopped or failed run goes on from where it was. A command's
        runs are not `limited` in size, and not in number but by the queue: who types it could set the limits too.

        Raises
        ------
        InputError
            Too many lanes or epochs, too many unfinished runs, data that cannot be found.
        """
        if limited:
            self._refuse_too_large(recipe)
        limits, shares = self.settings, share_out(recipe, self.workers)
        most = limits.max_per_owner if limited else None
        run = self.store.start(recipe, owner, shares, name, limits.max_queued, most)
        self.supervisor.begin()
        return run

    def _refuse_too_large(self, recipe: Recipe) -> None:
        """Raise an `InputError` for a recipe of more lanes or epochs than the settings allow in one run."""
        limits = self.settings
        if len(recipe.lanes) > limits.max_lanes:
            raise InputError(f"lanes: at most {limits.max_lanes} models in one run, got {len(recipe.lanes)}")
        if recipe.epochs > limits.max_epochs:
            raise InputError(f"epochs: at most {limits.max_epochs} in one run here, got {recipe.epochs}")

    def seconds_needed(self, recipe: Recipe) -> Estimate:
        """Estimate how long a recipe takes here; 0 seconds when it is done."""
        return seconds_needed(self.store, recipe, self.workers)

    def stop(self, run: str) -> None:
        """Ask a run to stop and return at once; within two seconds it has.

        A result that somebody else is watching too goes on for them.
        """
        self.store.stop(run)
        self.supervisor.look()

    def pause(self, run: str) -> None:
        """Hold a run where it is, in the middle of long epochs; it gives its workers to others meanwhile.

        Its models need not be at the same epoch: Play lets each go on, bit for bit, and Step brings them together.

        Raises
        ------
        InputError
            Somebody else is watching the same run.
        """
        self.store.hold(run, 0)
        self.supervisor.look()

    def step(self, run: str) -> None:
        """Let a paused run compute one epoch: up to the end of the first that no model has finished."""
        self.store.hold(run, self.store.furthest(run) + 1)
        self.supervisor.begin()

    def play(self, run: str) -> None:
        """Let a paused run go on."""
        self.store.hold(run, None)
        self.supervisor.begin()

    def set_lr(self, run: str, lr: float) -> int:
        """Change the learning rate of a run that is going; return the epoch from which it counts: the next one.

        The change becomes part of the run's recipe, ``progress(run).recipe.changes``. The run's id stays; what its
        recipe shares with the old one is taken over.

        Its workers first write down where they are, as for a Pause, so that nothing is computed again: a checkpoint may
        be many epochs old. One that sits in a long batch is not waited for longer than `REST`.

        Raises
        ------
        InputError
            No epoch is left, or the rate is outside [1e-06, 1000].
        """
        with self._changing:  # a second change at the same time would find the run halted and leave it so
            result, held = self.store.halt(run)
            try:
                _wait(lambda: self.store.at_rest(result), REST)
                epoch = self.store.fork(run, lr)
            finally:
                self.store.release(run, result, held)
                self.supervisor.begin()
        # Its workers have only just become free.
        _wait(lambda: self.store.progress(run).status != RunState.QUEUED, BEGIN)
        return epoch

    def progress(self, run: str) -> Progress:
        """Tell how far a run is; see `alf.runs.progress.Progress`."""
        progress = self.store.progress(run)
        if progress.status == RunState.QUEUED:
            return replace(progress, message=self.supervisor.waits_for)
        return progress

    def curves(self, run: str) -> Sequence[Record]:
        """Return a run's records without its id, for whoever looks at them again and again.

        All who watch a result share them, only what is new is read, and the server keeps a limited number in all.
        """
        return self._histories.of(run)

    def kept_until(self, progress: Progress) -> float:
        """Return when a run is deleted unless it is started or looked at again, in seconds since 1970."""
        return progress.used + self.settings.keep_days * DAY

    def runs(self, owner: str, offset: int = 0, limit: int | None = None) -> list[Progress]:
        """Return how far an owner's runs are, the newest first, or a page of them."""
        return [self.progress(run) for run in self.store.runs(owner, offset, limit)]

    def inspect(self, run: str, lane: int) -> Inspection | None:
        """Return what a lane's model does sample by sample, at its last snapshot; None before there is one.

        Confusions, which flipped samples it has memorised, its features in the plane, its decision regions: see
        `alf.training.inspect.Inspection`. It is as of the last epoch once the run has finished or was stopped.
        """
        from safetensors.numpy import load

        arrays = self.store.snapshot(run, lane)
        if arrays is None:
            return None
        recipe = self.store.progress(run).recipe
        data = _data(recipe.data, recipe.samples is not None, self.settings.data_dir)
        return inspect(recipe, data, load(arrays), lane)

    def close(self) -> None:
        """Stop the workers of this engine; what they were computing is queued again by the next engine."""
        self.supervisor.close()
        self.store.close()


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition holds, but no longer than so many seconds."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)


@lru_cache(maxsize=2)
def _data(key: str, partial: bool, folder: Path | None) -> Arrays:
    """Keep the data sets looked at last."""
    return dataset(key).load(folder, partial)


_making = threading.Lock()


def engine() -> Engine:
    """Return the engine of this process, made on first use and closed when the process ends."""
    with _making:  # two sessions may ask at once, and a cache would make two
        return _engine()


@cache
def _engine() -> Engine:
    made = Engine()
    atexit.register(made.close)
    return made
