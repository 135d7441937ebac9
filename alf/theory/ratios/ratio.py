"""What is known of an asymmetry ratio, and the noise rates that follow from it."""

import math
from dataclasses import dataclass, field
from fractions import Fraction

from sympy import Expr

from alf.theory.arithmetic.balls import constant_ball
from alf.theory.arithmetic.intervals import ball_ends
from alf.theory.verdict import Status, Step


@dataclass(frozen=True)
class Ratio:
    """What is known about the asymmetry ratio.

    Parameters
    ----------
    status : str
        proved (closed form for all parameters of the cell), certified, undecided (only a wide bracket) or not_defined.
    value, upper_value : float or None
        The ratio, by the bracket's midpoint where no closed form is known.
    interval, upper_interval : tuple of float
        Enclosures; an exact value's are a few units in the last place wide.
    exact : Expr or None
        The exact value where there is one (r = r_up then).
    formula : Expr or None
        The same in the loss's parameters.
    steps : tuple of Step
    at : tuple of float or None
        (u1, u2) where the infimum sits, or which it is approached at as u2 -> 0.
    attained : bool or None
        Whether the infimum is attained at a point with u2 > 0 (other than u1 = 0, where the quotient is always 1).
    """

    status: Status
    value: float | None = None
    interval: tuple[float, float] | None = None
    upper_value: float | None = None
    upper_interval: tuple[float, float] | None = None
    exact: Expr | None = None
    formula: Expr | None = None
    steps: tuple[Step, ...] = field(default=(), repr=False)
    at: tuple[float, float] | None = None
    attained: bool | None = None

    @property
    def defined(self) -> bool:
        """Whether the loss has a ratio."""
        return self.status != Status.NOT_DEFINED

    def to_json(self) -> dict:
        """What --json says of it."""
        return {
            "status": self.status,
            "ratio": self.value,
            "interval": self.interval and list(self.interval),
            "upper_ratio": self.upper_value,
            "upper_interval": self.upper_interval and list(self.upper_interval),
            "exact": None if self.exact is None else str(self.exact),
            "formula": None if self.formula is None else str(self.formula),
            "at": self.at and list(self.at),
            "steps": [s.to_json() for s in self.steps],
        }


@dataclass(frozen=True)
class CriticalNoise:
    """Noise rates below which a loss tolerates noise; None where the theory defines none.

    `symmetric` and `pair` are rates, `symmetric_interval` what is certain where r and r_up differ and K >= 3.
    """

    classes: int
    symmetric: float | None
    pair: float | None
    symmetric_interval: tuple[float, float] | None = None
    pair_interval: tuple[float, float] | None = None


def critical_noise(ratio: Ratio, classes: int = 10) -> CriticalNoise:
    """The symmetric and the pair noise rate up to which a loss with this ratio is tolerant.

    >>> from alf.losses import parse
    >>> from alf.theory.ratios.of_loss import ratio_of
    >>> c = critical_noise(ratio_of(parse("agce:a=0.6,q=0.6")), 10)
    >>> round(c.symmetric, 4), round(c.pair, 6)
    (0.8587, 0.403156)
    """
    if ratio.value is None or ratio.upper_value is None:
        return CriticalNoise(classes, None, None)
    assert ratio.interval and ratio.upper_interval  # they go with the values
    others = classes - 1

    def symmetric(r: float) -> float:
        return r * others / (1 + r * others)

    lowest, highest = ratio.upper_interval
    pair = (lowest / (1 + lowest), highest / (1 + highest))
    between = (symmetric(lowest if classes == 2 else ratio.interval[0]), symmetric(highest))
    # between the two only a direct minimisation decides; the safe end is quoted where they are apart
    middle = symmetric(ratio.upper_value if classes == 2 else ratio.value)
    return CriticalNoise(classes, middle, ratio.upper_value / (1 + ratio.upper_value), between, pair)


def exact_ratio(value: Expr, steps, formula: Expr | None = None, status=Status.CERTIFIED, attained=None) -> Ratio:
    """A ratio known in closed form, r = r_up."""
    if value.is_Rational:
        middle = float(value)
        exact = Fraction(middle) == Fraction(int(value.p), int(value.q))
        interval = (middle, middle) if exact else (math.nextafter(middle, 0), math.nextafter(middle, 2))
    else:
        low, high = ball_ends(constant_ball(value, 100))
        interval = (max(0.0, low), min(1.0, high))
        middle = float(value.evalf(30))
    return Ratio(
        status, middle, interval, middle, interval, value, formula, tuple(steps), at=(1.0, 0.0), attained=attained
    )
