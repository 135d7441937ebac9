"""What the numerics ask of a loss. `Declaration` and `Loss` have it, and import the numerics; these import neither."""

from collections.abc import Hashable
from typing import Protocol

from sympy import Expr, Symbol

from alf.losses.domain import Parameter


class Formulas(Hashable, Protocol):
    """A declared loss: g, the sums that it uses with their summands, and its parameters in order."""

    @property
    def expression(self) -> Expr: ...

    @property
    def sums(self) -> tuple[tuple[Symbol, Expr], ...]: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...

    def parameter(self, name: str) -> Parameter: ...


class ValuedLoss(Protocol):
    """A declared loss at values of its parameters."""

    @property
    def name(self) -> str: ...

    @property
    def spec(self) -> str: ...

    @property
    def declaration(self) -> Formulas: ...

    @property
    def floats(self) -> dict[str, float]: ...
