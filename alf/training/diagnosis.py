"""What happened to each loss of a run, in sentences made from its numbers: memorising, trapped, starving, diverged.

Pure functions on epoch records; nothing is trained or proved here. A sentence is there only where its number stands
out: by more than its least size (the constants below, each with its reason) and by more than the standard deviation
over the seeds. That some classes are never predicted is a fact of each network and needs no spread.

>>> recipe = Recipe(data="digits", losses=("ce",), noise=("symmetric:0.5",), epochs=8)
>>> lane = {"lane": 0, "loss": "ce", "noise": "symmetric:0.5", "seed": 0, "clean_accuracy": 1.0, "grad_norm": 0.2,
...         "flipped_true_accuracy": 0.1, "dead_classes": 0}
>>> records = [lane | {"epoch": e, "test_accuracy": 0.9 - e / 20, "flipped_given_accuracy": e / 10}
...            for e in range(1, 9)]
>>> for finding in diagnose(recipe, records)["ce", "symmetric:0.5"]:
...     print(finding.sentence)  # doctest: +NORMALIZE_WHITESPACE
80% of the wrong labels are memorised; without memorising it would be about 6% at most. The accuracy falls after
epoch 1, from 85% to 50%.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from alf.losses import parse
from alf.training.curves import Array, Curves, curves_of
from alf.training.recipe import Recipe
from alf.training.records import Record
from alf.training.symptoms import (
    FALL,
    LEAST_EPOCHS,
    Case,
    Finding,
    Kind,
    counted,
    diverged,
    fall_of,
    last,
    memorising,
    rise_of,
    share,
    starving,
    trapped,
)

Tolerates = Callable[[str, str], str | None]
"""What is known of a loss under a noise: "proved" or "certified" where it tolerates it, None otherwise."""
POOR = FALL
"""How far below the best loss of the run the accuracy is poor."""


def diagnose(
    recipe: Recipe,
    records: Iterable[Record],
    ended: Mapping[int, str] | None = None,
    never: Mapping[int, Sequence[int]] | None = None,
    tolerates: Tolerates | None = None,
) -> dict[tuple[str, str], tuple[Finding, ...]]:
    """Say what happened to each loss under each noise.

    Parameters
    ----------
    recipe, records, ended
        The run, its epoch records (in any order, of as many epochs as there are) and why lanes ended early.
    never
        Lane index -> the classes that its model predicts for no test sample, where they are known; their names are
        said where their number agrees with the records.
    tolerates
        Asked for a loss and a noise under which it does poorly.

    Returns
    -------
    (loss, noise) -> at least one finding, for every loss and noise that has records or ended lanes.
    """
    ended, groups = ended or {}, defaultdict[tuple[str, str], list[Record]](list)
    for record in records:
        groups[record["loss"], record["noise"]].append(record)
    curves = {key: curves_of(rows, ended) for key, rows in groups.items()}
    found = {}
    for spec in recipe.losses:
        for noise in recipe.noise:
            reasons = [ended[i] for i, lane in enumerate(recipe.lanes) if lane[:2] == (spec, noise) and i in ended]
            mine = curves.get((spec, noise), Curves((), (), ()))
            if not reasons and not mine.epochs:
                continue
            ce = curves["ce", noise].of("grad_norm") if ("ce", noise) in curves else None
            ce_norm = None if ce is None else float(ce[:, 0].mean())
            case = Case(
                recipe, parse(spec), recipe.parse_noise(noise), mine, ce_norm, never or {}, _best(recipe, curves, noise)
            )
            found[spec, noise] = _findings(case, reasons, tolerates)
    return found


def _best(recipe: Recipe, curves: Mapping[tuple[str, str], Curves], noise: str) -> tuple[str, Array]:
    """The loss whose models end with the highest mean accuracy under a noise, and their accuracies."""
    ends = {spec: curves[spec, noise].accuracy[:, -1:] for spec in recipe.losses if (spec, noise) in curves}
    there = [(spec, end[:, 0]) for spec, end in ends.items() if end.size]
    return max(there, key=lambda end: end[1].mean(), default=("", np.empty(0)))


def _findings(case: Case, reasons: Sequence[str], tolerates: Tolerates | None) -> tuple[Finding, ...]:
    found = [diverged(case, reasons)] if reasons else []
    epochs = len(case.curves.epochs)
    if not epochs:
        return tuple(found)
    if epochs < LEAST_EPOCHS:
        said = f"It is too early to say anything after {counted(epochs, 'epoch')}."
        return (*found, Finding(Kind.EARLY, said, {"epochs": epochs}))
    seen = {finding.kind: finding for rule in (trapped, memorising, starving) if (finding := rule(case))}
    found += seen.values()
    if tolerates and _poor(case, seen) and (proof := tolerates(case.loss.spec, case.noise.spec)):
        found.append(_theory(case, seen, proof))
    return tuple(found) or (_nothing(case),)


def _poor(case: Case, seen: Mapping[Kind, Finding]) -> bool:
    """Whether the accuracy is poor: trapped, starving, memorising and falling, or told apart from the run's best."""
    if Kind.TRAPPED in seen or Kind.STARVING in seen:
        return True
    if Kind.MEMORISING in seen and "best_epoch" in seen[Kind.MEMORISING].numbers:
        return True
    accuracy, (spec, best) = case.accuracy, case.best
    return spec != case.loss.spec and best.mean() - accuracy.mean() > max(POOR, best.std() + accuracy.std())


