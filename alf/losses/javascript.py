"""A declaration as JavaScript, from the same compiled expressions as numpy's and torch's functions.

The module text of `source` plus `RUNTIME` (``curves.js``) gives a browser the curves of a loss:
``curve(FORM, "value", u, K, [a, q])`` agrees with `Loss.value` to rounding.
"""

from functools import lru_cache
from pathlib import Path

from sympy import Expr, Symbol
from sympy.printing.jscode import JavascriptCodePrinter

from alf.losses.compile import LOG_U, LOG_V, Compiled, compiled, in_coordinates
from alf.losses.declaration import Declaration

RUNTIME = Path(__file__).with_name("curves.js").read_text(encoding="utf-8")
"""An ES module that exports ``curve(form, quantity, u, K, parameters)``."""


MORE_FUNCTIONS = {"sinh": "Math.sinh", "cosh": "Math.cosh", "tanh": "Math.tanh"}
"""What typed formulas may use beyond what SymPy's printer knows."""


class _Printer(JavascriptCodePrinter):
    def _print_Heaviside(self, step) -> str:
        x = self._print(step.args[0])
        return f"(({x}) > 0 ? 1 : ({x}) < 0 ? 0 : 0.5)"


def source(declaration: Declaration) -> str:
    """The form of a loss as a JavaScript object expression.

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
    {usesLogV: false, outer: {value: (u, λ, ν, μ, K, p0) => p0*(1 - u),
      log: (u, λ, ν, μ, K, p0) => -p0*u,
      slope: (u, λ, ν, μ, K, p0) => -p0,
      sums: []}, summands: []}
    """
    return _source(declaration)


@lru_cache(maxsize=512)
def _source(declaration: Declaration) -> str:
    form = compiled(declaration)
    summands = ", ".join(_part(summand, sums=False) for summand in form.summands)
    uses_log_v = "true" if form.uses_log_v else "false"
    return f"{{usesLogV: {uses_log_v}, outer: {_part(form.outer, sums=True)}, summands: [{summands}]}}"


def _part(form: Compiled, sums: bool) -> str:
    fields = {"value": form.expression, "log": form.partial(form.inputs.index(LOG_U)).expression}
    if LOG_V in form.inputs:
        fields["logV"] = form.partial(form.inputs.index(LOG_V)).expression
    fields["slope"] = form.slope.expression
    rows = [f"{name}: {_function(form, expression)}" for name, expression in fields.items()]
    if sums:
        of_sums = (i for i, symbol in enumerate(form.inputs) if symbol not in (LOG_U, LOG_V))
        by_sum = (_function(form, form.partial(i).expression) for i in of_sums)
        rows.append(f"sums: [{', '.join(by_sum)}]")
    return "{" + ",\n  ".join(rows) + "}"


def _function(form: Compiled, expression: Expr) -> str:
    # Parameters get names of ours: a typed formula's may be a reserved word of JavaScript.
    safe = {symbol: Symbol(f"p{i}", **symbol.assumptions0) for i, symbol in enumerate(form.constants[1:])}
    names = ", ".join(safe.get(symbol, symbol).name for symbol in form.arguments)
    printer = _Printer({"precision": 17, "user_functions": MORE_FUNCTIONS})
    return f"({names}) => {printer.doprint(in_coordinates(expression).xreplace(safe))}"
