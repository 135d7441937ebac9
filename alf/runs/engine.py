"""Where runs are computed: worker processes on this machine, or a Dask cluster elsewhere.

What a page does::

    from alf.runs import engine                       # one per server process, made on first use
    from alf.training import Recipe, classroom

    run = engine().start(classroom("digits"), owner=session_id)    # the same recipe again: the same run
    progress = engine().progress(run)                 # .status .fraction .epoch .seconds_left .message .active
    records, cursor = engine().updates(run, cursor)   # what was written since; cursor 0 gives everything
    records = engine().records(run, since=10)         # or: every record with epoch > 10
    engine().stop(run)                                # returns at once; .status is "stopping", then "stopped"

Nothing of this needs the browser session to live: the run id in the URL finds everything again, also after a restart of
the server, and unfinished runs then go on from their last checkpoint.
"""

import atexit
import logging
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path

from sqlalchemy import select

from alf.data import Arrays, dataset
from alf.errors import InputError
from alf.runs import tables as t
from alf.runs.claims import Claim, Lost, claim, engine_name, recover, waiting
from alf.runs.store import Progress, Store
from alf.runs.worker import identity, warm_up, work
from alf.settings import Settings, settings
from alf.training.devices import may_have_gpu
from alf.training.inspect import Inspection
from alf.training.networks_spec import is_convolutional
from alf.training.recipe import Recipe

log = logging.getLogger(__name__)

