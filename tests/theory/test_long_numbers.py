"""Hyperparameters of up to 17 digits: the ratio is found, at once, and nothing that is printed grows with them.

Every question is asked in a process that can be killed: what used to go wrong never came back.
"""

import json
import math
import multiprocessing
import os
import random

import mpmath
import pytest
import sympy
from pebble import ProcessPool

from alf.errors import InputError
from alf.losses import catalogue, parse
from alf.losses.exact import LongNumber, power, readable, substitute, unwrapped, wrap_exponents, wrapped
from alf.noise import parse_noise
from alf.numbers import exact_number
from alf.theory import prove, ratio

COUNT = 1500 if os.environ.get("ALF_SOAK") == "1" else 60
SECONDS = 20  # to tell an answer from none; how long one takes is printed by benchmarks.theory


@pytest.fixture(scope="module")
def pool():
    with ProcessPool(max_workers=1, context=multiprocessing.get_context("spawn")) as pool:
        yield pool
        pool.stop()


def value_of(parameter, rng: random.Random) -> str:
    """A value of the declared domain with 1 to 17 digits, now and then of an extreme size."""
    low, high = float(parameter.domain.lower), float(parameter.domain.upper)
    while True:
        size = 10 ** (rng.uniform(-2, 1.5) if rng.random() < 0.7 else rng.uniform(-12, 6))
        if math.isfinite(low) and math.isfinite(high):
            value = rng.uniform(low, high)
        else:
            value = low + size if math.isfinite(low) else high - size
        text = f"{value:.{rng.randint(1, 17)}g}"
        if exact_number(text) in parameter.domain:
            return text


def random_specs(count: int, seed: int):
    rng = random.Random(seed)
    declarations = [found for found in catalogue().values() if found.parameters]
    while count:
        declaration = rng.choice(declarations)
        values = ",".join(f"{p.name}={value_of(p, rng)}" for p in declaration.parameters)
        try:
            yield parse(f"{declaration.key}:{values}").spec
        except InputError:  # l overflows a double there
            continue
        count -= 1


def answer(spec: str) -> str:
    return json.dumps(ratio(parse(spec)).to_json())


def test_the_ratio_at_random_hyperparameters(pool):
    for spec in random_specs(COUNT, seed=20):
        text = pool.schedule(answer, args=(spec,), timeout=SECONDS).result()
        found, loss = json.loads(text), parse(spec)
        assert len(text) < 20_000, spec
        if not loss.pointwise:
            assert found["status"] == "not_defined"
            continue
        assert found["status"] in ("proved", "certified"), spec
        low, high = found["interval"]
        assert 0 <= low <= found["ratio"] <= high <= 1, spec
        if found["status"] == "proved" and found["ratio"] not in (0, 1):
            with mpmath.workdps(60):
                curve = function(loss)
                slopes = [mpmath.diff(curve, end) for end in (1, 0)]
                assert abs(slopes[0] / slopes[1] - found["ratio"]) <= 1e-9 * found["ratio"] + 1e-300, spec


def function(loss):
    """l in mpmath, the values of the hyperparameters exact."""
    symbols = list(loss.substitution)
    plain = sympy.lambdify([sympy.Symbol("u", positive=True), *symbols], loss.expression, "mpmath")
    values = [mpmath.mpf(int(v.p)) / int(v.q) for v in loss.substitution.values()]
    return lambda x: plain(x, *values)


TYPED = (
    "(1-u)**p", "c*(1-u)**p+(1-u)", "((1-u)/c)**p", "(1+c-u)**p", "1-u**p", "exp(-c*u)*(1-u)**p", "c*(1-u**p)+d*(1-u)",
    "(1+c*u)**(-p)", "exp(-c*u)+d*(1-u)**p", "(2-u)**p-(1-u)**d", "-log((c+u)/(1+c))",
)  # fmt: skip


