"""Exported runs: the script, run where this project is not, gives the run's curve; a recipe comes back as it went."""

import csv
import io
import json
import subprocess
import sys

import pytest

from alf.errors import InputError
from alf.export.run import csv_text, json_text, read_recipe, recipe_text
from alf.export.script import script
from alf.losses import catalogue
from alf.training import Recipe, run

RECIPES = {
    "many losses": Recipe(
        data="digits",
        losses=("agce:a=4,q=0.2", "nce+agce:alpha=1,beta=4,a=6,q=1.5", "fl:gamma=0.5", "rce"),
        noise=("symmetric:0.5", "asymmetric:0.3"),
        seeds=(3,),
        network="mlp:24",
        epochs=3,
        lr=0.1,
        weight_decay=1e-3,
        changes=((3, 0.01),),
    ),
    "a CNN": Recipe(data="digits", losses=("ael:a=3.5",), network="cnn-small", epochs=2, lr=0.05, samples=300),
    "points": Recipe(data="moons", losses=("gce:q=0.7",), noise=("pair:0.2",), network="mlp:16", epochs=2, lr=0.1),
    "the first classes": Recipe(data="digits:4", losses=("mae",), noise=("pair:0.2",), network="mlp:16", epochs=2),
    "more points": Recipe(data="clusters", losses=("ce",), network="mlp:8", epochs=2),
    "noise by instance": Recipe(
        data="digits", losses=("ce",), noise=("instance:0.3", "pair:0.2"), network="mlp:16", epochs=2, lr=0.1
    ),
    "moved pictures": Recipe(
        data="digits",
        losses=("mae",),
        network="cnn-small",
        epochs=2,
        lr=0.05,
        samples=300,
        augment="crop-flip-rotate",
    ),
    "a bend": Recipe(
        data="digits",
        losses=("formula:max(1-u,a*(1-u)+b)+abs(u-1)-min(u,b)+sqrt(1-u+b);a=0.5,b=0.1",),
        network="mlp:16",
        epochs=2,
        lr=0.1,
    ),
    "equal scale": Recipe(data="digits", losses=("mae",), network="mlp:16", epochs=2, lr=0.1, equal_scale=True),
}


