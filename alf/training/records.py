"""Epoch records, what they hold, and the summary of a run made from them.

An epoch record is a dictionary with these keys:

run, lane
    Which run; index into ``recipe.lanes``.
loss, noise, seed
    The lane: canonical loss spec, canonical noise spec, seed.
epoch
    From 1.
train_loss
    Mean loss over the epoch's batches, before their updates.
test_accuracy
    On the clean test set, at the end of the epoch.
clean_accuracy, flipped_given_accuracy, flipped_true_accuracy
    On training samples whose label was left alone; on flipped ones, counted against the wrong label they were given
    (memorised) and against their true label. Null where there are no such samples. Fractions, at the end of the epoch;
    of training sets with more than 10,000 samples a fixed stratified part of that size is measured.
confidence
    Mean probability that the network gives to the true class of a test sample.
dead_classes
    How many of the classes in the test set are predicted for none of its samples.
grad_norm
    Mean norm of the gradient over the epoch's batches, before clipping.
seconds
    Training time since the run began, evaluation included.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from statistics import fmean, pstdev
from typing import Any

Record = dict[str, Any]

RECORD_KEYS = (
    *("run", "lane", "loss", "noise", "seed", "epoch", "train_loss", "test_accuracy", "clean_accuracy"),
    *("flipped_given_accuracy", "flipped_true_accuracy", "confidence", "dead_classes", "grad_norm"),
    "seconds",
)
METRICS = RECORD_KEYS[6:]


def summarise(records: Iterable[Record], ended: dict[int, str] | None = None) -> list[Record]:
    """Summarise a run: last and best test accuracy per loss and noise, mean and standard deviation over seeds.

    The *last* epoch is the result; the best one, which nobody can choose without clean test labels, is there to show
    memorisation: it is the first at which the mean over the seeds is highest, so the height of the curve that is drawn
    (`together` makes both). While some seeds are ahead, all count with the epoch to which the last has come, as far as
    it is among the records. Standard deviations are of the seeds at hand (divisor n). A lane that ended early counts
    with its last finished epoch and is named under ``ended``.

    >>> lane = {"lane": 0, "loss": "ce", "noise": "none", "seed": 0, "flipped_given_accuracy": None}
    >>> records = [lane | {"epoch": 1, "test_accuracy": 0.9}, lane | {"epoch": 2, "test_accuracy": 0.7}]
    >>> summarise(records)[0]["last"], summarise(records)[0]["best"]
    ({'mean': 0.7, 'std': 0.0}, {'mean': 0.9, 'std': 0.0})
    """
    curves = defaultdict(list)
    for record in records:
        curves[record["lane"]].append(record)
    groups = defaultdict(list)
    for lane in sorted(curves):
        curve = sorted(curves[lane], key=lambda record: record["epoch"])
        groups[curve[0]["loss"], curve[0]["noise"]].append(curve)
    rows = []
    for (loss, noise), members in groups.items():
        members = _together(members, ended or {})
        heights = together((record for curve in members for record in curve), "test_accuracy", ended or ())
        best = max(heights, key=lambda epoch: fmean(heights[epoch]))
        row = {"loss": loss, "noise": noise, "seeds": [curve[0]["seed"] for curve in members]}
        row["last"] = _spread([curve[-1]["test_accuracy"] for curve in members])
        row["best"], row["best_epoch"] = _spread(heights[best]), best
        row["epochs"] = [curve[-1]["epoch"] for curve in members]
        memorised = [curve[-1]["flipped_given_accuracy"] for curve in members]
        row["memorised"] = None if None in memorised else _spread(memorised)
        reasons = {curve[0]["seed"]: (ended or {}).get(curve[0]["lane"]) for curve in members}
        row["ended"] = {str(seed): reason for seed, reason in reasons.items() if reason}
        rows.append(row)
    return rows


def together(records: Iterable[Record], metric: str, ended: Collection[int] = ()) -> dict[int, list[float]]:
    """A metric's values over the seeds at each epoch to which all lanes have come, those that `ended` early aside.

    The mean over the seeds that happen to be ahead would jump when the others arrive. All records are of one loss and
    noise.

    >>> rows = [{"lane": lane, "epoch": epoch, "m": lane / 10} for lane, epochs in ((0, 2), (1, 1)) for epoch in
    ...         range(1, epochs + 1)]
    >>> together(rows, "m"), together(rows, "m", ended={1})
    ({1: [0.0, 0.1]}, {1: [0.0, 0.1], 2: [0.0]})
    """
    values: defaultdict[int, list[float]] = defaultdict(list)
    reached: dict[int, int] = {}
    for record in records:
        lane, epoch = record["lane"], record["epoch"]
        reached[lane] = max(epoch, reached.get(lane, 0))
        if record[metric] is not None:
            values[epoch].append(record[metric])
    going = [last for lane, last in reached.items() if lane not in ended]
    frontier = min(going, default=max(reached.values(), default=0))
    return {epoch: values[epoch] for epoch in sorted(values) if epoch <= frontier}


def _together(curves: list[list[Record]], ended: dict[int, str]) -> list[list[Record]]:
    """The curves as far as all have come that have not ended early: seeds are compared at one epoch."""
    come = min((curve[-1]["epoch"] for curve in curves if curve[0]["lane"] not in ended), default=0)
    return [
        curve if curve[0]["lane"] in ended else [row for row in curve if row["epoch"] <= come] or curve[-1:]
        for curve in curves
    ]


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": fmean(values), "std": pstdev(values)}
