"""Every number THEORY gives, typed by hand."""

from fractions import Fraction as F

import pytest
import sympy

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import critical_noise, prove, ratio
from alf.theory.asymmetry.decide import decide

RATIOS = {
    "agce:a=0.6,q=0.6": 0.675480,
    "aul:a=5.5,p=3": 0.669421,
    "ael:a=2.5": 0.670320,
    "agce:a=4,q=0.2": 0.836512,
    "aul:a=3,p=0.1": 1,
    "ael:a=3.5": 0.751477,
    "aul:a=6.3,p=1.5": 0.917208,
    "ael:a=1.5": 0.513417,
    "mae": 1,
    "rce": 1,
    "gce:q=1": 1,
    "agce:a=2,q=1": 1,
    "agce:a=2,q=3": 1,
    "aul:a=2,p=1": 1,
    "ce": 0,
    "fl:gamma=0.5": 0,
    "gce:q=0.7": 0,
    "sce:alpha=1,beta=1": 0,
}


@pytest.mark.parametrize("spec", RATIOS)
def test_ratio(spec):
    found = ratio(parse(spec))
    assert found.value == pytest.approx(RATIOS[spec], abs=5e-7)
    assert found.interval[0] <= found.value <= found.interval[1]
    assert found.upper_value == found.value
    assert found.status in ("proved", "certified")


def test_formulas_in_the_parameters():
    a, p, q = sympy.symbols("a p q", positive=True)
    assert ratio(parse("agce:a=0.6,q=0.6")).formula == (a / (a + 1)) ** (1 - q)
    assert ratio(parse("aul:a=5.5,p=3")).formula == ((a - 1) / a) ** (p - 1)
    assert ratio(parse("ael:a=2.5")).formula == sympy.exp(-1 / a)
    assert sympy.simplify(ratio(parse("agce:a=0.6,q=0.6")).exact - sympy.Rational(3, 8) ** sympy.Rational(2, 5)) == 0


def test_critical_noise_of_agce():
    found = critical_noise(ratio(parse("agce:a=0.6,q=0.6")), 10)
    assert found.symmetric == pytest.approx(0.8587, abs=5e-5)
    assert found.pair == pytest.approx(0.403156, abs=5e-7)
    two = critical_noise(ratio(parse("agce:a=0.6,q=0.6")), 2)
    assert two.symmetric == pytest.approx(two.pair)


@pytest.mark.parametrize("spec", ["nce", "mse", "anl:a=2,p=1.5", "amse:a=2", "nce+mae:alpha=1,beta=1"])
def test_ratio_is_not_defined_for_losses_of_the_whole_vector(spec):
    found = ratio(parse(spec))
    assert found.status == "not_defined"
    assert found.value is None
    assert critical_noise(found, 10).pair is None


@pytest.mark.parametrize("spec", ["agce:a=0.6,q=0.6", "aul:a=5.5,p=3", "ael:a=2.5"])
def test_presets_tolerate_forty_percent_pair_noise(spec):
    found = prove("noise_tolerant", parse(spec), parse_noise("pair:0.4", 10))
    assert found.holds is True
    assert prove("noise_tolerant", parse(spec), parse_noise("pair:0.41", 10)).holds is False


def test_ael_of_cifar100_does_not():
    assert prove("noise_tolerant", parse("ael:a=1.5"), parse_noise("pair:0.4", 10)).holds is False
    combined = parse("nce+ael:alpha=10,beta=0.1,a=1.5")
    assert prove("noise_tolerant", combined, parse_noise("pair:0.4", 10)).holds is False


def test_amse_examples():
    w = (F(5, 10), F(3, 10), F(2, 10))
    assert decide(parse("amse:a=5"), w).holds is True
    assert decide(parse("amse:a=4.99"), w).holds is False
    noise = parse_noise("symmetric:0.4", 3)
    assert prove("asymmetric", parse("amse:a=2.5"), noise, 3).holds is True
    assert prove("asymmetric", parse("amse:a=2.49"), noise, 3).holds is False


def test_anl_vertex_condition():
    """w_m ((a-1)^(p-1) + 1) >= W + w_n a^(p-1), at w = (.6, .4) and p = 2: .6 a >= 1 + .4 a, so a >= 5."""
    w = (F(6, 10), F(4, 10))
    assert decide(parse("anl:a=5,p=2"), w).holds is True
    assert decide(parse("anl:a=4.99,p=2"), w).holds is False


def test_equality_cases():
    # r = 1/2, strictly convex: asymmetric at w_m/w_n = 2, not below
    assert decide(parse("aul:a=2,p=2"), (F(2, 3), F(1, 3))).holds is True
    assert decide(parse("aul:a=2,p=2"), (F(1999, 3000), F(1001, 3000))).holds is False


