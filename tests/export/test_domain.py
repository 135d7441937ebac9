"""A claim over a typed domain: derived only where it is true for every value, and refuted only by a value of it."""

import os
import random
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

import mpmath
import pytest
import sympy

from alf.errors import InputError
from alf.export import NotExported, checker, proof, proof_script
from alf.export.checker.curve import Curve
from alf.export.checker.ends import Strip, t
from alf.export.checker.interval import Undefined, between
from alf.export.checker.program import Program
from alf.export.checker.reading import read, u
from alf.losses import parse
from alf.noise import parse_noise
from tests.export.brute import contradictions
from tests.export.test_checker import exact, inside
from tests.export.test_proof import run, run_alone, script, stated_in, verdicts_of

SOAK = os.environ.get("ALF_SOAK") == "1"

# --- enclosures hold for every value of a parameter -------------------------------------------------------------------

MOVING = ["exp(-a*u)/(1 + u**2)", "(1 - u**a)/a", "(a + 1 - u)**a", "log(u + a)*sin(a*u)", "a**u - a*u**a",
          "Max(0, a/3 - u)", "Abs(u - a/3)*a", "tanh(a*(1/2 - u)) + atan(u/a)**2"]  # fmt: skip


@pytest.mark.parametrize("text", MOVING)
def test_a_cell_encloses_the_derivatives_for_every_value(text):
    draw = random.Random(text)
    a = sympy.Symbol("a", positive=True)
    f = read(text, {"a": a})
    value = sympy.lambdify((u, a), f, "mpmath")
    for _ in range(200 if SOAK else 25):
        low, first = Fraction(draw.randint(1, 950), 1000), Fraction(draw.randint(1, 30), 10)
        high, last = low + Fraction(draw.randint(1, 49), 1000), first + Fraction(draw.randint(0, 20), 10)
        jet = Program(f, u, {a: (first, last)}).enclose(between(low, high), 2)
        x = exact(low + (high - low) * Fraction(draw.randint(0, 16), 16))
        y = exact(first + (last - first) * Fraction(draw.randint(0, 16), 16))
        with mpmath.workdps(50):
            assert inside(value(x, y), jet[0])
            if not f.has(sympy.Abs, sympy.Max):
                room = between(Fraction(-1, 10**12), Fraction(1, 10**12))  # for the error of a difference quotient
                assert inside(mpmath.diff(lambda s, y=y: value(s, y), x, h=mpmath.mpf(10) ** -20), jet[1] + room)
                assert inside(mpmath.diff(lambda s, y=y: value(s, y), x, 2, h=mpmath.mpf(10) ** -15), jet[2] + room)


@pytest.mark.parametrize(
    "text",
    ["t**a", "t**(a - 1)", "t**a*log(t) - t", "(1 - t**a)/a", "a*t**(a - 2) - t**(a - 1)", "t**(-a) + t**(2*a)/3 - 1",
     "log(t**a + t)", "(a*t)**(a/2)/sin(t)", "exp(-a/t)", "exp(a/t)/3", "(1 - (1 - t)**a)*log(t)", "t**(a - 1) + t"],
)  # fmt: skip
def test_next_to_an_end_the_powers_of_the_distance_may_move(text):
    a = sympy.Symbol("a", positive=True)
    f = sympy.sympify(text, locals={"t": t, "a": a})
    value = sympy.lambdify((t, a), f, "mpmath")
    for first, last in ((Fraction(1, 2), Fraction(3, 4)), (Fraction(3, 4), Fraction(5, 4)), (Fraction(2), Fraction(3))):
        for k in (5, 12, 40):
            strip = Strip(k, {a: (first, last)})
            try:
                form = strip.form(f)
                found = strip.interval(form)
            except Undefined:
                assert text in ("log(t**a + t)", "(1 - (1 - t)**a)*log(t)"), text
                continue
            for y in (first, (first + last) / 2, last):
                for depth in (k, k + 1, k + 7, 3 * k, 300):
                    with mpmath.workdps(400):
                        assert inside(value(mpmath.mpf(2) ** -depth, exact(y)), found), (k, y, depth)


def test_limits_where_the_power_of_the_distance_moves():
    a = sympy.Symbol("a", positive=True)

    def limit(text, low, high):
        return Curve(read(text, {"a": a}), {a: (Fraction(low), Fraction(high))}).limit(0, 0)

    assert limit("u**a", "1/2", 2).zero
    assert limit("u**(-a)", "1/2", 2) == 1 and limit("-u**(a - 3)", "1/2", 2) == -1
    assert limit("exp(a/u)", "1/2", 2) == 1
    for text in ("u**(a - 1)", "u**(a - 2)"):  # 0, 1 or infinite, as the value may be
        with pytest.raises(Undefined):
            limit(text, "1/2", 2)


