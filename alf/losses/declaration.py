"""A loss is declared once, as a SymPy expression; curve, derivative, LaTeX, torch module and proofs derive from it.

A loss of predicting `u` (a point of the probability simplex) when the label is `y` is

    L(u, y) = g(u_y, S_1, S_2, ..., K),     S_i = sum over the classes k of s_i(u_k).

`Declaration` holds g, the s_i and the parameters. `Loss` is a declaration with exact values for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy
from sympy import Expr, Symbol, lambdify

from alf.errors import InputError, not_installed, quoted
from alf.losses.domain import Parameter
from alf.losses.exact import substitute
from alf.losses.symbols import K, u
from alf.numbers import decimal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from alf.losses.torch_module import LossModule

TRIED = (1e-6, 0.5, 1 - 1e-9)
"""Where the size of l is looked at, with 10 classes."""


@dataclass(frozen=True, eq=False)
class Declaration:
    """Everything the project knows about a loss; the rest is derived.

    Parameters
    ----------
    key : str
        What people type: ``agce``.
    name : str
        What people read: ``AGCE``.
    expression : Expr
        g, in `u`, the sums' symbols, `K` and the parameters' symbols.
    sums : tuple of (Symbol, Expr)
        The sums over classes that g uses, each with its summand s(u). Empty for a loss of u_y alone.
    parameters : tuple of Parameter
        In the order in which a spec prints them.
    presets : dict
        Values the authors of the paper used, by data set key.
    about, reference : str
        One sentence on what it is for, and where it comes from.
    parts : tuple of (Symbol, Declaration)
        For a combination: each weight's symbol and the loss it multiplies.
    """

    key: str
    name: str
    expression: Expr
    sums: tuple[tuple[Symbol, Expr], ...] = ()
    parameters: tuple[Parameter, ...] = ()
    presets: dict[str, dict[str, Expr]] = field(default_factory=dict)
    about: str = ""
    reference: str = ""
    parts: tuple[tuple[Symbol, Declaration], ...] = ()

    @property
    def pointwise(self) -> bool:
        """Whether the loss depends on the prediction through u_y alone."""
        return not self.sums

    @property
    def family(self) -> tuple[str, ...]:
        """What it shares with declarations that differ in the values of their hyperparameters alone."""
        return (self.key,)

    @property
    def fixed(self) -> tuple[str, ...]:
        """``name=value`` of what is part of the declaration itself: none but in a typed formula."""
        return ()

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name, or an InputError that lists the names there are."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        names = ", ".join(p.name for p in self.parameters)
        raise InputError(f"{self.name}: no hyperparameter {quoted(name)}; it has {names or 'none'}")

    def loss(self, **values: Expr | float) -> Loss:
        """The loss at these values; each is a Python number or an exact SymPy one, checked against its domain."""
        for name in values:
            self.parameter(name)
        settled = []
        for parameter in self.parameters:
            value = values.get(parameter.name, parameter.default)
            if value is None:
                raise InputError(f"{self.name}: {parameter.name} is missing; it must lie in {parameter.domain}")
            settled.append((parameter.name, parameter.check(value, self.name)))
        # Refused where l overflows a double or has no value, before an exact power of the values is attempted.
        wrong = self._misfit(tuple(float(value) for _, value in settled)) if settled else None
        if wrong is not None:
            shown = ", ".join(f"{name}={float(value):g}" for name, value in settled)
            raise InputError(f"{self.name}: the values of l on [0.000001, 1] must {wrong} at {shown}")
        return Loss(self, tuple(settled))

    def _misfit(self, values: tuple[float, ...]) -> str | None:
        """What keeps l from having values of a loss on [1e-6, 1], as the end of "must ..."; None where nothing does."""
        try:
            found = [x for point in TRIED for x in self._in_floats(point, 10.0, *values)]
        except OverflowError:
            return "fit a double, got more"
        except (ZeroDivisionError, ValueError, TypeError):
            # A pole, a root or logarithm of what is below 0, a function of a complex power: rounding may have made it.
            return self._misfit_in_digits(values)
        if any(isinstance(x, complex) for x in found):
            return self._misfit_in_digits(values)
        return None if all(abs(x) < float("inf") for x in found) else "fit a double, got more"

    def _misfit_in_digits(self, values: tuple[float, ...]) -> str | None:
        """The same where doubles find no value: those of a declared loss are right."""
        return "be real and finite, got one that is not"

    @cached_property
    def _in_floats(self) -> Callable[..., list[Any]]:
        """[g, *s_i] of (u, K, *parameters) in plain floats, with 1 for every sum: for size, not for value."""
        ones = dict.fromkeys((symbol for symbol, _ in self.sums), 1)
        expressions = [self.expression.subs(ones), *(summand for _, summand in self.sums)]
        symbols = (u, K, *(p.symbol for p in self.parameters))
        function: Callable[..., list[Any]] = lambdify(symbols, expressions, modules="math")
        return function

    def example(self) -> Loss:
        """The loss at its parameters' typical values."""
        return self.loss(**{p.name: p.typical if p.default is None else p.default for p in self.parameters})

    def preset_losses(self) -> dict[str, Loss]:
        """The loss as the paper's authors set it, by data set key."""
        return {data: self.loss(**values) for data, values in self.presets.items()}

    def configurations(self) -> tuple[Loss, ...]:
        """Every preset once, or the example where there are none: what tests, tables and galleries run over."""
        return tuple(dict.fromkeys(self.preset_losses().values())) or (self.example(),)

    def spec(self, values: Mapping[str, Expr]) -> str:
        """The canonical spec of the loss at these values: declared order, shortest decimals, defaults left out."""
        shown = [f"{p.name}={decimal(values[p.name])}" for p in self.parameters if values[p.name] != p.default]
        return self.key + (":" + ",".join(shown) if shown else "")

    def latex(self, values: Mapping[Symbol, Expr] | None = None) -> str:
        """LaTeX of g with each sum written out, and with `values` as decimals in place of their symbols.

        0, 1 and logarithms are substituted, so that they simplify; a decimal stays where the reader expects it.
        """
        values = values or {}
        plain = {s: v for s, v in values.items() if v in (0, 1) or not v.is_Rational}
        names = {
            s: rf"\left({decimal(v)}\right)" if v.is_negative else decimal(v)
            for s, v in values.items()
            if s not in plain
        }
        expression = self.expression.subs(plain)
        for symbol, summand in self.sums:
            summand = summand.subs(plain)
            inner = sympy.latex(summand, symbol_names={u: "u_k", **names})
            names[symbol] = r"\sum_{k=1}^{K} " + (rf"\left({inner}\right)" if summand.is_Add else inner)
            if expression.is_Add or (expression.is_Mul and sympy.fraction(expression)[1] != symbol):
                names[symbol] = rf"\left({names[symbol]}\right)"
        return str(sympy.latex(expression, symbol_names={u: "u_y", **names}))