DEATHS = 3
"""Workers that may die over one epoch of a part before it has failed."""
PATIENCE = 1.3
"""Seconds a worker has to answer a Stop before its process is killed: with the killing, under two in all."""


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
        self.name = engine_name()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._client = self._cluster = self._thread = None
        self._futures: dict[int, tuple[str, object]] = {}  # part -> (claim, future)
        self._deadline: dict[str, float] = {}  # claim -> when its worker is killed
        self._deaths: dict[int, tuple[int, int]] = {}  # part -> (epoch, workers that died at it)
        if recover(self.store, self.name) or waiting(self.store):
            self._begin()

    # -- what pages use ----------------------------------------------------------------------------------------------

    def start(self, recipe: Recipe, owner: str, name: str | None = None) -> str:
        """Queue a recipe and return the run's unguessable id.

        The same recipe of the same owner is the same run, however often Start is pressed; of another owner it is
        another run that shares the result. A stopped or failed run goes on from where it was.

        Raises
        ------
        InputError
            Too many lanes or epochs, too many unfinished runs, data that cannot be found.
        """
        limits = self.settings
        if len(recipe.lanes) > limits.max_lanes:
            raise InputError(f"lanes: at most {limits.max_lanes} models in one run, got {len(recipe.lanes)}")
        if recipe.epochs > limits.max_epochs:
            raise InputError(f"epochs: at most {limits.max_epochs} in one run here, got {recipe.epochs}")
        shares = share_out(recipe, limits.workers)
        run = self.store.start(recipe, owner, shares, name, limits.max_queued, limits.max_per_owner)
        self._begin()
        self._wake.set()
        return run

    def stop(self, run: str) -> None:
        """Ask a run to stop and return at once; within two seconds it has.

        A result that somebody else is watching too goes on for them.
        """
        self.store.stop(run)
        self._wake.set()

    def pause(self, run: str) -> None:
        """Hold a run at the end of its epoch; it gives its workers to others meanwhile.

        Raises
        ------
        InputError
            Somebody else is watching the same run.
        """
        self.store.hold(run, self._furthest(run))
        self._wake.set()

    def step(self, run: str) -> None:
        """Let a paused run compute one epoch."""
        self.store.hold(run, self._furthest(run) + 1)
        self._wake.set()

    def play(self, run: str) -> None:
        """Let a paused run go on."""
        self.store.hold(run, None)
        self._wake.set()

    def set_lr(self, run: str, lr: float) -> int:
        """Change the learning rate of a run that is going; return the epoch from which it counts.

        The change becomes part of the run's recipe, ``progress(run).recipe.changes``. The run's id stays; what its
        recipe shares with the old one is taken over. A cursor of `updates` starts again at 0.

        Raises
        ------
        InputError
            No epoch is left, or the rate is outside (0, 1000].
        """
        epoch = self.store.fork(run, lr)
        self._wake.set()
        return epoch

    def _furthest(self, run: str) -> int:
        records = self.store.records(run)
        return max((record["epoch"] for record in records), default=0)

    def progress(self, run: str) -> Progress:
        """Tell how far a run is; see `alf.runs.store.Progress`."""
        progress = self.store.progress(run)
        if progress.status == "queued" and self._client is None:
            return replace(progress, message="Starting the worker processes.")
        return progress

    def records(self, run: str, since: int = 0) -> list[dict]:
        """Return a run's epoch records with epoch > `since`; see `alf.training.records` for the keys."""
        return self.store.records(run, since)

    def updates(self, run: str, cursor: int = 0) -> tuple[list[dict], int]:
        """Return the records written since a cursor, and the next cursor."""
        return self.store.updates(run, cursor)

    def inspect(self, run: str, lane: int) -> Inspection | None:
        """Return what a lane's model does sample by sample, at its last checkpoint; None before there is one.

        Confusions, which flipped samples it has memorised, its features in the plane, its decision regions: see
        `alf.training.inspect.Inspection`. It is as of the run's last epoch once the run has finished.
        """
        from safetensors.numpy import load

        from alf.training.inspect import inspect

        arrays = self.store.snapshot(run, lane)
        if arrays is None:
            return None
        recipe = self.store.progress(run).recipe
        return inspect(
            recipe, _data(recipe.data, recipe.samples is not None, self.settings.data_dir), load(arrays), lane
        )

    def wait(self, run: str, timeout: float = 600.0) -> Progress:
        """Wait until a run has ended; for scripts and tests.

        Raises
        ------
        TimeoutError
        """
        end = time.monotonic() + timeout
        while (progress := self.progress(run)).active:
            if time.monotonic() > end:
                raise TimeoutError(f"run {run} is {progress.status} after {timeout} s")
            time.sleep(0.05)
        return progress

    def close(self) -> None:
        """Stop the workers of this engine; what they were computing is queued again by the next engine."""
        self._closed = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=30)
        if self._client is not None:
            self._client.close(timeout=5)
        if self._cluster is not None:
            self._cluster.close(timeout=10)
        self._client = self._cluster = None
        self.store.close()

    # -- the dispatcher ----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start the dispatcher if it is not going."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._dispatch, name="alf-runs", daemon=True)
                self._thread.start()

    def _dispatch(self) -> None:
        """Give parts to workers as they become free, and see to it that a Stop is obeyed."""
        recovered = time.monotonic()
        while not self._closed:
            try:
                if self._client is None:
                    self._connect()
                self._collect()
                self._hand_out()
                self._enforce()
                if time.monotonic() - recovered > 10:
                    recovered = time.monotonic()
                    recover(self.store, self.name, self._futures)
            except InputError as error:
                self._fail_waiting(str(error))
            except Exception:
                if self._closed:
                    return
                log.exception("the dispatcher of runs stumbled and goes on")
                self._reconnect()
                time.sleep(1)
            self._wake.wait(0.1 if self._futures else 0.5)
            self._wake.clear()

    def _connect(self) -> None:
        """Start the worker processes, or connect to the scheduler that is configured."""
        import dask
        from distributed import Client, LocalCluster

        dask.config.set({"distributed.scheduler.allowed-failures": 0, "distributed.scheduler.http.routes": []})
        if self.settings.scheduler:
            try:
                self._client = Client(self.settings.scheduler, timeout=10, set_as_default=False)
            except OSError:
                raise InputError(f"ALF_SCHEDULER: no scheduler answers at {self.settings.scheduler}") from None
            seen = self._client.submit(identity, self.store.url, pure=False).result(timeout=60)
            if seen != self.store.identity:
                raise InputError(
                    "ALF_STORE: must be a database that the workers of ALF_SCHEDULER reach under the same URL"
                )
            return
        self._cluster = LocalCluster(
            n_workers=self.settings.workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # None would open port 8787 all the same
            host="127.0.0.1",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
        self._client = Client(self._cluster, set_as_default=False)
        self._client.register_worker_callbacks(_prepare)

    def _reconnect(self) -> None:
        """Let go of a cluster that is no longer there; what it was computing is queued again by `recover`."""
        if self._client is None or self._client.status == "running":
            return
        with suppress(Exception):  # it is broken: closing it may fail in any way
            self._client.close(timeout=5)
            if self._cluster is not None:
                self._cluster.close(timeout=10)
        self._client = self._cluster = None
        self._futures.clear()
        self._deadline.clear()

    def _capacity(self) -> int:
        if self._cluster is not None:
            return self.settings.workers
        return sum(self._client.nthreads().values())

    def _hand_out(self) -> None:
        """Claim queued parts for the workers that are free."""
        free = self._capacity() - len(self._futures)
        folder = str(self.settings.data_dir) if self.settings.data_dir else None
        while free > 0 and (queue := waiting(self.store)):
            for part in queue:
                token = claim(self.store, part, self.name)
                if token is not None:
                    remote = self._cluster is None
                    future = self._client.submit(
                        work, self.store.url, part, token, folder, remote, key=f"alf-{part}-{token}", pure=False
                    )
                    future.add_done_callback(lambda _: self._wake.set())
                    self._futures[part] = (token, future)
                    free -= 1
                    break
            else:
                return

    def _collect(self) -> None:
        """Take note of the parts that are done; say why where a worker could not say it itself."""
        for part, (token, future) in list(self._futures.items()):
            if not future.done():
                continue
            del self._futures[part]
            self._deadline.pop(token, None)
            hold = Claim(self.store, part, token)
            with suppress(Lost):  # it had said so itself, or was taken back
                if future.status == "error" and not self._goes_on(part, future.exception()):
                    hold.fail(_why(future.exception()))
                elif future.status == "error" or future.status in ("cancelled", "lost"):
                    hold.leave()
            future.release()

    def _goes_on(self, part: int, error: BaseException | None) -> bool:
        """Whether a part whose worker died is tried again: unless that happened `DEATHS` times at one epoch."""
        from distributed.scheduler import KilledWorker

        if not isinstance(error, KilledWorker):
            return False
        with self.store.read() as connection:
            epoch = connection.scalar(select(t.parts.c.epoch).where(t.parts.c.id == part))
        before, count = self._deaths.get(part, (epoch, 0))
        self._deaths[part] = (epoch, count + 1 if epoch == before else 1)
        return self._deaths[part][1] < DEATHS

    def _enforce(self) -> None:
        """Kill the workers that were asked to stop and did not listen."""
        if not self._futures:
            return
        joined = t.parts.join(t.results, t.parts.c.result == t.results.c.key)
        asked = select(t.parts).select_from(joined).where(t.results.c.stop, t.parts.c.status == "running")
        with self.store.read() as connection:
            rows = {row.id: row for row in connection.execute(asked)}
        now = time.monotonic()
        for part, (token, future) in list(self._futures.items()):
            if part not in rows:
                self._deadline.pop(token, None)
                continue
            if now < self._deadline.setdefault(token, now + PATIENCE):
                continue
            # First the scheduler forgets the task, or it would start it again elsewhere; then the process goes.
            self._client.cancel([future], force=True)
            self._kill(rows[part].worker)
            del self._futures[part]
            self._deadline.pop(token)
            with suppress(Lost):  # it listened at the last moment
                Claim(self.store, part, token).leave()

    def _kill(self, worker: dict | None) -> None:
        """End a worker's process; its nanny starts a new one."""
        if worker is None:
            return
        if self._cluster is not None and worker["host"] == socket.gethostname():
            os.kill(worker["pid"], signal.SIGKILL)
        elif worker["address"]:
            self._client.restart_workers([worker["address"]], timeout=10, raise_for_error=False)

    def _fail_waiting(self, message: str) -> None:
        """Tell those who wait that there is nobody to compute."""
        for part in waiting(self.store):
            if (token := claim(self.store, part, self.name)) is not None:
                Claim(self.store, part, token).fail(message)


def share_out(recipe: Recipe, workers: int) -> list[list[int]]:
    """Divide a recipe's lanes into parts, one worker's job each.

    Lanes of an MLP are quickest together, so there are as many parts as workers but none of fewer than four lanes;
    lanes of one seed stay side by side because they share their mini-batches. Lanes of a convolutional network are not
    quicker together on a CPU: one model per worker.

    >>> from alf.training import classroom
    >>> [len(part) for part in share_out(classroom("digits"), workers=2)]
    [9, 9]
    >>> len(share_out(classroom("digits", losses=("ce", "mae"), seeds=(0,)), workers=2))
    1
    """
    order = sorted(range(len(recipe.lanes)), key=lambda i: (recipe.lanes[i].seed, i))
    on_cpu = recipe.device == "cpu" or (recipe.device == "auto" and not may_have_gpu())
    if is_convolutional(recipe.network) and on_cpu:
        return [[lane] for lane in order]
    count = max(1, min(workers, len(order) // 4))
    bounds = [round(i * len(order) / count) for i in range(count + 1)]
    return [sorted(order[a:b]) for a, b in pairwise(bounds)]


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


def _prepare() -> None:
    """Run on every worker, also on one that replaces a killed one."""
    warm_up()


def _why(error: BaseException | None) -> str:
    """Say in words why a task failed that could not say so itself."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return "The worker process was killed repeatedly, probably for want of memory: take fewer or smaller models."
    return f"An error of the program, {type(error).__name__}: {' '.join(str(error).split())[:300]}"
