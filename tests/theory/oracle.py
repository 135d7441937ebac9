"""An independent attack on verdicts: dense search in floating point, confirmation in 50 digits.

It shares no code with `alf.theory`. It reads a loss as its SymPy formula, a verdict as its JSON, and answers with the
contradictions it found, as sentences. It can find a verdict wrong; it cannot prove one right.
"""

from fractions import Fraction
from functools import lru_cache

import mpmath
import numpy as np
import sympy

from alf.losses import K, u

DIGITS = 50
ZERO = 1e-11


class Attack:
    """A loss for a number of classes, evaluated independently."""

    def __init__(self, loss, classes: int):
        self.loss, self.classes = loss, classes
        self.symbols = [s for s, _ in loss.exact_sums]
        self.outer = loss.exact.subs(K, classes)
        self.summands = [s.subs(K, classes) for _, s in loss.exact_sums]
        arguments = [u, *self.symbols]
        self._g = sympy.lambdify(arguments, self.outer, "mpmath")
        self._s = [sympy.lambdify([u], s, "mpmath") for s in self.summands]
        self._fast = sympy.lambdify(arguments, self.outer, "numpy")
        self._fast_s = [sympy.lambdify([u], s, "numpy") for s in self.summands]

    # -- values

    def vector(self, point, digits: int = DIGITS):
        """L(point, i) for every i in many digits, ends by a tiny step inwards."""
        with mpmath.workdps(digits):
            x = [_inside(p) for p in point]
            sums = [mpmath.fsum(s(t) for t in x) for s in self._s]
            return [mpmath.re(self._g(t, *sums)) for t in x]

    def one(self, p):
        """l(p) of a loss of u_y alone; a part of weight 0 may still bring a sum, whose value does not matter."""
        return self._g(_inside(p), *(mpmath.mpf(1) for _ in self.symbols))

    def infinite_at(self, m: int, weights) -> bool:
        """Whether the risk grows without end on the straight way into e_m."""
        found = []
        for exponent in (100, 900):
            with mpmath.workdps(1000):
                step = mpmath.mpf(10) ** -exponent
                point = [step] * self.classes
                point[m] = 1 - step * (self.classes - 1)
                sums = [mpmath.fsum(s(t) for t in point) for s in self._s]
                values = [mpmath.re(self._g(t, *sums)) for t in point]
                found.append(mpmath.fsum(_exact(w) * v for w, v in zip(weights, values, strict=True) if w))
        return found[1] > 2 * abs(found[0])

    def risk(self, point, weights, digits: int = DIGITS):
        with mpmath.workdps(digits):
            zeros = {w for x, w in zip(point, weights, strict=True) if x == 0}
            if self.normalised and zeros:  # a mean of the weights of the labels at 0, which dominate the sum
                alpha = self.loss.values.get("alpha", 1) if "+" in self.loss.key else 1
                rest = mpmath.mpf(0)
                if "+" in self.loss.key and self.loss.values["beta"] != 0:
                    rest = Attack(_passive(self.loss), self.classes).risk(point, weights, digits)
                    rest *= _exact(self.loss.values["beta"])
                return _exact(alpha) * _exact(zeros.pop()) + rest if len(zeros) == 1 else mpmath.nan
            values = self.vector(point, digits)
            return mpmath.fsum(_exact(w) * v for w, v in zip(weights, values, strict=True) if w)

    def fast_vector(self, points):
        """The same for an array of points (n, K), in doubles."""
        x = np.clip(points, 1e-300, 1.0)
        with np.errstate(all="ignore"):
            sums = [np.broadcast_to(f(x), x.shape).sum(axis=1, keepdims=True) for f in self._fast_s]
            return np.broadcast_to(self._fast(x, *sums), x.shape)

    @property
    def singular(self) -> bool:
        """Whether a sum becomes infinite at a vertex, so that the loss has no value there."""
        return any(not np.isfinite(complex(s.subs(u, sympy.Float("1e-300")).evalf()).real) or s.has(sympy.log)
                   for s in self.summands if not self.outer.subs(self.symbols[0], 1).has(sympy.log(1 - u)))  # fmt: skip

    def at_vertex(self, m: int, weights):
        """The risk at e_m; where the loss has no value there, its least limit: the normalised part's risk is a mean of
        the weights and can come down to the smallest."""
        if not self.normalised:
            point = [Fraction(int(i == m)) for i in range(self.classes)]
            return self.risk(point, weights)
        alpha = self.loss.values.get("alpha", sympy.Integer(1)) if "+" in self.loss.key else sympy.Integer(1)
        with mpmath.workdps(max(DIGITS, mpmath.mp.dps)):
            rest = Attack(_passive(self.loss), self.classes).scaled(self.loss.values.get("beta"), m, weights)
        with mpmath.workdps(
            max(DIGITS, mpmath.mp.dps)
        ):  # in doubles the sum would outweigh a difference next to the vertex
            return _exact(alpha) * _exact(min(weights)) + rest

    def scaled(self, beta, m, weights):
        if beta is None or beta == 0:
            return mpmath.mpf(0)
        return _exact(beta) * self.at_vertex(m, weights)

    @property
    def normalised(self) -> bool:
        head = self.loss.key.split("+")[0]
        return head in ("nce", "nfl") and self.loss.values.get("alpha") != 0


