"""What is said of a run agrees with its numbers: on records made up at random, of every kind, and on tiny real runs."""

import json
import os
import re

import numpy as np
import pytest

from alf.losses import parse
from alf.noise import parse_noise
from alf.runs.recorded_run import recorded
from alf.training import run
from alf.training.diagnosis import POOR, diagnose
from alf.training.inspect import inspect
from alf.training.recipe import Recipe
from alf.training.symptoms import FALL, LEAST_EPOCHS, MEMORISED, RISE, Kind, errors_that_agree

MANY = 4000 if os.environ.get("ALF_SOAK") == "1" else 300
KEY = ("mae", "symmetric:0.4")


def made(recipe, **columns):
    """Records of a recipe with one loss and noise: each column (models, epochs), or one number for all."""
    defaults = {"clean_accuracy": 0.8, "flipped_true_accuracy": 0.5, "dead_classes": 0, "grad_norm": 0.2,
                "flipped_given_accuracy": 0.02, "train_loss": 0.5, "confidence": 0.5, "seconds": 1.0}  # fmt: skip
    rows = []
    for lane, who in enumerate(recipe.lanes):
        for epoch in range(recipe.epochs):
            row = {"lane": lane, **who._asdict(), "epoch": epoch + 1}
            for name, values in (defaults | columns).items():
                row[name] = values if np.ndim(values) == 0 else np.asarray(values)[lane, epoch].item()
            rows.append(row)
    return rows


def recipe_of(seeds=2, epochs=16, **more):
    more = {"losses": (KEY[0],), "noise": (KEY[1],)} | more
    return Recipe(data="digits", seeds=tuple(range(seeds)), epochs=epochs, network="mlp:32", lr=0.3, **more)


def kinds(findings):
    return [finding.kind for finding in findings]


def settled(level, seeds=2, epochs=16):
    return np.full((seeds, epochs), level)


def test_each_kind_from_records_that_show_it():
    recipe = recipe_of()
    flat, climb = settled(0.8), np.linspace(0.1, 0.5, 16) * np.ones((2, 1))
    say = lambda **columns: diagnose(recipe, made(recipe, **columns))[KEY]  # noqa: E731
    assert kinds(say(test_accuracy=flat)) == [Kind.NOTHING]
    assert kinds(say(test_accuracy=flat, dead_classes=2)) == [Kind.TRAPPED]
    assert kinds(say(test_accuracy=climb, dead_classes=2)) == [Kind.NOTHING]  # they may be predicted yet
    assert kinds(say(test_accuracy=flat, flipped_given_accuracy=0.6)) == [Kind.MEMORISING]
    assert kinds(say(test_accuracy=settled(0.1), grad_norm=1e-4, dead_classes=9)) == [Kind.STARVING]
    assert kinds(say(test_accuracy=climb, grad_norm=np.linspace(0.05, 0.01, 16) * np.ones((2, 1)))) == [Kind.STARVING]
    assert kinds(say(test_accuracy=climb)) == [Kind.NOTHING]
    early = recipe_of(epochs=LEAST_EPOCHS - 1)
    assert kinds(diagnose(early, made(early, test_accuracy=settled(0.1, epochs=3)))[KEY]) == [Kind.EARLY]
    assert kinds(diagnose(recipe, [], {0: "Diverged in epoch 1: the gradient.", 1: "Diverged in epoch 1."})[KEY]) == [
        Kind.DIVERGED
    ]


def test_a_memorised_share_that_errors_explain_is_no_claim():
    recipe = recipe_of(noise=("pair:0.4",))
    lost = made(recipe, test_accuracy=settled(0.55), flipped_given_accuracy=0.45, dead_classes=4)
    assert kinds(diagnose(recipe, lost)["mae", "pair:0.4"]) == [Kind.TRAPPED]
    fitted = made(recipe, test_accuracy=settled(0.55), flipped_given_accuracy=0.7)
    assert kinds(diagnose(recipe, fitted)["mae", "pair:0.4"]) == [Kind.MEMORISING]
    spread = made(recipe, test_accuracy=settled(0.9), flipped_given_accuracy=np.outer([0.02, 0.6], np.ones(16)))
    assert Kind.MEMORISING not in kinds(diagnose(recipe, spread)["mae", "pair:0.4"])  # one seed of two


@pytest.mark.parametrize("spec", ["symmetric:0.4", "pair:0.3", "asymmetric:0.4", "matrix"])
def test_errors_of_a_network_that_knows_no_label_agree_no_more_often_than_the_bound(spec):
    random = np.random.default_rng(7)
    for _ in range(50):
        text = spec
        if spec == "matrix":
            rows = random.multinomial(20, random.dirichlet(np.ones(5)), size=5) + np.eye(5, dtype=int) * 2
            text = "matrix:" + ";".join(",".join(f"{n}/{sum(row)}" for n in row) for row in rows.tolist())
        noise = parse_noise(text, 10 if spec == "asymmetric:0.4" else 5, "mnist")
        if not noise.overall_rate:
            continue
        predicts = random.dirichlet(np.full(noise.classes, random.choice([0.05, 1.0])), size=noise.classes)
        flips = noise.transition * (1 - np.eye(noise.classes))
        agree = (flips * predicts).sum() / flips.sum()
        assert agree <= errors_that_agree(noise) * (1 - np.trace(predicts) / noise.classes) + 1e-12


