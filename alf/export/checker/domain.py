"""A claim all over the typed domain of the parameters, by a subdivision that covers it; or a value at which it fails.

On a part of the domain the parameters are intervals: each rule then speaks of all values of the part at once, and its
cover of (0, 1) becomes one of (0, 1) times the part. A part on which no rule settles the claim is halved.
"""

from fractions import Fraction
from itertools import product

from alf.export.checker.risk import NotDerived
from alf.export.checker.statement import Statement, derive, fraction

MOST_PARTS, FINEST = 32, Fraction(1, 2**8)
"""Parts of the domain that one claim may take, and the width of a part of the whole that is not halved any more."""
AT_VALUE_ALONE = ("excess_risk",)
"""Claims whose answer is a number that moves with the parameters."""


class NotCovered(NotDerived):
    """A claim that is not derived all over the domain; `at` are values at which to look for a failure."""

    def __init__(self, why, at):
        super().__init__(why)
        self.at = at


class Domain:
    """The values that the parameters may take, each from its least to its greatest one."""

    def __init__(self, stated):
        self.stated = stated
        self.sides = {name: tuple(map(fraction, ends)) for name, ends in stated.get("domain", {}).items()}
        for name, side in self.sides.items():
            if name not in stated["values"]:
                raise NotDerived(f"there is a domain for {name}, which is no hyperparameter")
            if len(side) != 2 or not side[0] < side[1] or not side[0] <= fraction(stated["values"][name]) <= side[1]:
                raise NotDerived(f"the domain of {name} must go from a lower to a greater number and hold its value")
        if not self.sides and (stated.get("over") or stated.get("open_over")):
            raise NotDerived("something is claimed over a domain, and there is none")
        self.parts = {}

    @property
    def here(self):
        """Where the claims at the stated values hold, in words that follow a verb."""
        values = self.stated["values"]
        return " at " + ", ".join(f"{name} = {values[name]}" for name in self.sides) if self.sides else ""

    @property
    def words(self):
        """The typed domains as an end of a sentence."""
        return " for every " + ", ".join(f"{name} in [{low}, {high}]" for name, (low, high) in self.sides.items())

    def points(self):
        """The corners of the domain and its middle, as values of the parameters."""
        for corner in (*product(*self.sides.values()), [(low + high) / 2 for low, high in self.sides.values()]):
            yield {name: str(x) for name, x in zip(self.sides, corner, strict=True)}

    def derive(self, claim, answer):
        """Derive the claimed answer all over the domain; a sentence that says how, or `NotDerived`."""
        if answer is False:
            at, point = self.stated.get("failing", {}).get(claim, ({}, None))
            return f"{placed(at)}: {self.fails(claim, at, point)}"
        if answer is not True or claim in AT_VALUE_ALONE:
            raise NotDerived("no rule is about this claim over a domain")
        for values in self.points():  # the domain is closed: without one of these there is no need to go on
            try:
                derive(self.on(values), claim, True)
            except NotDerived as why:
                raise NotCovered(f"{placed(values)}: {why}", values) from None
        return self._cover(claim)

    def fails(self, claim, values, point=None):
        """Derive that a claim does not hold at values of the domain."""
        if values.keys() != self.sides.keys():
            raise NotDerived("no values are stated at which it fails")
        if any(not low <= fraction(values[name]) <= high for name, (low, high) in self.sides.items()):
            raise NotDerived("the values at which it fails lie outside of the domain")
        return derive(self.on(values), claim, False, point)

    def on(self, values):
        """The statement with other values, which may be intervals."""
        key = tuple(values.items())
        if key not in self.parts:
            try:
                self.parts[key] = Statement(self.stated, values)
            except (ArithmeticError, ValueError, TypeError) as why:
                raise NotDerived(f"there is no loss there ({why})") from None
        return self.parts[key]

    def _cover(self, claim):
        rules: dict[str, int] = {}
        parts = [dict(self.sides)]
        for _ in range(MOST_PARTS):
            if not parts:
                count = sum(rules.values())
                return (
                    f"on {count} part{'s that cover' if count > 1 else ', which is all of'} it: {'; or '.join(rules)}"
                )
            part = parts.pop()
            try:
                how = derive(self.on(part), claim, True)
                rules[how] = rules.get(how, 0) + 1
                continue
            except NotDerived as error:
                why = str(error)
            shares = {name: (part[name][1] - part[name][0]) / (high - low) for name, (low, high) in self.sides.items()}
            name = max(shares, key=lambda name: shares[name])
            low, high = part[name]
            if shares[name] <= FINEST:
                break
            parts += [{**part, name: ((low + high) / 2, high)}, {**part, name: (low, (low + high) / 2)}]
        else:
            why = "too many parts are needed"
        middle = {name: str((low + high) / 2) for name, (low, high) in part.items()}
        raise NotCovered(f"the domain is not covered near {placed(middle)[3:]}: {why}", middle)


def placed(values):
    """Name the values of the hyperparameters."""
    return "at " + ", ".join(f"{name} = {x if len(x) < 12 else float(fraction(x))}" for name, x in values.items())
