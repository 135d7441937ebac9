"""Whose question is next: shared, dropped, stopped and taken in turn; with a clock and workers of the test's own."""

import random
import time
from collections import Counter
from concurrent.futures import Future

import pytest
from streamlit.testing.v1 import AppTest

from alf.theory.asking.prover import Prover, Unfinished
from ui.asking.turns import LEASE, SHORT, Turns


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Asked:
    """A question that the test answers."""

    def __init__(self, key, seconds=10.0):
        self.key, self.seconds, self.future = key, seconds, Future()

    def done(self):
        return self.future.done()

    def final(self):
        return self.done() and not isinstance(self.future.exception(), TimeoutError)

    def forget(self):
        self.future.cancel()

    def result(self):
        return self.future.result()


class Desk:
    """Turns, and what of them is under way."""

    def __init__(self, slots=2):
        self.clock, self.started = Clock(), []
        self.turns = Turns(slots, self.clock)

    def ask(self, key, who, seconds=10.0):
        return self.turns.ask(key, lambda: self._start(key, seconds), who)

    def _start(self, key, seconds):
        self.started.append(Asked(key, seconds))
        return self.started[-1]

    @property
    def keys(self):
        return [asked.key for asked in self.started]

    @property
    def going(self):
        return [asked for asked in self.started if not asked.done()]

    def finish(self, asked):
        asked.future.set_result(f"answer to {asked.key}")


def test_only_as_many_as_there_are_workers_are_handed_out():
    desk = Desk(slots=2)
    for key in range(10):
        desk.ask(key, "me")
    assert desk.keys == [0, 1]
    desk.finish(desk.started[1])
    assert desk.keys == [0, 1, 2]


def test_sessions_take_turns():
    desk = Desk(slots=1)
    for key in range(40):
        desk.ask(("many", key), "many")
    desk.ask("one", "other")
    desk.finish(desk.going[0])
    assert desk.keys[1] == "one"
    for key in range(3):
        desk.ask(("third", key), "third")
    order = []
    while desk.going:
        order.append(desk.going[0].key[0])
        desk.finish(desk.going[0])
    assert order[:8] == ["o", "third", "many", "third", "many", "third", "many", "many"]


def test_a_question_is_shared_by_all_who_ask_it():
    desk = Desk(slots=1)
    first, second = desk.ask("same", "me"), desk.ask("same", "you")
    assert first is second and desk.keys == ["same"]
    desk.turns.settle("me", since=1.0)  # I have gone on, you have not
    assert desk.going
    desk.finish(desk.started[0])
    assert desk.ask("same", "third").result() == "answer to same" and len(desk.started) == 1


def test_what_a_page_does_not_ask_again_is_dropped_at_once():
    """A slider dragged over forty stops leaves one stop's questions."""
    desk = Desk(slots=2)
    for stop in range(40):
        desk.clock.now += 0.3
        since = desk.clock.now
        for loss in range(40):
            desk.ask((stop, loss), "me")
        desk.turns.settle("me", since)
        assert {key[0] for key in (asked.key for asked in desk.going)} == {stop}
        assert len(desk.turns._waiting) == 38
    assert len(desk.started) == 80 and all(asked.future.cancelled() for asked in desk.started[:-2])


def test_an_interest_that_is_not_renewed_ends():
    desk = Desk(slots=1)
    desk.ask("running", "gone")
    desk.ask("waiting", "gone")
    desk.ask("short", "gone", seconds=SHORT)
    desk.clock.now += LEASE / 2
    desk.ask("mine", "here")
    desk.clock.now += LEASE / 2 + 0.1
    desk.ask("mine", "here")  # the page looks again
    assert desk.started[0].future.cancelled() and desk.keys == ["running", "mine"]


def test_a_short_question_is_let_end():
    desk = Desk(slots=1)
    desk.ask("short", "gone", seconds=SHORT)
    desk.clock.now += 2 * LEASE
    desk.turns.tick()
    assert len(desk.going) == 1


def test_who_stands_and_waits_keeps_the_question():
    desk = Desk(slots=1)
    ticket = desk.ask("long", "me")
    with desk.turns.holding(ticket):
        desk.clock.now += 10 * LEASE
        desk.turns.settle("me", desk.clock.now)
        assert desk.going
    desk.turns.tick()
    assert not desk.going
    with pytest.raises(Unfinished, match="Nobody waited"):
        ticket.result()


