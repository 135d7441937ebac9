"""The home page: two sentences, one true picture, a door to every page that has one."""

from types import SimpleNamespace

import pytest

from tests.pages.conftest import query


def test_the_picture_follows_the_rate(open_app, charts):
    app = open_app()
    title = charts["home-risk"][0]["layout"]["title"]["text"]
    assert title == "With 40% wrong labels the best prediction gives the true class 60% for CE, 100% for AGCE"
    app.slider(key="home.rate").set_value(0.2).run()
    assert "the true class 80% for CE" in charts["home-risk"][0]["layout"]["title"]["text"]
    assert query(app, "rate") == ["0.2"]


def test_the_rate_comes_from_the_link(open_app, charts):
    open_app("", rate=["0.1"])
    assert "10% wrong labels" in charts["home-risk"][0]["layout"]["title"]["text"]


@pytest.mark.parametrize("address", [None, "https://docs.example/alf"])
def test_the_documentation_is_linked_where_its_address_is_set(open_app, monkeypatch, address):
    monkeypatch.setattr("ui.shell.settings", lambda: SimpleNamespace(docs_url=address))
    monkeypatch.setattr("alf.settings.settings", lambda: SimpleNamespace(docs_url=address))
    links = [link.proto.external for link in open_app().get("page_link") if link.proto.page == address]
    assert links == ([] if address is None else [True])
