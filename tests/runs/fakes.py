"""A worker that computes nothing: it takes a lease, writes and ends as a real one does."""

from alf.runs.dask_workers import Ending
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


def trained(store, recipe, owner="me", accuracy=0.5, epochs=None, ended=None):
    """A result of a fake worker: lane i ends with accuracy + i/100, and at an epoch of its own where it `ended`."""
    store.start(recipe, owner, [range(len(recipe.lanes))])
    lease, begun = take(store)
    last = epochs or recipe.epochs
    for epoch in range(1, last + 1):
        alive = [lane for lane in begun.lanes if epoch <= (ended or {}).get(lane, last)]
        rows = [row(lane, epoch, accuracy + lane / 100 if epoch == last or ended else 0.1) for lane in alive]
        why = {lane: "Diverged." for lane, at in (ended or {}).items() if epoch > at}
        lease.write(rows, epoch, 1.0, why, b"state")
    if epochs is None:
        lease.finish()
    return lease


class FakeJob:
    """A part in the hands of a fake worker: it trains and ends when a test says so."""

    def __init__(self, store, part, token, done, cuda=False):
        self.part, self.lease, self._done, self.cuda = part, Lease(store, part, token), done, cuda
        self.has_ended, self.killed = None, False
        self.lease.POLL = 0.0
        self.row = self.lease.begin({"host": "host", "pid": 1, "address": None})
        saved = self.lease.checkpoint()
        self.epoch = 0 if saved is None else saved.epoch

    def train(self, epochs=1):
        """Compute some epochs, with a checkpoint of the last."""
        for _ in range(epochs):
            self.epoch += 1
            rows = [row(lane, self.epoch) for lane in self.row.lanes]
            self.lease.write(rows, self.epoch, float(self.epoch), {}, b"state %d" % self.epoch)

    def finish(self):
        self.train(self.row.recipe["epochs"] - self.epoch)
        self.lease.finish()
        self.end(Ending.RETURNED)

    def end(self, ending):
        self.has_ended = ending
        self._done()


class FakeWorkers:
    """What `alf.runs.dask_workers.DaskWorkers` has from Dask, without a process."""

    def __init__(self, store, count=2):
        self._store, self.count, self.gpus, self.gone, self.closed = store, count, None, False, False
        self.jobs = []  # in the order in which they were given

    def submit(self, part, token, done, cuda=False):
        if self.gone:
            raise OSError("the connection is lost")
        self.jobs.append(FakeJob(self._store, part, token, done, cuda))
        return self.jobs[-1]

    def ending(self, job):
        return job.has_ended

    def kill(self, job, worker):
        job.killed = True

    def close(self):
        self.closed = True

    @property
    def busy(self):
        """The jobs that have neither ended nor been killed."""
        return [job for job in self.jobs if job.has_ended is None and not job.killed]
