"""The Train page: a recipe from controls and link, and an engine asked once. Real runs are in tests/browser."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from alf.errors import InputError
from alf.runs import Progress
from alf.runs.estimate import Estimate
from alf.runs.recorded_run import recorded
from alf.training.samples import given_labels
from tests.pages.conftest import query
from ui.training import drawn_labels, fetching, session


class Engine:
    """An engine that keeps what it was asked and shows the recorded run's first epochs."""

    def __init__(self):
        self.started, self.stopped, self.status, self.message = [], [], "running", None
        self.asked, self.reached, self.needed = [], 5, Estimate(37.0)
        self.recipe = recorded("digits").recipe
        self.store = SimpleNamespace(snapshot_epochs=lambda run: {})  # nothing to look inside

    def start(self, recipe, owner):
        if recipe.epochs == 13:
            raise InputError("epochs: thirteen is refused")
        self.started.append((recipe, owner))
        return "run-1"

    def seconds_needed(self, recipe):
        return self.needed

    def stop(self, run):
        self.stopped.append(run)
        self.status = "stopping"

    def pause(self, run):
        if self.message == "shared":
            raise InputError("run: a run that others watch too cannot be paused")
        self.asked.append("pause")
        self.message = "Pausing."

    def step(self, run):
        self.asked.append("step")
        self.status = "running"

    def play(self, run):
        self.asked.append("play")
        self.status, self.message = "running", None

    def set_lr(self, run, lr):
        if lr > 50:
            raise InputError("run: its learning rate can change only before its last epoch begins")
        self.asked.append(lr)
        self.recipe = self.recipe.with_(changes=(*self.recipe.changes, (7, lr)))
        return 7

    def progress(self, run):
        if run != "run-1":
            raise InputError(f"run: no such run, got {run}")
        return Progress(
            run, self.recipe, None, "me", 0.0, self.status, self.message, ("Runs on the CPU instead of CUDA.",),
            {0: "Its loss became NaN."}, 5, 120, 5 / 120, 3.0, 61.0,
        )  # fmt: skip

    def curves(self, run):
        return [r for r in recorded("digits").records if r["epoch"] <= self.reached]


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    monkeypatch.setattr(session, "engine", lambda: made)
    monkeypatch.setattr(session, "owner", lambda: "me")
    return made


def keys(app, kind="button"):
    return {element.key for element in app.get(kind)}


