"""Exported runs: the script, run where this project is not, gives the run's curve."""

import csv
import io
import json
import subprocess
import sys

import pytest

from alf.errors import InputError
from alf.export.run import csv_text, json_text, script
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
def test_the_script_reproduces_the_curve(tmp_path, name):
    recipe = RECIPES[name]
    *records, _ = run(recipe)
    mine = {(r["loss"], r["noise"], r["seed"], r["epoch"]): r["test_accuracy"] for r in records}
    theirs = {(r["loss"], r["noise"], r["seed"], r["epoch"]): r["test_accuracy"] for r in run_script(tmp_path, recipe)}
    assert mine.keys() == theirs.keys()
    for key, value in mine.items():
        assert theirs[key] == pytest.approx(value, abs=0.012), key


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


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"noise": ("instance:0.3",)}, "got instance-dependent noise"),
        ({"network": "cnn-small", "augment": "crop-flip"}, "got augmentation crop-flip"),
        ({"data": "cifar10", "network": "resnet34"}, "got network resnet34"),
    ],
)
def test_what_is_not_exported_is_said(changes, says):
    with pytest.raises(InputError, match="script: must be of an MLP or plain CNN .*" + says):
        script(RECIPES["equal scale"].with_(**changes))


def test_csv_and_json_hold_the_records():
    recipe = RECIPES["equal scale"]
    *records, _ = run(recipe)
    rows = list(csv.DictReader(io.StringIO(csv_text(records))))
    assert [float(row["train_loss"]) for row in rows] == [record["train_loss"] for record in records]
    assert rows[0]["flipped_given_accuracy"] == ""  # there is no noise
    document = json.loads(json_text(recipe, records))
    assert document["records"] == records and Recipe.from_dict(document["recipe"]) == recipe
