"""Tables to take away: what is written is read again by other readers, and the numbers are the same."""

import csv
import io
import json
import random
import re

import pytest

from alf.cli import main
from alf.export.tables import COLUMNS, _safe, commands, csv_table, json_table, latex_table, markdown_table
from alf.losses import parse
from alf.runs.measured import Model
from alf.runs.reproduction import Table, columns, table
from alf.training import paper
from alf.training.protocols import protocol_of
from alf.training.published import NOISES, methods
from alf.training.recipe import Lane


def filled(seed: int, data: str = "cifar10", epochs: int | None = None) -> Table:
    """A table with models at random."""
    pick = random.Random(seed)
    protocol = protocol_of(paper(data) if epochs is None else paper(data, epochs=epochs))
    grid = columns(data, pick.sample(NOISES, 4))
    there = {
        Lane(method.loss, noise, s): Model(pick.random(), protocol.epochs, "Diverged." if pick.random() < 0.1 else None)
        for method in methods(data) if method.loss for noise in grid for s in range(4) if pick.random() < 0.6
    }  # fmt: skip
    return table(protocol, grid, (0, 1, 2), {protocol: there})


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"[-+]?\d+\.\d+", text.replace("−", "-"))]


def expected(cell) -> tuple[list[float], list[float], list[float]]:
    """Ours, theirs and differences of a cell, as two decimals show them."""
    ours = [] if cell.ours is None else [cell.ours.mean, cell.ours.spread]
    theirs = [value for number in cell.theirs for value in (number.mean, number.spread)]
    apart = [found.difference for found in cell.comparisons]
    return tuple([round(value, 2) for value in row if value is not None] for row in (ours, theirs, apart))


def same(found, cell):
    for one, other in zip(found, expected(cell), strict=True):
        assert one == pytest.approx(other, abs=0.0051)


TABLES = [(seed, data) for seed in range(6) for data in ("cifar10", "cifar100", "mnist")]


@pytest.mark.parametrize(("seed", "data"), TABLES)
def test_csv_holds_every_number_in_full(seed, data):
    made = filled(seed, data)
    rows = list(csv.DictReader(io.StringIO(csv_table(made))))
    assert list(rows[0]) == list(COLUMNS)
    at = iter(rows)
    for cell in made.cells:
        for index in range(max(1, len(cell.theirs))):
            row = next(at)
            assert (row["loss"], row["noise"]) == (cell.method.loss or "", cell.noise)
            if cell.ours:
                assert float(row["ours"]) == cell.ours.mean and row["epochs"] == str(cell.ours.epochs)
                assert [int(s) for s in row["seeds"].split()] == list(cell.ours.accuracies)
                assert (float(row["ours_std"]) if row["ours_std"] else None) == cell.ours.spread
            else:
                assert row["ours"] == row["difference"] == row["outcome"] == ""
            if cell.theirs:
                number = cell.theirs[index]
                assert (float(row["published"]), row["source"]) == (number.mean, number.source)
                assert (float(row["published_std"]) if row["published_std"] else None) == number.spread
            if cell.comparisons:
                found = cell.comparisons[index]
                assert float(row["difference"]) == found.difference and row["outcome"] == found.outcome
                assert row["outside_spread"] == {True: "yes", False: "no", None: ""}[found.outside]
    assert next(at, None) is None


def test_no_text_of_a_csv_is_a_formula_of_a_spreadsheet():
    for seed, data in TABLES:
        for line in csv.reader(io.StringIO(csv_table(filled(seed, data)))):
            for value in line:
                assert value[:1] not in {"=", "+", "@", "\t", "\r"} and not re.match(r"-(?!\d)", value), value
    assert [_safe(text) for text in ("=1", "+1", "-1", "@a", "\t=1", "\r=1")] == [
        "'=1", "'+1", "'-1", "'@a", "'\t=1", "'\r=1"
    ]  # fmt: skip
    assert _safe(-1.5) == -1.5 and _safe("nce+agce") == "nce+agce" and _safe(None) is None


def split(line: str) -> list[str]:
    """The cells of a row of a Markdown table, as a reader of Markdown has them."""
    cells = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [re.sub(r"\\([\\|*_`<])", r"\1", cell).strip() for cell in cells]


@pytest.mark.parametrize(("seed", "data"), TABLES)
def test_markdown_is_read_back(seed, data):
    made = filled(seed, data)
    lines = markdown_table(made).splitlines()
    assert split(lines[0]) == ["loss", *(noise.replace(":", " ") for noise in made.noises)]
    assert set(split(lines[1])[1:]) == {"---:"}
    for method, line in zip(made.methods, lines[2:], strict=False):
        name, *cells = split(line)
        assert name.startswith(method.name if method.loss is None else parse(method.loss).label)
        for noise, text in zip(made.noises, cells, strict=True):
            check(made.cell(method, noise), re.sub(r" \[\d\]", "", text).split(" / "))


