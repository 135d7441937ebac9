"""The table of verdicts: every loss of the catalogue at its presets, under the noise grid of the paper.

``python -m alf.theory.table > docs/verdicts.md`` writes it; a test compares.
"""

import sys
from collections.abc import Iterator

from alf.losses import Loss, catalogue
from alf.noise import parse_noise
from alf.theory.claims.prove import prove
from alf.theory.ratios.of_loss import ratio_of
from alf.theory.verdict import Verdict

CLASSES = 10
NOISES = tuple(f"symmetric:0.{k}" for k in (2, 4, 6, 8)) + tuple(f"pair:0.{k}" for k in (1, 2, 3, 4))
ALONE = ("decreasing", "convex", "concave", "symmetric", "completely_asymmetric", "calibrated", "excess_risk")

_HEAD = f"""# Verdicts

Every loss of the catalogue at the paper's presets (or at its typical values where there are none), K = {CLASSES}.
Written by `python -m alf.theory.table > docs/verdicts.md`; a test generates it again and compares, and the oracle in
`tests/theory/oracle.py`, which shares no code with the engine, attacks every row.

**yes** and **no** say whether the claim holds. A letter says how that is known: p proved for the whole cell of the
parameter space, c certified at these values, o observed by search, r refuted by a point. `-` is not defined for this
loss. For what a combination with NCE or NFL is judged by at a vertex, see `docs/theory.md`.
"""


def losses() -> Iterator[Loss]:
    """Every loss of the table."""
    for declaration in catalogue().values():
        yield from declaration.configurations()


def cell(verdict: Verdict) -> str:
    """A verdict in a few letters.

    >>> cell(Verdict("convex", "proved", True)), cell(Verdict("convex", "not_defined", None))
    ('yes p', '-')
    """
    if verdict.status == "not_defined":
        return "-"
    word = {True: "yes", False: "no", None: "open"}[verdict.holds]
    return f"{word} {verdict.status[0]}"


def rows() -> Iterator[tuple[str, list[str], list[str]]]:
    """For each loss its spec, the claims that need no noise, and noise tolerance over the grid."""
    for loss in losses():
        ratio = ratio_of(loss)
        value = "-" if ratio.value is None else f"{ratio.value:.6f}"
        alone = [value, *(cell(prove(claim, loss, None, CLASSES)) for claim in ALONE)]
        tolerant = [cell(prove("noise_tolerant", loss, parse_noise(n, CLASSES), CLASSES)) for n in NOISES]
        yield loss.spec, alone, tolerant


def table() -> str:
    """The document as text."""
    first, second = [], []
    for spec, alone, tolerant in rows():
        first.append(f"| `{spec}` | " + " | ".join(alone) + " |")
        second.append(f"| `{spec}` | " + " | ".join(tolerant) + " |")
    heads = ["r", *(c.replace("_", " ") for c in ALONE)]
    return "\n".join(
        [
            _HEAD,
            "## Without noise",
            "",
            "| loss | " + " | ".join(heads) + " |",
            "|---" * (len(heads) + 1) + "|",
            *first,
            "",
            "## Noise tolerance",
            "",
            "| loss | " + " | ".join(NOISES) + " |",
            "|---" * (len(NOISES) + 1) + "|",
            *second,
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(table())
