"""Claims in the background: each is proved in a worker process that can be killed, and its answer kept."""

import multiprocessing
import threading
from collections import OrderedDict
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass

import streamlit as st
from pebble import ProcessExpired, ProcessPool

from alf.errors import InputError
from alf.theory import CLAIMS, Step, Verdict

DEADLINE = 10.0  # seconds for one claim
KEPT = 4096
WORKERS = 2


@dataclass(frozen=True)
class Question:
    """A loss, a noise and a number of classes, about which every claim can be asked."""

    loss: str
    noise: str
    classes: int


class Prover:
    """Asks the workers, remembers what they said."""

    def __init__(self):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["alf.theory.claims", "flint"])
        self._pool = ProcessPool(WORKERS, max_tasks=200, context=context)
        self._lock = threading.Lock()
        self._asked: OrderedDict = OrderedDict()

    def answers(self, question: Question) -> dict[str, Verdict | None]:
        """Each claim's verdict, None while it is being worked on. Asks for those that nobody asked for yet."""
        return {claim: self._answer(question, claim) for claim in CLAIMS}

    def _answer(self, question: Question, claim: str) -> Verdict | None:
        key = (question, claim)
        with self._lock:
            if key not in self._asked:
                self._asked[key] = self._pool.schedule(
                    _prove, args=(claim, question.loss, question.noise, question.classes), timeout=DEADLINE
                )
                while len(self._asked) > KEPT:
                    self._asked.popitem(last=False)[1].cancel()
            self._asked.move_to_end(key)
            future = self._asked[key]
        if not future.done():
            return None
        try:
            return future.result()
        except Late:
            return _undecided(
                claim, f"This claim did not finish within {DEADLINE:.0f} seconds; its worker was stopped."
            )
        except (ProcessExpired, MemoryError):
            return _undecided(claim, "The worker ran out of its memory limit on this claim and was stopped.")
        except InputError as error:
            return Verdict(claim, "not_defined", None, (Step(str(error), status="not_defined"),))


@st.cache_resource(show_spinner=False)
def prover() -> Prover:
    """The one prover of this server."""
    return Prover()


def _undecided(claim: str, text: str) -> Verdict:
    return Verdict(claim, "undecided", None, (Step(text, status="undecided"),))


def _prove(claim: str, loss: str, noise: str, classes: int) -> Verdict:
    from alf.losses import parse
    from alf.noise import parse_noise
    from alf.theory import prove

    return prove(claim, parse(loss), parse_noise(noise, classes), classes)
