"""What can happen to a loss in training, each told from its numbers: diverged, trapped, memorising, starving.

Every rule is given a `Case`, one loss under one noise, and returns a `Finding`, or None where its number does not stand
out. `alf.training.diagnosis` puts them together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite, sqrt
from typing import Any

import numpy as np

from alf.losses import Loss
from alf.losses.starting_weight import share_of_largest, starting_weight
from alf.noise import Noise
from alf.numbers import rounded
from alf.training.curves import Array, Curves
from alf.training.networks_spec import is_convolutional
from alf.training.recipe import Recipe
from alf.training.samples import sizes

LEAST_EPOCHS = 4
"""With fewer there is no quarter of the epochs to compare with the quarter before."""
MEMORISED = 0.1
"""Wrong labels memorised beyond what errors alone explain: with fewer than one in ten, the accuracies of the recorded
runs differ by less than their seeds do."""
FALL = 0.05
"""How far the accuracy falls from its best epoch: as in the title of the accuracy's figure."""
RISE = 0.02
"""How much higher the last quarter of the epochs lies than the quarter before where the accuracy is still rising: the
accuracy on 400 test samples goes up and down by as much from one epoch to the next."""
NEAR_CHANCE = 0.1
"""Near guessing: less than this share of the way from 1/K to 1."""
NEAR_NOTHING = 0.1
"""Gradient norm, as a share of CE's where training starts: such a loss takes ten times as many epochs for one way."""
FITTED = 0.9
"""A network that fits so many of the right labels does not starve: its gradients are small because it is done."""
VANISHES = 0.2
"""Sample weight at u = `LOST`, as a share of the loss's largest, below which it counts as vanishing: for CE it is 0.99,
for MAE 0.04."""
LOST = 0.01
"""The probability of a class that has lost it."""
MOST_NAMED = 6
"""Classes that one sentence names."""


class Kind(StrEnum):
    """What a finding is about; `THEORY` is the difference between what is proved and what was trained."""

    DIVERGED = "diverged"
    TRAPPED = "trapped"
    MEMORISING = "memorising"
    STARVING = "starving"
    THEORY = "theory"
    NOTHING = "nothing"
    EARLY = "early"


@dataclass(frozen=True)
class Finding:
    """One sentence or two on a loss, and the `numbers` it was made from (means over the seeds, and standard deviations
    under ``..._std``).
    """

    kind: Kind
    sentence: str
    numbers: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        finite = {k: None if isinstance(v, float) and not isfinite(v) else v for k, v in self.numbers.items()}
        return {"kind": str(self.kind), "sentence": self.sentence, "numbers": finite}


@dataclass(frozen=True)
class Case:
    """A loss under a noise: what the rules look at. `best` is the highest accuracy of a loss of the run, per seed."""

    recipe: Recipe
    loss: Loss
    noise: Noise
    curves: Curves
    ce_norm: float | None
    never: Mapping[int, Sequence[int]]
    best: tuple[str, Array]

    @property
    def classes(self) -> int:
        """Number of classes K."""
        return self.noise.classes

    @property
    def accuracy(self) -> Array:
        """The accuracy at the last epoch, model by model."""
        return self.curves.accuracy[:, -1]


def diverged(case: Case, reasons: Sequence[str]) -> Finding:
    """Models that ended early, and the first reason."""
    models = len(case.recipe.seeds)
    who = "All models" if len(reasons) == models else f"{len(reasons)} of {models} models"
    sentence = reasons[0] if models == 1 else f"{who} ended early. {reasons[0]}"
    return Finding(Kind.DIVERGED, sentence, {"models": models, "ended": len(reasons), "reason": reasons[0]})