def _theory(case: Case, seen: Mapping[Kind, Finding], proof: str) -> Finding:
    """What the theorem on noise tolerance does not speak of, where the accuracy is poor in spite of it."""
    accuracy, (spec, best) = case.accuracy, case.best
    silent = [words for kind, words in SILENT.items() if kind in seen] or [SILENT[Kind.NOTHING]]
    known = [str(kind) for kind in SILENT if kind in seen]
    sentence = (
        f"Theory says yes: {case.loss.label} is {proof} to tolerate this noise. But the theorem is about the best "
        f"prediction, not about {' or '.join(silent)}."
    )
    if not known:
        sentence += f" The accuracy is {share(accuracy)}, that of {parse(spec).label} {share(best)}."
    numbers = {"proof": proof, "reasons": known, "accuracy": float(accuracy.mean()), "best": float(best.mean())}
    return Finding(Kind.THEORY, sentence, numbers)


SILENT = {
    Kind.TRAPPED: "which predictions training can reach from where it starts",
    Kind.MEMORISING: "a finite training set, whose wrong labels a large network can fit one by one",
    Kind.STARVING: "how many steps training takes to get there",
    Kind.NOTHING: "how many samples, or how large a network, it takes to come near it",
}
"""What the theorem is not about, by what happened."""


def _nothing(case: Case) -> Finding:
    """Nothing of this kind, with the numbers that say so."""
    accuracy, given, dead = case.accuracy, last(case, "flipped_given_accuracy"), last(case, "dead_classes")
    numbers: dict[str, Any] = {"accuracy": float(accuracy.mean())}
    said = []
    if dead is not None:
        numbers["never_predicted"] = dead.astype(int).tolist()
        said.append("every class is predicted" if not dead.any() else f"{dead.max():.0f} classes are not predicted yet")
    if given is not None:
        numbers["memorised"] = float(given.mean())
        said.append(f"{share(given)} of the wrong labels are memorised")
    rise, fall = rise_of(case), fall_of(case)
    at = f"the accuracy is {share(accuracy)}"
    if rise is not None:
        at, numbers["rise"] = f"{at} and still rises", rise
    elif fall:
        at, numbers = f"{at}, down from {fall['best']:.0%} at epoch {fall['best_epoch']}", numbers | fall
    return Finding(Kind.NOTHING, f"Nothing of this kind: {', '.join([*said, at])}.", numbers)