def test_ngce_point():
    """NGCE(.7), w = (.6, .4, 0): .19387 at (.9056, .0944, 0) against .2 at e_1."""
    found = decide(parse("ngce:q=0.7"), (F(6, 10), F(4, 10), F(0)))
    assert found.holds is False
    assert found.witness.value < found.witness.bound == pytest.approx(0.2)


@pytest.mark.parametrize("spec", ["nce", "nfl:gamma=0.5"])
def test_normalised_cross_entropy(spec):
    assert prove("calibrated", parse(spec), None, 2).holds is True
    three = prove("calibrated", parse(spec), None, 3)
    assert three.holds is False
    assert max(range(3), key=lambda i: three.witness.point[i]) == 1  # predicts class 2
    assert max(range(3), key=lambda i: three.witness.weights[i]) == 0  # class 1 is more probable
    assert prove("symmetric", parse(spec), None, 10).holds is True
    assert prove("noise_tolerant", parse(spec), parse_noise("symmetric:0.8", 10)).holds is True
    assert prove("noise_tolerant", parse(spec), parse_noise("pair:0.1", 10)).holds is False
    assert prove("noise_tolerant", parse(spec), parse_noise("pair:0.3", 2), 2).holds is True


@pytest.mark.parametrize(
    ("spec", "classes", "constant"),
    [
        ("mae", 3, 3), ("mae", 10, 10), ("agce:a=1,q=2", 2, 1.714), ("agce:a=1,q=2", 3, 2.077),
        ("agce:a=1,q=2", 4, 2.286), ("agce:a=1,q=3", 3, 1.643),
    ],
)  # fmt: skip
def test_excess_risk_constant(spec, classes, constant):
    found = prove("excess_risk", parse(spec), None, classes)
    assert found.holds is True
    assert found.data["constant"] == pytest.approx(constant, abs=6e-4)
    assert found.data["quoted"] == 2
    point = found.data.get("separating_point")
    assert (point is not None) == (constant > 2)
    if point:
        assert point["value"] > point["bound"]


def test_excess_risk_example_of_mae():
    """p = (.45, .449, .101), u = (1/3, 1/3, 1/3) tipped to class 3: .349 against 2 x .1167."""
    from alf.theory.risk.structure import structure_of

    p = (F(450, 1000), F(449, 1000), F(101, 1000))
    structure = structure_of(parse("mae"), 3)
    risk = float(structure.risk((F(1, 3),) * 3, p))
    assert risk - 0.55 == pytest.approx(0.1167, abs=1e-4)


SYMMETRIC = ["mae", "rce", "nce", "nfl:gamma=2", "ngce:q=0.7", "gce:q=1", "agce:a=2,q=1", "aul:a=3,p=1", "anl:a=3,p=1",
             "sce:alpha=0,beta=1", "nce+mae:alpha=1,beta=2", "nfl+rce:gamma=1,alpha=1,beta=1"]  # fmt: skip
NOT_SYMMETRIC = ["mse", "ce", "gce:q=0.7", "agce:a=1,q=2", "aul:a=3,p=3", "ael:a=2", "anl:a=2,p=2", "amse:a=3", "nlnl",
                 "nce+ael:alpha=1,beta=1,a=2"]  # fmt: skip


@pytest.mark.parametrize("spec", SYMMETRIC)
def test_symmetric(spec):
    assert prove("symmetric", parse(spec), None, 5).holds is True


@pytest.mark.parametrize("spec", NOT_SYMMETRIC)
def test_not_symmetric(spec):
    found = prove("symmetric", parse(spec), None, 5)
    assert found.holds is False
    assert found.witness.value != found.witness.bound


CALIBRATED = ["ce", "fl:gamma=2", "gce:q=0.5", "ngce:q=0.5", "agce:a=0.3,q=0.3", "aul:a=1.2,p=4", "ael:a=0.1",
              "anl:a=1.5,p=3", "amse:a=1", "mse", "nce+mae:alpha=10,beta=0.1",
              "nfl+amse:gamma=1,alpha=1,beta=1,a=2"]  # fmt: skip


@pytest.mark.parametrize("spec", CALIBRATED)
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_calibrated(spec, classes):
    assert prove("calibrated", parse(spec), None, classes).holds is True


def test_complete_asymmetry():
    for spec in ["mae", "agce:a=1,q=2", "aul:a=3,p=0.1", "anl:a=2,p=0.5", "anl:a=2,p=1", "nce+mae:alpha=1,beta=1"]:
        assert prove("completely_asymmetric", parse(spec), None, 4).holds is True, spec
    for spec in ["ce", "mse", "amse:a=30", "ael:a=9", "agce:a=4,q=0.2", "anl:a=9,p=2", "nce", "ngce:q=0.5"]:
        found = prove("completely_asymmetric", parse(spec), None, 4)
        assert found.holds is False, spec
        assert found.witness.value <= found.witness.bound


