"""Files, modules and names that the documents speak of are there: a move that forgets a document fails here."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TOPS = ("alf", "ui", "pages", "tests", "benchmarks", "docs")
FILE = re.compile(rf"`((?:{'|'.join(TOPS)})/[\w./-]+|[\w-]+\.(?:py|js|css|svg|toml|txt))`")
DOTTED = re.compile(rf"`(?:python -m )?((?:{'|'.join(TOPS)})(?:\.\w+)+)(?=[`( ])")


@cache
def names_in(path: Path) -> frozenset[str]:
    """What a module or a class body binds or imports, classes with their members as ``Class.member``."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)  # names that a package forwards lazily
    return frozenset(found)


def there(dotted: str) -> bool:
    """Whether a dotted name leads to a module, or from a module to a name in it."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:length])
        file = place / "__init__.py" if (place / "__init__.py").exists() else place.with_suffix(".py")
        if file.exists() or place.is_dir():
            return length == len(parts) or (file.exists() and all(name in names_in(file) for name in parts[length:]))
    return False


def is_file(name: str) -> bool:
    """Whether a file or folder is there: by its path, or anywhere by its name alone."""
    if "/" in name:
        return (ROOT / name).exists()
    folders = ("alf", "ui", "tests", "pages", "docs", ".")
    return any(
        path.name == name for top in folders for path in ((ROOT / top).rglob("*") if top != "." else ROOT.iterdir())
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_document_names_is_there(document):
    text = document.read_text()
    missing = [name for name in FILE.findall(text) if not is_file(name)]
    missing += [name for name in DOTTED.findall(text) if not there(name)]
    assert not missing


def test_what_is_not_there_is_found_missing():
    assert not is_file("alf/nowhere.py") and not is_file("nowhere.js") and is_file("alf/serve.py")
    assert not there("alf.losses.nothing") and not there("alf.nowhere.parse") and there("alf.losses.parse")