def test_a_sum_of_values_in_which_the_parameters_cancel():
    a = sympy.Symbol("a", positive=True)
    curve = Curve(read("cos(a*u)", {"a": a}), {a: (Fraction(1), Fraction(9, 8))})
    terms = [(between(1, 1), Fraction(1, 2)), (between(-1, -1), Fraction(9, 16))]
    found = curve.total(*terms)
    plain = curve.at(Fraction(1, 2)) - curve.at(Fraction(9, 16))
    assert found.upper - found.lower < (plain.upper - plain.lower) / 4
    for y in (Fraction(1), Fraction(17, 16), Fraction(9, 8)):
        with mpmath.workdps(50):
            assert inside(mpmath.cos(exact(y) / 2) - mpmath.cos(exact(y) * 9 / 16), found)


# --- scripts ----------------------------------------------------------------------------------------------------------

COVERED = {
    "exp(-u/a);a=2[1.5,10]": "decreasing convex asymmetric noise_tolerant calibrated",
    "(1-u^q)/q;q=0.7[0.1,1]": "decreasing convex calibrated",
    "((a+1)^q-(a+u)^q)/q;a=2[1,3],q=2[1.5,3]": "decreasing concave asymmetric completely_asymmetric noise_tolerant "
    "calibrated",
    "1-u+a*max(0,0.5-u);a=0.5[0,1]": "decreasing convex asymmetric noise_tolerant",
    "1-u+a*u*(1-u)*(1-2*u);a=0.3[-0.5,0.5]": "decreasing asymmetric noise_tolerant calibrated",
    "a*(1-u);a=1[0.5,2]": "decreasing convex concave symmetric asymmetric completely_asymmetric noise_tolerant "
    "calibrated",
    "b-log(u+c*u^2);b=1[-1,1],c=1[0.5,2]": "decreasing convex calibrated",
}  # fmt: skip


@pytest.mark.parametrize("spec", COVERED)
def test_a_verdict_over_a_domain_is_derived_on_a_cover_of_it(spec):
    stated = stated_in(script(spec))
    assert [claim for claim, answer in stated["over"] if answer] == COVERED[spec].split()
    assert set(stated["domain"]) == {p.name for p in parse(spec).declaration.parameters}
    assert run(stated) == 0