def test_names_are_said_where_they_are_as_many_as_recorded():
    recipe = recipe_of()
    records = made(recipe, test_accuracy=settled(0.8), dead_classes=2)
    said = lambda never: diagnose(recipe, records, never=never)[KEY][0].sentence  # noqa: E731
    assert "(3 and 5)" in said({0: (3, 5), 1: (3, 5)})
    assert "(different ones: 3, 5 and 7)" in said({0: (3, 5), 1: (5, 7)})
    assert "(" not in said({0: (3, 5)}) and "(" not in said({0: (3,), 1: (3,)}) and "(" not in said({})


def test_theory_is_asked_only_where_training_does_poorly_and_says_which_it_is():
    asked = []

    def tolerates(*key):
        asked.append(key)
        return "proved"

    recipe = recipe_of()
    assert kinds(diagnose(recipe, made(recipe, test_accuracy=settled(0.8)), tolerates=tolerates)[KEY]) == [Kind.NOTHING]
    assert not asked
    trapped = made(recipe, test_accuracy=settled(0.8), dead_classes=2)
    found = diagnose(recipe, trapped, tolerates=tolerates)[KEY]
    assert asked == [KEY] and kinds(found) == [Kind.TRAPPED, Kind.THEORY]
    assert "MAE is proved to tolerate" in found[1].sentence and "can reach" in found[1].sentence
    assert kinds(diagnose(recipe, trapped, tolerates=lambda *_: None)[KEY]) == [Kind.TRAPPED]
    two = recipe_of(losses=("mae", "ce"))
    behind = made(two, test_accuracy=np.concatenate([settled(0.8), settled(0.9)]))
    found = diagnose(two, behind, tolerates=tolerates)
    assert kinds(found[KEY]) == [Kind.THEORY] and "that of CE 90%" in found[KEY][0].sentence
    assert kinds(found["ce", KEY[1]]) == [Kind.NOTHING]


def at_random(random):
    """A recipe and records of it, with curves that rise, fall, jump or rest, lanes that end, and metrics missing."""
    seeds, epochs = int(random.integers(1, 5)), int(random.integers(1, 30))
    noise = str(random.choice(["none", "symmetric:0.4", "pair:0.4", "pair:0.6", "instance:0.3"]))
    losses = tuple(random.permutation(["ce", "mae", "ael:a=1", "formula:1-u**2", "nce+mae:alpha=1,beta=1"])[:2])
    recipe = recipe_of(seeds, epochs, losses=losses, noise=(noise,), equal_scale=bool(random.integers(2)))
    lanes, steps = len(recipe.lanes), np.linspace(0, 1, epochs)
    ends = (
        random.uniform(0, 1, (lanes, 2, 1))
        if random.integers(2)
        else np.tile(random.uniform(0, 1, (1, 2, 1)), (lanes, 1, 1))
    )
    shares = (
        ends[:, 0] * (1 - steps) + ends[:, 1] * steps + random.normal(0, random.choice([0, 0.02, 0.1]), (lanes, epochs))
    )
    columns = {"test_accuracy": shares.clip(0, 1), "flipped_given_accuracy": random.uniform(0, 1, (lanes, epochs)),
               "dead_classes": random.integers(0, random.integers(1, 10), (lanes, epochs)),
               "grad_norm": 10.0 ** random.uniform(-6, 1) * random.uniform(0.5, 1, (lanes, epochs))}  # fmt: skip
    if random.integers(3) == 0:
        columns["flipped_given_accuracy"] = None
    records = made(recipe, **columns)
    ended = {}
    for lane in range(lanes):
        if random.integers(6) == 0:
            ended[lane] = f"Diverged in epoch {int(random.integers(1, epochs + 1))}: the gradient is no longer finite."
    if random.integers(3) == 0:
        records = [row | {"dead_classes": None} for row in records]
    return recipe, [records[i] for i in random.permutation(len(records))], ended


def test_no_sentence_contradicts_the_records():
    random = np.random.default_rng(2026)
    seen = set()
    for _ in range(MANY):
        recipe, records, ended = at_random(random)
        found = diagnose(recipe, records, ended, tolerates=lambda loss, noise: "certified")
        assert set(found) == {(lane.loss, lane.noise) for lane in recipe.lanes}
        for key, findings in found.items():
            assert findings
            json.dumps([finding.to_dict() for finding in findings], allow_nan=False)
            for finding in findings:
                seen.add(finding.kind)
                check(finding, recipe, key, records, ended, kinds(findings))
    assert seen == set(Kind)


