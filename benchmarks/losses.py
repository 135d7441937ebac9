"""Forward + backward of every loss against `torch.nn.functional.cross_entropy`, paired in one run.

    python -m benchmarks.losses [--threads 1]

Prints the ratio of medians for each loss and shape. The claims: at most 1.3 for losses of u_y alone at (512, 1000) and
(64, 32000); at most 4 at (128, 10) and for losses with a sum over classes.
"""

import argparse
import statistics
import time

import torch
from torch.nn.functional import cross_entropy

from alf.losses import catalogue

SHAPES = {(128, 10): 300, (512, 1000): 40, (64, 32000): 20}


def once(function, logits, target) -> float:
    logits.grad = None
    start = time.perf_counter()
    function(logits, target).backward()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    torch.set_num_threads(parser.parse_args().threads)
    losses = [d.example() for key, d in catalogue().items() if "+" not in key]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} thread(s); median of ours / median of cross_entropy")
    print(f"{'':16}" + "".join(f"{shape!s:>14}" for shape in SHAPES) + "   claim")
    worst = {True: 0.0, False: 0.0, "small": 0.0}
    for loss in losses:
        module, row = loss.module(), []
        for shape, rounds in SHAPES.items():
            logits = torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
            target = torch.randint(shape[1], shape[:1], generator=torch.Generator().manual_seed(1))
            for function in (module, cross_entropy) * 3:
                once(function, logits, target)
            times = [(once(module, logits, target), once(cross_entropy, logits, target)) for _ in range(rounds)]
            ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
            row.append(ours / theirs)
            kind = "small" if shape == (128, 10) else loss.pointwise
            worst[kind] = max(worst[kind], row[-1])
        claim = "4, 1.3, 1.3" if loss.pointwise else "4, 4, 4"
        print(f"{loss.key:16}" + "".join(f"{ratio:14.2f}" for ratio in row) + f"   <= {claim}")
    print(f"worst: {worst[True]:.2f} of u_y alone, {worst[False]:.2f} with sums, {worst['small']:.2f} at (128, 10)")


if __name__ == "__main__":
    main()
