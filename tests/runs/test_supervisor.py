"""The queue without Dask: a supervisor whose workers are fakes, turn by turn."""

import subprocess
import sys
import time

import pytest

from alf.errors import InputError
from alf.runs import supervisor as module
from alf.runs.dask_workers import Ending
from alf.runs.supervisor import DEATHS, KILLED, Supervisor
from alf.settings import Settings
from tests.runs.fakes import RECIPE, FakeWorkers

RECIPES = [RECIPE.with_(lr=0.1 + i / 100, epochs=6) for i in range(7)]
SETTINGS = Settings.from_environment({"ALF_STORE": "unused.sqlite", "ALF_WORKERS": "2"})


def start(store, recipe=RECIPES[0], owner="ann", shares=((0, 1),)):
    return store.start(recipe, owner, shares)


def status(store, *runs):
    return [str(store.progress(run).status) for run in runs]


@pytest.fixture
def workers(store):
    return FakeWorkers(store)


@pytest.fixture
def supervisor(store, workers):
    made = Supervisor(SETTINGS, store, lambda settings, store: workers)
    yield made
    made.close()


ALONE = """
import sys
from alf.runs.store import Store
from tests.runs.test_supervisor import work_off
work_off(Store(sys.argv[1]))
print(sorted({"distributed", "dask", "torch"} & sys.modules.keys()))
"""


def work_off(store):
    """Seven runs of three owners on two workers, one of which dies on the way; the order in which they began."""
    workers = FakeWorkers(store)
    supervisor = Supervisor(SETTINGS, store, lambda settings, store: workers)
    runs = [start(store, recipe, owner) for recipe, owner in zip(RECIPES, "aaaabbc", strict=True)]
    died = False
    for _ in range(50):
        supervisor.turn()
        assert len(workers.busy) <= 2
        for job in workers.busy[:1]:
            if len(workers.jobs) == 4 and not died:
                died = True
                job.train(2)
                job.end(Ending.DIED)
            else:
                job.finish()
    assert set(status(store, *runs)) == {"finished"} and died
    for run, recipe in zip(runs, RECIPES, strict=True):
        assert [(r["lane"], r["epoch"]) for r in store.records(run)] == [(i, e) for e in range(1, 7) for i in (0, 1)]
        assert store.progress(run).recipe == recipe
    supervisor.close()
    assert workers.closed
    names = {recipe.lr: owner for recipe, owner in zip(RECIPES, "aaaabbc", strict=True)}
    return "".join(names[job.row.recipe["lr"]] for job in workers.jobs)


@pytest.mark.both_stores
def test_the_whole_queue_is_worked_off_fairly_and_a_death_costs_nothing(store):
    order = work_off(store)
    assert sorted(order[:3]) == ["a", "b", "c"] and sorted(order) == sorted("aaaabbc" + order[2])  # one began twice


def test_the_queue_needs_no_dask(make_url):
    done = subprocess.run([sys.executable, "-c", ALONE, make_url()], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_worker_that_dies_is_replaced_and_its_part_goes_on_from_the_checkpoint(store, supervisor, workers):
    run = start(store)
    supervisor.turn()
    workers.jobs[0].train(2)
    workers.jobs[0].end(Ending.DIED)
    supervisor.turn()
    assert workers.jobs[1].part == workers.jobs[0].part and workers.jobs[1].epoch == 2
    workers.jobs[1].finish()
    supervisor.turn()
    assert status(store, run) == ["finished"] and len(workers.jobs) == 2


def test_deaths_in_one_epoch_fail_a_run_in_words_and_an_epoch_more_counts_anew(store, supervisor, workers):
    run = start(store)
    for _ in range(DEATHS - 1):
        supervisor.turn()
        workers.jobs[-1].end(Ending.DIED)
    supervisor.turn()
    workers.jobs[-1].train()
    for _ in range(DEATHS - 1):
        assert status(store, run) == ["running"]
        workers.jobs[-1].end(Ending.DIED)
        supervisor.turn()
    workers.jobs[-1].end(Ending.DIED)
    supervisor.turn()
    assert status(store, run) == ["failed"] and store.progress(run).message == KILLED
    assert len(workers.jobs) == 2 * DEATHS - 1 and start(store) == run
    supervisor.turn()
    workers.jobs[-1].end(Ending.DIED)  # started again it has all its lives again
    supervisor.turn()
    assert status(store, run) == ["running"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "Out of memory"),
        (ZeroDivisionError("by\nzero"), "An error of the program, ZeroDivisionError: by z"),
    ],
)
def test_an_error_is_told_in_words(store, supervisor, workers, error, said):
    run = start(store)
    supervisor.turn()
    workers.jobs[0].end(error)
    supervisor.turn()
    assert status(store, run) == ["failed"] and store.progress(run).message.startswith(said)


def test_a_part_that_the_cluster_lost_is_queued_again_however_often(store, supervisor, workers):
    run = start(store)
    for _ in range(2 * DEATHS):
        supervisor.turn()
        workers.jobs[-1].end(Ending.LOST)
    supervisor.turn()
    workers.jobs[-1].finish()
    assert status(store, run) == ["finished"]


