"""Every verdict says for which hyperparameters it holds: ends of closed domains, and where in them it stops."""

import os
import random
import re

import numpy as np
import pytest

from alf.losses import catalogue, parse
from alf.noise import parse_noise
from alf.theory import CLAIMS, prove, ratio, verify
from alf.theory.claims.scope import ratio_domain

COUNT = 150 if os.environ.get("ALF_SOAK") == "1" else 10
U = np.linspace(0, 1, 4001)[1:-1]

FAMILIES = {
    # the formula, l' and l'' over u and a, and the widest domain on which it is a loss now and then
    "1-u+a*u*(1-u)": (lambda u, a: -1 + a * (1 - 2 * u), lambda u, a: -2 * a + 0 * u, (-3, 3)),
    "1-u+a*(1-u)**2": (lambda u, a: -1 - 2 * a * (1 - u), lambda u, a: 2 * a + 0 * u, (-1, 2)),
    "a*(1-u)": (lambda u, a: -a + 0 * u, lambda u, a: 0 * u, (0, 3)),
    "exp(-u*(a**2-a+1))": (
        lambda u, a: -(a * a - a + 1) * np.exp(-u * (a * a - a + 1)),
        lambda u, a: (a * a - a + 1) ** 2 * np.exp(-u * (a * a - a + 1)),
        (-1, 2),
    ),
    "exp(-u)+a*(1-u)": (lambda u, a: -np.exp(-u) - a, lambda u, a: np.exp(-u), (-1, 1)),
    "1-u**a": (lambda u, a: -a * u ** (a - 1), lambda u, a: -a * (a - 1) * u ** (a - 2), (0.1, 3)),
}


def truth(claim: str, formula: str, a: float) -> bool:
    slope, bend, _ = FAMILIES[formula]
    if claim == "decreasing":
        return bool((slope(U, a) < 0).all())
    return bool((bend(U, a) >= 0).all() if claim == "convex" else (bend(U, a) <= 0).all())


def random_domains(count: int, seed: int):
    rng = random.Random(seed)
    while count:
        formula = rng.choice(list(FAMILIES))
        widest = FAMILIES[formula][2]
        low, high = sorted(rng.sample([round(widest[0] + k * (widest[1] - widest[0]) / 8, 4) for k in range(9)], 2))
        a = round(rng.uniform(low, high), 3)
        if truth("decreasing", formula, a):
            yield formula, a, low, high
            count -= 1


@pytest.mark.parametrize(("formula", "a", "low", "high"), [*random_domains(COUNT, seed=7)])
def test_closed_domains_against_brute_force(formula, a, low, high):
    loss = parse(f"formula:{formula};a={a}[{low},{high}]")
    for claim in ("decreasing", "convex", "concave"):
        verdict = prove(claim, loss)
        assert verdict.holds in (truth(claim, formula, a), None)
        domain = verdict.data["domain"]
        text = " ".join(step.statement for step in verdict.steps)
        if domain.startswith("for all"):
            left, first, second, right = re.fullmatch(r"for all (\S+) (<=?) a (<=?) (\S+)", domain).groups()
            assert (float(left), float(right)) == (low, high)
            for end, sign in ((low, first), (high, second)):
                assert (sign == "<=") == truth(claim, formula, end)
                assert (sign == "<=") or f"At a = {end:g} the claim does not hold" in text
            assert all(truth(claim, formula, x) for x in np.linspace(low, high, 41)[1:-1])
        else:
            assert domain == f"at a = {a:g}"
        for left, right in re.findall(r"from (\S+) to (\S+?)(?=[ .,]|$)", text):
            assert all(truth(claim, formula, x) for x in np.linspace(float(left), float(right.rstrip(".")), 41))
        for failing in re.findall(r"at a = (\S+) it fails", text):
            assert not truth(claim, formula, float(failing))