def test_noise_that_hides_the_clean_label():
    found = prove("noise_tolerant", parse("mae"), parse_noise("pair:0.5", 10))
    assert found.holds is False
    assert "dominate" in found.steps[0].statement
    assert prove("asymmetric", parse("mae"), parse_noise("symmetric:0.95", 10)).status == "not_defined"


@pytest.mark.parametrize("claim", ["asymmetric", "noise_tolerant"])
def test_no_noise_is_no_question(claim):
    for noise in (None, parse_noise("none", 10)):
        found = prove(claim, parse("mae"), noise)
        assert found.holds is None
        assert found.status == "not_defined"


@pytest.mark.parametrize("spec", ["nce+mae:alpha=1,beta=2", "nfl+aul:alpha=2,beta=1,gamma=1,a=3,p=0.5", "agce:a=1,q=2"])
@pytest.mark.parametrize("classes", [2, 4])
def test_what_is_proved_for_all_weights_is_proved_for_each(spec, classes):
    loss = parse(spec)
    for text in ("pair:0.3", "symmetric:0.2"):
        for claim in ("asymmetric", "noise_tolerant"):
            assert prove(claim, loss, parse_noise(text, classes), classes).status == "proved"
    assert prove("completely_asymmetric", loss, None, classes).status == "proved"


def test_the_passive_part_of_a_combination_keeps_its_own_ratio():
    """The condition is AGCE's own, whatever its weight, and it stays certified where only the numbers decide."""
    for weight in ("0.5", "7"):
        loss = parse(f"nce+agce:alpha=1,beta={weight},a=0.6,q=0.6")
        verdict = prove("asymmetric", loss, parse_noise("pair:0.4", 3), 3)
        assert verdict.holds and verdict.status == "certified"
        assert verdict.data["rows"][0]["margin"] == pytest.approx(1.5 * 0.675480 - 1, abs=1e-5)
        assert prove("asymmetric", loss, parse_noise("pair:0.41", 3), 3).holds is False


@pytest.mark.parametrize(
    "spec", ["ce", "fl:gamma=2", "sce:alpha=1,beta=1", "gce:q=0.7", "mae", "ael:a=2", "aul:a=3,p=3"]
)
@pytest.mark.parametrize("noise", ["pair:0.4", "symmetric:0.6"])
def test_every_margin_of_the_ratio_rule_is_what_it_compares(spec, noise):
    """Losses with an infinite l(0) have r = 0 like those with an infinite slope there, so the same margin."""
    model = parse_noise(noise, 10)
    data = prove("noise_tolerant", parse(spec), model, 10).data
    heavy, second = sorted(model.exact[0], reverse=True)[:2]
    assert data["rule"] == "ratio"
    assert data["margin"] == pytest.approx(float(heavy / second) * ratio(parse(spec)).value - 1)


def test_a_margin_has_the_sign_of_its_answer():
    """The edge decides where the ratio, here too small, does not; a combination names the rule of its other part."""
    noise = parse_noise("pair:0.4", 10)
    bent = prove("noise_tolerant", parse("formula: 1 - u + (1-u)**3/2-u**3/3"), noise, 10)
    assert (bent.holds, bent.data["rule"], bent.data["margin"]) == (True, "edge", None)
    both = prove("noise_tolerant", parse("nce+amse:alpha=1,beta=1,a=5"), noise, 10)
    assert (both.holds, both.data["rule"], both.data["margin"]) == (True, "vertex KKT and normaliser", 0)
    mixed = parse_noise("matrix:.6,.4,0;0,1,0;0,.3,.7", 3)
    data = prove("noise_tolerant", parse("mae"), mixed, 3).data
    assert (data["rule"], data["margin"]) == ("ratio", pytest.approx(0.5))


@pytest.mark.parametrize(
    ("spec", "value"),
    [
        ("(1-u)**5.825", 0),
        ("(1-u)**a;a=5.825[1,9]", 0),
        ("((1-u)/2)**2.333", 0),
        ("(1-u)**1.0000000001", 0),
        ("0.41*(1-u)**5.825+(1-u)", 1 / (1 + 0.41 * 5.825)),
        ("(1-u)**a+b*(1-u);a=5.825[1,9],b=2[1,3]", 2 / (2 + 5.825)),
        ("(1-u)**0.333", 1),
    ],
)
def test_powers_that_vanish_at_one(spec, value):
    """(1-u)**a / (1-u), the slope as it is first written, has no value at 1; and a long exponent is an atom."""
    found = ratio(parse(spec))
    assert found.status == "proved" and found.value == pytest.approx(value, rel=1e-12)
