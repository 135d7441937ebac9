"""Every verdict is attacked by an oracle that shares no code with the engine, and the attack is shown to bite."""

import dataclasses
import os
import random
from pathlib import Path

import pytest
from formulas import formulas
from oracle import attack_ratio, attack_verdict

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import CLAIMS, Verdict, prove, ratio
from alf.theory.table import CLASSES, NOISES, losses, table

SOAK = os.environ.get("ALF_SOAK") == "1"
SEED, COUNT = (2026, 100) if SOAK else (7, 10)
CATALOGUE = [loss.spec for loss in losses()]


def noise_of(seed: int, classes: int):
    """A circulant matrix whose rows have one largest entry, on the diagonal."""
    draw = random.Random(seed)
    row = sorted((draw.randint(1, 20) for _ in range(classes)), reverse=True)
    row[0] += draw.choice([1, 3, 8, 20])
    total = sum(row)
    rows = [[f"{row[(j - i) % classes]}/{total}" for j in range(classes)] for i in range(classes)]
    return parse_noise("matrix:" + ";".join(",".join(r) for r in rows), classes)


def contradictions(loss, classes: int, noise, claims=CLAIMS) -> tuple[list[str], int, int]:
    """What the oracle finds, how many verdicts there were and how many were undecided."""
    found, undecided = [], 0
    for claim in claims:
        verdict = prove(claim, loss, noise, classes)
        undecided += verdict.status == "undecided"
        found += attack_verdict(loss, classes, verdict.to_json(), [noise.exact[0]])
    return found, len(claims), undecided


@pytest.mark.parametrize("spec", CATALOGUE)
def test_catalogue_at_three_classes(spec):
    found, _, undecided = contradictions(parse(spec), 3, noise_of(len(spec), 3))
    assert found == []
    assert undecided == 0


@pytest.mark.parametrize("spec", CATALOGUE)
def test_catalogue_on_the_noise_grid(spec):
    loss = parse(spec)
    for text in NOISES if SOAK else random.Random(spec).sample(NOISES, 1):
        noise = parse_noise(text, CLASSES)
        found, _, undecided = contradictions(loss, CLASSES, noise, ("noise_tolerant",))
        assert found == []
        assert undecided == 0


def test_the_table_is_as_generated():
    document = Path(__file__).parents[2] / "docs" / "verdicts.md"
    assert document.read_text(encoding="utf-8") == table()


def test_random_formulas(capsys):
    """Ten here; ``make soak`` takes 220 and another seed, and prints how many verdicts that were."""
    found, asked, open_ = [], 0, 0
    for i, spec in enumerate(formulas(COUNT, SEED)):
        loss = parse(spec)
        found += attack_ratio(loss, ratio(loss).to_json(), 200)
        for classes in (2, 3, 4) if SOAK else (2 + i % 3,):
            more, count, undecided = contradictions(loss, classes, noise_of(i, classes))
            found, asked, open_ = found + more, asked + count, open_ + undecided
    if SOAK:
        with capsys.disabled():
            print(f"\n{COUNT} random formulas: {asked} verdicts, {open_} undecided, {len(found)} contradicted")
    assert found == []
    assert open_ <= 0.05 * asked


# --- the attack bites ---------------------------------------------------------------------------------------------


def flipped(verdict: Verdict) -> Verdict:
    """A verdict that claims what the engine refuted."""
    return dataclasses.replace(verdict, holds=True, status="proved", witness=None, data={"constant": 1.0, "drop": 1.0})


