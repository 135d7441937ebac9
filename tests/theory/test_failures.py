"""What may stop a proof, and nothing else does: no error of any other kind is raised, or swallowed, on the way."""

import itertools
import logging
import math
import random

import pytest
import sympy
from flint import arb
from formulas import trees

from alf.errors import InputError
from alf.losses import parse, u
from alf.noise import parse_noise
from alf.theory import CLAIMS, prove
from alf.theory.arithmetic import cells, intervals
from alf.theory.arithmetic.intervals import OutOfDomain
from alf.theory.arithmetic.limits import or_none
from alf.theory.failures import Contradiction, stopped

SIZES = [0.0, 5e-324, 1e-308, 1e-20, 0.3, 1.0, 1.5, 7.0, 1e5, 1e300, 1.7e308, math.inf]
CELLS = [cell for cell in itertools.product(sorted({*SIZES, *(-x for x in SIZES)}), repeat=2) if cell[0] <= cell[1]]
POWERS = {
    **{f"int_power {n}": lambda a, n=n: intervals.int_power(a, n) for n in (-400, -3, -2, -1, 1, 2, 3, 400)},
    **{f"real_power {e}": lambda a, e=e: intervals.real_power(a, (e, e), arb(e)) for e in (0.3, -0.3, 1e-9, 1e9, -1e9)},
    **{f"power_log {k}": lambda a, k=k: intervals.power_log(a, (2.5, 2.5), arb(2.5), k) for k in (1, 2, 5)},
    "power_exp": lambda a: intervals.power_exp(a, (2.5, 2.5), arb(2.5), arb(50), arb(2e9)),
}
ONE = {name: getattr(intervals, name) for name in (*cells._FUNCTIONS.values(), "inverse", "neg")}
TWO = {name: getattr(intervals, name) for name in ("add", "mul", "i_max", "i_min")}


@pytest.mark.parametrize("name", [*ONE, *POWERS])
def test_an_enclosure_fails_in_one_way_only(name):
    """What catches OutOfDomain catches all there is: sizes that overflow, infinite ends and subnormals included."""
    for cell in CELLS:
        try:
            low, high = (ONE | POWERS)[name](cell)
        except OutOfDomain:
            continue
        assert low <= high


@pytest.mark.parametrize("name", TWO)
def test_sums_and_products_never_fail(name):
    for a, b in itertools.product(CELLS[::3], CELLS[::4]):
        low, high = TWO[name](a, b)
        assert low <= high


@pytest.mark.parametrize("error", [InputError("no"), Contradiction("no"), MemoryError()])
def test_what_is_no_open_question_is_raised_again(error):
    with pytest.raises(type(error)):
        stopped(error, "a question")


def test_a_defect_is_logged_and_what_cannot_be_done_is_not(caplog):
    assert stopped(RecursionError(), "a deep one") == "RecursionError"
    assert not caplog.records
    assert stopped(TypeError("mpf and mpq"), "convex of formula:1-u") == "TypeError"
    assert "convex of formula:1-u" in caplog.text
    assert "mpf and mpq" in caplog.text
    caplog.clear()


def test_a_limit_that_stops_sympy_is_none():
    """SymPy itself leaves with PrecisionExhausted here, an ArithmeticError."""
    t = sympy.Symbol("t", positive=True)
    power = (-sympy.log(1 - t)) ** 23
    hard = (24 * power + sympy.log(1 - t) * power) / (1 - t) ** 2
    assert or_none(sympy.limit, hard, t, 0, "+") in (None, 0)
    assert or_none(sympy.solve, sympy.Eq(sympy.cos(u), u), u) is None


# --- whatever is typed --------------------------------------------------------------------------------------------


def accepted(count: int, seed: int):
    """The first losses that `parse` takes of so many texts; what it refuses it refuses in a sentence."""
    for text in itertools.islice(trees(seed), count):
        try:
            yield parse(text)
        except InputError as error:
            assert str(error)


def test_what_is_typed_is_taken_or_refused(soak):
    assert sum(1 for _ in accepted(10_000 if soak else 700, seed=5)) > 20


def test_a_moved_hyperparameter_gives_a_loss_or_a_sentence(soak):
    """At an end of its domain, or anywhere inside, l may divide by 0, or take a root of what is negative."""
    draw, refused = random.Random(3), 0
    for loss in accepted(10_000 if soak else 700, seed=6):
        for parameter in loss.declaration.parameters:
            low, high = float(parameter.domain.lower), float(parameter.domain.upper)
            for value in (low, high, round(draw.uniform(low, high), 3), 0.5 if low <= 0.5 <= high else low):
                try:
                    assert loss.replace(**{parameter.name: value}).floats[parameter.name] == value
                except InputError as error:
                    assert f"{parameter.name}=" in str(error) or f"{parameter.name} must lie in" in str(error)
                    refused += 1
    assert refused > 5


def test_the_root_of_a_square_is_real_in_spite_of_rounding():
    """In doubles the root's argument is below 0 for some c, at u = 1/2 and elsewhere."""
    loss = parse("formula:1-u+0.2*sqrt(exp(2*u)-2*exp(c)*exp(u)+exp(2*c));c=0.5[0.1,0.9]")
    for k in range(100, 900, 7):
        loss.replace(c=k / 1000)


def test_every_claim_is_answered_and_says_where_it_holds(soak, caplog):
    caplog.set_level(logging.ERROR)
    noise = parse_noise("pair:0.4", 3)
    claims = CLAIMS if soak else ("decreasing", "convex", "concave")
    for loss in accepted(300 if soak else 24, seed=7):
        for claim in claims:
            verdict = prove(claim, loss, noise, 3)
            assert verdict.data["domain"], (loss, claim)
            assert " stopped: " not in verdict.steps[-1].statement, (loss, claim)
    assert not caplog.records
