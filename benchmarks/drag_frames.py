"""Frames a second while a reader drags: a hyperparameter on Explore, the noise rate on Simplex, five seconds each.

    python -m benchmarks.drag_frames [--seconds 5]

A real Chromium with software rendering; the mouse holds the slider's handle and moves it up and down all the time. A
frame counts when the figure was drawn anew in it. The reference, measured before in the same page for as long, is the
frames that the browser itself gives when nothing is dragged. Also counts what the page said to the server meanwhile.
The claims: at least 30 frames a second, and not one message to the server. Exit status 1 otherwise.
"""

import argparse
import json
import math
import sys
import time

from benchmarks.serving import ROOT, browsing, serving

LIMIT = 30
EXPLORE = "/explore?loss=ce&loss=agce:a=0.6,q=0.6&loss=mae&classes=10"
SIMPLEX = "/simplex?loss=agce:a=0.6,q=0.6&loss=ce&kind=pair&rate=0.2"
PAGES = {
    "explore": (EXPLORE, ".alf-chart", "followed", "[data-testid=stSlider]:has-text('a') input[type=range]"),
    "simplex": (SIMPLEX, ".alf-simplex", "frames", ".alf-simplex input[type=range]"),
}
IDLE = """async ms => {
    let n = 0;
    const start = performance.now();
    while (performance.now() - start < ms) { await new Promise(requestAnimationFrame); n++; }
    return 1000 * n / (performance.now() - start);
}"""


def measure(browser, address: str, root: str, counter: str, slider: str, seconds: float) -> dict:
    """Open a page, drag, and count."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.wait_for_selector(f"{root} svg, {root} canvas", timeout=60_000)
    page.wait_for_timeout(3000)
    idle = page.evaluate(IDLE, 1000 * seconds)
    sent = []
    session = page.context.new_cdp_session(page)
    session.on("Network.webSocketFrameSent", sent.append)
    session.send("Network.enable")
    handle = page.locator(slider).first
    handle.scroll_into_view_if_needed()
    place = handle.bounding_box()
    track = (
        place if place["width"] > 60 else handle.locator("xpath=ancestor::*[@data-testid='stSlider']").bounding_box()
    )
    height = place["y"] + place["height"] / 2
    grip = place["x"] + place["width"] / 2 if place is not track else place["x"] + 0.4 * place["width"]
    page.mouse.move(grip, height)
    page.mouse.down()
    page.mouse.move(grip + 8, height)
    page.wait_for_timeout(300)
    read = f"Number(document.querySelector('{root}').dataset.{counter})"
    before, start, n = page.evaluate(read), time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        n += 1
        page.mouse.move(track["x"] + track["width"] * (0.5 + 0.3 * math.sin(n / 40)), height)
        page.wait_for_timeout(5)
    taken = time.perf_counter() - start
    frames = (page.evaluate(read) - before) / taken
    told = len(sent)
    page.mouse.up()
    page.context.close()
    return {"frames_per_s": round(frames, 1), "idle_frames_per_s": round(idle, 1), "messages_to_server": told}


def main() -> int:
    """Measure both pages."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    seconds = parser.parse_args().seconds
    good = True
    with serving(ROOT / "app.py") as port, browsing() as browser:
        for name, (address, *where) in PAGES.items():
            found = measure(browser, f"http://127.0.0.1:{port}{address}", *where, seconds)
            print(name, json.dumps(found))
            good &= found["frames_per_s"] >= LIMIT and not found["messages_to_server"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
