"""Look inside the recorded run in a real browser."""

from urllib.parse import parse_qs, urlparse

from alf.figures.classes import COLORS

INSIDE = "[class*='st-key-inside-body']"


def look(page):
    return parse_qs(urlparse(page.url).query).get("look", [])


def drawn(page, count):
    """Wait until so many plots of the open view have their marks."""
    page.wait_for_function(
        f'n => [...document.querySelectorAll("{INSIDE} .alf-plot")].filter(p => p.querySelector(\'.points path, '
        "image')).length === n",
        arg=count,
        timeout=60_000,
    )


def test_the_recorded_run_opens_view_by_view(open_page):
    page = open_page("/train")
    assert page.locator(INSIDE).count() == 0
    page.get_by_text("What it gets wrong", exact=True).click()
    page.wait_for_url("**look=wrong**")
    drawn(page, 2)
    page.get_by_text("What it memorised", exact=True).click()
    page.wait_for_url("**look=heart**")
    page.wait_for_function("document.querySelectorAll('.alf-memorised img').length === 36")
    widths = page.evaluate("[...document.querySelectorAll('.alf-memorised img')].map(i => i.naturalWidth)")
    assert set(widths) == {8}  # the pictures themselves have come through
    first = page.locator(".alf-memorised img").first.get_attribute("src")
    page.get_by_role("button", name="Show others").click()
    page.wait_for_function("s => document.querySelector('.alf-memorised img').src !== s", arg=first)
    page.get_by_text("What it memorised", exact=True).click()  # once more: closed
    page.wait_for_url(lambda url: "look=" not in url)
    assert look(page) == []


def test_the_legend_of_classes_shows_their_marks(open_page):
    page = open_page("/train?look=sees&look-map=pca")
    drawn(page, 4)
    marks = page.locator(f"{INSIDE} .alf-legend button svg")
    assert marks.count() == 10 and marks.locator("circle").count() == 10  # digits stand in discs
    fills = marks.locator("circle").evaluate_all("all => all.map(mark => mark.getAttribute('fill'))")
    assert fills == list(COLORS)


def test_tsne_comes_by_itself(open_page):
    page = open_page("/train?look=sees&look-map=tsne")
    page.wait_for_function(
        f'[...document.querySelectorAll("{INSIDE} .alf-plot")]'
        ".filter(p => p.textContent.includes('t-SNE, first')).length"
        " === 4",
        timeout=120_000,
    )
    page.get_by_text("is being computed").wait_for(state="detached", timeout=60_000)


def test_a_phone_shows_every_view_within_its_width(open_page):
    page = open_page("/train?look=heart", width=390)
    page.wait_for_function("document.querySelectorAll('.alf-memorised img').length === 36")
    for name in ("What it gets wrong", "What it sees"):
        page.get_by_text(name, exact=True).click()
        page.wait_for_selector(f"{INSIDE} .alf-plot .main-svg", timeout=60_000)
        assert page.evaluate("document.querySelector('.st-key-inside').scrollWidth") <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_regions_of_each_loss_move_side_by_side_while_it_trains(open_page):
    page = open_page(
        "/train?data=moons&loss=ce&loss=agce:a=0.6,q=0.6&noise=symmetric:0.3&seeds=1&epochs=19999&look=regions"
    )
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**run=**", timeout=20_000)
    plots = f'[...document.querySelectorAll("{INSIDE} .alf-plot")]'
    pictures = f"{plots}.map(p => p._fullLayout?.images?.[0]?.source)"
    page.wait_for_function(
        f"() => {{ const s = {pictures}; return s.length === 2 && s.every(Boolean); }}", timeout=120_000
    )
    page.evaluate(f"{plots}.forEach(p => p.dataset.mine = 'same plot')")
    first = page.evaluate(pictures)
    assert first[0] != first[1]
    page.wait_for_function(f"first => {pictures}.every((s, i) => s && s !== first[i])", arg=first, timeout=120_000)
    second = page.evaluate(pictures)
    page.wait_for_function(f"second => {pictures}.every((s, i) => s && s !== second[i])", arg=second, timeout=120_000)
    assert page.evaluate(f"{plots}.map(p => p.dataset.mine)") == ["same plot", "same plot"]
    page.get_by_role("button", name="Stop", exact=True).click()
    page.wait_for_function("document.querySelector('.alf-run').innerText.includes('stopped')", timeout=60_000)


def test_a_sentence_leads_to_the_picture_that_explains_it(open_page):
    page = open_page("/train")
    page.get_by_text("What it memorised ↓", exact=True).first.click()
    page.wait_for_url("**look=heart**")
    page.wait_for_function("document.querySelectorAll('.alf-memorised img').length === 36")
    page.wait_for_function("document.querySelector('.st-key-inside').getBoundingClientRect().top < 300")
    page.go_back()
    page.wait_for_url(lambda url: "look=" not in url)
    page.locator("a", has_text="Sample weight of MAE").click()
    page.wait_for_url("**/explore?**loss=mae**")
