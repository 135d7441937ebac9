"""Claims in worker processes that can be killed: SymPy may never return, and a thread cannot be stopped.

>>> with Prover(workers=1) as prover:
...     prover.verdict("decreasing", "ael:a=2").holds
True
"""

import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import TimeoutError as Late
from pathlib import Path

from alf.theory.progress import follow, last_stage
from alf.theory.verdict import CLAIMS, Verdict, undecided

DEADLINE = 10.0
"""Seconds a claim may take."""

MEMORY = 4 * 2**30
"""Bytes of address space a worker may use."""


class Prover:
    """A pool of killable workers.

    Parameters
    ----------
    workers : int
    seconds : float
        The deadline of a claim; after it the worker is killed, and the verdict says which step did not finish.
    """

    def __init__(self, workers: int = 1, seconds: float = DEADLINE):
        from pebble import ProcessPool

        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["alf.theory.claims", "flint"])
        self.seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="alf-prover-")
        self._count = 0
        self._pool = ProcessPool(workers, max_tasks=200, context=context, initializer=_limit)

    def __enter__(self) -> "Prover":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Stop every worker at once."""
        self._pool.stop()
        self._pool.join()
        self._folder.cleanup()

    def ask(self, claim: str, loss: str, noise: str = "none", classes: int = 10, data: str | None = None):
        """The future of a claim's verdict and the file that follows its steps; `answer` reads both."""
        self._count += 1
        trail = Path(self._folder.name) / str(self._count)
        arguments = (claim, loss, noise, classes, data, str(trail))
        return self._pool.schedule(_prove, args=arguments, timeout=self.seconds), trail

    def answer(self, claim: str, asked) -> Verdict:
        """The verdict of what was asked; `undecided` with the unfinished step where the worker had to be killed.

        Raises
        ------
        InputError
            Where the loss or the noise cannot be read.
        """
        from pebble import ProcessExpired

        future, trail = asked
        try:
            return future.result()
        except Late:
            reason = f"Not finished within {self.seconds:g} seconds: {last_stage(trail)}."
        except (ProcessExpired, MemoryError, RecursionError):
            reason = f"The worker ran out of memory: {last_stage(trail)}."
        return undecided(claim, reason)

    def verdict(
        self, claim: str, loss: str, noise: str = "none", classes: int = 10, data: str | None = None
    ) -> Verdict:
        """One claim's verdict, within the deadline."""
        return self.answer(claim, self.ask(claim, loss, noise, classes, data))

    def verify(
        self, loss: str, noise: str = "none", classes: int = 10, claims=CLAIMS, data: str | None = None
    ) -> Iterator[Verdict]:
        """One verdict per claim, in order; all are asked at once."""
        asked = [self.ask(claim, loss, noise, classes, data) for claim in claims]
        for claim, one in zip(claims, asked, strict=True):
            yield self.answer(claim, one)


def _limit() -> None:
    """What a worker may use; a system without such limits has none."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _prove(claim: str, loss: str, noise: str, classes: int, data: str | None, trail: str) -> Verdict:
    from alf.losses import parse
    from alf.noise import parse_noise
    from alf.theory.claims import prove
    from alf.theory.progress import stage

    follow(trail)
    stage("reading the loss")
    parsed = parse(loss)
    model = parse_noise(noise, classes, data)
    stage(f"deciding '{claim.replace('_', ' ')}'")
    found = prove(claim, parsed, model, classes)
    os.unlink(trail)
    return found
