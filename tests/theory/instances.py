"""Random losses, label weights and predictions, and what brute force finds of them.

Losses are piecewise linear with knots at multiples of 1/CELLS wherever that is enough: the least quotient of falls, the
least risk on an edge and the least sum over classes are then at multiples of 1/CELLS too, so they are found exactly.
"""

from itertools import product

import numpy as np

CELLS = 8
KNOTS = np.arange(CELLS + 1) / CELLS
TINY = 1e-9


def curve(draw, kind):
    """A loss of one share that decreases strictly: falls per cell in the order that its kind asks for."""
    falls = draw.exponential(size=CELLS) ** draw.choice([1, 2]) + 0.01
    half = CELLS // 2
    if kind == "concave":
        falls.sort()
    elif kind == "convex":
        falls = np.sort(falls)[::-1]
    elif kind == "concave, then convex":
        turn = draw.integers(0, CELLS + 1)
        falls = np.concatenate([np.sort(falls[:turn]), np.sort(falls[turn:])[::-1]])
    elif kind == "half concave":
        falls[:half] = np.sort(falls[:half]) * draw.choice([0.1, 1])
    values = np.concatenate([[0.0], -np.cumsum(falls)]) + falls.sum()
    return lambda x: np.interp(x, KNOTS, values)


def kept(draw, kind, wanted):
    """The first curve of a kind that has a property."""
    return next(one for one in iter(lambda: curve(draw, kind), None) if wanted(one))


def quotients(loss, line=False):
    """(l(x) - l(x + d)) / (l(0) - l(d)) over the multiples of 1/CELLS; on x = 1 - d only for the upper ratio."""
    pairs = [(x, d) for x in KNOTS for d in KNOTS[1:] if (x + d == 1 if line else x + d <= 1)]
    return min((loss(x) - loss(x + d)) / (loss(0) - loss(d)) for x, d in pairs)


def superadditive_ends(loss):
    """Whether l(t) + l(1 - t) >= l(0) + l(1)."""
    return (loss(KNOTS) + loss(1 - KNOTS) >= loss(0) + loss(1) - 1e-12).all()


def phi(loss, x):
    """The share of the whole fall that is gone at x."""
    return (loss(0) - loss(x)) / (loss(0) - loss(1))


def lattice(classes):
    """Every prediction in multiples of 1/CELLS."""
    whole = product(range(CELLS + 1), repeat=classes - 1)
    return np.array([(CELLS - sum(k), *k) for k in whole if sum(k) <= CELLS]) / CELLS


def predictions(draw, classes, count=200):
    """Random predictions other than the vertices: inside, next to faces, and in multiples of 1/CELLS."""
    inside = draw.dirichlet(np.full(classes, draw.choice([0.2, 1, 4])), count)
    known = lattice(classes) if classes <= 4 else np.empty((0, classes))
    found = np.concatenate([inside, known])
    return found[found.max(axis=1) < 1 - 1e-6]


def weights(draw, classes, ratio=None):
    """Label weights from large to small, the first alone at the top; w_m/w_n where it is given."""
    w = np.sort(draw.uniform(0.05, 1, classes))[::-1]
    w[0] = w[1] * (1 + draw.uniform(0.01, 1) if ratio is None else ratio)
    return w


def gap(loss, w, points):
    """R(u) - R(e_m) at every point."""
    return loss(points) @ w - (w[0] * loss(1) + w[1:].sum() * loss(0))


def edge(loss, w, steps=KNOTS[1:]):
    """The same on the edge between the two heaviest labels."""
    return w[0] * (loss(1 - steps) - loss(1)) - w[1] * (loss(0) - loss(steps))


def normalised(s, points):
    """s(u_y) / sum_k s(u_k) for every label."""
    return s(points) / s(points).sum(axis=1, keepdims=True)
