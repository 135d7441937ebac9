"""The theory engine's claims about speed, each measured in one run: ``python -m benchmarks.theory``.

(a) every claim for every catalogue loss at its presets, cold, on one core: under 15 s together;
(b) a claim already computed: under 5 ms;
(c) the ratio over a 200 x 200 grid of (a, q), by the closed form compiled to numpy: under 20 ms;
(d) the ratio at random hyperparameters of 1 to 17 digits, new ones each time: the slowest under 2 s.

Exit status 0 when all four hold.
"""

import os
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")


def cold_claims() -> float:
    """Seconds for every claim of every loss under pair noise, K = 10."""
    from alf.noise import parse_noise
    from alf.theory import verify
    from alf.theory.table import losses

    noise = parse_noise("pair:0.4", 10)
    start = time.perf_counter()
    count = sum(1 for loss in losses() for _ in verify(loss, noise, 10))
    seconds = time.perf_counter() - start
    print(f"(a) {count} claims, cold: {seconds:.2f} s (limit 15 s)")
    return seconds / 15


def warm_claim() -> float:
    """The slowest of all claims when asked again."""
    from alf.losses import parse
    from alf.noise import parse_noise
    from alf.theory import CLAIMS, prove

    noise = parse_noise("pair:0.4", 10)
    slowest = 0.0
    for spec in ("agce:a=0.6,q=0.6", "amse:a=5", "nce+aul:alpha=1,beta=4,a=6.3,p=1.5", "ce"):
        loss = parse(spec)
        for claim in CLAIMS:
            prove(claim, loss, noise, 10)
            times = []
            for _ in range(5):
                start = time.perf_counter()
                prove(claim, loss, noise, 10)
                times.append(time.perf_counter() - start)
            slowest = max(slowest, statistics.median(times))
    print(f"(b) slowest claim already computed: {slowest * 1e3:.3f} ms (limit 5 ms)")
    return slowest / 0.005


def grid() -> float:
    """The ratio of AGCE over a 200 x 200 grid."""
    import numpy as np

    from alf.losses import parse
    from alf.theory.ratios.grid import ratio_grid

    loss = parse("agce:a=0.6,q=0.6")
    a, q = np.meshgrid(np.linspace(0.05, 10, 200), np.linspace(0.05, 3, 200))
    ratio_grid(loss, a=a, q=q)  # compiled once
    times = []
    for _ in range(5):
        start = time.perf_counter()
        values = ratio_grid(loss, a=a, q=q)
        times.append(time.perf_counter() - start)
    seconds = statistics.median(times)
    print(f"(c) ratio over {values.size} values of (a, q): {seconds * 1e3:.2f} ms (limit 20 ms)")
    return seconds / 0.02


def long_numbers(count: int = 300) -> float:
    """The slowest ratio over losses of the catalogue at random hyperparameters."""
    from alf.losses import parse
    from alf.theory import ratio
    from tests.theory.test_long_numbers import random_specs

    times = {}
    for spec in random_specs(count, seed=1):
        loss = parse(spec)
        start = time.perf_counter()
        ratio(loss).to_json()
        times[spec] = time.perf_counter() - start
    slowest = max(times, key=times.get)
    print(f"(d) slowest of {len(times)} ratios: {times[slowest]:.2f} s for {slowest} (limit 2 s)")
    return times[slowest] / 2


if __name__ == "__main__":
    sys.exit(0 if max(cold_claims(), warm_claim(), grid(), long_numbers()) <= 1 else 1)
