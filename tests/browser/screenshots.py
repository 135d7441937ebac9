"""Photographs of every state of every page, at 1280 and 390 pixels, light and dark, for docs/screenshots.

    python -m tests.browser.screenshots [NAME ...]

Starts a server with an empty store, trains what the Runs page shows, and writes WebP files. Look at them.
"""

import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.serving import ROOT, browsing, serving

FOLDER = ROOT / "docs" / "screenshots"
WIDTHS, THEMES = (1280, 390), ("light", "dark")
PAIR = "noise=pair:0.4&classes=10"
MOONS = "noise=symmetric:0.3&seeds=1&epochs=200"
STATES = {
    "home": "/",
    "explore": "/explore?loss=ce&loss=agce:a=0.6,q=0.6&loss=mae&classes=10",
    "explore-1000-classes": "/explore?loss=ce&loss=mae&loss=aul:a=5.5,p=3&loss=agce:a=0.6,q=0.6&classes=1000",
    "explore-formula": "/explore?loss=formula:1-u-sin(2*pi*u)/7&loss=ce&classes=10",
    "prove": f"/prove?loss=agce:a=0.6,q=0.6&{PAIR}",
    "prove-refuted": "/prove?loss=nce&noise=pair:0.4&classes=3",
    "atlas": f"/atlas?family=agce&loss=agce:a=0.6,q=0.6&{PAIR}",
    "atlas-ael": f"/atlas?family=ael&loss=ael:a=1.5&{PAIR}",
    "atlas-trade": f"/atlas?family=agce&loss=agce:a=0.6,q=0.6&{PAIR}",
    "noise": f"/noise?{PAIR}&loss=ce&loss=agce:a=0.6,q=0.6&loss=ael:a=1.5",
    "noise-lost": "/noise?noise=matrix:.4,.6,0;0,1,0;.2,.3,.5&classes=3&loss=ce&loss=mae",
    "simplex": "/simplex?loss=ce&loss=agce:a=0.6,q=0.6&loss=ngce:q=0.7&kind=pair&rate=0.4",
    "simplex-beside": "/simplex?loss=nce&kind=pair&rate=0.3&beside=yes",
    "simplex-six": "/simplex?loss=ce&loss=agce:a=0.6,q=0.6&loss=ngce:q=0.7&kind=pair&rate=0.4&beside=yes",
    "simplex-edge": "/simplex?loss=ce&loss=agce:a=0.6,q=0.6&kind=pair&rate=0.4&shown=edge&classes=10",
    "phase": "/phase",
    "phase-cell": "/phase?cell=0-5-9",
    "train": "/train",
    "train-wrong": "/train?look=wrong",
    "train-heart": "/train?look=heart",
    "train-sees": "/train?look=sees",
    "train-points": f"/train?data=moons&loss=ce&loss=agce:a=0.6,q=0.6&{MOONS}&look=regions",
    "tables": "/tables?table=cifar100",
    "runs-empty": "/runs",
    "runs": "/runs",
}
OPENED = {"atlas-trade": "Robustness against learning speed"}  # what is folded until a reader asks for it
STARTED = ("train-points", "runs")  # states in which a run has been started and has ended


def shoot(browser, address: str, name: str) -> None:
    """Open one state in every width and theme; a state with a run starts it once and shows it in all."""
    cookies = None
    for width in WIDTHS:
        for theme in THEMES:
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
            if cookies:
                context.add_cookies(cookies)
            page = context.new_page()
            page.goto(address)
            page.wait_for_timeout(6000)
            if name in STARTED and cookies is None:
                address = _run(page, address, name)
                cookies = context.cookies()
            if name in OPENED:
                page.get_by_text(OPENED[name], exact=True).click()
            page.wait_for_timeout(9000)
            height = page.evaluate("Math.min(2600, document.querySelector('[data-testid=stMain]').scrollHeight + 20)")
            page.set_viewport_size({"width": width, "height": max(900, height)})
            page.wait_for_timeout(1500)
            path = FOLDER / f"{name}-{width}-{theme}.webp"
            picture = Image.open(BytesIO(page.screenshot()))
            picture.save(path, quality=72, method=6)
            print(path.name, path.stat().st_size // 1000, "kB", flush=True)
            context.close()


def _run(page, address: str, name: str) -> str:
    """Train what the state shows; give the address to open it at."""
    base = address.split("/", 3)
    base = "/".join(base[:3])
    if name == "runs":
        for seed in (1, 2):
            page.goto(f"{base}/train?loss=ce&loss=agce:a=4,q=0.2&noise=symmetric:0.5&seeds={seed}&epochs=30")
            page.wait_for_timeout(5000)
            _start(page)
        page.goto(address)
        page.wait_for_timeout(4000)
        return address
    _start(page)
    return page.url


def _start(page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**run=**", timeout=30_000)
    page.wait_for_function("document.querySelector('.alf-run')?.innerText.includes('finished')", timeout=180_000)


def main() -> None:
    """Shoot the named states, or all."""
    wanted = sys.argv[1:] or list(STATES)
    unknown = set(wanted) - set(STATES)
    if unknown:
        sys.exit(f"screenshots: must be of {', '.join(STATES)}, got {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ALF_STORE"] = f"sqlite:///{Path(folder) / 'runs.db'}"
        with serving(ROOT / "app.py") as port, browsing() as browser:
            for name in wanted:
                shoot(browser, f"http://127.0.0.1:{port}{STATES[name]}", name)


if __name__ == "__main__":
    main()
