"""Frames a second while a reader drags: a hyperparameter on Explore, the noise rate on Simplex, five seconds each.

    python -m benchmarks.drag_frames [--seconds 5]

A real Chromium with software rendering; the mouse holds the slider's handle and moves it to and fro all the time.
Counts the frames of the browser, with those of the same page at rest as the reference; how often the figures were drawn
anew, which is at most as often as the slider's value changed; and what the page said to the server meanwhile. The
claims: at least 30 frames a second, and not one message to the server. Exit status 1 otherwise.
"""

import argparse
import itertools
import json
import sys
import time

from benchmarks.serving import ROOT, browsing, serving

LIMIT = 30
EXPLORE = "/explore?loss=ce&loss=agce:a=0.6,q=0.6&loss=mae&classes=10"
SIMPLEX = "/simplex?loss=agce:a=0.6,q=0.6&loss=ce&kind=pair&rate=0.2"
PAGES = {  # address, the figures' element, its count of drawings, the slider's handle, its track
    "explore": (
        EXPLORE,
        ".alf-chart",
        "followed",
        "[data-testid=stSlider]:has-text('a') input[type=range]",
        ".st-key-1-agce-a",
    ),
    "simplex": (SIMPLEX, ".alf-simplex", "frames", ".alf-simplex input[type=range]", ".alf-simplex input[type=range]"),
}
COUNT = """() => {
    const count = () => { window.alfFrames = (window.alfFrames ?? 0) + 1; requestAnimationFrame(count); };
    count();
}"""
STEPS = 100  # of one stroke of the mouse


def measure(browser, address: str, root: str, counter: str, slider: str, track: str, seconds: float) -> dict:
    """Open a page, drag, and count."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address)
    page.wait_for_selector(f"{root} svg, {root} canvas", timeout=60_000)
    page.wait_for_timeout(3000)
    page.evaluate(COUNT)
    read = f"[window.alfFrames, Number(document.querySelector('{root}').dataset.{counter} ?? 0)]"

    def rates(act) -> list[float]:
        before, start = page.evaluate(read), time.perf_counter()
        while time.perf_counter() - start < seconds:
            act()
        taken = time.perf_counter() - start
        return [(b - a) / taken for a, b in zip(before, page.evaluate(read), strict=True)]

    idle, _ = rates(lambda: page.wait_for_timeout(100))
    sent = []
    session = page.context.new_cdp_session(page)
    session.on("Network.webSocketFrameSent", lambda frame: sent.append(frame))
    session.send("Network.enable")
    handle = page.locator(slider).first
    handle.scroll_into_view_if_needed()
    place, line = handle.bounding_box(), page.locator(track).bounding_box()
    height = place["y"] + place["height"] / 2
    page.mouse.move(place["x"] + place["width"] / 2, height)
    page.mouse.down()
    page.mouse.move(line["x"] + 0.2 * line["width"], height, steps=10)
    ends = itertools.cycle([0.8, 0.2])
    stroke = lambda: page.mouse.move(line["x"] + next(ends) * line["width"], height, steps=STEPS)  # noqa: E731
    frames, figures = rates(stroke)
    told = len(sent)
    page.mouse.up()
    page.context.close()
    found = {"frames_per_s": frames, "idle_frames_per_s": idle, "figures_per_s": figures, "messages_to_server": told}
    return {name: round(value, 1) for name, value in found.items()}


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
