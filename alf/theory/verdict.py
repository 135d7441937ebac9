"""What the theory engine says: verdicts made of steps, and the points that refute.

A verdict is never a boolean. Its status says how it is known (THEORY, section 6) and `holds` what is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr

from alf.numbers import exact_text
from alf.theory.failures import Contradiction
from alf.theory.theorems import THEOREMS


class Status(StrEnum):
    """How an answer is known, from symbolic proof down to no answer; `REFUTED` means false, with a point that shows it.

    >>> Status.PROVED == "proved", Status.PROVED
    (True, 'proved')
    """

    PROVED = "proved"
    CERTIFIED = "certified"
    OBSERVED = "observed"
    REFUTED = "refuted"
    UNDECIDED = "undecided"
    NOT_DEFINED = "not_defined"

    __repr__ = str.__repr__


STATUSES = tuple(Status)

CLAIMS = (
    "decreasing",
    "convex",
    "concave",
    "symmetric",
    "asymmetric",
    "completely_asymmetric",
    "noise_tolerant",
    "calibrated",
    "excess_risk",
)
"""Every question `verify` answers, in the order in which it answers them."""

_WEAKNESS = {Status.PROVED: 0, Status.CERTIFIED: 1, Status.OBSERVED: 2, Status.UNDECIDED: 3}


def weakest(statuses: Iterable[Status]) -> Status:
    """The status of a conclusion drawn from steps of these statuses.

    >>> weakest(["proved", "certified", "proved"])
    'certified'
    """
    return max(statuses, key=lambda s: _WEAKNESS.get(s, 0), default=Status.PROVED)


def plain(value: object) -> Any:
    """A value as JSON can carry it: exact numbers as text, numbers as floats.

    >>> from fractions import Fraction
    >>> plain(Fraction(3, 8)), plain(sympy.Rational(1, 3)), plain((0.5, None))
    ('3/8', '1/3', [0.5, None])
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    return exact_text(value) if isinstance(value, Fraction) else str(value)


@dataclass(frozen=True)
class Step:
    """One link of an argument.

    Parameters
    ----------
    statement : str
        A sentence.
    expression : Expr, optional
        What it is about, in SymPy.
    latex : str
        The same for reading.
    status : Status
        How this link is known.
    theorem : str
        The key of the theorem that it applies, in `alf.theory.theorems.THEOREMS`; empty where it applies none.
    """

    statement: str
    expression: Expr | None = None
    latex: str = ""
    status: Status = Status.PROVED
    theorem: str = ""

    def __post_init__(self) -> None:
        if self.theorem and self.theorem not in THEOREMS:
            raise ValueError(f"theorem must be a key of THEOREMS, got {self.theorem!r}")

    def to_json(self) -> dict[str, Any]:
        """What --json says of it."""
        return {
            "statement": self.statement,
            "expression": None if self.expression is None else str(self.expression),
            "latex": self.latex,
            "status": self.status,
            "theorem": self.theorem or None,
        }


def step(
    statement: str, expression: Expr | None = None, status: Status = Status.PROVED, latex: str = "", theorem: str = ""
) -> Step:
    """A step whose LaTeX is the expression's unless given."""
    if not latex and expression is not None:
        latex = sympy.latex(expression)
    return Step(statement, expression, latex, status, theorem)


def applied(theorem: str, expression: Expr | None = None, status: Status = Status.PROVED, latex: str = "") -> Step:
    """The step that says what a theorem says.

    >>> applied("one-label").statement
    'Only one label has weight, so the weighted risk is a multiple of the loss for that label.'
    """
    return step(THEOREMS[theorem].statement, expression, status, latex, theorem)


