"""The mirror page: curves, recorded and own networks, distances, and what cannot be mirrored."""

import time

import pytest

from alf.errors import InputError
from alf.runs.estimate import Estimate
from alf.runs.progress import Progress
from alf.runs.recorded_run import recorded
from alf.training.recipe import Recipe
from alf.training.records import METRICS
from alf.training.states import RunState
from tests.pages.conftest import query


class FakeEngine:
    """An engine that trains at once: every network says 0.75."""

    def __init__(self, active=False):
        self.started, self.stopped, self.active, self.store = [], [], active, self

    def start(self, recipe: Recipe, owner: str, name=None) -> str:
        self.started.append((recipe, owner))
        return f"run-{len(self.started)}"

    def latest(self, run):
        recipe, _ = self._run(run)
        plain = dict.fromkeys(METRICS, 0.0) | {"epoch": recipe.epochs, "confidence": 0.75}
        return [lane._asdict() | {"lane": i} | plain for i, lane in enumerate(recipe.lanes)]

    def progress(self, run):
        recipe, owner = self._run(run)
        status = RunState.RUNNING if self.active else RunState.FINISHED
        return Progress(run, recipe, None, owner, 0.0, status, None, (), {}, 25, 25, 1.0, 3.0, None, at=25.0)

    def seconds_needed(self, recipe):
        return Estimate(3.0, False)

    def stop(self, run):
        self.stopped.append(run)
        self.active = False

    def _run(self, run):
        if not (run or "").startswith("run-"):
            raise InputError(f"run: there is none with this id, got {run}")
        return self.started[int(run[4:]) - 1]


@pytest.fixture
def engine(monkeypatch):
    made = FakeEngine()
    monkeypatch.setattr("ui.training.session.engine", lambda: made)
    monkeypatch.setattr("ui.training.session.owner", lambda: "me")
    return made


def html(app):
    return " ".join(str(block.proto.body) for block in app.get("html") if "<style" not in str(block.proto.body))


def settled(app):
    for _ in range(600):
        if "<td>…</td>" not in html(app):
            return app
        time.sleep(0.1)
        app.run()
    raise AssertionError("a place was never answered")


def dots(figure):
    return {trace["name"]: trace for trace in figure["data"] if trace.get("meta") == "networks"}


def rings(figure):
    return {trace["name"]: trace["x"][0] for trace in figure["data"] if trace.get("meta") == "leaves"}


def test_a_recording_stands_beside_the_curves(open_app, charts, engine):
    app = settled(open_app("mirror"))
    [figure] = charts["mirror-curves"]
    assert len(dots(figure)) == 6 and all(len(trace["x"]) == 9 for trace in dots(figure).values())
    assert rings(figure)["AGCE (a=0.6, q=0.6)"] == pytest.approx(0.403156, abs=1e-4)
    assert rings(figure)["AEL (a=1)"] == pytest.approx(0.268941, abs=1e-4) and "MAE" not in rings(figure)
    text = html(app)
    assert "a recording" in text and "at 40.32%" in text and "at 26.89%" in text and "never" in text
    assert "What the theorem is about" in text and "What it is not about" in text
    said = {(r["noise"], r["seed"]): r["confidence"] for r in recorded("mirror").records if r["loss"] == "ce"}
    mean = sum(said["pair:0.3", seed] for seed in (0, 1)) / 2
    assert dots(figure)["CE"]["y"][5] == pytest.approx(mean, abs=1e-6)
    assert dots(figure)["CE"]["customdata"][5] == pytest.approx(mean - 0.7, abs=2e-3)
    assert query(app, "noise") == ["pair:0.4"] and not query(app, "mirror")


