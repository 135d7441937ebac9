"""The library's reference: a page for each module of `alf`, found in the tree, so that a moved file needs no edit."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "alf"


def modules() -> dict[str, Path]:
    """Every public module by its name, in order."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not any(part.startswith("_") for part in name.split(".")):
            found[name] = path
    return dict(sorted(found.items()))


def public_names(path: Path) -> list[str]:
    """The functions and classes that a module defines for others.

    >>> "sys" in public_names(PACKAGE / "serve.py"), "serve" in public_names(PACKAGE / "serve.py")
    (False, True)
    """
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    body = ast.parse(path.read_text()).body
    return [node.name for node in body if isinstance(node, kinds) and not node.name.startswith("_")]


def address(name: str) -> str:
    """Where a module's page lies in docs/."""
    folder = modules()[name].name == "__init__.py"
    return "/".join(["api", *name.split(".")[1:], *(["index.md"] if folder else [])]).removesuffix("/") + (
        "" if folder else ".md"
    )


def pages() -> Iterator[tuple[str, str]]:
    """The pages: address and Markdown."""
    here = modules()
    for name in here:
        inside = [other for other in here if other.rpartition(".")[0] == name]
        lines = [f"# {name}", "", f"::: {name}", ""]
        if inside:
            depth = address(name).count("/")
            lines += ["## Modules", "", "| module | what it holds |", "|---|---|"]
            lines += [
                f"| [{other}]({'../' * depth}{address(other)}) | {_first_line(here[other])} |" for other in inside
            ]
        yield address(name), "\n".join(lines) + "\n"


def _first_line(path: Path) -> str:
    text = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]
    return text.replace("\n", " ").replace("|", "\\|")


def navigation(name: str = "alf") -> list:
    """The library's part of the navigation: folders in folders."""
    here = modules()
    entries: list = [address(name)]
    for other in here:
        if other.rpartition(".")[0] == name:
            folder = here[other].name == "__init__.py"
            entries.append({other.rpartition(".")[2]: navigation(other) if folder else address(other)})
    return entries
