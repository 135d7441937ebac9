"""How soon the atlas is on the screen: against a bare Streamlit app with a random heat map of the same 200 x 200.

    python -m benchmarks.atlas_screen [--rounds 10]

Both servers run at once and are opened in turn, each time in a new browser context (nothing cached in the browser).
The clock starts when the address is asked for and ends when the heat map's picture is in the page. The median of the
ratios must be at most 1.5; exit status 1 otherwise. `--again` keeps the context, so that the browser's cache is warm.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.serving import ROOT, browsing, serving

LIMIT = 1.5
BARE = """
import numpy as np
import plotly.graph_objects as go
import streamlit as st

st.plotly_chart(go.Figure(go.Heatmap(z=np.random.default_rng().random((200, 200)))))
"""
ATLAS = "/atlas?family=agce&loss=agce:a=0.6,q=0.6&noise=pair:0.4&classes=10"
DRAWN = "() => document.querySelector('.cartesianlayer image')?.href.baseVal"


def seconds(context, address: str) -> float:
    """Open the address and wait for its heat map."""
    page = context.new_page()
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    page.wait_for_function(DRAWN, timeout=60_000)
    taken = time.perf_counter() - start
    page.close()
    return taken


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--again", action="store_true", help="keep the browser's cache between rounds")
    chosen = parser.parse_args()
    with ExitStack() as stack:
        script = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "bare.py"
        script.write_text(BARE)
        addresses = [f"http://127.0.0.1:{stack.enter_context(serving(script))}/"]
        addresses += [f"http://127.0.0.1:{stack.enter_context(serving(ROOT / 'app.py'))}{ATLAS}"]
        browser = stack.enter_context(browsing())
        kept = [browser.new_context() for _ in addresses] if chosen.again else None
        times = []
        for _ in range(chosen.rounds + 1):  # the first is the servers' own warming up
            contexts = kept or [browser.new_context() for _ in addresses]
            times.append([seconds(c, a) for c, a in zip(contexts, addresses, strict=True)])
            if kept is None:
                for context in contexts:
                    context.close()
    bare, atlas = zip(*times[1:], strict=True)
    ratio = statistics.median(a / b for a, b in zip(atlas, bare, strict=True))
    shown = {"bare_s": statistics.median(bare), "atlas_s": statistics.median(atlas), "ratio": ratio, "limit": LIMIT}
    print(json.dumps({k: round(v, 3) for k, v in shown.items()}))
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
