"""Look inside on the Train page: nothing is loaded before it is opened, and every state of a run has its words."""

from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from alf.errors import InputError
from alf.runs import Progress
from alf.runs.estimate import Estimate
from alf.runs.recorded_run import recorded
from alf.training import classroom
from alf.training.inspect import inspect
from alf.training.snapshots import COARSE
from tests.pages.conftest import query
from ui.training import features, inspection, session

MOONS = classroom("moons", losses=("ce", "agce:a=4,q=0.2"), noise=("symmetric:0.3",), seeds=(0, 5), epochs=9)


class Engine:
    """An engine with one run: the recorded digits, or moons as made-up networks see them."""

    def __init__(self, recipe, seen):
        self.recipe, self.seen = recipe, seen
        self.status, self.epochs, self.ended, self.asked = "finished", {}, {}, []
        self.store = SimpleNamespace(snapshot_epochs=lambda run: self.epochs)

    def progress(self, run):
        if run != "run-1":
            raise InputError(f"run: no such run, got {run}")
        return Progress(
            run, self.recipe, None, "me", 0.0, self.status, None, (), self.ended, 5, self.recipe.epochs, 0.5, 3.0, 1.0
        )

    def curves(self, run):
        return []

    def seconds_needed(self, recipe):
        return Estimate(0.0)

    def inspect(self, run, lane):
        self.asked.append(lane)
        return self.seen(lane)


@pytest.fixture(autouse=True)
def nothing_kept():
    inspection._inspection.clear()


@pytest.fixture
def engine(monkeypatch):
    def make(recipe, seen):
        made = Engine(recipe, seen)
        monkeypatch.setattr(session, "engine", lambda: made)
        monkeypatch.setattr(session, "owner", lambda: "me")
        return made

    return make


@pytest.fixture
def digits(engine):
    run = recorded("digits")
    made = engine(run.recipe, lambda lane: replace(run.inspect(lane), epoch=made.epochs[lane]))
    made.epochs = dict.fromkeys(range(len(run.recipe.lanes)), 120)
    return made


@pytest.fixture
def moons(engine):
    arrays = MOONS.load()
    random = np.random.default_rng(0)

    def seen(lane):
        shot = {"lanes": np.array([lane]), "epoch": np.array(made.epochs[lane])}
        shot |= {"train": random.integers(0, 2, (1, 200)), "test": random.integers(0, 2, (1, 1000))}
        shot |= {"features": random.normal(size=(1, 300, 4)), "variance": np.array([[0.6, 0.3, 0.05, 0.01]])}
        return inspect(MOONS, arrays, shot | {"scores": random.normal(size=(1, COARSE.side, COARSE.side, 2))}, lane)

    made = engine(MOONS, seen)
    made.epochs = dict.fromkeys(range(4), 9)
    return made


def html(app):
    return " ".join(str(block.proto.body) for block in app.get("html"))


def titles(charts, key):
    return [figure["layout"]["title"]["text"] for figure in charts[key]]


def test_nothing_is_loaded_before_it_is_opened(open_app, digits, charts):
    app = open_app("train", run=["run-1"])
    assert digits.asked == [] and not [key for key in charts if key.startswith("inside")]
    assert query(app, "look") == []
    app.button_group(key="inside-look").set_value("wrong").run()
    assert sorted(digits.asked) == [0, 3, 6, 9, 12, 15]  # seed 0 of each loss
    assert query(app, "look") == ["wrong"]
    app.run()
    assert len(digits.asked) == 6  # kept


def test_what_a_loss_gets_wrong(open_app, digits, charts):
    app = open_app("train", run=["run-1"], look=["wrong"], **{"look-loss": ["ael:a=3.5"], "look-seed": ["1"]})
    classes, confusion = titles(charts, "inside-wrong")
    assert "is the hardest class" in classes and confusion.startswith("AEL takes ")
    assert "The models of seed 1 after epoch 120 of 120." in html(app)
    seen = recorded("digits").inspect(13)
    numbers = [a["text"] for a in charts["inside-wrong"][1]["layout"]["annotations"]]
    assert sum(map(int, numbers)) == seen.confusion.sum() == 359
    app.button_group(key="inside-look-loss").set_value("ce").run()
    assert titles(charts, "inside-wrong")[1].startswith("CE takes ") and query(app, "look-loss") == ["ce"]


def test_which_labels_a_loss_has_learned_by_heart(open_app, digits):
    app = open_app("train", run=["run-1"], look=["heart"])
    run = recorded("digits")
    mine, others = run.inspect(0).memorised, [run.inspect(lane).memorised for lane in (3, 6, 9, 12, 15)]
    alone = mine & ~np.any(others, axis=0)
    words = f"CE has memorised {mine.sum()} of {run.inspect(0).flipped.sum()} wrong labels; {alone.sum()} of them"
    assert words in html(app)
    assert html(app).count("<img ") == 36 and html(app).count('alt="') == 36
    assert html(app).count('class="alf-learned"') >= 36  # each of them by the chosen loss at least
    first = html(app)
    app.button(key="inside-more").click().run()
    assert query(app, "look-page") == ["1"] and html(app) != first
    app.button_group(key="inside-look-at").set_value("alone").run()
    assert query(app, "look-at") == ["alone"] and query(app, "look-page") == []
    assert html(app).count('title="CE says') == 36


def test_pictures_none_of_which_is_shown(open_app, digits, monkeypatch):
    run = recorded("digits")
    honest = run.inspect(0)
    monkeypatch.setattr(digits, "seen", lambda lane: replace(honest, train_predicted=honest.train_true))
    app = open_app("train", run=["run-1"], look=["heart"])
    assert "CE has memorised 0 of" in html(app) and "None of them." in html(app) and "<img" not in html(app)


