"""The theory engine's workers, shared by all sessions of this server, and what was asked of them.

The workers are `alf.theory.asking.prover.Prover`'s: they can be killed at a deadline. In front of them sessions take
turns (`ui.asking.turns`); answers are kept, so that the same question is free the next time, and a page that asks again
while a worker is busy gets None instead of waiting. Nothing symbolic is worked out in the server itself.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from alf.errors import InputError
from alf.losses import Loss, is_formula, parse
from alf.theory import CLAIMS, Verdict
from alf.theory.asking.prover import BUSY_SECONDS, Asked, Prover, Unfinished, reading
from alf.theory.verdict import Status, not_defined, undecided
from ui.asking import jobs
from ui.asking.turns import KEPT, Ticket, Turns

DOCUMENT_SECONDS = 60.0


REGION_SECONDS = 20.0


RATIO_SECONDS = 5.0


GLANCE = 0.3
"""Seconds that a page waits for a ratio: most are there by then, and nothing flickers."""


LATE = "late"
"""The status of a region that was not worked out by its deadline."""


WORKERS, QUICK = 2, 2


CROWD = 12
"""So many waiting questions of others are worth a word."""


class Question(NamedTuple):
    """A loss, a noise and a number of classes, about which every claim can be asked."""

    loss: str
    noise: str
    classes: int


class Questions:
    """What was asked, by key; each is asked only once, on behalf of whoever wants to know."""

    def __init__(self):
        self._prover = Prover(WORKERS, quick=QUICK)
        self._long, self._quick = Turns(WORKERS), Turns(QUICK)
        self._lock = threading.Lock()
        self._specs: OrderedDict[str, str] = OrderedDict()

    def ask(
        self, function: Callable, *arguments, quick: bool = False, key: Hashable = None, **deadline: float
    ) -> Ticket:
        """What a function says of its arguments; `quick` for what a reader waits for at the keyboard.

        The same question has the same function and arguments, or the same key where one is given.
        """

        def start() -> Asked:
            return self._prover.submit(function, *arguments, quick=quick, **deadline)

        return (self._quick if quick else self._long).ask(key or (function, *arguments), start, _who())

    def read(self, text: str, wait: float = BUSY_SECONDS) -> str:
        """See `Prover.read`; a text that was a loss once is one."""
        if not is_formula(text) or len(text) > 4000:
            return parse(text).spec
        with self._lock:
            if text in self._specs:
                return self._specs[text]
        spec = reading(text, partial(self.ask, quick=True), wait)
        with self._lock:
            self._specs |= {text: spec, spec: spec}
            while len(self._specs) > KEPT:
                self._specs.popitem(last=False)
        return spec

    def settle(self, since: float) -> None:
        """A page has asked for all it wants: what it wanted before, and not again since, is dropped."""
        for turns in (self._long, self._quick):
            turns.settle(_who(), since)

    def ahead(self) -> int:
        """How many questions of others wait."""
        return self._long.ahead(_who())


def _who() -> str:
    """The session on whose behalf a question is asked."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else "nobody"


@st.cache_resource(show_spinner=False)
def questions() -> Questions:
    """The questions of this server, shared by its sessions."""
    return Questions()


def crowd() -> str:
    """A sentence where many questions of others wait, else nothing."""
    waiting = questions().ahead()
    return (
        f"The server is busy: it answers your questions and {waiting} of other readers in turn."
        if waiting >= CROWD
        else ""
    )


def answers(question: Question) -> dict[str, Verdict | None]:
    """Each claim's verdict, None while it is being worked on."""
    return {claim: answer(question, claim) for claim in CLAIMS}


def answer(question: Question, claim: str) -> Verdict | None:
    """One claim's verdict, None while it is being worked on."""
    found = _settled(question, claim)
    return None if found is None else found.verdict


def _settled(question: Question, claim: str) -> jobs.Settled | None:
    asked = questions().ask(jobs.claim, claim, *question)
    if not asked.done():
        return None
    try:
        return asked.result()
    except Unfinished as why:
        return jobs.settled(undecided(claim, str(why)))
    except InputError as error:
        return jobs.settled(not_defined(claim, str(error)))


def document(kind: str, question: Question, wait: float | None = None) -> str:
    """The settled claims as a file: a Python "script" that checks itself, or a "latex" document.

    Raises
    ------
    Unfinished, InputError
        Where it could not be written, or not within `wait` seconds.
    """
    wholes = tuple(found.whole for claim in CLAIMS if (found := _settled(question, claim)) is not None)
    return questions().ask(jobs.document, kind, *question, wholes, seconds=DOCUMENT_SECONDS).result(wait)


