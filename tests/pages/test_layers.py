"""Arrows point one way: the library never imports Streamlit, theory's pages never import torch."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THEORY_PAGES = ("home", "explore", "prove", "noise", "simplex", "atlas")
RUN = """
import sys
sys.path.insert(0, {root!r})
from streamlit.testing.v1 import AppTest
import ui.charts.chart
ui.charts.chart.mount = lambda data, key, on_click=None, on_box=None: None
app = AppTest.from_file({root!r} + "/app.py", default_timeout=60).run()
if {page!r} != "home":
    app.switch_page("pages/{page}.py").run()
assert not app.exception, app.exception
{more}
print("torch" in sys.modules)
"""


def run(code):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[-1]


@pytest.mark.parametrize("page", [p for p in THEORY_PAGES if (ROOT / "pages" / f"{p}.py").exists()])
def test_a_page_of_theory_does_not_import_torch(page):
    assert run(RUN.format(root=str(ROOT), page=page, more="")) == "False"


def test_this_test_can_fail():
    assert run(RUN.format(root=str(ROOT), page="home", more="import torch")) == "True"


def test_the_library_does_not_import_streamlit():
    code = (
        "import sys, pkgutil, importlib, alf\n"
        "for m in pkgutil.walk_packages(alf.__path__, 'alf.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
        "print('streamlit' in sys.modules)"
    )
    assert run(code) == "False"


def test_only_the_router_and_its_pages_know_streamlit_and_no_page_knows_torch():
    for path in (ROOT / "alf").rglob("*.py"):
        assert "import streamlit" not in path.read_text(), path
    for path in (ROOT / "pages").glob("*.py"):
        text = path.read_text()
        assert "import torch" not in text and "import sympy" not in text, path