@dataclass(frozen=True, eq=False)
class Loss:
    """A declared loss at exact parameter values. Made by `parse`, `Declaration.loss` or `replace`.

    Two losses are equal when they have the same canonical spec.

    Examples
    --------
    >>> from alf.losses import parse
    >>> loss = parse("agce:q=.60,a=0.60")
    >>> loss.spec, loss.values["q"], loss.replace(q=1).spec
    ('agce:a=0.6,q=0.6', 3/5, 'agce:a=0.6,q=1')
    >>> loss.exact
    -5*(u + 3/5)**(3/5)/3 + 2*2**(4/5)*5**(2/5)/3
    """

    declaration: Declaration
    items: tuple[tuple[str, Expr], ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Loss) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)

    def __repr__(self) -> str:
        return f"<Loss {self.spec}>"

    @property
    def key(self) -> str:
        """The key of its declaration."""
        return self.declaration.key

    @property
    def name(self) -> str:
        """The name of its declaration."""
        return self.declaration.name

    @property
    def pointwise(self) -> bool:
        """Whether it depends on the prediction through u_y alone."""
        return self.declaration.pointwise

    @property
    def expression(self) -> Expr:
        """g with the hyperparameters' symbols."""
        return self.declaration.expression

    @property
    def sums(self) -> tuple[tuple[Symbol, Expr], ...]:
        """The sums over classes that g uses, each with its summand."""
        return self.declaration.sums

    @cached_property
    def values(self) -> dict[str, Expr]:
        """Exact value of every parameter, by name, in declared order."""
        return dict(self.items)

    @cached_property
    def floats(self) -> dict[str, float]:
        """The same values as doubles."""
        return {name: float(value) for name, value in self.items}

    @cached_property
    def spec(self) -> str:
        """The canonical spec: declared order, shortest decimals, defaults left out."""
        return self.declaration.spec(self.values)

    @cached_property
    def label(self) -> str:
        """A short name with its values, for legends and headings."""
        shown = [f"{n}={decimal(v)}" for n, v in self.items if v != self.declaration.parameter(n).default]
        shown = [*self.declaration.fixed, *shown]
        return f"{self.name} ({', '.join(shown)})" if shown else self.name

    @cached_property
    def substitution(self) -> dict[Symbol, Expr]:
        """Parameter symbol -> exact value."""
        return {p.symbol: self.values[p.name] for p in self.declaration.parameters}

    @cached_property
    def exact(self) -> Expr:
        """g with the exact values in place: `u`, `K` and the sums' symbols remain."""
        try:
            return substitute(self.expression, self.substitution)
        except ValueError:  # SymPy's word for the largest of what is not real, which doubles may take for real
            raise InputError(f"{self.name}: l must be real on (0, 1], got one that is not at {self.spec}") from None

    @cached_property
    def exact_sums(self) -> tuple[tuple[Symbol, Expr], ...]:
        """The sums' symbols and summands with the exact values in place."""
        return tuple((symbol, substitute(summand, self.substitution)) for symbol, summand in self.sums)

    @cached_property
    def terms(self) -> tuple[tuple[Expr, Loss], ...]:
        """(weight, loss) pairs whose sum this is; the loss itself with weight 1 when it is no combination."""
        if not self.declaration.parts:
            return ((sympy.Integer(1), self),)
        return tuple(
            (self.values[weight.name], part.loss(**{p.name: self.values[p.name] for p in part.parameters}))
            for weight, part in self.declaration.parts
        )

    def replace(self, **values: Expr | float) -> Loss:
        """The same loss with some values changed, checked like any other."""
        return self.declaration.loss(**{**self.values, **values})

    def latex(self, values: bool = False) -> str:
        """The formula, with its symbols or with the values in their place."""
        return self.declaration.latex(self.substitution if values else None)

    def value(self, probability: ArrayLike, classes: int = 10) -> NDArray[np.float64]:
        """L(u, y) over u_y, where the other K - 1 classes share the rest equally.

        Parameters
        ----------
        probability : array_like, any shape
            u_y in [0, 1].
        classes : int
            K, at least 2.

        Returns
        -------
        ndarray of float64, the same shape
            May be inf at u_y = 0 (cross entropy).

        Raises
        ------
        InputError
            A probability outside [0, 1] or fewer than two classes.

        Examples
        --------
        >>> from alf.losses import parse
        >>> parse("mae").value([0.0, 0.25, 1.0])
        array([1.  , 0.75, 0.  ])
        """
        from alf.losses.numeric import along_path

        return along_path(self, probability, classes, "value")

    def derivative(self, probability: ArrayLike, classes: int = 10) -> NDArray[np.float64]:
        """dL/du_y along that path; shapes, units and errors as `value`. May be -inf at u_y = 0."""
        from alf.losses.numeric import along_path

        return along_path(self, probability, classes, "derivative")

    def sample_weight(self, probability: ArrayLike, classes: int = 10) -> NDArray[np.float64]:
        """-dL/du_y u_y (1 - u_y): how hard a sample pulls on the logit margin; shapes and errors as `value`.

        With equal logits of the other classes, du_y/d(margin) = u_y (1 - u_y).
        """
        from alf.losses.numeric import along_path

        return along_path(self, probability, classes, "weight")

    def vector(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """L(u, i) for every label i.

        Where some classes have no probability and a normalised loss no value, it is the limit as all of these leave 0
        alike.

        Parameters
        ----------
        probabilities : array_like (..., K)
            Points of the simplex.

        Returns
        -------
        ndarray (..., K)

        Examples
        --------
        >>> from alf.losses import parse
        >>> parse("nce").vector([0.5, 0.25, 0.25])
        array([0.2, 0.4, 0.4])
        """
        from alf.losses.numeric import vector

        return vector(self, probabilities)

    def module(self, reduction: str = "mean", ignore_index: int = -100, **tensors: Any) -> LossModule:
        """The loss as a `torch.nn.Module`; see `alf.losses.torch_module.LossModule`. `NotInstalled` without torch."""
        try:
            from alf.losses.torch_module import LossModule
        except ModuleNotFoundError as error:
            raise not_installed(error.name or str(error)) from None
        return LossModule(self, reduction=reduction, ignore_index=ignore_index, **tensors)
