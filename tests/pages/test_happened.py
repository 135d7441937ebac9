"""What happened, on the Train page: a sentence for each loss of a run, with links that open what explains it."""

import re
from html import unescape
from types import SimpleNamespace
from urllib.parse import parse_qs, urlparse

import pytest

from alf.runs import Progress
from alf.runs.estimate import Estimate
from alf.runs.recorded_run import recorded
from alf.theory.verdict import Status
from tests.pages.conftest import query
from ui.training import happened, session

WHOLE = recorded("digits")


class Engine:
    """An engine with one run: the recorded digits, as far as `reached`, in the state `status`."""

    def __init__(self):
        self.status, self.reached, self.looked = "finished", WHOLE.recipe.epochs, []
        self.store = SimpleNamespace(snapshot_epochs=lambda run: dict.fromkeys(range(18), WHOLE.recipe.epochs))

    def progress(self, run):
        return Progress(run, WHOLE.recipe, None, "me", 0.0, self.status, None, (), {}, self.reached, 120, 1.0, 3.0, 1.0)

    def curves(self, run):
        return [r for r in WHOLE.records if r["epoch"] <= self.reached]

    def inspect(self, run, lane):
        self.looked.append(lane)
        return WHOLE.inspect(lane)

    def seconds_needed(self, recipe):
        return Estimate(1.0)


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    monkeypatch.setattr(session, "engine", lambda: made)
    monkeypatch.setattr(session, "owner", lambda: "me")
    happened._never.clear()
    return made


@pytest.fixture
def proofs(monkeypatch):
    """What is asked of the theory; every loss but CE tolerates the noise, once the proofs are there."""
    state = SimpleNamespace(asked=[], ready=True)

    def answer(question, claim):
        state.asked.append((question.loss, claim))
        holds = question.loss != "ce"
        return SimpleNamespace(holds=holds, status=Status.PROVED) if state.ready else None

    monkeypatch.setattr(happened, "answer", answer)
    return state


def section(app):
    return next(body for block in app.get("html") if "alf-happened" in (body := str(block.proto.body)))


def cases(app):
    """Loss name -> the text said of it."""
    parts = section(app).split('<div class="alf-case">')[1:]
    return {re.search(r"</span>(\w+)<small>", part).group(1): unescape(re.sub("<[^>]*>", " ", part)) for part in parts}


def links(app):
    return [(unescape(href), words) for href, words in re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', section(app))]


def test_every_loss_of_the_recorded_run_has_its_sentence(open_app, charts, proofs):
    app = open_app("train")
    said = cases(app)
    assert list(said) == ["CE", "MAE", "AGCE", "AEL"]
    assert "memorising" in said["CE"] and "falls after epoch" in said["CE"]
    assert (
        "trapped" in said["MAE"] and "never predicted (" in said["MAE"] and "MAE is proved to tolerate" in said["MAE"]
    )
    assert {loss for loss, _ in proofs.asked} <= {"ce", "mae", "agce:a=4,q=0.2", "ael:a=3.5"}
    assert {claim for _, claim in proofs.asked} == {"noise_tolerant"}


def test_the_links_lead_to_what_explains_it(open_app, charts, proofs):
    app = open_app("train", seeds=["3"])
    found = {words: parse_qs(urlparse(href).query) | {"": [urlparse(href).path]} for href, words in links(app)}
    assert found["What it memorised ↓"]["look"] == ["heart"] and found["What it memorised ↓"]["look-loss"] == ["ce"]
    assert found["What it gets wrong ↓"]["look"] == ["wrong"] and found["What it gets wrong ↓"]["seeds"] == ["3"]
    assert found["Sample weight of MAE →"][""] == ["explore"]
    assert found["Sample weight of MAE →"]["loss"] == ["ce", "mae", "agce:a=4,q=0.2", "ael:a=3.5"]
    assert found["The proof →"][""] == ["prove"] and found["The proof →"]["noise"] == ["symmetric:0.5"]
    assert found["The best prediction →"][""] == ["simplex"] and found["The best prediction →"]["rate"] == ["0.5"]
    for href, _ in links(app):  # each is a link that its page takes as it is
        url = urlparse(href)
        if url.path:
            there = open_app(url.path, **parse_qs(url.query))
            assert not there.warning, (href, [w.value for w in there.warning])
    app = open_app("train", **parse_qs(urlparse(next(h for h, w in links(app) if "wrong" in w)).query))
    assert query(app, "look") == ["wrong"] and query(app, "look-loss") == ["mae"]


def test_a_run_that_goes_on_says_so_and_looks_inside_nothing(open_app, charts, engine, proofs):
    engine.status, engine.reached = "running", 2
    app = open_app("train", run=["run-1"])
    assert "What has happened so far" in section(app) and "too early" in cases(app)["CE"] and not engine.looked
    engine.reached = 0
    app.run()
    assert "This is said after the first epochs." in section(app) and not cases(app)
    engine.reached = 100
    app.run()
    assert "never predicted." in cases(app)["MAE"] and not engine.looked  # names come at the end
    engine.status, engine.reached = "finished", WHOLE.recipe.epochs
    app.run()
    assert "never predicted (" in cases(app)["MAE"] and engine.looked


def test_a_proof_that_is_awaited_comes_by_itself(open_app, charts, engine, proofs):
    proofs.ready = False
    app = open_app("train", run=["run-1"])
    assert "trapped" in cases(app)["MAE"] and "proved to tolerate" not in section(app)
    proofs.ready = True
    app.run()
    assert "MAE is proved to tolerate" in cases(app)["MAE"]


def test_a_snapshot_of_another_epoch_names_no_classes(open_app, charts, engine, proofs):
    engine.store.snapshot_epochs = lambda run: dict.fromkeys(range(18), 100)
    app = open_app("train", run=["run-1"])
    assert "never predicted." in cases(app)["MAE"] and not engine.looked
