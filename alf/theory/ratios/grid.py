"""Ratios over arrays of hyperparameters, by the closed forms compiled to numpy."""

from functools import lru_cache
from itertools import pairwise, product

import sympy

from alf.errors import InputError
from alf.losses import Declaration, Loss
from alf.losses.domain import Domain
from alf.theory.ratios.of_loss import ratio_of


def ratio_grid(loss: Loss, **values):
    """The asymmetry ratio over arrays of hyperparameters.

    Parameters
    ----------
    loss : Loss
        Of u_y alone, with a closed form wherever its parameters lie; parameters not given are its own.
    **values : array_like
        By parameter name, broadcast against each other; entries outside the domain give nan.

    Returns
    -------
    ndarray of float64

    Examples
    --------
    >>> from alf.losses import parse
    >>> ratio_grid(parse("agce:a=1,q=0.5"), q=[0.5, 2]).round(4)
    array([0.7071, 1.    ])
    """
    import numpy as np

    for name in values:
        loss.declaration.parameter(name)
    arrays = {
        p.name: np.asarray(values.get(p.name, loss.floats[p.name]), dtype=float) for p in loss.declaration.parameters
    }
    shape = np.broadcast_shapes(*(x.shape for x in arrays.values())) if arrays else ()
    result = np.full(shape, np.nan)
    for sides, function in closed_forms(loss.declaration):
        inside = np.ones(shape, dtype=bool)
        for x, (low, high, point) in zip(arrays.values(), sides, strict=True):
            inside &= (x == low) if point else (x > low) & (x < high)
        if inside.any():
            here = [np.broadcast_to(x, shape)[inside] for x in arrays.values()]
            result[inside] = function(*here)
    return result


@lru_cache(maxsize=64)
def closed_forms(declaration: Declaration) -> tuple:
    """For each cell of the parameter space its sides and the ratio there as a numpy function.

    Raises
    ------
    InputError
        For a loss without a closed form on some cell.
    """
    found, parameters = [], declaration.parameters
    for cell in product(*(_sides(p.domain, p.breakpoints) for p in parameters)):
        loss = declaration.loss(**{p.name: sample for p, (_, sample) in zip(parameters, cell, strict=True)})
        ratio = ratio_of(loss)
        if ratio.formula is None:
            raise InputError(f"{declaration.name}: a ratio in closed form is needed, got {ratio.status}")
        symbols = [p.symbol for p in parameters]
        function = sympy.lambdify(symbols, ratio.formula + 0 * sum(symbols), modules="numpy")
        found.append(([side for side, _ in cell], function))
    return tuple(found)


def _sides(domain: Domain, breakpoints):
    """The sides of a parameter's cells, (low, high, whether it is a point), each with an exact value inside."""
    cuts = sorted({domain.lower, domain.upper, *breakpoints})
    for low, high in pairwise(cuts):
        sample = (
            (low + high) / 2
            if high < sympy.oo and low > -sympy.oo
            else low + 1
            if low > -sympy.oo
            else high - 1
        )  # fmt: skip
        yield (float(low), float(high), False), sample
    for cut in cuts:
        if cut in domain:
            yield (float(cut), float(cut), True), cut
