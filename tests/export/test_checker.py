"""The checker's enclosures hold what they enclose, and no claim is derived together with its opposite."""

import os
import random
from contextlib import suppress
from fractions import Fraction

import mpmath
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from alf.errors import InputError
from alf.export import checker
from alf.export.checker import interval
from alf.export.checker.curve import Curve, resolve
from alf.export.checker.ends import Strip, t
from alf.export.checker.interval import Undefined, between
from alf.export.checker.program import Program
from alf.export.checker.reading import read, u
from alf.losses import parse

SOAK = os.environ.get("ALF_SOAK") == "1"
ONE = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan")
NUMBERS = st.fractions(min_value=-30, max_value=30, max_denominator=10**6)


def inside(x, enclosed) -> bool:
    """Whether a number of mpmath's lies in an interval."""
    with mpmath.workdps(60):
        return mpmath.mpf(enclosed.lo) <= x <= mpmath.mpf(enclosed.hi)


def exact(x: Fraction):
    with mpmath.workdps(60):
        return mpmath.mpf(x.numerator) / x.denominator


@settings(max_examples=2000 if SOAK else 150, deadline=None)
@given(st.sampled_from(ONE), NUMBERS, st.fractions(min_value=0, max_value=8, max_denominator=1000), st.floats(0, 1))
def test_elementary_functions_hold_their_values(name, low, width, share):
    try:
        found = getattr(interval, name)(between(low, low + width))
    except Undefined:
        assert name in ("log", "tan")
        return
    point = low + width * Fraction(share).limit_denominator(10**6)
    with mpmath.workdps(60):
        assert inside(getattr(mpmath, name)(exact(point)), found)


@settings(max_examples=2000 if SOAK else 150, deadline=None)
@given(
    NUMBERS, st.fractions(min_value=0, max_value=3), NUMBERS, st.fractions(min_value=0, max_value=3), st.floats(0, 1)
)
def test_sums_products_and_quotients_hold_their_values(a, wide, b, broad, share):
    first, second, part = between(a, a + wide), between(b, b + broad), Fraction(share).limit_denominator(1000)
    x, y = a + wide * part, b + broad * (1 - part)
    assert inside(exact(x + y), first + second)
    assert inside(exact(x - y), first - second)
    assert inside(exact(x * y), first * second)
    if b > 0 or b + broad < 0:
        assert inside(exact(x / y), first / second)
    for n in (2, 3):
        assert inside(exact(x**n), interval.power(first, n))
    if a > 0:
        with mpmath.workdps(60):
            assert inside(exact(x) ** exact(Fraction(-7, 5)), interval.power(first, Fraction(-7, 5)))


def test_what_has_no_value_is_undefined():
    for f, low, high in (("log", -1, 1), ("tan", 1, 2), ("log", 0, 1)):
        with pytest.raises(Undefined):
            getattr(interval, f)(between(low, high))
    with pytest.raises(Undefined):
        between(-1, 1).inverse()


