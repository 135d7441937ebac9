"""Signs, shapes and ratios of formulas that no table knows."""

import random
from fractions import Fraction as F

import mpmath
import pytest
import sympy

from alf.losses import parse, u
from alf.theory import prove, ratio
from alf.theory.arithmetic.balls import at_point
from alf.theory.arithmetic.cells import on_cell
from alf.theory.arithmetic.sign_pattern import sign_pattern
from alf.theory.asymmetry.decide import decide
from alf.theory.curve.parameter_cell import proved_sign
from alf.theory.curve.shape import shape_of
from alf.theory.curve.symbolic_sign import NEGATIVE, POSITIVE, UNKNOWN

SHAPES = {  # formula: convex, concave
    "-log(u)": (True, False),
    "1/u": (True, False),
    "1/sqrt(u)": (True, False),
    "u*(log(u)-1)": (True, False),
    "(1-u)**0.5*(-log(u))": (True, False),
    "(1-u)**9": (True, False),
    "1-u**9": (False, True),
    "sqrt(1-u)": (False, True),
    "sqrt(1-u**2)": (False, True),
    "log(2-u)": (False, True),
    "-sinh(u)": (False, True),
    "1-u": (True, True),
    "abs(u-1)": (True, True),
    "max(1-u,1-2*u)": (True, True),
    "(1-u)+max(0,0.5-u)": (True, False),
    "-max(u,2*u-0.5)": (False, True),
    "1-u**2*(3-2*u)": (False, False),
    "cos(pi*u)": (False, False),
    "tanh(3*(0.5-u))": (False, False),
    "-(u-0.5)**3": (False, False),
    "1-exp(-1/u)": (False, False),
    "-u-sin(6*u)/7": (False, False),
    "-u+sin(4*pi*u)/(4*pi)": (False, False),
}


@pytest.mark.parametrize("text", SHAPES)
def test_shape(text):
    loss = parse("formula:" + text)
    assert prove("decreasing", loss).holds is True
    assert (prove("convex", loss).holds, prove("concave", loss).holds) == SHAPES[text]


RATIOS = {  # formula: r, r_up
    "1-u**2*(3-2*u)": (1, 1),
    "cos(pi*u)": (1, 1),
    "tanh(3*(0.5-u))": (1, 1),
    "-(u-0.5)**3": (0, 1),
    "sqrt(1-u)-sqrt(u)": (0, 1),
    "(1-u)+max(0,0.5-u)": (0.5, 0.5),
    "-log(u)+sin(u)/9": (0, 0),
    "-sqrt(u)+u/4": (0, 0),
    "exp(-3*u)": (float(mpmath.exp(-3)), float(mpmath.exp(-3))),
    "1-sin(pi*u/2)": (0, 0),
    "(1-u**2)**2": (1, 1),
    "1-exp(-1/u)": (1, 1),
}


@pytest.mark.parametrize("text", RATIOS)
def test_ratio_of_formulas(text):
    found = ratio(parse("formula:" + text))
    r, upper = RATIOS[text]
    assert found.interval[0] <= r <= found.interval[1] or found.value == pytest.approx(r, abs=1e-12)
    assert found.upper_interval[0] <= upper <= found.upper_interval[1] or found.upper_value == pytest.approx(upper)
    assert found.interval[1] - found.interval[0] <= max(1e-3 * r, 1e-6)


@pytest.mark.parametrize(
    "text", ["exp(-3*u)-u**2", "1-u-sin(6*u)/7", "sqrt(1-u)+(1-u)**2", "min(1-u,exp(-4*u)+0.1-u/9)"]
)
def test_brackets_are_narrow(text):
    found = ratio(parse("formula:" + text))
    for low, high in (found.interval, found.upper_interval):
        assert 0 < low <= high
        assert high - low <= max(1e-3 * high, 1e-6)
    assert found.status == "certified"
    assert found.interval[1] <= found.upper_interval[1] * (1 + 1e-3)


BETWEEN = [  # formula, weights, asymmetric: where neither r nor r_up decides
    ("1-u-sin(6*u)/7", (F(6, 10), F(3, 10), F(1, 10)), True),
    ("1-u-sin(6*u)/7", (F(45, 100), F(30, 100), F(25, 100)), False),
    ("1-u-sin(2*pi*u)/7", (F(6, 10), F(3, 10), F(1, 10)), True),
    ("1-u-sin(2*pi*u)/7", (F(45, 100), F(30, 100), F(25, 100)), False),
    ("1-u**3+(1-u)**4", (F(2, 5), F(3, 10), F(3, 10)), False),
    ("1-u**3+(1-u)**4", (F(1, 2), F(1, 4), F(1, 4)), True),
    ("(1-u)+max(0,0.5-u)", (F(2, 3), F(1, 3), F(0)), False),
    ("(1-u)+max(0,0.5-u)", (F(201, 300), F(99, 300), F(0)), True),
    # r_up = 3/4 is attained at one point, (1/2, 1/2): a tie at w_m/w_n = 4/3, none above
    ("-u+max(0,0.5-u)-max(0,u-0.75)", (F(4, 7), F(3, 7)), False),
    ("-u+max(0,0.5-u)-max(0,u-0.75)", (F(4, 7), F(3, 7), F(0)), False),
    ("-u+max(0,0.5-u)-max(0,u-0.75)", (F(401, 700), F(299, 700)), True),
]


