"""Hyperparameters as objects: what values they may take, with the values that a person may type.

Validation, messages, sliders and documentation all come from these objects; no other module checks a range.
"""

from dataclasses import dataclass
from typing import Any

from sympy import Expr, Symbol, oo, sympify

from alf.errors import InputError, quoted
from alf.numbers import decimal, exact_number


def unbalanced(text: str) -> str:
    """What is wrong with the round brackets of a text; empty where each has its partner.

    >>> unbalanced("exp(-u/2"), unbalanced("1-u)"), unbalanced("(1-u)*(2-u)")
    ("a bracket '(' is not closed", "a bracket ')' closes nothing", '')
    """
    level = 0
    for character in text:
        level += (character == "(") - (character == ")")
        if level < 0:
            return "a bracket ')' closes nothing"
    return "a bracket '(' is not closed" if level else ""


@dataclass(frozen=True)
class Domain:
    """An interval of the reals, open or closed at either end.

    >>> from sympy import Rational, oo
    >>> positive = Domain(0, oo)
    >>> str(positive), Rational(1, 2) in positive, 0 in positive
    ('(0, oo)', True, False)
    """

    lower: Expr
    upper: Expr
    lower_open: bool = True
    upper_open: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "lower", sympify(self.lower))
        object.__setattr__(self, "upper", sympify(self.upper))

    def __contains__(self, value: Any) -> bool:
        above = value > self.lower if self.lower_open else value >= self.lower
        below = value < self.upper if self.upper_open else value <= self.upper
        return bool(above) and bool(below)

    @property
    def words(self) -> str:
        """Its values as a sentence names them.

        >>> from sympy import oo
        >>> [domain.words for domain in (Domain(0, oo), Domain(0, 1, upper_open=False), Domain(1, 40, False, False))]
        ['greater than 0', 'greater than 0 and at most 1', 'between 1 and 40']
        >>> Domain(-oo, 0).words, Domain(-oo, oo).words, Domain(0, 1).words
        ('less than 0', 'any number', 'greater than 0 and less than 1')
        """
        if not (self.lower_open or self.upper_open):
            return f"between {decimal(self.lower)} and {decimal(self.upper)}"
        ends = []
        if self.lower != -oo:
            ends.append(f"{'greater than' if self.lower_open else 'at least'} {decimal(self.lower)}")
        if self.upper != oo:
            ends.append(f"{'less than' if self.upper_open else 'at most'} {decimal(self.upper)}")
        return " and ".join(ends) or "any number"

    def __str__(self) -> str:
        return f"{'(' if self.lower_open else '['}{self.lower}, {self.upper}{')' if self.upper_open else ']'}"


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter of a loss.

    Parameters
    ----------
    symbol : Symbol
        Created once, with the assumptions the domain gives it; its name is the name people type.
    domain : Domain
        Every admissible value.
    meaning : str
        What it does, in words a newcomer understands.
    typical : Expr
        Where a slider starts, and the value used where nothing else is said.
    slider : tuple of float
        A comfortable range to explore. A value outside it is still valid when it lies in the domain.
    default : Expr, optional
        The value when a spec leaves the parameter out; without one, leaving it out is an error.
    breakpoints : tuple of Expr
        Values at which the shape of the loss changes (convex, linear, concave); proofs split the domain there.
    """

    symbol: Symbol
    domain: Domain
    meaning: str
    typical: Expr
    slider: tuple[float, float]
    default: Expr | None = None
    breakpoints: tuple[Expr, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "typical", sympify(self.typical))
        object.__setattr__(self, "breakpoints", tuple(sympify(b) for b in self.breakpoints))

    @property
    def name(self) -> str:
        """The name that people type."""
        return str(self.symbol.name)

    def read(self, text: str, owner: str) -> Expr:
        """The exact value of what a person typed, or an InputError that names the loss, the domain and the text."""
        value = exact_number(text)
        if value is None:
            raise InputError(f"{owner}: {self.name} must be a number in {self.domain}, got {quoted(text)}")
        return self.check(value, owner)

    def check(self, value: Expr, owner: str) -> Expr:
        """The value itself when it lies in the domain, otherwise an InputError.

        A SymPy number is kept exactly (the default of RCE's A is log(1/10000)); a Python number goes through its
        shortest decimal.
        """
        if not isinstance(value, Expr):
            exact = exact_number(repr(float(value))) if isinstance(value, (int, float)) else None
            if exact is None:
                raise InputError(f"{owner}: {self.name} must be a number in {self.domain}, got {quoted(str(value))}")
            value = exact
        if value not in self.domain:
            raise InputError(f"{owner}: {self.name} must lie in {self.domain}, got {decimal(value)}")
        return value
