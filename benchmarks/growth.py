"""Whether a server grows: its memory and its store, while runs are trained and readers come and go.

    python -m benchmarks.growth [--runs 500] [--readers 200]

A real server trains small runs one after the other, of which it is told to keep forty. Readers open the page Train with
one of them, by the websocket that a browser opens, look, and leave. The hour that a run is safe from being deleted is
taken from it after a few more runs. Prints the server's memory and the store's size as it goes; exit status 1 when
the last quarter lies more than a tenth above the second one. (Streamlit itself keeps the last 128 sessions that left
for two minutes, for those who come back; in the first quarter that fills.)
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import update
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from alf.runs import Store
from alf.runs import tables as t
from alf.runs.retention import SAFE, tidy
from alf.settings import Settings
from alf.training import Recipe
from benchmarks.serving import ROOT, serving

KEPT = 40
TOGETHER = 5
DONE = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
GROWTH = 1.1
RECIPE = Recipe(data="moons", losses=("ce", "mae"), noise=("symmetric:0.3",), network="mlp:8", epochs=20)


@dataclass(frozen=True)
class Size:
    """What there was after so many runs and readers: the server's memory, the store's file, in megabytes."""

    runs: int
    readers: int
    memory: float
    store: float
    results: int


def measure(runs: int, readers: int, looks: int = 20) -> Iterator[Size]:
    """Train the runs, with readers coming and going, and look at the sizes now and then."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.sqlite"
        os.environ |= {"ALF_STORE": str(path), "ALF_KEEP_RUNS": str(KEPT), "ALF_WORKERS": "1"}
        store, settings = Store(f"sqlite:///{path}"), Settings.from_environment(os.environ)
        first = store.start(RECIPE.with_(lr=0.9), "soak", [[0, 1]])  # a server that finds work begins at once
        with serving(ROOT / "app.py") as port:
            server = psutil.Process().children()[0]
            _wait(store, [first])
            came = 0
            for done in range(TOGETHER, runs + 1, TOGETHER):
                recipes = [RECIPE.with_(lr=0.1 + (done + i) / 10_000) for i in range(TOGETHER)]
                started = [store.start(recipe, f"owner-{done}", [[0, 1]]) for recipe in recipes]
                while came < done * readers // runs:
                    came += 1
                    _look(port, started[came % TOGETHER])
                _wait(store, started)
                _age(store)
                tidy(store, settings)  # the server does so once a minute: how many runs that is must not matter here
                if done % max(TOGETHER, runs // looks) < TOGETHER:
                    yield _size(store, server, path, done, came)
        store.close()


def _wait(store: Store, runs: list[str]) -> None:
    end = time.monotonic() + 120
    while any(store.progress(run).active for run in runs):
        if time.monotonic() > end:
            raise SystemExit(f"runs are {[store.progress(run).status for run in runs]} after two minutes")
        time.sleep(0.05)


def _age(store: Store) -> None:
    """Have a few minutes pass for what is kept."""
    with store.decide() as connection:
        connection.execute(update(t.results).values(used=t.results.c.used - SAFE / 5))


def _look(port: int, run: str) -> None:
    """A reader: opens Train with a run, waits until the page is there, and again, and leaves."""
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], max_size=None, legacy=True) as socket:
        for _ in range(2):
            message, charts = BackMsg(), 0
            message.rerun_script.query_string, message.rerun_script.page_name = f"run={run}", "train"
            socket.send(message.SerializeToString())
            while True:
                answer = ForwardMsg()
                answer.ParseFromString(socket.recv(timeout=60))
                charts += answer.delta.new_element.WhichOneof("type") == "bidi_component"
                if answer.WhichOneof("type") == "script_finished" and (charts or answer.script_finished == DONE):
                    break
            if not charts:
                raise SystemExit("the page came without its curves")


def _size(store: Store, server: psutil.Process, path: Path, runs: int, readers: int) -> Size:
    with store.read() as connection:
        results = len(connection.execute(t.results.select()).all())
    files = sum(file.stat().st_size for file in path.parent.iterdir())
    return Size(runs, readers, server.memory_info().rss / 1e6, files / 1e6, results)


def grown(sizes: list[Size], what: str) -> float:
    """The median of the last quarter over that of the second."""
    values, quarter = [getattr(size, what) for size in sizes], max(1, len(sizes) // 4)
    return statistics.median(values[-quarter:]) / statistics.median(values[quarter : 2 * quarter])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--readers", type=int, default=200)
    chosen, sizes = parser.parse_args(), []
    for size in measure(chosen.runs, chosen.readers):
        sizes.append(size)
        print(
            f"{size.runs:4} runs, {size.readers:4} readers: server {size.memory:6.1f} MB, store {size.store:5.2f} MB, "
            f"{size.results} results",
            flush=True,
        )
    ratios = {what: grown(sizes, what) for what in ("memory", "store")}
    print(", ".join(f"{what} x {ratio:.3f}" for what, ratio in ratios.items()), f"(at most {GROWTH})")
    return 0 if max(ratios.values()) <= GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
