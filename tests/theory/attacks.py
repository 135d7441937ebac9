"""Every theorem against random instances that satisfy its hypotheses, by brute force and without the engine."""

import mpmath
import numpy as np

from tests.theory.instances import (
    KNOTS,
    TINY,
    curve,
    edge,
    gap,
    kept,
    lattice,
    normalised,
    phi,
    predictions,
    quotients,
    superadditive_ends,
    weights,
)


def concave(draw):
    assert quotients(curve(draw, "concave")) > 1 - TINY


def convex(draw):
    loss = curve(draw, "convex")
    slopes = (loss(7 / 8) - loss(1)) / (loss(0) - loss(1 / 8))
    assert abs(quotients(loss) - slopes) < TINY and abs(quotients(loss, line=True) - slopes) < TINY


def infinite_at_0(draw):
    q, d = draw.uniform(0.1, 0.8), mpmath.mpf(10) ** -60
    with mpmath.workdps(200):
        for loss in (lambda u: -(u**q) - u, lambda u: (mpmath.inf if u == 0 else -mpmath.log(u)) - u):
            for x in (mpmath.mpf(draw.uniform(0.1, 0.9)), 1 - d):
                assert 0 <= (loss(x) - loss(x + d)) / (loss(mpmath.mpf(0)) - loss(d)) < 1e-10


def vanishing_slope(draw):
    k, s = int(draw.integers(0, 3)), float(draw.choice([0.25, 0.5, 1.0]))
    j = k + 1 + (k + 1) % 2  # even, so that l' keeps its sign on both sides of s
    falling = np.polynomial.Polynomial([0] * k + [1]) * np.polynomial.Polynomial([-s, 1]) ** j

    def fall(x, d):  # with few digits lost: by quadrature of -l'
        t, weight = np.polynomial.legendre.leggauss(12)
        return d / 2 * (weight * falling(x + d * (1 + t) / 2)).sum()

    assert fall(s - 1e-4, 1e-4) / fall(0, 1e-4) < 1e-2 * fall(s - 0.2, 0.2) / fall(0, 0.2)


def rise_and_fall(draw):
    loss = curve(draw, "concave, then convex")
    for x, d in zip(*draw.uniform(size=(2, 100)), strict=True):
        x *= 1 - d
        assert loss(x) - loss(x + d) > min(loss(0) - loss(d), loss(1 - d) - loss(1)) - TINY
    assert abs(quotients(loss) - quotients(loss, line=True)) < TINY


def two_ends(draw):
    loss = curve(draw, "any")
    assert superadditive_ends(loss) == (quotients(loss, line=True) >= 1 - TINY)


def bracket(draw):
    from alf.losses import parse
    from alf.theory import ratio

    a, c = draw.choice([3, 5, 8]), draw.choice(["0.3", "0.5", "0.7"])
    found = ratio(parse(f"formula:-u-sin({a}*u)/({a}+2)+atan(2*({c}-u))"))
    x, d = np.meshgrid(np.linspace(0, 1, 201), np.linspace(0.005, 1, 200))

    def mean(x, d):  # of -l' over [x, x + d]
        loss = lambda u: -u - np.sin(a * u) / (a + 2) + np.arctan(2 * (float(c) - u))  # noqa: E731
        return (loss(x) - loss(x + d)) / d

    least = (mean(x, d) / mean(0, d))[x + d <= 1 + 1e-12].min()
    assert found.interval[0] - TINY < least < 1.03 * found.interval[1]


def ratio_rule(draw):
    loss = curve(draw, "any")
    r, upper = quotients(loss), quotients(loss, line=True)
    points = predictions(draw, 3)
    assert (gap(loss, weights(draw, 3, 1.001 / r), points) > 0).all()
    if upper < 0.99:
        assert edge(loss, weights(draw, 3, max(1.001, 0.999 / upper))).min() < 0 or 0.999 / upper < 1.001


def edge_rule(draw):
    loss, w = curve(draw, "any"), weights(draw, 4)
    w[2:] = 0
    assert (edge(loss, w).min() > 0) == (gap(loss, w, predictions(draw, 4)).min() > 0)


