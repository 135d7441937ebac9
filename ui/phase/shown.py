"""The map that the page shows: the reader's own as far as it is, or one that ships with the project."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from alf.errors import InputError
from alf.phase import Cell, Measured, PhaseMap
from alf.phase.recorded_map import MAPS, RecordedMap, recorded_map
from alf.phase.sweep import State, Sweep, SweepState, sweep_of
from alf.phase.theory import SECONDS, Critical, Question, answer, questions
from alf.theory.asking.prover import Unfinished
from alf.theory.verdict import Status
from ui.asking.page_questions import questions as of_server
from ui.phase.fields import map_of
from ui.state.view import View
from ui.training import session


@dataclass(frozen=True)
class Shown:
    """A map as the page shows it.

    Attributes
    ----------
    phase
        What is drawn.
    cells, answers
        What was measured, and what theory says so far.
    asking
        Whether theory is still being asked.
    sweep, state
        Of the reader's own map; None where the controls describe none.
    recording
        Where the map is a recorded one.
    problem
        Why the controls describe no map, in a sentence.
    """

    phase: PhaseMap
    cells: Mapping[Cell, Measured]
    answers: Mapping[Question, Critical]
    asking: bool = False
    sweep: Sweep | None = field(default=None, repr=False)
    state: State | None = None
    recording: RecordedMap | None = None
    problem: str | None = None

    @property
    def active(self) -> bool:
        """Whether it goes on by itself."""
        return self.state is not None and self.state.active


def own_sweep() -> Sweep:
    """The reader's map as the controls describe it.

    Raises
    ------
    InputError
        They describe none, or one that is too large.
    """
    return sweep_of(map_of(View.now()), session.engine(), session.owner(), View.now()["measure"])


def shown(advance: bool = False) -> Shown:
    """The map of the controls, or where nothing of it was started a recorded one.

    With `advance` the workers are given more to do, where the map is going on.
    """
    try:
        sweep = own_sweep()
    except InputError as error:
        return _recorded(problem=str(error))
    state = sweep.look()
    if advance and state.active:
        state = sweep.advance()
    if state.status == SweepState.NEW:
        return _recorded(sweep.phase, sweep, state)
    answers, asking = asked(sweep.phase)
    return Shown(sweep.phase, state.cells, answers, asking, sweep, state)


def _recorded(wanted: PhaseMap | None = None, sweep: Sweep | None = None, state=None, problem: str | None = None):
    """The recorded map that the controls describe, else the first one."""
    found = [recorded_map(name) for name in MAPS]
    one = next((one for one in found if one.phase == wanted), found[0])
    return Shown(one.phase, one.cells, one.answers, False, sweep, state, one, problem)


def asked(phase: PhaseMap) -> tuple[dict[Question, Critical], bool]:
    """What theory has answered so far, and whether more is to come; to ask again keeps the questions wanted."""
    answers, asking = {}, False
    for question in _questions(phase):
        ticket = of_server().ask(answer, question, seconds=SECONDS)
        if not ticket.done():
            asking = True
            continue
        try:
            answers[question] = ticket.result()
        except (Unfinished, InputError) as why:
            answers[question] = Critical(Status.UNDECIDED, why=str(why))
    return answers, asking


_questions = lru_cache(maxsize=32)(questions)