def test_a_worker_that_does_not_listen_is_killed_after_its_time_and_no_sooner(store, supervisor, workers, monkeypatch):
    deaf, other = start(store), start(store, RECIPES[1], "bob")
    supervisor.turn()
    store.stop(deaf)
    supervisor.turn()
    assert not workers.jobs[0].killed and status(store, deaf, other) == ["stopping", "running"]
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + module.PATIENCE + 0.1)
    supervisor.turn()
    assert workers.jobs[0].killed and not workers.jobs[1].killed
    assert status(store, deaf, other) == ["stopped", "running"]
    start(store, RECIPES[2], "cid")
    supervisor.turn()
    assert len(workers.busy) == 2


def test_a_worker_that_listens_is_not_killed(store, supervisor, workers, monkeypatch):
    run = start(store)
    supervisor.turn()
    store.stop(run)
    supervisor.turn()
    assert workers.jobs[0].lease.must_leave()
    workers.jobs[0].lease.leave()
    workers.jobs[0].end(Ending.RETURNED)
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + module.PATIENCE + 0.1)
    supervisor.turn()
    assert not workers.jobs[0].killed and status(store, run) == ["stopped"]


def test_without_workers_a_run_waits_and_it_is_tried_again(store, workers, monkeypatch):
    why = iter([InputError("ALF_SCHEDULER: nobody answers."), ZeroDivisionError("by zero")])

    def connect(settings, store):
        for error in why:
            raise error
        return workers

    supervisor, run = Supervisor(SETTINGS, store, connect), start(store)
    assert supervisor.waits_for == "Starting the worker processes."
    supervisor.turn()
    assert supervisor.waits_for.startswith("Waiting for workers. ALF_SCHEDULER: nobody answers. It is tried again")
    supervisor.turn()  # not yet: it would be asked ten times a second
    assert supervisor.waits_for.startswith("Waiting for workers.")
    monkeypatch.setattr(module, "AGAIN", -1.0)
    supervisor.turn()
    assert "cannot be started: ZeroDivisionError: by zero" in supervisor.waits_for
    supervisor.turn()
    assert supervisor.waits_for == "Waiting for a free worker." and status(store, run) == ["running"]
    supervisor.close()


def test_workers_that_have_gone_are_let_go_and_what_they_computed_goes_on_with_others(store, monkeypatch):
    monkeypatch.setattr(module, "AGAIN", 0.0)
    monkeypatch.setattr(module, "LOOK", 0.0)
    clusters = []

    def connect(settings, store):
        clusters.append(FakeWorkers(store))
        return clusters[-1]

    supervisor, run = Supervisor(SETTINGS, store, connect), start(store)
    supervisor.begin()
    until(lambda: clusters and clusters[0].jobs)
    clusters[0].jobs[0].train(3)
    clusters[0].gone = True
    start(store, RECIPES[1])  # the next part cannot be given to anybody: that is how it is found out
    supervisor.look()
    until(lambda: len(clusters) == 2 and len(clusters[1].jobs) == 2)
    assert clusters[0].closed and sorted(job.epoch for job in clusters[1].jobs) == [0, 3]
    for job in clusters[1].jobs:
        job.finish()
    until(lambda: status(store, run) == ["finished"])
    supervisor.close()


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_recipes_for_cuda_go_to_workers_that_declare_a_gpu_and_the_others_do_not_wait_for_them(store, workers):
    workers.count, workers.gpus = 3, 1
    supervisor = Supervisor(SETTINGS, store, lambda settings, store: workers)
    cuda = [start(store, recipe.with_(device="cuda")) for recipe in RECIPES[:3]]
    plain = [start(store, recipe) for recipe in RECIPES[3:6]]
    for _ in range(6):
        supervisor.turn()
        kinds = [job.row.recipe["device"] for job in workers.busy]
        assert [job.cuda for job in workers.busy] == [kind == "cuda" for kind in kinds]
        assert kinds.count("cuda") <= 1
        assert status(store, *cuda).count("running") == kinds.count("cuda")  # the others are not said to run
        workers.busy[0].finish()
    for job in workers.busy:
        job.finish()
    supervisor.turn()
    while workers.busy:
        workers.busy[0].finish()
        supervisor.turn()
    assert set(status(store, *cuda, *plain)) == {"finished"}
    supervisor.close()


def test_while_the_only_gpu_is_away_recipes_for_cuda_wait_and_without_any_gpu_they_go_anywhere(store, workers):
    workers.count, workers.gpus = 2, 0
    supervisor = Supervisor(SETTINGS, store, lambda settings, store: workers)
    cuda, plain = start(store, RECIPES[0].with_(device="cuda")), start(store, RECIPES[1])
    supervisor.turn()
    assert status(store, cuda, plain) == ["queued", "running"]
    workers.gpus = None
    supervisor.turn()
    assert status(store, cuda, plain) == ["running", "running"]
    supervisor.close()
