"""Server time from a slider's change to the chart's message: the Explore page against a bare Streamlit app.

    python -m benchmarks.explore_latency [--changes 60]

The bare app has one slider and one 200-point line. Both servers run at once, with the collection after reruns switched
off in both, and are asked in turn, so that they share the machine's moods. A change is sent over a websocket as the
browser does; the time ends when the message with the chart's new data has arrived. The ratio of the medians must be at
most 3; exit status 1 otherwise.
"""

import argparse
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks.serving import ROOT, serving

LIMIT = 3.0
BARE = """
import numpy as np
import plotly.graph_objects as go
import streamlit as st

a = st.slider("a", 0.05, 10.0, 1.0, 0.05, key="a")
x = np.linspace(0, 1, 200)
st.plotly_chart(go.Figure(go.Scatter(x=x, y=np.exp(-x / a))), key="line")
"""
BARE_LINE_CHART = """
import numpy as np
import streamlit as st

a = st.slider("a", 0.05, 10.0, 1.0, 0.05, key="a")
st.line_chart(np.exp(-np.linspace(0, 1, 200) / a))
"""


class Page:
    """One open page: a websocket to its server."""

    def __init__(self, port: int, address: str, query: str, slider: str, chart: str):
        self.chart = chart
        address_of_socket = f"ws://127.0.0.1:{port}/_stcore/stream"
        self.socket = connect(address_of_socket, subprotocols=["streamlit"], max_size=None, legacy=True)
        self.address, self.query, self.slider = address, query, None
        for _ in range(2):  # the first run of a fresh server, then an ordinary one
            self._send(None)
            self._until_done(slider)

    def change(self, value: float) -> float:
        """Seconds from sending the slider's value to the chart's message."""
        start = time.perf_counter()
        self._send(value)
        taken, here = None, False
        while True:
            message = self._receive()
            kind = message.WhichOneof("type")
            here = here or (kind == "delta" and message.delta.new_element.slider.id == self.slider)
            if kind == "delta" and taken is None and message.delta.new_element.WhichOneof("type") == self.chart:
                taken = time.perf_counter() - start
            if kind == "script_finished":
                if taken is None or not here:
                    raise SystemExit("the run ended without a chart and its slider")
                return taken

    def close(self) -> None:
        self.socket.close()

    def _send(self, value) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.page_name = self.query, self.address
        if value is not None:
            state = rerun.widget_states.widgets.add()
            state.id = self.slider
            state.double_array_value.data.append(value)
        self.socket.send(message.SerializeToString())

    def _receive(self) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(self.socket.recv(timeout=60))
        if message.WhichOneof("type") == "page_info_changed":
            self.query = message.page_info_changed.query_string  # as the browser's address bar does
        return message

    def _until_done(self, slider: str) -> None:
        while True:
            message = self._receive()
            element = message.delta.new_element if message.WhichOneof("type") == "delta" else None
            if element is not None and element.WhichOneof("type") == "slider" and slider in element.slider.id:
                self.slider = element.slider.id
            if message.WhichOneof("type") == "script_finished" and self.slider:
                return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--changes", type=int, default=60)
    changes = parser.parse_args().changes
    pick = random.Random(7)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        pages = {}
        for name, source in {"bare": BARE, "bare, st.line_chart": BARE_LINE_CHART}.items():
            script = Path(folder) / f"{name.split()[-1]}.py"
            script.write_text(source)
            kind = "plotly_chart" if name == "bare" else "vega_lite_chart"
            pages[name] = Page(stack.enter_context(serving(script)), "", "", "a", kind)
        query = "loss=ce&loss=agce%3Aa%3D0.6%2Cq%3D0.6&loss=mae&classes=10"
        port = stack.enter_context(serving(ROOT / "app.py"))
        pages["explore"] = Page(port, "explore", query, "agce.a", "bidi_component")
        for page in pages.values():
            stack.callback(page.close)
        times = {name: [] for name in pages}
        for _ in range(changes):
            value = round(pick.randrange(1, 200) * 0.05, 2)
            for name, page in pages.items():
                times[name].append(page.change(value))
    medians = {name: 1000 * statistics.median(t[5:]) for name, t in times.items()}
    ratio = medians["explore"] / medians["bare"]
    print(
        json.dumps(
            {"median_ms": {k: round(v, 2) for k, v in medians.items()}, "ratio": round(ratio, 2), "limit": LIMIT}
        )
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