def html(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def test_the_recorded_run_is_shown_when_nothing_has_run(open_app, charts):
    app = open_app("train")
    assert "A recorded run" in html(app)
    titles = [figure["layout"]["title"]["text"] for figure in charts["train-curves"]]
    assert titles[0].startswith("CE reaches") and "memorised" in titles[1]
    assert html(app).count("<tr><td>") == 4  # of its six losses those of the controls
    assert "with these settings" in html(app) and "as-recorded" not in keys(app)
    assert "run" not in app.query_params


def test_the_recorded_run_is_what_the_controls_say_or_says_what_differs(open_app, engine, charts):
    app = open_app("train", loss=["mae", "ce"], seeds=["2"])
    whole = recorded("digits")
    lanes = [whole.recipe.lanes.index((loss, "symmetric:0.5", seed)) for loss in ("mae", "ce") for seed in (0, 1)]
    last = {r["lane"]: r["test_accuracy"] for r in whole.records if r["epoch"] == whole.recipe.epochs}
    shown = [trace["y"][-1] for trace in charts["train-curves"][0]["data"][-2:]]
    expected = [np.mean([last[lane] for lane in lanes[:2]]), np.mean([last[lane] for lane in lanes[2:]])]
    np.testing.assert_allclose(shown, expected)
    app = open_app("train", loss=["mae", "gce:q=0.3"], epochs=["50"], noise=["pair:0.3"])
    assert "with other settings" in html(app)
    assert "with other settings than the controls: the losses, the noise and the epochs differ." in html(app)
    app.button(key="as-recorded").click().run()
    assert "with these settings" in html(app) and "as-recorded" not in keys(app)
    assert query(app, "loss") == list(whole.recipe.losses)
    assert query(app, "epochs") == ["120"]


def test_how_long_a_run_will_take_is_said_before_start(open_app, engine):
    said = lambda app: [c.value for c in app.caption if "seed" in c.value]  # noqa: E731
    engine.needed = Estimate(37.0)
    assert said(open_app("train", seeds=["1"])) == ["4 losses × 1 seed: about 40 s on this machine"]
    engine.needed = Estimate(0.0)
    assert said(open_app("train", seeds=["2"])) == ["4 losses × 2 seeds: computed before, shown at once"]
    engine.needed = Estimate(70.0, rough=True)
    assert said(open_app("train", seeds=["4"], device=["cpu"])) == ["4 losses × 4 seeds: roughly 70 s on this machine"]


def test_start_hands_the_controls_recipe_over_and_stop_asks(open_app, engine, charts):
    app = open_app("train", loss=["ce", "ael:a=3.5"], noise=["pair:0.2"], epochs=["30"], seeds=["2"], lr=["0.5"])
    app.button(key="start-run").click().run()
    recipe, _ = engine.started[0]
    assert recipe.losses == ("ce", "ael:a=3.5") and recipe.noise == ("pair:0.2",)
    assert (recipe.epochs, recipe.seeds, recipe.lr) == (30, (0, 1), 0.5)
    assert query(app, "run") == ["run-1"]
    assert app.button(key="start-run").disabled
    assert "epoch 5 of 120, 62 s left for the run" in html(app)
    assert [i.value for i in app.info] == ["Runs on the CPU instead of CUDA.", "Its loss became NaN."]
    assert len(charts["train-curves"][0]["data"][-1]["x"]) == 5
    assert "learning rate now 0.996" in html(app)
    app.button(key="stop-run").click().run()
    assert engine.stopped == ["run-1"]
    assert app.button(key="stop-run").disabled and app.button(key="pause-run").disabled and "stopping" in html(app)


def test_a_data_set_brings_its_recipe_along(open_app, engine):
    app = open_app("train")
    app.selectbox(key="pick-data").set_value("moons").run()
    assert query(app, "data") == ["moons"] and query(app, "epochs") == ["300"] and query(app, "lr") == ["0.3"]
    assert query(app, "noise") == ["symmetric:0.3"]  # half of the labels of two classes leave nothing to learn
    app.button(key="start-run").click().run()
    assert engine.started[0][0].data == "moons" and engine.started[0][0].network == "mlp:256,256"
    assert engine.started[0][0].samples == 200
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
    assert (
        session.time_left(0.2) == "1 s left"
        and session.time_left(100) == "2 min left"
        and session.time_left(None) == ""
    )


def test_a_run_of_other_settings_says_so_and_offers_its_own(open_app, engine, charts):
    app = open_app("train", run=["run-1"], data=["moons"], epochs=["50"], momentum=["0.5"], scale=["equal"])
    said = "Its settings are not those of the controls and of the page’s link: "
    assert said in html(app) and "as-recorded" not in keys(app)
    app.button(key="as-run").click().run()
    assert said not in html(app) and "as-run" not in keys(app) and query(app, "run") == ["run-1"]
    assert query(app, "data") == ["digits"] and query(app, "loss") == list(engine.recipe.losses)
    assert query(app, "epochs") == ["120"] and query(app, "momentum") == [f"{engine.recipe.momentum:g}"]
    app.number_input(key="number-epochs").set_value(7).run()
    assert said + "the epochs differ." in html(app) and "as-run" in keys(app)


def test_epochs_that_are_computed_again_are_said_to_be(open_app, engine, charts):
    again = "the epochs up to 9 are computed again from the last checkpoint"
    app = open_app("train", run=["run-1"])
    assert "computed again" not in html(app)
    engine.reached = 9  # of its curves, while its models are at epoch 5
    app.run()
    assert again in html(app)
    engine.status = "finished"
    app.run()
    assert again not in html(app)


def test_pause_step_play(open_app, engine):
    app = open_app("train", run=["run-1"])
    assert {"pause-run", "step-run", "stop-run"} <= keys(app) and app.button(key="step-run").disabled
    app.button(key="pause-run").click().run()
    assert "pausing …, epoch 5 of 120" in html(app) and "play-run" in keys(app)
    assert app.button(key="step-run").disabled  # nothing to step before it has come to rest
    engine.status, engine.message = "paused", "Paused after epoch 5 of 120."
    app.run()
    assert "paused after epoch 5 of 120" in html(app) and "pause-run" not in keys(app)
    app.button(key="step-run").click().run()
    engine.status = "paused"
    app.run()
    app.button(key="play-run").click().run()
    assert engine.asked == ["pause", "step", "play"] and "running, epoch 5" in html(app)


def test_a_shared_run_cannot_be_paused_and_says_so(open_app, engine):
    engine.message = "shared"
    app = open_app("train", run=["run-1"])
    app.button(key="pause-run").click().run()
    assert [e.value for e in app.error] == ["run: a run that others watch too cannot be paused"]
    assert engine.asked == []


def test_somebody_elses_run_can_be_watched_and_nothing_else(open_app, engine, monkeypatch):
    app = open_app("train", run=["run-1"])
    assert "Your run:" in html(app)
    monkeypatch.setattr(session, "owner", lambda: "another")
    app.button(key="stop-run").click().run()  # from a page that was drawn before
    assert engine.stopped == [] and "one of yours" in app.error[0].value
    app = open_app("train", run=["run-1"])
    assert "Somebody else’s run:" in html(app) and not app.button(key="start-run").disabled
    assert {button.key for button in app.button}.isdisjoint({"stop-run", "pause-run", "step-run", "play-run"})
    assert "lr-now" not in [field.key for field in app.number_input]


def test_a_run_that_is_over_has_start_alone(open_app, engine):
    engine.status = "finished"
    app = open_app("train", run=["run-1"])
    assert not keys(app) & {"pause-run", "play-run", "step-run", "stop-run"}
    assert not app.button(key="start-run").disabled and "lr-now" not in keys(app, "number_input")


def test_the_learning_rate_of_a_run_is_changed_and_marked(open_app, engine, charts):
    app = open_app("train", run=["run-1"], lr=["0.25"])
    assert app.number_input(key="lr-now").value == 1.0
    app.number_input(key="lr-now").set_value(0.5).run()
    assert engine.asked == [0.5]
    assert "The learning rate 0.5 takes effect in epoch 7, where the cosine schedule multiplies it by 0.99." in [
        c.value for c in app.caption
    ]
    assert "learning rate 1, 0.5 from epoch 7" in html(app)
    for figure in charts["train-curves"]:
        assert [word["text"] for word in figure["layout"]["annotations"]] == ["lr 0.5"]
        assert figure["layout"]["shapes"][0]["x0"] == 6.5
    assert len(charts["train-curves"][0]["data"][-1]["x"]) == 5
    assert query(app, "lr") == ["0.25"]  # what the next run starts with is another matter
    app.number_input(key="lr-now").set_value(0.0).run()
    assert [e.value for e in app.error] == [
        "Learning rate of this run: must be between 1e-06 and 1000, got 0. 0.5 stays in use."
    ]
    app.number_input(key="lr-now").set_value(60.0).run()
    assert [e.value for e in app.error] == ["run: its learning rate can change only before its last epoch begins"]


def test_before_the_first_epoch_the_run_before_stays_in_sight(open_app, engine, charts):
    engine.status, engine.message, engine.reached = "queued", "Starting the worker processes.", 0
    app = open_app("train", run=["run-1"])
    accuracy = charts["train-curves"][0]
    assert accuracy["layout"]["title"]["text"] == "Starting the worker processes"
    assert "the recorded run" in accuracy["layout"]["title"]["subtitle"]["text"]
    assert {trace["opacity"] for trace in accuracy["data"]} == {0.25} and len(accuracy["data"][-1]["x"]) == 120
    assert html(app).count("<td>…</td>") == 6 * 4  # the numbers are this run's: none yet
    engine.status, engine.message, engine.reached = "running", None, 3
    app.run()
    accuracy = charts["train-curves"][0]
    assert "opacity" not in accuracy["data"][0] and len(accuracy["data"][-1]["x"]) == 3


def test_the_whole_recipe_is_in_the_link_and_a_data_set_brings_its_own(open_app, engine):
    app = open_app("train")
    assert query(app, "network") == ["mlp:512"] and query(app, "samples") == ["all"] and query(app, "clip") == ["5"]
    app.number_input(key="number-batch").set_value(64).run()
    app.number_input(key="number-momentum").set_value(0.5).run()
    app.selectbox(key="pick-schedule").set_value("constant").run()
    app.selectbox(key="choice-network").set_value("mlp:64").run()
    assert query(app, "network") == ["mlp:64"]
    assert "Changed from the classroom recipe: network, batch, momentum, schedule." in [c.value for c in app.caption]
    app.toggle(key="switch-scale").set_value(True).run()
    app.button(key="start-run").click().run()
    recipe = engine.started[-1][0]
    assert (recipe.batch, recipe.momentum, recipe.schedule, recipe.network) == (64, 0.5, "constant", "mlp:64")
    assert recipe.equal_scale and recipe.lr == 1.0
    app.selectbox(key="pick-data").set_value("mnist").run()
    assert query(app, "batch") == ["128"] and query(app, "network") == ["mlp:256"] and query(app, "lr") == ["0.1"]
    assert query(app, "samples") == ["10000"] and query(app, "epochs") == ["30"]
    app.segmented_control(key="pick-recipe").set_value("paper").run()
    assert query(app, "network") == ["cnn-mnist"] and query(app, "weight_decay") == ["0.001"]
    assert query(app, "samples") == ["all"] and query(app, "lr") == ["0.01"]
    app.selectbox(key="pick-data").set_value("cifar10").run()
    assert query(app, "network") == ["cnn-cifar10"] and query(app, "augment") == ["crop-flip"]
    assert query(app, "loss") == ["ce", "mae", "agce:a=0.6,q=0.6", "ael:a=2.5"]  # the authors' values for this data
    app.selectbox(key="pick-data").set_value("digits").run()
    assert query(app, "recipe") == ["classroom"] and query(app, "lr") == ["1"]


def test_a_value_set_back_to_the_recipes_own_follows_again(open_app, engine):
    app = open_app("train", lr=["0.5"], epochs=["120"])
    app.number_input(key="number-lr").set_value(1.0).run()
    assert "All as in the classroom recipe of Digits." in [c.value for c in app.caption]
    app.number_input(key="number-epochs").set_value(7).run()
    app.button(key="recipe-own").click().run()
    assert query(app, "epochs") == ["120"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("recipe", "paper"), ("network", "resnet34"), ("samples", "1"), ("batch", "0"), ("momentum", "1")),
        *(("weight_decay", "-1"), ("schedule", "warm"), ("clip", "0"), ("augment", "turn"), ("epochs", "9999999")),
    ],
)
def test_garbage_in_a_field_of_the_recipe(open_app, engine, name, text):
    app = open_app("train", **{name: [text]})
    assert (
        len(app.warning) == 1
        and name.replace("_", " ") in app.warning[0].value.replace("\\", "").replace("_", " ").lower()
    )
    assert query(app, name) != [text] and not app.error