def _passive(loss):
    """The second part of a combination; MAE with nothing to add for a normalised loss alone."""
    from alf.losses import catalogue

    if "+" not in loss.key:
        return catalogue()["mae"].loss()
    part = catalogue()[loss.key.split("+")[1]]
    return part.loss(**{p.name: loss.values[p.name] for p in part.parameters})


def fraction(text: str) -> Fraction:
    """A fraction from its text, ``3/8`` or ``1/5 - 3*2**-500``."""
    if "**" not in text:
        return Fraction(text)
    total = Fraction(0)
    for part in text.replace(" - ", " + -").split(" + "):
        if "**" not in part:
            total += Fraction(part)
            continue
        head, power = part.split("2**-")
        total += Fraction({"": 1, "-": -1}.get(head, 0) or int(head.rstrip("*")), 2 ** int(power))
    return total


def _exact(x):
    if isinstance(x, Fraction):
        return mpmath.mpf(x.numerator) / x.denominator
    if isinstance(x, sympy.Expr):
        return mpmath.mpf(sympy.Float(sympy.N(x, DIGITS + 10), DIGITS + 10)._mpf_) if not x.is_Rational else (
            mpmath.mpf(int(x.p)) / int(x.q)
        )  # fmt: skip
    return mpmath.mpf(x)


def _inside(p):
    """A probability, moved inwards from 0 and 1 by what 50 digits cannot tell from the limit."""
    x = _exact(p)
    if x == 0:
        return mpmath.mpf(10) ** -(2 * DIGITS)
    return 1 - mpmath.mpf(10) ** -(DIGITS - 2) if x == 1 else x


@lru_cache(maxsize=8)
def simplex(classes: int, seed: int = 0) -> np.ndarray:
    """Points of the simplex: a grid, edges, neighbourhoods of the vertices on a logarithmic scale, random points."""
    random = np.random.default_rng(seed)
    parts = []
    fine = 801 if classes < 5 else 201
    t = np.concatenate([np.linspace(0, 1, fine), 2.0 ** -np.arange(11, 40), 1 - 2.0 ** -np.arange(11, 40)])
    for i in range(classes):
        for j in range(classes):
            if i != j:
                edge = np.zeros((len(t), classes))
                edge[:, i], edge[:, j] = 1 - t, t
                parts.append(edge)
    if classes == 3:
        i, j = np.meshgrid(np.arange(151), np.arange(151), indexing="ij")
        keep = i + j <= 150
        parts.append(np.stack([i[keep], j[keep], 150 - i[keep] - j[keep]], axis=1) / 150)
    parts.append(random.dirichlet(np.full(classes, 0.5), 6000))
    parts.append(random.dirichlet(np.full(classes, 2.0), 4000))
    for m in range(classes):
        scale = 2.0 ** -random.uniform(1, 30, 1500)
        rest = random.dirichlet(np.full(classes - 1, 0.6), 1500) * scale[:, None]
        near = np.insert(rest, m, 1 - scale, axis=1)
        parts.append(near)
    for s in range(2, classes + 1):  # equal shares and tilts of them
        for share in np.linspace(0, 1 / (s - 1), 200):
            point = np.zeros(classes)
            point[1:s] = share
            point[0] = max(0.0, 1 - share * (s - 1))
            parts += [point[None], point[None, ::-1]]
    return np.concatenate(parts)


