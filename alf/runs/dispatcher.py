"""Gives parts of runs to workers: processes on this machine, or a Dask cluster elsewhere.

The engine (`alf.runs.engine`) is what pages talk to; this is the thread behind it. Whatever it decides is in the store,
so that it may die at any moment and the next one goes on.
"""

import logging
import math
import os
import signal
import socket
import threading
import time
from contextlib import suppress

from sqlalchemy import select

from alf.errors import InputError
from alf.runs import tables as t
from alf.runs.leases import Lease, LeaseLost, engine_name, grant, heartbeat, recover, waiting
from alf.runs.retention import tidy
from alf.runs.store import Store
from alf.runs.worker import identity, prepare, work
from alf.settings import Settings
from alf.training.states import PartState

log = logging.getLogger(__name__)

DEATHS = 3
"""Workers that may die over one epoch of a part before it has failed."""
PATIENCE = 1.3
"""Seconds a worker has to answer a Stop before its process is killed: with the killing, under two in all."""
LOOK = 1.0
"""Seconds between two looks for parts that another engine has left behind."""
AGAIN = 5.0
"""Seconds between two tries to reach the workers."""
TIDY = 60.0
"""Seconds between two looks for what need not be kept any longer."""


class Dispatcher:
    """The thread that gives parts to workers as they become free, and sees to it that a Stop is obeyed.

    Parameters
    ----------
    configuration
        Settings.
    store
        Where parts wait and are leased.
    """

    def __init__(self, configuration: Settings, store: Store):
        self.settings, self.store = configuration, store
        self.name = engine_name()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._client = self._cluster = self._thread = None
        self._futures: dict[int, tuple[str, object]] = {}  # part -> (lease, future)
        self._deadline: dict[str, float] = {}  # lease -> when its worker is killed
        self._deaths: dict[int, tuple[int, int]] = {}  # part -> (epoch, workers that died at it), until it is done
        self._trouble: str | None = None

    @property
    def going(self) -> bool:
        """Whether the thread has been started."""
        return self._thread is not None

    @property
    def connected(self) -> bool:
        """Whether there are workers."""
        return self._client is not None

    @property
    def waits_for(self) -> str:
        """Why a queued run cannot begin, in a sentence; there is nothing to say once there are workers."""
        if self.connected:
            return "Waiting for a free worker."
        if self._trouble:
            return f"Waiting for workers. {self._trouble}. It is tried again every few seconds."
        return "Starting the worker processes."

    def left_behind(self) -> bool:
        """Whether there is something to go on with: queue again what a dead engine was computing, and look."""
        return bool(recover(self.store, self.name) or waiting(self.store))

    def begin(self) -> None:
        """Start the thread and the workers if they are not going."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._dispatch, name="alf-runs", daemon=True)
                self._thread.start()

    def look(self) -> None:
        """Look at the store at once: something has changed in it."""
        self._wake.set()

    def close(self) -> None:
        """End the thread and the workers."""
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

    def _dispatch(self) -> None:
        """Go round until closed."""
        looked = beaten = tried = tidied = -math.inf
        while not self._closed:
            try:
                now = time.monotonic()
                if now - looked > LOOK:
                    looked = now
                    recover(self.store, self.name, self._futures)
                if now - tidied > TIDY:
                    tidied = now
                    tidy(self.store, self.settings)
                if self._client is None and now - tried > AGAIN:
                    tried = now
                    self._connect()
                if self._client is not None:
                    self._collect()
                    self._hand_out()
                    self._enforce()
                if self._futures and now - beaten > Lease.BEAT:
                    beaten = now
                    heartbeat(self.store, self._futures, self.name)
            except Exception:
                if self._closed:
                    return
                log.exception("the dispatcher of runs had an error and goes on")
                self._reconnect()
                time.sleep(1)
            self._wake.wait(0.1 if self._futures else 0.5)
            self._wake.clear()

    def _connect(self) -> None:
        """Get workers, or note why there are none: whoever waits goes on waiting, and it is tried again."""
        try:
            if self.settings.scheduler:
                self._client = self._elsewhere(self.settings.scheduler)
            else:
                self._cluster, self._client = self._here()
        except InputError as error:
            trouble = str(error)
        except Exception as error:
            log.exception("no workers")
            trouble = f"The worker processes cannot be started: {type(error).__name__}: {' '.join(str(error).split())}"
        else:
            trouble = None
        if trouble not in (None, self._trouble):
            log.warning("%s", trouble)
        self._trouble = trouble and trouble.rstrip(".")

    def _elsewhere(self, scheduler: str):
        """Connect to a scheduler, and see that its workers write where we read."""
        from distributed import Client

        _configure_dask()
        client = None
        try:
            client = Client(scheduler, timeout=5, set_as_default=False)
            client.wait_for_workers(1, timeout=5)
            if client.submit(identity, self.store.url, pure=False).result(timeout=20) != self.store.identity:
                raise InputError("another one under the same URL")
        except InputError as error:
            why = (
                f"ALF_STORE: must be a database that the workers of ALF_SCHEDULER reach under the same URL, got {error}"
            )
        except (OSError, TimeoutError) as error:
            if client is None:
                why = f"ALF_SCHEDULER: no scheduler answers at {scheduler}"
            elif client.nthreads():
                why = f"ALF_SCHEDULER: the workers of {scheduler} do not answer ({type(error).__name__})"
            else:
                why = f"ALF_SCHEDULER: {scheduler} answers, but has no workers"
        else:
            return client
        if client is not None:
            with suppress(Exception):  # it may be gone meanwhile
                client.close(timeout=5)
        raise InputError(why)

    def _here(self) -> tuple:
        """Start the worker processes of this machine."""
        from distributed import Client, LocalCluster

        _configure_dask()
        cluster = LocalCluster(
            n_workers=self.settings.workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # None would open port 8787 all the same
            host="127.0.0.1",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
        try:
            client = Client(cluster, set_as_default=False)
            client.register_worker_callbacks(prepare)  # also on one that replaces a killed one
        except BaseException:
            cluster.close(timeout=10)
            raise
        return cluster, client

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
        """Lease queued parts to the workers that are free."""
        free = self._capacity() - len(self._futures)
        folder = str(self.settings.data_dir) if self.settings.data_dir else None
        while free > 0 and (queue := waiting(self.store)):
            for part in queue:
                token = grant(self.store, part, self.name)
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
            lease = Lease(self.store, part, token)
            if future.status == "finished":
                self._deaths.pop(part, None)
            with suppress(LeaseLost):  # it had said so itself, or was taken back
                if future.status == "error" and not self._goes_on(part, future.exception()):
                    self._deaths.pop(part, None)
                    lease.fail(_why(future.exception()))
                elif future.status == "error" or future.status in ("cancelled", "lost"):
                    lease.leave()
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
        asked = select(t.parts).select_from(joined).where(t.results.c.stop, t.parts.c.status == PartState.RUNNING)
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
            with suppress(LeaseLost):  # it listened at the last moment
                Lease(self.store, part, token).leave()

    def _kill(self, worker: dict | None) -> None:
        """End a worker's process; its nanny starts a new one."""
        if worker is None:
            return
        if self._cluster is not None and worker["host"] == socket.gethostname():
            os.kill(worker["pid"], signal.SIGKILL)
        elif worker["address"]:
            self._client.restart_workers([worker["address"]], timeout=10, raise_for_error=False)


def _configure_dask() -> None:
    import dask

    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": 0,
            "distributed.scheduler.http.routes": [],
            # The cluster looks this long after a worker's death whether there is one again, and if the next one has
            # just been killed too, it gives the place up for good.
            "distributed.deploy.lost-worker-timeout": "1000 days",
        }
    )


def _why(error: BaseException | None) -> str:
    """Say in words why a task failed that could not say so itself."""
    from distributed.scheduler import KilledWorker

    if isinstance(error, KilledWorker):
        return (
            "The worker process was killed repeatedly, probably because memory ran out: take fewer or smaller models."
        )
    return f"An error of the program, {type(error).__name__}: {' '.join(str(error).split())[:300]}"
