"""What a worker process does: take a part, train it, write every epoch into the store, leave when asked."""

import logging
import os
import socket
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row

from alf.errors import InputError
from alf.runs.database import DatabaseAway
from alf.runs.leases import Lease, LeaseLost
from alf.runs.store import Store
from alf.training.devices import choose, release_memory, tune_cpu
from alf.training.recipe import Recipe
from alf.training.states import PartState

if TYPE_CHECKING:  # these import PyTorch, which takes seconds: only processes that train pay for it
    from alf.runs.journal import Journal
    from alf.training.trainer import Trainer

log = logging.getLogger(__name__)

LONG = 0.3
"""Seconds from which an epoch is long: it is left in the middle when the part is to be left, a shorter one is ended."""
PATIENCE = 600.0
"""Seconds for which a worker keeps what it has computed while the database is away; then another one goes on."""


def work(
    store_url: str,
    part: int,
    token: str,
    folder: str | None = None,
    remote: bool = False,
    address: str | None = None,
    note: str | None = None,
) -> PartState | None:
    """Compute a part under a lease that was granted for it; the store says how it went, and `note` with it.

    Returns
    -------
    PartState or None
        How the part was left, for the log: finished, stopped (or paused) or failed. None when the lease was lost.
    """
    warm_up()
    store = Store(store_url)
    lease = Lease(store, part, token, PATIENCE)
    try:
        worker = {"host": socket.gethostname(), "pid": os.getpid(), "address": address, "remote": remote}
        row = lease.begin(worker)
        if row is None:
            return None
        if row.stop:
            lease.leave()
            return PartState.STOPPED
        return _train(lease, row, folder, worker, note)
    except LeaseLost:
        return None
    finally:
        store.close()
        release_memory()


def _train(lease: Lease, row: Row[Any], folder: str | None, worker: dict[str, Any], note: str | None) -> PartState:
    """Train a part's lanes from its checkpoint, or from the start, and say under its lease how that ended."""
    from alf.runs.journal import Journal
    from alf.training.trainer import Stopped, Trainer

    tune_cpu()
    journal = None
    try:
        recipe = Recipe.from_dict(row.recipe)
        device, instead = choose(recipe.device)
        lease.tell(note=" ".join(filter(None, (note, instead))) or None, worker=worker | {"device": device})
        trainer = Trainer(recipe, recipe.load(Path(folder) if folder else None), row.lanes, device)
        journal = Journal(lease, trainer, at_once=row.hold is not None)
        try:
            _run_epochs(trainer, lease, journal)
        except Stopped:
            journal.leave()
            lease.leave()
            return PartState.STOPPED
    except (LeaseLost, DatabaseAway):
        raise
    except Exception as error:
        if not isinstance(error, InputError):
            log.exception("part %s failed", row.id)
        if journal is not None:
            journal.flush()  # the curve up to there
        lease.fail(in_words(error))
        return PartState.FAILED
    if not trainer.alive:
        lease.fail("All models that one worker trained have diverged; " + next(iter(trainer.ended.values()), ""))
        return PartState.FAILED
    lease.finish()
    return PartState.FINISHED


def _run_epochs(trainer: "Trainer", lease: Lease, journal: "Journal") -> None:
    """Run the epochs that are left, each into the journal; raise `Stopped` when the part is to be left."""
    from alf.training.trainer import Stopped

    def listen() -> bool:
        return lease.must_leave(trainer.epoch, trainer.share, trainer.seconds)

    epoch_seconds = float("inf")  # not known before the first: it may be long
    while trainer.epoch < trainer.recipe.epochs and trainer.alive:
        if lease.must_leave(trainer.epoch):
            raise Stopped
        before = trainer.seconds
        records = trainer.run_epoch(listen if epoch_seconds > LONG else None)
        epoch_seconds = trainer.seconds - before
        journal.epoch_done(records)


def in_words(error: Exception) -> str:
    """Say in a sentence why a run failed.

    >>> in_words(MemoryError())
    'Out of memory: take fewer models, a smaller network or a smaller batch.'
    """
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    if isinstance(error, MemoryError) or "out of memory" in text.lower() or "can't allocate memory" in text.lower():
        return "Out of memory: take fewer models, a smaller network or a smaller batch."
    return f"An error of the program, {type(error).__name__}: {text[:300]}"


_warming = threading.Lock()


def prepare() -> None:
    """Begin to get ready for the first part, and return at once: nobody need wait for it before handing out parts."""
    threading.Thread(target=_rehearse, name="alf-warm-up", daemon=True).start()


def _rehearse() -> None:
    """Train a small model for an epoch, so that the first run finds everything imported and compiled."""
    warm_up()
    with _warming:
        import safetensors.numpy

        from alf.training.snapshots import snapshot
        from alf.training.trainer import Trainer

        losses = ("ce", "mae", "agce:a=4,q=0.2", "ael:a=3.5")
        trainer = Trainer(recipe := Recipe(data="digits", losses=losses, network="mlp:8", samples=50), recipe.load())
        trainer.run_epoch()
        safetensors.numpy.save(snapshot(trainer))


def warm_up() -> None:
    """Import what training needs; whoever comes while somebody else is at it waits for that."""
    with _warming:  # two threads that import the same modules at once may see half of them
        tune_cpu()
        import safetensors.torch  # noqa: F401
        import torch

        import alf.training.trainer  # noqa: F401

        torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))


def identity(store_url: str) -> str:
    """Return the token of the store that this worker sees under a URL."""
    with closing(Store(store_url)) as store:
        return store.identity
