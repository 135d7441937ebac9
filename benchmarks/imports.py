"""Time of `import alf.losses, alf.theory` against `import sympy`, in fresh interpreters, alternating.

    python -m benchmarks.imports

Prints the ratio of the medians of five. The claim: at most 1.6.
"""

import statistics
import subprocess
import sys
import time

ROUNDS = 5


def once(statement: str) -> float:
    """Seconds the statement takes in a fresh interpreter, without the interpreter's own start."""
    code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    pairs = ("import alf.losses, alf.theory", "import sympy")
    for statement in pairs:
        once(statement)  # disk cache and bytecode
    started = time.perf_counter()
    times = [[once(statement) for statement in pairs] for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{pairs[0]}: {ours:.3f} s; {pairs[1]}: {theirs:.3f} s; ratio {ours / theirs:.2f} (claim: <= 1.6)")
    print(f"median of {ROUNDS}, {time.perf_counter() - started:.1f} s in all")


if __name__ == "__main__":
    main()
