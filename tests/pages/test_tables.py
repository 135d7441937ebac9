"""The Tables page over a real store, without workers: what it shows, starts, refuses and gives away."""

import csv
import io
import json
import re

import pytest

from alf.export.run import read_recipe
from alf.runs import Engine
from alf.runs.leases import waiting
from alf.runs.reproduction import Table
from alf.runs.table_plan import Plan
from alf.settings import Settings
from alf.training import Recipe, paper
from alf.training.published import NOISES
from tests.pages.conftest import query
from tests.runs.fakes import trained
from ui.runs import reproduction
from ui.training import session

S4 = "symmetric:0.4"


@pytest.fixture
def engine(monkeypatch, tmp_path):
    made = Engine(Settings.from_environment({"ALF_STORE": str(tmp_path / "runs.sqlite"), "ALF_WORKERS": "1"}))
    monkeypatch.setattr(made.supervisor, "begin", lambda: None)
    monkeypatch.setattr(session, "engine", lambda: made)
    monkeypatch.setattr(session, "owner", lambda: "me")
    monkeypatch.setattr(reproduction, "needed", lambda recipe: False)  # as where the files are here
    yield made
    made.close()


@pytest.fixture
def all_fits(monkeypatch):
    """As on a machine that does everything in a second."""
    monkeypatch.setattr(
        reproduction, "plan", lambda made, store, settings: Plan(made.missing(128), 1.0, False, made.missing(128))
    )


def html(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def captions(app):
    return " ".join(caption.value for caption in app.caption).replace("\\", "")


def cell_of(app, row: int, column: int) -> str:
    """The text of a cell of the table."""
    body = re.search(r"alf-reproduction.*?<tbody>(.*?)</tbody>", html(app), re.DOTALL)[1]
    cells = re.findall(r"<td>(.*?)</td>", body.split("</tr>")[row], re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", cells[column]).split())


def test_the_published_numbers_stand_there_before_anything_is_measured(open_app, engine):
    app = open_app("tables")
    assert cell_of(app, 0, 0).startswith("CE") and cell_of(app, 0, 3) == "– 58.46 ± 0.21 1"
    assert "0 of 126" in html(app) and "126 missing cells (378 networks)" in captions(app)
    assert query(app, "table") == ["cifar10"] and query(app, "protocol") == ["paper"]
    assert query(app, "grid") == list(NOISES)


def test_ours_stands_beside_theirs_with_the_difference_and_the_outcome(open_app, engine):
    whole = paper("cifar10", noise=(S4, "symmetric:0.8"), losses=("ce",), epochs=120)
    for seed, accuracy in enumerate((0.5820, 0.5850, 0.5870)):
        trained(engine.store, whole.with_(seeds=(seed,), noise=(S4,)), "somebody", accuracy)
        trained(engine.store, whole.with_(seeds=(seed,), noise=("symmetric:0.8",)), "somebody", accuracy)
    app = open_app("tables", grid=[S4, "symmetric:0.8"])
    assert cell_of(app, 0, 1) == "58.47 ± 0.25 3 seeds, 120 epochs 58.46 ± 0.21 1 +0.01"
    assert cell_of(app, 0, 2) == "58.47 ± 0.25 3 seeds, 120 epochs 18.95 ± 0.38 1 +39.52*"
    page = html(app)
    assert "2 of 28" in page and re.search(r"<b>1</b><span>.*?>reproduced<", page)
    assert re.search(r"<b>1</b><span>.*?>not reproduced<", page) and 'class="alf-apart"' in page


def test_fewer_epochs_are_never_called_a_reproduction(open_app, engine):
    for seed in range(3):
        recipe = paper("cifar10", noise=(S4,), losses=("ce",), epochs=2, seeds=(seed,))
        trained(engine.store, recipe, accuracy=0.5846 + seed / 1000)
    app = open_app("tables", grid=[S4], protocol="paper:epochs=2")
    assert "†" in cell_of(app, 0, 1) and "2 epochs instead of 120" in captions(app)
    assert "alf-same" not in html(app) and ">reproduced<" not in html(app)
    assert "not the published experiment" in html(app)


def test_a_protocol_found_here_is_offered_and_may_be_changed(open_app, engine):
    trained(engine.store, paper("cifar10", noise=(S4,), losses=("ce",), epochs=2, samples=500, seeds=(0,)))
    app = open_app("tables", grid=[S4])
    assert "–" in cell_of(app, 0, 1)
    app.selectbox(key="pick-protocol").select("paper:epochs=2,samples=500").run()
    assert cell_of(app, 0, 1).startswith("50.00 † 1 seed, 2 epochs")
    app.number_input(key="tables-epochs").set_value(7).run()
    assert query(app, "protocol") == ["paper:epochs=7,samples=500"] and not app.exception
    app.number_input(key="tables-samples").set_value(3).run()
    assert not app.exception and "samples" in " ".join(error.value for error in app.error)


def test_one_cell_is_started_with_its_missing_seeds(open_app, engine):
    trained(engine.store, paper("cifar10", noise=(S4,), losses=("gce:q=0.7",), seeds=(1,), epochs=120), "you")
    app = open_app("tables", grid=[S4], row="gce:q=0.7", at=S4)
    assert "2 seeds to train" in captions(app)
    app.button(key="tables-start-one").click().run()
    (run,) = engine.store.runs("me")
    assert engine.progress(run).recipe == paper("cifar10", noise=(S4,), losses=("gce:q=0.7",), seeds=(0, 2))
    assert "Being trained." in captions(app) and "50.00" in cell_of(app, 3, 1)


def test_everything_that_fits_is_started_and_shows_how_far_it_is(open_app, engine, all_fits):
    app = open_app("tables", grid=[S4], table="digits", protocol="classroom:epochs=3", wanted="1")
    app.button(key="tables-start").click().run()
    runs = [engine.progress(run).recipe for run in engine.store.runs("me")]
    assert sum(len(recipe.lanes) for recipe in runs) == 6 and {r.epochs for r in runs} == {3}
    assert "epoch 0 of 3" in cell_of(app, 0, 1) and "Nothing is missing." in captions(app)
    assert len(waiting(engine.store)) >= 1 and app.session_state["tables.looking"]


def test_a_limit_that_is_reached_is_said(open_app, engine, all_fits, monkeypatch):
    monkeypatch.setattr(
        Table, "missing", lambda made, most, device="auto": (made.protocol, made.protocol.with_(seeds=(1,)))
    )
    object.__setattr__(engine.settings, "max_per_owner", 1)
    app = open_app("tables", grid=[S4], table="digits", wanted="1")
    app.button(key="tables-start").click().run()
    assert engine.store.count("me") == 1
    assert "at most 1 of yours may be unfinished" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("table", "photos", "data must be one of cifar10"),
        ("grid", "symmetric:7", "symmetric"),
        ("protocol", "paper:epochs=-1", "epochs: must be a whole number"),
        ("protocol", "<script>", "protocol: must begin with"),
        ("wanted", "99", "seeds must be a whole number in"),
        ("row", "nobody", "row must be one of ce"),
        ("at", "pair:0.1", "at must be one of none"),
    ],
)
def test_a_link_of_a_stranger_is_refused_in_a_sentence(open_app, engine, field, value, said):
    app = open_app("tables", **{field: [value]})
    assert said.lower() in app.warning[0].value.replace("\\", "").lower()
    assert "0 of 126" in html(app)


