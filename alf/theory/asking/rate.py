"""The question turned round: how much noise does a loss tolerate?"""

from dataclasses import dataclass
from fractions import Fraction

from sympy import Expr

from alf.errors import InputError
from alf.losses import Loss
from alf.theory.arithmetic.balls import one_at_a_time
from alf.theory.asymmetry.decide import decide
from alf.theory.progress import stage
from alf.theory.ratios.of_loss import ratio_of
from alf.theory.ratios.ratio import critical_noise
from alf.theory.verdict import Status


@dataclass(frozen=True)
class Tolerated:
    """The largest noise rate that a loss tolerates.

    `rate` is the boundary, `interval` what is certain: tolerated below its low end, not tolerated above its high end.
    `exact` is the boundary where it is known exactly.
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


@one_at_a_time
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
    ratio = ratio_of(loss)
    others = classes - 1 if kind == "symmetric" else 1
    if ratio.exact is not None:
        exact = others * ratio.exact / (1 + others * ratio.exact)
        near = critical_noise(ratio, classes)
        value = near.symmetric if kind == "symmetric" else near.pair
        assert value is not None  # every exact ratio has rates
        return Tolerated(kind, classes, value, (value, value), exact, ratio.status)
    from alf.noise import parse_noise

    low, high = Fraction(0), Fraction(others, others + 1)
    while high - low > Fraction(1, 10_000):
        middle = (low + high) / 2
        stage(f"testing {kind} noise at rate {float(middle):.6g}")
        spec = f"{kind}:{middle.numerator}/{middle.denominator}"
        noise = parse_noise(spec, classes)
        assert noise.exact is not None  # symmetric and pair noise have exact matrices
        holds = decide(loss, noise.exact[0]).holds
        if holds is None:
            break
        low, high = (middle, high) if holds else (low, middle)
    status = Status.CERTIFIED if high - low <= Fraction(1, 1000) else Status.UNDECIDED
    return Tolerated(kind, classes, float(low + high) / 2, (float(low), float(high)), None, status)
