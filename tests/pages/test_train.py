"""The Train page: a recipe from controls and link, and an engine asked once. Real runs are in tests/browser."""

import pytest

from alf.errors import InputError
from alf.runs import Progress
from alf.runs.recorded import recorded
from tests.pages.conftest import query
from ui import lab


class Engine:
    """An engine that keeps what it was asked and shows the recorded run's first epochs."""

    def __init__(self):
        self.started, self.stopped, self.status, self.message = [], [], "running", None

    def start(self, recipe, owner):
        if recipe.epochs == 13:
            raise InputError("epochs: thirteen is refused")
        self.started.append((recipe, owner))
        return "run-1"

    def stop(self, run):
        self.stopped.append(run)
        self.status = "stopping"

    def progress(self, run):
        if run != "run-1":
            raise InputError(f"run: no such run, got {run}")
        recipe = recorded("digits").recipe
        return Progress(
            run, recipe, None, "me", 0.0, self.status, self.message, ("Runs on the CPU instead of CUDA.",),
            {0: "Its loss became NaN."}, 5, 120, 5 / 120, 3.0, 61.0,
        )  # fmt: skip

    def updates(self, run, cursor=0):
        new = [r for r in recorded("digits").records if cursor < r["epoch"] <= 5]
        return new, 5


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    monkeypatch.setattr(lab, "engine", lambda: made)
    return made


def html(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def test_the_recorded_run_is_shown_when_nothing_has_run(open_app, charts):
    app = open_app("train")
    assert "A recorded run" in html(app)
    titles = [figure["layout"]["title"]["text"] for figure in charts["train-curves"]]
    assert titles[0].startswith("CE reaches") and "by heart" in titles[1]
    assert html(app).count("<tr><td>") == 6
    assert "run" not in app.query_params


def test_start_hands_the_controls_recipe_over_and_stop_asks(open_app, engine, charts):
    app = open_app("train", loss=["ce", "ael:a=3.5"], noise=["pair:0.2"], epochs=["30"], seeds=["2"], lr=["0.5"])
    app.button(key="start-run").click().run()
    recipe, _ = engine.started[0]
    assert recipe.losses == ("ce", "ael:a=3.5") and recipe.noise == ("pair:0.2",)
    assert (recipe.epochs, recipe.seeds, recipe.lr) == (30, (0, 1), 0.5)
    assert query(app, "run") == ["run-1"]
    assert app.button(key="start-run").disabled
    assert "epoch 5 of 120, 62 s left" in html(app)
    assert [i.value for i in app.info] == ["Runs on the CPU instead of CUDA.", "Its loss became NaN."]
    assert len(charts["train-curves"][0]["data"][-1]["x"]) == 5
    app.button(key="stop-run").click().run()
    assert engine.stopped == ["run-1"]
    assert app.button(key="stop-run").disabled and "stopping" in html(app)


def test_a_data_set_brings_its_recipe_along(open_app, engine):
    app = open_app("train")
    app.selectbox(key="pick-data").set_value("moons").run()
    assert query(app, "data") == ["moons"] and query(app, "epochs") == ["300"] and query(app, "lr") == ["0.3"]
    assert query(app, "noise") == ["symmetric:0.3"]  # half of the labels of two classes leave nothing to learn
    app.button(key="start-run").click().run()
    assert engine.started[0][0].data == "moons" and engine.started[0][0].network == "mlp:256,256"
    app = open_app("train", data=["mnist"], noise=["asymmetric:0.4"])
    assert query(app, "noise") == ["asymmetric:0.4"] and not app.warning


def test_what_the_engine_refuses_is_one_sentence(open_app, engine):
    app = open_app("train", epochs=["13"])
    app.button(key="start-run").click().run()
    assert [e.value for e in app.error] == ["epochs: thirteen is refused"]
    assert "run" not in app.query_params


def test_a_failed_run_says_why_and_keeps_its_curves(open_app, engine, charts):
    engine.status, engine.message = "failed", "Out of memory: take fewer models."
    app = open_app("train", run=["run-1"])
    assert "Out of memory: take fewer models." in [e.value for e in app.error]
    assert len(charts["train-curves"][0]["data"][-1]["x"]) == 5
    assert not app.button(key="start-run").disabled


def test_an_unknown_run_falls_back_to_the_recorded_one(open_app, engine):
    app = open_app("train", run=["somebody-elses"])
    assert "no such run" in app.warning[0].value and "A recorded run" in html(app)


def test_garbage_in_the_link(open_app, engine):
    app = open_app("train", run=["../x"], epochs=["-1"], lr=["nan"], device=["tpu"], data=["photos"], seeds=["0"])
    assert len(app.warning) == 1 and not app.exception
    assert query(app, "epochs") == ["120"] and query(app, "device") == ["auto"]


def test_time_left_is_said_as_precisely_as_anybody_wants():
    assert lab.time_left(0.2) == "1 s left" and lab.time_left(100) == "2 min left" and lab.time_left(None) == ""
