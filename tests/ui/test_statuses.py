"""Every status and every state has its word and its colour, and travels as the text that it is."""

import json
import pickle

import pytest

from alf.theory import STATUSES
from alf.theory.verdict import Status
from alf.training.states import RunState
from alf.training.symptoms import Kind
from ui.words.glossary import GLOSSARY
from ui.words.statuses import COLOURS, word


def test_each_has_a_word_and_a_colour():
    assert set(COLOURS) == {*Status, *RunState, *Kind}
    assert all(word(status) for status in COLOURS)
    assert set(STATUSES) <= set(GLOSSARY)


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_its_text(status):
    assert json.dumps(status) == f'"{status}"' == f'"{status.value}"' and repr(status) == repr(status.value)
    assert pickle.loads(pickle.dumps(status)) is status