def trapped(case: Case) -> Finding | None:
    """Classes that no test sample is predicted as over the last quarter, while the accuracy no longer rises."""
    dead = case.curves.of("dead_classes")
    if dead is None or _gains(case).mean() >= RISE or _way(case) < _scale(case):
        return None
    window = max(LEAST_EPOCHS - 1, dead.shape[1] // 4)
    stuck = dead[:, -window:].min(axis=1) >= 1
    if not stuck.any():
        return None
    counts, accuracy = dead[stuck, -1].astype(int), case.accuracy[stuck]
    low, high = counts.min(), counts.max()
    where = "" if len(dead) == 1 else "In each model " if stuck.all() else f"In {stuck.sum()} of {len(dead)} models "
    weight = share_of_largest(case.loss, LOST, case.classes)
    sentence = (
        f"{where}{low if low == high else f'{low} to {high}'} of {case.classes} classes "
        f"{'is' if high == 1 else 'are'} never predicted{_names(case, stuck, counts)}. Some class has been missing for "
        f"{window} epochs or longer, and the accuracy no longer rises: it is {share(accuracy)}"
        f"{'' if stuck.all() else ' there'}."
    )
    if case.noise.clean_dominates is False:
        sentence += " This noise gives some class a wrong label at least as often as its own."
    elif 0 <= weight < VANISHES:
        sentence += (
            f" At u = {LOST} the sample weight of {case.loss.name} is {percent_of(weight)} of its largest: "
            "a class that has lost its probability hardly gets it back."
        )
    numbers = {
        "classes": case.classes, "never_predicted": counts.tolist(), "models": len(dead), "trapped": int(stuck.sum()),
        "epochs": window, "accuracy": float(accuracy.mean()), "weight_where_lost": weight,
    }  # fmt: skip
    return Finding(Kind.TRAPPED, sentence, numbers)


def _names(case: Case, stuck: np.ndarray, counts: np.ndarray) -> str:
    """The names of the classes that are never predicted, in brackets, where all are known and as many as recorded."""
    sets = [set(case.never.get(lane, ())) for lane, is_stuck in zip(case.curves.lanes, stuck, strict=True) if is_stuck]
    if [len(one) for one in sets] != counts.tolist():
        return ""
    every = sorted(set.union(*sets))
    named = [case.recipe.dataset.class_names[i] for i in every[:MOST_NAMED]]
    if len(every) > MOST_NAMED:
        named.append(f"{len(every) - MOST_NAMED} more")
    listed = ", ".join(named[:-1]) + f" and {named[-1]}" if len(named) > 1 else named[0]
    return f" ({'' if all(one == sets[0] for one in sets) else 'different ones: '}{listed})"


def memorising(case: Case) -> Finding | None:
    """Wrong labels that are predicted as given, more than a network would that knows none of them."""
    given, accuracy = last(case, "flipped_given_accuracy"), case.accuracy
    if given is None:
        return None
    blind = np.minimum(1.0, errors_that_agree(case.noise) * (1 - accuracy))
    beyond = given - blind
    if beyond.mean() < MEMORISED or beyond.mean() <= beyond.std():
        return None
    fall, highest = fall_of(case), case.curves.accuracy.mean(axis=0).max()
    then = "The accuracy has not fallen by more than the seeds differ."
    if highest - accuracy.mean() <= FALL:
        then = f"The accuracy has not fallen by more than {FALL * 100:.0f} points."
    if fall:
        then = f"The accuracy falls after epoch {fall['best_epoch']}, from {fall['best']:.0%} to {accuracy.mean():.0%}."
    sentence = (
        f"{share(given)} of the wrong labels are memorised; without memorising it would be about {blind.mean():.0%} "
        f"at most. {then}"
    )
    numbers = {"memorised": float(given.mean()), "memorised_std": float(given.std()), "blind": float(blind.mean())}
    return Finding(Kind.MEMORISING, sentence, numbers | {"accuracy": float(accuracy.mean())} | fall)


def errors_that_agree(noise: Noise) -> float:
    """How many of a network's errors can agree with the wrong label given to a sample that it has not memorised.

    Such a network predicts a mislabelled sample as it predicts any other of its class. It agrees with the wrong label
    with probability sum_c f_c sum_j (T_cj / o_c) e_cj, with e_cj how often it takes class c for j, o_c = 1 - T_cc and
    f_c = o_c / sum o the share of class c among the mislabelled. That is at most max T_cj / sum o, over j other than c,
    times the sum of all e_cj, which is K times the share of errors: so the share of errors times
    max T_cj / (overall rate). Symmetric noise: 1/(K - 1), pair noise: 1. Instance noise mislabels the samples that look
    like others, which are also taken for others: all errors may be among the mislabelled ones.

    >>> from alf.noise import parse_noise
    >>> [errors_that_agree(parse_noise(spec, 5)) for spec in ("symmetric:0.4", "pair:0.4", "instance:0.4")]
    [0.25, 1.0, 2.5]
    """
    if noise.exact is None:
        return 1 / float(noise.rate) if noise.rate else 1.0
    largest = max(p for c, row in enumerate(noise.exact) for j, p in enumerate(row) if j != c)
    return float(largest / noise.overall_rate) if noise.overall_rate else 1.0


def starving(case: Case) -> Finding | None:
    """Gradients near nothing, while the accuracy is near that of guessing or still rises and right labels are unfitted.

    They are near nothing in one of two ways. The way on which they have moved the weights, which is at most
    sum lr |g| / (1 - momentum) over the steps, is shorter than the weights of the last layer are long at the start:
    then no class can have been told from another. Or the norm is less than `NEAR_NOTHING` of what CE's is at the start:
    that of CE in the same run, or that of this loss at the start times CE's sample weight at u = 1/K over its own.
    """
    norms, accuracy = case.curves.of("grad_norm"), case.accuracy
    clean = last(case, "clean_accuracy")
    if norms is None or trapped(case):
        return None
    chance, rise = 1 / case.classes, rise_of(case)
    near_chance = accuracy.mean() < chance + NEAR_CHANCE * (1 - chance)
    if not near_chance and (rise is None or (clean is not None and clean.mean() >= FITTED)):
        return None
    way, scale, beside = _way(case), _scale(case), _beside_ce(case, norms)
    if way >= scale and (beside is None or beside >= NEAR_NOTHING):
        return None
    own, ce = starting_weight(case.loss, case.classes)
    weight = own / (1 - chance) if case.recipe.equal_scale else ce
    sentence = f"The accuracy is {share(accuracy)}, near that of guessing ({chance:.0%})"
    if rise is not None and not near_chance:
        sentence = f"The accuracy still rises: {share(accuracy)}, {100 * rise:.0f} points more than a quarter before"
    if way < scale:
        sentence += (
            f". All gradients together have moved the weights by at most {rounded(way, 2)}; the weights of the last "
            f"layer alone measure {rounded(scale, 2)} at the start."
        )
    elif beside is not None:
        sentence += f", and the gradient norm is {percent_of(beside)} of what CE's is at the start."
    if 0 <= weight < 1:
        sentence += (
            f" Training starts at u = 1/{case.classes}, where the sample weight of {case.loss.name} is "
            f"{percent_of(weight)} of CE's{' at equal gradient scale' if case.recipe.equal_scale else ''}."
        )
    numbers = {
        "accuracy": float(accuracy.mean()), "chance": chance, "rise": rise, "way": way, "scale": scale,
        "norm_beside_ce": beside, "weight_at_the_start": weight,
    }  # fmt: skip
    return Finding(Kind.STARVING, sentence, numbers)


def _beside_ce(case: Case, norms: Array) -> float | None:
    """The gradient norm over the last quarter, as a share of CE's where training starts."""
    own, ce = starting_weight(case.loss, case.classes)
    weight = own if case.recipe.equal_scale else ce * (1 - 1 / case.classes)
    reference = case.ce_norm
    if reference is None and 0 < weight < float("inf"):
        reference = float(norms[:, 0].mean()) * (1 - 1 / case.classes) / weight
    now = float(norms[:, -max(1, norms.shape[1] // 4) :].mean())
    return now / reference if reference else None


def _way(case: Case) -> float:
    """What all gradients together can have moved the weights by, mean over the models; infinite where not known."""
    norms, recipe = case.curves.of("grad_norm"), case.recipe
    if norms is None:
        return float("inf")
    rates = np.array([recipe.lr_at(epoch) for epoch in case.curves.epochs])
    rates = np.maximum.accumulate(rates[::-1])[::-1]  # momentum carries a gradient into epochs with a larger rate
    steps = -(-sizes(recipe)[0] // recipe.batch)
    return float((np.minimum(norms, recipe.clip) @ rates).mean() * steps / (1 - recipe.momentum))


def _scale(case: Case) -> float:
    """How long the last layer's weights are at the start, all together: see `alf.training.networks`.

    K rows, each of n weights with variance 1/(3 n), or about 2/n in a convolutional network.
    """
    return sqrt(2 * case.classes) if is_convolutional(case.recipe.network) else sqrt(case.classes / 3)


def rise_of(case: Case) -> float | None:
    """By how much the last quarter of the epochs lies above the quarter before, where that stands out; else None."""
    gains = _gains(case)
    return float(gains.mean()) if gains.mean() >= RISE and gains.mean() > gains.std() else None


def _gains(case: Case) -> Array:
    """By how much the accuracy of each model is higher in the last quarter of the epochs than in the quarter before."""
    accuracy = case.curves.accuracy
    quarter = accuracy.shape[1] // 4
    return np.asarray(accuracy[:, -quarter:].mean(axis=1) - accuracy[:, -2 * quarter : -quarter].mean(axis=1))


def fall_of(case: Case) -> dict[str, Any]:
    """The best epoch and its accuracy, where the last lies below by more than `FALL` and the spreads; else empty."""
    accuracy = case.curves.accuracy
    at = int(accuracy.mean(axis=0).argmax())
    best, last = accuracy[:, at], accuracy[:, -1]
    if best.mean() - last.mean() <= max(FALL, best.std() + last.std()):
        return {}
    return {"best": float(best.mean()), "best_epoch": case.curves.epochs[at]}


def last(case: Case, metric: str) -> Array | None:
    """A metric at the last epoch, model by model."""
    found = case.curves.of(metric)
    return None if found is None else found[:, -1]


def share(values: Array) -> str:
    """A share with its standard deviation over the models: ``57% ± 3``."""
    return f"{values.mean():.0%}" + (f" ± {100 * values.std():.0f}" if len(values) > 1 else "")


def percent_of(share: float) -> str:
    """A share of two digits, however small.

    >>> percent_of(0.0512), percent_of(0.86), percent_of(3e-9)
    ('5.1%', '86%', 'less than 0.01%')
    """
    return f"{rounded(100 * share, 2)}%" if share >= 1e-4 else "less than 0.01%"


def counted(number: int, word: str) -> str:
    """``3 epochs``."""
    return f"{number} {word}{'' if number == 1 else 's'}"
