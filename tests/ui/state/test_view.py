"""Which URL a page takes for its own, and which for a link: the rule at the top of `ui.state.view`, case by case."""

import pytest

from ui.state import view
from ui.state.view import URL_UNDERWAY, Urls

BEFORE, LAST, OTHER = {"classes": ["3"]}, {"classes": ["4"]}, {"classes": ["5"]}


@pytest.mark.parametrize("later", [0.0, 0.9 * URL_UNDERWAY, 1.1 * URL_UNDERWAY, 1e6])
@pytest.mark.parametrize("before", [BEFORE, None])
def test_the_urls_that_a_page_explains(monkeypatch, before, later):
    monkeypatch.setattr(view.time, "monotonic", lambda: 100.0 + later)
    urls = Urls("noise", LAST, before, 100.0)
    assert urls.explain("noise", LAST)  # for good
    assert urls.explain("noise", BEFORE) == (before is not None and later < URL_UNDERWAY)  # the browser was behind
    assert not urls.explain("noise", OTHER)  # a link
    assert not urls.explain("atlas", LAST)  # another page's
