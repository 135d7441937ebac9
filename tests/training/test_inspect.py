"""Inspections against what the records say and against brute force."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from alf.data import DATASETS
from alf.training.inspect import REACH, inspect, tsne
from alf.training.recipe import Recipe
from alf.training.snapshots import COARSE, FINE, on_principal_axes, snapshot
from alf.training.trainer import Trainer

DIGITS = DATASETS["digits"].load()


@pytest.fixture(scope="module")
def trained():
    recipe = Recipe(
        data="digits", losses=("mae", "ce"), noise=("symmetric:0.5",), seeds=(1, 2), network="mlp:32", epochs=3, lr=0.3
    ).with_(samples=400)
    trainer = Trainer(recipe, DIGITS)
    records = [trainer.run_epoch() for _ in range(3)][-1]
    return recipe, trainer, records


def test_an_inspection_agrees_with_the_records(trained):
    recipe, trainer, records = trained
    shot = snapshot(trainer)
    for record in records:
        seen = inspect(recipe, DIGITS, shot, record["lane"])
        assert (seen.lane.loss, seen.lane.seed, seen.epoch) == (record["loss"], record["seed"], 3)
        assert seen.confusion.sum() == 359
        assert seen.confusion.trace() / 359 == pytest.approx(record["test_accuracy"])
        assert (seen.class_accuracy * seen.confusion.sum(1)).sum() / 359 == pytest.approx(record["test_accuracy"])
        assert seen.memorised.sum() / seen.flipped.sum() == pytest.approx(record["flipped_given_accuracy"])
        right = (seen.train_predicted == seen.train_true)[~seen.flipped].mean()
        assert right == pytest.approx(record["clean_accuracy"])
        assert seen.scores is None


def test_a_lane_that_left_is_not_there(trained):
    recipe, trainer, _ = trained
    shot = snapshot(trainer)
    shot["lanes"] = np.array([9, 9, 9, 9])
    assert inspect(recipe, DIGITS, shot, 0) is None


def test_features_lie_on_the_principal_axes(trained):
    _, trainer, _ = trained
    shot = snapshot(trainer)
    with torch.no_grad():
        features = trainer.model.features(trainer.test_inputs[None, :300]).double().numpy()[2]
    centred = features - features.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    shares = singular**2 / (singular**2).sum()
    assert shot["features"].shape == (4, FINE.samples, FINE.axes) and shot["features"].dtype == np.float16
    np.testing.assert_allclose(shot["variance"][2][:10], shares[:10], rtol=1e-2)
    for axis in range(3):  # the same direction, up to its sign and the common unit of length
        assert abs(np.corrcoef(shot["features"][2][:, axis], left[:, axis])[0, 1]) > 0.999
    stretch = shot["features"][2].astype(float).std(axis=0) / singular[: FINE.axes]
    np.testing.assert_allclose(stretch, stretch[0], rtol=0.05)
    assert np.abs(shot["features"]).max() == 1


def test_features_on_the_way_lie_on_nearly_the_same_axes(trained):
    _, trainer, _ = trained
    with torch.no_grad():
        features = trainer.model.features(trainer.test_inputs[None, : COARSE.samples])
    rough, share = on_principal_axes(features, COARSE.axes, COARSE.iterations)
    exact, true_share = on_principal_axes(features, COARSE.axes, 20)
    np.testing.assert_allclose(share[:, :3], true_share[:, :3], rtol=0.02)
    for lane in range(4):
        for axis in range(2):
            assert np.corrcoef(rough[lane, :, axis], exact[lane, :, axis])[0, 1] > 0.99


def test_lanes_that_ended_in_a_constant_have_features_all_the_same():
    constant = torch.full((2, 40, 5), 3.0)
    placed, variance = on_principal_axes(constant, FINE.axes)
    assert placed.shape == (2, 40, 5) and not placed.any() and not variance.any()


def test_regions_are_the_predictions_on_the_grid():
    recipe = Recipe(data="moons", losses=("ce",), network="mlp:16", epochs=5, lr=0.1)
    trainer = Trainer(recipe, recipe.load())
    for epoch in range(1, 6):
        trainer.run_epoch()
        detail = FINE if epoch == 5 else COARSE
        shot = snapshot(trainer)
        assert shot["scores"].shape == (1, detail.side, detail.side, 2)
        assert shot["features"].shape == (1, detail.samples, min(detail.axes, 16))
    seen = inspect(recipe, recipe.load(), load(save(snapshot(trainer))), 0)  # as the store has it
    assert seen.scores.shape[:2] == (FINE.side, FINE.side)
    along = np.linspace(-REACH, REACH, FINE.side)
    for row, column in ((0, 0), (10, FINE.side - 2), (FINE.side - 1, 3)):
        point = torch.tensor([[[along[column], along[row]]]], dtype=torch.float32)
        logits = trainer.model(point).detach().flatten()
        assert logits.argmax().item() == seen.scores[row, column].argmax()
        np.testing.assert_allclose(seen.scores[row, column], logits - logits.max(), atol=0.01)


def test_logits_beyond_half_precision_are_cut():
    recipe = Recipe(data="moons", losses=("ce",), network="mlp:16", epochs=5, lr=0.1)
    trainer = Trainer(recipe, recipe.load())
    trainer.run_epoch()
    with torch.no_grad():
        trainer.model.layers[-1].weight.mul_(1e8)
    scores = inspect(recipe, recipe.load(), snapshot(trainer), 0).scores
    assert np.isfinite(scores).all() and (scores.max(axis=-1) == 0).all()


def test_snapshots_of_earlier_versions_can_be_read(trained):
    recipe, trainer, _ = trained
    shot = snapshot(trainer)
    plane = np.random.default_rng(0).normal(size=(4, 300, 2))
    old = {name: shot[name] for name in ("lanes", "epoch", "train", "test")} | {"plane": plane}
    seen = inspect(recipe, DIGITS, old, 1)
    assert seen.features is None and seen.variance is None and seen.scores is None
    position = shot["lanes"].tolist().index(1)
    np.testing.assert_array_equal(seen.plane, plane[position])
    moons = Recipe(data="moons", losses=("ce",), epochs=1)
    regions = np.random.default_rng(0).integers(0, 2, (1, 80, 80))
    old = {"lanes": np.array([0]), "epoch": np.array(1), "train": np.zeros((1, 1000)), "test": np.zeros((1, 1000))}
    seen = inspect(moons, moons.load(), old | {"plane": plane[:1], "regions": regions}, 0)
    np.testing.assert_array_equal(seen.scores.argmax(axis=-1), regions[0])


def test_inputs_are_those_of_the_measured_samples(trained):
    recipe, trainer, _ = trained
    seen = inspect(recipe, DIGITS, snapshot(trainer), 0)
    assert seen.train_inputs().shape == (400, 1, 8, 8)
    some = np.flatnonzero(seen.flipped)[:5]
    np.testing.assert_array_equal(seen.train_inputs(some), seen.train_inputs()[some])
    np.testing.assert_allclose(recipe.dataset.normalise(seen.train_inputs(some)), trainer.inputs[some])
    position = trainer.alive.index(0)
    np.testing.assert_array_equal(seen.train_given, trainer.given[position])
    assert not (seen.memorised & seen.resisted).any() and not (seen.resisted & ~seen.flipped).any()


def test_instance_noise_is_drawn_from_the_same_inputs():
    recipe = Recipe(data="digits", losses=("ce",), noise=("instance:0.3",), network="mlp:8", epochs=1).with_(
        samples=300
    )
    trainer = Trainer(recipe, DIGITS)
    trainer.run_epoch()
    np.testing.assert_array_equal(inspect(recipe, DIGITS, snapshot(trainer), 0).train_given, trainer.given[0])


def test_tsne_keeps_clusters_together_and_repeats_itself():
    random = np.random.default_rng(0)
    group = np.arange(60) % 3
    features = random.normal(size=(60, 8)) + 20 * np.eye(8)[group]
    placed = tsne(features)
    distance = np.linalg.norm(placed[:, None] - placed[None], axis=-1) + 1e9 * np.eye(60)
    assert (group[distance.argmin(axis=1)] == group).all()
    np.testing.assert_array_equal(placed, tsne(features))
