"""Every theorem is used by a step of some verdict, and every theorem is attacked."""

import os

import numpy as np
import pytest

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import verify
from alf.theory.theorems import THEOREMS
from alf.theory.verdict import Step, applied
from tests.theory.attacks import ATTACKS, WITHOUT

COUNT = 1000 if os.environ.get("ALF_SOAK") == "1" else 30
SLOW = {"bracket": 6, "exchange-of-mass": 3, "minimisation": 3}
"""How many times fewer instances of those that take long."""


def rotated(*weights):
    """A noise matrix of three classes whose rows all have these weights."""
    a, b, c = (f"{weight}/{sum(weights)}" for weight in weights)
    return f"matrix:{a},{b},{c};{c},{a},{b};{b},{c},{a}"


PLENTY = rotated(5, 3, 2)
ASKED = [
    ("ce", PLENTY, 3),
    ("mae", "symmetric:0", 10),
    ("agce:a=1,q=0.6", "pair:0.4", 10),
    ("ael:a=2", PLENTY, 3),
    ("amse:a=5", PLENTY, 3),
    ("anl:a=2,p=1", "symmetric:0.4", 3),
    ("nce", "symmetric:0.4", 10),
    ("nce", PLENTY, 3),
    ("nce", "symmetric:0.3", 2),
    ("ngce:q=0.5", PLENTY, 3),
    ("nce+mae:alpha=1,beta=1", "symmetric:0.4", 3),
    ("nce+ael:alpha=1,beta=1,a=2", PLENTY, 3),
    ("formula:atan(5*(0.4-u))", rotated(100000, 40920, 1000), 3),
    ("formula:-u+max(0,u-1/2)/2-5/2*max(0,u-3/4)", rotated(6, 4, 3), 3),
    ("formula:-0.9*u+0.1*max(0,u-0.4)-16/15*max(0,u-0.85)", "symmetric:0.2", 3),
    ("formula:-u-sin(6*u)/7", "pair:0.4", 3),
    ("formula:(1-u)+max(0,1/2-u)", "symmetric:0.4", 3),
    ("formula:1-min(max(u,0.2),0.8)", PLENTY, 3),
    ("formula:-u**3/3+u**2/2-u/4", PLENTY, 3),
    ("formula:-u**3/3+u**2/2-u/4", "symmetric:0.4", 2),
    ("formula:sqrt(1-u)-sqrt(u)", "symmetric:0.4", 2),
    ("formula:exp(-4*u**2)", "pair:0.2", 10),
    ("formula:1-u**3", PLENTY, 3),
    ("formula:cos(pi*u)", PLENTY, 3),
]


def test_every_theorem_is_used():
    used = set()
    for loss, noise, classes in ASKED:
        for verdict in verify(parse(loss), parse_noise(noise, classes), classes):
            used |= {step.theorem for step in verdict.steps}
    assert used - {""} == set(THEOREMS)


def test_every_theorem_is_attacked():
    assert set(ATTACKS) == set(THEOREMS) >= set(WITHOUT)


@pytest.mark.parametrize("key", ATTACKS)
def test_no_instance_contradicts(key):
    draw = np.random.default_rng(sum(map(ord, key)))
    for _ in range(COUNT // SLOW.get(key, 1)):
        ATTACKS[key](draw)


@pytest.mark.parametrize("key", WITHOUT)
def test_the_hypotheses_are_needed(key):
    draw = np.random.default_rng(1)
    assert any(WITHOUT[key](draw) for _ in range(400))


@pytest.mark.parametrize("key", THEOREMS)
def test_a_theorem_is_whole(key):
    theorem = THEOREMS[key]
    assert theorem.key == key and theorem.statement.endswith(".") and theorem.sketch.endswith(".")
    assert theorem.hypotheses and not any(clause.endswith(".") for clause in theorem.hypotheses)
    assert theorem.latex.count("{") == theorem.latex.count("}")
    assert applied(key).to_json()["theorem"] == key


def test_a_step_has_a_theorem_of_the_list_or_none():
    assert Step("So it is.").to_json()["theorem"] is None
    with pytest.raises(ValueError, match="key of THEOREMS"):
        Step("So it is.", theorem="no such")


def test_no_theorem_is_told_twice():
    assert len({theorem.name for theorem in THEOREMS.values()}) == len(THEOREMS)
    assert len({theorem.statement for theorem in THEOREMS.values()}) == len(THEOREMS)
