"""What a page needs for its first paint: the app's own stylesheet, and the rule that nothing is seen to move.

Streamlit's page is empty HTML; a style that came with the elements would restyle them after they were seen. Here the
stylesheet's address goes into the page itself (`ui.server.PageHeaders`), and what stands below the heading stays
unseen until every element of the first run has its real size in place of Streamlit's grey bar: elements whose code is
still being fetched are 40 pixels high, and everything below them would jump.
"""

import hashlib
from pathlib import Path

_HERE = Path(__file__).parent
_SHEETS = (
    "style.css",
    "training/training.css",
    "runs/runs.css",
    "runs/reproduction.css",
    "charts/chart.css",
    "verdicts/triangle.css",
)
CSS = "\n".join((_HERE / name).read_text() for name in _SHEETS)
ADDRESS = f"style-{hashlib.sha256(CSS.encode()).hexdigest()[:12]}.css"
"""Where `ui.server` serves it, relative to a page; another text has another address, so a browser keeps it for good."""

_HINTS = (_HERE / "hints.js").read_text()
_SETTLED = """
(() => {
  const root = document.documentElement;
  root.classList.add("alf-loading");
  const end = () => { root.classList.remove("alf-loading"); clearInterval(looking); };
  const looking = setInterval(() => {
    const app = document.querySelector("[data-testid=stApp]");
    const there = app?.dataset.testScriptState === "notRunning" && document.querySelector(".alf-head");
    if (there && !document.querySelector(".stMain [data-testid=stSkeleton]")) end();
  }, 30);
  setTimeout(end, 6000);  // whatever is wrong, a reader sees it
})();
"""


def painted(page: bytes) -> bytes:
    """The page's HTML with the stylesheet and the script that ends the loading.

    With them comes the one box that shows the hints of words. They begin the body: rules after those that Streamlit
    puts into the head win where both have the same weight.

    >>> painted(b"<head></head><body></body>").count(b"<link rel")
    1
    """
    first = f'<body><link rel="stylesheet" href="./{ADDRESS}"><script>{_SETTLED}{_HINTS}</script>'
    return page.replace(b"<body>", first.encode(), 1)
