"""The Runs page over a real store, without workers: what it lists, compares, refuses and hands to the engine."""

import json

import pytest

from alf.errors import InputError
from alf.export.run import read_recipe
from alf.runs import Engine
from alf.runs.leases import Lease, grant, waiting
from alf.settings import Settings
from alf.training import METRICS, Recipe, classroom, paper
from tests.pages.conftest import query
from ui.runs import rows
from ui.training import session
from ui.words.markdown import literal

RECIPE = Recipe(data="digits", losses=("ce", "ael:a=3.5"), noise=("symmetric:0.5",), network="mlp:16", epochs=4, lr=0.5)
ROW = dict.fromkeys(METRICS, 0.1) | {"dead_classes": 0}


@pytest.fixture
def engine(monkeypatch, tmp_path):
    made = Engine(Settings.from_environment({"ALF_STORE": str(tmp_path / "runs.sqlite"), "ALF_WORKERS": "1"}))
    monkeypatch.setattr(made.supervisor, "begin", lambda: None)
    monkeypatch.setattr(session, "engine", lambda: made)
    monkeypatch.setattr(session, "owner", lambda: "me")
    yield made
    made.close()


def trained(engine, recipe=RECIPE, epochs=None, owner="me", name=None, accuracy=0.5):
    """A run with records up to an epoch, finished where that is the last one; accuracies are by lane and epoch."""
    run = engine.start(recipe, owner, name)
    for part in waiting(engine.store):
        token = grant(engine.store, part, "host:1:x")
        lease = Lease(engine.store, part, token)
        got = lease.begin({"host": "host", "pid": 1, "address": None})
        for epoch in range(1, (epochs or recipe.epochs) + 1):
            rows = [ROW | {"lane": i, "epoch": epoch, "test_accuracy": accuracy + 0.1 * i} for i in got.lanes]
            lease.write(rows, epoch, float(epoch), {}, b"state")
        if epochs is None:
            lease.finish()
    return run


