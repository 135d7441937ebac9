"""What is decided about one list of label weights."""

from dataclasses import dataclass, field
from fractions import Fraction

from alf.theory.failures import Contradiction
from alf.theory.verdict import Status, Step, Witness


@dataclass(frozen=True)
class Decision:
    """The answer for one list of label weights.

    Parameters
    ----------
    holds : bool or None
    rule : str
        The rule that decided; of a combination first the rule of its other part, whose margin it is.
    steps : tuple of Step
    witness : Witness or None
    margin : float or None
        What the rule compares, as a number that is positive where the claim holds and 0 at the boundary: for the ratio
        rule (w_m/w_n) r - 1; None for a rule that compares no numbers.
    """

    holds: bool | None
    rule: str
    steps: tuple[Step, ...]
    witness: Witness | None = None
    margin: float | None = None
    weights: tuple[Fraction, ...] = field(default=())

    def __post_init__(self):
        if (self.holds is False) != (self.witness is not None):
            raise Contradiction(f"the {self.rule} rule: what fails has a witness, and nothing else has one")

    def to_json(self) -> dict:
        """What --json says of it."""
        return {
            "shares": [str(w) for w in self.weights],
            "holds": self.holds,
            "rule": self.rule,
            "margin": self.margin,
        }


def denied(rule: str, steps, found: Witness | None, margin: float | None = None) -> Decision:
    """The loss fails, as the witness shows; without one it was not settled."""
    if found is None:
        missing = Step("The property seems to fail, but no point that shows it was found.", status=Status.UNDECIDED)
        return Decision(None, rule, (*steps, missing))
    return Decision(False, rule, tuple(steps), found, margin)
