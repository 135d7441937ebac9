"""Questions in workers that are killed at their deadline, and formulas read there."""

import os
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path

import psutil
import pytest

import alf
from alf.errors import InputError
from alf.losses import parse
from alf.theory import prove
from alf.theory.asking.prover import MEMORY, Asked, Prover, Unfinished
from alf.theory.progress import stage

HARD = "formula:tanh(1/u)+sin(9*u)/50-u"


def endless(step: str):
    """What a worker must be stopped in."""
    stage(step)
    while True:
        time.sleep(1)


def greedy(size: int):
    """What needs more memory than a worker may use."""
    stage("filling memory")
    return len(bytearray(size))


def double(x: int) -> int:
    return 2 * x


@pytest.fixture(scope="module")
def prover():
    with Prover(workers=1) as found:
        yield found


def test_a_claim_that_takes_too_long_is_stopped_and_says_where():
    with Prover(workers=1, seconds=0.6) as prover:
        (found,) = prover.verify(HARD, "pair:0.3", 3, claims=("completely_asymmetric",))
    assert found.status == "undecided"
    assert found.holds is None
    assert "Not finished within 0.6 seconds" in found.steps[-1].statement


def test_a_question_whose_pool_broke_on_the_way_is_given_up():
    """Pebble leaves such a question without an answer: nobody may wait for it, and the next one gets a new pool."""
    with Prover(workers=1) as prover:
        asked = prover.submit(double, 2)
        assert asked.result() == 4
        pool = prover._pools[False]
        lost = Asked(Future(), asked.trail, 1.0, lambda: not pool.active)
        assert not lost.done()
        pool.stop()
        assert lost.done() and not lost.final()
        with pytest.raises(Unfinished, match="Its worker was lost"):
            lost.result()
        broken: Future = Future()
        broken.set_exception(BrokenExecutor("All workers expired"))  # a pool that breaks later on
        with pytest.raises(Unfinished, match="Its worker was lost"):
            Asked(broken, asked.trail, 1.0).result()
        assert not Asked(broken, asked.trail, 1.0).final()
        assert prover.submit(double, 3).result() == 6


def test_verdicts_come_in_order():
    with Prover(workers=2, seconds=30) as prover:
        found = [v.claim for v in prover.verify("mae", claims=("decreasing", "symmetric", "calibrated"))]
    assert found == ["decreasing", "symmetric", "calibrated"]


@pytest.mark.parametrize("quick", [False, True])
def test_every_question_has_the_same_rules(prover, quick):
    """Its deadline, the step that did not finish, the limit on memory; and the next question is answered."""
    with pytest.raises(Unfinished, match=r"^Not finished within 0.5 seconds: counting to infinity\.$"):
        prover.submit(endless, "counting to infinity", seconds=0.5, quick=quick).result()
    with pytest.raises(Unfinished, match=r"ran out of memory: filling memory"):
        prover.submit(greedy, 2 * MEMORY, quick=quick).result()
    assert prover.submit(double, 21, quick=quick).result() == 42


def test_long_questions_do_not_hold_up_short_ones(prover):
    long = prover.submit(endless, "waiting", seconds=60)
    try:
        assert prover.read("formula:1-u") == "formula:1-u"
        assert not long.done()
    finally:
        long.future.cancel()


RISING = {
    "1-u+exp(-((u-0.3333)*5000)**2)/1000": (0.3330, 0.3334),
    "1-u+exp(-((u-1/3)*100000)**2)/1000": (0.3333, 0.33334),
    "1-u+max(0,0.001-abs(u-0.33362))*1.1": (0.3326, 0.33363),
    "-u+abs(u-0.50001)-abs(u-0.50002)": (0.5, 0.50003),
}


@pytest.mark.parametrize("text", RISING)
def test_a_rise_between_the_points_that_are_tried_is_found(prover, text):
    spec = parse("formula:" + text).spec  # trying points does not see it
    low, high = RISING[text]
    with pytest.raises(InputError, match=r"must not rise on \(0, 1\], got l\(") as error:
        prover.read(spec)
    x = float(str(error.value).split("l(")[1].split(")")[0])
    assert low < x < high
    assert prove("decreasing", parse(spec)).holds is not True


@pytest.mark.parametrize(
    "text", ["1-u-1e-4/(1+1e-9/(u-1/7)**2)", "1-u-1e-3*exp(-1/(u-0.21237)**2)", "1-u-1e-4*atan(1/(u-0.21237)**2)"]
)
def test_a_formula_without_a_value_somewhere_is_refused(prover, text):
    spec = parse("formula:" + text).spec  # no divisor changes its sign
    with pytest.raises(InputError, match=r"l has no value at u = 0\.\d+: a division by 0 in"):
        prover.read(spec)
    assert prove("decreasing", parse(spec)).holds is None


FALLING = (
    "exp(-u/a);a=2 -log(u) 1/u -u**0.3 -u+sin(2000*u)/2000 1-u**5 (1-u)**3 max(1-u,1.5-2*u) tanh(1/u) max(0,0.7-u)"
)


@pytest.mark.parametrize("text", FALLING.split())
def test_what_falls_is_accepted(prover, text):
    assert prover.read("formula:" + text) == parse("formula:" + text).spec


def test_what_is_no_formula_is_refused_without_a_worker(prover):
    with pytest.raises(InputError, match="2000 characters"):
        prover.read("formula:" + "-u" * 500_000)
    with pytest.raises(InputError, match="xyz"):
        prover.read("xyz")
    assert prover.read("agce:q=.60,a=0.60") == "agce:a=0.6,q=0.6"


SERVER = """
import multiprocessing, os, sys, time
from alf.theory.asking.prover import Prover
def endless(path):
    open(path, "w").write(str(os.getpid()))
    while True:
        time.sleep(0.1)
if __name__ == "__main__":
    prover = Prover(workers=1, seconds=600)
    asked = prover.submit(endless, sys.argv[1])
    time.sleep(600)
"""


def test_workers_end_with_a_server_that_is_killed(tmp_path):
    script, told = tmp_path / "server.py", tmp_path / "pid"
    script.write_text(SERVER)
    environment = os.environ | {"PYTHONPATH": str(Path(alf.__file__).parents[1])}
    server = subprocess.Popen([sys.executable, str(script), str(told)], env=environment)
    try:
        until(lambda: told.exists() and told.read_text())
    finally:
        server.kill()
        server.wait()
    until(lambda: not psutil.pid_exists(int(told.read_text())))


def until(condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