def attack_asymmetry(loss, weights, holds) -> list[str]:
    """Is there a point of the simplex with a risk below the vertex's?"""
    weights = [Fraction(w) for w in weights]
    if max(weights) == sum(weights):
        return [] if holds else ["refuted although only one label has weight"]
    attack = Attack(loss, len(weights))
    m = max(range(len(weights)), key=lambda i: weights[i])
    if not holds:
        return []
    if loss.key in ("nce", "nfl"):
        return _attack_normalised(loss, weights)
    points = simplex(len(weights))
    w = np.array([float(x) for x in weights])
    with np.errstate(all="ignore"):
        risks = np.where(w > 0, attack.fast_vector(points) * w, 0.0).sum(axis=1)
    bound = attack.at_vertex(m, weights)
    if not mpmath.isfinite(bound) or bound > 1e100:
        return ["the risk at the vertex is infinite"]
    order = np.argsort(np.where(np.isfinite(risks), risks, np.inf))[:40]
    near = float(bound) + 1e-9 * (1 + abs(float(bound)))
    for k in order:
        if points[k][m] > 1 - 1e-9 or risks[k] > near:
            continue
        point = _rational(points[k])
        value = attack.risk(point, weights)
        with mpmath.workdps(DIGITS):
            lower = value < bound - mpmath.mpf(10) ** -30 * (1 + abs(bound))
        if lower:
            return [f"{loss.spec}: risk {float(value):.12g} at {points[k]} is below {float(bound):.12g} at the vertex"]
    return []


def _attack_normalised(loss, weights) -> list[str]:
    ordered = sorted(weights, reverse=True)
    if len(weights) > 2 and len(set(ordered[1:])) > 1:
        return [f"{loss.spec}: a normalised loss is asymmetric on equal off-weights only"]
    return []


def _rational(point) -> list[Fraction]:
    found = [Fraction(float(x)) for x in point]
    found[int(np.argmax(point))] += 1 - sum(found)
    return found


# -- losses of u_y alone


def curve(loss, n: int = 2000):
    """Sample points in (0, 1] and l there, in 50 digits."""
    attack = Attack(loss, 2)
    points = sorted({*(Fraction(k, n) for k in range(1, n + 1)), *(Fraction(1, 2**k) for k in range(12, 40)),
                     *(1 - Fraction(1, 2**k) for k in range(12, 40))})  # fmt: skip
    with mpmath.workdps(DIGITS):
        return points, [mpmath.re(attack.one(p)) for p in points]


def attack_shape(loss, claim: str, holds) -> list[str]:
    """Decreasing, convex or concave, against samples."""
    if not holds:
        return []
    points, values = curve(loss, 700)
    with mpmath.workdps(DIGITS):
        slack = mpmath.mpf(10) ** -40
        for i in range(1, len(points) - 1):
            x, y, z = points[i - 1 : i + 2]
            a, b, c = values[i - 1 : i + 2]
            if claim == "decreasing":
                if not b < a:
                    return [f"{loss.spec}: l({y}) is not below l({x})"]
                continue
            weight = _exact((z - y) / (z - x))
            chord = a * weight + c * (1 - weight)
            wrong = b > chord + slack * (1 + abs(b)) if claim == "convex" else b < chord - slack * (1 + abs(b))
            if wrong:
                return [f"{loss.spec}: not {claim} at {float(y)}"]
    return []


def attack_ratio(loss, ratio: dict, n: int = 400) -> list[str]:
    """Sampled quotients must stay above the lower end, and come close to the upper one."""
    if ratio["ratio"] is None:
        return []
    attack = Attack(loss, 2)
    with mpmath.workdps(DIGITS):
        nodes = [Fraction(k, n) for k in range(n + 1)]
        exact = [mpmath.re(attack.one(p)) for p in nodes]
        values = np.array([float(v) for v in exact])
        if not np.isfinite(values[0]) or values[0] > 1e15 or (exact[0] > 100 and "log" in str(loss.exact)):
            return [] if ratio["interval"] == [0.0, 0.0] else [f"{loss.spec}: l(0) is infinite but r is not 0"]
        least, where, upper = 1.0, None, 1.0
        for d in range(1, n + 1):
            drop = values[0] - values[d]
            if drop <= 1e-9 * (1 + abs(values[0])):
                continue
            quotients = (values[: n + 1 - d] - values[d:]) / drop
            k = int(quotients.argmin())
            if quotients[k] < least:
                least, where = quotients[k], (k, d)
            upper = min(upper, quotients[-1])
        problems = []
        if where is not None:
            k, d = where
            sharp = (exact[k] - exact[k + d]) / (exact[0] - exact[d])
            if sharp < ratio["interval"][0] - 1e-12:
                problems.append(
                    f"{loss.spec}: a quotient {float(sharp):.9g} lies below r >= {ratio['interval'][0]:.9g}"
                )
        if upper < ratio["upper_interval"][0] - 1e-6:
            problems.append(f"{loss.spec}: {upper:.9g} lies below r_up >= {ratio['upper_interval'][0]:.9g}")
        small = [2.0**-k for k in (10, 14, 18)]
        fine = min((_small_quotient(attack, d) for d in small), default=1.0)
        slow = ratio["interval"] == [0.0, 0.0]  # a limit that logarithms reach too slowly to be seen
        if min(least, fine) > ratio["interval"][1] * 1.1 + 0.02 and not slow:
            problems.append(
                f"{loss.spec}: no quotient comes near r <= {ratio['interval'][1]:.9g}, the least is {least:.9g}"
            )
    return problems


