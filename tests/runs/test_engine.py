"""The engine with real worker processes: finish, stop, kill, resume, restart, failure in words."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

import alf
from alf.errors import InputError
from alf.runs import Engine, Store
from alf.runs import tables as t
from alf.training import Recipe, classroom
from alf.training import run as run_here
from alf.training.records import RECORD_KEYS
from tests.runs.conftest import ended

SOAK = os.environ.get("ALF_SOAK") == "1"
SMALL = Recipe(data="digits", losses=("ce", "mae"), noise=("symmetric:0.5",), network="mlp:16", epochs=3, lr=0.3)
LONG = SMALL.with_(losses=("ce", "ael:a=3.5"), network="mlp:256", epochs=400)
DEAF = SMALL.with_(losses=("ce",), network="mlp:8192,8192,8192", batch=1438, epochs=400)  # seconds in one batch


def until(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)
    return value


def worker_of(engine, run):
    """The process that computes a run, once there is one."""
    with engine.store.read() as connection:
        row = connection.execute(
            select(t.parts).join(t.runs, t.runs.c.result == t.parts.c.result).where(t.runs.c.id == run)
        ).first()
    return row.worker if row.status == "running" else None


def without_time(records):
    return [{k: v for k, v in record.items() if k not in ("run", "seconds")} for record in records]


@pytest.mark.both_stores
def test_a_run_gives_what_training_here_gives(engine):
    run = engine.start(SMALL, "ann")
    assert engine.start(SMALL, "ann") == run
    progress = ended(engine, run)
    assert (progress.status, progress.epoch, progress.fraction, progress.message) == ("finished", 3, 1.0, None)
    records = engine.store.records(run)
    assert tuple(records[0]) == RECORD_KEYS
    here = list(run_here(SMALL))[:-1]
    assert [(r["lane"], r["epoch"]) for r in records] == [(r["lane"], r["epoch"]) for r in here]
    for mine, other in zip(records, here, strict=True):
        assert mine["train_loss"] == pytest.approx(other["train_loss"], rel=1e-4)
    assert engine.progress(engine.start(SMALL, "bob")).status == "finished"


def test_stop_is_acknowledged_at_once_and_obeyed(engine):
    run = engine.start(LONG, "ann")
    until(lambda: engine.progress(run).epoch >= 2)
    engine.stop(run)  # how soon is measured by benchmarks/stop.py; a busy machine must not fail the tests
    assert engine.progress(run).status in ("stopping", "stopped")
    until(lambda: engine.progress(run).status == "stopped", 60.0)
    assert engine.store.records(run)
    epoch = engine.progress(run).epoch
    time.sleep(0.3)
    assert engine.progress(run).epoch == epoch


def test_a_run_that_does_not_listen_is_stopped_all_the_same(engine):
    run = engine.start(DEAF, "ann")
    until(lambda: worker_of(engine, run))
    time.sleep(1.0)  # let it begin its first batch; then its worker is killed (benchmarks/stop.py says how soon)
    engine.stop(run)
    until(lambda: engine.progress(run).status == "stopped", 60.0)
    # and the workers that are left, and its replacement, go on working
    assert ended(engine, engine.start(SMALL.with_(lr=0.2), "ann")).status == "finished"


@pytest.mark.both_stores
def test_a_killed_worker_loses_nothing(engine):
    recipe = LONG.with_(epochs=30, lr=0.2)
    run = engine.start(recipe, "ann")
    until(lambda: engine.progress(run).epoch >= 5)
    before = engine.store.records(run)
    os.kill(worker_of(engine, run)["pid"], signal.SIGKILL)
    assert ended(engine, run).status == "finished"
    after = engine.store.records(run)
    assert after[: len(before)] == before
    assert [(r["lane"], r["epoch"]) for r in after] == [(lane, epoch) for epoch in range(1, 31) for lane in (0, 1)]
    undisturbed = engine.start(recipe.with_(device="cpu"), "ann")
    ended(engine, undisturbed)
    assert without_time(engine.store.records(undisturbed)) == without_time(after)


def test_workers_killed_at_random_moments_lose_no_finished_epoch(engine):
    random = np.random.default_rng(0)
    recipe = LONG.with_(epochs=60 if SOAK else 25, lr=0.15)
    run = engine.start(recipe, "ann")
    kept = []
    for _ in range(20 if SOAK else 3):
        target = len(kept) // 2 + 2
        until(lambda target=target: engine.progress(run).epoch >= target or not engine.progress(run).active)
        time.sleep(random.uniform(0, 0.3))
        worker = worker_of(engine, run)
        if worker is None:
            continue
        os.kill(worker["pid"], signal.SIGKILL)
        now = engine.store.records(run)
        assert now[: len(kept)] == kept
        kept = now
    assert ended(engine, run).status == "finished"
    assert engine.store.records(run)[: len(kept)] == kept
    undisturbed = engine.start(recipe.with_(device="cpu"), "ann")
    ended(engine, undisturbed)
    assert without_time(engine.store.records(undisturbed)) == without_time(engine.store.records(run))


@pytest.mark.skipif(not SOAK, reason="waits 18 s for Dask; ALF_SOAK=1 runs it")
def test_a_worker_killed_again_while_its_absence_is_looked_into_comes_back(make_engine):
    """Dask looks 15 s after a worker's death whether there is one in its place, and if not, gives the place up."""
    engine = make_engine(workers=1)
    run = engine.start(LONG.with_(network="mlp:1024", lr=0.12), "ann")
    os.kill(until(lambda: worker_of(engine, run))["pid"], signal.SIGKILL)
    again = time.monotonic() + 14.5  # the next one takes a second to begin
    until(lambda: time.monotonic() > again and worker_of(engine, run))
    os.kill(worker_of(engine, run)["pid"], signal.SIGKILL)
    time.sleep(3)
    before = len(engine.store.records(run))
    until(lambda: len(engine.store.records(run)) > before + 4, 60.0)
    engine.stop(run)
    engine.close()


