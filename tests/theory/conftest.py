"""The oracle and the generator are modules beside the tests."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def soak() -> bool:
    """Whether the long counts were asked for, by ``make soak``."""
    return os.environ.get("ALF_SOAK") == "1"


@pytest.fixture(autouse=True)
def _no_defect_is_hidden(caplog):
    """A defect on the way to a verdict leaves the question open for a reader, and is logged: here it fails the test."""
    yield
    assert not [r for r in caplog.get_records("call") if r.name == "alf.theory.failures"]
