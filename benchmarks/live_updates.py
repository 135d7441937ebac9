"""What live updates cost: the processor time of a worker that writes into the store, against its training alone.

    python -m benchmarks.live_updates [--data digits] [--epochs N] [--rounds 3]

Claim: records, heartbeats, the look at the stop flag, checkpoints and snapshots, those of the last epoch included, cost
the trainer under 3% on the classroom recipe (six losses, three seeds); of points in the plane, with regions that move,
too. Both times are taken in the same run, epoch by epoch, because two runs one after the other differ by
more than that on a machine that does anything else. Exits 1 when the claim fails.
"""

import argparse
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from alf.runs.leases import Lease, grant, waiting
from alf.runs.store import Store
from alf.runs.worker import warm_up, work
from alf.training import classroom
from alf.training.states import PartState


class Clock:
    """Processor seconds spent inside a method; with `within`, while that clock's method is at work."""

    def __init__(self, owner: type, name: str, within: "Clock | None" = None):
        self.seconds, self.running, method = 0.0, False, getattr(owner, name)

        def timed(*arguments, **named):
            counts, self.running, start = within is None or within.running, True, time.process_time()
            try:
                return method(*arguments, **named)
            finally:
                self.running = False
                self.seconds += (time.process_time() - start) * counts

        self.patch = patch.object(owner, name, timed)


def watched(recipe, store: Store) -> float:
    """Train as a worker does; return its time as a multiple of what its epochs took, the stop flag left out."""
    from alf.training.trainer import Trainer

    store.start(recipe, secrets.token_hex(4), [range(len(recipe.lanes))])
    part = waiting(store)[0]
    token = grant(store, part, "benchmark:0:0")
    setting_up, epochs = Clock(Trainer, "__init__"), Clock(Trainer, "run_epoch")
    looking = Clock(Lease, "must_leave", within=epochs)
    with setting_up.patch, epochs.patch, looking.patch:
        start = time.process_time()
        assert work(store.url, part, token) == PartState.FINISHED
        taken = time.process_time() - start - setting_up.seconds
    return taken / (epochs.seconds - looking.seconds)


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default="digits")
    parser.add_argument("--epochs", type=int, default=None, help="[default: the recipe's]")
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    warm_up()
    import distributed  # noqa: F401  # a worker has it long before

    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'runs.sqlite'}")
        classroom(chosen.data).load()
        for i in range(chosen.rounds):
            # a learning rate of its own makes it another recipe, or the result would be there already
            more = {} if chosen.epochs is None else {"epochs": chosen.epochs}
            recipe = classroom(chosen.data, lr=0.3 - 1e-9 * i, **more)
            ratios.append(watched(recipe, store))
        store.close()
    ratio = statistics.median(ratios)
    print(f"watched / trained, processor time: {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}; at most 1.03)")
    return 0 if ratio <= 1.03 else 1


if __name__ == "__main__":
    sys.exit(main())
