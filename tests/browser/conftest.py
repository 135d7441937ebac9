"""A real server and a real Chromium. Skipped where no Chromium is found, required where ALF_REQUIRE_BROWSER=1."""

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Chromium's headless build first: the same engine without the desktop around it takes a third less processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        if os.environ.get("ALF_REQUIRE_BROWSER") == "1":
            pytest.fail("ALF_REQUIRE_BROWSER=1, but no Chromium was found")
        pytest.skip("no Chromium was found")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """The database of the server under test."""
    return tmp_path_factory.mktemp("store") / "runs.db"


@pytest.fixture(scope="session")
def server(tmp_path_factory, store):
    """The app on a free port, with a store of its own; the address it answers at."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    folder = tmp_path_factory.mktemp("app")
    log = (folder / "log").open("w+")
    environment = os.environ | {
        "ALF_STORE": f"sqlite:///{store}",
        "ALF_MAX_EPOCHS": "20000",  # a run that is still going on when a test has looked twice
        "PYTHONWARNINGS": "default",
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    command += ["--server.headless", "true", "--server.address", "127.0.0.1"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(address + "/_stcore/health", timeout=1).close()
                break
            except OSError:
                if process.poll() is not None:
                    break
                process_wait(0.1)
        else:
            pytest.fail("the server did not answer its health check")
        yield address
    finally:
        process.terminate()
        process.wait(20)
        log.seek(0)
        text = log.read()
        log.close()
    ours = [line for line in text.splitlines() if re.search(rf'File "{re.escape(str(ROOT))}/(alf|ui|pages|app)', line)]
    assert not ours, text  # a race inside Streamlit's own threads on a busy machine is not ours to fail on


def process_wait(seconds: float) -> None:
    import threading

    threading.Event().wait(seconds)


@pytest.fixture
def open_page(chromium, server):
    """open_page("/explore?...", width=1280) -> a page that is done loading; console errors fail the test."""
    contexts, errors = [], []

    def note(message):
        # Streamlit's client asks for its health under the page's own path first; that 404 is its habit, not ours.
        if message.type == "error" and "404" not in message.text:
            errors.append(message.text)

    def open_(path: str, width: int = 1280, height: int = 900, dark: bool = False):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server + path)
        settle(page)
        return page

    yield open_
    for context in contexts:
        for page in context.pages:
            assert page.locator("[data-testid=stException]").count() == 0
            assert "Traceback" not in page.locator("body").inner_text()
        context.close()
    assert not errors, errors


def frames_sent(page) -> list:
    """A list that grows with every message the page sends to the server from now on."""
    sent: list = []
    session = page.context.new_cdp_session(page)
    session.on("Network.webSocketFrameSent", lambda frame: sent.append(frame))
    session.send("Network.enable")
    return sent


def settle(page) -> None:
    """Wait until the page has its heading, the script has stopped running, and what it held back is shown."""
    page.wait_for_selector("h1", timeout=30_000)
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
        " && !document.documentElement.classList.contains('alf-loading')",
        timeout=30_000,
    )
    page.wait_for_timeout(150)