def check(cell, parts):
    """The parts of a cell as a reader has them: ours, theirs, differences, and the marks at them."""
    ours, theirs, apart = [*parts, "", ""][:3] if len(parts) < 3 else parts
    same((numbers(ours), numbers(theirs), numbers(apart)), cell)
    assert ("†" in ours) == (cell.ours is not None and bool(cell.theirs) and not cell.comparable)
    assert ("‡" in theirs) == cell.disputed
    assert apart.count("*") == sum(bool(found.outside) for found in cell.comparisons)
    if cell.ours:
        count = len(cell.ours.accuracies)
        assert f"({count} seed{'s' * (count > 1)}, {cell.ours.epochs} epoch" in ours


@pytest.mark.parametrize(("seed", "data"), TABLES)
def test_latex_is_read_back(seed, data):
    made = filled(seed, data)
    text = latex_table(made)
    assert text.isascii() and text.count("{") == text.count("}")
    assert re.findall(r"\\(begin|end)\{(\w+)\}", text) == [
        ("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table")
    ]  # fmt: skip
    signs = {r"$\pm$": "±", "$-$": "−", r"\dag{}": "†", r"\ddag{}": "‡", "--": "–"}
    body = text.split("\\hline\n")[2].splitlines()
    assert len(body) == len(made.methods)
    for method, line in zip(made.methods, body, strict=True):
        for command, sign in signs.items():
            line = line.replace(command, sign)
        assert line.endswith(r" \\") and not re.search(r"(?<!\\)[_%#$^~]", line)
        _, *cells = line.removesuffix(r" \\").split(" & ")
        for noise, text in zip(made.noises, cells, strict=True):
            inside = re.sub(r"^\\shortstack\[r\]\{(.*)\}$", r"\1", re.sub(r" \[\d\]", "", text))
            check(made.cell(method, noise), inside.split(r" \\ "))


def test_what_is_no_reproduction_is_said_to_be_none():
    made = filled(0, "cifar10", epochs=20)
    for text in (markdown_table(made), latex_table(made)):
        assert "20 epochs instead of 120" in text and "not the published experiment, so no reproduction" in text
    outcomes = {row["outcome"] for row in csv.DictReader(io.StringIO(csv_table(made)))}
    assert outcomes == {"", "part of the protocol"} and set(json_table(made)["outcomes"]) == {"part of the protocol"}


@pytest.mark.parametrize("seed", range(3))
def test_json_has_what_csv_has(seed):
    made = filled(seed, "cifar100")
    found = json.loads(json.dumps(json_table(made), allow_nan=False))
    cells = [cell for row in found["rows"] for cell in row["cells"]]
    for one, cell in zip(made.cells, cells, strict=True):
        assert (cell["ours"] or {}).get("mean") == (one.ours and one.ours.mean)
        assert [n["mean"] for n in cell["published"]] == [n.mean for n in one.theirs]
        assert [n["outcome"] for n in cell["published"]] == (
            [c.outcome for c in one.comparisons] or [None] * len(one.theirs)
        )
        assert cell["publications_disagree"] == one.disputed and cell["missing_seeds"] == list(one.missing)


def test_the_commands_are_accepted_by_the_command_line(tmp_path, capsys, monkeypatch):
    import shlex

    from alf.export.run import recipe_text
    from alf.runs import reproduction
    from alf.settings import Settings

    monkeypatch.setattr(
        "alf.cli.training.settings", lambda: Settings.from_environment({"ALF_STORE": str(tmp_path / "runs.sqlite")})
    )
    monkeypatch.chdir(tmp_path)
    protocol = protocol_of(paper("mnist").with_(data="digits", network="mlp:4", epochs=1, batch=512))
    made = reproduction.table(protocol, ["symmetric:0.4"], (0,), {})
    lines = commands(made).splitlines()
    assert "data fetch" not in lines[0] and "ALF_SCHEDULER=tcp://" in lines[1]
    (tmp_path / "digits-table.json").write_text(recipe_text(made.whole("cpu")))
    assert shlex.split(lines[0])[:4] == ["python", "-m", "alf", "sweep"]
    (tmp_path / "digits-table.jsonl").write_text(
        json.dumps({"run": "a", "recipe": made.whole().to_dict(), "ended": []})
        + "\n"
        + json.dumps({"run": "a", "loss": "ce", "noise": "symmetric:0.4", "seed": 0, "epoch": 1, "test_accuracy": 0.5})
    )
    assert main(shlex.split(lines[-1])[3:]) == 0
    assert "| CE | 50.00 (1 seed, 1 epoch) |" in capsys.readouterr().out
    assert "python -m alf data fetch cifar10" in commands(filled(0))
