"""Every refutation carries a witness, and the witness is right when it is computed again from its point alone.

Over the catalogue, hyperparameters at random, formulas at random, noise at random and 2 to 20 classes: what the prover
says of the two numbers must be so in fifty digits and more, and as displayed. Constants of excess risk are compared
with a search over the simplex.
"""

import ast
import dataclasses
import os
import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from formulas import formulas
from oracle import attack_calibration_function, attack_verdict
from recompute import check_witness
from test_long_numbers import random_specs
from test_oracle import noise_of

import alf
from alf.losses import parse
from alf.theory import CLAIMS, prove
from alf.theory.claims.calibration import tie
from alf.theory.claims.excess import calibration_curve, searched, tight_constant
from alf.theory.curve.shape import shape_of
from alf.theory.risk.structure import structure_of
from alf.theory.table import losses
from alf.theory.verdict import Verdict, Witness
from alf.theory.witnesses.kinds import KINDS
from alf.theory.witnesses.witness import witness

SOAK = os.environ.get("ALF_SOAK") == "1"
COUNT = 20 if SOAK else 4
CLASSES = (2, 3, 5, 10, 20)


def questions():
    """(loss, classes, seed of its noise); the first ones of every kind, the same every time."""
    catalogue = [loss.spec for loss in losses()]
    kinked = ["1-u+max(0,0.4-u)", "1-u-0.3*max(0,u-0.35)", "exp(-u)+max(0,0.4-u)", "1-u+max(0,0.3-u)+max(0,0.45-u)"]
    drawn = [*random_specs(COUNT, seed=31), *formulas(COUNT, seed=32), *(f"formula:{text}" for text in kinked)]
    draw = random.Random(33)
    for spec in (catalogue if SOAK else draw.sample(catalogue, 6)) + drawn:
        for classes in CLASSES if SOAK else draw.sample(CLASSES, 1):
            yield spec, classes, draw.randrange(10**6)


@pytest.mark.parametrize(("spec", "classes", "seed"), list(questions()))
def test_every_refutation_is_seen_again_from_its_point(spec, classes, seed):
    loss, noise = parse(spec), noise_of(seed, classes)
    for claim in CLAIMS:
        verdict = prove(claim, loss, noise, classes).to_json()
        if verdict["status"] == "refuted":
            assert check_witness(loss, classes, verdict["witness"], claim) == []
        if claim == "excess_risk":
            assert attack_verdict(loss, classes, verdict) == []
            if verdict["status"] == "certified":
                assert ("separating_point" in verdict["data"]) == (verdict["data"]["constant"] > 2)


def test_witnesses_are_made_in_one_place():
    """Nothing but `witness.witness` calls the constructor, so nothing else decides what contradicts."""
    found = []
    for file in Path(alf.__file__).parent.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = (n.func for n in ast.walk(tree) if isinstance(n, ast.Call))
        if any("Witness" in (getattr(f, "id", ""), getattr(f, "attr", "")) for f in calls):
            found.append(file.name)
    assert found == ["witness.py"]


@pytest.mark.parametrize("relation", ["<", "=", ">"])
def test_two_numbers_that_do_not_stand_as_said_make_no_witness(relation):
    value, bound = {"<": (2.0, 1.0), "=": (1.0, 2.0), ">": (1.0, 2.0)}[relation]
    with pytest.raises(ArithmeticError):
        Witness("vertex", "wrong", (), value, bound, relation, ("", ""))


def test_a_refuted_verdict_has_a_witness_and_no_other_has():
    with pytest.raises(ArithmeticError):
        Verdict("convex", "refuted", False)
    found = prove("convex", parse("agce:a=1,q=2")).witness
    with pytest.raises(ArithmeticError):
        Verdict("convex", "proved", True, witness=found)


