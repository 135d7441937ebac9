"""Convolutional networks against hand-written ones, lanes against single models, augmentation against slicing."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from alf.data import DATASETS
from alf.losses import parse
from alf.training import augment
from alf.training.networks import build, parameter_count
from alf.training.recipe import Recipe
from alf.training.trainer import Trainer

DIGITS = DATASETS["digits"].load()


def by_hand(seed: int) -> nn.Module:
    """cnn-small for digits as everybody would write it, with the weights of a seed."""
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(128, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10)),
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model:
            if isinstance(module, nn.Conv2d | nn.Linear):
                fan_in = module.weight[0].numel()
                bound = math.sqrt(6 / fan_in)
                if isinstance(module, nn.Linear):
                    bound = math.sqrt(6 / (fan_in + len(module.weight)))
                module.weight.uniform_(-bound, bound, generator=generator)
                module.bias.uniform_(-1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in), generator=generator)
    return model


@pytest.mark.parametrize("seeds", [(3,), (3, 5), (5, 4, 3)])
def test_lanes_of_a_cnn_are_the_plain_loop(seeds):
    recipe = Recipe(
        data="digits", losses=("agce:a=4,q=0.2",), noise=("symmetric:0.4",), seeds=seeds, network="cnn-small", epochs=2
    ).with_(lr=0.05, weight_decay=1e-3, clip=1.0)
    trainer = Trainer(recipe, DIGITS)
    records = [trainer.run_epoch() for _ in range(2)]
    lane = seeds.index(3)
    model, criterion = by_hand(3), parse("agce:a=4,q=0.2").module()
    optimiser = torch.optim.SGD(model.parameters(), 0.05, 0.9, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 2)
    given = trainer.given[trainer.alive.index(lane)]
    for epoch in (1, 2):
        order, total = np.random.default_rng([0x0BA7, 3, epoch]).permutation(1438), 0.0
        model.train()
        for start in range(0, 1438, 128):
            index = torch.from_numpy(order[start : start + 128])
            loss = criterion(model(trainer.inputs[index]), given[index])
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            total += loss.item() * len(index)
        schedule.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(trainer.test_inputs).argmax(1) == trainer.test_true).double().mean().item()
        record = records[epoch - 1][lane]
        assert record["train_loss"] == pytest.approx(total / 1438, rel=1e-3)
        assert record["test_accuracy"] == pytest.approx(accuracy, abs=3 / 359)


def test_resume_and_divergence_with_batch_norm():
    recipe = Recipe(data="digits", losses=("ce",), seeds=(1, 2, 3), network="cnn-small", epochs=4, lr=0.05, samples=300)
    first, second = Trainer(recipe, DIGITS), Trainer(recipe, DIGITS)
    first.run_epoch()
    second.load_state({name: tensor.clone() for name, tensor in first.state().items()})
    one, other = first.run_epoch(), second.run_epoch()
    assert [{**r, "seconds": 0} for r in one] == [{**r, "seconds": 0} for r in other]
    with torch.no_grad():
        next(first.model.parameters())[1] = math.nan
    assert [row["lane"] for row in first.run_epoch()] == [0, 2]
    assert [row["lane"] for row in first.run_epoch()] == [0, 2]


# counted by hand from the layers: 64-64-128-128-196-196 convolutions with batch norm, 3136-256-10
BY_HAND = {
    ("cnn-mnist", (1, 28, 28), 10): 320 + 64 + 18496 + 128 + 3136 * 128 + 128 + 256 + 1290,
    ("cnn-cifar10", (3, 32, 32), 10): (
        (1792 + 128 + 36928 + 128 + 73856 + 256 + 147584 + 256 + 225988 + 392 + 345940 + 392)
        + (3136 * 256 + 256 + 512 + 2570)
    ),
    ("resnet34", (3, 32, 32), 100): 21328292,  # the usual 21.33 million of ResNet-34 for CIFAR-100
}


@pytest.mark.parametrize(("network", "shape", "classes"), BY_HAND)
def test_parameter_counts(network, shape, classes):
    assert parameter_count(network, shape, classes) == BY_HAND[network, shape, classes]


@pytest.mark.parametrize(
    ("network", "shape"), [("cnn-mnist", (1, 28, 28)), ("cnn-cifar10", (3, 32, 32)), ("resnet34", (3, 32, 32))]
)
def test_a_lane_does_not_depend_on_its_neighbours(network, shape):
    x = torch.randn(1, 2, *shape, generator=torch.Generator().manual_seed(0))
    one, two = build(network, shape, 10, (7,)).eval(), build(network, shape, 10, (4, 7)).eval()
    with torch.no_grad():
        torch.testing.assert_close(one(x)[0], two(x)[1], rtol=1e-3, atol=1e-4)
        assert one(x).std() > 0.1


def test_shifts_and_mirrors_are_exact():
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    moves = torch.tensor([[4.0, -3.0, 0.0, 0.0], [0.0, 2.0, 1.0, 0.0]])
    moved = augment.apply(pictures, moves)
    expected = torch.zeros_like(pictures)
    expected[0, :, :28, 3:] = pictures[0, :, 4:, :29]
    expected[1, :, :, :30] = pictures[1].flip(-1)[:, :, 2:]
    mirrored_first = torch.zeros_like(pictures)
    mirrored_first[1, :, :, 2:] = pictures[1].flip(-1)[:, :, :30]
    assert (moved[0] == expected[0]).all()
    assert (moved[1] == expected[1]).all() or (moved[1] == mirrored_first[1]).all()


def test_a_quarter_turn_is_exact():
    pictures = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    turned = augment.apply(pictures, torch.tensor([[0.0, 0.0, 0.0, 90.0]]))
    assert torch.equal(turned[0, 0], pictures[0, 0].rot90()) or torch.equal(turned[0, 0], pictures[0, 0].rot90(-1))


def test_augmentation_is_drawn_from_seed_and_epoch_alone():
    one = augment.draw("crop-flip-rotate", 3, 2, 1000)
    assert torch.equal(one, augment.draw("crop-flip-rotate", 3, 2, 1000))
    assert not torch.equal(one, augment.draw("crop-flip-rotate", 3, 3, 1000))
    assert one[:, :2].abs().max() == 4 and one[:, 2].mean() == pytest.approx(0.5, abs=0.06)
    assert 18 < one[:, 3].abs().max() <= 20
    assert augment.draw("crop-flip", 3, 2, 10)[:, 3].abs().max() == 0


def test_bytes_and_floats_train_alike(monkeypatch):
    recipe = Recipe(data="digits", losses=("ce",), network="mlp:16", epochs=1, lr=0.1)
    floats = Trainer(recipe, DIGITS).run_epoch()[0]
    monkeypatch.setattr("alf.training.trainer.RAW", 0)
    trainer = Trainer(recipe, DIGITS)
    assert trainer.inputs.dtype == torch.uint8
    assert trainer.run_epoch()[0]["train_loss"] == pytest.approx(floats["train_loss"], rel=1e-5)


def test_augmented_training_runs():
    recipe = Recipe(
        data="digits", losses=("ce",), network="cnn-small", epochs=1, lr=0.05, augment="crop-flip", seeds=(1, 2)
    )
    assert len(Trainer(recipe, DIGITS).run_epoch()) == 2
