"""Which hyperparameters tolerate a noise, and how much noise hyperparameters tolerate."""

import math
import os
import random

import numpy as np
import pytest
import sympy
from oracle import attack_asymmetry
from recompute import check_witness

from alf.errors import InputError
from alf.losses import catalogue, parse
from alf.noise import parse_noise
from alf.theory import prove, tolerant_region, tolerated_rate
from alf.theory.asking.inverse import shortened
from alf.theory.curve.shape import single

PAIR = parse_noise("pair:0.4", 10)
SHARE = 1.5  # w_m / w_n of 40% pair noise


def ends(region) -> list[tuple]:
    return [tuple(interval) for interval in region.to_json()["intervals"]]


@pytest.mark.parametrize(
    ("spec", "parameter", "low", "high"),
    [
        ("ael:a=2", "a", 1 / math.log(SHARE), None),
        ("agce:a=1,q=0.5", "a", 1 / (SHARE ** (1 / 0.5) - 1), None),
        ("agce:a=1,q=0.5", "q", 1 - math.log(SHARE) / math.log(2), None),
        ("agce:a=0.6,q=0.945", "q", 1 - math.log(SHARE) / math.log(1.6 / 0.6), None),
        ("aul:a=3,p=3", "a", SHARE**0.5 / (SHARE**0.5 - 1), None),
        ("aul:a=3,p=3", "p", None, 2),
        ("nce+ael:alpha=1,beta=4,a=2", "a", 1 / math.log(SHARE), None),
    ],
)
def test_the_formulas_of_theory(spec, parameter, low, high):
    found = tolerant_region(parse(spec), parameter, PAIR)
    assert found.status == "proved" and len(found.formulas) == 1
    ((left, right),) = ends(found)
    for end, expected in ((left, low), (right, high)):
        assert end == (None if expected is None else pytest.approx(expected, rel=1e-7))


def test_a_region_is_a_union():
    loss = parse("formula:exp(-u*(a+1/a)/4);a=0.6[0.2,5]")
    found = tolerant_region(loss, "a", parse_noise("pair:0.35", 10))
    middle = 2 * math.log(0.65 / 0.35)
    half = math.sqrt(middle**2 - 1)
    assert found.to_json() == {
        "parameter": "a",
        "intervals": [[pytest.approx(middle - half, rel=1e-7), pytest.approx(middle + half, rel=1e-7)]],
        "status": "proved",
        "formula": "-sqrt(4*log(R)**2 - 1) + 2*log(R), sqrt(4*log(R)**2 - 1) + 2*log(R)",
    }
    loss = parse("formula:exp(-u*(1+sin(3*a)/2));a=1[0,6]")  # convex: tolerated where 1 + sin(3 a)/2 <= log(7/3)
    found = tolerant_region(loss, "a", parse_noise("pair:0.3", 10))
    most = math.asin(2 * (math.log(7 / 3) - 1))
    low, high, turn = math.pi - most, 2 * math.pi + most, 2 * math.pi
    expected = [((low + turn * k) / 3, min(6, (high + turn * k) / 3)) for k in range(3)]
    assert ends(found) == [pytest.approx(interval, rel=1e-7) for interval in expected]


def test_boundaries_without_a_ratio():
    found = tolerant_region(parse("amse:a=3"), "a", parse_noise("symmetric:0.4", 3))
    assert (ends(found), found.status) == ([(2.5, None)], "proved")
    share, m, n = 1.0, 0.6, 0.4  # anl, THEORY section 4: w_m ((a-1)^(p-1) + 1) >= W + w_n a^(p-1), here with p = 3
    root = max(np.roots([m - n, -2 * m, 2 * m - share]).real)
    found = tolerant_region(parse("anl:a=3,p=3"), "a", parse_noise("pair:0.4", 3))
    assert (ends(found), found.status) == ([(pytest.approx(root, rel=1e-7), None)], "proved")
    assert ends(tolerant_region(parse("anl:a=3,p=3"), "p", PAIR)) == [(None, 1)]
    everywhere = tolerant_region(parse("mae"), "scale", PAIR)
    assert everywhere.everywhere and ends(everywhere) == [(None, None)]
    assert ends(tolerant_region(parse("nce+ael:alpha=1,beta=1,a=2"), "alpha", PAIR)) == []


def test_largest_rate():
    exact = tolerated_rate(parse("ael:a=2"), "pair")
    assert sympy.simplify(exact.exact - 1 / (1 + sympy.exp(sympy.Rational(1, 2)))) == 0
    searched = tolerated_rate(parse("amse:a=5"), "pair", 3)
    assert searched.interval[0] <= 0.4 <= searched.interval[1]
    assert tolerated_rate(parse("nce"), "symmetric", 3).rate == pytest.approx(2 / 3, abs=1e-4)


NOISES = [("pair:0.4", 10)]
if os.environ.get("ALF_SOAK") == "1":
    NOISES += [("pair:0.3", 3), ("symmetric:0.4", 3)]