def test_a_link_that_does_not_go_with_the_readers_own_values(open_app, engine):
    app = open_app("train", noise=["asymmetric:0.4"], network=["cnn-small"])
    app.query_params.clear()
    app.query_params["data"] = ["moons"]
    app.run()
    assert not app.exception and query(app, "data") == ["moons"] and query(app, "network") == ["mlp:256,256"]


def test_what_the_noise_does_is_drawn_from_the_runs_own_labels(open_app, engine, charts):
    app = open_app("train", noise=["asymmetric:0.4"])
    assert "noise-matrices" not in charts  # nothing is computed while it is closed
    app.session_state["noise-picture"] = True
    app.run()
    _, drawn = charts["noise-matrices"]
    recipe = drawn_labels.Recipe(data="digits", losses=("ce",), noise=("asymmetric:0.4",))
    arrays = recipe.load()
    given = given_labels(recipe, recipe.lanes[0], arrays.train_inputs, arrays.train_labels)
    wrong = int((given != arrays.train_labels).sum())
    assert drawn["layout"]["title"]["text"].startswith(f"{wrong} of 1,438 labels are wrong")
    assert np.array(drawn["data"][0]["customdata"])[7, 1] == ((arrays.train_labels == 7) & (given == 1)).sum() > 0
    assert "<b>40%<" in html(app) and "<b>20%<" in html(app) and f"{wrong / 1438:.1%}" in html(app)
    assert html(app).count("<figcaption>") == drawn_labels.SAMPLES
    assert html(app).count("class=wrong") == (given != arrays.train_labels)[: drawn_labels.SAMPLES].sum()


