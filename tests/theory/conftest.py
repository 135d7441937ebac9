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
