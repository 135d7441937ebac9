"""A phase map: a grid of settings, each of which is trained; the frozen description of what is computed.

>>> from alf.phase.axes import parse_axis
>>> from alf.training import Recipe
>>> recipe = Recipe(data="digits", losses=("agce:a=1,q=0.6",), noise=("symmetric:0.4",), network="mlp:32", epochs=2)
>>> phase = PhaseMap(recipe, parse_axis("a=0.05:6:12:log"), parse_axis("noise=0.1:0.8:10"))
>>> len(phase.cells), phase.loss(Cell(0, 11, 0)), phase.noise(Cell(0, 11, 9))
(120, 'agce:a=6,q=0.6', 'symmetric:0.8')
>>> PhaseMap.from_dict(phase.to_dict()) == phase
True
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, NamedTuple

from alf.data import dataset
from alf.errors import InputError, brief
from alf.losses import Loss, parse
from alf.numbers import fraction_text, stands_for
from alf.phase.axes import LIMITS, WHOLE, Axis, parse_axis
from alf.training.recipe import Recipe

RATED = ("symmetric", "pair", "asymmetric", "instance")
"""The kinds of noise that have a rate."""


class Cell(NamedTuple):
    """One place of a map: which of its losses, and the indices of its values along x and y."""

    loss: int
    x: int
    y: int


@dataclass(frozen=True)
class PhaseMap:
    """A grid of settings: every combination of the values of two axes, for every loss.

    Attributes
    ----------
    recipe
        What all cells have in common. Its losses are the small multiples, its one noise says the kind, its seeds are
        those of every cell. What an axis changes is kept at that axis' first value, so that equal maps are equal.
    x, y
        The axes, of two different kinds.

    Raises
    ------
    InputError
        One sentence, when there is no such map.
    """

    recipe: Recipe
    x: Axis
    y: Axis

    def __post_init__(self) -> None:
        if not isinstance(self.recipe, Recipe) or not isinstance(self.x, Axis) or not isinstance(self.y, Axis):
            raise InputError("map: a recipe and two axes are needed")
        if self.x.kind == self.y.kind:
            raise InputError(f"map: its axes must be of two kinds, got {self.x.kind} twice")
        if len(self.recipe.noise) != 1:
            raise InputError(f"map: one noise is needed, got {len(self.recipe.noise)}")
        for axis in (self.x, self.y):
            _check_axis(axis, self.recipe)
        recipe = self.recipe.with_(**_settings(self.recipe, {axis.kind: axis.values[0] for axis in (self.x, self.y)}))
        object.__setattr__(self, "recipe", recipe)
        for axis in (self.x, self.y):  # a value that is not allowed is refused here, not when its cell is trained
            for value in axis.values:
                changed = _settings(recipe, {axis.kind: value})
                if axis.kind in WHOLE:
                    recipe.with_(**changed)
        if {self.x.kind, self.y.kind} == set(WHOLE):
            recipe.with_(**_settings(recipe, {axis.kind: axis.values[-(axis.kind == "classes")] for axis in self.axes}))

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """Both axes, x first."""
        return self.x, self.y

    @property
    def losses(self) -> tuple[str, ...]:
        """The losses of the small multiples, each at the axes' first values."""
        return self.recipe.losses

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Every cell, loss by loss, row by row."""
        sizes = product(range(len(self.losses)), range(len(self.y)), range(len(self.x)))
        return tuple(Cell(loss, x, y) for loss, y, x in sizes)

    @property
    def networks(self) -> int:
        """How many networks are trained: cells x seeds."""
        return len(self.losses) * len(self.x) * len(self.y) * len(self.recipe.seeds)

    @cached_property
    def key(self) -> str:
        """Name the map: equal maps have the same key.

        >>> from alf.phase.axes import parse_axis
        >>> maps = [PhaseMap(Recipe(data="digits", losses=(f"ael:a={a}",), noise=("pair:0.1",)), parse_axis("a=1,2"),
        ...         parse_axis("noise=.1,.2")) for a in (1, 5)]
        >>> maps[0].key == maps[1].key
        True
        """
        text = json.dumps(["map", self.recipe.key, self.x.text, self.y.text])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def values(self, cell: Cell) -> dict[str, float]:
        """The axes' values at a cell, by kind."""
        return {self.x.kind: self.x.values[cell.x], self.y.kind: self.y.values[cell.y]}

    def loss(self, cell: Cell) -> str:
        """The canonical spec of a cell's loss."""
        return _at(self.losses[cell.loss], _hyperparameters(self.values(cell)))

    def noise(self, cell: Cell) -> str:
        """The canonical spec of a cell's noise."""
        return _noise(self.recipe, self.values(cell))

    def data(self, cell: Cell) -> str:
        """The data set key of a cell."""
        return _data(self.recipe, self.values(cell))

    def own(self, cell: Cell) -> dict[str, float]:
        """The values at a cell that models of one recipe cannot differ in: of learning rate, classes and samples."""
        return {kind: value for kind, value in self.values(cell).items() if kind in LIMITS and kind != "noise"}

    def recipe_of(self, cells: Iterable[Cell]) -> Recipe:
        """Some cells as one recipe, whose models are every combination of their losses and their noises.

        The cells must not differ in what `own` gives.
        """
        cells = tuple(cells)
        shared = self.own(cells[0])
        if any(self.own(cell) != shared for cell in cells):
            raise InputError(f"map: cells of one recipe must have the same {' and '.join(shared)}")
        losses = dict.fromkeys(self.loss(cell) for cell in cells)
        noises = dict.fromkeys(self.noise(cell) for cell in cells)
        return self.recipe.with_(**_settings(self.recipe, shared) | {"losses": tuple(losses), "noise": tuple(noises)})

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` takes them back."""
        return {"recipe": self.recipe.to_dict(), "x": self.x.text, "y": self.y.text}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PhaseMap":
        """Make a map from JSON values.

        >>> PhaseMap.from_dict({"recipe": {"data": "digits", "losses": ["ce"]}, "x": "lr=.1,1"})
        Traceback (most recent call last):
        ...
        alf.errors.InputError: map: y is missing
        """
        fields = ("recipe", "x", "y")
        if not isinstance(values, Mapping):
            raise InputError(f"map: an object of named fields is needed, got {brief(values)}")
        for name in values:
            if name not in fields:
                raise InputError(f"map: fields are {', '.join(fields)}, got {brief(name)}")
        for name in fields:
            if name not in values:
                raise InputError(f"map: {name} is missing")
        return cls(Recipe.from_dict(values["recipe"]), parse_axis(values["x"]), parse_axis(values["y"]))


def _check_axis(axis: Axis, recipe: Recipe) -> None:
    """Refuse an axis that the recipe has nothing for."""
    losses = [parse(spec) for spec in recipe.losses]
    if axis.kind in LIMITS:
        for loss in losses:
            if axis.kind in loss.values:
                raise InputError(
                    f"axis {axis.kind}: {loss.label} has a hyperparameter of that name, which must be called something "
                    f"else than {', '.join(LIMITS)}"
                )
        kind = recipe.parse_noise(recipe.noise[0]).kind
        if axis.kind == "noise" and kind not in RATED:
            raise InputError(
                f"axis noise: the noise must be of a kind that has a rate ({', '.join(RATED)}), got {kind}"
            )
        return
    for loss in losses:
        if axis.kind not in loss.values:
            fixed = [item.partition("=")[0] for item in loss.declaration.fixed]
            if axis.kind in fixed:
                raise InputError(
                    f"axis {axis.kind}: {axis.kind} needs a domain in {loss.spec}, written "
                    f"{axis.kind}=VALUE[LOW,HIGH]; without one it is part of the formula"
                )
            has = f"it has {', '.join(loss.values)}" if loss.values else "it has none"
            raise InputError(
                f"axis {axis.kind}: must be {', '.join(LIMITS)} or a hyperparameter of every loss; {loss.name}: {has}"
            )


def _settings(recipe: Recipe, values: Mapping[str, float]) -> dict[str, Any]:
    """The recipe's fields at some values of its axes."""
    changed: dict[str, Any] = {}
    if given := _hyperparameters(values):
        specs = [_at(spec, given) for spec in recipe.losses]
        twice = next((spec for spec in specs if specs.count(spec) > 1), None)
        if twice is not None:
            raise InputError(f"map: its losses must differ in more than what its axes change, got {twice} twice")
        changed["losses"] = tuple(specs)
    if "noise" in values:
        changed["noise"] = (_noise(recipe, values),)
    if "classes" in values:
        changed["data"] = _data(recipe, values)
    if "samples" in values:
        changed["samples"] = round(values["samples"])
    if "lr" in values:
        changed["lr"] = values["lr"]
    return changed


def _hyperparameters(values: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple((kind, value) for kind, value in values.items() if kind not in LIMITS)


@lru_cache(maxsize=1 << 16)
def _at(spec: str, values: tuple[tuple[str, float], ...]) -> str:
    """The canonical spec of a loss with some hyperparameters at these values, which must lie in their domains."""
    loss: Loss = parse(spec)
    return loss.replace(**dict(values)).spec if values else loss.spec


def _noise(recipe: Recipe, values: Mapping[str, float]) -> str:
    base = recipe.noise[0]
    if "noise" not in values:
        return base
    return f"{base.partition(':')[0]}:{fraction_text(stands_for(values['noise']))}"


def _data(recipe: Recipe, values: Mapping[str, float]) -> str:
    """The key of the data set, of so many of its classes; with all of them it is the data set itself."""
    whole, count = recipe.data.partition(":")[0], values.get("classes")
    if count is None:
        return recipe.data
    return whole if count == dataset(whole).classes else f"{whole}:{count:.0f}"