FORMULAS = [
    "exp(-3*u)/(1 + u**2)", "log(u + 1/5)*sin(5*u)", "sqrt(u)*(1 - u)**(3/2)", "tanh(3*(1/2 - u)) + atan(u)**2",
    "Max(0, 1/2 - u) - Min(u, 1/3)", "Abs(u - 1/3)**3 + Abs(u - 2/3)", "cos(pi*u)*cosh(u)", "u**u", "2**(-u) + sinh(u)",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_derivatives_over_a_cell_hold_the_derivatives_inside(text):
    draw = random.Random(text)
    f = read(text, {})
    program = Program(f, u, {})
    functions = [sympy.lambdify(u, f, "mpmath")]
    for _ in range(300 if SOAK else 40):
        low = Fraction(draw.randint(1, 950), 1000)
        high = low + Fraction(draw.randint(1, 49), 1000)
        jet = program.enclose(between(low, high), 2)
        x = exact(low + (high - low) * Fraction(draw.randint(0, 16), 16))
        with mpmath.workdps(50):
            assert inside(functions[0](x), jet[0])
            if all(abs(x - mpmath.mpf(k) / 6) > 0.001 for k in (2, 3, 4)):  # not at a kink
                assert inside(mpmath.diff(functions[0], x, h=mpmath.mpf(10) ** -20), _wider(jet[1]))
                assert inside(mpmath.diff(functions[0], x, 2, h=mpmath.mpf(10) ** -15), _wider(jet[2]))


def _wider(x):
    """Room for the error of a difference quotient."""
    return x + between(Fraction(-1, 10**12), Fraction(1, 10**12))


def test_a_kink_may_bend_one_way_only():
    bend = Program(read("Max(0, 1/2 - u)", {}), u, {}).enclose(between(Fraction(1, 4), Fraction(3, 4)), 2)[2]
    assert bend.at_least_zero and not bend.bounded_above
    bend = Program(read("Min(0, 1/2 - u)", {}), u, {}).enclose(between(Fraction(1, 4), Fraction(3, 4)), 2)[2]
    assert bend.at_most_zero


@pytest.mark.parametrize(
    "text",
    ["-log(t)", "t**(1/3)*log(t)**2 - t", "log(1 - t)/t", "(exp(t) - 1 - t)/t**2", "-log(sin(t))", "1/t - log(t)/t",
     "exp(-1/t)*t**-3 + t", "(1 - (1 - t)**(2/5))*log(t)", "tan(t)/t - 1/sqrt(t)", "t*(log(t) - 1) + 1"],
)  # fmt: skip
def test_forms_next_to_an_end_hold_the_values_there(text):
    f = sympy.sympify(text, locals={"t": t})
    for k in (5, 12, 40):
        strip = Strip(k, {})
        try:
            found = strip.interval(strip.form(f))
        except Undefined:
            assert "exp(t)" in text  # a quotient whose numerator vanishes twice is not known everywhere
            continue
        value = sympy.lambdify(t, f, "mpmath")
        for depth in (k, k + 1, k + 7, 3 * k, 300):
            with mpmath.workdps(400):
                x = value(mpmath.mpf(2) ** -depth)
            assert inside(x, found)


SIGNS = {
    "-(u - 1/3)**3": (1, -1), "-u**3 + u**2 - u/3": (1, -1), "u*(log(u) - 1)": (1, -1), "cos(pi*u)": (1, -1),
    "1 - u + 2*sqrt(u**2 - u + 1/4)/5": (2, 1), "1 - u + Max(0, 1/2 - u)": (2, 1), "Abs(u - 1)": (1, -1),
    "-sqrt(1 - u)*log(u)": (2, 1), "-log(sin(u))": (2, 1),
}  # fmt: skip


@pytest.mark.parametrize("text", SIGNS)
def test_signs_that_are_hard_to_see(text):
    order, sign = SIGNS[text]
    signs = Curve(resolve(read(text, {}), {}), {}).signs(order)
    assert signs.only(sign)


@pytest.mark.parametrize(
    "text",
    ["1 - u - tan(3*u)/10**9", "1 - u + tanh(1/(u - 2123/10000))/1000", "1 - u - atan(tan(20*u))/10000",
     "1 - u - 1/(10**9*(u - 1/3))", "1 - u - log(Abs(u - 1/3))/10**9"],
)  # fmt: skip
def test_poles_and_jumps_are_never_covered(text):
    curve = Curve(read(text, {}), {})
    assert not curve.regular()
    assert not any(curve.signs(order).only(sign) for order in (1, 2) for sign in (-1, 1))


BASE = ["1-u", "-log(u)", "exp(-{a}*u)", "(1-u)**2", "-u**2", "sqrt(1-u)", "1/(1+u)", "cos(pi*u)", "-u**0.7",
        "-(u-{d})**3"]  # fmt: skip
MORE = ["{e}*tan({a}*u)", "-{e}*atan(tan({a}*u))", "{e}*abs(u-{d})", "-{e}*abs(u-{d})", "max(0,{d}-u)", "-min(u,{d})",
        "-max(0,min(1e13*(u-{d}),0.2))", "{e}*sin({a}*pi*u)", "{e}*(u-{d})**4", "-{e}/(u-{d})", "{e}*exp(-1/u)",
        "-{e}*u*log(u)", "{e}*max(0,0.5-u)**2", "{e}*sqrt(u**2-2*{d}*u+({d})**2)"]  # fmt: skip


def nasty(count: int, seed: int):
    """Formulas with poles, kinks, steps and oscillations, as they are read by the app."""
    draw = random.Random(seed)
    while count:
        text = f"{draw.choice(BASE)}+({draw.choice(MORE)})"
        values = {"a": draw.choice("12358"), "d": draw.choice(["0.5", "0.3", "0.2123", "1/3", "0.61"]),
                  "e": draw.choice(["1e-1", "1e-3", "1e-9"])}  # fmt: skip
        try:
            yield parse("formula:" + text.format(**values))
        except InputError:
            continue
        count -= 1


@pytest.mark.parametrize("loss", list(nasty(60 if SOAK else 6, 20)), ids=lambda loss: loss.spec[8:])
def test_nothing_is_derived_together_with_its_opposite(loss):
    rows = [({i: "3/5", (i + 1) % 3: "3/10"}, "1/10") for i in range(3)]
    stated = {"formula": str(loss.exact), "sums": {}, "values": {}, "classes": 3, "matrix": rows}
    statement = checker.Statement(stated)
    for claim in ("decreasing", "convex", "concave", "symmetric", "asymmetric", "completely_asymmetric", "calibrated"):
        derived = []
        for answer in (True, False):
            with suppress(checker.NotDerived):
                derived.append(checker.derive(statement, claim, answer))
        assert len(derived) < 2, (claim, derived)
