"""The theory engine's workers, shared by all sessions of this server, and what was asked of them.

The workers are `alf.theory.worker.Prover`'s: they can be killed at a deadline. Here answers are kept, so that the same
question is free the next time, and a page that asks again while a worker is busy gets None instead of waiting.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from alf.errors import InputError
from alf.losses import Loss, parse
from alf.theory import CLAIMS, Step, Verdict
from alf.theory.ratios import Ratio
from alf.theory.verdict import not_defined
from alf.theory.worker import Asked, Prover, Unfinished
from ui import jobs

DOCUMENT_SECONDS = 60.0
REGION_SECONDS = 20.0
LATE = "late"
"""The status of a region that was not worked out by its deadline."""
KEPT = 4096
WORKERS = 2


@dataclass(frozen=True)
class Question:
    """A loss, a noise and a number of classes, about which every claim can be asked."""

    loss: str
    noise: str
    classes: int


class Questions:
    """What was asked, by key; each is asked only once."""

    def __init__(self):
        self._prover = Prover(WORKERS)
        self._lock = threading.Lock()
        self._asked: OrderedDict = OrderedDict()

    def ask(self, key: tuple, ask: Callable[[Prover], Asked]) -> Asked:
        """The question under this key."""
        with self._lock:
            if key not in self._asked:
                self._asked[key] = ask(self._prover)
                while len(self._asked) > KEPT:
                    self._asked.popitem(last=False)[1].forget()
            self._asked.move_to_end(key)
            return self._asked[key]

    def read(self, text: str) -> str:
        """See `Prover.read`; a text that was a loss once is one."""
        key = ("read", text)
        with self._lock:
            if key in self._asked:
                return self._asked[key].spec
        found = _Read(self._prover.read(text))
        with self._lock:
            self._asked[key] = found
        return found.spec


@dataclass(frozen=True)
class _Read:
    """A text that was read, kept among the questions."""

    spec: str

    def forget(self) -> None:
        """Nothing is under way."""


@st.cache_resource(show_spinner=False)
def questions() -> Questions:
    """The questions of this server, shared by its sessions."""
    return Questions()


def begin() -> None:
    """A page begins to run, and will ask for all it wants."""


def settle() -> None:
    """A page has asked for all it wants."""


def answers(question: Question) -> dict[str, Verdict | None]:
    """Each claim's verdict, None while it is being worked on."""
    return {claim: answer(question, claim) for claim in CLAIMS}


def answer(question: Question, claim: str) -> Verdict | None:
    """One claim's verdict, None while it is being worked on."""
    asked = questions().ask(
        (question, claim), lambda prover: prover.ask(claim, question.loss, question.noise, question.classes)
    )
    if not asked.done():
        return None
    try:
        return Prover.answer(claim, asked)
    except InputError as error:
        return not_defined(claim, str(error))


def document(kind: str, question: Question) -> str:
    """The settled claims as a file: a Python "script" that checks itself, or a "latex" document."""
    verdicts = [verdict for verdict in answers(question).values() if verdict is not None]
    arguments = (kind, question.loss, question.noise, question.classes, verdicts)
    asked = questions().ask(
        (kind, question, len(verdicts)),
        lambda prover: prover.submit(jobs.document, *arguments, seconds=DOCUMENT_SECONDS),
    )
    try:
        return asked.result()
    except Unfinished as why:
        return f'raise SystemExit("The file could not be written: {why}")\n'


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
            found.append(
                {"name": name, "status": LATE, "everywhere": False, "intervals": [], "moved": [], "formulas": []}
            )
        except InputError:
            return []
    return found


def _region(question: Question, name: str) -> Asked:
    arguments = (question.loss, question.noise, question.classes, name)
    return questions().ask(
        ("region", question, name), lambda prover: prover.submit(jobs.region, *arguments, seconds=REGION_SECONDS)
    )


def ratio_of(spec: str) -> Ratio | None:
    """The asymmetry ratio of a loss, None while it is being worked on.

    A loss of the catalogue has a closed form and is answered on the spot; a typed formula goes to a worker.
    """
    if not spec.startswith("formula:"):
        return _known_ratio(spec)
    asked = questions().ask(("ratio", spec), lambda prover: prover.submit(jobs.ratio, spec, quick=True))
    if not asked.done():
        return None
    try:
        return asked.result()
    except (Unfinished, InputError) as why:
        return Ratio("not_defined", steps=(Step(str(why), status="undecided"),))


def read_loss(text: str) -> Loss:
    """`alf.losses.parse` for what a stranger wrote: a formula is first read, and looked over, in a worker.

    Raises
    ------
    InputError
        As `Prover.read`.
    """
    return parse(questions().read(text))


@st.cache_data(max_entries=4096, show_spinner=False)
def _known_ratio(spec: str) -> Ratio:
    return jobs.ratio(spec)