@pytest.mark.parametrize(("text", "weights", "answer"), BETWEEN)
def test_direct_minimisation(text, weights, answer):
    found = decide(parse("formula:" + text), weights)
    assert found.holds is answer
    if not answer:
        assert found.witness.value <= found.witness.bound
        assert sum(found.witness.point) == 1


def test_kinks_can_spoil_calibration():
    assert prove("calibrated", parse("formula:(1-u)+max(0,0.5-u)"), None, 2).holds is False
    assert prove("calibrated", parse("formula:-max(u,2*u-0.5)"), None, 2).holds is True
    # a kink above 1/2 can be no tie
    assert prove("calibrated", parse("formula:(1-u)+max(0,0.7-u)"), None, 3).holds is True
    flat = parse("formula:-(u-0.5)**3+0.6*abs(u-0.5)**3")
    assert prove("calibrated", flat, None, 2).holds is False


def test_symmetric_at_two_classes_only():
    loss = parse("formula:1+cos(pi*u)")
    assert prove("symmetric", loss, None, 2).holds is True
    assert prove("symmetric", loss, None, 3).holds is False


@pytest.mark.parametrize("spec", ["agce:a=0.6,q=0.6", "aul:a=5.5,p=3", "fl:gamma=0.5", "gce:q=0.7", "ael:a=2"])
def test_a_flipped_loss_is_not_proved(spec):
    """l turned round has no proof of descent, and its derivative the other sign."""
    loss = parse(spec)
    assert proved_sign(loss, 1) == NEGATIVE
    assert proved_sign(loss, 2) == POSITIVE
    runs = sign_pattern(-sympy.diff(loss.exact, u), u)
    assert {r.sign for r in runs} == {1}


def test_a_wiggle_is_not_proved():
    assert proved_sign(parse("formula:1-u-sin(6*u)/7"), 2) == UNKNOWN


def test_enclosures_hold_on_random_cells():
    """Values in 50 digits lie inside the enclosure of their cell."""
    draw = random.Random(4)
    for text in [*SHAPES, "tan(1-u)", "atan(1/u)", "cosh(1-u)-u", "u**(-u)-2*u"]:
        try:
            f = parse("formula:" + text).exact
        except ValueError:
            continue
        cell, point = on_cell(f, u), at_point(f, u)
        for _ in range(25):
            a, b = sorted((draw.random(), draw.random()))
            low, high = cell(a, b)
            for _ in range(4):
                x = F(draw.uniform(a, b))
                value = point(x, 170)
                assert low <= value <= high, (text, a, b, x)


def test_values_agree_with_mpmath():
    for text in SHAPES:
        f = parse("formula:" + text).exact
        with mpmath.workdps(50):
            expected = sympy.lambdify(u, f, "mpmath")(mpmath.mpf(3) / 7)
        assert abs(float(at_point(f, u)(F(3, 7), 200)) - float(expected)) < 1e-14, text


def test_shapes_with_two_kinks_at_one_place_of_the_pattern():
    """The order of kink and piece matters: concave, kink, concave is not concave and then convex."""
    found = ratio(parse("formula:max(-u,0.5-2*u)+2*(-u+sin(2*u)/4)"))
    assert found.interval[0] <= 0.8202 <= found.interval[1] * 1.0005
    assert found.upper_interval[0] > 0.92
    assert shape_of(parse("formula:abs(u-1)").exact).kinks == ()


NARROW = {
    "1-u+exp(-((u-0.3333)*5000)**2)/1000": (False, False),  # exp(33330000 u) must not become a polynomial
    "exp(-100000*u)+exp(-u/3)": (True, True),
    "1-u+max(0,0.001-abs(u-0.33362))*0.5": (True, False),  # a tent between two kinks that turn the other way
    "1-u+max(0,0.001-abs(u-0.33362))*1.1": (False, False),
}


@pytest.mark.parametrize("text", NARROW)
def test_narrow_things_are_seen(text):
    loss = parse("formula:" + text)
    assert tuple(prove(claim, loss).holds for claim in ("decreasing", "convex")) == NARROW[text]


def test_two_classes_need_only_the_edge():
    """l(t) + l(1-t) constant: symmetric for two classes, so asymmetric on all weights, although r = 0."""
    loss = parse("formula:sqrt(1-u)-sqrt(u)")
    assert ratio(loss).value == 0
    assert prove("completely_asymmetric", loss, None, 2).holds is True
    assert prove("completely_asymmetric", parse("formula:exp(-u)"), None, 2).holds is False
