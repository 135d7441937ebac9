"""Gives parts of runs to workers, and decides what happens when one dies, hangs or is lost.

The engine (`alf.runs.engine`) is what pages talk to; this is the thread behind it. Whatever it decides is in the store,
so that it may die at any moment and the next one goes on.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import select

from alf.errors import InputError
from alf.runs import tables as t
from alf.runs.dask_workers import DaskWorkers, Ending, NoWorkersYet, connect
from alf.runs.database import DatabaseAway
from alf.runs.leases import Lease, LeaseLost, engine_name, grant, heartbeat, recover, waiting, wanting
from alf.runs.retention import tidy
from alf.runs.store import Store
from alf.runs.worker import in_words
from alf.settings import Settings
from alf.training.states import PartState

log = logging.getLogger(__name__)

KILLED = "The worker process was killed repeatedly, probably because memory ran out: take fewer or smaller models."
DEATHS = 3
"""Workers that may die over one epoch of a part before it has failed; until then it goes on from its checkpoint."""
PATIENCE = 1.3
"""Seconds a worker has to answer a Stop before its process is killed: with the killing, under two in all."""
LOOK = 1.0
"""Seconds between two looks for parts that another engine has left behind."""
AGAIN = 5.0
"""Seconds between two tries to reach the workers."""
RETRY = "It is tried again every few seconds."
TIDY = 60.0
"""Seconds between two looks for what need not be kept any longer."""


class Supervisor:
    """The thread that gives parts to workers as they become free, and sees to it that a Stop is obeyed.

    Parameters
    ----------
    configuration
        Settings.
    store
        Where parts wait and are leased.
    connect
        Gets the workers (in tests a fake), or raises an `InputError` that says why there are none.
    """

    def __init__(
        self, configuration: Settings, store: Store, connect: Callable[[Settings, Store], DaskWorkers] = connect
    ) -> None:
        self.settings, self.store = configuration, store
        self.name = engine_name()
        self._get_workers = connect
        self._workers: DaskWorkers | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._done_at: dict[str, float] = {}  # what is done now and then -> when it was done last
        self._jobs: dict[int, tuple[str, Any]] = {}  # part -> (lease, job)
        self._deadline: dict[str, float] = {}  # lease -> when its worker is killed
        self._deaths: dict[int, tuple[int, int]] = {}  # part -> (epoch, workers that died at it), until it is done
        self._cuda: set[int] = set()  # the parts among those given out that go to GPUs
        self._capacity: int | None = None  # of the workers, when they were last counted
        self._trouble: InputError | None = None  # why there are no workers
        self._away: DatabaseAway | None = None  # the database, since it did not answer

    @property
    def count(self) -> int:
        """How many parts are computed at a time; what the settings say before there are workers."""
        return self._capacity or self.settings.workers

    @property
    def waits_for(self) -> str:
        """Why a queued run cannot begin, in a sentence; there is nothing to say once there are workers."""
        if self._workers is not None:
            return "Waiting for a free worker." if self._capacity != 0 else "Waiting for workers: there are none now."
        if (trouble := self._trouble) is None:
            return "Starting the worker processes."
        return f"Waiting for workers. {str(trouble).rstrip('.')}. {RETRY}"

    def reach(self, patience: float) -> str | None:
        """Wait until there are workers; return what a run waits for where there are none yet. For scripts.

        Raises
        ------
        InputError
            After so many seconds the scheduler itself cannot be reached, or the workers do not reach the store.
        """
        log.disabled = True  # whoever calls this says it
        try:
            self.begin()
            end = time.monotonic() + patience
            while self._workers is None:
                if isinstance(self._trouble, NoWorkersYet):
                    return self.waits_for
                if self._trouble is not None and time.monotonic() > end:
                    raise self._trouble
                time.sleep(0.05)
            return None
        finally:
            log.disabled = False

    def left_behind(self) -> bool:
        """Whether there is something to go on with: queue again what a dead engine was computing, and look."""
        return bool(recover(self.store, self.name) or waiting(self.store))

    def begin(self) -> None:
        """Start the thread and the workers if they are not going, and have them look at what now waits in the store."""
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._go_round, name="alf-runs", daemon=True)
                self._thread.start()
        self.look()

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
        if self._workers is not None:
            self._workers.close()
        self._workers = None

    def _go_round(self) -> None:
        """Take turns until closed."""
        while not self._closed:
            try:
                self.turn()
                if self._away:
                    log.warning("ALF_STORE: the database answers again.")
                    self._away = None
            except DatabaseAway as error:
                if not self._away:
                    log.warning("%s. %s", error, RETRY)
                self._away = error
                self._wake.wait(1)  # workers wait for it themselves
            except Exception:
                if self._closed:
                    return
                if not self._let_go():
                    log.exception("the supervisor of runs had an error and goes on")
                time.sleep(1)
            self._wake.wait(0.1 if self._jobs else 0.5)
            self._wake.clear()

    def turn(self) -> None:
        """Go round once: see what has ended, hand out what waits, kill what does not listen."""
        if self._is_due("recover", LOOK):
            recover(self.store, self.name, self._jobs)
        if self._is_due("tidy", TIDY):
            tidy(self.store, self.settings)
        if self._workers is None and self._is_due("connect", AGAIN):
            self._connect()
        if self._workers is not None:
            self._collect(self._workers)
            self._hand_out(self._workers)
            self._enforce(self._workers)
        if self._jobs and self._is_due("heartbeat", Lease.BEAT):
            heartbeat(self.store, self._jobs, self.name)

    def _is_due(self, what: str, seconds: float) -> bool:
        """Whether something is to be done that is done every so many seconds: then it is done now."""
        now = time.monotonic()
        due = now - self._done_at.get(what, -math.inf) > seconds
        if due:
            self._done_at[what] = now
        return due

    def _connect(self) -> None:
        """Get workers, or note why there are none: whoever waits goes on waiting, and it is tried again."""
        trouble = None
        try:
            self._workers = self._get_workers(self.settings, self.store)
        except DatabaseAway:
            raise
        except InputError as error:
            trouble = error
        except Exception as error:
            log.exception("no workers")
            why = " ".join(str(error).split())
            trouble = InputError(f"The worker processes cannot be started: {type(error).__name__}: {why}")
        before, self._trouble = self._trouble, trouble
        if trouble and str(trouble) != str(before):
            log.warning("%s", self.waits_for)

    def _let_go(self) -> bool:
        """Let go of workers if they have gone; what they were computing is queued again by `recover`."""
        if self._workers is None or not self._workers.gone:
            return False
        with suppress(Exception):  # they are broken: closing may fail in any way
            self._workers.close()
        self._workers = self._capacity = None
        self._jobs.clear()
        self._deadline.clear()
        return True

    def _hand_out(self, workers: DaskWorkers) -> None:
        """Lease queued parts to the workers that are free."""
        self._capacity = workers.count
        free = self._capacity - len(self._jobs)
        while free > 0 and (queue := waiting(self.store)):
            cuda = wanting(self.store, "cuda")
            full = bool(cuda) and self._gpus_are_taken(workers)
            for part in queue:
                token = None if full and part in cuda else grant(self.store, part, self.name)
                if token is not None:
                    self._jobs[part] = token, workers.submit(part, token, self._wake.set, part in cuda)
                    self._cuda = (self._cuda & self._jobs.keys()) | ({part} & cuda)
                    free -= 1
                    break
            else:
                return

    def _gpus_are_taken(self, workers: DaskWorkers) -> bool:
        """Whether another part for a GPU would only wait; where workers declare none it goes to any of them."""
        gpus = workers.gpus
        return gpus is not None and len(self._cuda & self._jobs.keys()) >= gpus

    def _collect(self, workers: DaskWorkers) -> None:
        """Take note of the parts that are done; say why where a worker could not say it itself."""
        for part, (token, job) in list(self._jobs.items()):
            ending = workers.ending(job)
            if ending is None:
                continue
            del self._jobs[part]
            self._deadline.pop(token, None)
            if ending is Ending.RETURNED:  # and it has said itself how it went
                self._deaths.pop(part, None)
                continue
            lease = Lease(self.store, part, token)
            with suppress(LeaseLost):  # it had said so itself, or was taken back
                if isinstance(ending, DatabaseAway) or ending is Ending.LOST:
                    lease.leave()  # nobody's fault
                elif ending is Ending.DIED and self._goes_on(part):
                    lease.leave()
                else:
                    self._deaths.pop(part, None)
                    lease.fail(in_words(ending) if isinstance(ending, Exception) else KILLED)

    def _goes_on(self, part: int) -> bool:
        """Whether a part whose worker died is tried again: unless that happened `DEATHS` times at one epoch."""
        with self.store.read() as connection:
            epoch = int(connection.execute(select(t.parts.c.epoch).where(t.parts.c.id == part)).scalar_one())
        before, count = self._deaths.get(part, (epoch, 0))
        self._deaths[part] = (epoch, count + 1 if epoch == before else 1)
        return self._deaths[part][1] < DEATHS

    def _enforce(self, workers: DaskWorkers) -> None:
        """Kill the workers that were asked to stop and did not listen."""
        if not self._jobs:
            return
        joined = t.parts.join(t.results, t.parts.c.result == t.results.c.key)
        asked = select(t.parts).select_from(joined).where(t.results.c.stop, t.parts.c.status == PartState.RUNNING)
        with self.store.read() as connection:
            rows = {row.id: row for row in connection.execute(asked)}
        now = time.monotonic()
        for part, (token, job) in list(self._jobs.items()):
            if part not in rows:
                self._deadline.pop(token, None)
                continue
            if now < self._deadline.setdefault(token, now + PATIENCE):
                continue
            workers.kill(job, rows[part].worker)
            del self._jobs[part]
            self._deadline.pop(token)
            with suppress(LeaseLost):  # it listened at the last moment
                Lease(self.store, part, token).leave()
