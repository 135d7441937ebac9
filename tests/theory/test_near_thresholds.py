"""Noise next to the threshold of a loss whose ratio has no closed form, and combinations with two classes."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import prove, ratio
from alf.theory.asymmetry.decide import decide
from alf.theory.ratios.of_loss import ratio_exceeds
from alf.theory.risk.structure import structure_of

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


# |l'| falls and then rises, or both in turn: r is smaller than r_up, and the threshold lies between 1/r_up and 1/r
WAVES = {
    "exp(-3*u)+0.5*(1-u**3)": lambda u: np.exp(-3 * u) + 0.5 * (1 - u**3),
    "1-u-0.05*sin(6*u)": lambda u: 1 - u - 0.05 * np.sin(6 * u),
    "1-u+0.04*cos(9*u)": lambda u: 1 - u + 0.04 * np.cos(9 * u),
    "exp(-3*u)+0.3*sqrt(1-u)": lambda u: np.exp(-3 * u) + 0.3 * np.sqrt(1 - u),
    "0.5*(1-u)**3+0.3*(1-u**4)+0.1*(1-u)": lambda u: 0.5 * (1 - u) ** 3 + 0.3 * (1 - u**4) + 0.1 * (1 - u),
}


def least_share(curve, classes: int) -> float:
    """The w_m/w_n that symmetric noise needs: the largest sum_i (l(0) - l(u_i)) / (l(u_m) - l(1)), by a grid that
    closes in on its best points."""

    def needed(others):
        rest = np.clip(1 - others.sum(axis=1), 0, 1)
        good = (others.min(axis=1) >= 0) & (others.sum(axis=1) <= 1) & (rest < 0.999)
        fall = np.where(good, curve(rest) - curve(1.0), 1.0)
        return np.where(good, (curve(0.0) - curve(np.clip(others, 0, 1))).sum(axis=1) / fall, 0.0)

    grid = np.linspace(0, 1, 41)
    points = np.stack(np.meshgrid(*[grid] * (classes - 1)), axis=-1).reshape(-1, classes - 1)
    starts = points[np.argsort(needed(points))[-30:]]
    box = np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * (classes - 1)), axis=-1).reshape(-1, classes - 1)
    best = 0.0
    for point in starts:
        width = 1 / 40
        while width > 1e-9:
            near = point + width * box
            point, width = near[np.argmax(needed(near))], width * 0.6
        best = max(best, needed(point[None])[0])
    return float(best)


@pytest.mark.parametrize("classes", [3, 4])
@pytest.mark.parametrize("formula", WAVES)
def test_symmetric_noise_next_to_a_threshold_between_the_ratios(formula, classes):
    loss, share = parse(f"formula:{formula}"), Fraction(least_share(WAVES[formula], classes))
    found = ratio(loss)
    assert found.interval[1] < 1 / share < found.upper_interval[0]
    for part in (Fraction(1, 10**4), Fraction(1, 10**5), Fraction(1, 10**6), Fraction(1, 10**8)):
        for weight, holds in ((share * (1 + part), True), (share * (1 - part), False)):
            decision = decide(loss, [weight] + [1] * (classes - 1))
            assert decision.holds is holds, float(part)


def test_the_threshold_at_the_vertex_itself():
    """Here the worst exchange is an infinitely small one: w_m/w_n must reach l'(0)/l'(1) = 2 / (2 exp(-2) + 0.3)."""
    loss = parse("formula:exp(-2*u)-0.1*u**3")
    share = Fraction(2 / (2 * math.exp(-2) + 0.3))
    for others in ([1, 0], [1, 1, 0.5]):
        for part in (1e-5, 1e-6):
            for weight, holds in ((share * (1 + Fraction(part)), True), (share * (1 - Fraction(part)), False)):
                assert decide(loss, [weight, *others]).holds is holds, (others, part)


@pytest.mark.parametrize(
    ("formula", "x", "d"), [("1-u+0.04*cos(9*u)", 0.43555, 0.17507), ("1-u-0.05*sin(6*u)", 0.5236, 0)]
)
def test_a_ratio_is_compared_with_a_target_however_near(formula, x, d):
    """With as many different weights the choices are too many to minimise over, so r itself is refined."""
    loss, curve = parse(f"formula:{formula}"), WAVES[formula]
    if d:
        xs, ds = np.meshgrid(x + np.linspace(-0.01, 0.01, 2001), d + np.linspace(-0.01, 0.01, 2001))
        r = ((curve(xs) - curve(xs + ds)) / (curve(0.0) - curve(ds))).min()
    else:
        r = 7 / 13  # l'(pi/6) / l'(0)
    expression = structure_of(loss, 3).h
    low, high = ratio(loss).interval
    assert low <= r <= high
    for part in (1e-4, 1e-5, 1e-6):
        assert ratio_exceeds(expression, Fraction(r * (1 - part)))
        assert not ratio_exceeds(expression, Fraction(r * (1 + part)))
        weights = [1 / (r * (1 - part)), 1, *(1 - k / 50 for k in range(1, 11))]
        assert decide(loss, weights).holds is True


def test_an_open_answer_says_by_how_much():
    weights = [2.5, 1, *(1 - k / 50 for k in range(1, 11))]
    found = decide(parse("formula:exp(-3*u)+0.5*(1-u**3)"), weights)
    assert found.holds is None
    assert "w_n/w_m = 0.4 " in found.steps[-1].statement and "r lies in [0.343169" in found.steps[-1].statement


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