def test_points_that_do_not_refute_make_no_witness():
    third = (Fraction(1, 3),) * 3
    mae, ael = (structure_of(parse(spec), 3) for spec in ("mae", "ael:a=2.5"))
    assert witness("vertex", mae, third, (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))) is None
    assert (
        witness("vertex", ael, (Fraction(1), Fraction(0), Fraction(0)), (Fraction(6), Fraction(4), Fraction(0))) is None
    )
    assert witness("constant", mae, third, third) is None  # no one class is predicted
    assert (
        witness("least", ael, (Fraction(1, 2), Fraction(1, 2), Fraction(0)), (Fraction(6, 10), Fraction(4, 10), 0))
        is None
    )
    curve = shape_of(parse("ael:a=1").exact)
    assert witness("rise", curve, (Fraction(1, 4), Fraction(1, 2))) is None
    assert witness("rise", curve, (Fraction(1, 2), Fraction(1, 4))) is None  # not in order
    assert witness("above chord", curve, (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4))) is None
    assert witness("above chord", curve, (Fraction(1, 4), Fraction(1, 2), Fraction(4, 5))) is None  # not the middle
    assert set(KINDS) == {
        "rise",
        "above chord",
        "below chord",
        "sums",
        "vertex",
        "limit",
        "least",
        "constant",
        "dominance",
    }


def test_numbers_nearer_to_each_other_than_doubles_still_stand_as_displayed():
    """u**0.999 undercuts a line only very close to 0, by less than a double of the risk can show."""
    loss, noise = parse("gce:q=0.999"), noise_of(4, 3)
    verdict = prove("noise_tolerant", loss, noise, 3).to_json()
    assert verdict["status"] == "refuted"
    assert verdict["witness"]["value"] < verdict["witness"]["bound"]
    assert verdict["witness"]["shown"][0] != verdict["witness"]["shown"][1]
    assert check_witness(loss, 3, verdict["witness"], "noise_tolerant") == []


# --- the check bites ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "spec", "noise", "classes"),
    [
        ("convex", "aul:a=3,p=0.1", 1, 3),
        ("concave", "ael:a=2", 1, 3),
        ("symmetric", "mse", 1, 5),
        ("noise_tolerant", "ce", 1, 3),
        ("noise_tolerant", "nce", 1, 5),
        ("noise_tolerant", "nfl+ael:gamma=1,alpha=1,beta=1,a=0.2", 3, 3),
        ("completely_asymmetric", "ael:a=0.5", 1, 10),
        ("calibrated", "nce", 1, 3),
        ("calibrated", "formula:1-u+max(0,0.4-u)", 1, 3),
    ],
)
def test_a_changed_witness_is_caught(claim, spec, noise, classes):
    loss = parse(spec)
    found = prove(claim, loss, noise_of(noise, classes), classes)
    assert found.status == "refuted"
    stated = found.witness.to_json()
    assert check_witness(loss, classes, stated, claim) == []
    wrong = {">": "<", "<": ">", "=": "<"}[stated["relation"]]
    step = 1e-3 * (1 + abs(found.witness.value))
    changes = [{"relation": wrong}, {"value": found.witness.value + step}]
    changes += [{"bound": min(found.witness.bound, 9.0) - step}, {"kind": "sums" if claim != "symmetric" else "rise"}]
    if found.witness.weights:
        changes.append({"weights": ["1/2", "1/2", *["0"] * (classes - 2)]})
    assert [c for c in changes if not check_witness(loss, classes, {**stated, **c}, claim)] == []


# --- excess risk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("a", ["0.8333", "0.8334", "0.83334", "0.8333333333"])
def test_constants_next_to_two_are_told_from_it(a):
    """5/6 is where c_3 of AGCE(a, 2) is 2: a witness on one side however near, none on the other."""
    loss = parse(f"agce:a={a},q=2")
    verdict = prove("excess_risk", loss, None, 3)
    assert verdict.status == "certified"
    above = Fraction(a) > Fraction(5, 6)
    assert (verdict.data["constant"] > 2) == above == ("separating_point" in verdict.data)
    if above:
        assert check_witness(loss, 3, verdict.data["separating_point"], "excess_risk") == []


@pytest.mark.parametrize("classes", [2, 13, 100, 1000])
def test_the_constant_is_the_largest_over_every_equal_split(classes):
    for spec in ("mae", "agce:a=1,q=2", "agce:a=1.234567,q=2.3456789", "formula:cos(pi*u/2)"):
        loss = parse(spec)
        verdict = prove("excess_risk", loss, None, classes)
        ends = loss.value([0.0, 1.0], classes)
        by_hand = max(
            1 / (1 - (s - 1) * (ends[0] - loss.value(1 / s, classes)) / (ends[0] - ends[1]))
            for s in range(2, classes + 1)
        )
        assert verdict.data["constant"] == pytest.approx(float(by_hand), rel=1e-9)
        assert str(classes) in verdict.data["searched"]


