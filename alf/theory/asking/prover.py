"""Questions answered in worker processes that can be killed: SymPy may never return, and a thread cannot be stopped.

Claims are what takes long; reading what a stranger typed, and ratios, go to a worker of their own, so that no proof
holds them up. Every question has a deadline; one that was killed says at which step.

>>> with Prover(workers=1) as prover:
...     [verdict.holds for verdict in prover.verify("ael:a=2", claims=("decreasing", "concave"))]
[True, False]
"""

import contextlib
import functools
import itertools
import math
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Future
from concurrent.futures import TimeoutError as Late
from concurrent.futures import wait as futures_wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alf.errors import InputError, quoted
from alf.losses import is_formula, parse
from alf.losses.javascript import source
from alf.noise import parse_noise
from alf.theory.claims.prove import prove
from alf.theory.curve.profile import find_rise
from alf.theory.curve.shape import shape_of
from alf.theory.failures import stopped
from alf.theory.progress import follow, last_stage, stage
from alf.theory.verdict import CLAIMS, Verdict, undecided
from alf.theory.witnesses.witness import witness

DEADLINE = 10.0
"""Seconds a claim may take."""


READ_SECONDS = 3.0


DESCENT_SECONDS = 1.0
"""Seconds for reading a typed formula, and for looking whether it rises somewhere."""


BUSY_SECONDS = 30.0
"""Seconds to wait for a free worker when a formula is read."""


LOOK = 1.0
"""Seconds between looks at whether somebody is still at work on a question that is waited for."""

MEMORY = 4 * 2**30
"""Bytes of address space a worker may use."""


_LONGEST = 2100  # a longer text is refused before anything looks into it


class Unfinished(Exception):
    """A question whose worker had to be stopped; the text is a sentence that says why and at which step."""


@dataclass(frozen=True)
class Asked:
    """A question on its way: the future of its answer, the file that follows its steps, its deadline.

    `lost` says whether nobody works on it any more: a pool of pebble's that breaks while a question is on its way to a
    worker leaves the question without an answer.
    """

    future: Future
    trail: Path
    seconds: float
    lost: Callable[[], bool] = lambda: False

    def done(self) -> bool:
        """Whether `result` answers at once."""
        return self.future.done() or self.lost()

    def final(self) -> bool:
        """Whether it is answered as it would be another time: it did not miss its deadline and lost no worker."""
        from pebble import ProcessExpired

        if not self.future.done() or self.future.cancelled():
            return False
        return not isinstance(self.future.exception(), (Late, ProcessExpired, BrokenExecutor))

    def forget(self) -> None:
        """Nobody will read the answer."""
        self.future.cancel()
        self.trail.unlink(missing_ok=True)

    def result(self, wait: float | None = None) -> Any:
        """The answer.

        Parameters
        ----------
        wait : float, optional
            Seconds to wait for it; a question that has a worker ends by itself at its deadline.

        Raises
        ------
        Unfinished
            Where the worker had to be stopped, or none became free.
        InputError
            As the function that was asked.
        """
        from pebble import ProcessExpired

        end = math.inf if wait is None else time.monotonic() + wait
        try:
            while not self.future.done() and not self.lost() and time.monotonic() < end:
                futures_wait((self.future,), min(LOOK, max(0.0, end - time.monotonic())))
            if self.future.done():
                return self.future.result()
        except CancelledError:
            raise Unfinished("Nobody waited for the answer any more.") from None
        except Late:
            raise Unfinished(f"Not finished within {self.seconds:g} seconds: {last_stage(self.trail)}.") from None
        except BrokenExecutor:
            raise Unfinished("Its worker was lost.") from None
        except (ProcessExpired, MemoryError, RecursionError):
            raise Unfinished(f"The worker ran out of memory: {last_stage(self.trail)}.") from None
        gone = self.lost()
        self.forget()
        raise Unfinished("Its worker was lost." if gone else f"No worker became free within {wait:g} seconds.")


