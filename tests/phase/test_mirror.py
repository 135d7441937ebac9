"""The best prediction against brute force over the simplex and the known critical rates, and networks beside it."""

import os
import random
from fractions import Fraction

import numpy as np
import pytest

from alf.errors import InputError
from alf.losses import parse
from alf.noise import noise_path, parse_noise
from alf.phase.mirror import Best, best_confidence, best_on_path, curve_places, drawn_transitions, farthest, networks
from alf.runs.recorded_run import recorded
from alf.theory.asking.rate import tolerated_part, tolerated_rate
from alf.theory.asymmetry.decide import decide
from alf.theory.risk.minimiser import minimise
from alf.training.recipe import Lane
from alf.training.recipes import mirror, mirror_places
from tests.theory.formulas import formulas

SOAK = os.environ.get("ALF_SOAK") == "1"
COUNT = 200 if SOAK else 12
N = 240
_I, _J = np.meshgrid(np.arange(N + 1), np.arange(N + 1), indexing="ij")
SIMPLEX = np.stack([_I, _J, N - _I - _J], axis=-1)[_I + _J <= N] / N
NUMPY = {name: getattr(np, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "tanh", "cosh")}
NUMPY |= {"atan": np.arctan, "abs": np.abs, "pi": np.pi, "max": np.maximum, "min": np.minimum, "e": np.e}


def by_hand(spec):
    """A typed formula's losses, from its text by Python's own arithmetic."""
    text = spec.removeprefix("formula:")

    def losses(u):
        with np.errstate(all="ignore"):
            return eval(text, {"__builtins__": {}}, NUMPY | {"u": u}) + 0 * u

    return losses


def random_matrix(draw, zeros=True):
    rows = []
    for i in range(3):
        weights = [draw.choice([0, 1, 2, 3, 5, 7] if zeros else [1, 2, 3, 5, 7]) for _ in range(3)]
        weights[i] += draw.choice([1, 4, 9])
        rows.append(",".join(str(Fraction(w, sum(weights))) for w in weights))
    return parse_noise("matrix:" + ";".join(rows), 3)


@pytest.mark.parametrize("spec", formulas(COUNT, seed=12))
def test_no_prediction_of_a_dense_search_is_better(spec):
    draw = random.Random(spec)
    value = by_hand(spec)
    matrix = random_matrix(draw)
    for row in matrix.transition:
        [found] = minimise(parse(spec).vector, row[None])
        with np.errstate(invalid="ignore"):
            risks = np.where(row > 0, row * value(SIMPLEX), 0.0).sum(axis=-1)
        risks = np.where(np.isnan(risks), np.inf, risks)
        span = np.ptp(risks[np.isfinite(risks)])
        assert found.risk <= risks.min() + 1e-9 * span
        good = SIMPLEX[risks <= found.risk + 1e-8 * span]
        assert np.all(good >= found.low - 0.02) and np.all(good <= found.high + 0.02), (row, found)


LEAVING = (
    "ael:a=1",
    "ael:a=3",
    "agce:a=0.6,q=0.6",
    "aul:a=5.5,p=3",
    "amse:a=5",
    "anl:a=3,p=3",
    "formula:exp(-2*u)+1-u",
)
LEAVING += ("nce+ael:alpha=1,beta=1,a=0.5",) if SOAK else ()


@pytest.mark.parametrize("spec", LEAVING)
def test_the_best_prediction_leaves_at_the_place_that_is_proved(spec):
    loss, draw = parse(spec), random.Random(spec)
    for noise in (parse_noise("pair:1", 3), parse_noise("symmetric:1", 3), random_matrix(draw), random_matrix(draw)):
        path = noise_path(noise)
        part = tolerated_part(loss, path)
        assert part.interval[1] - part.interval[0] <= 1e-3 and part.rate <= float(path.reach) + 1e-9
        before = np.linspace(0, part.interval[0] - 1e-3, 7)
        np.testing.assert_allclose(best_on_path(loss, path, before).low, 1, atol=1e-6, err_msg=noise.spec)
        after = part.interval[1] + 0.03
        if after < min(1, float(path.reach)):
            assert best_on_path(loss, path, [after]).high[0] < 1 - 1e-3, noise.spec