def typed_specs(count: int, seed: int):
    """Formulas with powers and long constants: fixed, or with a domain over which they are proved."""
    rng = random.Random(seed)
    while count:
        text = rng.choice(TYPED)
        values = []
        for name in ("c", "d", "p"):
            if name in text.replace("exp", ""):
                value = float(f"{10 ** rng.uniform(-1, 1):.{rng.randint(1, 17)}g}")
                domain = f"[{value / 2:.3g},{value * 2:.3g}]" if rng.random() < 0.3 else ""
                values.append(f"{name}={value!r}{domain}")
        try:
            yield parse(f"{text};{','.join(values)}").spec
        except InputError:
            continue
        count -= 1


def test_the_ratio_of_typed_powers(pool):
    for spec in typed_specs(COUNT, seed=5):
        found = json.loads(pool.schedule(answer, args=(spec,), timeout=SECONDS).result())
        if found["interval"] is None:  # it rises where no sample point lies, or could not be shown to fall
            assert found["status"] == "not_defined", spec
            continue
        low, high = found["interval"]
        assert 0 <= low <= found["ratio"] <= high <= 1, spec
        with mpmath.workdps(400):
            curve = function(parse(spec))
            drop = curve(mpmath.mpf(10) ** -300)
            for u1, u2 in ((0.999, 1e-3), (0.5, 0.5), (0.3, 0.1), (1 - 1e-9, 1e-9), (0.7, 0.3)):
                u1, u2 = mpmath.mpf(u1), min(mpmath.mpf(u2), 1 - mpmath.mpf(u1))
                quotient = (curve(u1) - curve(u1 + u2)) / (drop - curve(u2))
                assert low <= quotient * (1 + mpmath.mpf(10) ** -9) + mpmath.mpf(10) ** -9, spec


@pytest.mark.parametrize(
    ("spec", "exact"),
    [
        ("agce:a=1.132,q=0.3494", "(283/533)**(3253/5000)"),
        ("agce:a=1.2345678,q=0.3333333", "(6172839/11172839)**(6666667/10000000)"),
        ("aul:a=1.0000000001,p=1000.5", "(1/10000000001)**(1999/2)"),
        ("formula:12**(-0.3494*u)", "12**(-1747/5000)"),
    ],
)
def test_closed_forms_stay_powers(pool, spec, exact):
    assert json.loads(pool.schedule(answer, args=(spec,), timeout=SECONDS).result())["exact"] == exact


def test_long_numbers():
    x = sympy.Symbol("x", positive=True)
    long = wrapped(sympy.Rational(3253, 5000))
    assert isinstance(long, LongNumber)
    assert wrapped(sympy.Rational(3, 5)) == sympy.Rational(3, 5)
    assert long == wrapped(sympy.Rational(3253, 5000))
    assert long.is_positive and not long.is_integer and (long - 1).is_negative
    assert sympy.Rational(12) ** long * sympy.Rational(12) ** -long == 1
    assert unwrapped(2 * long - 1) == sympy.Rational(753, 2500)
    assert readable(x ** (1 - long)) == x ** wrapped(sympy.Rational(1747, 5000))
    assert sympy.diff(x**long, x) == long * x**long / x
    assert float(power(sympy.Integer(12), sympy.Rational(3253, 5000))) == pytest.approx(12**0.6506)
    assert wrap_exponents(x ** sympy.Rational(1, 2) + x**1001) == x ** sympy.Rational(1, 2) + x**1001
    a, q = sympy.symbols("a q", positive=True)
    there = substitute((x + a) ** q / q, {a: sympy.Rational(1132, 1000), q: sympy.Rational(3494, 10000)})
    assert float(there.subs(x, 2)) == pytest.approx(3.132**0.3494 / 0.3494)
    assert "1747" in sympy.latex(there)


@pytest.mark.parametrize("gamma", ["5001", "8000.5", "1e6"])
def test_a_sum_that_is_smaller_than_any_double_keeps_its_sign(gamma):
    for spec in (f"nfl:gamma={gamma}", f"nfl+mae:gamma={gamma},alpha=1,beta=2"):
        for claim in ("symmetric", "noise_tolerant"):
            assert prove(claim, parse(spec), parse_noise("symmetric:0.3", 3), 3).status == "proved"
