"""How soon a run that is told to stop says so, and how soon it has stopped.

    python -m benchmarks.stop [--rounds 5]

Two kinds of run: one that looks at the flag before every batch, and one whose single batch takes seconds, so that its
worker has to be killed. Prints medians and maxima. The claims: acknowledged within 1 s, stopped within 2 s when the run
listens and its worker gone within 3 s when it does not.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from alf.runs import Engine
from alf.settings import settings
from alf.training import Recipe, RunState

LISTENS = Recipe(data="digits", losses=("ce",), noise=("symmetric:0.5",), network="mlp:1024", epochs=500, lr=0.3)
DEAF = LISTENS.with_(network="mlp:8192,8192,8192", batch=1438)


def once(engine: Engine, recipe: Recipe) -> tuple[float, float]:
    """Seconds until `stop` returns with the run stopping, and until it has stopped."""
    run = engine.start(recipe, "benchmark")
    while engine.progress(run).status != RunState.RUNNING:
        time.sleep(0.02)
    time.sleep(1.5)
    start = time.perf_counter()
    engine.stop(run)
    assert engine.progress(run).status in (RunState.STOPPING, RunState.STOPPED)
    acknowledged = time.perf_counter() - start
    while engine.progress(run).status != RunState.STOPPED:
        time.sleep(0.01)
    return acknowledged, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(replace(settings(), store=f"sqlite:///{Path(folder) / 'runs.sqlite'}"))
        for name, recipe in (("listens", LISTENS), ("deaf", DEAF)):
            times = [once(engine, recipe.with_(seeds=(i,))) for i in range(rounds)]
            acknowledged, stopped = zip(*times, strict=True)
            print(
                f"{name:8} acknowledged {statistics.median(acknowledged):.3f} s (most {max(acknowledged):.3f}), "
                f"stopped {statistics.median(stopped):.2f} s (most {max(stopped):.2f})"
            )
        engine.close()


if __name__ == "__main__":
    main()
