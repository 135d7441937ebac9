"""What a worker process does: take a part, train it, write every epoch into the store, leave when asked."""

import logging
import os
import socket
import threading
import time

log = logging.getLogger(__name__)

CHECKPOINT_SHARE = 0.004
"""Checkpoints may take this share of the training time; epochs since the last one are computed again after a crash."""
SNAPSHOT_SHARE, MOVING_SHARE = 0.007, 0.008
"""And snapshots this one; of points in the plane more, whose regions are watched as they move."""
TOGETHER = 0.5
"""Seconds between two writes at least: shorter epochs are written several at once, or writing would take 5% of them."""
QUICK = 0.3
"""Seconds a snapshot may take for one to be made when the run is stopped, and an epoch to be ended before it is."""


class Allowance:
    """What something may cost, as a share of the training time.

    Without a guess at its cost the first time comes at once and is free, being slower than the others.
    """

    def __init__(self, share: float, guess: float | None = None):
        self.share, self.spent, self.cost = share, 0.0, guess

    def allows(self, seconds: float) -> bool:
        """Whether it may be done once more after so many seconds of training."""
        return self.cost is None or self.spent + self.cost <= self.share * seconds

    def took(self, since: tuple[float, float]) -> None:
        """Note that it was done, having begun at a moment of `clocks`."""
        # On a busy machine most of the time may be spent waiting for a processor: that is nothing that this costs, and
        # a snapshot that waited a second once would put off the next one for two minutes.
        taken = min(now - then for now, then in zip(clocks(), since, strict=True))
        self.spent += 0.0 if self.cost is None else taken
        self.cost = taken


def clocks() -> tuple[float, float]:
    """Seconds by the clock on the wall, and seconds of processor time of this process."""
    return time.perf_counter(), time.process_time()


def work(store_url: str, part: int, token: str, folder: str | None = None, remote: bool = False) -> str:
    """Compute a part that was claimed for this worker; the store says how it went.

    Returns
    -------
    str
        ``finished``, ``stopped``, ``failed`` or ``lost``: the same as in the store, for the log.
    """
    from alf.runs.claims import Claim, Lost
    from alf.runs.store import Store
    from alf.training.devices import release_memory

    warm_up()
    store = Store(store_url)
    hold = Claim(store, part, token)
    try:
        row = hold.begin({"host": socket.gethostname(), "pid": os.getpid(), "address": _address(), "remote": remote})
        if row is None:
            return "lost"
        if row.stop:
            hold.leave()
            return "stopped"
        return _train(hold, row, folder)
    except Lost:
        return "lost"
    finally:
        store.close()
        release_memory()