def on_edge_so_everywhere(draw, kind):
    """Whether what holds on the edge holds on the simplex, for weights at which the edge only just holds."""
    loss, w = curve(draw, kind), weights(draw, 3)
    upper = quotients(loss, line=True)
    w[0] = w[1] * max(1.001, 1.001 / upper)
    return edge(loss, w).min() <= 0 or bool((gap(loss, w, predictions(draw, 3)) > 0).all())


def half_concave(draw):
    assert on_edge_so_everywhere(draw, "half concave")


def exchange_of_mass(draw):
    assert on_edge_so_everywhere(draw, "concave, then convex")


def concavity(draw):
    h, sigma, w = curve(draw, "concave"), curve(draw, "concave"), weights(draw, 4)
    points = predictions(draw, 4)
    shared = sigma(points).sum(axis=1) - sigma(1) - 3 * sigma(0)
    assert (gap(h, w, points) + w.sum() * shared > 0).all()


def vertex_kkt(draw):
    w, a = weights(draw, 3), draw.uniform(0.5, 8)
    points = np.concatenate([predictions(draw, 3), [(1 - 1e-4, 1e-4, 0)]])
    risk = w.sum() * (points**2).sum(axis=1) - 2 * a * points @ w
    holds = -2 * a * w[0] + 2 * w.sum() <= -2 * a * w[1]
    assert (risk.min() > w.sum() - 2 * a * w[0]) == holds or abs(a * (w[0] - w[1]) - w.sum()) < 1e-3


def infinite_vertex(draw):
    w = weights(draw, 3)
    with np.errstate(divide="ignore"):
        assert np.isfinite(-np.log(w / w.sum()) @ w) and -np.log(np.array([1.0, 0.0, 0.0]))[1:] @ w[1:] == np.inf


def one_label(draw):
    loss, points = curve(draw, "any"), predictions(draw, 3)
    assert np.allclose(loss(points) @ [0.7, 0, 0], 0.7 * loss(points[:, 0]))


def minimisation(draw):
    steep, middle, w = draw.uniform(3, 12), draw.uniform(0, 1), weights(draw, 3)
    loss = lambda x: 1 / (1 + np.exp(steep * (x - middle)))  # noqa: E731
    shares, points = np.arange(1001) / 1000, predictions(draw, 3)
    multiplier = draw.uniform(0, steep)
    bound = sum((x * loss(shares) + multiplier * shares).min() for x in w) - multiplier
    assert (loss(points) @ w > bound - 1e-3 * steep**2).all()
    best = min(points, key=lambda u: loss(u) @ w)
    for step in 0.05 * 0.7 ** np.arange(60):
        moves = [best + step * (np.eye(3)[i] - np.eye(3)[j]) for i in range(3) for j in range(3)]
        best = min((u for u in moves if u.min() >= 0), key=lambda u: loss(u) @ w)
    if best.max() < 1:
        inside, e = best > 1e-3, 1e-5
        slope = (w * (loss(best + e) - loss(best - e)) / (2 * e))[inside]
        bend = (w * (loss(best + e) + loss(best - e) - 2 * loss(best)) / e**2)[inside]
        assert np.ptp(slope) < 1e-3 * steep**2 and (bend < -1e-2 * steep**2).sum() <= 1


def symmetric_rule(draw):
    w, q, points = weights(draw, 4), draw.uniform(0.2, 3), predictions(draw, 4)
    w[2:] = w[1]
    losses = normalised(lambda x: 1 - x**q, points)
    assert np.allclose(losses @ w, w[1] + (w[0] - w[1]) * losses[:, 0])


def mean_of_weights(draw):
    w, gamma = weights(draw, 3), draw.uniform(0, 3)
    points = predictions(draw, 3)
    points = points[points.min(axis=1) > 1e-12]
    assert (normalised(lambda x: -((1 - x) ** gamma) * np.log(x), points) @ w > w[2] - TINY).all()
    s = np.array([-np.log(0.1) * 0.9**gamma, -np.log(0.9) * 0.1**gamma, 1e12])  # the third share is exp(-1e12)
    assert abs(w @ s / s.sum() - w[2]) < TINY


