"""A scheduler elsewhere: one that does not answer, comes later, has no workers, goes away and comes back."""

import time

import pytest
from distributed import LocalCluster

from alf.runs import Engine
from alf.settings import Settings
from alf.training import Recipe
from tests.runs.conftest import ended
from tests.runs.postgres import free_port

SMALL = Recipe(data="digits", losses=("ce", "mae"), noise=("symmetric:0.5",), network="mlp:16", epochs=3, lr=0.3)


@pytest.fixture
def port():
    return free_port("127.0.0.1")


@pytest.fixture
def make_engine(make_url):
    """Engines of one store, closed at the end of the test."""
    url, made = make_url(), []

    def make(**environment):
        settings = Settings.from_environment({"ALF_STORE": url, "ALF_WORKERS": "1"} | environment)
        made.append(Engine(settings))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


def cluster(port, workers=1):
    address = "127.0.0.1:0"
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, scheduler_port=port, dashboard_address=address, silence_logs=50
    )


def until(condition, seconds=90.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.mark.both_stores
def test_an_unreachable_scheduler_fails_nobodys_run(make_engine):
    away = make_engine(ALF_SCHEDULER="tcp://127.0.0.1:9")
    run, dropped = away.start(SMALL, "ann"), away.start(SMALL.with_(lr=0.1), "ann")
    said = "ALF_SCHEDULER: no scheduler answers at tcp://127.0.0.1:9"
    sentence = f"Waiting for workers. {said}. It is tried again every few seconds."
    until(lambda: away.progress(run).message == sentence)
    assert away.progress(run).status == "queued"
    away.stop(dropped)  # the queue can be left
    assert away.progress(dropped).status == "stopped"
    here = make_engine()  # another server on the same store has workers of its own
    theirs = here.start(SMALL.with_(lr=0.2), "bob")
    assert ended(here, theirs).status == ended(here, run).status == away.progress(run).status == "finished"


def test_a_scheduler_that_comes_later_goes_away_and_comes_back(make_engine, port):
    engine = make_engine(ALF_SCHEDULER=f"tcp://127.0.0.1:{port}")
    run = engine.start(SMALL, "ann")
    until(lambda: "no scheduler answers" in (engine.progress(run).message or ""))
    with cluster(port, workers=0) as idle:
        until(lambda: "answers, but has no workers" in (engine.progress(run).message or ""))
        idle.scale(1)
        assert ended(engine, run).status == "finished"
        long = engine.start(SMALL.with_(network="mlp:256", epochs=400), "ann")
        until(lambda: engine.progress(long).epoch >= 2)
    until(lambda: engine.progress(long).status == "queued")
    until(lambda: "no scheduler answers" in (engine.progress(long).message or ""))
    records = engine.store.records(long)
    with cluster(port):
        until(lambda: len(engine.store.records(long)) > len(records))
        assert engine.store.records(long)[: len(records)] == records
        engine.stop(long)
        until(lambda: engine.progress(long).status == "stopped")
        engine.close()


def test_workers_that_keep_another_store_are_told(make_engine, port, monkeypatch):
    engine = make_engine(ALF_SCHEDULER=f"tcp://127.0.0.1:{port}")
    monkeypatch.setattr("alf.runs.store.Store.identity", "mine")
    with cluster(port):
        run = engine.start(SMALL, "ann")
        until(lambda: "ALF_STORE: must be a database that the workers" in (engine.progress(run).message or ""))
        assert engine.progress(run).status == "queued"
        monkeypatch.undo()
        assert ended(engine, run).status == "finished"
        engine.close()