def run_script(tmp_path, recipe):
    path = tmp_path / "reproduce.py"
    path.write_text(script(recipe))
    done = subprocess.run([sys.executable, "-W", "error", str(path)], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "alf" not in path.read_text().replace("half", "")
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", RECIPES)
def test_the_script_reproduces_the_curve(capsys, name):
    recipe = RECIPES[name]
    *records, _ = run(recipe)
    mine = {(r["loss"], r["noise"], r["seed"], r["epoch"]): r["test_accuracy"] for r in records}
    capsys.readouterr()
    exec(script(recipe), {"__name__": "__main__"})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    theirs = {(r["loss"], r["noise"], r["seed"], r["epoch"]): r["test_accuracy"] for r in lines}
    assert mine.keys() == theirs.keys()
    for key, value in mine.items():
        assert theirs[key] == pytest.approx(value, abs=0.012), key


def test_the_script_runs_where_this_project_is_not(tmp_path):
    recipe = RECIPES["equal scale"].with_(epochs=1)
    assert len(run_script(tmp_path, recipe)) == 1


def test_every_loss_of_the_catalogue_is_exported_as_it_is():
    import torch

    from alf.losses.torch_loss import per_sample

    losses = [declaration.example() for declaration in catalogue().values()]
    recipe = Recipe(data="digits", losses=tuple(dict.fromkeys(loss.spec for loss in losses)), network="mlp:8", epochs=1)
    space = {"__name__": "exported"}
    exec(script(recipe), space)
    logits = 3 * torch.randn(40, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.arange(40) % 10
    for loss in losses:
        torch.testing.assert_close(
            space["LOSSES"][loss.spec](logits, labels), per_sample(loss, logits, labels), rtol=1e-9, atol=1e-9
        )


def exported(recipe, tmp_path=None):
    """The names that a script defines."""
    space = {"__name__": "exported"}
    exec(script(recipe), space)
    return space


def test_residual_networks_are_the_same_network():
    import torch

    from alf.training.networks import build

    recipe = Recipe(data="cifar100", losses=("ce",), network="resnet34", epochs=1)
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mine, theirs = build("resnet34", (3, 32, 32), 100, seeds=(5,)), exported(recipe)["build"](5)
    with torch.no_grad():
        torch.testing.assert_close(theirs(x), mine(x[None])[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(("data", "label_bytes"), [("cifar10", 1), ("cifar100", 2)])
def test_cifar_is_read_from_the_binary_files(tmp_path, monkeypatch, data, label_bytes):
    import numpy as np

    random = np.random.default_rng(0)
    recipe = Recipe(data=data, losses=("ce",), network="cnn-small", epochs=1, samples=100)
    names = ("data_batch_1.bin", "test_batch.bin") if data == "cifar10" else ("train.bin", "test.bin")
    labels = np.arange(200) % recipe.dataset.classes
    for name in names:
        records = random.integers(0, 256, (200, label_bytes + 3072), np.uint8)
        records[:, label_bytes - 1] = labels
        (tmp_path / name).write_bytes(records.tobytes())
    monkeypatch.setattr(sys, "argv", ["reproduce.py", str(tmp_path)])
    inputs, true, test_inputs, test_labels = exported(recipe)["read_data"]()
    assert inputs.shape == (100, 3, 32, 32) and test_inputs.shape == (200, 3, 32, 32)
    assert (test_labels == labels).all() and np.bincount(true).max() == 100 // recipe.dataset.classes


def test_a_recipe_comes_back_from_its_own_file_and_from_a_runs():
    recipe = RECIPES["many losses"]
    assert read_recipe(recipe_text(recipe).encode()) == read_recipe(json_text(recipe, []).encode()) == recipe


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        (b"\xff\xfe\x00digits", "recipe: text in UTF-8 is needed|recipe: JSON is needed"),
        (b"not json", "recipe: JSON is needed, got 'not json'"),
        (b"[" * 100_000, "recipe: JSON is needed"),
        (b'{"data": "digits", "losses": ["ce"], "epochs": ' + b"9" * 5000 + b"}", "recipe: JSON is needed"),
        (b"[1, 2]", "recipe: an object of named fields is needed"),
        (b'{"recipe": 7}', "recipe: an object of named fields is needed, got 7"),
        (b'{"data": "digits"}', "recipe: losses is missing"),
        (b'{"data": "../x", "losses": ["ce"]}', "data: must be one of"),
        (b'{"data": "digits", "losses": ["ce"], "__class__": 1}', "recipe: fields are"),
        (b'{"data": "digits", "losses": ["ce"], "lr": NaN}', "lr: must lie in"),
    ],
)
def test_a_strangers_file_is_refused_in_a_sentence(contents, says):
    with pytest.raises(InputError, match=says):
        read_recipe(contents)


def test_losses_are_checked_before_they_are_parsed_here():
    def refuse(spec):
        raise InputError(f"not this one: {spec}")

    with pytest.raises(InputError, match="not this one: formula:u"):
        read_recipe(b'{"data": "digits", "losses": ["formula:u"]}', refuse)


def test_csv_and_json_hold_the_records():
    recipe = RECIPES["equal scale"]
    *records, _ = run(recipe)
    rows = list(csv.DictReader(io.StringIO(csv_text(records))))
    assert [float(row["train_loss"]) for row in rows] == [record["train_loss"] for record in records]
    assert rows[0]["flipped_given_accuracy"] == ""  # there is no noise
    document = json.loads(json_text(recipe, records))
    assert document["records"] == records and Recipe.from_dict(document["recipe"]) == recipe
