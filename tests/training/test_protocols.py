"""Protocols as text: what is written is read again, and what a stranger writes is refused in a sentence."""

import random

import pytest

from alf.errors import InputError
from alf.training import Recipe, classroom, paper
from alf.training.protocols import DECIDED, OPEN, protocol, protocol_of, protocol_text


@pytest.mark.parametrize("seed", range(60))
def test_what_is_written_is_read_again(seed):
    pick = random.Random(seed)
    data = pick.choice(["digits", "mnist", "cifar10", "cifar100", "moons"])
    start = pick.choice([classroom, paper])(data) if data.startswith(("mnist", "cifar")) else classroom(data)
    values = {
        "network": pick.choice(["mlp:8", "mlp:256,128", "mlp:16,16,16"]),
        "epochs": pick.randint(1, 300), "batch": pick.randint(2, 512), "lr": pick.choice([1e-5, 0.1, 0.25, 12.5]),
        "momentum": pick.choice([0.0, 0.5]), "weight_decay": pick.choice([0.0, 5e-4, 1e-6]),
        "schedule": pick.choice(["cosine", "constant"]), "clip": pick.choice([0.5, 5.0, 1e6]),
        "samples": pick.choice([None, 500]), "equal_scale": pick.random() < 0.5,
        "augment": "none" if data in ("digits", "moons") else pick.choice(["none", "crop-flip"]),
    }  # fmt: skip
    chosen = dict(pick.sample(sorted(values.items(), key=lambda pair: pair[0]), pick.randint(0, len(values))))
    recipe = protocol_of(start.with_(**({"augment": "none"} | chosen if "network" in chosen else chosen)))
    assert protocol(data, protocol_text(recipe)) == recipe
    assert protocol_text(protocol(data, protocol_text(recipe))) == protocol_text(recipe)


def test_the_recipes_own_protocols_are_their_names():
    assert protocol_text(protocol_of(paper("cifar10"))) == "paper"
    assert protocol_text(protocol_of(classroom("cifar10"))) == "classroom"
    assert protocol("mnist", "paper:epochs=3,samples=all").samples is None


def test_every_field_is_decided_or_open():
    from dataclasses import fields

    assert sorted([*DECIDED, *OPEN]) == sorted(field.name for field in fields(Recipe))


@pytest.mark.parametrize(
    ("data", "text", "said"),
    [
        ("cifar10", "quick", "protocol: must begin with one of classroom, paper for cifar10, got 'quick'"),
        ("digits", "paper", "must begin with one of classroom for digits"),
        ("cifar10", "paper:loss=ce", "protocol: what can differ is network, epochs"),
        ("cifar10", "paper:seeds=3", "protocol: what can differ is"),
        ("cifar10", "paper:epochs=3,epochs=4", "epochs may be given once"),
        ("cifar10", "paper:epochs=0", "epochs: must be a whole number in"),
        ("cifar10", "paper:epochs=1e9", "epochs: must be a whole number"),
        ("cifar10", "paper:lr=nan", "lr: must be a number, got 'nan'"),
        ("cifar10", "paper:lr=1.2.3", "lr: must be a number, got '1.2.3'"),
        ("cifar10", "paper:lr=", "lr: must be a number, got ''"),
        ("cifar10", "paper:samples=few", "samples: must be a whole number, got 'few'"),
        ("cifar10", "paper:equal_scale=yes", "equal_scale: must be true or false, got yes"),
        ("cifar10", "paper:network=vgg", "network"),
        ("photos", "paper", "data: must be one of"),
        ("cifar10", "", "must begin with one of"),
    ],
)
def test_what_cannot_be_read_is_refused(data, text, said):
    with pytest.raises(InputError, match=said.replace("(", r"\(")) as refused:
        protocol(data, text)
    assert "\n" not in str(refused.value)


def test_part_of_a_data_set_has_a_protocol_too():
    recipe = protocol_of(classroom("digits:4", epochs=3))
    assert protocol_text(recipe) == "classroom:epochs=3" and protocol("digits:4", "classroom:epochs=3") == recipe
    with pytest.raises(InputError, match="one of classroom for cifar10:3"):
        protocol("cifar10:3", "paper")
