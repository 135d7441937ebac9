"""Every lane of a run is what it is when it is trained alone, whatever is trained beside it.

Labels, first weights and batches to the bit; losses, gradient norms, weights and accuracies to rounding. ALF_SOAK=1
tries more mixtures.
"""

import math
import os
import random

import pytest
import torch

from alf.data import DATASETS
from alf.errors import InputError
from alf.losses import catalogue, parse
from alf.training.recipe import Recipe
from alf.training.trainer import Trainer
from tests.theory.formulas import formulas

DIGITS = DATASETS["digits"].load()
TEST = len(DIGITS.test_labels)
MIXTURES = 60 if os.environ.get("ALF_SOAK") == "1" else 6

ONE_TEXT = ("exp(-u/{a})", "(1-u)**{a}", "{a}*(1-u)+0.1*(1-u)**2")
"""One formula at several values, which may be fixed or have a domain: all are typed, each is a loss of its own."""


def typed(draw: random.Random) -> list[str]:
    """Two to four typed losses: the same text with other values, other texts with the same names, any others."""
    text = draw.choice(ONE_TEXT).format(a="a")
    other = draw.choice([t for t in ONE_TEXT if t.format(a="a") != text]).format(a="a")
    first, second = (round(draw.uniform(1.1, 4.0), draw.choice([1, 3])) for _ in range(2))
    domain = draw.choice(["", "[1,5]"])
    found = [f"formula:{text};a={first}{domain}", f"formula:{text};a={second}{domain}", f"formula:{other};a={first}"]
    found.append(draw.choice(formulas(12, seed=draw.randrange(4))))
    return draw.sample(found, draw.randint(2, 4))


def declared(draw: random.Random) -> list[str]:
    """Up to four losses of the catalogue, some of one key with other hyperparameters drawn from its sliders."""
    found = []
    for _ in range(draw.randint(1, 4)):
        declaration = draw.choice(list(catalogue().values()))
        for _ in range(draw.choice([1, 1, 3])):
            values = {p.name: float(f"{draw.uniform(*p.slider):.3g}") for p in declaration.parameters}
            try:
                found.append(declaration.loss(**values).spec)
            except InputError:  # an end of a slider may be left out of the domain
                continue
    return found


def mixture(seed: int) -> Recipe:
    draw = random.Random(seed)
    losses = list(dict.fromkeys(parse(spec).spec for spec in (*typed(draw), *declared(draw))))
    draw.shuffle(losses)
    network = draw.choice(["mlp:24", "mlp:16,12", "cnn-tiny"])
    return Recipe(
        data="digits",
        losses=tuple(losses[:5]),
        noise=tuple(draw.sample(["none", "symmetric:0.5", "pair:0.3", "instance:0.3"], draw.choice([1, 2]))),
        seeds=tuple(draw.sample(range(100), draw.choice([1, 2]))),
        network=network,
        augment=draw.choice(["none", "none", "crop-flip"]),
        equal_scale=draw.choice([False, True]),
        samples=draw.choice([150, 200]),
        batch=draw.choice([32, 100]),
        weight_decay=draw.choice([0.0, 1e-3]),
        lr=0.02,
        epochs=2,
    )


def seen(trainer: Trainer) -> list[torch.Tensor]:
    """Keep which samples each lane's batches are made of, from now on."""
    batches, step = [], trainer._step

    def kept(index, lr, moves=None):
        batches.append(index[trainer.seed_of].clone())
        return step(index, lr, moves)

    trainer._step = kept
    return batches


def lane_of(tensors, position: int) -> list[torch.Tensor]:
    return [tensor[position].clone() for tensor in tensors]


def compare(recipe: Recipe, lane: int) -> None:
    """Train a lane among all others, and its loss, noise and seed as a recipe of their own."""
    loss, noise, seed = recipe.lanes[lane]
    together = Trainer(recipe, DIGITS)
    alone = Trainer(recipe.with_(losses=(loss,), noise=(noise,), seeds=(seed,)), DIGITS)
    at = together.alive.index(lane)
    assert torch.equal(together.given[at], alone.given[0])
    for mine, own in zip(together.model.parameters(), alone.model.parameters(), strict=True):
        assert torch.equal(mine[at], own[0])
    batches, own_batches = seen(together), seen(alone)
    for _ in range(recipe.epochs):
        mine = next((row for row in together.run_epoch() if row["lane"] == lane), None)
        own = next(iter(alone.run_epoch()), None)
        assert (mine is None) == (own is None) and (lane in together.ended) == (0 in alone.ended)
        if mine is None:
            return
        assert (mine["loss"], mine["noise"], mine["seed"], mine["epoch"]) == (loss, noise, seed, own["epoch"])
        for name in ("train_loss", "grad_norm"):
            assert mine[name] == pytest.approx(own[name], rel=2e-3, abs=1e-5), name
        for name in ("test_accuracy", "clean_accuracy", "flipped_given_accuracy", "flipped_true_accuracy"):
            samples = TEST if name == "test_accuracy" else 30  # of the flipped ones there are few
            assert mine[name] == (None if own[name] is None else pytest.approx(own[name], abs=3.1 / samples)), name
    for one, other in zip(batches, own_batches, strict=True):
        assert torch.equal(one[at], other[0])
    position = together.alive.index(lane)
    for one, other in zip(together.model.parameters(), alone.model.parameters(), strict=True):
        torch.testing.assert_close(one[position], other[0], rtol=5e-3, atol=5e-4)


