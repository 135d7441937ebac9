"""Formulas made to fool the prover: nothing false may be proved, certified or refuted about them."""

import os

import pytest
from nasty import Curve, Nasty, attack, attack_ratio, nasty
from sympy import Abs

from alf.errors import InputError
from alf.losses import parse, u
from alf.noise import parse_noise
from alf.theory import CLAIMS, Verdict, prove, ratio
from alf.theory.curve.continuity import conditions, discontinuity, reveal
from alf.theory.curve.shape import shape_of

SOAK = os.environ.get("ALF_SOAK") == "1"
SEED, COUNT = (2026, 80) if SOAK else (11, 12)
K = 3


def found_wrong(formula: Nasty, claims=CLAIMS) -> list[str] | None:
    """Contradictions between the engine and the attack; None where the formula is refused."""
    try:
        loss = parse("formula:" + formula.text)
    except InputError:
        return None
    found = []
    for text in ("pair:0.4", "symmetric:0.5"):
        noise = parse_noise(text, K)
        for claim in claims if text == "pair:0.4" else ("noise_tolerant",):
            found += attack(formula, prove(claim, loss, noise, K).to_json(), [noise.exact[0]])
    return found + attack_ratio(formula, ratio(loss).to_json())


# those that cost minutes are for the long count: the attack itself, in 150 digits, is the slow part
LIGHT = CLAIMS if SOAK else ("decreasing", "convex", "concave", "symmetric", "noise_tolerant")


@pytest.mark.parametrize("formula", nasty(COUNT, SEED), ids=lambda f: f.text)
def test_nothing_false_is_said(formula):
    assert not found_wrong(formula, LIGHT)


NO_LOSS = [  # poles, jumps and saw-teeth between the points that are tried, even ones included
    "1-u-1e-9*tan(3*u)",
    "1-u-1e-4*atan(tan(20*u))",
    "1-u+0.001*tanh(1/(u-0.2123))",
    "1-u-0.001*tanh(1/(u-0.2123))",
    "1-u-1e-9/(u-0.21237)",
    "1-u+1e-9/(u-0.21237)**2",
    "1-u-0.001*exp(-1/(u-0.21237)**2)",
    "1-u+0.001*abs(u-0.21237)**-0.5*(u-0.21237)",
    "1-u+1e-5*log(abs(u-0.21237))",
    "1-u-1e-4*atan(1/(exp(u)-1.3))",
    "1-u-1e-4*atan(1/(exp(u)-1.3)**2)",
    "1-u-1e-4*tanh(1/max(0,u-0.99999))",
    "1-u-1e-4*tanh(1/(max(0,u-0.3)+max(0,0.2-u)))",
    "1-u-1e-3*(u-0.21237)/sqrt(u**2-0.42474*u+0.21237**2)",
    "1-u-1e-6*tan(1000*u)",
    "1-u-1e-4*atan(u/cos(31*u))",
    "1-u+1e-4/(1+exp(1/(u-0.21237)))",
    "1-u-1e-4*max(0,tanh(1/(u-0.21237)))",
    "-u-1e-9*log(u-1e-7)",
]


@pytest.mark.parametrize("text", NO_LOSS)
def test_what_is_not_continuous_is_refused_or_left_open(text):
    try:
        loss = parse("formula:" + text)
    except InputError as error:
        assert "u = " in str(error) or "got l(" in str(error)
        return
    shape = shape_of(loss.exact)
    assert shape.gap is not None
    assert (shape.decreasing, shape.convex, shape.concave, shape.located) == (None, None, None, False)
    assert ratio(loss).status == "not_defined"
    noise = parse_noise("pair:0.3", K)
    for claim in CLAIMS:
        verdict = prove(claim, loss, noise, K)
        assert verdict.holds is None
        assert "u = " in verdict.steps[-1].statement


LOSSES = {  # continuous in spite of their looks: convex, concave
    "tan(1-u)": (True, False),
    "-tan(1.57*u)": (False, True),
    "2-3*u+(1.5-u)**-0.1": (True, False),
    "1-u+0.4*sqrt(u**2-u+0.25)": (True, False),
    "1-u-0.4*sqrt(u**2-u+0.25)": (False, True),
    "1-u+0.4*((u-1/3)**2)**(1/2)": (True, False),
    "1-u+0.2*(u**2-2*u/3+1/9)**1.5": (True, False),
    "1-u-0.1*(u**2-2*u/3+1/9)**1.5": (False, True),
    "1-u+0.2*sqrt(exp(2*u)-3*exp(u)+2.25)": (False, False),
    "1-u+0.2*log(exp(abs(u-0.3)))": (True, False),
    "sqrt(1-2*u+u**2)": (True, True),
    # the second derivative jumps at log 1.5, which is no fraction
    "1-u+0.2*max(0,1.5-exp(u))**2": (True, False),
    "1-u-0.2*max(0,exp(u)-1.5)**2": (False, True),
    "1-u+0.2*max(0,1.3-u-u**3)**2": (False, False),
    "1-u-max(0,min(1e13*(u-0.2123),0.2))": (False, False),
    "1-u-max(0,min(1e100*(exp(u)-1.3),0.2))": (False, False),
    "1-u-max(0,min(1e300*(u-0.2123),0.2))": (False, False),
    "1-u-0.2*tanh((u-0.2123)/1e-9)": (False, False),
    "1-u-0.1*max(u-1/3,min(2*(u-1/3),3*(u-1/3)-1e-15))": (False, False),
    "-(u-(1/3))**3": (False, False),
}