def test_where_no_label_is_wrong_there_is_nothing_to_learn_by_heart(open_app, digits, monkeypatch):
    honest = recorded("digits").inspect(0)
    monkeypatch.setattr(digits, "seen", lambda lane: replace(honest, train_given=honest.train_true))
    assert "no wrong label to memorise" in html(open_app("train", run=["run-1"], look=["heart"]))


def test_features_on_their_principal_axes_and_by_tsne(open_app, digits, charts, monkeypatch):
    app = open_app("train", run=["run-1"], look=["sees"])
    figures = charts["inside-pca"]
    assert len(figures) == 6 and figures[0]["layout"]["xaxis"]["title"]["text"].endswith("of the variance")
    future = Future()
    monkeypatch.setattr(features, "_map", lambda *asked: future)
    app.button_group(key="inside-look-map").set_value("tsne").run()
    assert "t-SNE is being computed for CE, GCE" in html(app) and "inside-tsne" not in charts
    future.set_result(np.random.default_rng(0).normal(size=(300, 2)))
    app.run()
    assert len(charts["inside-tsne"]) == 6 and "being computed" not in html(app)
    assert "the distances between groups and their shapes have none" in html(app)


def test_tsne_that_was_stopped_says_so(open_app, digits, charts, monkeypatch):
    future = Future()
    future.set_exception(features.Late())
    monkeypatch.setattr(features, "_map", lambda *asked: future)
    app = open_app("train", run=["run-1"], look=["sees"], **{"look-map": ["tsne"]})
    assert [w.value for w in app.warning] == ["t-SNE did not finish within 60 seconds; its worker was stopped."]
    digits.seen = lambda lane: replace(recorded("digits").inspect(lane), features=None)
    inspection._inspection.clear()
    app.run()
    assert [w.value for w in app.warning] == ["This run kept too little for t-SNE; press Start to train it again."]


def test_the_map_of_a_running_run_is_that_of_its_principal_axes(open_app, digits, charts):
    digits.status = "running"
    app = open_app("train", run=["run-1"], look=["sees"], **{"look-map": ["tsne"]})
    assert "t-SNE is drawn once the run has ended" in app.info[0].value and len(charts["inside-pca"]) == 6


def test_the_recorded_run_can_be_looked_into(open_app, charts):
    app = open_app("train", look=["wrong"])
    assert titles(charts, "inside-wrong")[1].startswith("CE takes ")
    assert "The models of seed 0 after epoch 120 of 120." in html(app)


def test_regions_of_points_side_by_side(open_app, moons, charts):
    app = open_app("train", run=["run-1"], look=["regions"], **{"look-seed": ["5"]})
    figures = charts["inside-regions"]
    assert sorted(moons.asked) == [1, 3] and len(figures) == 2
    assert [t.partition(":")[0] for t in titles(charts, "inside-regions")] == ["CE", "AGCE"]
    assert "of test points predicted right" in titles(charts, "inside-regions")[0]
    assert figures[0]["layout"]["images"][0]["source"].startswith("data:image/png")
    assert sum(len(trace["x"]) for trace in figures[0]["data"]) == 200
    app.button_group(key="inside-look").set_value("heart").run()
    assert len(charts["inside-heart"]) == 2 and "wrong labels" in titles(charts, "inside-heart")[1]


def test_what_is_new_is_loaded_and_the_rest_kept(open_app, moons, charts):
    moons.status, moons.epochs = "running", {0: 2, 2: 2}
    app = open_app("train", run=["run-1"], look=["regions"])
    assert "after epoch 2 of 9" in html(app)
    moons.epochs = {0: 4, 2: 2}
    app.run()
    assert moons.asked == [0, 2, 0] and "after epochs 2 to 4 of 9" in html(app)


def test_a_run_without_pictures_says_when_they_come(open_app, moons, charts):
    moons.status, moons.epochs = "queued", {}
    app = open_app("train", run=["run-1"], look=["regions"])
    assert "The first pictures come with the first epoch." in html(app) and "inside-regions" not in charts
    moons.status = "stopped"
    app.run()
    assert "This run kept no pictures" in html(app)


def test_a_diverged_model_is_said_in_words_and_the_others_shown(open_app, moons, charts):
    moons.ended = {0: "Diverged in epoch 3: its loss became NaN."}
    app = open_app("train", run=["run-1"], look=["regions"])
    assert "CE: Diverged in epoch 3: its loss became NaN." in [i.value for i in app.info]
    assert [t.partition(":")[0] for t in titles(charts, "inside-regions")] == ["AGCE"]
    app.button_group(key="inside-look").set_value("wrong").run()
    assert len(charts["inside-wrong"]) == 1  # no confusion of a model that is not there


def test_data_that_are_not_here_are_named(open_app, moons, charts):
    def missing(lane):
        raise InputError("data mnist: a copy is needed")

    moons.seen = missing
    app = open_app("train", run=["run-1"], look=["wrong"])
    assert "CE: data mnist: a copy is needed" in [i.value for i in app.info]


def test_garbage_in_the_link_falls_back(open_app, digits, charts):
    strange = {"look-loss": ["formula:("], "look-seed": ["-1"], "look-map": ["umap"], "look-page": ["x"]}
    app = open_app("train", run=["run-1"], look=["regions"], **strange)
    assert len(app.warning) == 1 and not app.exception
    assert not [key for key in charts if key.startswith("inside")]  # pictures have no regions
    app = open_app("train", run=["run-1"], look=["wrong"], **{"look-loss": ["mse"], "look-seed": ["77"]})
    assert titles(charts, "inside-wrong")[1].startswith("CE takes ") and "of seed 0" in html(app)
