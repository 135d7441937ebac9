"""A statement as a script carries it, and the derivation of a claim at its values or all over a box of values."""

from fractions import Fraction
from functools import partial

import sympy

from alf.export.checker.claims import (
    asymmetric,
    bent,
    calibrated,
    completely_asymmetric,
    decreasing,
    excess_risk,
    noise_tolerant,
    not_asymmetric,
    not_bent,
    not_calibrated,
    not_completely_asymmetric,
    not_decreasing,
    not_noise_tolerant,
    not_symmetric,
    symmetric,
)
from alf.export.checker.interval import Undefined
from alf.export.checker.risk import Loss, NotDerived

HOLDS: dict = {
    "decreasing": decreasing, "convex": partial(bent, sign=1), "concave": partial(bent, sign=-1),
    "symmetric": symmetric, "asymmetric": asymmetric, "completely_asymmetric": completely_asymmetric,
    "noise_tolerant": noise_tolerant, "calibrated": calibrated, "excess_risk": excess_risk,
}  # fmt: skip
FAILS: dict = {
    "decreasing": not_decreasing, "convex": partial(not_bent, sign=1), "concave": partial(not_bent, sign=-1),
    "symmetric": not_symmetric, "asymmetric": not_asymmetric, "completely_asymmetric": not_completely_asymmetric,
    "noise_tolerant": not_noise_tolerant, "calibrated": not_calibrated,
}  # fmt: skip


def fraction(text):
    """A fraction from its text: 3/8, 0.25, or 1/5 - 3*2**-500."""
    total = Fraction(0)
    for part in str(text).replace(" - ", " + -").split(" + "):
        head, star, power = part.partition("2**-")
        if not star:
            total += Fraction(part)
            continue
        count = {"": 1, "-": -1}.get(head)
        total += Fraction(int(head.rstrip("*")) if count is None else count, 2 ** int(power))
    return total


def row(entries, classes):
    """Numbers of at least 0, given as ({place: number}, the number everywhere else)."""
    some, rest = entries
    if any(not isinstance(i, int) or not 0 <= i < classes for i in some):
        raise NotDerived("a row names a class that does not exist")
    numbers = {i: fraction(x) for i, x in some.items()}
    rest = fraction(rest)
    found = tuple(numbers.get(i, rest) for i in range(classes))
    if min(found) < 0:
        raise NotDerived("a number below 0 is no probability")
    return found


class Statement:
    """What a claim is derived from: the loss, the matrix P(given label | clean label), and at most a point to try.

    `values` may take the place of some of the stated ones: as numbers' texts, or as pairs (low, high) of fractions.
    """

    def __init__(self, stated, values=()):
        values = {**stated["values"], **dict(values)}
        self.loss = Loss(stated["formula"], stated["sums"], values, stated["classes"])
        classes = self.loss.classes
        self.matrix = None if stated["matrix"] is None else [row(r, classes) for r in stated["matrix"]]
        if self.matrix is not None and (len(self.matrix) != classes or any(sum(r) != 1 for r in self.matrix)):
            raise NotDerived("the matrix needs a row for each class, each with sum 1")
        self.answer = self.point = self.weights = None

    def about(self, answer, point):
        """Set the claimed answer and the point that is said to refute, if any."""
        self.answer, self.point, self.weights = answer, None, None
        if point is not None:
            coordinates, weights = point
            if isinstance(coordinates, list):
                self.point = tuple(fraction(x) for x in coordinates)
            else:
                self.point = row(coordinates, self.loss.classes)
            self.weights = weights and row(weights, self.loss.classes)
        return self

    def witness(self, size):
        """The point that refutes, if it has this many entries."""
        if self.point is None or len(self.point) != size:
            raise NotDerived("no point that refutes is known")
        return self.point

    def distinct_rows(self):
        """The rows that differ by more than an exchange of labels."""
        if self.matrix is None:
            raise NotDerived("no noise is stated")
        return list({tuple(sorted(r)): r for r in self.matrix}.values())


def derive(statement, claim, answer, point=None):
    """Derive the claimed answer; a sentence that says how, or `NotDerived`."""
    rules = FAILS if answer is False else HOLDS
    if (
        claim not in HOLDS
        or claim not in rules
        or (answer is not False and (answer is True) == (claim == "excess_risk"))
    ):
        raise NotDerived("no rule is about this claim and answer")
    try:
        statement.loss.has_value()
        return rules[claim](statement.about(answer, point))
    except Undefined as why:
        raise NotDerived(f"something has no value that could be enclosed: {why}") from None
    except (RecursionError, NotImplementedError, TypeError, ValueError, KeyError, sympy.PolynomialError) as error:
        raise NotDerived(f"a step stopped with {type(error).__name__}: {error}") from None