def test_what_was_dropped_is_asked_anew():
    desk = Desk(slots=1)
    desk.ask("it", "me")
    desk.turns.settle("me", 1.0)
    desk.clock.now = 2.0
    again = desk.ask("it", "me")
    assert desk.keys == ["it", "it"] and not again.done()
    desk.finish(desk.going[0])
    assert again.result() == "answer to it"


@pytest.mark.parametrize("seed", range(30))
def test_anything_may_happen_in_any_order(seed):
    """Never more under way than workers; all that stays wanted is answered; nobody waits behind all of another's."""
    pick = random.Random(seed)
    desk = Desk(slots=pick.randint(1, 3))
    wanted = {who: {(who if pick.random() < 0.7 else "shared", k) for k in range(6)} for who in "abcd"}
    answered = Counter()
    for _ in range(600):
        desk.clock.now += pick.random()
        who = pick.choice("abcd")
        since = desk.clock.now
        for key in sorted(wanted[who]):
            answered[key] += desk.ask(key, who, pick.choice([1.0, 10.0])).done()
        if pick.random() < 0.7:
            desk.turns.settle(who, since)
        if desk.going and pick.random() < 0.8:
            desk.finish(pick.choice(desk.going))
        assert len(desk.turns._running) <= desk.turns._slots
    assert all(answered[key] for keys in wanted.values() for key in keys)


@pytest.mark.parametrize(("seconds", "kept"), ((10.0, True), (SHORT, False)))
def test_an_answer_that_came_too_late_is_asked_for_again_when_nobody_has_looked_for_a_while(seconds, kept):
    desk = Desk()
    desk.ask("hard", "one", seconds)
    desk.started[0].future.set_exception(TimeoutError())
    for _ in range(5):  # a page that goes on looking keeps it, unless it was short
        desk.clock.now += 0.9 * LEASE
        again = desk.ask("hard", "one", seconds)
        assert again.done() is kept
    if kept:
        assert len(desk.started) == 1
        desk.clock.now += 1.1 * LEASE
        assert not desk.ask("hard", "two", seconds).done()
        assert len(desk.started) == 2


def test_an_answer_in_time_is_kept_however_long_nobody_looks():
    desk = Desk()
    desk.ask("easy", "one")
    desk.started[0].future.set_result(1)
    desk.clock.now += 1000 * LEASE
    assert desk.ask("easy", "two").result() == 1


def sleepy(seconds: float):
    time.sleep(seconds)
    return seconds


def test_with_real_workers_a_dropped_question_makes_room():
    with Prover(workers=1, seconds=60) as prover:
        turns = Turns(1)
        turns.ask("endless", lambda: prover.submit(sleepy, 50.0), "gone")
        time.sleep(0.5)  # it is under way
        turns.ask("next", lambda: prover.submit(sleepy, 0.0), "here")
        started = time.monotonic()
        turns.settle("gone", started)
        assert turns.ask("next", None, "here").result(30) == 0.0
        assert turns.ask("another", lambda: prover.submit(sleepy, 0.01), "here").result(30) == 0.01
        assert not turns._running and not turns._waiting


def test_with_real_workers_what_is_left_alone_is_stopped(monkeypatch):
    monkeypatch.setattr("ui.asking.turns.LEASE", 0.3)
    with Prover(workers=1, seconds=60) as prover:
        turns = Turns(1)
        ticket = turns.ask("endless", lambda: prover.submit(sleepy, 50.0), "gone")
        assert ticket.ended.wait(20)  # nobody asks anything any more
        assert not turns._running


def test_workers_that_the_pool_has_given_up_are_replaced():
    from pebble.pool.base_pool import PoolStatus

    with Prover(workers=1) as prover:
        assert prover.submit(sleepy, 0.0).result(30) == 0.0
        prover._pools[False]._context.status = PoolStatus.ERROR
        assert prover.submit(sleepy, 0.0).result(30) == 0.0
    with pytest.raises(RuntimeError):
        prover.submit(sleepy, 0.0)


def test_a_page_may_run_in_this_process():
    def page():
        import streamlit as st

        st.text("here")

    assert AppTest.from_function(page).run().text[0].value == "here"


def test_workers_do_not_begin_with_the_page_of_an_earlier_test():
    with Prover(workers=1) as prover:
        [verdict] = prover.verify("mae", claims=("decreasing",))
    assert verdict.holds
