"""What theory says of the cells of a map: the ratio of a cell's loss, and the noise rate up to which it is tolerated.

Cells ask few different questions: `questions` lists them, `answer` answers one (in a worker of a
`alf.theory.asking.prover.Prover`: symbols may take long), `of_cell` and `curve` say what follows for the map.

>>> from alf.phase import Cell, PhaseMap, parse_axis
>>> from alf.training import Recipe
>>> recipe = Recipe(data="digits", losses=("agce:a=1,q=0.6",), noise=("pair:0.4",))
>>> phase = PhaseMap(recipe, parse_axis("a=0.6,6"), parse_axis("noise=0.1:0.5:5"))
>>> answers = {question: answer(question) for question in questions(phase)}
>>> [round(point.critical.rate, 4) for point in curve(phase, 0, answers).points]
[0.4032, 0.4846]
>>> of_cell(phase, Cell(0, 0, 3), answers).tolerated, of_cell(phase, Cell(0, 0, 4), answers).tolerated
(True, False)
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from alf.data import dataset
from alf.losses import parse
from alf.noise import Noise, parse_noise
from alf.phase.axes import Axis
from alf.phase.phase_map import Cell, PhaseMap
from alf.theory import prove, ratio, tolerated_rate
from alf.theory.asking.prover import Asked, Prover, Unfinished
from alf.theory.verdict import Status

SECONDS = 10.0
"""The deadline of a question."""
NEAR = 1e-12
"""Cells that are as close to a critical rate as this are on neither side of it."""


class Question(NamedTuple):
    """What a loss tolerates, of a noise: ``symmetric`` or ``pair`` at any rate, a noise spec, or empty for none."""

    loss: str
    noise: str
    classes: int


@dataclass(frozen=True)
class Critical:
    """An answer.

    Attributes
    ----------
    status
        ``proved``, ``certified``, ``undecided`` or ``not_defined``: of the critical rate, or of what `holds` says.
    rate, interval
        The rate up to which the loss tolerates the noise: it does below the interval, and does not above it. None where
        the noise has no rate or nothing is known.
    holds
        Whether the loss tolerates this noise, where it is one noise instead of a rate.
    ratio, upper_ratio
        The asymmetry ratio; None where none is defined.
    why
        Why something is not known, in a sentence, or None.
    """

    status: str
    rate: float | None = None
    interval: tuple[float, float] | None = None
    holds: bool | None = None
    ratio: float | None = None
    upper_ratio: float | None = None
    why: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` takes them back."""
        return asdict(self) | {"status": str(self.status), "interval": self.interval and list(self.interval)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Critical":
        """Make it from JSON values."""
        return cls(**dict(values) | {"interval": values["interval"] and tuple(values["interval"])})


@dataclass(frozen=True)
class CellTheory:
    """What follows for a cell.

    Attributes
    ----------
    ratio
        The asymmetry ratio of its loss, or None.
    margin
        The ratio times how much likelier the true label is than any other: above 1 the loss is asymmetric on every
        label's weights. None where there is no ratio or nothing is flipped.
    critical
        The critical rate of its kind of noise, or None.
    tolerated
        Whether the loss tolerates the cell's noise; None where that is not known, or the cell lies on the boundary.
    status
        Of the critical rate.
    """

    ratio: float | None
    margin: float | None
    critical: float | None
    tolerated: bool | None
    status: str


class Point(NamedTuple):
    """The critical rate at a value of the other axis; None while it was not answered."""

    value: float
    critical: Critical | None


@dataclass(frozen=True)
class Curve:
    """The critical rates along an axis: `rates` is the axis on which they are read, ``x`` or ``y``."""

    rates: str
    points: tuple[Point, ...]


def question(phase: PhaseMap, cell: Cell) -> Question:
    """The question that a cell asks.

    Asymmetric noise flips a label to one other, or not at all: what tolerates pair noise of a rate tolerates it.
    """
    classes, noise = dataset(phase.data(cell)).classes, phase.noise(cell)
    kind = noise.partition(":")[0]
    asked = {"symmetric": "symmetric", "pair": "pair", "asymmetric": "pair", "matrix": noise}.get(kind, "")
    return Question(phase.loss(cell), asked, classes)


def questions(phase: PhaseMap) -> tuple[Question, ...]:
    """The questions that a map's cells ask, each once."""
    x, y = ({axis.kind} <= {"noise", "lr", "samples"} for axis in phase.axes)  # they ask the same all along those
    few = (cell for cell in phase.cells if not (x and cell.x) and not (y and cell.y))
    return tuple(dict.fromkeys(question(phase, cell) for cell in few))


def answer(asked: Question) -> Critical:
    """Answer a question, in this process.

    >>> answer(Question("nce+ael:alpha=1,beta=4,a=5", "pair", 10)).interval
    (0.45013427734375, 0.4501953125)
    >>> answer(Question("ce", "", 10)).ratio, answer(Question("ce", "", 10)).rate
    (0.0, None)
    """
    loss = parse(asked.loss)
    found = ratio(loss)
    known = {"ratio": found.value, "upper_ratio": found.upper_value}
    if not asked.noise:
        why = "The noise has no transition matrix: which labels are flipped depends on the input."
        return Critical(Status.NOT_DEFINED, why=why, **known)
    if ":" in asked.noise:
        verdict = prove("noise_tolerant", loss, parse_noise(asked.noise, asked.classes), asked.classes)
        return Critical(verdict.status, holds=verdict.holds, **known)
    tolerated = tolerated_rate(loss, asked.noise, asked.classes)
    if tolerated.status == Status.UNDECIDED:
        why = "Neither the ratio nor a direct minimisation settles it."
        return Critical(Status.UNDECIDED, None, tolerated.interval, why=why, **known)
    return Critical(tolerated.status, tolerated.rate, tolerated.interval, **known)


def asked_of(prover: Prover, asked: Iterable[Question], seconds: float = SECONDS) -> dict[Question, Asked]:
    """Have questions answered by worker processes; `settled` reads the answers."""
    return {one: prover.submit(answer, one, seconds=seconds) for one in asked}


def settled(asked: Asked) -> Critical:
    """The answer to a question, waited for; one that is not answered in time is undecided, with the reason."""
    try:
        found: Critical = asked.result()
    except Unfinished as why:
        return Critical(Status.UNDECIDED, why=str(why))
    return found


def curve(phase: PhaseMap, loss: int, answers: Mapping[Question, Critical]) -> Curve | None:
    """The critical rates over the map of one of its losses; None where no axis is the noise rate."""
    kinds = [axis.kind for axis in phase.axes]
    if "noise" not in kinds:
        return None
    rates = "xy"[kinds.index("noise")]
    other: Axis = phase.x if rates == "y" else phase.y
    places = (Cell(loss, i, 0) if rates == "y" else Cell(loss, 0, i) for i in range(len(other)))
    found = (answers.get(question(phase, cell)) for cell in places)
    return Curve(rates, tuple(Point(value, one) for value, one in zip(other.values, found, strict=True)))


def of_cell(phase: PhaseMap, cell: Cell, answers: Mapping[Question, Critical]) -> CellTheory | None:
    """What follows for a cell; None while its question was not answered."""
    asked = question(phase, cell)
    found = answers.get(asked)
    if found is None:
        return None
    noise = parse_noise(phase.noise(cell), asked.classes, phase.data(cell))
    return CellTheory(found.ratio, _margin(found, noise), found.rate, _tolerated(found, noise), str(found.status))


def _tolerated(found: Critical, noise: Noise) -> bool | None:
    if noise.rate == 0 and noise.exact is not None:
        return True  # nothing is flipped
    if found.holds is not None or noise.rate is None or found.interval is None:
        return found.holds
    rate = float(noise.rate)
    if rate < found.interval[0] - NEAR:
        return True
    return False if rate > found.interval[1] + NEAR else None


def _margin(found: Critical, noise: Noise) -> float | None:
    """The ratio times the largest weight over the second largest, for the label where that is least."""
    if found.ratio is None or found.upper_ratio is None or noise.exact is None:
        return None
    margins = []
    for label, row in enumerate(noise.exact):
        others = [weight for i, weight in enumerate(row) if i != label and weight]
        if others:
            decides = found.upper_ratio if len(others) == 1 else found.ratio  # of two labels alone, r_up decides
            margins.append(float(row[label] / max(others)) * decides)
    return min(margins, default=None)
