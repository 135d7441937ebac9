"""What live updates cost: a worker that writes every epoch into the store against the bare trainer, in turns.

    python -m benchmarks.live_updates [--data digits] [--epochs 120] [--rounds 3]

Claim: records, heartbeats, the look at the stop flag before every batch, checkpoints and snapshots together cost the
trainer under 3% on the classroom recipe (six losses, three seeds); of points in the plane, whose regions are watched as
they move, too. Exits 1 when the claim fails.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from alf.runs.claims import claim, waiting
from alf.runs.store import Store
from alf.runs.worker import warm_up, work
from alf.training import classroom
from alf.training.trainer import Trainer


def bare(recipe) -> float:
    """Train without anybody watching."""
    trainer = Trainer(recipe, recipe.load())
    start = time.process_time()
    while trainer.epoch < recipe.epochs:
        trainer.run_epoch()
    return time.process_time() - start


def watched(recipe, store: Store) -> float:
    """Train as a worker does; setting up the trainer is measured on its own and left out."""
    store.start(recipe, secrets.token_hex(4), [range(len(recipe.lanes))])
    part = waiting(store)[0]
    token = claim(store, part, "benchmark:0:0")
    start = time.process_time()
    Trainer(recipe, recipe.load())
    setting_up = time.process_time() - start
    start = time.process_time()
    assert work(store.url, part, token) == "finished"
    return time.process_time() - start - setting_up


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    warm_up()
    import distributed  # noqa: F401  # a worker has it long before

    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'runs.sqlite'}")
        for i in range(chosen.rounds):
            # a learning rate of its own makes it another recipe, or the result would be there already
            recipe = classroom(chosen.data, epochs=chosen.epochs, lr=0.3 - 1e-9 * i)
            ratios.append(watched(recipe, store) / bare(recipe))
        store.close()
    ratio = statistics.median(ratios)
    print(f"watched / bare, processor time: {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}; at most 1.03)")
    return 0 if ratio <= 1.03 else 1


if __name__ == "__main__":
    sys.exit(main())