def test_a_value_at_which_the_loss_is_constant():
    verdict = prove("decreasing", parse("formula:a*(1-u);a=1[0,2]"))
    assert (verdict.holds, verdict.status, verdict.data["domain"]) == (True, "proved", "for all 0 < a <= 2")
    assert "At a = 0 the claim does not hold" in verdict.steps[0].statement
    assert prove("convex", parse("formula:a*(1-u);a=1[0,2]")).data["domain"] == "for all 0 <= a <= 2"


def test_where_it_stops_holding():
    loss = parse("formula:1-u+a*u*(1-u);a=0.1[-2,2]")
    decreasing, concave, convex = (prove(claim, loss) for claim in ("decreasing", "concave", "convex"))
    assert decreasing.holds and decreasing.data["domain"] == "at a = 0.1"
    assert "It holds for a from -1 to 1 (at a = -2 it fails:" in decreasing.steps[0].statement
    assert concave.holds and "It holds for a from 0 to 2" in concave.steps[0].statement
    assert convex.holds is False and "It holds for a from -2 to 0" in " ".join(s.statement for s in convex.steps)


def test_corners_of_a_domain():
    loss = parse("formula:a*(1-u)+b*(1-u)**2;a=0.5[0,1],b=0.5[0,1]")
    assert prove("convex", loss).data["domain"] == "for all 0 <= a <= 1, 0 <= b <= 1"
    domain = prove("decreasing", loss).data["domain"]
    assert domain in ("for all 0 < a <= 1, 0 <= b <= 1", "for all 0 <= a <= 1, 0 < b <= 1")  # not at a = b = 0


@pytest.mark.parametrize("key", ["ce", "gce", "agce", "amse", "nce+ael"])
def test_every_verdict_says_its_domain(key):
    loss, noise = catalogue()[key].example(), parse_noise("pair:0.2", 3)
    verdicts = list(verify(loss, noise, 3))
    assert [v.claim for v in verdicts] == list(CLAIMS)
    for verdict in verdicts:
        assert verdict.to_json()["data"]["domain"].startswith(("for all ", "at ", "for the loss as it is"))
    if key == "gce":
        assert verdicts[0].data["domain"] == "for all 0 < q <= 1"


@pytest.mark.parametrize("key", [key for key, d in catalogue().items() if d.pointwise])
def test_a_proved_ratio_says_where_and_holds_there(key):
    declaration = catalogue()[key]
    for loss in (*declaration.configurations(), declaration.example()):
        found = ratio(loss)
        if found.status != "proved":
            continue
        domain = ratio_domain(loss, found)
        if not declaration.parameters:
            assert domain == "for the loss as it is"
            continue
        assert domain.startswith("for all ")
        rng = random.Random(loss.spec)
        for _ in range(3):
            moved = loss.replace(**{name: inside(domain, name, rng) for name in loss.values})
            other = ratio(moved)
            assert other.formula == found.formula and ratio_domain(moved, other) == domain
            if other.value == 0:  # l or its slope is infinite at 0
                continue
            # not by the formula: the quotient of a step down to a step at 0, which no step may be below
            steps = np.array([[x, x + h] for x in (0.1, 0.5, 0.9) for h in (0.01, 0.09)])
            drops = -np.diff(moved.value(steps, 2), axis=1)[:, 0]
            first = -np.diff(moved.value(np.array([[0.0, 0.01], [0.0, 0.09]] * 3), 2), axis=1)[:, 0]
            assert (drops >= first * other.value * (1 - 1e-9) - 1e-15).all()


def inside(domain: str, name: str, rng) -> float:
    """A value of a hyperparameter within what the sentence says."""
    for side in domain.removeprefix("for all ").split(", "):
        if match := re.fullmatch(rf"(?:(\S+) < )?{name}(?: (<|>|=) (\S+))?", side):
            low, sign, end = match.groups()
            if sign == "=":
                return float(end)
            if sign == ">":
                return round(float(end) + rng.uniform(0.05, 3), 3)
            if low is None:
                return round(float(end) - rng.uniform(0.05, 3), 3)
            return round(rng.uniform(float(low) + 0.01, float(end) - 0.01), 3)
    raise AssertionError(f"{domain} says nothing of {name}")