def _small_quotient(attack, d: float) -> float:
    """The least quotient found over steps of length d."""
    step = Fraction(d)
    first = mpmath.re(attack.one(Fraction(0))) - mpmath.re(attack.one(step))
    if first <= 0:
        return 1.0
    best = 1.0
    for k in range(201):
        x = Fraction(k, 200) * (1 - step)
        drop = mpmath.re(attack.one(x)) - mpmath.re(attack.one(x + step))
        best = min(best, float(drop / first))
    return best


def attack_symmetry(loss, classes: int, holds) -> list[str]:
    if not holds:
        return []
    attack = Attack(loss, classes)
    random = np.random.default_rng(3)
    sums = []
    for _ in range(12):
        shares = random.integers(1, 1000, classes)
        total = int(shares.sum())
        sums.append(mpmath.fsum(attack.vector([Fraction(int(s), total) for s in shares])))
    with mpmath.workdps(DIGITS):
        spread = max(sums) - min(sums)
    return [] if spread < 1e-35 else [f"{loss.spec}: the sums over labels differ by {float(spread)}"]


def attack_calibration(loss, classes: int, holds) -> list[str]:
    """For random label probabilities the best prediction in the wrong region must be worse than in the right one."""
    if not holds:
        return []
    attack = Attack(loss, classes)
    random = np.random.default_rng(5)
    points = simplex(classes)
    vectors = attack.fast_vector(points)
    finite = np.isfinite(vectors).all(axis=1) | (points > 0).all(axis=1)
    for trial in range(30):
        if trial % 3 == 0:
            p = np.full(classes, 0.02 / max(1, classes - 2))
            gap = random.choice([0.2, 0.05, 0.01])
            p[0], p[1] = (0.98 + gap) / 2, (0.98 - gap) / 2
            if classes == 2:
                p = np.array([(1 + gap) / 2, (1 - gap) / 2])
        else:
            p = random.dirichlet(np.full(classes, 1.0))
        p = p / p.sum()
        m = int(p.argmax())
        risks = np.where(finite, (vectors * p).sum(axis=1), np.inf)
        risks = np.where(np.isnan(risks), np.inf, risks)
        wrong = (points > points[:, [m]] - 1e-12).sum(axis=1) > 1
        best, worst = risks[~wrong].min(), risks[wrong].min()
        if worst < best - 1e-7 * (1 + abs(best)) and not _mended(
            attack, points[wrong][risks[wrong].argmin()], p, worst
        ):
            return [f"{loss.spec}: p = {p} is best met by {points[wrong][risks[wrong].argmin()]}, the wrong class"]
    return []


def _mended(attack, point, p, level) -> bool:
    """Whether an exchange or a small move to the right class gets below the wrong prediction after all."""
    m, j = int(p.argmax()), int(np.argmax(np.where(np.arange(len(p)) == p.argmax(), -1, point)))
    tries = []
    swapped = point.copy()
    swapped[[m, j]] = swapped[[j, m]]
    for start in (point, swapped):
        for move in np.concatenate([[0.0], np.geomspace(1e-6, 0.5, 60)]):
            moved = start.copy()
            move = min(move, moved[j])
            moved[m] += move
            moved[j] -= move
            if moved[m] > np.delete(moved, m).max():
                tries.append(moved)
    values = (attack.fast_vector(np.array(tries)) * p).sum(axis=1) if tries else np.array([np.inf])
    return bool(np.nanmin(values) <= level)