@pytest.mark.parametrize("text", LOSSES)
def test_what_is_continuous_is_decided(text):
    loss = parse("formula:" + text)
    assert shape_of(loss.exact).located
    assert prove("decreasing", loss).holds is True
    assert (prove("convex", loss).holds, prove("concave", loss).holds) == LOSSES[text]


def test_a_steep_fall_between_two_switches_is_part_of_the_loss():
    """A fall of .2 over 2e-14 at .2123: r <= .515, so neither symmetric nor tolerant at pair:0.4."""
    loss = parse("formula:1-u-max(0,min(1e13*(u-0.2123),0.2))")
    assert prove("symmetric", loss, None, K).holds is False
    assert prove("noise_tolerant", loss, parse_noise("pair:0.4", K), K).holds is False
    assert ratio(loss).interval[1] <= 0.5151


@pytest.mark.parametrize("width", [3, 9, 14, 16, 40, 120])
@pytest.mark.parametrize("place", ["u-0.21237", "exp(u)-1.3", "u**3-0.3"])
def test_switches_are_never_skipped(width, place):
    """However close two switches lie, the pieces between them carry the whole fall."""
    shape = shape_of(parse(f"formula:2-u-max(0,min(1e{width}*({place}),0.2))").exact)
    assert shape.located
    assert len(shape.pieces) == 3
    ramp = shape.pieces[1]
    fall = float(shape.value(ramp.lo, 900) - shape.value(ramp.hi, 900))
    assert fall == pytest.approx(0.2, abs=10.0 ** (1 - width) + 1e-12)
    assert [k.turn for k in shape.kinks] == [-1, 1]


def test_conditions_name_what_can_fail():
    f = parse("formula:2*exp(-u)+0.1/(2-u)+log(3-u)/100+sqrt(2-u**2)/9").exact
    assert {(str(c.inside), c.needs) for c in conditions(f)} == {
        ("2 - u", "nonzero"),
        ("3 - u", "positive"),
        ("2 - u**2", "nonnegative"),
    }
    assert reveal(f) == f
    assert discontinuity(f) is None
    assert discontinuity(1 / (u - u**2 - 0.25)) is not None


@pytest.mark.parametrize("place", ["0.14896", "0.5", "3", "1/3"])
def test_a_square_of_exponentials_is_seen_from_both_ends(place):
    """exp(1) and exp(931/6250) have no common power of a small degree: each is a letter of its own."""
    root = parse(f"formula:1-u+0.001*sqrt(exp(2*u)-2*exp({place})*exp(u)+exp(2*({place})))").exact
    for f in (root, root.subs(u, 1 - u)):
        assert reveal(f).has(Abs)


# --- the attack bites ---------------------------------------------------------------------------------------------

FALSE = [
    ("1-u-max(0,min(1e13*(u-0.2123),0.2))", (0.2123, 2e-14), ("symmetric", "noise_tolerant", "convex", "concave")),
    ("1-u+max(0,min(1e13*(u-0.2123),0.2))", (0.2123, 2e-14), ("decreasing", "symmetric", "concave")),
    ("1-u+0.4*sqrt(u**2-u+0.25)", (0.5, 0.01), ("concave", "symmetric", "noise_tolerant")),
]


@pytest.mark.parametrize(("text", "spot", "claims"), FALSE)
def test_a_false_yes_is_caught(text, spot, claims):
    formula = Nasty(text, (spot,), False)
    noise = parse_noise("pair:0.4", K)
    for claim in claims:
        assert attack(formula, Verdict(claim, "proved", True).to_json(), [noise.exact[0]]), claim


def test_a_false_no_and_a_false_ratio_are_caught():
    formula = Nasty("1-u", ((0.5, 0.1),), False)
    other = prove("decreasing", parse("formula:1-u+max(0,0.001-abs(u-0.33362))*1.1"))
    assert other.holds is False
    assert attack(formula, other.to_json())
    steep = Nasty("1-u-max(0,min(1e13*(u-0.2123),0.2))", ((0.2123, 2e-14),), False)
    assert attack_ratio(steep, {"interval": [1, 1], "upper_interval": [1, 1]})
    assert attack_ratio(steep, ratio(parse("formula:" + steep.text)).to_json()) == []
    assert float(Curve(steep)(0.5)) == pytest.approx(0.3)


ROOTED = Nasty("1-u+0.2*sqrt(exp(2*u)-2*exp(0.3)*exp(u)+exp(2*0.3))", ((0.3, 1e-3), (0.3, 1e-17)), False)
STEP = Nasty("1-u-0.2*tanh((u-0.4)/1e-15)", ((0.4, 1e-15),), False)


def test_the_attack_takes_as_many_digits_as_a_witness_needs():
    """Three points of the step may lie on a line but for 1e-633; at the kink a root is one of the rounding of 0."""
    for claim in ("convex", "concave"):
        verdict = prove(claim, parse("formula:" + STEP.text))
        assert verdict.holds is False
        assert attack(STEP, verdict.to_json()) == []
        assert attack(Nasty("1-u", STEP.spots, False), verdict.to_json())
    verdict = prove("convex", parse("formula:" + ROOTED.text))
    assert attack(ROOTED, verdict.to_json()) == []
    assert attack(ROOTED, Verdict("concave", "proved", True).to_json())