def test_a_worker_that_always_dies_fails_in_words(engine):
    run = engine.start(DEAF.with_(lr=0.05), "ann")
    seen = set()
    while (progress := engine.progress(run)).active:
        worker = until(lambda: worker_of(engine, run) or not engine.progress(run).active)
        if isinstance(worker, dict) and worker["pid"] not in seen:
            seen.add(worker["pid"])
            with suppress(ProcessLookupError):
                os.kill(worker["pid"], signal.SIGKILL)
        time.sleep(0.05)
    assert progress.status == "failed" and progress.message.startswith("The worker process was killed repeatedly")
    assert len(seen) == 3


SERVER = """
import json, sys, time
from alf.runs import Engine
from alf.settings import Settings
from alf.training import Recipe
if __name__ == "__main__":
    engine = Engine(Settings.from_environment({"ALF_STORE": sys.argv[1], "ALF_WORKERS": "1"}))
    recipe, further = Recipe.from_dict(json.loads(sys.argv[2])), int(sys.argv[3])
    known = engine.store.runs("ann")
    run = known[0] if known else engine.start(recipe, "ann")  # a restarted server goes on by itself
    seen = len(engine.store.records(run))
    while len(engine.store.records(run)) < seen + further and engine.progress(run).active:
        time.sleep(0.01)
    print(run, flush=True)
    time.sleep(600)
"""


