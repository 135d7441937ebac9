"""Losses that are constant on a stretch: asymmetric is meant for the sets of minimisers."""

import random
from fractions import Fraction

import numpy as np
import pytest
from recompute import check_witness

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import prove
from alf.theory.asymmetry.decide import decide

GRID = 60


def drawn(count: int, seed: int = 41):
    """Formulas with a flat stretch next to 0, next to 1, inside, or at both ends, and the same as functions."""
    draw = random.Random(seed)
    for k in range(count):
        c, d = sorted(draw.sample(range(5, 56), 2))
        q = draw.choice((0.5, 0.7, 1, 2, 3))
        low, high = c / GRID, d / GRID
        yield (
            (f"max(0,{c}/60-u)**{q}", lambda u, c=low, q=q: np.maximum(0, c - u) ** q),
            (f"1-max(u,{c}/60)**{q}", lambda u, c=low, q=q: 1 - np.maximum(u, c) ** q),
            (f"1-min(u,{d}/60)**{q}", lambda u, d=high, q=q: 1 - np.minimum(u, d) ** q),
            (f"1-min(max(u,{c}/60),{d}/60)", lambda u, c=low, d=high: 1 - np.clip(u, c, d)),
            (
                f"1-min(u,{c}/60)-max(0,u-{d}/60)",
                lambda u, c=low, d=high: 1 - np.minimum(u, c) - np.maximum(0, u - d),
            ),
        )[k % 5]


def simplex() -> np.ndarray:
    return np.array([(i, j, GRID - i - j) for i in range(GRID + 1) for j in range(GRID + 1 - i)]) / GRID


@pytest.mark.parametrize(("text", "curve"), list(drawn(25)))
def test_flat_losses_against_every_point_of_a_grid(text, curve):
    loss, points = parse(f"formula:{text}"), simplex()
    draw = random.Random(text)
    for _ in range(4):
        w = sorted((draw.randrange(0, 60) for _ in range(3)), reverse=True)
        w = [max(w[0], w[1] + 1), w[1], w[2]]
        decision = decide(loss, w)
        risk = (curve(points) * w).sum(axis=1)
        best = risk[points[:, 0] == 1][0]
        if decision.holds:
            as_good = points[risk <= best + 1e-12 * (1 + best)]
            assert np.allclose(curve(as_good[:, 0]), curve(1.0), atol=1e-12)  # the best for class m, and no others
            assert risk.min() >= best - 1e-12 * (1 + best)
        elif decision.holds is False:
            assert check_witness(loss, 3, decision.witness.to_json(), "asymmetric") == []
        else:  # only where the best predictions are a set, and then no point of lower risk
            assert curve(1 - 1 / GRID) == curve(1.0)
            assert risk.min() >= best - 1e-12 * (1 + best)
    complete = prove("completely_asymmetric", loss, None, 3)
    phi = ((curve(0.0) - curve(points)) / (curve(0.0) - curve(1.0))).sum(axis=1)
    if complete.holds:
        assert phi.max() <= 1 + 1e-12
    if phi.max() > 1 + 1e-9:
        assert complete.holds is not True


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("max(0,0.8-u)", False),
        ("1-min(u,0.6)", False),
        ("(1-max(u,0.5)**0.7)/0.7", True),
        ("(1-max(u,0.3)**0.7)/0.7", True),
        ("1-min(max(u,0.3),0.7)", True),  # flat at both ends: equal sets
        ("1-min(max(u,0.2),0.7)", False),
    ],
)
def test_flat_losses_under_noise(text, holds):
    loss = parse(f"formula:{text}")
    for claim in ("asymmetric", "noise_tolerant", "completely_asymmetric"):
        verdict = prove(claim, loss, parse_noise("pair:0.45", 3), 3)
        assert verdict.holds is holds, claim
    said = any("set" in step.statement for step in prove("completely_asymmetric", loss, None, 3).steps)
    assert said == (loss.value(0.999, 3) == loss.value(1.0, 3))


def test_flat_next_to_zero_alone():
    """1-max(u,1/16)**0.5 has one best prediction for a class; two labels need w_m/w_n of about 1.87."""
    loss = parse("formula:1-max(u,1/16)**0.5")
    for others in ([1, 0], [1, 1], [1, Fraction(1, 2)]):
        assert decide(loss, [Fraction(3, 2), *others]).holds is False
        assert decide(loss, [Fraction(5), *others]).holds is True
