"""What brute force knows about a script's statement: dense search in floating point and in 50 digits.

It shares no code with the checker. It can contradict an answer; where it finds nothing the answer may be right.
"""

import os
from fractions import Fraction
from itertools import pairwise, product

import mpmath
import numpy as np
import sympy

from tests.theory.oracle import simplex

u = sympy.Symbol("u", positive=True)
LITTLE = 1e-9
SOAK = os.environ.get("ALF_SOAK") == "1"


def contradictions(stated: dict) -> list[str]:
    """The claims of a statement that are wrong, as sentences."""
    loss = _Loss(stated)
    found = [f"{claim} {answer}" for claim, answer in stated["claims"] if _wrong(loss, claim, answer)]
    if stated.get("over"):
        found += _contradictions_over(stated)
    return found


def _contradictions_over(stated: dict) -> list[str]:
    """The same about the claims over the domain of the parameters, from a grid of their values."""
    sides = {name: [Fraction(end) for end in ends] for name, ends in stated["domain"].items()}
    count = (17 if SOAK else 5) if len(sides) == 1 else 5 if SOAK else 3
    grid = [[low + (high - low) * k / (count - 1) for k in range(count)] for low, high in sides.values()]
    found = []
    for values in product(*grid):
        at = {name: str(x) for name, x in zip(sides, values, strict=True)}
        loss = _Loss({**stated, "values": {**stated["values"], **at}})
        found += [f"{claim} over the domain, at {at}" for claim, answer in stated["over"] if answer is True
                  and _wrong(loss, claim, True)]  # fmt: skip
    for claim, answer in stated["over"]:
        if answer is False:
            at = stated["failing"][claim][0]
            outside = any(not low <= Fraction(at[name]) <= high for name, (low, high) in sides.items())
            if outside or _wrong(_Loss({**stated, "values": {**stated["values"], **at}}), claim, False):
                found.append(f"{claim} fails at {at}")
    return found


def _wrong(loss: "_Loss", claim: str, answer) -> bool:
    if claim == "excess_risk":
        return abs(float(answer) - loss.constant()) > 1e-6
    violated = {
        "decreasing": lambda: loss.rises(),
        "convex": lambda: loss.chord(1),
        "concave": lambda: loss.chord(-1),
        "symmetric": lambda: loss.uneven(),
        "asymmetric": lambda: any(loss.undercut(row) for row in loss.matrix),
        "noise_tolerant": lambda: loss.dominated() or any(loss.undercut(row) for row in loss.matrix),
        "completely_asymmetric": lambda: any(loss.undercut(w) for w in loss.almost_equal()),
        "calibrated": lambda: loss.misleads(),
    }[claim]()
    return violated is answer if isinstance(answer, bool) else True