def test_the_place_is_where_the_verdict_turns():
    draw = random.Random(5)
    for spec in ("ael:a=1", "agce:a=0.6,q=0.6", "formula:exp(-3*u)"):
        for _ in range(8):
            path = noise_path(random_matrix(draw))
            part = tolerated_part(parse(spec), path)
            if part.rate == 1:
                assert all(decide(parse(spec), row).holds for row in path.rows)
                continue
            near = [Fraction(part.rate).limit_denominator(10**6) + step * Fraction(1, 10**4) for step in (-1, 1)]
            below, above = ([decide(parse(spec), row).holds for row in path.at(t).exact] for t in near)
            assert all(below) and not all(above), (spec, path.end.spec)


def test_the_rate_of_a_kind_is_the_place_on_its_way():
    for spec, kind in (("ael:a=1", "pair"), ("agce:a=0.6,q=0.6", "symmetric"), ("mae", "symmetric")):
        found = tolerated_rate(parse(spec), kind, 3)
        assert found == tolerated_part(parse(spec), noise_path(parse_noise(f"{kind}:0.2", 3)))
    assert tolerated_rate(parse("agce:a=0.6,q=0.6"), "pair", 3).rate == pytest.approx(0.403156, abs=1e-6)
    assert tolerated_rate(parse("ael:a=1"), "pair", 3).rate == pytest.approx(0.268941, abs=1e-6)
    assert tolerated_rate(parse("ce"), "pair", 3).rate == 0


def test_the_issues_numbers():
    rates = [0.1, 0.2, 0.3, 0.4]
    path = noise_path(parse_noise("pair:1", 3))
    said = {spec: best_on_path(parse(spec), path, rates).high for spec in ("ce", "mae", "agce:a=0.6,q=0.6", "ael:a=1")}
    np.testing.assert_allclose(said["ce"], [0.9, 0.8, 0.7, 0.6], atol=1e-3)
    assert np.all(said["mae"] == 1) and np.all(said["agce:a=0.6,q=0.6"] == 1)
    # AEL(1) beyond its critical rate: (1 - eta) exp(-u) = eta exp(-(1 - u)), so u = (1 + log((1 - eta)/eta)) / 2
    np.testing.assert_allclose(said["ael:a=1"], [1, 1, *((1 + np.log([7 / 3, 1.5])) / 2)], atol=1e-4)


@pytest.mark.parametrize("noise", ["pair:1", "symmetric:1", "matrix:.5,.3,.2;0,1,0;.1,.1,.8"])
@pytest.mark.parametrize("spec", ["nce", "nfl:gamma=0.5"])
def test_a_loss_without_one_best_prediction_says_so(spec, noise):
    found = best_on_path(parse(spec), noise_path(parse_noise(noise, 3)), [0.1, 0.3, 0.45])
    assert not found.unique.any() and np.all(found.low < 0.5) and np.all(found.high > 0.95)
    inside = np.array([0.7, 0.8, 0.9])
    assert np.all(found.gap(inside) == 0)  # any of them is as good


def test_a_proof_does_not_make_what_is_not_unique_sure():
    path = noise_path(parse_noise("symmetric:1", 3))
    assert not best_on_path(parse("nce"), path, [0.2], proved=0.6).unique.any()
    assert best_on_path(parse("mae"), path, [0.2], proved=0.6).low.tolist() == [1]