@pytest.mark.parametrize("seed", range(MIXTURES))
def test_a_lane_of_a_random_mixture_is_the_lane_alone(seed):
    recipe = mixture(seed)
    draw = random.Random(seed)
    for lane in draw.sample(range(len(recipe.lanes)), min(4, len(recipe.lanes))):
        compare(recipe, lane)


@pytest.mark.parametrize("swapped", [False, True])
def test_two_typed_formulas_are_two_losses_in_any_order(swapped):
    losses = ("formula:exp(-u/a);a=2[1,5]", "formula:1-u**2", "formula:exp(-u/a);a=4[1,5]", "formula:exp(-u/a);a=3")
    recipe = Recipe(
        data="digits", losses=losses[::-1] if swapped else losses, noise=("symmetric:0.5",), network="mlp:16",
        samples=200, epochs=2, lr=0.05,
    )  # fmt: skip
    for lane in range(len(losses)):
        compare(recipe, lane)


@pytest.mark.parametrize("seed", range(MIXTURES))
def test_the_loss_and_its_gradient_do_not_depend_on_the_lanes_beside(seed):
    """The same logits in every lane: what is compared is the loss alone, and not where training has led."""
    recipe = mixture(1000 + seed).with_(seeds=(1, 2), network="mlp:4", samples=20, augment="none")
    trainer = Trainer(recipe, DIGITS)
    generator = torch.Generator().manual_seed(seed)
    logits = 4 * torch.randn(1, 64, 10, generator=generator).expand(len(trainer.alive), -1, -1)
    labels = torch.randint(0, 10, (1, 64), generator=generator).expand(len(trainer.alive), -1)
    mine = logits.clone().requires_grad_()
    losses = trainer.losses(mine, labels)
    losses.sum().backward()
    for at, lane in enumerate(trainer.lanes):
        own = logits[0].clone().requires_grad_()
        expected = parse(lane.loss).module(reduction="none")(own, labels[0])
        expected.sum().backward()
        torch.testing.assert_close(losses[at], expected, rtol=1e-4, atol=1e-5, msg=lambda m: f"{lane}: {m}")  # noqa: B023
        torch.testing.assert_close(mine.grad[at], own.grad, rtol=1e-4, atol=1e-6, msg=lambda m: f"{lane}: {m}")  # noqa: B023


def test_a_model_that_has_diverged_does_not_change_its_neighbours_loss():
    """nan in one lane while another, of the same loss, is so sure that its 1 - u must be summed up with care."""
    recipe = Recipe(data="digits", losses=("nlnl",), seeds=(1, 2), network="mlp:4", samples=20)
    trainer = Trainer(recipe, DIGITS)
    sure = torch.zeros(8, 10)
    sure[:, 3] = 200.0
    labels = torch.tensor([0, 1, 2, 4, 5, 6, 7, 8])
    logits = torch.stack([torch.full_like(sure, math.nan), sure]).requires_grad_()
    losses = trainer.losses(logits, labels.expand(2, -1))
    losses.sum().backward()
    own = sure.clone().requires_grad_()
    expected = parse("nlnl").module(reduction="none")(own, labels)
    expected.sum().backward()
    torch.testing.assert_close(losses[1], expected)
    torch.testing.assert_close(logits.grad[1], own.grad)


def test_the_comparison_can_fail(monkeypatch):
    """As the trainer once grouped its lanes, by the loss's key, two typed formulas are one."""
    recipe = Recipe(
        data="digits", losses=("formula:exp(-u/a);a=2", "formula:1-u**2"), network="mlp:16", samples=200, epochs=1
    )
    monkeypatch.setattr("alf.losses.formula.Formula.family", ("formula",))
    with pytest.raises(AssertionError):
        compare(recipe, 1)
