"""The pages run without a browser: AppTest runs the scripts, a recorder takes what the charts would show."""

from pathlib import Path

import orjson
import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def charts(monkeypatch):
    """What each chart was last given, by key: the list of its figures."""
    shown = {}

    def record(data, key, on_click=None, on_box=None):
        shown[key] = orjson.loads(data)["figures"]

    monkeypatch.setattr("ui.charts.chart.mount", record)
    monkeypatch.setattr("ui.verdicts.triangle.mount", lambda data, key, on_rate: None)
    return shown


@pytest.fixture
def open_app(charts):
    """open_app("explore", loss=[...]) -> the page, run once, without an exception."""

    def open_(page: str = "", **params):
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        if page:
            app.run()
            app.query_params.clear()
            app.switch_page(f"pages/{page}.py")
        for name, values in params.items():
            app.query_params[name] = values
        app.run()
        assert not app.exception, app.exception
        return app

    return open_


def query(app, name: str) -> list[str]:
    """A parameter of the page's link, as a list of its values."""
    value = app.query_params.get(name, [])
    return [value] if isinstance(value, str) else list(value)
