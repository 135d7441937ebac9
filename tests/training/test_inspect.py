"""Inspections against what the records say and against brute force."""

import numpy as np
import pytest
import torch

from alf.data import DATASETS
from alf.training.inspect import GRID, REACH, inspect, snapshot
from alf.training.recipe import Recipe
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
        assert seen.regions is None


def test_a_lane_that_left_is_not_there(trained):
    recipe, trainer, _ = trained
    shot = snapshot(trainer)
    shot["lanes"] = np.array([9, 9, 9, 9])
    assert inspect(recipe, DIGITS, shot, 0) is None


def test_the_plane_is_the_two_principal_axes(trained):
    _, trainer, _ = trained
    plane = snapshot(trainer)["plane"]
    with torch.no_grad():
        features = trainer.model.features(trainer.test_inputs[None, :300]).double().numpy()[2]
    centred = features - features.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    assert plane.shape == (4, 300, 2)
    np.testing.assert_allclose(np.linalg.norm(plane[2], axis=0), singular[:2], rtol=1e-3)


def test_regions_are_the_predictions_on_the_grid():
    recipe = Recipe(data="moons", losses=("ce",), network="mlp:16", epochs=5, lr=0.1)
    trainer = Trainer(recipe, recipe.load())
    for _ in range(5):
        trainer.run_epoch()
    seen = inspect(recipe, recipe.load(), snapshot(trainer), 0)
    assert seen.regions.shape == (GRID, GRID)
    for row, column in ((0, 0), (10, 70), (GRID - 1, 3)):
        side = np.linspace(-REACH, REACH, GRID)
        point = torch.tensor([[[side[column], side[row]]]], dtype=torch.float32)
        assert trainer.model(point).argmax().item() == seen.regions[row, column]
