"""The true curves of a loss in 120 digits, and points of all kinds at which numpy and JavaScript are held to them."""

from types import SimpleNamespace

import mpmath
import numpy as np

from alf.losses import K
from alf.losses.compile import COORDINATES, TAU, in_coordinates, near_one, path
from alf.losses.numeric import along_path
from tests.losses.rounding import EPS, ULPS, bound

QUANTITIES = ("value", "derivative", "weight")
POINTS = 1200
DIGITS = 120
WORST = 1e-9
"""An error bound beyond this, relative to max(1, |value|), is a formula that cancels: it wants another form."""


def points(declaration, count: int = POINTS):
    """u, K and hyperparameters over the sliders' ranges; both ends, and points crowded towards them, included."""
    rng = np.random.default_rng(sum(declaration.key.encode()))
    u = rng.uniform(size=count)
    part = count // 8
    u[:part] = rng.uniform(size=part) ** 12
    u[part : 2 * part] = 1 - rng.uniform(size=part) ** 12
    u[-20:-10], u[-10:] = 0, 1
    classes = rng.choice([2, 3, 10, 100], size=count)
    columns = []
    for parameter in declaration.parameters:
        low, high = parameter.slider
        columns.append(np.clip(rng.uniform(low, high, size=count), low + (high - low) / 1000, high))
    return u, classes, np.array(columns).reshape(len(columns), count)


def inside(u, classes, parameters):
    """The points that are neither 0 nor 1."""
    kept = (u > 0) & (u < 1)
    return u[kept], classes[kept], parameters[:, kept]


def computed(declaration, name, u, classes, parameters):
    """numpy's curve; its functions take arrays of hyperparameters as well as of u."""
    result = np.empty(len(u))
    for count in np.unique(classes):
        chosen = classes == count
        values = {p.name: parameters[i, chosen] for i, p in enumerate(declaration.parameters)}
        loss = SimpleNamespace(declaration=declaration, floats=values)
        result[chosen] = along_path(loss, u[chosen], int(count), name)
    return result


def close_to_the_truth(declaration, name, u, classes, parameters, got):
    """Between the ends, what was computed lies within the bound of its rounding; and that bound is small."""
    form = getattr(path(declaration), name)
    function = form.function("mpmath")
    got = got[(u > 0) & (u < 1)] if len(got) == len(u) else got
    u, classes, parameters = inside(u, classes, parameters)
    with mpmath.workdps(DIGITS):
        true = []
        for x, count, row in zip(map(mpmath.mpf, u.tolist()), classes.tolist(), parameters.T.tolist(), strict=True):
            at = (x, mpmath.log(x), 1 - x, mpmath.log(1 - x), count - 2 + x, count)
            true.append(function(*at, *map(mpmath.mpf, row)))
        error = np.array([float(abs(mpmath.mpf(g) - t)) for g, t in zip(got.tolist(), true, strict=True)])
        size = np.maximum(1, np.abs(np.array([float(t) for t in true])))
    exact = {p.symbol: row for p, row in zip(declaration.parameters, parameters, strict=True)}
    exact |= {COORDINATES[0]: u, K: classes.astype(float)}
    logs = {COORDINATES[1]: np.log(u), COORDINATES[3]: np.log1p(-u)}
    values = {symbol: (column, 0.0) for symbol, column in exact.items()}
    values[COORDINATES[2]] = 1 - u, np.where(u >= 0.5, 0.0, EPS * (1 - u))
    values[TAU] = classes - 2 + u, np.where(classes == 2, 0.0, EPS * (classes - 2 + u))
    values |= {symbol: (column, ULPS * EPS * np.abs(column)) for symbol, column in logs.items()}
    allowed = np.broadcast_to(bound(near_one(in_coordinates(form.expression)), values), u.shape)
    worst = np.argmax(allowed / size)
    assert allowed[worst] <= WORST * size[worst], (name, "cancels at", u[worst], classes[worst], parameters[:, worst])
    off = np.argmax(error - allowed)
    assert error[off] <= allowed[off], (name, u[off], classes[off], parameters[:, off], got[off], float(true[off]))


def agree_at_the_ends(declaration, name, u, classes, parameters, got):
    """At 0 and 1, where limits are taken: the same as numpy to rounding, infinities and all."""
    ends = (u == 0) | (u == 1)
    if name == "derivative":
        return  # a slope whose terms are infinite there is left to the server
    wanted = computed(declaration, name, u[ends], classes[ends], parameters[:, ends])
    np.testing.assert_allclose(got[ends], wanted, rtol=1e-9, atol=1e-9, err_msg=name)
