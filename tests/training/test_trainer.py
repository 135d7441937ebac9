"""The trainer against an ordinary hand-written PyTorch loop, and what lanes must not do to each other."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from alf.data import DATASETS
from alf.errors import InputError
from alf.losses import parse
from alf.noise import parse_noise
from alf.training.recipe import Recipe
from alf.training.trainer import Stopped, Trainer, largest_weight

DIGITS = DATASETS["digits"].load()


def plain_loop(recipe: Recipe, loss: str, noise: str, seed: int):
    """Train one model the way everybody does: nn.Sequential, SGD, CosineAnnealingLR, clip_grad_norm_."""
    inputs = torch.from_numpy((DIGITS.train_inputs / 16 - 0.3061).astype(np.float32)).flatten(1)
    given = torch.from_numpy(parse_noise(noise, 10, "digits").corrupt(DIGITS.train_labels, seed))
    sizes = (64, *map(int, recipe.network[4:].split(",")), 10)
    generator, layers = torch.Generator().manual_seed(seed), []
    for i, o in pairwise(sizes):
        layer = nn.Linear(i, o)
        with torch.no_grad():
            layer.weight.uniform_(-1 / math.sqrt(i), 1 / math.sqrt(i), generator=generator)
            layer.bias.uniform_(-1 / math.sqrt(i), 1 / math.sqrt(i), generator=generator)
        layers += [layer, nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimiser = torch.optim.SGD(model.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs)
    criterion = parse(loss).module()
    curve = []
    for epoch in range(1, recipe.epochs + 1):
        order = np.random.default_rng([0x0BA7, seed, epoch]).permutation(len(inputs))
        total = norms = steps = 0
        for start in range(0, len(inputs), recipe.batch):
            index = torch.from_numpy(order[start : start + recipe.batch])
            value = criterion(model(inputs[index]), given[index])
            optimiser.zero_grad()
            value.backward()
            norms += nn.utils.clip_grad_norm_(model.parameters(), recipe.clip).item()
            optimiser.step()
            total, steps = total + value.item() * len(index), steps + 1
        schedule.step()
        with torch.no_grad():
            predicted = model(torch.from_numpy((DIGITS.test_inputs / 16 - 0.3061).astype(np.float32)).flatten(1))
            on_train = model(inputs).argmax(1)
        true = torch.from_numpy(DIGITS.train_labels)
        clean = given == true
        test_true = torch.from_numpy(DIGITS.test_labels)
        predictions = predicted.argmax(1).tolist()
        curve.append(
            {
                "train_loss": total / len(inputs),
                "grad_norm": norms / steps,
                "confidence": predicted.double().softmax(1)[range(len(test_true)), test_true].mean().item(),
                "dead_classes": len(set(test_true.tolist()) - set(predictions)),
                "test_accuracy": (predicted.argmax(1).numpy() == DIGITS.test_labels).mean(),
                "clean_accuracy": (on_train == true)[clean].double().mean().item(),
                "flipped_given_accuracy": (on_train == given)[~clean].double().mean().item(),
                "flipped_true_accuracy": (on_train == true)[~clean].double().mean().item(),
            }
        )
    return curve, [p.detach() for p in model.parameters()]


MANY = Recipe(
    data="digits",
    losses=("agce:a=4,q=0.2", "ce", "nce+agce:alpha=1,beta=4,a=6,q=1.5", "agce:a=0.6,q=0.6"),
    noise=("symmetric:0.5", "pair:0.3"),
    seeds=(7, 3),
    network="mlp:48,40",
    epochs=4,
    lr=0.1,
    weight_decay=1e-3,
    clip=1.0,
)


@pytest.fixture(scope="module")
def many():
    trainer = Trainer(MANY, DIGITS)
    return trainer, [record for _ in range(MANY.epochs) for record in trainer.run_epoch()]


@pytest.mark.parametrize("lane", [0, 5, 7, 8, 14])
def test_a_lane_among_many_is_the_plain_loop(many, lane):
    trainer, records = many
    loss, noise, seed = MANY.lanes[lane]
    curve, weights = plain_loop(MANY, loss, noise, seed)
    mine = [record for record in records if record["lane"] == lane]
    assert [(r["loss"], r["noise"], r["seed"], r["epoch"]) for r in mine] == [
        (loss, noise, seed, e) for e in (1, 2, 3, 4)
    ]
    for record, expected in zip(mine, curve, strict=True):
        for name, value in expected.items():
            # one sample on the edge between two classes may fall the other way
            tolerance = 2.1 / 359 if "accuracy" in name else 2e-4 * max(1, value)
            assert record[name] == pytest.approx(value, abs=tolerance), name
    position = trainer.alive.index(lane)
    for mine, theirs in zip(trainer.model.parameters(), weights, strict=True):
        theirs = theirs[None] if theirs.ndim == 1 else theirs.T if len(theirs) > 32 else theirs
        torch.testing.assert_close(mine[position], theirs, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("loss", ["ce", "agce:a=4,q=0.2"])
def test_a_single_lane_is_the_plain_loop_at_a_high_learning_rate(loss):
    recipe = MANY.with_(losses=(loss,), noise=("symmetric:0.5",), seeds=(1,), lr=0.5, clip=5.0, weight_decay=0.0)
    trainer = Trainer(recipe, DIGITS)
    records = [trainer.run_epoch()[0] for _ in range(recipe.epochs)]
    curve, _ = plain_loop(recipe, loss, "symmetric:0.5", 1)
    for record, expected in zip(records, curve, strict=True):
        assert record["train_loss"] == pytest.approx(expected["train_loss"], rel=1e-3)
        assert record["test_accuracy"] == pytest.approx(expected["test_accuracy"], abs=3 / 359)


def test_the_comparison_can_fail(many):
    _, records = many
    curve, _ = plain_loop(MANY, "mae", "symmetric:0.5", 7)
    assert abs(records[0]["train_loss"] - curve[0]["train_loss"]) > 0.01


def test_same_recipe_same_curve_and_other_seed_another():
    recipe = MANY.with_(losses=("ce",), noise=("symmetric:0.5",), seeds=(1,), epochs=2)
    without_time = lambda rows: [{k: v for k, v in row.items() if k != "seconds"} for row in rows]  # noqa: E731
    runs = [[row for t in [Trainer(r, DIGITS)] for _ in range(2) for row in t.run_epoch()] for r in (recipe, recipe)]
    assert without_time(runs[0]) == without_time(runs[1])
    other = Trainer(recipe.with_(seeds=(2,)), DIGITS).run_epoch()
    assert other[0]["train_loss"] != runs[0][0]["train_loss"]


def test_a_resumed_run_is_the_same_bit_for_bit(many):
    _, records = many
    first = Trainer(MANY, DIGITS)
    first.run_epoch(), first.run_epoch()
    second = Trainer(MANY, DIGITS)
    second.load_state({name: tensor.clone() for name, tensor in first.state().items()})
    resumed = [row for _ in range(2) for row in second.run_epoch()]
    expected = [row for row in records if row["epoch"] > 2]
    assert [{**row, "seconds": 0} for row in resumed] == [{**row, "seconds": 0} for row in expected]


def test_a_lane_that_diverges_says_so_and_does_not_hurt_the_others():
    recipe = MANY.with_(losses=("ce", "mae"), noise=("symmetric:0.5",), seeds=(1, 2), epochs=3)
    healthy, sick = Trainer(recipe, DIGITS), Trainer(recipe, DIGITS)
    expected = [healthy.run_epoch(), healthy.run_epoch()]
    sick.run_epoch()
    lane = 1
    with torch.no_grad():
        next(sick.model.parameters())[sick.alive.index(lane)] = math.nan
    rows = sick.run_epoch()
    assert [row["lane"] for row in rows] == [0, 2, 3]
    assert sick.ended == {1: "Diverged in epoch 2: the training loss is no longer a finite number."}
    for row, other in zip(rows, [r for r in expected[1] if r["lane"] != lane], strict=True):
        assert row["train_loss"] == pytest.approx(other["train_loss"], rel=1e-6)
    assert len(sick.run_epoch()) == 3
    again = Trainer(recipe, DIGITS)
    again.load_state(sick.state(), sick.ended)
    assert again.alive == sick.alive and again.ended == sick.ended and again.epoch == 3


def test_listening_between_batches():
    calls = []
    trainer = Trainer(MANY, DIGITS, lanes=[0])
    with pytest.raises(Stopped):
        trainer.run_epoch(lambda: calls.append(1) or len(calls) == 3)
    assert len(calls) == 3 and trainer.epoch == 0


@pytest.mark.parametrize("network", ["mlp:16", "cnn-tiny"])
def test_an_epoch_left_anywhere_is_gone_on_with_bit_for_bit(network):
    """Left before any batch, of the evaluation too, and taken up by another trainer from what was saved."""
    recipe = MANY.with_(
        network=network, losses=("ce", "agce:a=4,q=0.2"), noise=("symmetric:0.5",), seeds=(1, 2), samples=150, batch=40,
        epochs=3, lr=0.05, augment="none" if network == "mlp:16" else "crop-flip",
    )  # fmt: skip
    through = Trainer(recipe, DIGITS)
    expected = [{**row, "seconds": 0} for _ in range(recipe.epochs) for row in through.run_epoch()]
    trainer, rows, lefts, random = Trainer(recipe, DIGITS), [], [], np.random.default_rng(0)
    while trainer.epoch < recipe.epochs:
        try:
            rows += trainer.run_epoch(lambda: random.random() < 0.4)
        except Stopped:
            lefts.append((trainer.epoch, trainer.share))
            saved = {name: tensor.clone() for name, tensor in trainer.state().items()}
            trainer = Trainer(recipe, DIGITS)
            trainer.load_state(saved)
    assert [{**row, "seconds": 0} for row in rows] == expected
    assert lefts == sorted(lefts) and all(0 <= share < 1 for _, share in lefts)
    assert len({share for _, share in lefts}) > 4
    for mine, other in zip(trainer.model.parameters(), through.model.parameters(), strict=True):
        assert torch.equal(mine, other)


def test_a_lane_that_diverged_is_gone_once_though_the_evaluation_was_left():
    recipe = MANY.with_(losses=("ce", "mae"), noise=("none",), seeds=(1,), epochs=3, samples=100, batch=50)
    trainer, through = Trainer(recipe, DIGITS), Trainer(recipe, DIGITS)
    for each in (trainer, through):
        each.run_epoch()
        with torch.no_grad():
            next(each.model.parameters())[0] = math.nan
    expected = through.run_epoch()
    asked = iter(range(100))
    with pytest.raises(Stopped):
        trainer.run_epoch(lambda: next(asked) == 2)  # two batches, then the first of the evaluation
    assert trainer.ended == through.ended and trainer.epoch == 1
    again = Trainer(recipe, DIGITS)
    again.load_state(trainer.state(), trainer.ended)
    assert [{**row, "seconds": 0} for row in again.run_epoch()] == [{**row, "seconds": 0} for row in expected]


def test_one_sample_left_over_is_no_batch_of_its_own_under_batch_norm():
    recipe = Recipe(data="digits", losses=("ce",), network="cnn-tiny", epochs=1, batch=479, seeds=(0,))
    trainer = Trainer(recipe, DIGITS)
    assert trainer._batch_sizes() == [479, 479, 480]  # 1,438 samples
    assert math.isfinite(trainer.run_epoch()[0]["train_loss"])
    assert Trainer(replace(recipe, network="mlp:8"), DIGITS)._batch_sizes() == [479, 479, 479, 1]
    with pytest.raises(InputError, match=r"^batch: .*2.*, got 1$"):
        replace(recipe, batch=1)


def test_equal_scale_divides_by_the_largest_weight():
    recipe = MANY.with_(losses=("mae", "ael:a=3.5"), noise=("symmetric:0.5",), seeds=(1,), weight_decay=0.0, clip=1e9)
    plain, scaled = Trainer(recipe, DIGITS), Trainer(recipe.with_(equal_scale=True), DIGITS)
    before = [p.clone() for p in plain.model.parameters()]
    index = torch.arange(64)[None]
    plain._step(index, 0.1), scaled._step(index, 0.1)
    for start, one, other in zip(before, plain.model.parameters(), scaled.model.parameters(), strict=True):
        for i, lane in enumerate(plain.lanes):
            moved, moved_scaled = one[i] - start[i], other[i] - start[i]
            expected = moved / largest_weight(parse(lane.loss), 10)
            torch.testing.assert_close(moved_scaled, expected, rtol=1e-3, atol=1e-6)


def test_subset_is_stratified_and_checked():
    trainer = Trainer(MANY.with_(samples=200), DIGITS, lanes=[0])
    assert len(trainer.inputs) == pytest.approx(200, abs=5)
    assert trainer.true.bincount().min() >= 18
    with pytest.raises(InputError, match="samples: digits has 1438 training samples, got 5000"):
        Trainer(MANY.with_(samples=5000), DIGITS)


def test_learning_rate_changed_while_running():
    recipe = MANY.with_(changes=((3, 0.01),))
    assert recipe.lr_at(2) == MANY.lr_at(2)
    assert recipe.lr_at(3) == pytest.approx(MANY.lr_at(3) / 10)


def test_a_saved_state_does_not_move_with_the_training():
    trainer = Trainer(MANY, DIGITS, lanes=[0, 1])
    trainer.run_epoch()
    saved = trainer.state()
    before = {name: tensor.clone() for name, tensor in saved.items()}
    trainer.run_epoch()
    assert all(torch.equal(saved[name], before[name]) for name in saved)
