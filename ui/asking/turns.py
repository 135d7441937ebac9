"""Whose question is next: the queue in front of the workers. No Streamlit here.

A question is asked on behalf of somebody, a session of the browser, who renews the interest each time the page looks
for the answer. What nobody waits for any more is dropped, and stopped where it is under way; the same question is
answered once for all who ask; and those who wait take turns, so that forty questions of one do not hold up another's.
Only as many questions are handed to the workers as there are workers.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from alf.theory.asking.prover import Asked, Unfinished

LEASE = 6.0
"""Seconds for which an interest counts that is not renewed; a page looks a few times a second."""


SHORT = 3.0
"""A question with a deadline of at most so many seconds is not stopped: it will end by itself."""


KEPT = 4096
"""Answers kept."""


class Ticket:
    """A question: waiting, under way, answered, or dropped because nobody waited for it."""

    def __init__(self, turns: "Turns", start: Callable[[], Asked]):
        self.start = start
        self.asked: Asked | None = None
        self.wanted: dict[Hashable, float] = {}  # by whom, until when
        self.seen = 0.0  # when somebody last looked for its answer
        self.ended = threading.Event()
        self._turns = turns

    def done(self) -> bool:
        """Whether `result` answers at once."""
        return self.asked is not None and self.asked.done()

    def result(self, wait: float | None = None) -> Any:
        """The answer; waits for it, `wait` seconds at the most, and is wanted as long as it waits.

        Raises
        ------
        Unfinished
            Where it was not answered in time, or dropped.
        InputError
            As the function that was asked.
        """
        if not self.done():
            with self._turns.holding(self):
                self.ended.wait(wait)
        if self.done():
            return self.asked.result()
        if wait is not None and not self.ended.is_set():
            raise Unfinished(f"No worker became free within {wait:g} seconds.")
        raise Unfinished("Nobody waited for the answer any more.")


class Turns:
    """The questions to one group of workers.

    Parameters
    ----------
    slots : int
        How many questions are under way at once.
    clock : callable
        Seconds that pass, for tests.
    """

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic):
        self._slots, self._clock = slots, clock
        self._lock = threading.RLock()  # a cancelled future calls back at once
        self._answered: OrderedDict[Hashable, Ticket] = OrderedDict()
        self._waiting: OrderedDict[Hashable, Ticket] = OrderedDict()
        self._running: dict[Hashable, Ticket] = {}
        self._served: dict[Hashable, int] = {}  # who was answered how recently, as a running number
        self._count = 0
        self._timer: threading.Timer | None = None

    def ask(self, key: Hashable, start: Callable[[], Asked], who: Hashable) -> Ticket:
        """The question under this key, which `who` wants to be answered; asked anew only where nobody has.

        Or where its answer was that it took too long, and nobody has looked at that for a while: the machine may have
        been busy. A page that goes on looking keeps what it shows.
        """
        with self._lock:
            now = self._clock()
            if ticket := self._answered.get(key):
                if ticket.asked.final() or now - ticket.seen <= LEASE:
                    ticket.seen = now
                    self._answered.move_to_end(key)
                    return ticket
                del self._answered[key]
            ticket = self._running.get(key) or self._waiting.get(key)
            if ticket is None:
                ticket = self._waiting[key] = Ticket(self, start)
            ticket.wanted[who] = self._clock() + LEASE
            self.tick()
            return ticket

    def settle(self, who: Hashable, since: float) -> None:
        """Somebody has asked for all they want since then: what they wanted before and not again is not wanted."""
        with self._lock:
            for ticket in (*self._waiting.values(), *self._running.values()):
                if ticket.wanted.get(who, since + LEASE) < since + LEASE:
                    del ticket.wanted[who]
            self.tick()

    @contextmanager
    def holding(self, ticket: Ticket) -> Iterator[None]:
        """A question is wanted for as long as somebody stands and waits for it."""
        somebody = object()
        with self._lock:
            ticket.wanted[somebody] = math.inf
        try:
            yield
        finally:
            with self._lock:
                ticket.wanted.pop(somebody, None)

    def ahead(self, who: Hashable) -> int:
        """How many questions of others wait."""
        with self._lock:
            return sum(who not in ticket.wanted for ticket in self._waiting.values())

    def tick(self) -> None:
        """Take in what is answered, drop what nobody wants, hand the next questions to the workers."""
        with self._lock:
            for key, ticket in [*self._running.items()]:
                if ticket.done():
                    self._take_in(key, ticket)
            now = self._clock()
            for key, ticket in [*self._waiting.items(), *self._running.items()]:
                ticket.wanted = {who: until for who, until in ticket.wanted.items() if until > now}
                if not ticket.wanted:
                    self._drop(key, ticket)
            while self._waiting and len(self._running) < self._slots:
                self._start(*self._next())
            self._look_again()

    def _next(self) -> tuple[Hashable, Ticket]:
        """The oldest question of whoever has waited longest for a turn."""
        whose = {who for ticket in self._waiting.values() for who in ticket.wanted}
        first = min(whose, key=lambda who: self._served.get(who, -1))
        self._count += 1
        self._served = {who: turn for who, turn in self._served.items() if who in whose} | {first: self._count}
        return next((key, ticket) for key, ticket in self._waiting.items() if first in ticket.wanted)

    def _start(self, key: Hashable, ticket: Ticket) -> None:
        del self._waiting[key]
        ticket.asked = ticket.start()
        self._running[key] = ticket
        ticket.asked.future.add_done_callback(lambda _: self.tick())

    def _take_in(self, key: Hashable, ticket: Ticket) -> None:
        del self._running[key]
        # A short question that was late may be quick enough the next time; one that was cancelled has no answer.
        if ticket.asked.final() or (not ticket.asked.future.cancelled() and ticket.asked.seconds > SHORT):
            ticket.seen = self._clock()
            self._answered[key] = ticket
        while len(self._answered) > KEPT:
            self._answered.popitem(last=False)
        ticket.ended.set()

    def _drop(self, key: Hashable, ticket: Ticket) -> None:
        if self._waiting.pop(key, None) is None:
            if ticket.asked is None or ticket.asked.seconds <= SHORT:
                return
            del self._running[key]
            asked, ticket.asked = ticket.asked, None
            asked.forget()
        ticket.ended.set()

    def _look_again(self) -> None:
        """What is under way may be given up while nobody asks anything."""
        if self._running and self._timer is None and self._clock is time.monotonic:
            self._timer = threading.Timer(LEASE, self._woken)
            self._timer.daemon = True
            self._timer.start()

    def _woken(self) -> None:
        with self._lock:
            self._timer = None
            self.tick()