def _train(hold, row, folder: str | None) -> str:
    """Train a part's lanes from its checkpoint, or from the start, to the last epoch."""
    import safetensors.numpy
    import safetensors.torch

    from alf.errors import InputError
    from alf.training import inspect
    from alf.training.devices import choose, tune_cpu
    from alf.training.recipe import Recipe
    from alf.training.trainer import Stopped, Trainer

    tune_cpu()
    trainer = None
    saved = shown = True  # what is in the store is as far as the trainer
    epoch_seconds = float("inf")  # not known before the first: it may be long
    pending, written = [], 0.0  # records of finished epochs that are not yet in the store, and when it was written last

    def write(state: bytes | None = None, arrays: bytes | None = None) -> None:
        nonlocal written
        hold.epoch_done(row.result, pending, trainer.epoch, trainer.seconds, trainer.ended, state, arrays)
        pending.clear()
        written = time.perf_counter()

    try:
        recipe = Recipe.from_dict(row.recipe)
        device, note = choose(recipe.device)
        hold.note(note)
        trainer = Trainer(recipe, recipe.load(folder), row.lanes, device)
        checkpoint = hold.checkpoint()
        if checkpoint is not None:
            ended = {int(lane): reason for lane, reason in checkpoint.ended.items()}
            trainer.load_state(safetensors.torch.load(checkpoint.state), ended)
        checkpoints = Allowance(CHECKPOINT_SHARE, guess=0.05)
        snapshots = Allowance(MOVING_SHARE if recipe.dataset.shape == (2,) else SNAPSHOT_SHARE)
        begun = trainer.seconds

        def listen() -> bool:
            return hold.asked_to_stop(trainer.epoch, trainer.share, trainer.seconds)

        while trainer.epoch < recipe.epochs and trainer.alive:
            if hold.asked_to_stop(trainer.epoch):
                raise Stopped
            before, saved = trainer.seconds, False
            # A long epoch is left in the middle, to be gone on with there; a short one is ended first.
            pending += trainer.run_epoch(listen if epoch_seconds > QUICK else None)
            epoch_seconds = trainer.seconds - before
            last, trained = trainer.epoch == recipe.epochs, trainer.seconds - begun
            state = arrays = None
            start = clocks()
            shown = bool(trainer.alive) and (last or snapshots.allows(trained))
            if shown:
                arrays = safetensors.numpy.save(inspect.snapshot(trainer))
                snapshots.took(start)
            start = clocks()
            saved = bool(trainer.alive) and (last or checkpoints.allows(trained))
            if saved:
                state = safetensors.torch.save(trainer.state())
            due = start[0] - written > TOGETHER or row.hold is not None or not trainer.alive
            if shown or saved or due:
                write(state, arrays)
            if saved:
                checkpoints.took(start)
    except Stopped:
        if pending:
            write()
        if not saved:
            state = safetensors.torch.save(trainer.state())
            hold.save(trainer.epoch, trainer.share, trainer.seconds, trainer.ended, state)
        if not (shown or trainer.share) and (snapshots.cost or 0.0) < QUICK:  # a moved model is no epoch's any more
            hold.show(trainer.epoch, safetensors.numpy.save(inspect.snapshot(trainer)))
        hold.leave()
        return "stopped"
    except Exception as error:
        reason = in_words(error)
        if reason is None:
            raise
        if not isinstance(error, InputError):
            log.exception("part %s failed", row.id)
        if pending:  # the curve up to there: the epoch itself counts as done before it has been evaluated
            trainer.epoch = pending[-1]["epoch"]
            write()
        hold.fail(reason)
        return "failed"
    if not trainer.alive:
        hold.fail("All models that one worker trained have diverged; " + next(iter(trainer.ended.values()), ""))
        return "failed"
    hold.finish()
    return "finished"


def in_words(error: Exception) -> str | None:
    """Say in a sentence why a run failed; None for what only concerns the machinery (`Lost`).

    >>> in_words(MemoryError())
    'Out of memory: take fewer models, a smaller network or a smaller batch.'
    """
    from alf.errors import InputError
    from alf.runs.claims import Lost

    if isinstance(error, Lost):
        return None
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

        from alf.training.inspect import snapshot
        from alf.training.recipe import Recipe
        from alf.training.trainer import Trainer

        losses = ("ce", "mae", "agce:a=4,q=0.2", "ael:a=3.5")
        trainer = Trainer(recipe := Recipe(data="digits", losses=losses, network="mlp:8", samples=50), recipe.load())
        trainer.run_epoch()
        safetensors.numpy.save(snapshot(trainer))


def warm_up() -> None:
    """Import what training needs; whoever comes while somebody else is at it waits for that."""
    with _warming:  # two threads that import the same modules at once may see half of them
        from alf.training.devices import tune_cpu

        tune_cpu()
        import safetensors.torch  # noqa: F401
        import torch

        import alf.training.trainer  # noqa: F401

        torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))


def identity(store_url: str) -> str:
    """Return the token of the store that this worker sees under a URL."""
    from alf.runs.store import Store

    store = Store(store_url)
    try:
        return store.identity
    finally:
        store.close()


def _address() -> str | None:
    """Return this worker's Dask address; None outside a worker."""
    from distributed import get_worker

    try:
        return get_worker().address
    except ValueError:
        return None
