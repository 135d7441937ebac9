"""Which hyperparameters tolerate a noise, and how much noise hyperparameters tolerate."""

import math
import os

import pytest
import sympy
from oracle import attack_asymmetry, check_witness

from alf.errors import InputError
from alf.losses import catalogue, parse
from alf.noise import parse_noise
from alf.theory import prove, tolerant_region, tolerated_rate
from alf.theory.inverse import inward
from alf.theory.structure import single

PAIR = parse_noise("pair:0.4", 10)
SHARE = 1.5  # w_m / w_n of 40% pair noise


@pytest.mark.parametrize(
    ("spec", "parameter", "boundary", "relation"),
    [
        ("ael:a=2", "a", 1 / math.log(SHARE), ">="),
        ("agce:a=1,q=0.5", "a", 1 / (SHARE ** (1 / 0.5) - 1), ">="),
        ("aul:a=3,p=3", "a", SHARE**0.5 / (SHARE**0.5 - 1), ">="),
    ],
)
def test_the_formulas_of_theory(spec, parameter, boundary, relation):
    found = tolerant_region(parse(spec), parameter, PAIR)
    assert found.status == "proved"
    assert found.formula is not None
    assert found.value == pytest.approx(boundary, rel=1e-9)
    assert found.interval[0] <= boundary * (1 + 1e-12)
    assert found.relation == relation


def test_an_exponent():
    found = tolerant_region(parse("agce:a=1,q=0.5"), "q", PAIR)
    assert found.value == pytest.approx(1 - math.log(SHARE) / math.log(2), rel=1e-9)
    assert found.relation == ">="


def test_a_boundary_found_by_search():
    found = tolerant_region(parse("amse:a=3"), "a", parse_noise("symmetric:0.4", 3))
    assert found.status == "certified"
    assert found.interval[0] <= 2.5 <= found.interval[1]
    assert found.relation == ">="
    assert tolerant_region(parse("mae"), "scale", PAIR).relation == "always"


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
def test_every_value_offered_is_tolerant_as_displayed(key, noise, classes):
    """The ends of the ranges as the pages round them: by the project's verdict, and by the independent search."""
    loss, model = catalogue()[key].example(), parse_noise(noise, classes)
    for parameter in loss.declaration.parameters:
        region = tolerant_region(loss, parameter.name, model)
        for digits in (3, 4):
            end = inward(loss, region, model, digits)
            if region.relation not in (">=", "<="):
                assert end is None
                continue
            assert end is not None
            assert end >= region.value if region.relation == ">=" else end <= region.value
            better = loss.replace(**{parameter.name: end})
            assert prove("noise_tolerant", better, model, classes).holds is True
            assert attack_asymmetry(single(better), sorted(model.exact[0], reverse=True), True) == []


def test_a_range_that_only_its_end_belongs_to():
    """NGCE tolerates pair noise at q = 1 alone: t^q of gain on the edge outweighs any cost of order t."""
    loss = parse("ngce:q=1")
    region = tolerant_region(loss, "q", PAIR)
    assert (region.value, region.relation, region.status) == (1, ">=", "certified")
    assert region.interval[0] < 1 == region.interval[1]
    assert inward(loss, region, PAIR, 4) == 1
    for q in ("0.99", "0.999", "0.9999"):
        verdict = prove("noise_tolerant", parse(f"ngce:q={q}"), PAIR, 10)
        assert verdict.holds is False
        assert check_witness(parse(f"ngce:q={q}"), 10, verdict.to_json()["witness"]) == []


def test_an_open_answer_is_not_offered(monkeypatch):
    answers = {"ngce": lambda q: True if q == 1 else None}
    monkeypatch.setattr("alf.theory.inverse._tolerates", lambda loss, noise: answers[loss.key](loss.values["q"]))
    region = tolerant_region(parse("ngce:q=1"), "q", PAIR)
    assert (region.value, region.interval, region.status) == (1, None, "observed")
    answers["ngce"] = lambda q: None if q > 0.5 else False
    region = tolerant_region(parse("ngce:q=1"), "q", PAIR)
    assert (region.value, region.relation) == (None, "?")


def test_bad_input():
    with pytest.raises(InputError, match="symmetric or pair"):
        tolerated_rate(parse("ce"), "cyclic")
    with pytest.raises(InputError, match="likeliest"):
        tolerant_region(parse("ael:a=2"), "a", parse_noise("pair:0.6", 10))
    with pytest.raises(InputError, match="no parameter"):
        tolerant_region(parse("ael:a=2"), "b", PAIR)
