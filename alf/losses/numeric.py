"""Curves of a loss as numpy arrays.

A loss with sums depends on more than u_y. Its curve is drawn along the path on which the other K - 1 classes share the
rest equally, u_k = (1 - u_y)/(K - 1).
"""

import numpy as np

from alf.errors import InputError
from alf.losses.compile import Compiled, compiled
from alf.losses.declaration import Loss

# Stand-ins for 0 where the plain value is 0/0, inf/inf or 0 inf: far enough out that what is left is rounding.
_TINY = 1e-300
_FAR = -1e300
_HUGE = 1e60  # a stand-in's result beyond this is infinite, below its reciprocal zero


def value(loss: Loss, probability, classes: int = 10) -> np.ndarray:
    """L(u, y) over u_y.

    Parameters
    ----------
    loss : Loss
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
    >>> value(parse("mae"), [0.0, 0.25, 1.0])
    array([1.  , 0.75, 0.  ])
    """
    return _along_path(loss, probability, classes, _value)


def derivative(loss: Loss, probability, classes: int = 10) -> np.ndarray:
    """dL/du_y along the path; shapes, units and errors as `value`. May be -inf at u_y = 0."""
    return _along_path(loss, probability, classes, _derivative)


def sample_weight(loss: Loss, probability, classes: int = 10) -> np.ndarray:
    """-dL/du_y u_y (1 - u_y): how hard a sample pulls on the logit margin; shapes and errors as `value`.

    With equal logits of the other classes, du_y/d(margin) = u_y (1 - u_y).
    """
    return _along_path(loss, probability, classes, _weight)


def vector(loss: Loss, probabilities) -> np.ndarray:
    """L(u, i) for every label i.

    Parameters
    ----------
    loss : Loss
    probabilities : array_like (..., K)
        Points of the simplex.

    Returns
    -------
    ndarray (..., K)

    Examples
    --------
    >>> from alf.losses import parse
    >>> vector(parse("nce"), [0.5, 0.25, 0.25])
    array([0.2, 0.4, 0.4])
    """
    points = np.asarray(probabilities, dtype=float)
    if points.ndim < 1 or points.shape[-1] < 2:
        raise InputError(f"probabilities must have at least two classes on their last axis, got shape {points.shape}")
    form, constants = compiled(loss.declaration), _constants(loss, points.shape[-1])
    coordinates = _coordinates(points)
    with np.errstate(all="ignore"):
        sums = [_call(s, coordinates, (), constants).sum(axis=-1, keepdims=True) for s in form.summands]
        return _call(form.outer, coordinates, sums, constants)


def _along_path(loss: Loss, probability, classes: int, quantity) -> np.ndarray:
    points = np.asarray(probability, dtype=float)
    if classes < 2:
        raise InputError(f"the number of classes must be at least 2, got {classes}")
    if not np.all((points >= 0) & (points <= 1)):
        raise InputError(f"a probability must lie in [0, 1], got {points[~((points >= 0) & (points <= 1))].flat[0]}")
    form, constants = compiled(loss.declaration), _constants(loss, classes)
    others = (1 - points) / (classes - 1), (classes - 2 + points) / (classes - 1)
    with np.errstate(all="ignore"):
        result = quantity(form, _coordinates(points), _coordinates(*others), constants, classes)
        for label, rest in _nudged(points, classes):
            missing = np.isnan(result)
            if missing.any():
                limit = quantity(form, label, rest, constants, classes)
                limit = np.where(np.abs(limit) > _HUGE, np.sign(limit) * np.inf, limit)
                result = np.where(missing, np.where(np.abs(limit) < 1 / _HUGE, 0.0, limit), result)
    return result + 0.0  # no negative zeros


def _constants(loss: Loss, classes: int) -> tuple:
    return (float(classes), *loss.floats.values())


def _coordinates(points: np.ndarray, complement: np.ndarray | None = None) -> tuple:
    """(u, log u, v, log v) of each probability; `complement` is 1 - u where it is known better than by a difference."""
    with np.errstate(divide="ignore"):
        if complement is None:
            return points, np.log(points), 1 - points, np.log1p(-points)
        return points, np.log(points), complement, np.log(complement)