@pytest.mark.parametrize(("data", "noise"), [("digits", "instance:0.3"), ("moons", "symmetric:0.3")])
def test_noise_without_a_matrix_and_points_without_pictures(open_app, engine, charts, data, noise):
    app = open_app("train", data=[data], noise=[noise])
    app.session_state["noise-picture"] = True
    app.run()
    assert not app.exception
    assert len(charts["noise-matrices"]) == (1 if "instance" in noise else 2)
    assert len(charts["noise-rates"]) == (2 if data == "moons" else 1) and ("<figcaption>" in html(app)) == (
        data == "digits"
    )


class Slow:
    """A data set's reader that is not there at first; its download waits to be let go on."""

    def __init__(self, fail=None):
        self.go, self.fail, self.there = threading.Event(), fail, False

    def load(self, folder, partial):
        if not self.there:
            raise fetching.Missing("data mnist: not found")

    def fetch(self, declared, tell, mirror):
        tell("train-images", 5_000_000, 10_000_000)
        self.go.wait(30)
        if self.fail:
            raise InputError(self.fail)
        self.there = True


@pytest.fixture
def download(monkeypatch):
    def prepare(fail=None):
        slow, fetches = Slow(fail), fetching.Fetches()
        monkeypatch.setattr("alf.data.DataSet.load", lambda _, folder=None, partial=False: slow.load(folder, partial))
        monkeypatch.setattr(fetching, "fetch", slow.fetch)
        for module in ("ui.training.fetching", "ui.training.buttons"):
            monkeypatch.setattr(f"{module}.fetches", lambda: fetches)
        return slow, fetches

    return prepare


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    pytest.fail("it did not happen")


