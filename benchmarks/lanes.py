"""Lanes against a plain PyTorch loop: the same recipe, the same metrics, both warmed, in turns.

    python -m benchmarks.lanes [--threads 2] [--epochs 3] [--rounds 3]

Claims, on two cores: at 32 lanes of a 64-256-10 MLP a model takes at most a third of the plain loop's time; a single
lane takes at most 1.1 times that of a hand-written loop. The plain loop is what people write: nn.Sequential, a
DataLoader over a TensorDataset, torch.optim.SGD, clip_grad_norm_, one model after another. The hand-written one has no
DataLoader. Prints the ratios and exits 1 when a claim fails.
"""

import argparse
import statistics
import sys
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from alf.losses import parse
from alf.training import Recipe
from alf.training.trainer import Trainer, batch_order

RECIPE = Recipe(data="digits", losses=("ce",), noise=("symmetric:0.5",), network="mlp:256", epochs=1000, lr=0.3)


class Plain:
    """One model, trained the usual way; with_loader=False is the leanest hand-written loop."""

    def __init__(self, source: Trainer, with_loader: bool):
        self.inputs, self.given, self.true = source.inputs.flatten(1), source.given[0], source.true
        self.test, self.test_true = source.test_inputs.flatten(1), source.test_true
        self.model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
        self.optimiser = torch.optim.SGD(self.model.parameters(), 0.3, 0.9)
        self.criterion = parse("ce").module()
        self.loader, self.epoch = None, 0
        if with_loader:
            self.loader = DataLoader(TensorDataset(self.inputs, self.given), batch_size=128, shuffle=True)

    def batches(self):
        """Give an epoch's batches."""
        if self.loader is not None:
            return self.loader
        order = batch_order(0, self.epoch, len(self.inputs))
        return ((self.inputs[index], self.given[index]) for index in order.split(128))

    def run_epoch(self) -> list[float]:
        """Train an epoch and compute the metrics that the trainer computes."""
        self.epoch += 1
        total = norms = 0.0
        for x, y in self.batches():
            loss = self.criterion(self.model(x), y)
            self.optimiser.zero_grad()
            loss.backward()
            norms = norms + nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimiser.step()
            total = total + loss.detach() * len(y)
        with torch.no_grad():
            train, test = self.model(self.inputs).argmax(1), self.model(self.test).argmax(1)
            clean = self.given == self.true
            right = train == self.true
            metrics = [total, norms, (test == self.test_true).double().mean()]
            metrics += [right[clean].double().mean(), right[~clean].double().mean()]
            metrics += [(train == self.given)[~clean].double().mean()]
        return [float(metric) for metric in metrics]


def seconds(run, epochs: int) -> float:
    """Time a number of epochs."""
    start = time.perf_counter()
    for _ in range(epochs):
        run()
    return time.perf_counter() - start


def compare(name: str, one, other, epochs: int, rounds: int, scale: float, limit: float) -> bool:
    """Time the two in turns; print the median of the ratios one/other (times scale)."""
    one(), other()
    ratios = [scale * seconds(one, epochs) / seconds(other, epochs) for _ in range(rounds)]
    ratio, spread = statistics.median(ratios), f"{min(ratios):.2f} to {max(ratios):.2f}"
    good = ratio >= limit if limit > 2 else ratio <= limit
    verdict = "ok" if good else "MISSED"
    print(f"{name}: {ratio:.2f} ({spread}; {'at least' if limit > 2 else 'at most'} {limit})  {verdict}")
    return good


def main() -> int:
    """Run the comparisons."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    arrays = RECIPE.dataset.load()
    lanes = 32
    many = Trainer(RECIPE.with_(seeds=tuple(range(lanes))), arrays)
    single = Trainer(RECIPE, arrays)
    loader, hand = Plain(single, True), Plain(single, False)
    print(f"{chosen.threads} threads, MLP 64-256-10 on digits, batch 128, torch {torch.__version__}")
    results = [
        compare(
            f"DataLoader loop / {lanes} lanes, time per model",
            loader.run_epoch,
            many.run_epoch,
            chosen.epochs,
            chosen.rounds,
            lanes,
            3.0,
        ),
        compare(
            "one lane / hand-written loop", single.run_epoch, hand.run_epoch, 4 * chosen.epochs, chosen.rounds, 1.0, 1.1
        ),
    ]
    weights = sum(p.numel() for p in many.model.parameters()) * 4 / lanes
    print(
        f"memory per lane: weights {weights / 2**20:.2f} MiB, with velocity and gradients {3 * weights / 2**20:.2f} MiB"
    )
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
