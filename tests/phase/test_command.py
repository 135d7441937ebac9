"""The command: one object a cell, then a summary; given again it repeats nothing; what cannot be is said in a line."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from torch import cuda

ROOT = Path(__file__).parents[2]
KEYS = {"loss", "noise", "x", "y", "seeds", "measure", "mean", "std", "values", "ratio", "margin", "critical",
        "tolerated", "ended"}  # fmt: skip
MAP = (
    "--x",
    "a=0.5,2",
    "--y",
    "noise=0.2,0.85",
    "--seeds",
    "0,1",
    "--samples",
    "50",
    "--epochs",
    "2",
    "--network",
    "mlp:8",
    "--device",
    "cuda",
)


def alf(store, *arguments, **environment):
    settings = os.environ | {"ALF_STORE": str(store), "OMP_NUM_THREADS": "1", "ALF_WORKERS": "1"} | environment
    command = [sys.executable, "-m", "alf", "phase", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=settings, timeout=250)


def test_a_map_as_json_and_again_without_training(tmp_path):
    store = tmp_path / "runs.sqlite"
    done = alf(store, *MAP, "--json")
    assert done.returncode == 0, done.stderr
    *cells, summary = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(cells) == 4 and all(set(cell) == KEYS for cell in cells)
    for cell in cells:
        assert cell["loss"] == f"agce:a={cell['x']:g},q=0.6" and cell["noise"] == f"symmetric:{cell['y']:g}"
        assert cell["seeds"] == [0, 1] and cell["mean"] == pytest.approx(sum(cell["values"]) / 2)
        assert cell["critical"] == pytest.approx(9 * cell["ratio"] / (1 + 9 * cell["ratio"]))
        assert cell["tolerated"] == (cell["y"] < cell["critical"])
    assert (summary["status"], summary["measured"], summary["cells"], summary["networks"]) == ("finished", 4, 4, 8)
    assert [point[0] for point in summary["critical"]["agce:a=0.5,q=0.6"]] == [0.5, 2.0]
    assert summary["sides"]["counted"] == 4
    assert ["CPU instead of CUDA" in note for note in summary["notes"]] == [True] * (not cuda.is_available())

    def trained():
        with sqlite3.connect(store) as connection:
            return connection.execute("select count(*), sum(claimed) from parts").fetchone()

    before = trained()
    again = alf(store, *MAP, "--json", "--measure", "dead")
    *other, _ = [json.loads(line) for line in again.stdout.splitlines()]
    assert trained() == before  # another quantity of the same networks
    assert {(cell["x"], cell["y"]) for cell in other} == {(cell["x"], cell["y"]) for cell in cells}
    assert all(cell["measure"] == "dead" and 0 <= cell["mean"] <= 10 for cell in other)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--x", "a=1"), "axis a: an axis needs at least two values, got 1"),
        (("--x", "a=0.05:6:1000:log", "--y", "noise=0:0.9:1000"),
         "map: at most 40,000 networks (cells x losses x seeds) in one map here, got 3,000,000, which would take"),
        (("--measure", "best"), "--measure: must be one of last, drop, memorised, confidence, dead, got best"),
        (("--noise", "none"), "axis noise: the noise must be of a kind that has a rate"),
        (("--noise", "matrix"), "noise matrix: 10 rows of 10 numbers are needed"),
        (("--data", "blobs", "--noise", "asymmetric"), "noise asymmetric: needs a data set whose confused pairs"),
        (("--loss", "ce"), "axis a: must be noise, lr, classes, samples or a hyperparameter of every loss; CE"),
        (("--recipe", "own"), "recipe: must be one of map, classroom, paper, got own"),
        (("--seeds", "x"), "--seeds: must be whole numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(tmp_path, arguments, said, capsys):
    from alf.cli import main

    assert main(["phase", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(said) and captured.err.count("\n") == 1 and not captured.out
