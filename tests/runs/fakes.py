"""A worker that computes nothing: it takes a lease, writes and ends as a real one does."""

from alf.runs.leases import Lease, grant, waiting
from alf.training.recipe import Recipe
from alf.training.records import METRICS

RECIPE = Recipe(data="digits", losses=("ce", "mae"), noise=("symmetric:0.5",), network="mlp:8", epochs=60)


def take(store, part=None):
    """Lease a part, the first of the queue by default, and begin it; return the lease of it and its row."""
    part = waiting(store)[0] if part is None else part
    lease = Lease(store, part, grant(store, part, "host:1:x"))
    lease.POLL = 0.0
    return lease, lease.begin({"host": "host", "pid": 1, "address": None})


def row(lane, epoch, accuracy=0.5):
    """The record of a lane's epoch as a worker writes it."""
    return {"lane": lane, "epoch": epoch} | dict.fromkeys(METRICS, 0.1) | {"test_accuracy": accuracy}


def compute(store, epochs, part=None, state=b"state", arrays=b"arrays"):
    """Compute some epochs of a part, and leave it to go on."""
    lease, begun = take(store, part)
    for epoch in range(1, epochs + 1):
        rows = [row(lane, epoch) for lane in begun.lanes]
        lease.write(rows, epoch, 1.0, {}, state, arrays)
    return lease