def steep_normaliser(draw):
    w, q = weights(draw, 3), draw.uniform(0.2, 0.7)
    w[2] *= 0.5
    with mpmath.workdps(150):
        t = mpmath.mpf(10) ** -60
        s = [1 - u**q for u in (1 - t, t, mpmath.mpf(0))]
        risk = sum(x * y for x, y in zip(map(float, w), s, strict=True)) / sum(s)
        assert (risk - (mpmath.mpf(float(w[1])) + mpmath.mpf(float(w[2]))) / 2) / t < -1000


def sum_rule(draw):
    first, w, points = curve(draw, "concave"), weights(draw, 4), predictions(draw, 4)
    w[2:] = w[1]
    second = normalised(lambda x: 1 - x**0.5, points) @ w - w[1]
    assert (second > -TINY).all() and (gap(first, w, points) + draw.uniform(0.1, 9) * second > 0).all()


def normaliser(draw):
    w, alpha = weights(draw, 3), draw.uniform(0.1, 5)
    w[2] *= 0.5
    x = curve(draw, draw.choice(["concave", "any"]))
    points = predictions(draw, 3)
    points = points[points.min(axis=1) > 1e-12]
    risk = alpha * (normalised(lambda p: -np.log(p), points) @ w) + x(points) @ w
    other = x(lattice(3)) @ w
    assert (risk > alpha * w[2] + other.min() - TINY).all()
    for point in ([1 - 1e-9, 1e-9, 0], *(lattice(3)[lattice(3)[:, 2] == 0] * (1 - 2e-9) + [1e-9, 1e-9, 0])):
        s = np.array([-np.log(point[0]), -np.log(point[1]), 1e15])
        assert abs(w @ s / s.sum() - w[2]) < TINY  # so at every such point R comes to alpha min w + R_X


def flat_sets(draw):
    c, w = draw.uniform(0.05, 0.5), weights(draw, 4)
    loss = lambda x: 1 - np.minimum(np.maximum(x, c), 1 - c)  # noqa: E731
    points = np.concatenate([predictions(draw, 4), (1 - c) * np.eye(4) + c / 4])
    least = np.abs(gap(loss, w, points)) < TINY
    assert (gap(loss, w, points) > -TINY).all() and (least == (np.abs(loss(points[:, 0]) - loss(1)) < TINY)).all()


def ratio_1(draw):
    loss = kept(draw, draw.choice(["concave", "half concave"]), lambda one: quotients(one) >= 1)
    assert (gap(loss, weights(draw, 4, 1.001), predictions(draw, 4)) > 0).all()


def two_classes(draw):
    loss, w = kept(draw, "any", superadditive_ends), weights(draw, 2)
    points = predictions(draw, 2)
    assert (gap(loss, w, points) > (w[0] - w[1]) * (loss(0) - loss(1 - points[:, 0])) - TINY).all()


def superadditive(draw):
    loss = curve(draw, draw.choice(["any", "concave", "half concave"]))
    sums = phi(loss, lattice(3)).sum(axis=1)
    if sums.max() <= 1 + 1e-12:
        points, w = predictions(draw, 3), weights(draw, 3)
        others = phi(loss, points[:, 1:]).sum(axis=1)
        assert (gap(loss, w, points) >= (loss(0) - loss(1)) * (w[0] - w[1]) * others - TINY).all()
    else:
        worst, slack = lattice(3)[[sums.argmax()]], min(1.0, (sums.max() - 1) / 3)
        assert gap(loss, np.array([1, 1 - slack, 1 - slack]), worst)[0] < 0


def half_superadditive(draw):
    loss, classes = kept(draw, "half concave", superadditive_ends), int(draw.integers(2, 8))
    assert (phi(loss, predictions(draw, classes)).sum(axis=1) <= 1 + TINY).all()


def constant_sum(draw):
    a, b = draw.normal(size=2)
    assert np.ptp((a + b * lattice(3)).sum(axis=1)) < TINY
    assert np.ptp(curve(draw, "any")(lattice(3)).sum(axis=1)) > 1e-6
    odd = a * (KNOTS - 0.5) ** 3 + b * np.sin(5 * (KNOTS - 0.5))
    assert np.ptp(odd + odd[::-1]) < TINY


