"""The server's own part: a token for every browser, and unfinished runs taken up without a page."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from alf.runs import Store
from alf.training import Recipe
from ui import paint
from ui.charts.chart import LIBRARY, LIBRARY_ADDRESS
from ui.server import COOKIE, PageHeaders, owner_of, routes

ROOT = Path(__file__).parents[2]


def answer(kind: str, cookie: str = "", status: int = 200, path: str = "/train", scheme: str = "http", **headers):
    """The headers that a response with this content type leaves the middleware with."""

    async def app(scope, receive, send):
        sent = [(b"content-type", kind.encode())] if kind else []
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": b""})

    asked = [(b"cookie", cookie.encode())] if cookie else []
    asked += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    messages = []

    async def send(message):
        messages.append(message)

    scope = {"type": "http", "path": path, "scheme": scheme, "headers": asked}
    asyncio.run(PageHeaders(app)(scope, None, send))
    return {name.decode(): value.decode() for name, value in messages[0]["headers"]}


def token(headers):
    return re.fullmatch(rf"{COOKIE}=([\w-]{{43}}); Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax(; Secure)?",
                        headers["set-cookie"])[1]  # fmt: skip


def test_every_browser_gets_its_own_token_and_keeps_it():
    first, second = token(answer("text/html; charset=utf-8")), token(answer("text/html"))
    assert first != second
    assert token(answer("text/html", cookie=f"theme=dark; {COOKIE}={first}; x=y")) == first
    assert answer("text/html")["cache-control"] == "no-store"


@pytest.mark.parametrize("forged", ["short", "'; drop table runs; --", "a" * 44, "a" * 42 + "%", "é" * 43, "\x00" * 43])
def test_what_is_not_a_token_of_ours_is_replaced(forged):
    assert owner_of({COOKIE: forged}) is None
    cookie = forged.encode("utf-8").decode("latin-1")
    assert token(answer("text/html", cookie=f"{COOKIE}={cookie}")) != forged


def test_a_page_comes_whole_with_its_stylesheet_and_other_files_may_be_the_kept_ones():
    asked = {"if_none_match": '"x"', "accept_encoding": "gzip"}
    seen = []

    async def app(scope, receive, send):
        seen.append(dict(scope["headers"]))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
        for part, more in ((b"<html><bo", True), (b"dy></html>", False)):
            await send({"type": "http.response.body", "body": part, "more_body": more})

    for path in ("/train", "/", "/static/js/index.js"):
        headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in asked.items()]
        messages = []

        async def send(message, messages=messages):
            messages.append(message)

        scope = {"type": "http", "path": path, "scheme": "http", "headers": headers}
        asyncio.run(PageHeaders(app)(scope, None, send))
        start, body = messages
        assert paint.ADDRESS.encode() in body["body"] and body["body"].endswith(b"</html>")
        assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()
    assert [len(headers) for headers in seen] == [0, 0, 2]
    assert any(route.path == "/" + paint.ADDRESS for route in routes())


def test_nothing_but_pages_carries_the_token():
    for kind, status, path in (
        ("text/plain", 200, "/_stcore/health"),
        ("text/javascript", 200, "/static/js/index.js"),
        ("", 304, "/static/js/index.js"),
    ):
        assert "set-cookie" not in answer(kind, status=status, path=path)


def test_over_https_the_token_stays_there():
    assert answer("text/html", scheme="https")["set-cookie"].endswith("; Secure")
    assert answer("text/html", x_forwarded_proto="https, http")["set-cookie"].endswith("; Secure")
    assert "Secure" not in answer("text/html")["set-cookie"]


def test_the_store_does_not_hold_the_token():
    kept = "k" * 43
    assert re.fullmatch("[0-9a-f]{32}", owner_of({COOKIE: kept})) and kept not in owner_of({COOKIE: kept})


def test_a_server_that_nobody_opens_goes_on_with_what_is_unfinished(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    run = store.start(Recipe(data="digits", losses=("ce",), network="mlp:8", epochs=2), "ann", shares=[[0]])
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    environment = os.environ | {"ALF_STORE": str(tmp_path / "runs.sqlite"), "ALF_WORKERS": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as server:
        try:
            end = time.monotonic() + 200
            while store.progress(run).active:
                assert server.poll() is None and time.monotonic() < end, store.progress(run)
                time.sleep(0.1)
        finally:
            server.terminate()
    assert store.progress(run).status == "finished" and len(store.records(run)) == 2
    store.close()


def test_a_page_asks_for_the_charts_library_early_and_the_server_has_it():
    link = answer("text/html")["link"]
    assert link == f"<{LIBRARY_ADDRESS}>; rel=preload; as=script"
    assert any(route.path == "/" + LIBRARY_ADDRESS for route in routes()) and LIBRARY.stat().st_size > 1_000_000
    assert "link" not in answer("text/javascript")


def test_a_page_that_fails_says_so_in_a_sentence_and_the_log_has_the_rest(caplog):
    def page():
        from ui.server import apologise

        assert apologise(ZeroDivisionError("division by zero"))

    app = AppTest.from_function(page).run()
    assert len(app.error) == 1 and "reload the page" in app.error[0].value
    assert not app.exception and "ZeroDivisionError: division by zero" in caplog.text