def html(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def test_nothing_yet_shows_the_recorded_run(open_app, engine, charts):
    app = open_app("runs")
    assert "You have no runs in this browser yet" in html(app) and "A recorded run of digits" in html(app)
    assert len(charts["runs-curves"][0]["data"]) == 6
    assert not [b for b in app.button if b.key.startswith(("resume", "really"))]


def test_the_newest_run_comes_first_and_is_shown(open_app, engine, charts):
    trained(engine)
    trained(engine, RECIPE.with_(lr=0.1), name="<b>Mine</b>", accuracy=0.8)
    trained(engine, RECIPE.with_(lr=0.2), owner="somebody else", name="Not mine")
    app = open_app("runs")
    body = html(app)
    assert body.index("&lt;b&gt;Mine&lt;/b&gt;") < body.index("<b>Digits, symmetric 0.5</b>")
    assert "<b>Mine</b>" not in body and "Not mine" not in body
    assert (
        charts["runs-curves"][0]["layout"]["title"]["text"]
        == "With one seed no spread is known: CE ends at 80%, AEL at 90%"
    )
    assert query(app, "runs") == []


def test_ticked_runs_are_compared_and_are_in_the_link(open_app, engine, charts):
    one, two = trained(engine), trained(engine, RECIPE.with_(lr=0.1), accuracy=0.8)
    app = open_app("runs")
    for run in (one, two):
        app.checkbox(key=f"pick-{run}").set_value(True).run()
    assert query(app, "runs") == [one, two]
    figure = charts["runs-curves"][0]
    names = [trace["name"] for trace in figure["data"]]
    assert names[0] == "CE · Digits, symmetric 0.5, learning rate 0.5" and len(names) == 4
    first, second = (figure["data"][i]["line"] for i in (0, 2))
    assert first["color"] == second["color"] and first["dash"] != second["dash"]  # the loss by colour, the run by dash
    app = open_app("runs", runs=[one, two])
    assert [box.value for box in app.checkbox][:2] == [True, True]
    app.checkbox(key=f"pick-{one}").set_value(False).run()
    assert query(app, "runs") == [two]


def test_published_numbers_stand_beside_what_they_belong_to(open_app, engine, charts):
    recipe = paper("cifar10", losses=("ce", "agce:a=0.6,q=0.6"), noise=("symmetric:0.4",), seeds=(0,), epochs=2)
    run = trained(engine, recipe, accuracy=0.4)
    app = open_app("runs", runs=[run])
    assert "58.46%" in html(app) and "−18.5" in html(app)
    diamonds = [t for t in charts["runs-curves"][0]["data"] if t.get("marker", {}).get("symbol") == "diamond"]
    assert [t["y"] for t in diamonds] == [[0.5846]]
    said = " ".join(caption.value for caption in app.caption)
    assert "another protocol" in said and "2 epochs instead of 120" in said and "eps-softmax" in said
    app = open_app("runs", runs=[trained(engine)])
    assert "Published" not in html(app)


def test_a_stopped_run_is_resumed_and_a_run_that_goes_is_stopped(open_app, engine):
    run = trained(engine, epochs=2)
    app = open_app("runs")
    assert "running, epoch 2 of 4" in html(app)
    app.button(key=f"stop-{run}").click().run()
    with engine.store.read() as connection:
        part = connection.exec_driver_sql("SELECT id, claim FROM parts").one()
    Lease(engine.store, *part).leave()
    app.run()
    assert "stopped, epoch 2 of 4" in html(app)
    app.button(key=f"resume-{run}").click().run()
    assert engine.progress(run).status in ("queued", "running") and len(waiting(engine.store)) == 1


def test_rename_and_delete(open_app, engine):
    run = trained(engine)
    app = open_app("runs", runs=[run])
    app.text_input(key=f"name-{run}").set_value("  With a name ").run()
    assert engine.progress(run).name == "With a name" and "With a name" in html(app)
    app.button(key=f"really-{run}").click().run()
    assert engine.store.count("me") == 0 and query(app, "runs") == []
    with pytest.raises(InputError, match="no such run"):
        engine.progress(run)


def test_somebody_elses_run_can_be_seen_by_its_link_and_not_changed(open_app, engine):
    run = trained(engine, owner="somebody else", name="Theirs")
    app = open_app("runs", runs=[run])
    assert "Theirs" in html(app)
    assert not [b.key for b in app.button if b.key.endswith(run)] and not app.text_input


def test_a_failure_is_said_in_the_list_and_beside_the_run(open_app, engine):
    run = engine.start(RECIPE, "me")
    part = waiting(engine.store)[0]
    Lease(engine.store, part, grant(engine.store, part, "x:1:y")).fail("Out of memory: take <fewer> models.")
    app = open_app("runs")
    assert "Out of memory: take &lt;fewer&gt; models." in html(app)
    assert [e.value for e in app.error] == [literal("Out of memory: take <fewer> models.")]
    app.button(key=f"resume-{run}").click().run()
    assert engine.progress(run).status == "queued"


def test_many_runs_are_paged(open_app, engine):
    started = [engine.start(RECIPE.with_(lr=0.01 * i), "me") for i in range(1, 11)]
    app = open_app("runs")
    assert f"pick-{started[-1]}" in [box.key for box in app.checkbox] and len(app.checkbox) == 8
    app.button(key="older").click().run()
    assert [box.key for box in app.checkbox] == [f"pick-{r}" for r in (started[1], started[0], "recorded-digits")]
    assert query(app, "list") == ["2"]


def test_garbage_in_the_link(open_app, engine):
    app = open_app("runs", runs=["../x", "nobody-has-it"], list=["-3"])
    assert len(app.warning) >= 1 and not app.exception and query(app, "list") == ["1"]
    app = open_app("runs", runs=["nobody-has-it"])
    assert "no such run" in app.warning[0].value and "A recorded run" in html(app)


def test_a_link_to_train_holds_the_recipe():
    recipe = classroom("moons", losses=("ce", "gce:q=0.7"), seeds=(0, 1), lr=0.05, equal_scale=True)
    link = rows.train_link(recipe)
    assert link["loss"] == ["ce", "gce:q=0.7"] and link["scale"] == ["equal"] and link["seeds"] == ["2"]
    assert (link["lr"], link["epochs"], link["samples"]) == (["0.05"], ["300"], ["200"])


def test_a_file_is_opened_said_and_started(open_app, engine):
    app = open_app("runs")
    document = {"recipe": RECIPE.to_dict(), "records": []}
    app.file_uploader(key="recipe-file").set_value(
        ("run.json", json.dumps(document).encode(), "application/json")
    ).run()
    app.button(key="start-recipe").click().run()
    (progress,) = engine.runs("me")
    assert progress.recipe == RECIPE == read_recipe(json.dumps(document).encode())
    assert query(app, "runs") == [progress.run]
    app.file_uploader(key="recipe-file").set_value(("x.json", b'{"data": "photos"}', "application/json")).run()
    assert "losses is missing" in app.error[0].value.replace("\\", "") and not app.exception


def test_a_link_to_one_run_is_read_and_a_strange_one_said(open_app, engine):
    app = open_app("runs", run=["../../etc/passwd"])
    assert "Runs must be letters, digits" in app.warning[0].value and query(app, "run") == []
    app = open_app("runs", run=["recorded-none"])
    assert query(app, "runs") == ["recorded-none"]