@dataclass(frozen=True)
class Witness:
    """The point that refutes, with the two numbers that contradict; made and checked by `alf.theory.witnesses` alone.

    Parameters
    ----------
    kind : str
        What the two numbers are, one of `alf.theory.witnesses.kinds.KINDS`.
    statement : str
        What the two numbers show.
    point : tuple of Fraction
        Coordinates: a point of the simplex, or two or three values of u.
    value, bound : float
        The number found, and the number that it should have been on the other side of; they differ as floats wherever
        they differ, each by at most one unit in the last place.
    relation : str
        What is certified of value and bound: ``<``, ``=`` or ``>``.
    shown : tuple of str
        Both, to as many digits as tell them apart.
    weights : tuple of Fraction
        The label weights it is about; empty where there are none.
    labels : tuple of str
        What `value` and `bound` are.
    """

    kind: str
    statement: str
    point: tuple[Fraction, ...]
    value: float
    bound: float
    relation: str
    shown: tuple[str, str]
    weights: tuple[Fraction, ...] = ()
    labels: tuple[str, str] = ("value", "bound")

    def __post_init__(self) -> None:
        stands = {"<": self.value < self.bound, "=": self.value == self.bound, ">": self.value > self.bound}
        if not stands.get(self.relation):
            raise Contradiction(f"a witness must contradict: {self.value!r} is not {self.relation} {self.bound!r}")

    def reordered(self, places: Sequence[int], weights: Sequence[Fraction]) -> "Witness":
        """The same with its classes in another order; neither number depends on the order."""
        point = [Fraction(0)] * len(weights)
        for place, x in zip(places, self.point, strict=True):
            point[place] = x
        return replace(self, point=tuple(point), weights=tuple(weights))

    def to_json(self) -> dict[str, Any]:
        """What --json says of it."""
        return {
            "kind": self.kind,
            "statement": self.statement,
            "point": plain(self.point),
            "weights": plain(self.weights),
            "value": plain(self.value),
            "bound": plain(self.bound),
            "relation": self.relation,
            "shown": list(self.shown),
            "labels": list(self.labels),
        }


@dataclass(frozen=True)
class Verdict:
    """The answer to one claim.

    Parameters
    ----------
    claim : str
        One of `CLAIMS`.
    status : Status
        The weakest step's, where the claim holds.
    holds : bool or None
        True, False, or None where it is not known or makes no sense.
    steps : tuple of Step
        The argument.
    witness : Witness, optional
        With every False.
    data : dict
        Numbers that go with the answer (margins per row, constants, curves), JSON-ready.
    """

    claim: str
    status: Status
    holds: bool | None
    steps: tuple[Step, ...] = ()
    witness: Witness | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {STATUSES}, got {self.status!r}")
        if (self.holds is False) != (self.status == Status.REFUTED) or (self.status == Status.REFUTED) != (
            self.witness is not None
        ):
            raise Contradiction(f"{self.claim}: what is false is refuted, by a witness, and nothing else has one")

    def to_json(self) -> dict[str, Any]:
        """What --json says of it."""
        return {
            "claim": self.claim,
            "holds": self.holds,
            "status": self.status,
            "witness": None if self.witness is None else self.witness.to_json(),
            "steps": [s.to_json() for s in self.steps],
            "data": plain(self.data),
        }


def holds(claim: str, steps: Iterable[Step], data: dict[str, Any] | None = None) -> Verdict:
    """A claim that follows from its steps, as strong as the weakest of them."""
    steps = tuple(steps)
    status = weakest(s.status for s in steps)
    return Verdict(claim, status, None if status == Status.UNDECIDED else True, steps, None, data or {})


def refuted(claim: str, steps: Iterable[Step], witness: Witness | None, data: dict[str, Any] | None = None) -> Verdict:
    """A claim that is false, as the witness shows; without one it stays open."""
    if witness is None:
        return undecided(claim, "The property seems to fail, but no point that shows it was found.", steps, data)
    return Verdict(claim, Status.REFUTED, False, tuple(steps), witness, data or {})


def undecided(claim: str, reason: str, steps: Iterable[Step] = (), data: dict[str, Any] | None = None) -> Verdict:
    """A claim that was not settled, and the step at which it stopped."""
    return Verdict(claim, Status.UNDECIDED, None, (*steps, Step(reason, status=Status.UNDECIDED)), None, data or {})


def not_defined(claim: str, reason: str, data: dict[str, Any] | None = None) -> Verdict:
    """A question that makes no sense for this loss or noise, and why."""
    return Verdict(claim, Status.NOT_DEFINED, None, (Step(reason, status=Status.NOT_DEFINED),), None, data or {})