def test_start_shows_ones_own_networks_and_stop_asks_the_engine(open_app, charts, engine):
    engine.active = True
    app = open_app("mirror", loss=["ce", "ael:a=1"], noise=["symmetric:0.2"])
    app.button(key="start-mirror").click().run()
    [(recipe, _)] = engine.started
    assert (recipe.data, recipe.losses, len(recipe.lanes)) == ("clusters", ("ce", "ael:a=1"), 36)
    assert recipe.noise[-1] == "symmetric:0.6" and query(app, "mirror") == ["run-1"]
    assert "Your networks" in html(app)
    assert set(dots(charts["mirror-curves"][0])["CE"]["y"]) == {0.75}
    app.button(key="stop-mirror").click().run()
    assert engine.stopped == ["run-1"] and not app.exception
    app.segmented_control(key="noise-kind").set_value("pair").run()  # these were not of the run: the recording's
    assert dots(charts["mirror-curves"][0])["CE"]["y"][0] > 0.9 and "a recording" in html(app)


def test_any_matrix_and_any_formula(open_app, charts, engine):
    matrix = "matrix:0.5,0.3,0.2;0,1,0;0.1,0.3,0.6"
    app = settled(open_app("mirror", loss=["ael:a=1", "formula:exp(-u/a);a=1[0.5,9]"], noise=[matrix]))
    [figure] = charts["mirror-curves"]
    assert list(rings(figure).values()) == [pytest.approx(0.7602, abs=1e-3)] * 2
    assert "share t of the way" in figure["layout"]["xaxis"]["title"]["text"]
    assert not dots(figure) and "none yet" in html(app) and "t = 0.76" in html(app)
    app.button(key="start-mirror").click().run()
    assert engine.started[0][0].noise[-1] == matrix  # all of the way: clean labels are the likeliest there


def test_losses_without_one_best_prediction_say_so(open_app, charts, engine):
    app = settled(open_app("mirror", loss=["nce", "ce"], noise=["pair:0.4"]))
    assert "not unique" in html(app) and any("no one best prediction" in info.value for info in app.info)
    [figure] = charts["mirror-curves"]
    lines = {t["name"]: t["y"] for t in figure["data"] if t["mode"] == "lines" and t.get("hoverinfo") != "skip"}
    assert not any(lines["NCE"]) and all(lines["CE"]) and "NCE" not in rings(figure)


@pytest.mark.parametrize("noise", ["none", "instance:0.3", "matrix:1,0,0;0,1,0;0,0,1"])
def test_noise_that_has_no_way_is_said_in_a_sentence(open_app, charts, engine, noise):
    app = open_app("mirror", noise=[noise])
    assert "mirror-curves" not in charts
    assert any("Choose symmetric or pair noise, or type a matrix" in info.value for info in app.info)


def test_bad_links(open_app, charts, engine):
    app = open_app("mirror", noise=["matrix:.5,.5;.5,.5"], loss=["agce:a=-1", "ce"], mirror=["nobody"])
    words = " ".join(warning.value for warning in app.warning)
    assert "3 rows of 3 numbers" in words and "a must lie in" in words and "none with this id" in words
    assert set(dots(charts["mirror-curves"][0])) == {"CE"}
    assert "recorded networks are shown" in words
    app = open_app("mirror", noise=["matrix:.6,.3,.1;.1,.8,.1;.2,.2,.6"], mirror=["nobody"])
    assert "none with this id" in app.warning[0].value and "recorded" not in app.warning[0].value
    assert "none yet" in html(app)
    app = open_app("mirror", mirror=["<script>"])
    assert "letters, digits" in app.warning[0].value
    app = open_app("mirror", loss=["ce", "mae", "mse", "nce", "ael:a=1", "ael:a=2", "ael:a=3"])
    assert "most 6 losses" in app.warning[0].value


def test_a_matrix_of_another_page_is_kept_and_said(open_app, charts, engine):
    app = open_app("noise", noise=["matrix:.6,.4;.4,.6"], classes=["2"])
    app.query_params.clear()
    app.switch_page("pages/mirror.py").run()
    assert not app.exception and any("Your 2 × 2 matrix does not fit" in info.value for info in app.info)


def test_a_way_that_ends_early_says_no_more_than_how_far_it_goes(open_app, charts, engine):
    words = html(settled(open_app("mirror", noise=["matrix:.6,.3,.1;.1,.8,.1;.2,.2,.6"], loss=["mae"])))
    assert "up to the matrix" in words and "are the likeliest" not in words
    assert "while clean labels are the likeliest" in html(settled(open_app("mirror", loss=["mae"])))
