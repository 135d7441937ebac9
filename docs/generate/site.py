"""What MkDocs calls: pages that are made from the code, and formulas as MathML, which browsers render by themselves."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import latex2mathml.converter
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from docs.generate import api, commands, gallery, house, theorems

ROOT = Path(__file__).parents[2]
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def generated() -> Iterator[tuple[str, str]]:
    """Every page that no one writes by hand: its address in docs/ and its Markdown."""
    yield "gallery.md", gallery.page()
    yield "command-line.md", commands.page()
    yield "house.md", _house_page()
    yield from ((_picture(name), house.svg(house.inside(name))) for name in house.storeys())
    yield "contributing.md", _from_root("CONTRIBUTING.md")
    yield "changelog.md", _from_root("CHANGELOG.md")
    yield "theorems.md", theorems.page()
    yield from api.pages()


def _house_page() -> str:
    """The whole house, then each storey that has rooms of its own."""
    lines = [
        "# The house",
        "",
        "Folders as rooms, imports as arrows, those inside functions included. Arrows point down,",
    ]
    lines += ["and arrows that follow from others are left out. Drawn from the imports.", "", "![The house](house.svg)"]
    for name in house.storeys():
        lines += ["", f"## {name.replace('.', '/')}", "", f"![What {name} holds]({_picture(name)})"]
    return "\n".join(lines) + "\n"


def _picture(package: str) -> str:
    return f"house-{package.replace('.', '-')}.svg"


def _from_root(name: str) -> str:
    """A document of the repository's top, its links into docs/ as they are seen from there."""
    return (ROOT / name).read_text().replace("](docs/", "](")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages whose names nobody knows beforehand into the navigation."""
    config.nav.insert(-1, {"Library": api.navigation()})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for address, text in generated():
        files.append(File.generated(config, address, content=text))
    return files


def on_page_content(content: str, page, **_) -> str:
    r"""Turn every formula of a page into MathML; one that cannot be read ends the build.

    >>> on_page_content('<span class="arithmatex">\\(u_y\\)</span>', None)[:5]
    '<math'
    """

    def mathml(match: re.Match) -> str:
        text, display = html.unescape(match[3]).strip(), "inline" if match[2] == "(" else "block"
        try:
            drawn = latex2mathml.converter.convert(text, display=display)
        except Exception as error:
            raise PluginError(f"{page.file.src_uri}: no formula: {text} ({error!r})") from error
        if unknown := re.search(r"\\\w+", drawn):  # the converter shows a command that it does not know as it is
            raise PluginError(f"{page.file.src_uri}: no formula: {text} ({unknown[0]} is unknown)")
        return drawn

    return _FORMULA.sub(mathml, content)
