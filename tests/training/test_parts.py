"""How lanes are divided into parts, and that a part computed alone gives what all give together."""

import pytest

from alf.training import Recipe, classroom, run
from alf.training.parts import share_out
from alf.training.records import summarise
from alf.training.trainer import Trainer

PICTURES = Recipe(
    data="digits", losses=("ce", "ael:a=3.5"), network="cnn-tiny", epochs=2, lr=0.05, samples=300, device="cpu"
)


def test_lanes_are_shared_out_completely():
    recipe = classroom("digits")
    for workers in (1, 2, 3, 7, 100):
        parts = share_out(recipe, workers)
        assert sorted(lane for part in parts for lane in part) == list(range(18))
        assert len(parts) <= max(1, workers) and all(parts)


def test_models_of_a_convolutional_network_come_one_after_another_on_a_cpu():
    *records, summary = run(PICTURES)
    assert [(record["loss"], record["epoch"]) for record in records] == [
        (loss, epoch) for loss in PICTURES.losses for epoch in (1, 2)
    ]
    assert summary["status"] == "finished" and [entry["loss"] for entry in summary["losses"]] == list(PICTURES.losses)
    together = Trainer(PICTURES, PICTURES.load())
    for epoch in (1, 2):
        for record in together.run_epoch():
            alone = next(r for r in records if (r["loss"], r["epoch"]) == (record["loss"], epoch))
            assert alone["train_loss"] == pytest.approx(record["train_loss"], rel=1e-3)


def test_stop_ends_all_models():
    records = []
    for record in run(PICTURES, listen=lambda: bool(records)):  # as soon as there is an epoch
        records.append(record)
    *records, summary = records
    assert summary["status"] == "stopped"
    assert [(record["loss"], record["epoch"]) for record in records] == [("ce", 1)]


def test_seeds_are_compared_at_the_epoch_to_which_all_have_come():
    def row(lane, epoch):
        values = {"loss": "ce", "noise": "none", "test_accuracy": epoch / 10, "flipped_given_accuracy": None}
        return {"lane": lane, "seed": lane, "epoch": epoch} | values

    ahead, behind = [row(0, epoch) for epoch in (1, 2, 3, 4)], [row(1, epoch) for epoch in (1, 2)]
    [summary] = summarise(ahead + behind)
    assert summary["epochs"] == [2, 2] and summary["last"] == {"mean": 0.2, "std": 0.0}
    [summary] = summarise(ahead + behind, {1: "Diverged."})
    assert summary["epochs"] == [4, 2]
    [summary] = summarise([row(0, 4), row(1, 2)])  # the last record of each alone: it is what there is
    assert summary["epochs"] == [4, 2]