def _nudged(points: np.ndarray, classes: int):
    """The coordinates of label and rest with the ends 0 and 1 moved inwards by amounts that doubles cannot show.

    The first only moves log 0 to a huge finite number (the limit of a quotient of logarithms), the second moves u and
    v themselves (the limit of a product of powers).
    """
    low, high, rest = points == 0, points == 1, (1 - points) / (classes - 1)
    complement = (classes - 2 + points) / (classes - 1)
    for zero, log_zero in ((0.0, _FAR), (_TINY, np.log(_TINY))):
        with np.errstate(divide="ignore"):
            label = (
                np.where(low, zero, points),
                np.where(low, log_zero, np.where(high, -zero, np.log(points))),
                np.where(high, zero, 1 - points),
                np.where(high, log_zero, np.log1p(-points)),
            )
            others = (
                np.where(high, zero, rest),
                np.where(high, log_zero, np.log(rest)),
                np.where(low & (classes == 2), zero, complement),
                np.where(low & (classes == 2), log_zero, np.log(complement)),
            )
        yield label, others


def _call(form: Compiled, coordinates: tuple, sums, constants: tuple, wrt: int | None = None) -> np.ndarray:
    """An expression or one of its partial derivatives, broadcast to the shape of the coordinates."""
    chosen = form if wrt is None else form.partial(wrt)
    result = chosen.function("numpy")(*coordinates, *sums, *constants)
    return np.array(np.broadcast_to(np.asarray(result, dtype=float), np.shape(coordinates[0])))


def _sums(form, label, rest, constants, classes) -> list[np.ndarray]:
    return [
        _call(s, label, (), constants) + (classes - 1) * _call(s, rest, (), constants) for s in form.summands
    ]  # fmt: skip


def _log_slope(form: Compiled, coordinates: tuple, sums, constants: tuple, uses_log_v: bool) -> np.ndarray:
    """u d/du, the dependence through log(1 - u) included: d log v/d log u = -u/v."""
    result = _call(form, coordinates, sums, constants, wrt=0)
    if uses_log_v:
        result = result - coordinates[0] / coordinates[2] * _call(form, coordinates, sums, constants, wrt=1)
    return result


def _value(form, label, rest, constants, classes) -> np.ndarray:
    return _call(form.outer, label, _sums(form, label, rest, constants, classes), constants)


def _weight(form, label, rest, constants, classes) -> np.ndarray:
    sums = _sums(form, label, rest, constants, classes)
    first = 2 if form.uses_log_v else 1
    result = _log_slope(form.outer, label, sums, constants, form.uses_log_v) * label[2]
    for i, summand in enumerate(form.summands):
        own = _log_slope(summand, label, (), constants, form.uses_log_v) * label[2]
        # (K-1) w = v with w = u_k: v u s'(w) = u (K-1) (w s'(w))
        others = _log_slope(summand, rest, (), constants, form.uses_log_v) * label[0] * (classes - 1)
        result = result + _call(form.outer, label, sums, constants, wrt=first + i) * (own - others)
    return -result


def _derivative(form, label, rest, constants, classes) -> np.ndarray:
    sums = _sums(form, label, rest, constants, classes)
    first = 2 if form.uses_log_v else 1
    result = _slope(form.outer, label, sums, constants, form.uses_log_v)
    for i, summand in enumerate(form.summands):
        own = _slope(summand, label, (), constants, form.uses_log_v)
        others = _slope(summand, rest, (), constants, form.uses_log_v)
        result = result + _call(form.outer, label, sums, constants, wrt=first + i) * (own - others)
    return result


def _slope(form: Compiled, coordinates: tuple, sums, constants: tuple, uses_log_v: bool) -> np.ndarray:
    """d/du, from its own expression: u d/du divided by u is 0/0 at u = 0."""
    result = form.slope.function("numpy")(*coordinates, *sums, *constants)
    result = np.array(np.broadcast_to(np.asarray(result, dtype=float), np.shape(coordinates[0])))
    if uses_log_v:
        result = result - _call(form, coordinates, sums, constants, wrt=1) / coordinates[2]
    return result
