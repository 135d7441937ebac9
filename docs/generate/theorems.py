"""The page of theorems: each with its statement, hypotheses, formula, proof and source, as the engine holds them."""

import dataclasses
import importlib
import pkgutil
from functools import cache

import alf.theory


@cache
def found() -> tuple:
    """Every `Theorem` of the module `theorems` under alf.theory, in its order; empty where there is none."""
    names = [m.name for m in pkgutil.walk_packages(alf.theory.__path__, "alf.theory.") if m.name.endswith(".theorems")]
    held = [value for name in names for value in vars(importlib.import_module(name)).values()]
    flat = [x for value in held for x in (value.values() if isinstance(value, dict) else _several(value))]
    return tuple(dict.fromkeys(x for x in flat if type(x).__name__ == "Theorem"))


def _several(value) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def page() -> str:
    """The page."""
    lines = [
        "# Theorems",
        "",
        "What a verdict's steps rest on, each once. The page is made from the engine's own list.",
    ]
    for theorem in found():
        fields = {f.name: getattr(theorem, f.name) for f in dataclasses.fields(theorem)}
        lines += ["", f"## {str(fields.pop('title', None) or fields['name']).replace('_', ' ')}"]
        for name, value in fields.items():
            if value and name != "name":
                lines += ["", *_shown(name, value)]
    return "\n".join(lines) + "\n"


def _shown(name: str, value) -> list[str]:
    if name == "latex":
        return [f"$$\n{value}\n$$"]
    if name == "statement":
        return [str(value)]
    word = f"**{name.replace('_', ' ').capitalize()}.**"
    if isinstance(value, (tuple, list)):
        return [word, "", *(f"- {item}" for item in value)]
    return [f"{word} {value}"]
