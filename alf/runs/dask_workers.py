"""Everything of Dask: it starts and supervises worker processes on this machine, or reaches a cluster elsewhere.

What is computed next, for whom, under which lease and from which checkpoint is not its business: the queue is in the
store and `alf.runs.supervisor` works it off. Dask is imported when workers are wanted, not before.
"""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from multiprocessing import resource_tracker
from typing import Any

from alf.errors import InputError
from alf.runs.store import Store
from alf.runs.worker import identity, prepare, work
from alf.settings import Settings
from alf.training.states import PartState

GPU = "GPU"
"""The resource that a worker declares who has a GPU: ``dask worker --resources GPU=1``."""
NO_GPU = "No worker of the cluster declares the resource GPU, so it was given to any of them."


class NoWorkersYet(InputError):
    """The scheduler answers and has no workers: they may come."""


class Ending(Enum):
    """How a job ended that raised nothing."""

    RETURNED = auto()
    DIED = auto()  # with its worker process
    LOST = auto()  # nobody knows about it any more


def connect(settings: Settings, store: Store) -> "DaskWorkers":
    """Start the worker processes of this machine, or connect to the scheduler that the settings name.

    Raises
    ------
    InputError
        The scheduler cannot be reached or has no workers, or they write into another store.
    """
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
    return _elsewhere(settings, store, settings.scheduler) if settings.scheduler else _here(settings, store)


class DaskWorkers:
    """Processes that compute parts, each one at a time; one that dies is replaced.

    They are behind a Dask client; `cluster` is None where they are those of a scheduler elsewhere.
    """

    def __init__(self, settings: Settings, store: Store, client: Any, cluster: Any = None):
        self._settings, self._store, self._client, self._cluster = settings, store, client, cluster
        self._had_gpus = False

    @property
    def count(self) -> int:
        """How many parts can be computed at a time."""
        if self._cluster is not None:
            return self._settings.workers  # also while one that was killed is being replaced
        return sum(self._client.nthreads().values())

    @property
    def gpus(self) -> int | None:
        """How many parts can be computed at a time on GPUs that were declared; None where none ever was."""
        if self._cluster is not None:
            return None
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        count = sum(int(worker.get("resources", {}).get(GPU, 0)) for worker in workers)
        self._had_gpus = self._had_gpus or count > 0
        return count if self._had_gpus else None

    @property
    def gone(self) -> bool:
        """Whether the connection is lost for good."""
        return bool(self._client.status != "running")

    def submit(self, part: int, token: str, done: Callable[[], None], cuda: bool = False) -> Any:
        """Have a part computed under its lease and return the job; `done` is called, in any thread, when it ends.

        One for `cuda` goes to workers that declare a GPU, where there ever were such.
        """
        folder = str(self._settings.data_dir) if self._settings.data_dir else None
        remote = self._cluster is None
        note = NO_GPU if cuda and remote and not self._had_gpus else None
        needed = {GPU: 1} if cuda and self._had_gpus else None
        arguments = self._store.url, part, token, folder, remote, note
        job = self._client.submit(_work, *arguments, key=f"alf-{part}-{token}", pure=False, resources=needed)
        job.add_done_callback(lambda _: done())
        return job

    def ending(self, job: Any) -> Ending | BaseException | None:
        """How a job ended, an exception where it raised one; None while it goes on."""
        from distributed.scheduler import KilledWorker

        if not job.done():
            return None
        if job.status == "finished":
            return Ending.RETURNED
        if job.status != "error":  # cancelled, or its scheduler has gone
            return Ending.LOST
        error: BaseException = job.exception()
        return Ending.DIED if isinstance(error, KilledWorker) else error

    def kill(self, job: Any, worker: dict[str, Any] | None) -> None:
        """End the process that computes a job; another one takes its place."""
        # First the scheduler forgets the task, or it would start it again elsewhere; then the process goes.
        self._client.cancel([job], force=True)
        if worker is None:
            return
        if self._cluster is not None and worker["host"] == socket.gethostname():
            os.kill(worker["pid"], signal.SIGKILL)
        elif worker["address"]:
            self._client.restart_workers([worker["address"]], timeout=10, raise_for_error=False)

    def share_the_store(self, patience: float = 20.0) -> bool:
        """Whether a worker, which has so many seconds to answer, finds this store under its URL."""
        found = self._client.submit(identity, self._store.url, pure=False).result(timeout=patience)
        return bool(found == self._store.identity)

    def close(self) -> None:
        """End the connection, and the processes where they are ours."""
        self._client.close(timeout=5)
        if self._cluster is not None:
            self._cluster.close(timeout=10)


def _here(settings: Settings, store: Store) -> DaskWorkers:
    from distributed import Client, LocalCluster

    with _deaf_to_interrupts():
        cluster = LocalCluster(
            n_workers=settings.workers,
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
    return DaskWorkers(settings, store, client, cluster)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Have the processes that are started in here not hear Ctrl-C, which a terminal sends to all: we tell them."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    resource_tracker.ensure_running()  # where it is not, starting it opens the thread's ears again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # of this thread, and of all it starts
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _elsewhere(settings: Settings, store: Store, scheduler: str) -> DaskWorkers:
    from distributed import Client

    client, kind = None, InputError
    try:
        client = Client(scheduler, timeout=5, set_as_default=False)
        client.wait_for_workers(1, timeout=5)
        workers = DaskWorkers(settings, store, client)
        if workers.share_the_store():
            return workers
        why = _unshared("another one under the same URL")
    except InputError as error:
        why = _unshared(error)
    except (OSError, TimeoutError) as error:
        if client is None:
            why = f"ALF_SCHEDULER: no scheduler answers at {scheduler}"
        elif client.nthreads():
            why = f"ALF_SCHEDULER: the workers of {scheduler} do not answer ({type(error).__name__})"
        else:
            why, kind = f"ALF_SCHEDULER: {scheduler} answers, but has no workers", NoWorkersYet
    if client is not None:
        with suppress(Exception):  # it may be gone meanwhile
            client.close(timeout=5)
    raise kind(why)


def _unshared(got: object) -> str:
    return f"ALF_STORE: must be a database that the workers of ALF_SCHEDULER reach under the same URL, got {got}"


def _work(
    store_url: str, part: int, token: str, folder: str | None, remote: bool, note: str | None
) -> PartState | None:
    """What a worker process runs: it knows its address, by which it can be restarted from afar."""
    from distributed import get_worker

    return work(store_url, part, token, folder, remote, get_worker().address, note)