def noise_tolerance(draw):
    loss, points = curve(draw, "concave"), lattice(3)
    clean, matrix = draw.integers(0, 3, 20), draw.dirichlet(np.ones(3), 3)
    for y in range(3):
        matrix[y, y] = np.delete(matrix[y], y).max() + 0.01
    assert all(points[(loss(points) @ matrix[y]).argmin()][y] == 1 for y in clean)
    assert all(points[loss(points[:, y]).argmin()][y] == 1 for y in clean)


def exchange(draw):
    p = weights(draw, 4)
    u = np.sort(draw.dirichlet(np.ones(4)))
    k, by = draw.uniform(0.2, 3), lambda u: np.exp(-k * u) * (1 + (u**2).sum()) + (u**3).sum()
    swapped = u[[1, 0, 2, 3]]
    lower = p @ by(u) - p @ by(swapped)
    assert lower > 0 and abs(lower - (p[0] - p[1]) * (by(u)[0] - by(u)[1])) < TINY
    tied, move = (u + u[[1, 0, 2, 3]]) / 2, np.array([1e-6, -1e-6, 0, 0])
    assert p @ by(tied + move) < p @ by(tied)


def odd_order(draw):
    t, a, e = 0.5, int(draw.integers(1, 4)), 0.02
    h = np.polynomial.Polynomial([-t, 1]) ** (2 * a) * np.polynomial.Polynomial([-1, 0, -1])
    h = h.integ(lbnd=t)
    p = weights(draw, 2, 1.3)
    assert p[0] * h(t + e) + p[1] * h(t - e) < 0 == h(t)


def normalised_two_classes(draw):
    q, p, sign = draw.uniform(0.2, 3), weights(draw, 2), draw.choice([-1, 2])
    shares = np.linspace(0.001, 0.999, 200)
    losses = normalised(lambda x: sign * (1 - x**q), np.stack([shares, 1 - shares], axis=1))
    assert (np.diff(losses[:, 0]) < 0).all() and np.allclose(losses @ p, p[1] + (p[0] - p[1]) * losses[:, 0])


def asymmetric_curve(draw):
    """A loss that is completely asymmetric for any number of classes."""
    return kept(draw, draw.choice(["half concave", "concave"]), superadditive_ends)


def complete_calibrated(draw):
    loss, points, p = asymmetric_curve(draw), predictions(draw, 4), weights(draw, 4)
    leads = points.argmax(axis=1)
    bound = (p[0] - p[leads]) * (loss(0) - loss(points[np.arange(len(points)), leads]))
    assert (gap(loss, p, points) >= bound - TINY).all()


def kink_tie(draw):
    loss, p = curve(draw, "any"), weights(draw, 2)
    t, h = draw.choice(KNOTS[2:5]), draw.choice([1 / 16, 1 / 8, 1 / 4])
    up, down = loss(t - h) - loss(t), loss(t) - loss(t + h)
    assert abs(p @ loss(np.array([t + h, t - h])) - p.sum() * loss(t) - (p[1] * up - p[0] * down)) < TINY
    assert up > down or p[1] * up < p[0] * down
    loss, t, r = curve(draw, "convex"), 0.375, 0.25  # (t, t, r), r a knot: a slope there is that to the left
    left, right, third = (8 * (loss(x) - loss(y)) for x, y in ((0.25, t), (t, 0.5), (0.125, r)))
    multiplier, ratio = 1.0, 1 + (left / right - 1) / 2
    p = np.array([ratio * multiplier / left, multiplier / left, multiplier / third])
    assert p[0] > p[1] >= p[2] and (loss(lattice(3)) @ p >= loss(np.array([t, t, r])) @ p - TINY).all()


def excess_risk(draw):
    loss, classes = asymmetric_curve(draw), int(draw.integers(2, 5))
    points, p = predictions(draw, classes), weights(draw, classes) / 2
    leads, rows = points.argmax(axis=1), np.arange(len(points))
    room = 1 - (phi(loss, points).sum(axis=1) - phi(loss, points[rows, leads]))
    assert (gap(loss, p, points) >= (loss(0) - loss(1)) * (p[0] - p[leads]) * room - TINY).all()
    equal = np.ones((len(points), classes))
    equal[rows, leads] = 0
    excess = (equal * loss(points)).sum(axis=1) - loss(1) - (classes - 2) * loss(0)
    assert np.allclose(excess, (loss(0) - loss(1)) * room)