def test_a_data_set_that_is_not_here_is_downloaded_first(open_app, engine, download):
    slow, fetches = download()
    app = open_app("train", data=["mnist"])
    app.button(key="start-run").click().run()
    wait_for(lambda: fetches.state("mnist", True).share == 0.5)
    app.run()
    assert app.button(key="start-run").disabled and engine.started == []
    assert "Downloading train-images: 5.0 of 10.0 MB" in app.get("progress")[0].text
    slow.go.set()
    wait_for(lambda: fetches.state("mnist", True).ready)
    app.run()
    assert [recipe.data for recipe, _ in engine.started] == ["mnist"] and query(app, "run") == ["run-1"]


def test_a_download_that_fails_says_so_once_and_can_be_tried_again(open_app, engine, download):
    slow, fetches = download(fail="data mnist: the files cannot be downloaded (ConnectionError); try again later")
    slow.go.set()
    app = open_app("train", data=["mnist"])
    app.button(key="start-run").click().run()
    wait_for(lambda: fetches.state("mnist", True).error)
    app.run()
    assert slow.fail in app.error[0].value and "ALF_DATA_DIR" in app.error[0].value and engine.started == []
    slow.fail = None
    app.button(key="start-run").click().run()
    wait_for(lambda: fetches.state("mnist", True).ready)
    app.run()
    assert len(engine.started) == 1 and not app.error


def test_waiting_for_a_download_can_be_given_up(open_app, engine, download):
    slow, fetches = download()
    app = open_app("train", data=["mnist"])
    app.button(key="start-run").click().run()
    app.button(key="cancel-run").click().run()
    slow.go.set()
    wait_for(lambda: fetches.state("mnist", True).ready)
    app.run()
    assert engine.started == [] and not app.button(key="start-run").disabled
