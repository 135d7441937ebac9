"""``python -m alf sweep`` on a cluster started by hand: a worker is killed, one comes, nothing is done twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from sqlalchemy import select

from alf.runs import Engine, Store
from alf.runs import tables as t
from alf.runs.dask_workers import NO_GPU
from alf.settings import Settings
from alf.training import Recipe
from tests.runs.conftest import ended
from tests.runs.machines import ROOT, Machines

SOAK = os.environ.get("ALF_SOAK") == "1"
KILLED = 8 if SOAK else 1
RECIPES = [
    Recipe("digits", ("ce", "mae", "gce:q=0.7", "agce:a=4,q=0.2"), ("symmetric:0.5",), network="mlp:16", epochs=30)
    .with_(samples=300, lr=(20 + i) / 100)
    for i in range(15)
]  # fmt: skip
CELLS = sum(len(recipe.lanes) for recipe in RECIPES)


@pytest.fixture
def machines(tmp_path):
    made = Machines(tmp_path)
    yield made
    made.close()


@pytest.fixture
def files(tmp_path):
    """The recipes as files."""
    paths = [tmp_path / f"recipe{number:02}.json" for number in range(len(RECIPES))]
    for path, recipe in zip(paths, RECIPES, strict=True):
        path.write_text(json.dumps(recipe.to_dict()))
    return paths


def start_sweep(machines, url, files, **settings):
    environment = machines.environment | {"ALF_STORE": url} | settings
    with (machines.folder / "out").open("w") as out, (machines.folder / "err").open("w") as err:
        command = [sys.executable, "-m", "alf", "sweep", *map(str, files)]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=err, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background ignores it
        )  # fmt: skip


def said(machines):
    return (machines.folder / "err").read_text()


def lines(machines):
    return [json.loads(line) for line in (machines.folder / "out").read_text().splitlines()]


def until(condition, sweep, seconds=200.0):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited too long"
        assert sweep.poll() is None, "the sweep has ended"
        time.sleep(0.05)
    return found


def finished(machines):
    return {note.part for note in machines.notes if note.what == "finish"}


def assert_every_cell_once(found):
    """Every epoch of every lane of every recipe, exactly once, and a summary of each recipe in their order."""
    count = Counter((line["run"], line["lane"], line["epoch"]) for line in found if "epoch" in line)
    assert set(count.values()) == {1} and len(count) == sum(len(r.lanes) * r.epochs for r in RECIPES)
    summaries = [line for line in found if "epoch" not in line]
    assert [Recipe.from_dict(line["recipe"]) for line in summaries] == RECIPES
    assert {line["status"] for line in summaries} == {"finished"} and {line["device"] for line in summaries} == {"cpu"}


@pytest.mark.both_stores
@pytest.mark.timeout(3000 if SOAK else 600)
def test_a_worker_is_killed_and_one_comes_and_every_cell_is_computed_once(machines, files, make_url):
    assert CELLS == 60
    url = make_url()
    machines.start_scheduler()
    sweep = start_sweep(machines, url, files, ALF_SCHEDULER=machines.scheduler)
    until(lambda: f"{machines.scheduler} answers, but has no workers" in said(machines), sweep)
    workers = [machines.start_worker("127.0.0.2"), machines.start_worker("127.0.0.3")]
    killed = set()
    for number in range(KILLED):
        until(lambda number=number: len(finished(machines)) > number, sweep)
        victim = workers.pop(0)
        pids = machines.pids(victim)
        begun = {(note.part, note.pid) for note in machines.notes if note.what == "begin"}
        until(lambda b=begun, p=pids: {(n.part, n.pid) for n in machines.notes if n.pid in p} - b, sweep)
        machines.kill(victim)
        killed |= pids
        workers.append(machines.start_worker(f"127.0.0.{4 + number}"))
    assert sweep.wait(timeout=300) == 0, said(machines)
    assert_every_cell_once(lines(machines))
    notes = machines.notes
    done = {note.part: at for at, note in enumerate(notes) if note.what == "finish"}
    assert len(done) == len(RECIPES) == sum(note.what == "finish" for note in notes)  # each part once
    begun = [(at, note) for at, note in enumerate(notes) if note.what == "begin"]
    assert all(at < done[note.part] for at, note in begun)  # none after it had finished
    lost = {note.part for _, note in begun if note.pid in killed}
    lost -= {note.part for note in notes if note.pid in killed and note.what == "finish"}
    again = Counter(note.part for _, note in begun)
    assert lost and {part for part, count in again.items() if count > 1} <= lost  # what died in its worker's hands
    assert len({note.pid for note in notes if note.what == "finish"}) >= 2

    first = lines(machines)  # the same command again prints the same and computes nothing
    assert start_sweep(machines, url, files, ALF_SCHEDULER=machines.scheduler).wait(timeout=200) == 0
    assert lines(machines) == first or sorted(map(json.dumps, lines(machines))) == sorted(map(json.dumps, first))
    assert machines.notes == notes


def test_recipes_for_cuda_go_to_the_workers_that_declare_a_gpu(machines, make_url):
    machines.start_scheduler()
    plain = machines.start_worker("127.0.0.3")
    environment = {"ALF_STORE": make_url(), "ALF_SCHEDULER": machines.scheduler}
    engine = Engine(Settings.from_environment(environment))
    recipes = [recipe.with_(device="cuda", epochs=2) for recipe in RECIPES[:3]]
    before = ended(engine, engine.start(recipes[0], "ann"), 100)
    assert before.status == "finished" and before.notes[0].startswith(NO_GPU)
    gpu = machines.start_worker("127.0.0.4", "--resources", "GPU=1")
    ended_at = time.monotonic() + 60
    while engine.workers < 2:
        assert time.monotonic() < ended_at
        time.sleep(0.1)
    count = len(machines.notes)
    for run in [engine.start(recipe, "ann") for recipe in recipes[1:]]:
        after = ended(engine, run, 100)
        assert after.status == "finished" and not any(NO_GPU in note for note in after.notes)
    assert {note.pid for note in machines.notes[count:]} <= machines.pids(gpu)
    assert {note.pid for note in machines.notes[:count]} <= machines.pids(plain)
    engine.close()


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(machines, files, make_url):
    url, few = make_url(), files[:3]
    long = RECIPES[0].with_(epochs=100_000, lr=0.15)
    few[1].write_text(json.dumps(long.to_dict()))
    sweep = start_sweep(machines, url, few, ALF_WORKERS="2")
    until(lambda: sum(line.get("epoch", 0) > 20 for line in lines(machines)[120:]), sweep)
    os.killpg(sweep.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
    assert sweep.wait(timeout=60) == 1
    kept = " of 3 recipes have finished and are kept in ALF_STORE; the same command goes on with the others\n"
    assert (
        said(machines).startswith("interrupted: ") and said(machines).endswith(kept) and said(machines).count("\n") == 1
    )
    store = Store(url)
    with store.read() as connection:
        run = connection.execute(select(t.runs.c.id).where(t.runs.c.result == long.key)).scalar_one()
    progress = store.progress(run)
    assert progress.status == "stopped" and 0 < progress.epoch < long.epochs
    with store.read() as connection:  # its worker has written down where it was
        assert connection.execute(select(t.checkpoints.c.epoch)).scalars().all() == [progress.epoch]
    store.close()