def snippet(question: Question, claim: str, wait: float | None = None) -> str:
    """One settled claim as a LaTeX document; raises as `document`."""
    whole = _settled(question, claim).whole
    return questions().ask(jobs.document, "latex", *question, (whole,), quick=True).result(wait)


def regions(question: Question) -> list[dict] | None:
    """Which values of each hyperparameter tolerate the noise, None while that is being worked out.

    Empty where there is nothing to say: no hyperparameters, no noise, or a noise that no loss tolerates. Every
    hyperparameter has a deadline of its own; the status of one that missed it is "late".
    """
    parameters = parse(question.loss).declaration.parameters
    if not parameters or question.noise == "none":
        return []
    asked = [(parameter.name, _region(question, parameter.name)) for parameter in parameters]
    if not all(one.done() for _, one in asked):
        return None
    found = []
    for name, one in asked:
        try:
            found.append(one.result())
        except Unfinished:
            found.append(dict(name=name, status=LATE, everywhere=False, intervals=[], suggested=[], formulas=[]))
        except InputError:
            return []
    return found


def _region(question: Question, name: str) -> Ticket:
    return questions().ask(jobs.region, *question, name, seconds=REGION_SECONDS)


def ratio_of(spec: str) -> jobs.KnownRatio | None:
    """The asymmetry ratio of a loss, None while it is being worked on."""
    asked = questions().ask(jobs.ratio, spec, seconds=RATIO_SECONDS, quick=True)
    try:
        return asked.result(GLANCE)
    except Unfinished as why:
        return None if not asked.done() else jobs.KnownRatio(Status.NOT_DEFINED, reason=str(why))
    except InputError as why:
        return jobs.KnownRatio(Status.NOT_DEFINED, reason=str(why))


def tolerated(question: Question) -> jobs.KnownPart | None:
    """How far on the way to the noise asked about a loss tolerates it, None while it is being worked on."""
    asked = questions().ask(jobs.tolerated, *question, seconds=REGION_SECONDS)
    if not asked.done():
        return None
    try:
        return asked.result()
    except (Unfinished, InputError):
        return jobs.KnownPart(Status.UNDECIDED)


def latex_of(spec: str) -> str:
    """A loss's formula in LaTeX; empty while that is being worked on, or where it takes too long."""
    if not is_formula(spec):
        return _latex(spec)  # the declaration's own symbols: no value is put in
    try:
        return questions().ask(jobs.latex, spec, seconds=RATIO_SECONDS, quick=True).result(GLANCE)
    except (Unfinished, InputError):
        return ""


_latex = st.cache_data(max_entries=4096, show_spinner=False)(jobs.latex)


def grid(spec: str, **values) -> np.ndarray:
    """The ratio over arrays of hyperparameters, worked out by the closed form in a worker; see `jobs.grids`.

    Raises
    ------
    Unfinished
        Where no worker answered in time: `ui.shell.run` says so in place of the page.
    """
    return _compute(jobs.grids, spec, values)


@st.cache_resource(show_spinner=False)
def families() -> tuple[str, ...]:
    """See `jobs.families`. Nothing that a reader wrote is in it: it may take as long as a busy machine needs."""
    return _compute(jobs.families, seconds=BUSY_SECONDS)


def _compute(function: Callable, *arguments, **deadline: float):
    """An answer without which there is no page: it is waited for, and kept by the caller."""
    return questions().ask(function, *arguments, quick=True, key=object(), **deadline).result(BUSY_SECONDS)


def read_loss(text: str) -> Loss:
    """`alf.losses.parse` for what a stranger wrote: a formula is first read, and looked over, in a worker.

    Raises
    ------
    InputError
        As `Prover.read`.
    """
    return parse(questions().read(text))


class Reading:
    """A reader of the losses of one file: so many formulas at the most, and one deadline for all of it."""

    def __init__(self, most: int, seconds: float):
        self._left, self._most, self._end, self._seconds = most, most, time.monotonic() + seconds, seconds

    def __call__(self, text: str) -> Loss:
        """The loss of a text; see `read_loss`."""
        if is_formula(text):
            self._left -= 1
            if self._left < 0:
                raise InputError(f"recipe: at most {self._most} formulas may be in one file, got more")
            if (left := self._end - time.monotonic()) <= 0:
                raise InputError(f"recipe: its formulas could not be read within {self._seconds:g} seconds")
            return parse(questions().read(text, left))
        return parse(text)
