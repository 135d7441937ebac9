"""The documentation site: built without a warning, it names every public name and asks nobody else for anything."""

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("mkdocs")
from mkdocs.exceptions import PluginError

from alf.losses import catalogue
from alf.theory.theorems import THEOREMS
from docs.generate import api, gallery, site

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder]
    settings = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=settings)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_every_public_name_has_its_place(built):
    inventory = zlib.decompress((built / "objects.inv").read_bytes().split(b"zlib.\n", 1)[1]).decode()
    there = {line.split(" ")[0] for line in inventory.splitlines()}
    names = {f"{module}.{name}" for module, path in api.modules().items() for name in api.public_names(path)}
    assert len(names) > 300 and not names - there


def test_nothing_is_asked_of_the_internet(built):
    sources = r"<(?:script|img|iframe|source)[^>]+src=.?https?:"
    links = r"<link[^>]+rel=.?(?:stylesheet|preload|preconnect)[^>]+https?:"
    asked = re.compile(rf"{sources}|{links}|url\(.?https?:")
    for path in [*built.rglob("*.html"), *built.rglob("*.css")]:
        assert not asked.search(path.read_text()), path


def test_no_formula_stays_as_it_was_typed(built):
    for path in built.rglob("*.html"):
        assert "arithmatex" not in path.read_text(), path
    for name in ("index.html", "tutorial/index.html", "gallery/index.html"):
        assert (built / name).read_text().count("<math") >= 2, name


def test_every_loss_is_in_the_gallery(built):
    text = (built / "gallery" / "index.html").read_text()
    for declaration in catalogue().values():
        for loss in declaration.configurations():
            assert f"<code>{loss.spec}</code>" in text
    assert text.count('class="alf-curve"') == text.count('class="alf-loss"') > 30


def test_a_loss_without_a_verdict_is_no_entry():
    with pytest.raises(KeyError):
        gallery._entry(catalogue()["ce"], {})


@pytest.mark.parametrize("formula", [r"x^", r"\left( x", r"\nothing x"])
def test_a_formula_that_cannot_be_read_ends_the_build(formula):
    page = SimpleNamespace(file=SimpleNamespace(src_uri="some.md"))
    with pytest.raises(PluginError, match=r"some\.md: no formula"):
        site.on_page_content(rf'<div class="arithmatex">\[{formula}\]</div>', page)


def test_every_theorem_has_its_place(built):
    page = (built / "theorems" / "index.html").read_text()
    for key, theorem in THEOREMS.items():
        assert f'<h2 id="{key}">{theorem.name}' in page
    assert page.count("<math") == page.count("Hypotheses.") == len(THEOREMS)


def test_every_decision_is_in_the_list():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (folder / "index.md").read_text(), re.MULTILINE)
    assert [name for _, name in listed] and {name for _, name in listed} == {
        path.name for path in folder.glob("*.md") if path.name != "index.md"
    }
    for title, name in listed:
        assert (folder / name).read_text().startswith(f"# {title}\n\n"), name


def test_links_from_the_top_of_the_repository_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)#]+)", (ROOT / name).read_text()):
            assert target.startswith("https://") or (ROOT / target).exists(), (name, target)
