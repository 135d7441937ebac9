"""The asymmetry ratio over a whole range of hyperparameters: the proved formula of each cell, evaluated by numpy.

A parameter's breakpoints divide its range into cells; in each the ratio has one formula, taken from `ratio` at a point
inside. 40,000 values take a few milliseconds.
"""

from functools import lru_cache
from itertools import pairwise, product

import numpy as np
import sympy

from alf.losses import Declaration, catalogue


def families() -> tuple[str, ...]:
    """Keys of the losses whose ratio depends on their hyperparameters by a formula, at most two of them.

    >>> families()
    ('agce', 'aul', 'ael')
    """
    return _families()


def ratio_map(declaration: Declaration, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
    """The asymmetry ratio (here r = r_up) for every pair of hyperparameters.

    Parameters
    ----------
    declaration : Declaration
        One of `families`.
    x : np.ndarray, shape (n,)
        Values of its first parameter.
    y : np.ndarray, shape (m,), optional
        Values of its second one, where it has one.

    Returns
    -------
    np.ndarray, shape (m, n), or (n,) without y

    Examples
    --------
    >>> ratio_map(catalogue()["agce"], np.array([0.6]), np.array([0.6, 2])).round(6).tolist()
    [[0.67548], [1.0]]
    """
    grids = (np.asarray(x, dtype=float),) if y is None else np.meshgrid(x, y)
    values = np.full(np.shape(grids[0]), np.nan)
    for intervals, function in _cells(declaration.key):
        inside = np.ones(values.shape, dtype=bool)
        for grid, (low, high) in zip(grids, intervals, strict=True):
            inside &= (grid >= low) & (grid <= high)
        values[inside] = np.broadcast_to(function(*grids), values.shape)[inside]
    return values


@lru_cache(maxsize=1)
def _families() -> tuple[str, ...]:
    found = []
    for key, declaration in catalogue().items():
        if 1 <= len(declaration.parameters) <= 2 and declaration.pointwise:
            formulas = [formula for _, formula in _formulas(declaration)]
            if None not in formulas and any(formula.free_symbols for formula in formulas):
                found.append(key)
    return tuple(found)


@lru_cache(maxsize=32)
def _cells(key: str):
    declaration = catalogue()[key]
    symbols = [parameter.symbol for parameter in declaration.parameters]
    return [(intervals, sympy.lambdify(symbols, formula, "numpy")) for intervals, formula in _formulas(declaration)]


def _formulas(declaration: Declaration):
    """Each cell's intervals, one per parameter, and the ratio's formula there (None where only a number is known)."""
    from alf.theory.ratios import ratio_of

    axes = []
    for parameter in declaration.parameters:
        inner = [b for b in parameter.breakpoints if b in parameter.domain]
        ends = sorted({parameter.domain.lower, *inner, parameter.domain.upper})
        axes.append([(low, high) for low, high in pairwise(ends)])
    for cell in product(*axes):
        values = {p.name: _inside(*interval) for p, interval in zip(declaration.parameters, cell, strict=True)}
        found = ratio_of(declaration.loss(**values))
        yield [(float(low), float(high)) for low, high in cell], found.formula if found.status == "proved" else None


def _inside(low, high) -> sympy.Rational:
    if high == sympy.oo:
        return sympy.Rational(1 if low == -sympy.oo else low + 1)
    if low == -sympy.oo:
        return sympy.Rational(high - 1)
    return (sympy.Rational(low) + high) / 2
