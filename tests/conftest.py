"""What holds for every test."""

import os
import sys
from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"
OTHER_PROCESSES = (BROWSER, Path(__file__).parent / "runs" / "test_engine.py")
MAIN = sys.modules["__main__"]


RERUNS_ALLOWED = 1
"""Tests tried again in one `make test`: a busy machine may starve one; more than that is a race of ours."""


def pytest_collection_modifyitems(items):
    """Tests that wait for other processes are tried once more: a busy machine starves those now and then."""
    for item in items:
        path = Path(item.path)
        if any(place == path or place in path.parents for place in OTHER_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=1))
    # Playwright leaves an event loop running in its thread, in which `asyncio.run` refuses to work: browser tests last.
    items.sort(key=lambda item: BROWSER in Path(item.path).parents)


def pytest_sessionfinish(session, exitstatus):
    """Fail where more tests were tried again than are allowed, in all steps of `make test` together.

    The steps share a file, named by ALF_RERUNS; without one each counts for itself.
    """
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):  # with xdist the controller counts
        return
    again = [report.nodeid for report in reporter.stats.get("rerun", ())]
    if log := os.environ.get("ALF_RERUNS"):
        file = Path(log)
        earlier = file.read_text().splitlines() if file.exists() else []
        again = earlier + again
        file.write_text("".join(f"{name}\n" for name in again))
    if len(again) > RERUNS_ALLOWED and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"\nAt most {RERUNS_ALLOWED} test may be tried again, got {', '.join(again)}", red=True)


@pytest.fixture(autouse=True)
def main():
    """Worker processes begin by running the main module; AppTest leaves its page there: the original is put back."""
    sys.modules["__main__"] = MAIN


@pytest.fixture(autouse=True)
def denormals():
    """Training flushes denormals to zero in its process; here the next test shares it, and hypothesis refuses that."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