class _Loss:
    def __init__(self, stated: dict):
        names = {n: sympy.sympify(x, rational=True) for n, x in stated["values"].items()} | {
            "u": u,
            "K": stated["classes"],
        }
        symbols = [sympy.Symbol(s) for s in stated["sums"]]
        typed = {"max": sympy.Max, "min": sympy.Min, "abs": sympy.Abs, "e": sympy.E}
        g = sympy.sympify(stated["formula"], locals=typed | names | {str(s): s for s in symbols}, rational=True)
        sums = [sympy.sympify(x, locals=names) for x in stated["sums"].values()]
        self.classes, self.pointwise = stated["classes"], not g.has(*symbols) if symbols else True
        self.normalised = any(sympy.diff(g, s, 2) != 0 for s in symbols)
        self.bare = self.normalised and sympy.simplify(g / sympy.diff(g, symbols[0]) + symbols[0]) == 0
        self.fast = sympy.lambdify([u, *symbols], g, "numpy")
        self.fast_sums = [sympy.lambdify([u], s, "numpy") for s in sums]
        self.slow = sympy.lambdify([u], g if self.pointwise else u, "mpmath")
        self.points = simplex(self.classes)
        self.vectors = self._vectors(self.points)
        self.matrix = [] if stated["matrix"] is None else [self._row(row) for row in stated["matrix"]]

    def _row(self, entries):
        some, rest = entries
        return [float(Fraction(some.get(i, rest))) for i in range(self.classes)]

    def _vectors(self, points):
        x = np.clip(points, 1e-300, 1 - 1e-16)
        with np.errstate(all="ignore"):
            sums = [np.broadcast_to(f(x), x.shape).sum(axis=1, keepdims=True) for f in self.fast_sums]
            return np.broadcast_to(self.fast(x, *sums), x.shape) * np.ones_like(x)

    # --- curves

    def _curve(self):
        with mpmath.workdps(50):
            x = [mpmath.mpf(k) / 700 for k in range(1, 700)]
            return x, [mpmath.re(self.slow(t)) for t in x]

    def rises(self) -> bool:
        _, y = self._curve()
        return not self.pointwise or any(b >= a for a, b in pairwise(y))

    def chord(self, sign: int) -> bool:
        _, y = self._curve()
        with mpmath.workdps(50):
            gaps = [sign * (b - (a + c) / 2) for a, b, c in zip(y, y[1:], y[2:], strict=False)]
            return not self.pointwise or max(gaps) > mpmath.mpf(10) ** -40

    def uneven(self) -> bool:
        sums = self._vectors(np.random.default_rng(3).dirichlet(np.ones(self.classes), 30)).sum(axis=1)
        return bool(sums.max() - sums.min() > 1e-9 * (1 + abs(sums.max())))

    # --- risks

    def dominated(self) -> bool:
        return any(p >= row[y] for y, row in enumerate(self.matrix) for j, p in enumerate(row) if j != y)

    def almost_equal(self):
        """Label weights with a unique largest entry, most of them nearly equal."""
        yield [0.502, 0.498] + [0.0] * (self.classes - 2)
        yield [0.7, 0.3] + [0.0] * (self.classes - 2)
        for seed in range(4):
            shares = np.sort(np.random.default_rng(seed).uniform(0.9, 1, self.classes))[::-1]
            shares[0] += 0.01
            yield list(shares / shares.sum())

    def _risks(self, w):
        with np.errstate(invalid="ignore"):
            risks = np.where(np.array(w) > 0, self.vectors * np.array(w), 0.0).sum(axis=1)
        return np.where(np.isnan(risks), np.inf, risks)

    def undercut(self, w) -> bool:
        """Whether a prediction away from e_m has a risk not above the least one next to it."""
        m = int(np.argmax(w))
        others = sorted(w)[:-1]
        if others[-1] == 0:
            return False
        if self.bare:
            return self.classes > 2 and max(others) - min(others) > 1e-12
        risks, away = self._risks(w), self.points[:, m] < 1 - 1e-3
        # a normalised part has no value at e_m, and logarithms come near its least limit there too slowly for doubles
        room = -0.03 if self.normalised else 1e-10
        return bool(risks[away].min() <= risks[~away].min() + room * (1 + abs(risks[~away].min())))

    def misleads(self) -> bool:
        """Whether for some label probabilities a wrong prediction has the least risk."""
        random = np.random.default_rng(5)
        wrong_at = self.points[:, None, :] >= self.points[:, :, None] - 1e-12
        tied = wrong_at.sum(axis=2) > 1  # another class is as likely
        for trial in range(25):
            p = random.dirichlet(np.ones(self.classes))
            if trial % 2:
                p = np.array([0.55, 0.45, *[0.0] * (self.classes - 2)]) * 0.99 + 0.01 / self.classes
            risks, m = self._risks(p), int(p.argmax())
            wrong = tied[:, m]
            if risks[wrong].min() < risks[~wrong].min() - 1e-9:
                return True
        return self.bare and self.classes > 2

    def constant(self) -> float:
        """The largest 1 / (1 - sum_{i != j} phi(u_i)) over the points, u_j the largest."""
        with mpmath.workdps(30):
            low, high = (float(mpmath.re(self.slow(mpmath.mpf(x)))) for x in ("1", "1e-25"))
        even = [[1 / s] * s + [0.0] * (self.classes - s) for s in range(2, self.classes + 1)]
        points = np.concatenate([self.points, np.array(even)])
        phi = (high - self._vectors(points)) / (high - low)
        rest = phi.sum(axis=1) - phi[np.arange(len(points)), points.argmax(axis=1)]
        return float(1 / (1 - rest.max()))