def test_a_grid_that_does_not_fit_another_data_set_is_replaced(open_app, engine):
    matrix = "matrix:" + ";".join(",".join("1" if i == j else "0" for j in range(10)) for i in range(10))
    app = open_app("tables", grid=[matrix, "none"])
    app.selectbox(key="tables-data").select("cifar100").run()
    assert not app.exception and query(app, "grid") == list(NOISES)
    assert query(app, "row") == ["ce"]


def test_files_of_another_machine_are_shown(open_app, engine, monkeypatch):
    recipe = paper("cifar10", losses=("ce",), noise=(S4,), seeds=(0,))
    lines = [
        {"run": "a", "loss": "ce", "noise": S4, "seed": 0, "epoch": 120, "test_accuracy": 0.61},
        {"run": "a", "recipe": recipe.to_dict(), "ended": []},
    ]
    files = [
        Upload("ok.jsonl", "\n".join(map(json.dumps, lines)).encode()),
        Upload("no.jsonl", b"nothing"),
    ]
    monkeypatch.setattr("streamlit.file_uploader", lambda *_, **__: files)
    app = open_app("tables", grid=[S4])
    app.run()
    assert cell_of(app, 0, 1).startswith("61.00 † 1 seed, 120 epochs")
    assert "no.jsonl: runs: lines of train --json" in " ".join(e.value for e in app.error).replace("\\", "")


class Upload:
    """A file as Streamlit hands it over."""

    def __init__(self, name, contents):
        self.name, self.file_id, self._contents = name, name, contents

    def getvalue(self):
        return self._contents


def test_what_is_taken_away_is_what_is_shown(open_app, engine, monkeypatch):
    given = {}
    monkeypatch.setattr(
        "streamlit.download_button", lambda label, make, name, mime, **more: given.update({name: make()})
    )
    trained(engine.store, paper("cifar10", noise=(S4,), losses=("ce",), seeds=(0,), epochs=120))
    open_app("tables", grid=[S4])
    assert set(given) == {f"cifar10-table.{end}" for end in ("json", "csv", "tex", "md")}
    recipe = read_recipe(given["cifar10-table.json"].encode())
    assert recipe.device == "cuda" and recipe.noise == (S4,) and len(recipe.losses) == 14 and recipe.epochs == 120
    row = next(csv.DictReader(io.StringIO(given["cifar10-table.csv"])))
    assert (float(row["ours"]), float(row["published"])) == (50.0, 58.46)
    assert isinstance(recipe, Recipe) and "58.46" in given["cifar10-table.tex"] and "50.00" in given["cifar10-table.md"]