def attack_excess(loss, classes: int, verdict: dict) -> list[str]:
    """0-1 excess against the constant times the surrogate's excess."""
    if not verdict["holds"]:
        return []
    attack = Attack(loss, classes)
    constant, drop = verdict["data"]["constant"], verdict["data"]["drop"]
    points = simplex(classes)
    vectors = attack.fast_vector(points)
    random = np.random.default_rng(7)
    for trial in range(25):
        p = random.dirichlet(np.full(classes, 1.0 if trial % 2 else 5.0))
        risks = (vectors * p).sum(axis=1)
        wrong = p.max() - p[points.argmax(axis=1)]
        bound = constant * (risks - risks.min()) / drop
        worst = (wrong - bound).max()
        if worst > 1e-6:
            return [f"{loss.spec}: the 0-1 excess is above {constant} times the surrogate's by {worst:.3g}"]
    return []


def _polished(attack, p, point) -> float:
    """The least risk that moves of mass between two classes reach from a point."""
    classes = len(p)
    moves = np.array(
        [np.eye(classes)[i] - np.eye(classes)[j] for i in range(classes) for j in range(classes) if i != j]
    )

    def risk(points):
        with np.errstate(all="ignore"):
            found = np.where(p > 0, attack.fast_vector(points) * p, 0.0).sum(axis=1)
        return np.where(np.isfinite(found) & (points >= 0).all(axis=1), found, np.inf)

    best = risk(point[None])[0]
    for step in 0.5 ** np.arange(1, 20):
        for _ in range(40):
            tried = risk(point + step * moves)
            if tried.min() >= best:
                break
            best, point = tried.min(), point + step * moves[tried.argmin()]
    return float(best)


def attack_calibration_function(loss, classes: int, data: dict, trials: int = 60) -> list[str]:
    """Random label probabilities must not show a wrong prediction that costs less than delta says, grids aside."""
    attack, points = Attack(loss, classes), simplex(classes)
    vectors = attack.fast_vector(points)
    epsilon, delta = np.array(data["epsilon"]), np.array(data["delta"], dtype=float)
    random = np.random.default_rng(13)
    slack = 0.01 * (1 + delta[np.isfinite(delta)].max(initial=0))
    leading = [points[:, n] >= points.max(axis=1) for n in range(classes)]
    for trial in range(trials):
        p = random.dirichlet(np.full(classes, (0.3, 1.0, 3.0)[trial % 3]))
        with np.errstate(all="ignore"):
            risks = np.where(p > 0, vectors * p, 0.0).sum(axis=1)
        risks = np.where(np.isfinite(risks), risks, np.inf)
        for n in range(classes):
            place = int(np.searchsorted(epsilon, p.max() - p[n], side="right")) - 1
            if place < 0:
                continue
            excess = risks[leading[n]].min() - risks.min()
            if excess < delta[place] - slack:  # the points may miss the best prediction by more
                excess += risks.min() - _polished(attack, p, points[risks.argmin()])
            if excess < delta[place] - slack:
                return [f"{loss.spec}: at p = {p} an excess of {excess:.4g} predicts class {n}, not {delta[place]:.4g}"]
    return []


def attack_verdict(loss, classes: int, verdict: dict, rows=()) -> list[str]:
    """Everything the oracle knows about one verdict, given as JSON; `rows` are the noise's label weights."""
    from recompute import check_witness

    claim, holds, status = verdict["claim"], verdict["holds"], verdict["status"]
    if (holds is False) != (status == "refuted"):
        return [f"{loss.spec}: {claim} holds = {holds} with status {status}"]
    if holds is False and verdict["witness"] is None:
        return [f"{loss.spec}: {claim} is refuted without a witness"]
    if holds is False:
        return check_witness(loss, classes, verdict["witness"], claim)
    if claim in ("decreasing", "convex", "concave"):
        return attack_shape(loss, claim, holds)
    if claim == "symmetric":
        return attack_symmetry(loss, classes, holds)
    if claim in ("asymmetric", "noise_tolerant"):
        return [p for row in rows for p in attack_asymmetry(loss, row, holds)]
    if claim == "completely_asymmetric":
        if holds:
            random = np.random.default_rng(11)
            found = []
            for _ in range(6):
                shares = sorted((int(x) for x in random.integers(60, 100, classes)), reverse=True)
                shares[0] += 1
                found += attack_asymmetry(loss, [Fraction(s, sum(shares)) for s in shares], True) if (
                    loss.key not in ("nce", "nfl")
                ) else []  # fmt: skip
            return found
        return []
    if claim == "calibrated":
        return attack_calibration(loss, classes, holds)
    if claim != "excess_risk":
        return []
    if "delta" in verdict["data"]:
        return attack_calibration_function(loss, classes, verdict["data"])
    point = verdict["data"].get("separating_point")
    return attack_excess(loss, classes, verdict) + (check_witness(loss, classes, point, claim) if point else [])
