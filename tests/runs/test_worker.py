"""What a worker writes, and when: short epochs together, nothing lost at a Stop, a pause or an error."""

from collections import Counter

import pytest
from sqlalchemy import select

from alf.runs import journal, worker
from alf.runs import tables as t
from alf.runs.leases import Lease, grant, waiting
from alf.runs.store import Store
from alf.training.recipe import Recipe
from alf.training.trainer import Trainer

RECIPE = Recipe(data="digits", losses=("ce", "mae"), noise=("symmetric:0.5",), network="mlp:8", epochs=12)


def work(store, part=0):
    number = waiting(store)[part]
    return worker.work(store.url, number, grant(store, number, "host:1:x"))


def epochs(store, run):
    return [record["epoch"] for record in store.records(run)]


def without_time(records):
    return [{k: v for k, v in record.items() if k not in ("run", "seconds")} for record in records]


@pytest.fixture
def plain(make_url):
    """The records of the recipe when nothing happens to it."""
    store = Store(make_url())
    run = store.start(RECIPE, "ann", ((0, 1),))
    assert work(store) == "finished"
    yield without_time(store.records(run))
    store.close()


def stop_at(monkeypatch, store, run, look):
    """Press Stop just before a worker looks at the flag for the given time."""
    looks, plain = Counter(), Lease.must_leave

    def asked(self, *how_far):
        looks["all"] += 1
        if looks["all"] == look:
            store.stop(run)
        self._looked = 0.0
        return plain(self, *how_far)

    monkeypatch.setattr(Lease, "must_leave", asked)


def test_short_epochs_are_written_several_at_once(store, monkeypatch):
    monkeypatch.setattr(journal, "TOGETHER", 1e9)
    monkeypatch.setattr(journal, "SNAPSHOT_SHARE", 0.0)
    monkeypatch.setattr(journal, "CHECKPOINT_SHARE", 0.0)
    written, plain = [], Lease.write

    def write(self, rows, *rest):
        written.append(sorted({row["epoch"] for row in rows}))
        plain(self, rows, *rest)

    monkeypatch.setattr(Lease, "write", write)
    run = store.start(RECIPE, "ann", ((0, 1),))
    assert work(store) == "finished"
    assert len(written) < RECIPE.epochs / 2 and [e for some in written for e in some] == [*range(1, RECIPE.epochs + 1)]
    assert Counter(epochs(store, run)) == dict.fromkeys(range(1, RECIPE.epochs + 1), 2)


def test_stop_loses_no_finished_epoch_and_the_run_ends_where_its_worker_did(store, monkeypatch, plain):
    monkeypatch.setattr(journal, "TOGETHER", 1e9)
    monkeypatch.setattr(worker, "LONG", 1e9)
    monkeypatch.setattr(journal, "QUICK", 1e9)
    run = store.start(RECIPE, "ann", ((0, 1),))
    with monkeypatch.context() as patched:
        stop_at(patched, store, run, 22)  # 15 looks in the first epoch, which might have been long, then one each
        assert work(store) == "stopped"
    progress, shown = store.progress(run), epochs(store, run)
    assert progress.status == "stopped" and progress.epoch == 7
    assert max(shown) == progress.epoch == store.snapshot_epochs(run)[0]
    assert progress.message == f"Stopped after epoch {progress.epoch}."
    assert {row["epoch"] for row in store.latest(run)} == {progress.epoch}
    store.start(RECIPE, "ann", ((0, 1),))
    assert work(store) == "finished"
    assert without_time(store.records(run)) == plain


def test_a_long_epoch_is_left_in_the_middle_and_taken_up_again(store, monkeypatch, plain):
    monkeypatch.setattr(worker, "LONG", 0.0)
    run = store.start(RECIPE, "ann", ((0, 1),))
    with monkeypatch.context() as patched:
        stop_at(patched, store, run, 35)  # 15 looks an epoch
        assert work(store) == "stopped"
    assert store.progress(run).epoch == 2
    store.start(RECIPE, "ann", ((0, 1),))
    assert work(store) == "finished"
    assert without_time(store.records(run)) == plain


def test_a_run_that_was_left_to_somebody_else_stays_where_it_was_left(store, monkeypatch):
    run = store.start(RECIPE, "ann", ((0, 1),))
    with monkeypatch.context() as patched:
        patched.setattr(worker, "LONG", 0.0)
        stop_at(patched, store, run, 35)
        assert work(store) == "stopped"
    other = store.start(RECIPE, "bob", ((0, 1),))
    assert work(store) == "finished"
    assert max(epochs(store, run)) == store.progress(run).epoch == 2 and max(epochs(store, other)) == RECIPE.epochs


