"""The question turned round: how much noise does a loss tolerate?"""

from dataclasses import dataclass
from fractions import Fraction

from sympy import Expr

from alf.errors import InputError
from alf.losses import Loss
from alf.noise import NoisePath, noise_path, parse_noise
from alf.numbers import as_rational
from alf.theory.arithmetic.balls import one_at_a_time
from alf.theory.asymmetry.decide import decide
from alf.theory.progress import stage
from alf.theory.ratios.of_loss import ratio_of
from alf.theory.ratios.ratio import Ratio
from alf.theory.verdict import Status


@dataclass(frozen=True)
class Tolerated:
    """The largest noise rate that a loss tolerates; of a typed matrix the largest share t of the way to it.

    `rate` is the boundary, `interval` what is certain: tolerated below its low end, not tolerated above its high end.
    `exact` is the boundary where it is known exactly. Where all of the way is tolerated the boundary is 1.
    """

    kind: str
    classes: int
    rate: float
    interval: tuple[float, float]
    exact: Expr | None
    status: str

    def to_json(self) -> dict:
        """What --json says of it."""
        return {
            "kind": self.kind,
            "classes": self.classes,
            "rate": self.rate,
            "interval": list(self.interval),
            "exact": None if self.exact is None else str(self.exact),
            "status": self.status,
        }


def tolerated_rate(loss: Loss, kind: str, classes: int = 10) -> Tolerated:
    """The largest rate of symmetric or pair noise that a loss tolerates.

    Parameters
    ----------
    loss : Loss
    kind : str
        ``symmetric`` or ``pair``.
    classes : int

    Examples
    --------
    >>> from alf.losses import parse
    >>> round(tolerated_rate(parse("amse:a=5"), "symmetric", 3).rate, 3)
    0.533
    """
    if kind not in ("symmetric", "pair"):
        raise InputError(f"noise kind must be symmetric or pair, got {kind!r}")
    return tolerated_part(loss, noise_path(parse_noise(f"{kind}:1", classes)))


@one_at_a_time
def tolerated_part(loss: Loss, path: NoisePath) -> Tolerated:
    """How far on the way from clean labels to a noise a loss tolerates it.

    There is one such place. At t the risk of a row exceeds its value at the vertex by (1 - t) times the loss's own
    excess, which is positive, plus t times that of the row at 1: for each prediction a linear function of t that is
    positive at 0, so what is positive at t is positive at every smaller t.

    >>> from alf.losses import parse
    >>> matrix = noise_path(parse_noise("matrix:.5,.3,.2;0,1,0;.1,.3,.6", 3))
    >>> round(tolerated_part(parse("ael:a=1"), matrix).rate, 4), tolerated_part(parse("mae"), matrix).rate
    (0.7602, 1.0)
    """
    ratio = ratio_of(loss)
    if ratio.exact is not None and ratio.value is not None:
        return _by_exact_ratio(path, ratio)
    rows = {(row[i], *sorted(row[:i] + row[i + 1 :], reverse=True)) for i, row in enumerate(path.rows)}

    def holds(t: Fraction) -> bool | None:
        stage(f"testing {path.end.kind} noise at {float(t):.6g}")
        weights = ([1 - t + t * row[0], *(t * p for p in row[1:])] for row in sorted(rows))
        answers = {decide(loss, w).holds for w in weights}
        return False if False in answers else None if None in answers else True

    low, high = Fraction(0), path.reach
    if path.end.clean_dominates and holds(high):
        low = high
    while high - low > Fraction(1, 10_000):
        middle = (low + high) / 2
        answer = holds(middle)
        if answer is None:
            break
        low, high = (middle, high) if answer else (low, middle)
    status = Status.CERTIFIED if high - low <= Fraction(1, 1000) else Status.UNDECIDED
    ends = (float(low), float(high))
    return Tolerated(path.end.kind, path.end.classes, float(low + high) / 2, ends, None, status)


def _by_exact_ratio(path: NoisePath, ratio: Ratio) -> Tolerated:
    """Where the first row comes to (1 - t + t T_yy) r = t max T_yj, its clean label's lead all but lost."""
    assert ratio.exact is not None and ratio.value is not None  # they go together
    kind, classes, status, r = path.end.kind, path.end.classes, ratio.status, ratio.value
    rows = [(row[i], max(row[:i] + row[i + 1 :])) for i, row in enumerate(path.rows) if row[i] < 1]
    if r == 0:
        return Tolerated(kind, classes, 0.0, (0.0, 0.0), ratio.exact, status)
    clean, rival = max(rows, key=lambda row: 1 - float(row[0]) + float(row[1]) / r)
    exact = ratio.exact / (ratio.exact * as_rational(1 - clean) + as_rational(rival))
    value = r / (r * float(1 - clean) + float(rival))
    if value >= 1:
        return Tolerated(kind, classes, 1.0, (1.0, 1.0), None, status)
    return Tolerated(kind, classes, value, (value, value), exact, status)
