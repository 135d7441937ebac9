"""Which hyperparameters tolerate a noise, and how much noise hyperparameters tolerate."""

import math

import pytest
import sympy

from alf.errors import InputError
from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import tolerant_region, tolerated_rate

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


def test_bad_input():
    with pytest.raises(InputError, match="symmetric or pair"):
        tolerated_rate(parse("ce"), "cyclic")
    with pytest.raises(InputError, match="likeliest"):
        tolerant_region(parse("ael:a=2"), "a", parse_noise("pair:0.6", 10))
    with pytest.raises(InputError, match="no parameter"):
        tolerant_region(parse("ael:a=2"), "b", PAIR)