def test_what_fails_keeps_its_curve_up_to_there(store, monkeypatch):
    monkeypatch.setattr(journal, "TOGETHER", 1e9)
    plain = Trainer._records

    def records(self, epoch, *more):
        if epoch == 5:
            raise MemoryError
        return plain(self, epoch, *more)

    monkeypatch.setattr(Trainer, "_records", records)
    run = store.start(RECIPE, "ann", ((0, 1),))
    assert work(store) == "failed"
    assert Counter(epochs(store, run)) == dict.fromkeys(range(1, 5), 2)
    with store.read() as connection:
        assert connection.scalar(select(t.parts.c.epoch)) == 4
    assert "Out of memory" in store.progress(run).message


def test_parts_pause_where_they_are_and_go_on_bit_for_bit(store, monkeypatch, plain):
    """One in its sixth epoch and one not begun; a step brings them together, and nothing of it shows in the records."""
    monkeypatch.setattr(worker, "LONG", 0.0)
    monkeypatch.setattr(journal, "CHECKPOINT_SHARE", 0.0)
    run = store.start(RECIPE, "ann", ((0,), (1,)))
    looks, plainly = Counter(), Lease.must_leave

    def asked(self, *how_far):
        looks["all"] += 1
        if looks["all"] == 90:
            store.hold(run, 0)
        self._looked = 0.0
        return plainly(self, *how_far)

    with monkeypatch.context() as patched:
        patched.setattr(Lease, "must_leave", asked)
        assert work(store) == "stopped"
        at = store.progress(run).at
        assert looks["all"] == 90  # it left at the batch before which Pause was pressed
        assert at > 4 and at % 1 > 0 and len(epochs(store, run)) == int(at)
        progress = store.progress(run)
        assert (progress.status, progress.message) == (
            "paused",
            f"Paused in epoch {int(at) + 1} of 12, with {at % 1:.0%} of this epoch done.",
        )
        assert waiting(store) == [] and progress.waiting == 1
        store.hold(run, int(at) + 1)
        assert work(store) == work(store) == "stopped"
        assert store.progress(run).message == f"Paused after epoch {int(at) + 1} of 12."
        assert Counter(epochs(store, run)) == dict.fromkeys(range(1, int(at) + 2), 2)
        store.hold(run, None)
        assert work(store) == work(store) == "finished"
    for mine, expected in zip(without_time(store.records(run)), plain, strict=True):
        assert mine == {
            k: pytest.approx(v, rel=1e-3, abs=0.003) if isinstance(v, float) else v for k, v in expected.items()
        }


def test_a_change_of_the_rate_counts_after_an_epoch_that_was_left_in_the_middle(store, monkeypatch):
    monkeypatch.setattr(worker, "LONG", 0.0)
    run = store.start(RECIPE, "ann", ((0, 1),))
    with monkeypatch.context() as patched:
        looks, plainly = Counter(), Lease.must_leave

        def asked(self, *how_far):
            looks["all"] += 1
            if looks["all"] == 25:
                store.hold(run, 0)
            self._looked = 0.0
            return plainly(self, *how_far)

        patched.setattr(Lease, "must_leave", asked)
        assert work(store) == "stopped"
    at = store.progress(run).at
    assert 1 < at < 2
    assert store.fork(run, 0.1) == 3
    assert store.progress(run).at == at
    store.hold(run, None)
    assert work(store) == "finished"
    changed = store.progress(run).recipe
    assert [change.epoch for change in changed.changes] == [3]
    through = Trainer(changed, changed.load())
    expected = [row for _ in range(changed.epochs) for row in through.run_epoch()]
    assert without_time(store.records(run)) == without_time(expected)


def test_batches_of_a_long_epoch_are_told_and_short_epochs_cost_nothing(store, monkeypatch):
    monkeypatch.setattr(Lease, "TELL", 0.0)
    monkeypatch.setattr(Lease, "POLL", 0.0)
    told, update = [], Lease._update

    def kept(self, connection, **values):
        told.append(values.get("share"))
        return update(self, connection, **values)

    monkeypatch.setattr(Lease, "_update", kept)
    store.start(RECIPE.with_(epochs=2), "ann", ((0, 1),))
    monkeypatch.setattr(worker, "LONG", 1e9)
    monkeypatch.setattr(journal, "QUICK", 1e9)
    assert work(store) == "finished"
    first = [share for share in told if share]  # the first epoch may be long: nobody knows yet
    assert first == sorted(first) and len(first) > 5 and 0 < first[0] < first[-1] < 1