def test_ways():
    draw = random.Random(1)
    for _ in range(20):
        path = noise_path(random_matrix(draw))
        at = path.at(path.reach).exact
        assert path.at(Fraction(0)).overall_rate == 0 and path.at(Fraction(1)).exact == path.rows
        leads = [row[i] - max(row[:i] + row[i + 1 :]) for i, row in enumerate(at)]
        assert min(leads) == 0 or (path.reach == 1 and min(leads) > 0)
        assert np.all(np.diff(curve_places(path)) > 0) and len(set(mirror_places(path))) == 9
    for spec in ("none", "symmetric:0"):
        if spec == "none":
            with pytest.raises(InputError, match="changes labels"):
                noise_path(parse_noise(spec, 3))
        else:
            assert noise_path(parse_noise(spec, 3)).end.spec == "symmetric:1"
    with pytest.raises(InputError, match="with a matrix"):
        noise_path(parse_noise("instance:0.3", 3))
    with pytest.raises(InputError, match="changes labels"):
        noise_path(parse_noise("matrix:1,0,0;0,1,0;0,0,1", 3))


def test_networks_are_held_beside_both_curves():
    path = noise_path(parse_noise("pair:1", 3))
    recipe = mirror(("ce",), path)
    drawn = drawn_transitions(recipe)
    places = [float(t) for t in mirror_places(path)]
    np.testing.assert_allclose(drawn.diagonal(axis1=2, axis2=3).mean(axis=(1, 2)), 1 - np.array(places), atol=0.02)
    best = best_on_path(parse("ce"), path, places)
    of_drawn = best_confidence(parse("ce"), drawn.reshape(-1, 3, 3))
    np.testing.assert_allclose(of_drawn.high, drawn.diagonal(axis1=2, axis2=3).mean(axis=-1).ravel(), atol=1e-3)
    records = {
        Lane("ce", recipe.noise[2], seed): {"confidence": c, "dead_classes": 0} for seed, c in ((0, 0.9), (1, 0.8))
    }
    found = networks("ce", recipe, records, best, of_drawn)
    assert farthest(found.gap) == 2 and found.gap[2] == pytest.approx(0, abs=1e-3)
    assert found.spread[2] == pytest.approx(0.05) and np.isnan(np.delete(found.gap, 2)).all()
    off = (abs(0.9 - of_drawn.high[4]) + abs(0.8 - of_drawn.high[5])) / 2
    assert found.drawn_gap[2] == pytest.approx(off)
    assert farthest(networks("mae", recipe, records, best, of_drawn).gap) is None


def test_the_recorded_networks_find_the_best_prediction():
    run = recorded("mirror")
    assert {row["epoch"] for row in run.records} == {run.recipe.epochs}
    said = {(row["loss"], row["noise"], row["seed"]): row["confidence"] for row in run.records}
    for rate, confidence in ((0.1, 0.896), (0.2, 0.794), (0.3, 0.691), (0.4, 0.592)):  # measured when this was planned
        assert np.mean([said["ce", f"pair:{rate}", seed] for seed in (0, 1)]) == pytest.approx(confidence, abs=0.015)
    path = noise_path(parse_noise("pair:1", 3))
    places = [float(t) for t in mirror_places(path)]
    for spec in run.recipe.losses:
        means = np.array([np.mean([said[spec, f"pair:{rate:g}", seed] for seed in (0, 1)]) for rate in places])
        assert np.abs(best_on_path(parse(spec), path, places).gap(means)).max() < 0.07, (
            spec
        )  # AGCE(4, 0.2) at 45%: it leaves at 45.6%


def test_a_part_of_the_recording_is_made_again():
    """To 0.02: beyond a machine's last digits a small network's training may take another way."""
    from alf.training.trainer import Trainer

    run = recorded("mirror")
    part = run.recipe.with_(losses=("ce", "ael:a=1"), noise=("pair:0.2", "pair:0.4"), seeds=(0,))
    trainer = Trainer(part, part.load())
    while trainer.epoch < part.epochs:
        rows = trainer.run_epoch()
    said = {(row["loss"], row["noise"], row["seed"]): row["confidence"] for row in run.records}
    for row in rows:
        assert row["confidence"] == pytest.approx(said[row["loss"], row["noise"], row["seed"]], abs=0.02)


def test_best_is_the_nearest_of_the_minimisers():
    best = Best(np.array([0.2, 0.5]), np.array([0.8, 0.5]))
    assert best.gap(np.array([0.9, 0.4])).tolist() == pytest.approx([0.1, -0.1])
    assert best.unique.tolist() == [False, True]
