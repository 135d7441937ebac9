"""Symbols in the background: claims, ratios and typed formulas go to worker processes that can be killed.

SymPy may never return, and a thread cannot be stopped. Answers are kept: the same question is free the next time.
"""

import multiprocessing
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Any

import streamlit as st
from pebble import ProcessExpired, ProcessPool

from alf.errors import InputError
from alf.losses import Loss, parse
from alf.losses.domain import quoted
from alf.theory import CLAIMS, Step, Verdict
from alf.theory.ratios import Ratio
from alf.theory.verdict import not_defined
from alf.theory.worker import Prover
from ui import jobs

CLAIM_SECONDS = 10.0
RATIO_SECONDS = 8.0
DOCUMENT_SECONDS = 60.0
REGION_SECONDS = 20.0
PARSE_SECONDS = 2.0
KEPT = 4096
CLAIM_WORKERS, QUICK_WORKERS = 2, 1
MEMORY = 4 * 2**30  # bytes of address space for a worker


@dataclass(frozen=True)
class Question:
    """A loss, a noise and a number of classes, about which every claim can be asked."""

    loss: str
    noise: str
    classes: int


class Pool:
    """Killable workers for one kind of question, and their answers by key."""

    def __init__(self, workers: int):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["alf.theory.claims", "flint"])
        self._pool = ProcessPool(workers, max_tasks=200, context=context, initializer=jobs.limit, initargs=(MEMORY,))
        self._lock = threading.Lock()
        self._asked: OrderedDict = OrderedDict()

    def ask(self, key: tuple, function: Callable, arguments: tuple, seconds: float):
        """The future of this question; asked only once."""
        with self._lock:
            if key not in self._asked:
                self._asked[key] = self._pool.schedule(function, args=arguments, timeout=seconds)
                while len(self._asked) > KEPT:
                    self._asked.popitem(last=False)[1].cancel()
            self._asked.move_to_end(key)
            return self._asked[key]


class Claims:
    """The claims asked so far and the workers that prove them (`alf.theory.worker`)."""

    def __init__(self):
        self._prover = Prover(CLAIM_WORKERS, CLAIM_SECONDS)
        self._lock = threading.Lock()
        self._asked: OrderedDict = OrderedDict()

    def answer(self, question: Question, claim: str) -> Verdict | None:
        """The verdict, None while it is being worked on; asked only once."""
        key = (question, claim)
        with self._lock:
            if key not in self._asked:
                self._asked[key] = self._prover.ask(claim, question.loss, question.noise, question.classes)
                while len(self._asked) > KEPT:
                    self._asked.popitem(last=False)[1][0].cancel()
            self._asked.move_to_end(key)
            asked = self._asked[key]
        if not asked[0].done():
            return None
        try:
            return self._prover.answer(claim, asked)
        except InputError as error:
            return not_defined(claim, str(error))


@st.cache_resource(show_spinner=False)
def claims() -> Claims:
    """The claims of this server, shared by its sessions."""
    return Claims()


@st.cache_resource(show_spinner=False)
def quick_pool() -> Pool:
    """The worker for ratios, typed formulas and files, which no long proof can hold up."""
    return Pool(QUICK_WORKERS)


def answers(question: Question) -> dict[str, Verdict | None]:
    """Each claim's verdict, None while it is being worked on."""
    return {claim: answer(question, claim) for claim in CLAIMS}


def document(kind: str, question: Question) -> str:
    """The settled claims as a file: a Python "script" that checks itself, or a "latex" document."""
    verdicts = [verdict for verdict in answers(question).values() if verdict is not None]
    arguments = (kind, question.loss, question.noise, question.classes, verdicts)
    future = quick_pool().ask((kind, question, len(verdicts)), jobs.document, arguments, DOCUMENT_SECONDS)
    value, said = _outcome(future, "The file", DOCUMENT_SECONDS)
    return value if said is None else f'raise SystemExit("{said}")\n'


def regions(question: Question) -> list[dict] | None:
    """Which values of each hyperparameter are enough for the noise, None while that is being worked out.

    Empty where there is nothing to say: no hyperparameters, no noise, or a noise that no loss tolerates.
    """
    if not parse(question.loss).declaration.parameters or question.noise == "none":
        return []
    arguments = (question.loss, question.noise, question.classes)
    future = quick_pool().ask(("regions", question), jobs.regions, arguments, REGION_SECONDS)
    if not future.done():
        return None
    value, said = _outcome(future, "The search", REGION_SECONDS)
    return value if said is None else []


def ratio_of(spec: str) -> Ratio | None:
    """The asymmetry ratio of a loss, None while it is being worked on.

    A loss of the catalogue has a closed form and is answered on the spot; a typed formula goes to a worker.
    """
    if not spec.startswith("formula:"):
        return _known_ratio(spec)
    future = quick_pool().ask(("ratio", spec), jobs.ratio, (spec,), RATIO_SECONDS)
    if not future.done():
        return None
    value, said = _outcome(future, "The ratio", RATIO_SECONDS)
    return value if said is None else Ratio("not_defined", steps=(Step(said, status="undecided"),))


def read_loss(text: str) -> Loss:
    """`alf.losses.parse` for what a stranger wrote: a formula is first read in a worker, with a deadline.

    Raises
    ------
    InputError
        As `parse`, and when the formula could not be read in time.
    """
    if text.strip().lower().startswith("formula:") and len(text) <= 2100:
        future = quick_pool().ask(("parse", text), jobs.read, (text,), PARSE_SECONDS)
        try:
            future.result(timeout=4 * PARSE_SECONDS)
        except InputError:
            raise
        except (Late, ProcessExpired, MemoryError, RecursionError):
            raise InputError(f"formula: it could not be read within {PARSE_SECONDS:g} s: {quoted(text)}") from None
    return parse(text)


def answer(question: Question, claim: str) -> Verdict | None:
    """One claim's verdict, None while it is being worked on."""
    return claims().answer(question, claim)


def _outcome(future, what: str, seconds: float) -> tuple[Any, str | None]:
    """A finished future's value, or the sentence that says why there is none."""
    try:
        return future.result(), None
    except Late:
        return None, f"{what} did not finish within {seconds:.0f} seconds; the worker was stopped."
    except (ProcessExpired, MemoryError):
        return None, f"{what} needed more memory than a worker may use; it was stopped."
    except InputError as error:
        return None, str(error)


@st.cache_data(max_entries=4096, show_spinner=False)
def _known_ratio(spec: str) -> Ratio:
    return jobs.ratio(spec)
