"""How networks were trained, apart from what was compared: a recipe without its losses, noise, seeds and device.

A protocol is kept as the recipe of one loss; as text it is the kind of recipe and what differs from that,
``paper:epochs=20,samples=5000``. The text stands in links and on the command line.

>>> quick = protocol("cifar10", "paper:samples=5000,epochs=20")
>>> quick.epochs, quick.samples, quick.lr, protocol_text(quick)
(20, 5000, 0.01, 'paper:epochs=20,samples=5000')
"""

import re
from dataclasses import fields
from typing import Any

from alf.data import dataset
from alf.errors import InputError, quoted
from alf.training.recipe import Recipe
from alf.training.recipes import kinds_of, named_recipe

OPEN = ("data", "losses", "noise", "seeds", "device", "changes")
"""What is no part of a protocol. A recipe whose learning rate was changed on the way has none."""
DECIDED = tuple(field.name for field in fields(Recipe) if field.name not in OPEN)
_ANY: dict[str, Any] = {"losses": ("ce",), "noise": ("none",), "seeds": (0,), "device": "auto", "changes": ()}


def protocol_kinds(data: str) -> tuple[str, ...]:
    """Return what a protocol's text can begin with, the paper's last; of a part of a data set the paper says nothing.

    >>> protocol_kinds("mnist"), protocol_kinds("mnist:4")
    (('classroom', 'paper'), ('classroom',))
    """
    dataset(data)
    whole, colon, _ = data.partition(":")
    return ("classroom",) if colon else kinds_of(whole)


def protocol_of(recipe: Recipe) -> Recipe:
    """Return a recipe's protocol: what two recipes share when they differ in what was compared alone.

    >>> from alf.training import paper
    >>> protocol_of(paper("mnist", seeds=(7,))) == protocol_of(paper("mnist", losses=("mae",), device="cpu"))
    True
    """
    return recipe.with_(**_ANY)


def protocol_text(recipe: Recipe) -> str:
    """Write a recipe's protocol as text, by the kind of recipe from which it differs least."""
    found = []
    for kind in reversed(protocol_kinds(recipe.data)):  # the paper's, where both are as close
        own = named_recipe(kind, recipe.data, **_ANY)
        differs = [name for name in DECIDED if getattr(recipe, name) != getattr(own, name)]
        changes = ",".join(f"{name}={_written(getattr(recipe, name))}" for name in differs)
        found.append((len(differs), kind, f"{kind}:{changes}" if changes else kind))
    return min(found, key=lambda one: one[0])[2]


def protocol(data: str, text: str) -> Recipe:
    """Read a protocol as a stranger may have written it.

    >>> protocol("digits", "paper")
    Traceback (most recent call last):
    ...
    alf.errors.InputError: protocol: must begin with one of classroom for digits, got 'paper'
    """
    kind, _, rest = text.strip().partition(":")
    kinds = protocol_kinds(data)
    if kind not in kinds:
        raise InputError(f"protocol: must begin with one of {', '.join(kinds)} for {data}, got {quoted(kind)}")
    own, changes = named_recipe(kind, data, **_ANY), {}
    for part in re.split(r",(?=[a-z_]+=)", rest) if rest else ():  # a network's widths have commas of their own
        name, _, value = part.partition("=")
        if name not in DECIDED:
            raise InputError(f"protocol: what can differ is {', '.join(DECIDED)}, got {quoted(name)}")
        if name in changes:
            raise InputError(f"protocol: {name} may be given once, got {quoted(rest)}")
        changes[name] = _read(name, value, getattr(own, name))
    return own.with_(**changes)


def _written(value: object) -> str:
    if value is None:
        return "all"
    return (
        str(value).lower() if isinstance(value, bool) else f"{value:.12g}" if isinstance(value, float) else str(value)
    )


def _read(name: str, text: str, own: object) -> object:
    """A field's value, as the recipe wants it; the recipe checks whether it is allowed."""
    if name == "samples":
        return None if text == "all" else _number(name, text, int)
    if isinstance(own, bool):
        return {"true": True, "false": False}.get(text, text)
    if isinstance(own, int | float):
        return _number(name, text, type(own))
    return text


def _number(name: str, text: str, kind: type[int] | type[float]) -> int | float:
    pattern = r"\d{1,9}" if kind is int else r"[0-9.]{1,20}(e-?\d{1,3})?"
    try:
        if re.fullmatch(pattern, text, re.ASCII):
            return kind(text)
    except ValueError:
        pass
    raise InputError(f"{name}: must be a {'whole number' if kind is int else 'number'}, got {quoted(text)}")
