"""How every page looks while it loads and after: nothing jumps, every word can be read, every control has a name."""

import re
from pathlib import Path

import pytest

LOOKS = (Path(__file__).parent / "looks.js").read_text()
SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
PAGES = {
    "home": "/",
    "explore": "/explore",
    "prove": "/prove?loss=nce&noise=pair:0.4&classes=3",
    "atlas": "/atlas",
    "noise": "/noise",
    "simplex": "/simplex",
    "edge": "/simplex?shown=edge&loss=ce&loss=agce:a=0.6,q=0.6",
    "mirror": "/mirror?loss=ce&loss=nce&loss=agce:a=0.6,q=0.6",
    "train": "/train",
    "phase": "/phase",
    "tables": "/tables",
    "runs": "/runs",
}
ROLES = {"button", "slider", "combobox", "textbox", "spinbutton", "checkbox", "switch", "link"}


@pytest.fixture
def loaded(chromium, server):
    """loaded(path, width, dark) -> the page some seconds after it was opened, with what moved in `window.shift`."""
    contexts = []

    def load(path: str, width: int, dark: bool = False):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(SHIFTS)
        page.goto(server + path)
        page.wait_for_function("!document.documentElement.classList.contains('alf-loading')", timeout=30_000)
        page.wait_for_timeout(4000)
        return page

    yield load
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_hardly_anything_moves_while_a_page_loads(loaded, name, width):
    page = loaded(PAGES[name], width)
    assert page.locator(".alf-head h1").is_visible()
    assert page.evaluate("window.shift") <= 0.1
    too_wide = (
        "[...document.querySelectorAll('[data-testid=stCaptionContainer], .st-key-run-bar, .alf-head, .alf-note')]"
        ".filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
    )
    assert page.evaluate(too_wide) == []  # a line that does not break runs into what stands beside it


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_word_can_be_read_and_every_control_has_a_name(loaded, name, dark):
    page = loaded(PAGES[name], 1280, dark)
    page.evaluate(LOOKS)
    assert page.evaluate("lowContrast()") == []
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    names = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n.get("ignored")]
    nameless = {(role, said) for role, said in names if role in ROLES and not re.search("[A-Za-z]{2}", said)}
    assert not nameless and not [said for role, said in names if role in ROLES and "$" in said]
    sliders = [said for role, said in names if role == "slider"]
    assert len(set(sliders)) == len(sliders)


def test_the_measure_of_contrast_finds_what_is_too_pale(loaded):
    page = loaded("/", 1280)
    page.evaluate(LOOKS)
    page.evaluate("document.querySelector('.alf-head p').style.opacity = 0.5")
    assert any("Many data sets have wrong labels" in said for said in page.evaluate("lowContrast()"))


HINT = """
(() => {
  const hint = document.querySelector(".alf-hint:popover-open");
  if (!hint) return null;
  const { left, top, right, bottom } = hint.getBoundingClientRect();
  hint.style.pointerEvents = "auto";  // so that the browser can be asked what lies on top
  const corners = [[left + 3, top + 3], [right - 3, top + 3], [left + 3, bottom - 3], [right - 3, bottom - 3]];
  const onTop = corners.every(([x, y]) => hint.contains(document.elementFromPoint(x, y)));
  hint.style.pointerEvents = "";
  const whole = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
  const opaque = getComputedStyle(hint).opacity === "1" && hint.scrollHeight <= hint.clientHeight;
  return { text: hint.textContent, good: onTop && whole && opaque };
})()
"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["explore", "prove", "noise", "train", "runs"])
def test_the_hint_of_every_word_is_whole_and_on_top(loaded, name, width):
    page = loaded(PAGES[name], width)
    words = [word for word in page.locator(".alf-term").all() if word.is_visible()]
    assert words
    for word in words[:8] + words[-4:]:
        word.scroll_into_view_if_needed()
        page.wait_for_timeout(100)
        word.focus()
        page.wait_for_function("document.querySelector('.alf-hint:popover-open')")
        assert page.evaluate(HINT) == {"text": word.get_attribute("data-hint"), "good": True}
        page.keyboard.press("Escape")
        assert page.evaluate(HINT) is None
    words[0].scroll_into_view_if_needed()
    page.wait_for_timeout(100)
    words[0].hover()
    assert page.evaluate(HINT)["good"]
    page.mouse.wheel(0, 60)
    page.mouse.move(2, 2)
    page.wait_for_function("!document.querySelector('.alf-hint:popover-open')")


def test_a_projector_gets_more_width_and_larger_letters(loaded):
    narrow, wide = loaded("/explore", 1280), loaded("/explore", 1920)
    width = "document.querySelector('.st-key-explore').getBoundingClientRect().width"
    size = "parseFloat(getComputedStyle(document.querySelector('.alf-note, .alf-card p')).fontSize)"
    assert wide.evaluate(width) > 1.4 * narrow.evaluate(width)
    assert wide.evaluate(size) > 1.1 * narrow.evaluate(size)
