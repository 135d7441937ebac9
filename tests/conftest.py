"""What holds for every test."""

from pathlib import Path

import pytest

BROWSER = Path(__file__).parent / "browser"
OTHER_PROCESSES = (BROWSER, Path(__file__).parent / "runs" / "test_engine.py")


def pytest_collection_modifyitems(items):
    """Tests that wait for other processes are tried twice more: a busy machine starves those now and then.

    pytest prints an R and counts them, so that a test that needs this often is seen.
    """
    for item in items:
        path = Path(item.path)
        if any(place == path or place in path.parents for place in OTHER_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=2))
    # Playwright leaves an event loop running in its thread, in which `asyncio.run` refuses to work: browser tests last.
    items.sort(key=lambda item: BROWSER in Path(item.path).parents)