def test_the_script_says_for_every_value_or_only_at_this_one(tmp_path):
    done = run_alone(script("a*(1-u);a=1[0,2]"), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "convex holds for every a in [0, 2]: " in done.stdout
    assert "decreasing holds at a = 1: " in done.stdout
    assert "decreasing does not hold for every a in [0, 2]: at a = 0: " in done.stdout
    assert "excess_risk: not claimed for every a in [0, 2]; certified at the stated value (" in done.stdout


def test_a_verdict_that_is_refuted_at_a_value_of_its_domain_is_no_file():
    loss, noise, verdicts = verdicts_of("exp(-u/a);a=2[1,10]", "pair:0.3", 3, ("noise_tolerant",))
    everywhere = [replace(v, data={**v.data, "domain": "for all 1 <= a <= 10"}) for v in verdicts]
    with pytest.raises(NotExported, match=r"noise_tolerant .*for every a in \[1, 10\].* says the opposite"):
        proof_script(loss, noise, 3, everywhere)


def test_what_the_second_derivation_does_not_cover_is_said(monkeypatch):
    monkeypatch.setattr("alf.export.checker.domain.MOST_PARTS", 3)
    stated = stated_in(script("cos(a*u);a=2[1,3]", claims=("decreasing", "noise_tolerant")))
    assert stated["over"] == [("decreasing", True)]
    assert "too many parts" in stated["open_over"]["noise_tolerant"]
    assert ("noise_tolerant", True) in stated["claims"]


# --- mutants ----------------------------------------------------------------------------------------------------------

MUTATED = {
    "exp(-u/a);a=2[1.5,10]": ("1", "1/10", "0", "-1"),
    "a*(1-u);a=1[0.5,2]": ("0", "-1"),
    "a*(1-u);a=1[0,2]": ("-1", "1/100"),
    "(1-u^q)/q;q=0.7[0.2,1]": ("0", "3/2", "-1"),
    "1-u+a*max(0,0.5-u);a=0.5[0,1]": ("-1", "3", "-1/2"),
    "-log(u+b);b=0.5[0.1,2]": ("0", "-1/2"),
    "cos(a*u);a=2[1,3]": ("4", "0", "-1"),
    "1/(1+exp(k*(u-0.5)));k=2[1,3]": ("0", "-1", "8"),
    "((a+1)^q-(a+u)^q)/q;a=2[1,3],q=2[1.5,3]": ("0", "1/2", "-1", "-2"),
}


if not SOAK:
    MUTATED = dict(list(MUTATED.items())[:6])


def mutants(stated: dict, failing):
    """Statements about another domain: ends widened, shifted, swapped, taken away, renamed, moved to what fails."""
    for name, (low, high) in stated["domain"].items():
        first, last = Fraction(low), Fraction(high)
        wide = last - first
        ends = [(first - wide, last), (first, last + wide), (first - wide / 50, last), (first, last + wide / 50),
                (first + wide / 3, last + wide / 3), (first - wide / 3, last - wide / 3), (last, first),
                (first, first), (first + wide / 4, last - wide / 4)]  # fmt: skip
        for x in map(Fraction, failing):
            ends += [(min(x, first), max(x, last)), (x, last), (first, x)]
        others = {n: side for n, side in stated["domain"].items() if n != name}
        yield from ({**stated, "domain": {**others, name: (str(a), str(b))}} for a, b in ends)
        yield from ({**stated, "domain": {**others, name: side}} for side in ((low,), (high,), (), (low, high, high)))
        yield {**stated, "domain": others}
        yield {**stated, "domain": {**others, "other": (low, high)}}
        yield {**stated, "domain": {**others, name + "_": (low, high)}, "values": {
            n + "_" if n == name else n: x for n, x in stated["values"].items()}}  # fmt: skip
        for x in (*failing, low, high, "7/5"):
            yield {**stated, "values": {**stated["values"], name: x}}
            yield {**stated, "failing": {claim: ({**at, name: x}, point) for claim, (at, point)
                                         in stated["failing"].items()}}  # fmt: skip
    names = ("decreasing", "convex", "concave", "symmetric", "asymmetric", "completely_asymmetric", "noise_tolerant",
             "calibrated", "excess_risk")  # fmt: skip
    for claim in names:
        for answer in (True, False):
            at = {name: ends[0] for name, ends in stated["domain"].items()}
            if (claim, answer) not in stated["over"]:
                yield {**stated, "over": [(claim, answer)], "failing": {claim: (at, None)}}
    yield {**stated, "formula": stated["formula"].replace("u", "(1-u)", 1)}
    yield {**stated, "formula": f"{stated['formula']}+0*log(u-1/3)"}


@pytest.mark.parametrize("spec", MUTATED)
def test_mutants_of_a_domain_pass_only_where_they_are_true(spec):
    """A sample here; ALF_SOAK=1 tries every one. The truth is what brute force knows, see `tests/export/brute.py`."""
    stated = stated_in(script(spec))
    assert run(stated) == 0 and contradictions(stated) == []
    tried = list(mutants(stated, MUTATED[spec]))
    if not SOAK:
        tried = random.Random(spec).sample(tried, 8)
    passed = [mutant for mutant in tried if run(mutant) == 0]
    for mutant in passed:
        assert set(mutant["domain"]) <= set(mutant["values"])
        assert contradictions(mutant) == [], mutant
    assert len(passed) < len(tried)


BASE = ["1-u", "exp(-a*u)", "(1-u)^a", "cos(a*u)", "-u^a", "-log(u+a)", "1/(a+u)", "(a+1-u)^2", "a^(1-u)"]
MORE = ["0", "a*max(0,0.5-u)", "-a*min(u,0.3)", "a*u*(1-u)*(1-2*u)/8", "abs(u-a/4)/9", "(u-0.4)^4*a", "sin(a*u)/20",
        "a*sqrt(u^2-u+0.25)/5", "tanh(a*(0.5-u))", "-a*u*log(u)/9", "1e-3*tan(a*u)", "(a-1)*(1-u)^2"]  # fmt: skip


def families(count: int, seed: int):
    """Typed formulas with a parameter that has a domain, as they are read by the app."""
    draw = random.Random(seed)
    while count:
        low, value, high = sorted(draw.sample(["-1", "0", "0.2", "0.5", "1", "1.5", "2", "3", "4"], 3), key=float)
        with suppress(InputError):
            yield parse(f"formula:{draw.choice(BASE)}+({draw.choice(MORE)});a={value}[{low},{high}]")
            count -= 1


@pytest.mark.parametrize("loss", list(families(80 if SOAK else 8, 24)), ids=lambda loss: loss.spec[8:])
def test_nothing_is_derived_over_a_domain_that_fails_at_a_value_of_it(loss):
    stated = proof.statement(loss, parse_noise("pair:0.35", 3), 3, [])
    domain, draw = checker.Domain(stated), random.Random(loss.spec)
    low, high = domain.sides["a"]
    values = [str(low + (high - low) * Fraction(draw.randint(0, 64), 64)) for _ in range(6 if SOAK else 3)]
    derived = []
    for claim in ("decreasing", "convex", "concave", "symmetric", "asymmetric", "completely_asymmetric", "calibrated"):
        with suppress(checker.NotDerived):
            domain.derive(claim, True)
            derived.append((claim, True))
            for value in values:
                with suppress(checker.NotDerived):
                    how = domain.fails(claim, {"a": value})
                    pytest.fail(f"{claim} over the domain, and not at a = {value}: {how}")
    assert contradictions({**stated, "over": derived}) == []
