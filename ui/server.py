"""What the server does beside running pages: it knows a browser again, lets it fetch the charts' library while the page
is still being computed, and takes up unfinished runs when it starts.

A reader's runs belong to a random token in a cookie, set with the page itself. There is no login: whoever has the
cookie is the reader. It is `HttpOnly`, so that no script can read it, is shared by all tabs of a browser, and survives
a reload and a restart of the server. The store keeps only its hash.
"""

import hashlib
import logging
import re
import secrets
import sys
import threading
from contextlib import asynccontextmanager

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from alf.errors import InputError
from ui import paint
from ui.charts.chart import LIBRARY, LIBRARY_ADDRESS

COOKIE = "alf_reader"
YEAR = 365 * 24 * 3600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

log = logging.getLogger(__name__)


def owner_of(cookies) -> str | None:
    """Who a browser is to the engine, from its cookies; None when there is no token such as this server gives.

    >>> owner_of({}), owner_of({"alf_reader": "'; drop table runs; --"})
    (None, None)
    >>> owner_of({"alf_reader": "a" * 43}) == owner_of({"alf_reader": "b" * 43})
    False
    """
    token = cookies.get(COOKIE, "")
    return owner_named(token) if _TOKEN.fullmatch(token) else None


def owner_named(token: str) -> str:
    """The name under which the store keeps a token's runs: its hash, so that reading the store lets nobody in."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


class PageHeaders:
    """ASGI middleware: gives every browser that loads a page its token, and keeps the one it has for another year.

    It also says that charts will come, so that their library is fetched while the page is computed. It is not executed
    before the first chart: that takes a second, in which the page's words are already there to read. And it puts the
    stylesheet into the page (`ui.paint`), which is therefore asked for anew and uncompressed.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        start, body = None, b""

        async def send_page(message):
            nonlocal start, body
            headers = MutableHeaders(scope=message) if message["type"] == "http.response.start" else {}
            if headers.get("content-type", "").startswith("text/html"):
                start = message
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    body = paint.painted(body)
                    headers = MutableHeaders(scope=start)
                    headers.append("set-cookie", _cookie(scope))
                    headers["cache-control"] = "no-store"  # a proxy must not hand one reader's token to another
                    headers.append("link", f"<{LIBRARY_ADDRESS}>; rel=preload; as=script")
                    if scope.get("method") != "HEAD":
                        headers["content-length"] = str(len(body))
                    await send(start)
                    await send(message | {"body": body})

        page = "." not in scope["path"].rpartition("/")[2]
        asked = scope | {"headers": _as_it_is(scope["headers"])} if page else scope
        return await self.app(asked, receive, send_page)


def _as_it_is(headers: list) -> list:
    """The headers of a request without those that let the answer be compressed, or be that nothing has changed."""
    return [(k, v) for k, v in headers if k not in (b"accept-encoding", b"if-none-match", b"if-modified-since")]


def _cookie(scope) -> str:
    asked = HTTPConnection(scope)
    token = asked.cookies.get(COOKIE, "")
    if not _TOKEN.fullmatch(token):
        token = secrets.token_urlsafe(32)
    secure = "https" in (scope.get("scheme"), asked.headers.get("x-forwarded-proto", "").split(",")[0].strip())
    return f"{COOKIE}={token}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")


def apologise(error: Exception) -> bool:
    """Say in a sentence that a page failed, in place of Streamlit's own words; the log gets the traceback."""
    if isinstance(error, InputError):  # a store that cannot be opened: it says so itself
        log.warning("%s", error)
        st.error(str(error))
    else:
        log.error("a page failed", exc_info=error)
        st.error(
            "The program failed on this page. Your settings are in the page’s address: reload the page, or open "
            "another one."
        )
    return True


async def library(_request) -> FileResponse:
    """Plotly's JavaScript; its address has its version, so that a browser keeps it for good."""
    return FileResponse(LIBRARY, media_type="text/javascript", headers=_FOR_GOOD)


async def stylesheet(_request) -> Response:
    """The app's own CSS; its address has its hash."""
    return Response(paint.CSS, media_type="text/css", headers=_FOR_GOOD)


_FOR_GOOD = {"cache-control": f"public, max-age={YEAR}, immutable"}


def routes() -> list[Route]:
    """What the server answers beside Streamlit's own addresses."""
    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    served = {LIBRARY_ADDRESS: library, paint.ADDRESS: stylesheet}
    return [Route("/" + "/".join(filter(None, (base, address))), answer) for address, answer in served.items()]


MIDDLEWARE = (Middleware(PageHeaders),)


@asynccontextmanager
async def lifespan(_app):
    """Take up what an earlier server left unfinished, beside serving pages: nobody need open one for that.

    What nearly every page imports is imported before the first one is served. The first one would wait for it anyway,
    and two threads that import the same modules at once (two readers, or a reader and this) may see half of them.
    """
    import alf.runs  # noqa: F401

    # Worker processes begin by executing the main module: app.py is nothing to them, Streamlit's command line a second.
    sys.modules["__main__"] = sys.modules.get("app", sys.modules["__main__"])
    threading.Thread(target=take_up, name="alf-take-up", daemon=True).start()
    yield


def take_up() -> None:
    """Make the engine of this server, which goes on by itself with what is unfinished, and its workers."""
    from alf.runs import engine

    try:
        engine().supervisor.begin()
    except InputError as error:
        log.warning("%s", error)
    except Exception:  # a database that is not up yet: the first page that needs it tries again and says so
        log.exception("unfinished runs could not be taken up")
