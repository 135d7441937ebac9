"""Noise next to the threshold of a loss whose ratio has no closed form, and combinations with two classes."""

from fractions import Fraction

import mpmath
import pytest

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import prove, ratio

CURVES = {
    # l' rises and then falls in size, so r = r_up, the least of (l(1-t) - l(1)) / (l(0) - l(t))
    "1/(1+exp(6*(u-0.4)))+0.1*(1-u)": lambda u: 1 / (1 + mpmath.exp(6 * (u - mpmath.mpf(2) / 5))) + (1 - u) / 10,
    "1/(1+exp(7*(u-0.42)))+0.15*(1-u)": lambda u: 1 / (1 + mpmath.exp(7 * (u - mpmath.mpf("0.42")))) + (1 - u) * 3 / 20,
}


def threshold(curve) -> Fraction:
    """r_up to 40 digits, by a search in 60."""
    with mpmath.workdps(60):

        def quotient(t):
            return (curve(1 - t) - curve(mpmath.mpf(1))) / (curve(mpmath.mpf(0)) - curve(t))

        middle = min((mpmath.mpf(k) / 1000 for k in range(1, 1000)), key=quotient)
        low, high = middle - mpmath.mpf(1) / 1000, middle + mpmath.mpf(1) / 1000
        for _ in range(140):
            a, b = low + (high - low) / 3, high - (high - low) / 3
            low, high = (low, b) if quotient(a) < quotient(b) else (a, high)
        return Fraction(str(mpmath.nstr(min(quotient(low), quotient((low + high) / 2)), 40)))


@pytest.mark.parametrize("formula", CURVES)
def test_noise_next_to_a_threshold(formula):
    r = threshold(CURVES[formula])
    loss = parse(f"formula:{formula}")
    found = ratio(loss)
    assert found.exact is None and found.interval[0] <= r <= found.interval[1]
    for part in (Fraction(1, 2000), Fraction(1, 10**5), Fraction(1, 10**8)):
        for share, holds in ((1 / r * (1 + part), True), (1 / r * (1 - part), False)):
            for kind, others in (("pair", 1), ("symmetric", 3)):
                rate = (others / (share + others)).limit_denominator(10**11)
                noise = parse_noise(f"{kind}:{rate.numerator}/{rate.denominator}", 4)
                verdict = prove("noise_tolerant", loss, noise, 4)
                assert verdict.holds is holds, (kind, float(part))


@pytest.mark.parametrize(
    ("spec", "holds"),
    [
        ("nce+ael:alpha=6.38,beta=3.1,a=9.06", False),
        ("nce+ael:alpha=0.0246430862,beta=7.029091223118e-9,a=0.398869383807", False),
        ("nfl+ael:alpha=0.2,beta=1.6e-9,gamma=5.32,a=1.0442", False),
        ("nce+aul:alpha=1,beta=1,a=1000,p=1.001", False),
        ("nce+agce:alpha=1,beta=1,a=3,q=2", True),
        ("nce+mae:alpha=1,beta=1", True),
    ],
)
def test_combinations_with_two_classes(spec, holds):
    """Beside a convex part that is not completely asymmetric alone, two labels of almost equal weight refute."""
    verdict = prove("completely_asymmetric", parse(spec), None, 2)
    assert verdict.holds is holds
    if not holds:
        assert verdict.witness.value < verdict.witness.bound