def test_a_search_says_how_far_it_went():
    """With phi not convex on [0, 1/2] the constant is a search's, over every number of classes and on a grid."""
    shape = shape_of(parse("agce:a=1,q=2").exact)
    for classes, words in ((3, "2 to 3"), (20, "2 to 20"), (1000, "at most 180 classes")):
        verdict = searched("excess_risk", shape, (), classes)
        exact = tight_constant(shape, classes)[0]
        assert verdict.status == "observed"
        assert words in verdict.data["searched"] and words in verdict.steps[-1].statement
        assert verdict.data["constant"] <= float(exact) + 1e-9
        assert verdict.data["constant"] == pytest.approx(float(exact), rel=1e-6)  # here the equal splits are the worst


def test_a_calibration_function_does_not_fall():
    for spec, classes in (("ael:a=0.5", 3), ("ce", 2), ("formula:1-u+max(0,0.4-u)", 3)):
        loss = parse(spec)
        delta = calibration_curve(loss, structure_of(loss, classes), classes).data["delta"]
        assert all(x <= y for x, y in pairwise(delta))


def test_a_calibration_function_that_says_too_much_is_caught():
    """(1-u) + max(0, 2/5 - u) is not calibrated for three classes, so delta is 0 next to 0."""
    loss = parse("formula:1-u+max(0,0.4-u)")
    data = prove("excess_risk", loss, None, 3).to_json()["data"]
    assert data["delta"][0] == 0
    assert attack_calibration_function(loss, 3, data) == []
    assert attack_calibration_function(loss, 3, {**data, "delta": [0.2 * e for e in data["epsilon"]]}) != []


# --- kinks where two classes can be tied --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "classes", "holds"),
    [
        ("1-u+max(0,0.4-u)", 3, False),
        ("1-u+max(0,0.4-u)", 2, True),  # 2/5 is below 1/2, where two classes are tied
        ("1-u+max(0,0.3-u)", 3, True),
        ("1-u+max(0,0.3-u)", 4, False),
        ("1-u+max(0,0.5-u)", 2, False),
        ("1-u+max(0,0.5-u)", 20, False),
        ("exp(-u)+max(0,0.4-u)", 4, False),
        ("1/(u+1)+0.1*max(0,0.35-u)", 3, False),
        ("1-u+0.001*max(0,0.45-u)", 10, False),
        ("1-u-0.3*max(0,u-0.35)", 3, True),  # steeper to the right
        ("1-u+max(0,0.4-u)-5*max(0,u-0.401)", 3, True),  # a larger move than to the next kink pays
        ("1-u+max(0,0.4-u)-max(0,u-0.401)", 3, False),  # and here none does
        ("max(0,0.7-u)", 3, True),  # flat where no two shares are
        ("max(0,0.5-u)", 2, False),
        ("max(0,0.3-u)", 3, False),
        ("max(0,0.3-u)", 2, False),
        ("cos(u)+max(0,0.5-u)/10", 2, True),
    ],
)
def test_kinks(text, classes, holds):
    loss = parse("formula:" + text)
    verdict = prove("calibrated", loss, None, classes)
    assert verdict.holds is holds
    if not holds:
        assert check_witness(loss, classes, verdict.witness.to_json(), "calibrated") == []


def test_a_tie_that_is_no_minimiser_makes_no_witness():
    for text, classes in (("1-u-0.3*max(0,u-0.4)", 3), ("1-u", 3), ("exp(-u)", 4)):
        structure = structure_of(parse("formula:" + text), classes)
        assert tie(structure, shape_of(structure.h), Fraction(2, 5)) is None


def test_the_witness_of_an_order_of_classes_is_that_of_another():
    found = prove("completely_asymmetric", parse("ael:a=0.5"), None, 3).witness
    moved = found.reordered((2, 0, 1), (found.weights[1], found.weights[2], found.weights[0]))
    assert dataclasses.replace(moved, point=found.point, weights=found.weights) == found
    assert check_witness(parse("ael:a=0.5"), 3, moved.to_json(), "completely_asymmetric") == []
