"""A declaration as JavaScript, from the same compiled expressions as numpy's and torch's functions.

The module text of `source` plus `RUNTIME` (``curves.js``) gives a browser the curves of a loss:
``curve(FORM, "value", u, K, [a, q])`` agrees with `Loss.value` to rounding.
"""

from functools import lru_cache
from pathlib import Path

from sympy import Expr, Symbol
from sympy.printing.jscode import JavascriptCodePrinter

from alf.losses.compile import Compiled, in_coordinates, near_one, path
from alf.losses.declaration import Declaration

RUNTIME = Path(__file__).with_name("curves.js").read_text(encoding="utf-8")
"""An ES module that exports ``curve(form, quantity, u, K, parameters)``."""


MORE_FUNCTIONS = {"sinh": "Math.sinh", "cosh": "Math.cosh", "tanh": "Math.tanh", "expm1": "Math.expm1"}
"""What SymPy's printer does not know."""


class _Printer(JavascriptCodePrinter):
    def _print_Heaviside(self, step: Expr) -> str:
        x = self._print(step.args[0])
        return f"(({x}) > 0 ? 1 : ({x}) < 0 ? 0 : 0.5)"


@lru_cache(maxsize=512)
def source(declaration: Declaration) -> str:
    """The curves of a loss as a JavaScript object expression.

    Parameters
    ----------
    declaration : Declaration

    Returns
    -------
    str
        For `curve` of `RUNTIME`; parameters are passed in declared order.

    Examples
    --------
    >>> from alf.losses import catalogue
    >>> print(source(catalogue()["mae"]))
    {value: (u, λ, ν, μ, τ, K, p0) => p0*(1 - u),
     derivative: (u, λ, ν, μ, τ, K, p0) => -p0,
     weight: (u, λ, ν, μ, τ, K, p0) => p0*u*(1 - u)}
    """
    curves = path(declaration)
    rows = (f"{name}: {_function(getattr(curves, name))}" for name in ("value", "derivative", "weight"))
    return "{" + ",\n ".join(rows) + "}"


def _function(form: Compiled) -> str:
    # Parameters get names of ours: a typed formula's may be a reserved word of JavaScript.
    safe = {symbol: Symbol(f"p{i}", **symbol.assumptions0) for i, symbol in enumerate(form.constants[2:])}
    names = ", ".join(safe.get(symbol, symbol).name for symbol in form.arguments)
    printer = _Printer({"precision": 17, "user_functions": MORE_FUNCTIONS})
    return f"({names}) => {printer.doprint(near_one(in_coordinates(form.expression)).xreplace(safe))}"
