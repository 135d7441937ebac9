"""What the numerics ask of a loss. `Declaration` and `Loss` have it, and import the numerics; these import neither."""

from collections.abc import Hashable
from typing import Protocol

from sympy import Expr, Symbol

from alf.losses.domain import Parameter


class Formulas(Hashable, Protocol):
    """A declared loss: g, the sums that it uses with their summands, and its parameters in order."""

    @property
    def expression(self) -> Expr:
        """g in u, the sums' symbols and the hyperparameters' symbols."""
        ...

    @property
    def sums(self) -> tuple[tuple[Symbol, Expr], ...]:
        """The sums over classes that g uses, each with its summand."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The hyperparameters, in declared order."""
        ...

    def parameter(self, name: str) -> Parameter:
        """The hyperparameter of that name."""
        ...


class ValuedLoss(Protocol):
    """A declared loss at values of its parameters."""

    @property
    def name(self) -> str:
        """What people read."""
        ...

    @property
    def spec(self) -> str:
        """The canonical spec."""
        ...

    @property
    def declaration(self) -> Formulas:
        """The formulas that it has values for."""
        ...

    @property
    def floats(self) -> dict[str, float]:
        """The value of every hyperparameter as a double."""
        ...
