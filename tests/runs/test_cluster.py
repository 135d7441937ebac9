"""A map on a cluster of workers at addresses of their own, while one is killed and another one added."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from distributed import LocalCluster
from sqlalchemy import select

from alf.phase import PhaseMap, parse_axis
from alf.phase.sweep import Sweep, SweepState
from alf.runs import Engine
from alf.runs import tables as t
from alf.settings import Settings
from alf.training import Recipe

ROOT = Path(__file__).parents[2]
RECIPE = Recipe(
    data="digits", losses=("agce:a=1,q=0.6",), noise=("symmetric:0.4",), network="mlp:32", epochs=60, lr=0.3
)
SOAK = os.environ.get("ALF_SOAK") == "1"
PHASE = PhaseMap(RECIPE, parse_axis("a=0.05:6:10:log"), parse_axis("noise=0.1:0.8:6"))


@pytest.fixture
def start_worker(make_url):
    """A function that starts a worker at an address and connects it to a scheduler; each is a process alone."""
    made = []

    def start(scheduler, host):
        command = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--host", host, "--nthreads", "1"]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        options = ("--no-nanny", "--no-dashboard", "--death-timeout", "60")
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        made.append(subprocess.Popen([*command, *options], cwd=ROOT, env=environment, **silent))
        return made[-1]

    yield start
    for process in made:
        process.kill()
        process.wait()


def parts(store, status):
    """The parts in a state: id -> when and to whom each was leased."""
    with store.read() as connection:
        rows = connection.execute(select(t.parts).where(t.parts.c.status == status)).all()
    return {row.id: (row.leased, row.worker and row.worker["address"]) for row in rows}


@pytest.mark.skipif(not SOAK, reason="two minutes; test_sweep_command does the like with recipes; ALF_SOAK=1 runs it")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers at all addresses 127.x.x.x")
@pytest.mark.both_stores
def test_a_worker_that_dies_and_one_that_comes_lose_and_repeat_nothing(make_url, start_worker):
    cluster = LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50)
    engine = None
    try:
        scheduler = cluster.scheduler_address
        doomed, steady = start_worker(scheduler, "127.0.0.2"), start_worker(scheduler, "127.0.0.3")
        engine = Engine(Settings.from_environment({"ALF_STORE": make_url(), "ALF_SCHEDULER": scheduler}))
        sweep = Sweep(PHASE, engine, "ann")

        def advance(until, seconds=200.0):
            end = time.monotonic() + seconds
            while not until(state := sweep.advance()):
                assert time.monotonic() < end, f"{state.status}, {state.message}, {state.done} cells"
                time.sleep(0.05)
            return state

        advance(lambda _: parts(engine.store, "finished") and any(
            "127.0.0.2" in (address or "") for _, address in parts(engine.store, "running").values()
        ))  # fmt: skip
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
        finished = parts(engine.store, "finished")
        assert len(finished) < len(sweep.blocks)
        start_worker(scheduler, "127.0.0.4")
        state = advance(lambda state: not state.active)

        assert (state.status, state.done, state.failed) == (SweepState.FINISHED, 60, {})
        assert set(state.cells) == set(PHASE.cells)
        ended = parts(engine.store, "finished")
        assert all(ended[part] == leased for part, leased in finished.items())  # what had finished was not begun again
        assert steady.poll() is None
        with engine.store.read() as connection:
            recipes = dict(connection.execute(select(t.results.c.key, t.results.c.recipe)).all())
            rows = connection.execute(select(t.records.c.result, t.records.c.lane, t.records.c.epoch)).all()
        lanes = {key: Recipe.from_dict(recipe).lanes for key, recipe in recipes.items()}
        written = Counter((lanes[row.result][row.lane], row.epoch) for row in rows)
        assert len(written) == 60 * RECIPE.epochs and set(written.values()) == {1}
    finally:
        if engine is not None:
            engine.close()
        cluster.close()
