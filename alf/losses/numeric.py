"""Curves of a loss as numpy arrays.

A loss with sums depends on more than u_y. Its curve is drawn along the path on which the other K - 1 classes share the
rest equally, u_k = (1 - u_y)/(K - 1).
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from mpmath import mp
from numpy.typing import ArrayLike, NDArray

from alf.errors import InputError
from alf.losses.compile import Compiled, compiled, path
from alf.losses.interface import ValuedLoss
from alf.losses.precision import many_digits

Array = NDArray[np.float64]

# Stand-ins for 0 where the plain value is 0/0, inf/inf or 0 inf: far enough out that what is left is rounding.
STAND_INS = ((0.0, -1e300), (1e-300, float(np.log(1e-300))))
HUGE = 1e60  # a stand-in's result beyond this is infinite, below its reciprocal zero


def along_path(
    loss: ValuedLoss, probability: ArrayLike, classes: int, quantity: Literal["value", "derivative", "weight"]
) -> Array:
    """A curve of the loss over u_y, see `Loss.value`, `Loss.derivative` and `Loss.sample_weight`."""
    points = np.asarray(probability, dtype=float)
    if classes < 2:
        raise InputError(f"the number of classes must be at least 2, got {classes}")
    if not np.all((points >= 0) & (points <= 1)):
        raise InputError(f"a probability must lie in [0, 1], got {points[~((points >= 0) & (points <= 1))].flat[0]}")
    form, constants = getattr(path(loss.declaration), quantity), _constants(loss, classes)
    with np.errstate(all="ignore"):
        result = _call(form, _coordinates(points), (classes - 2 + points,), constants)
        if quantity == "derivative":
            for end in (0, 1):
                missing = np.isnan(result) & (points == end)
                if missing.any():
                    result[missing] = _slope_at(end, form, loss, classes)
            return result + 0.0  # no negative zeros
        result = _filled(result, points, lambda at: _call(form, at, (classes - 2 + at[0],), constants))
    return result + 0.0


def vector(loss: ValuedLoss, probabilities: ArrayLike) -> Array:
    """L(u, i) for every label i, see `Loss.vector`."""
    points = np.asarray(probabilities, dtype=float)
    if points.ndim < 1 or points.shape[-1] < 2:
        raise InputError(f"probabilities must have at least two classes on their last axis, got shape {points.shape}")
    form, constants = compiled(loss.declaration), _constants(loss, points.shape[-1])

    def at(coordinates: tuple[Array, ...]) -> Array:
        sums = [_call(s, coordinates, (), constants).sum(axis=-1, keepdims=True) for s in form.summands]
        return _call(form.outer, coordinates, sums, constants)

    with np.errstate(all="ignore"):
        return _filled(at(_coordinates(points)), points, at)


def _filled(result: Array, points: Array, at: Callable[[tuple[Array, ...]], Array]) -> Array:
    """The result with what has no plain value replaced by its limit; `at` computes it at given coordinates."""
    for zero, log_zero in STAND_INS:
        missing = np.isnan(result)
        if missing.any():
            limit = at(_nudged(points, zero, log_zero))
            limit = np.where(np.abs(limit) > HUGE, np.sign(limit) * np.inf, limit)
            result = np.where(missing, np.where(np.abs(limit) < 1 / HUGE, 0.0, limit), result)
    return result


def _slope_at(end: int, form: Compiled, loss: ValuedLoss, classes: int) -> float:
    """The limit of dl/du at an end where its terms are infinite and cancel: from inside, in many digits.

    A slope that grows on the way in is infinite. One that arrives like 1/log u is given to about three digits.
    """
    function = form.function("mpmath")
    with many_digits(700):
        values = []
        for exponent in (150, 300):
            small = mp.mpf(10) ** -exponent
            at = small if end == 0 else 1 - small
            coordinates = (at, mp.log(at), 1 - at, mp.log(1 - at), classes - 2 + at)
            values.append(function(*coordinates, classes, *(mp.mpf(v) for v in loss.floats.values())))
        far, near = values
        if abs(near) < 1 / HUGE:
            return 0.0
        return float(mp.sign(near) * mp.inf if abs(near) > 1.5 * abs(far) else near)


def _constants(loss: ValuedLoss, classes: int) -> tuple[np.float64, ...]:
    return (np.float64(classes), *(np.float64(v) for v in loss.floats.values()))


def _coordinates(points: Array) -> tuple[Array, ...]:
    """(u, log u, v, log v) of each probability."""
    with np.errstate(divide="ignore"):
        return points, np.log(points), 1 - points, np.log1p(-points)


def _nudged(points: Array, zero: float, log_zero: float) -> tuple[Array, ...]:
    """The coordinates with the ends 0 and 1 moved inwards by amounts that doubles cannot show.

    With zero = 0, log 0 alone becomes a huge finite number (the limit of a quotient of logarithms); otherwise u and v
    themselves move (the limit of a product of powers).
    """
    low, high = points == 0, points == 1
    with np.errstate(divide="ignore"):
        return (
            np.where(low, zero, points),
            np.where(low, log_zero, np.where(high, -zero, np.log(points))),
            np.where(high, zero, 1 - points),
            np.where(high, log_zero, np.log1p(-points)),
        )


def _call(form: Compiled, coordinates: tuple[Array, ...], sums: Sequence[Array], constants: tuple[Any, ...]) -> Array:
    """An expression broadcast to the shape of the coordinates."""
    result = form.function("numpy")(*coordinates, *sums, *constants)
    return np.array(np.broadcast_to(np.asarray(result, dtype=float), np.shape(coordinates[0])))