@pytest.mark.parametrize(("noise", "classes"), NOISES)
@pytest.mark.parametrize("key", [key for key, found in catalogue().items() if found.parameters])
def test_every_end_offered_is_tolerant_as_displayed(key, noise, classes):
    """The ends as JSON has them and as the pages round them: by the verdict, and by the independent search."""
    loss, model = catalogue()[key].example(), parse_noise(noise, classes)
    for parameter in loss.declaration.parameters:
        region = tolerant_region(loss, parameter.name, model)
        for intervals in (region.intervals, *(shortened(loss, region, model, digits) for digits in (3, 4))):
            assert len(intervals) == len(region.intervals)
            for inner, outer in zip(intervals, region.intervals, strict=True):
                for near, end, side in ((inner.low, outer.low, 1), (inner.high, outer.high, -1)):
                    assert (near is None) == (end is None)
                    if near is None:
                        continue
                    assert side * (near - end) >= 0
                    better = loss.replace(**{parameter.name: float(near)})
                    assert prove("noise_tolerant", better, model, classes).holds is True
                    assert attack_asymmetry(single(better), sorted(model.exact[0], reverse=True), True) == []


def random_families(count: int, seed: int):
    """Typed losses of one hyperparameter whose ratio turns: l, the ratio in plain floats, and where it is asked."""
    rng = random.Random(seed)
    shapes = [
        # r = exp(-c g), (1/2)**c g / ..., by the mean value theorem as l is convex for each
        ("exp(-u*({g}))", lambda g: math.exp(-g)),
        ("(2-u)**(1+({g}))", lambda g: 2.0**-g),
        ("1/(1+u*({g}))", lambda g: 1 / (1 + g) ** 2),
        ("1-u+({g})*(1-u)**2", lambda g: 1 / (1 + 2 * g)),
    ]
    turning = [
        ("{c}*(a+1/a)", lambda a, c: c * (a + 1 / a)),
        ("{c}*(a**2-a+1)", lambda a, c: c * (a * a - a + 1)),
        ("{c}*(1.2+sin(2*a))", lambda a, c: c * (1.2 + math.sin(2 * a))),
        ("{c}/(0.5+a*exp(-a))", lambda a, c: c / (0.5 + a * math.exp(-a))),
        ("{c}*(1+(a-1)**2*(a-2.5)**2)", lambda a, c: c * (1 + (a - 1) ** 2 * (a - 2.5) ** 2)),
    ]
    for _ in range(count):
        (text, ratio), (inner, g), c = rng.choice(shapes), rng.choice(turning), round(rng.uniform(0.05, 0.8), 3)
        low, high = round(rng.uniform(0.1, 0.6), 2), round(rng.uniform(2.5, 4), 2)
        value = round(rng.uniform(low, high), 3)
        spec = f"formula:{text.format(g=inner.format(c=c))};a={value}[{low},{high}]"
        yield spec, (lambda a, r=ratio, g=g, c=c: r(g(a, c))), low, high, rng.choice([0.2, 0.3, 0.35, 0.4, 0.45])


@pytest.mark.parametrize(
    ("spec", "ratio", "low", "high", "rate"),
    [*random_families(40 if os.environ.get("ALF_SOAK") == "1" else 12, seed=5)],
)
def test_a_ratio_that_turns_against_brute_force(spec, ratio, low, high, rate):
    noise = parse_noise(f"pair:{rate}", 10)
    found = tolerant_region(parse(spec), "a", noise)
    assert found.status in ("proved", "certified")
    intervals = ends(found)
    edges = [end for interval in intervals for end in interval]
    assert None not in edges  # a typed domain is closed
    share = (1 - rate) / rate
    for a in np.linspace(low, high, 2001):
        if all(abs(a - end) > 1e-6 for end in edges) and abs(share * ratio(a) - 1) > 1e-9:
            assert any(left <= a <= right for left, right in intervals) == (share * ratio(a) > 1), a
    for end in edges:
        assert prove("noise_tolerant", parse(spec).replace(a=end), noise, 10).holds is True


def test_a_range_that_only_its_end_belongs_to():
    """NGCE tolerates pair noise at q = 1 alone: t^q of gain on the edge outweighs any cost of order t."""
    loss = parse("ngce:q=1")
    region = tolerant_region(loss, "q", PAIR)
    assert (ends(region), region.status) == ([(1, 1)], "observed")
    assert shortened(loss, region, PAIR, 4) == region.intervals
    for q in ("0.99", "0.999", "0.9999"):
        verdict = prove("noise_tolerant", parse(f"ngce:q={q}"), PAIR, 10)
        assert verdict.holds is False
        assert check_witness(parse(f"ngce:q={q}"), 10, verdict.to_json()["witness"], verdict.claim) == []


def test_an_open_answer_is_not_offered(monkeypatch):
    answers = {"ngce": lambda q: True if q == 1 else None}
    monkeypatch.setattr("alf.theory.asking.sweep.tolerates", lambda loss, noise: answers[loss.key](loss.values["q"]))
    region = tolerant_region(parse("ngce:q=1"), "q", PAIR)
    assert (ends(region), region.status) == ([(1, 1)], "undecided")
    answers["ngce"] = lambda q: None if q > 0.5 else False
    region = tolerant_region(parse("ngce:q=1"), "q", PAIR)
    assert (ends(region), region.status) == ([], "undecided")


def test_a_value_at_which_the_loss_is_constant_does_not_belong():
    region = tolerant_region(parse("formula:a*(1-u);a=1[0,2]"), "a", PAIR)
    assert (ends(region), region.status) == ([(None, 2)], "proved")


def test_bad_input():
    with pytest.raises(InputError, match="symmetric or pair"):
        tolerated_rate(parse("ce"), "cyclic")
    with pytest.raises(InputError, match="likeliest"):
        tolerant_region(parse("ael:a=2"), "a", parse_noise("pair:0.6", 10))
    with pytest.raises(InputError, match="no hyperparameter"):
        tolerant_region(parse("ael:a=2"), "b", PAIR)