@pytest.mark.parametrize(
    ("claim", "spec", "noise"),
    [
        ("convex", "aul:a=3,p=0.1", "pair:0.4"),
        ("concave", "agce:a=0.6,q=0.6", "pair:0.4"),
        ("symmetric", "ael:a=2", "pair:0.4"),
        ("asymmetric", "ael:a=1.5", "pair:0.4"),
        ("asymmetric", "ce", "pair:0.1"),
        ("asymmetric", "ngce:q=0.7", "pair:0.3"),
        ("asymmetric", "nce+ael:alpha=1,beta=1,a=0.5", "pair:0.4"),
        ("noise_tolerant", "amse:a=1.5", "pair:0.3"),
        ("completely_asymmetric", "ael:a=0.5", "none"),
        ("calibrated", "formula:(1-u)+max(0,0.5-u)", "none"),
    ],
)
def test_a_false_yes_is_caught(claim, spec, noise):
    loss, model = parse(spec), parse_noise(noise, 3)
    verdict = prove(claim, loss, model, 3)
    assert verdict.holds is False
    assert attack_verdict(loss, 3, verdict.to_json(), [model.exact[0]]) == []
    assert attack_verdict(loss, 3, flipped(verdict).to_json(), [model.exact[0]]) != []


@pytest.mark.parametrize("spec", ["ael:a=2.5", "mae", "agce:a=1,q=2"])
def test_a_false_no_is_caught(spec):
    """A refutation without a point, and one whose point does not do what it says."""
    loss, noise = parse(spec), parse_noise("pair:0.3", 3)
    verdict = prove("noise_tolerant", loss, noise, 3)
    assert verdict.holds is True
    without = {**verdict.to_json(), "holds": False, "status": "refuted"}
    assert attack_verdict(loss, 3, without, [noise.exact[0]]) != []
    other = prove("noise_tolerant", parse("ce"), noise, 3).witness
    borrowed = dataclasses.replace(verdict, holds=False, status="refuted", witness=other)
    assert attack_verdict(loss, 3, borrowed.to_json(), [noise.exact[0]]) != []


def test_a_wrong_ratio_is_caught():
    loss = parse("agce:a=0.6,q=0.6")
    right = ratio(loss).to_json()
    assert attack_ratio(loss, right, 200) == []
    assert attack_ratio(loss, {**right, "interval": [0.8, 0.8], "upper_interval": [0.8, 0.8]}, 200) != []
    assert attack_ratio(loss, {**right, "interval": [0.1, 0.1]}, 200) != []


def test_a_prover_with_a_sign_turned_round_is_caught(monkeypatch):
    """The engine itself made wrong: every shape is taken for concave, so every loss for completely asymmetric."""
    from alf.theory.claims import complete

    loss = parse("formula:exp(-2*u)")
    monkeypatch.setattr(complete, "proved_sign", lambda loss, order: complete.NEGATIVE)
    verdict = complete.completely_asymmetric(loss, 3)
    assert verdict.holds is True
    assert attack_verdict(loss, 3, verdict.to_json()) != []


def test_a_prover_with_a_case_dropped_is_caught(monkeypatch):
    """The engine itself made wrong: kinks forgotten, so that (1-u) + max(0, 1/2-u) passes for calibrated."""
    from alf.theory.claims import calibration

    loss = parse("formula:(1-u)+max(0,0.5-u)")
    monkeypatch.setattr(calibration, "_with_kinks", lambda loss, structure: calibration._smooth(structure))
    verdict = calibration.calibrated(loss, 2)
    assert verdict.holds is True
    assert attack_verdict(loss, 2, verdict.to_json()) != []


def test_a_prover_that_ignores_the_order_of_pieces_is_caught(monkeypatch):
    """A fault the oracle once found: a kink taken after the piece that begins at it made r too large."""
    from alf.theory.ratios import of_loss

    loss = parse("formula:max(-u,0.5-2*u)+2*(-u+sin(2*u)/4)")
    monkeypatch.setattr(of_loss, "concave_then_convex", lambda shape: True)
    of_loss.ratio_of_shape.cache_clear()
    wrong = of_loss.ratio_of_shape(loss.exact)
    of_loss.ratio_of_shape.cache_clear()
    assert attack_ratio(loss, wrong.to_json(), 200) != []