def equal_splits(draw):
    loss, classes = curve(draw, "half concave"), int(draw.integers(2, 8))
    points = np.sort(predictions(draw, classes), axis=1)
    split = max((s - 1) * phi(loss, 1 / s) for s in range(2, classes + 1))
    assert (phi(loss, points[:, :-1]).sum(axis=1) <= split + TINY).all()


def fails_on_the_simplex(draw):
    return not on_edge_so_everywhere(draw, "any")


def rises_and_falls_twice(draw):
    loss = curve(draw, "any")
    return quotients(loss) < quotients(loss, line=True) - 0.01


def convex_and_not_superadditive(draw):
    return (phi(curve(draw, "convex"), lattice(3)).sum(axis=1) > 1.01).any()


def ends_alone(draw):
    loss = kept(draw, "any", superadditive_ends)
    return (phi(loss, lattice(3)).sum(axis=1) > 1.001).any()


def three_classes(draw):
    loss, w = kept(draw, "any", superadditive_ends), weights(draw, 3, 1.001)
    return (gap(loss, w, predictions(draw, 3)) < 0).any()


def tied_ratio(draw):
    loss, w = curve(draw, "any"), weights(draw, 3)
    w[0] = w[1] / quotients(loss)
    w[2] = w[1]
    return w[0] > w[1] * 1.001 and (gap(loss, 0.999 * w + [0, 0.001 * w[1], 0.001 * w[1]], lattice(3)[1:]) < 0).any()


def sharing_with_unequal_weights(draw):
    w, points = weights(draw, 3), predictions(draw, 3)
    w[2] *= 0.2
    return (normalised(lambda x: 1 - x**0.3, points) @ w < w[1:].mean() - 0.01).any()


def flat_and_not_superadditive(draw):
    w = weights(draw, 3, 1.01)
    return (gap(lambda x: np.maximum(0, 0.8 - x), w, predictions(draw, 3)) < -0.001).any()


def large_constant_at_unequal_splits(draw):
    loss = curve(draw, "any")
    points = np.sort(predictions(draw, 3), axis=1)
    split = max((s - 1) * phi(loss, 1 / s) for s in (2, 3))
    return (phi(loss, points[:, :-1]).sum(axis=1) > split + 0.01).any()


WITHOUT = {
    "rise-and-fall": rises_and_falls_twice,
    "half-concave": fails_on_the_simplex,
    "exchange-of-mass": fails_on_the_simplex,
    "ratio-1": convex_and_not_superadditive,
    "ratio-rule": tied_ratio,
    "symmetric-rule": sharing_with_unequal_weights,
    "flat-sets": flat_and_not_superadditive,
    "two-classes": three_classes,
    "half-superadditive": ends_alone,
    "equal-splits": large_constant_at_unequal_splits,
}
"""Instances without one of the hypotheses: among a few hundred the conclusion fails."""

ATTACKS = {
    "concave": concave, "convex": convex, "infinite-at-0": infinite_at_0, "vanishing-slope": vanishing_slope,
    "rise-and-fall": rise_and_fall, "two-ends": two_ends, "bracket": bracket, "ratio-rule": ratio_rule,
    "edge": edge_rule, "half-concave": half_concave, "exchange-of-mass": exchange_of_mass, "concavity": concavity,
    "vertex-kkt": vertex_kkt, "infinite-vertex": infinite_vertex, "one-label": one_label,
    "minimisation": minimisation, "symmetric-rule": symmetric_rule, "mean-of-weights": mean_of_weights,
    "steep-normaliser": steep_normaliser, "sum-rule": sum_rule, "normaliser": normaliser, "flat-sets": flat_sets,
    "ratio-1": ratio_1, "two-classes": two_classes, "superadditive": superadditive,
    "half-superadditive": half_superadditive, "constant-sum": constant_sum, "noise-tolerance": noise_tolerance,
    "exchange": exchange, "odd-order": odd_order, "normalised-two-classes": normalised_two_classes,
    "complete-calibrated": complete_calibrated, "kink-tie": kink_tie, "excess-risk": excess_risk,
    "equal-splits": equal_splits,
}  # fmt: skip