class Prover:
    """Killable workers, the only ones there are for symbols.

    Parameters
    ----------
    workers : int
        Processes for claims and other long questions; each starts with the first question.
    seconds : float
        The deadline of a claim; after it the worker is killed, and the verdict says which step did not finish.
    quick : int
        Processes for short questions.
    """

    def __init__(self, workers: int = 1, seconds: float = DEADLINE, quick: int = 1):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["alf.theory.asking.prover", "alf.losses.numeric", "flint"])
        self.seconds = seconds
        self._folder = tempfile.TemporaryDirectory(prefix="alf-prover-")
        self._count = itertools.count()
        self._context, self._sizes = context, (workers, quick)
        self._pools = [self._fresh(count) for count in self._sizes]
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> "Prover":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Stop every worker at once."""
        with self._lock:
            self._closed = True
        for pool in self._pools:
            pool.stop()
            pool.join()
        self._folder.cleanup()

    def _fresh(self, count: int):
        from pebble import ProcessPool

        return ProcessPool(count, max_tasks=200, context=self._context, initializer=_begin)

    def _pool(self, quick: bool):
        """The long or the quick pool; a new one where pebble has given it up, which it does for good."""
        with self._lock:
            pool = self._pools[quick]
            if not pool.active and not self._closed:
                pool.stop()  # ends what was under way
                pool = self._pools[quick] = self._fresh(self._sizes[quick])
            return pool

    def submit(self, function: Callable, *arguments, seconds: float | None = None, quick: bool = False) -> Asked:
        """Ask any module-level function; its steps are followed (`alf.theory.progress.stage`)."""
        trail = Path(self._folder.name) / str(next(self._count))
        seconds = self.seconds if seconds is None else seconds
        pool = self._pool(quick)
        future = pool.schedule(followed, args=(str(trail), function, arguments), timeout=seconds)
        return Asked(future, trail, seconds, lambda: not pool.active)

    def verify(
        self, loss: str, noise: str = "none", classes: int = 10, claims=CLAIMS, data: str | None = None
    ) -> Iterator[Verdict]:
        """One verdict per claim, in order, each within the deadline; all are asked at once.

        A claim whose worker had to be killed is `undecided`, with the step that did not finish.

        Raises
        ------
        InputError
            Where the loss or the noise cannot be read.
        """
        asked = [self.submit(decide, claim, loss, noise, classes, data) for claim in claims]
        for claim, one in zip(claims, asked, strict=True):
            try:
                yield one.result()
            except Unfinished as why:
                yield undecided(claim, str(why))

    def read(self, text: str) -> str:
        """The canonical spec of a loss that a stranger typed.

        A formula is read in a worker, with a deadline, and then held against the sign prover for a second: where that
        finds a stretch on which l does not fall, however narrow, the formula is refused with two points that show it.
        Where the second is not enough the formula is accepted, and the claim "decreasing" answers.

        Raises
        ------
        InputError
            For anything that is not a loss.

        Examples
        --------
        >>> with Prover() as prover:
        ...     prover.read("formula: 1 - u + exp(-((u-0.3333)*5000)**2)/1000")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ...
        alf.errors.InputError: formula: l must not rise on (0, 1], got l(0.333007...) = ...
        """
        if len(text) > _LONGEST or not is_formula(text):
            return parse(text).spec
        return reading(text, functools.partial(self.submit, quick=True))


def reading(text: str, submit: Callable, wait: float = BUSY_SECONDS) -> str:
    """What `Prover.read` does with a formula; `submit(function, *arguments, seconds=...)` hands it to a worker.

    `wait` are the seconds for all of it, waiting for a free worker included.
    """
    end = time.monotonic() + wait
    try:
        spec = submit(read, text, seconds=READ_SECONDS).result(wait)
    except Unfinished as why:
        raise InputError(f"formula: it could not be read: {_small(why)} Got {quoted(text)}") from None
    with contextlib.suppress(Unfinished):  # not settled in a second: the claim "decreasing" will say
        submit(refuse_rise, spec, seconds=DESCENT_SECONDS).result(max(0.0, end - time.monotonic()))
    return spec


def _small(why: Unfinished) -> str:
    text = str(why)
    return text[:1].lower() + text[1:]


def _begin() -> None:
    """What a worker may use, on systems that have such limits; and it ends with the process that asks it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _end_with_parent() -> None:
    """Without this a claim that never returns outlives a server that was killed: nobody is left to stop it."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this runs in a worker
    parent.join()
    os._exit(1)


# --- what the workers run ------------------------------------------------------------


def followed(trail: str, function: Callable, arguments: tuple) -> Any:
    """Answer a question with its steps written to a file, which stays where something else than bad input stops it."""
    follow(trail)
    stage("reading the loss")
    try:
        value = function(*arguments)
    except InputError:
        Path(trail).unlink(missing_ok=True)
        raise
    Path(trail).unlink(missing_ok=True)  # whatever else stops it leaves the step it was at
    return value


def decide(claim: str, loss: str, noise: str, classes: int, data: str | None = None) -> Verdict:
    """A claim, decided in this process; the steps on the way are followed."""
    parsed = parse(loss)
    model = parse_noise(noise, classes, data)
    stage(f"deciding '{claim.replace('_', ' ')}'")
    return prove(claim, parsed, model, classes)


def read(text: str) -> str:
    """Read a formula, and try what a page or a table will do with it: none of that may take longer than reading may."""
    loss = parse(text)
    stage("preparing its curve")
    points = (0.0, 0.25, 0.5, 1.0)
    loss.value(points), loss.derivative(points), loss.sample_weight(points)
    stage("printing it")
    source(loss.declaration), loss.latex()
    return loss.spec


def refuse_rise(spec: str) -> None:
    """Refuse a formula that has no value somewhere in (0, 1), or rises somewhere, with two points that show it."""
    try:
        shape = shape_of(parse(spec).exact)
        found = None if shape.gap is not None and shape.gap.shown else find_rise(shape)
    except Exception as error:  # the claim "decreasing" will say so too
        stopped(error, f"whether {spec} rises")
        return
    if shape.gap is not None and shape.gap.shown:
        raise InputError(f"formula: {shape.gap.reason}")
    shown = None if found is None else witness("rise", shape, found)
    if found is not None and shown is not None and shown.relation == ">":
        (x, y), (last, first) = found, shown.shown
        got = f"got l({float(x):.12g}) = {first} and l({float(y):.12g}) = {last}"
        raise InputError(f"formula: l must not rise on (0, 1], {got}")