@pytest.mark.both_stores
def test_a_server_killed_at_random_moments_loses_no_finished_epoch(tmp_path, make_url, make_engine):
    script, url = tmp_path / "server.py", make_url()
    script.write_text(SERVER)
    random = np.random.default_rng(1)
    kills = 20 if SOAK else 2
    recipe = LONG.with_(epochs=40 if SOAK else 20, network="mlp:64")
    environment = os.environ | {"PYTHONPATH": str(Path(alf.__file__).parents[1])}
    store, kept = Store(url), []
    for _ in range(kills):
        arguments = [sys.executable, str(script), url, json.dumps(recipe.to_dict()), "4"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as server:
            run = server.stdout.readline().strip()
            time.sleep(random.uniform(0, 0.2))
            server.kill()
        now = store.records(run)
        assert now[: len(kept)] == kept and len(now) >= min(len(kept) + 4, 2 * recipe.epochs)
        kept = now
    store.close()
    engine = make_engine(url, workers=1)  # nobody presses anything
    assert ended(engine, run).status == "finished"
    after = engine.store.records(run)
    assert after[: len(kept)] == kept and len(after) == 2 * recipe.epochs
    undisturbed = engine.start(recipe.with_(device="cpu"), "ann")
    ended(engine, undisturbed)
    assert without_time(engine.store.records(undisturbed)) == without_time(after)


def test_failures_are_told_in_words(engine):
    # 64 models of this size need 320 GiB
    recipe = SMALL.with_(losses=("ce",), seeds=tuple(range(64)), network="mlp:8192,8192,8192,8192,8192,8192")
    run = engine.start(recipe, "ann")
    progress = ended(engine, run, 120)
    assert progress.status == "failed"
    assert re.match(r"network: at most \d+ GiB of memory are free, got 32 models of mlp:8192,", progress.message)
    assert "\n" not in progress.message


def test_limits_and_sentences(make_engine):
    engine = make_engine(ALF_MAX_LANES=3, ALF_MAX_EPOCHS=10)
    with pytest.raises(InputError, match="lanes: at most 3 models in one run, got 18"):
        engine.start(classroom("digits", epochs=1), "ann")
    with pytest.raises(InputError, match="epochs: at most 10 in one run here, got 11"):
        engine.start(SMALL.with_(epochs=11), "ann")


def test_a_server_tidies_its_store_by_itself(make_engine, monkeypatch):
    monkeypatch.setattr("alf.runs.supervisor.TIDY", 0.1)
    engine = make_engine(workers=1, ALF_KEEP_RUNS=1)
    runs = [engine.start(SMALL.with_(epochs=1, lr=lr), "ann") for lr in (0.1, 0.2)]
    for run in runs:
        ended(engine, run)
    assert set(engine.store.runs("ann")) == set(runs)  # nothing goes within an hour
    with engine.store.decide() as connection:
        connection.execute(t.results.update().values(used=t.results.c.created - 7200))
    until(lambda: engine.store.count("ann") == 1)
    engine.close()


def test_importing_runs_starts_nothing():
    code = "import sys, alf.runs; sys.exit(any(m in sys.modules for m in ('torch', 'distributed', 'streamlit')))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_engine_is_one_per_process(monkeypatch, tmp_path):
    from alf.runs import engine as shared
    from alf.runs.engine import _engine
    from alf.settings import settings

    monkeypatch.setenv("ALF_STORE", str(tmp_path / "runs.sqlite"))
    settings.cache_clear(), _engine.cache_clear()
    try:
        assert shared() is shared() and isinstance(shared(), Engine)
        assert shared().supervisor._thread is None  # nothing runs before somebody starts something
        shared().close()
    finally:
        settings.cache_clear(), _engine.cache_clear()


def test_a_finished_run_can_be_inspected(engine):
    run = engine.start(SMALL, "ann")
    ended(engine, run)
    last = {record["lane"]: record for record in engine.store.records(run, since=2)}
    for lane in (0, 1):
        seen = engine.inspect(run, lane)
        assert seen.epoch == 3
        assert seen.confusion.trace() / seen.confusion.sum() == pytest.approx(last[lane]["test_accuracy"])
    assert engine.inspect(run, 7) is None


@pytest.mark.both_stores
def test_pause_step_and_another_learning_rate(engine):
    recipe = LONG.with_(lr=0.25)
    run = engine.start(recipe, "ann")
    until(lambda: engine.progress(run).epoch >= 2)
    engine.pause(run)
    until(lambda: engine.progress(run).status == "paused")
    held = engine.progress(run)
    time.sleep(0.5)
    assert engine.progress(run) == held
    held = max(record["epoch"] for record in engine.store.records(run))  # its parts may be at different epochs
    engine.step(run)  # brings them together
    until(lambda: engine.progress(run).epoch == held + 1)
    until(lambda: engine.progress(run).status == "paused")
    before = engine.store.records(run)
    epoch = engine.set_lr(run, 0.01)
    assert epoch == held + 2 and engine.progress(run).recipe.changes == ((epoch, 0.01),)
    assert engine.progress(run).status == "paused"
    engine.play(run)
    until(lambda: engine.progress(run).epoch >= epoch + 1)
    assert engine.store.records(run)[: len(before)] == before
    engine.stop(run)
    assert ended(engine, run).status == "stopped"


def test_another_learning_rate_counts_at_once_and_nothing_is_computed_again(engine):
    recipe = LONG.with_(network="mlp:16", lr=0.25, epochs=500)  # many epochs between two checkpoints
    run = engine.start(recipe, "ann")
    until(lambda: engine.progress(run).epoch >= 20)
    for lr in (0.01, 0.5):
        epoch = engine.set_lr(run, lr)
        with engine.store.read() as connection:
            kept = connection.scalars(
                select(t.checkpoints.c.epoch)
                .select_from(t.parts.join(t.checkpoints).join(t.runs, t.runs.c.result == t.parts.c.result))
                .where(t.runs.c.id == run)
            ).all()
        assert max(kept) >= epoch - 2  # where its workers had come to, and not where they last wrote it down by habit
        changed = engine.progress(run)
        assert changed.recipe.changes[-1] == (epoch, lr) and changed.status == "running"
        until(lambda epoch=epoch: engine.progress(run).epoch >= epoch + 20)
    assert ended(engine, run).status == "finished"
    changed = engine.progress(run).recipe
    assert [change.lr for change in changed.changes] == [0.01, 0.5]
    whole = engine.start(changed.with_(device="cpu"), "ann")
    assert ended(engine, whole).status == "finished"
    assert without_time(engine.store.records(whole)) == without_time(engine.store.records(run))


def test_a_change_is_refused_without_a_trace(engine):
    run, other = engine.start(LONG, "ann"), engine.start(LONG, "bob")
    until(lambda: engine.progress(run).epoch >= 1)
    with pytest.raises(InputError, match="lr: must lie in"):
        engine.set_lr(run, -1.0)
    until(lambda: engine.progress(run).status == "running" and engine.progress(run).message is None)
    epoch = engine.set_lr(run, 0.02)  # the other one goes on with the old rate
    assert engine.progress(run).recipe.changes == ((epoch, 0.02),)
    at = engine.progress(other).epoch
    until(lambda: engine.progress(other).epoch > at and engine.progress(run).epoch > epoch)
    assert engine.progress(other).recipe == LONG
    for one in (run, other):
        engine.stop(one)


def test_a_run_stopped_and_started_again_gives_the_same_curve(engine):
    recipe = LONG.with_(lr=0.35, epochs=25)
    run = engine.start(recipe, "ann")
    for target in (3, 9):
        until(lambda target=target: engine.progress(run).epoch >= target)
        engine.stop(run)
        until(lambda: engine.progress(run).status == "stopped")
        assert engine.start(recipe, "ann") == run
    assert ended(engine, run).status == "finished"
    undisturbed = engine.start(recipe.with_(device="cpu"), "ann")
    ended(engine, undisturbed)
    assert without_time(engine.store.records(undisturbed)) == without_time(engine.store.records(run))


def test_ten_runs_of_three_browsers_finish_fairly(make_engine):
    engine = make_engine()
    busy = [engine.start(LONG.with_(lr=0.01 * i), "z") for i in (1, 2)]
    until(lambda: all(worker_of(engine, run) for run in busy))
    recipes = [SMALL.with_(lr=0.01 * (i + 1), epochs=4) for i in range(10)]
    runs = [engine.start(recipe, owner) for recipe, owner in zip(recipes, "aaaaaabbbc", strict=True)]
    for run in busy:  # only now is there room: all ten wait
        engine.stop(run)
    assert all(ended(engine, run, 240).status == "finished" for run in runs)
    with engine.store.read() as connection:
        rows = connection.execute(
            select(t.runs.c.owner, t.parts.c.leased)
            .join(t.parts, t.parts.c.result == t.runs.c.result)
            .where(t.runs.c.id.in_(runs))
        ).all()
    order = "".join(row.owner for row in sorted(rows, key=lambda row: row.claimed))
    # Everybody's first run begins before anybody's second one, so with two workers and runs of one length nobody waits
    # longer than one run; and b's second before a's third.
    assert sorted(order[:3]) == ["a", "b", "c"] and sorted(order[3:5]) == ["a", "b"]
