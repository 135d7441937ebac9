"""Pages on a machine so busy that no worker answers in time: a sentence, and a way to try again."""

import pytest

from alf.theory.asking.prover import Unfinished
from ui.asking.page_questions import families
from ui.asking.turns import Ticket


@pytest.fixture
def cold():
    """The losses of the atlas are not known from a test before."""
    families.clear()
    yield
    families.clear()


@pytest.mark.parametrize("page", ["", "explore", "prove", "atlas", "noise", "simplex"])
def test_no_page_breaks_where_no_worker_answers(open_app, monkeypatch, cold, page):
    answer = Ticket.result

    def late(ticket, wait=None):
        raise Unfinished("Not finished within 10 seconds: a step.")

    monkeypatch.setattr(Ticket, "result", late)
    app = open_app(page)  # without an exception
    if page == "atlas":
        assert "could not be worked out now. Not finished within 10 seconds" in app.warning[0].value
        monkeypatch.setattr(Ticket, "result", answer)
        [again] = [button for button in app.button if button.label == "Try again"]
        again.click().run()
        assert not app.exception and not app.warning