def check(finding, recipe, key, records, ended, beside):
    """Hold one sentence against the records, worked out anew."""
    lanes = [i for i, lane in enumerate(recipe.lanes) if (lane.loss, lane.noise) == key]
    alive = [i for i in lanes if i not in ended]
    table = {(r["lane"], r["epoch"]): r for r in records}
    column = lambda name: [[table[i, e][name] for e in range(1, recipe.epochs + 1)] for i in alive]  # noqa: E731
    said, numbers = finding.sentence, finding.numbers
    assert said.endswith(".") and "nan" not in said and "None" not in said
    if finding.kind == Kind.DIVERGED:
        assert any(ended.get(i, "") in said for i in lanes) and numbers["ended"] == len(lanes) - len(alive)
        return
    accuracy = np.array(column("test_accuracy"))
    mean, last = accuracy.mean(axis=0), accuracy[:, -1]
    if finding.kind == Kind.EARLY:
        assert f"after {recipe.epochs} epoch" in said and recipe.epochs < LEAST_EPOCHS
        return
    assert recipe.epochs >= LEAST_EPOCHS
    quarter = recipe.epochs // 4
    gain = mean[-quarter:].mean() - mean[-2 * quarter : -quarter].mean()
    if "still rises" in said:
        assert gain >= RISE
    if found := re.search(r"falls after epoch (\d+), from (\d+)% to (\d+)%", said):
        epoch, high, low = map(int, found.groups())
        assert mean[epoch - 1] == mean.max() and mean.max() - mean[-1] > FALL
        assert (f"{mean.max():.0%}", f"{mean[-1]:.0%}") == (f"{high}%", f"{low}%")
    if "has not fallen by more than 5 points" in said:
        assert mean.max() - mean[-1] <= FALL
    if finding.kind == Kind.TRAPPED:
        dead = np.array(column("dead_classes"))
        window = int(re.search(r"for (\d+) epochs or longer", said).group(1))
        stuck = (dead[:, -window:] >= 1).all(axis=1)
        low, high = re.search(r"(\d+)(?: to (\d+))? of 10 classes", said).groups()
        assert (dead[stuck, -1].min(), dead[stuck, -1].max()) == (int(low), int(high or low))
        assert stuck.sum() == numbers["trapped"] and f"it is {last[stuck].mean():.0%}" in said
        assert gain < RISE
        assert Kind.STARVING not in beside
    if finding.kind == Kind.MEMORISING:
        given = np.array(column("flipped_given_accuracy"))[:, -1]
        assert said.startswith(f"{given.mean():.0%}") and given.mean() - numbers["blind"] >= MEMORISED
    if finding.kind == Kind.STARVING:
        assert f"{last.mean():.0%}" in said
        assert last.mean() < 0.19 or gain >= RISE
        if found := re.search(r"by at most ([\d.·⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+); .* measure ([\d.]+)", said):
            assert numbers["way"] < numbers["scale"] == pytest.approx((10 / 3) ** 0.5)
    if finding.kind == Kind.THEORY:
        assert "certified" in said and parse(key[0]).label in said
        assert beside[-1] == Kind.THEORY
        if len(beside) == 1:
            assert numbers["best"] - numbers["accuracy"] > POOR
    if finding.kind == Kind.NOTHING:
        assert beside == [Kind.NOTHING] and f"the accuracy is {last.mean():.0%}" in said
        if "every class is predicted" in said:
            assert not np.array(column("dead_classes"))[:, -1].any()


def test_a_real_run_says_what_its_snapshot_shows():
    recipe = Recipe(data="digits", losses=("ce", "mae"), noise=("pair:0.4",), network="mlp:64", epochs=12, lr=1.0)
    *records, summary = run(recipe, tolerates=lambda loss, noise: "proved" if loss == "mae" else None)
    for row in summary["losses"]:
        assert row["diagnosis"]
        dead = [r["dead_classes"] for r in records if r["loss"] == row["loss"]]
        for finding in row["diagnosis"]:
            if finding["kind"] == "trapped":
                assert finding["numbers"]["never_predicted"] == [dead[-1]]
                assert re.search(rf"^{dead[-1]} of 10 classes (is|are) never predicted \(", finding["sentence"])


def test_what_is_said_of_the_recorded_run():
    """CE memorises; the bounded losses end some seven to ten points apart by the number of classes they lost."""
    whole = recorded("digits")
    never = {lane: whole.inspect(lane).never_predicted for lane in range(len(whole.recipe.lanes))}
    found = diagnose(whole.recipe, whole.records, whole.ended, never)
    assert kinds(found["ce", "symmetric:0.5"]) == [Kind.MEMORISING]
    last = {r["lane"]: r["dead_classes"] for r in whole.records if r["epoch"] == whole.recipe.epochs}
    assert {lane: len(classes) for lane, classes in never.items()} == last
    for (loss, _), findings in found.items():
        lost = any(last[i] for i, lane in enumerate(whole.recipe.lanes) if lane.loss == loss)
        assert (Kind.TRAPPED in kinds(findings)) == lost


def test_never_predicted_is_of_the_test_set(tmp_path):
    whole = recorded("digits")
    seen = inspect(whole.recipe, whole.recipe.load(), whole._snapshot, 0)
    assert set(seen.never_predicted) == set(seen.test_true) - set(seen.test_predicted)
