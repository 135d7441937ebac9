"""The recipe: the frozen description of a run, which alone determines its result on a given device.

It round-trips through JSON (`to_dict`, `from_dict`; files are read by `alf.export.run.read_recipe`), and whatever it is
made from is checked as if a stranger wrote it. No torch here: pages make recipes from links.

>>> recipe = Recipe(data="digits", losses=("ce", "agce:q=.2,a=4"), noise=("symmetric:.5",), epochs=3)
>>> recipe.losses, recipe.noise, len(recipe.lanes)
(('ce', 'agce:a=4,q=0.2'), ('symmetric:0.5',), 2)
>>> Recipe.from_dict(recipe.to_dict()) == recipe
True
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from alf.data import Arrays, DataSet, dataset
from alf.errors import InputError, brief
from alf.losses import parse
from alf.noise import Noise, parse_noise
from alf.training.networks_spec import is_convolutional, network_spec

RESULT_VERSION = 1
"""Part of every key: raised when the trainer changes what a recipe gives, so that no old result is taken for new."""
TYPED_VERSION = 2
"""The same for recipes with several typed losses: version 1 trained all of them as the first. The others gave, and
still give, what they are, so they keep their results."""

SCHEDULES = ("cosine", "constant")
AUGMENTS = ("none", "crop-flip", "crop-flip-rotate")
DEVICES = ("auto", "cpu", "cuda", "mps")
RATES = (1e-6, 1000.0)
"""Learning rates from and to."""
LIMITS = {"losses": 64, "noise": 32, "seeds": 64, "epochs": 100_000, "batch": 65_536}


class Lane(NamedTuple):
    """One model of a run: which loss, which noise, which seed (of its weights, its noise and its batches)."""

    loss: str
    noise: str
    seed: int


class Change(NamedTuple):
    """What was changed while the run was going: from this epoch on (counted from 1) the base learning rate is lr."""

    epoch: int
    lr: float


@dataclass(frozen=True)
class Recipe:
    """A training run: every combination of `losses`, `noise` and `seeds` is one model, called a lane.

    Attributes
    ----------
    data
        Data set key, see `alf.data.DATASETS`.
    losses, noise
        Loss specs and noise specs; kept in canonical form.
    seeds
        One model per seed; each seeds the weights, the noise and the order of the batches.
    network
        ``mlp:512`` or ``mlp:256,128`` (hidden widths), or a name of `alf.training.networks_spec.NETWORKS`.
    epochs, batch, lr, momentum, weight_decay, schedule, clip
        SGD; `schedule` is ``cosine`` (to 0 at the last epoch, one step an epoch) or ``constant``; the gradient of each
        model is clipped to norm `clip`.
    samples
        Use only that many training samples (stratified), or None for all.
    augment
        ``none``, ``crop-flip`` or ``crop-flip-rotate``: what happens to training pictures.
    equal_scale
        Divide every loss by the largest sample weight it can give, so that losses are compared at one gradient scale.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    changes
        Learning rates set while the run was going.

    Raises
    ------
    InputError
        One sentence, when anything is outside what it may be.
    """

    data: str
    losses: tuple[str, ...]
    noise: tuple[str, ...] = ("none",)
    seeds: tuple[int, ...] = (0,)
    network: str = "mlp:512"
    epochs: int = 120
    batch: int = 128
    lr: float = 1.0
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "cosine"
    clip: float = 5.0
    samples: int | None = None
    augment: str = "none"
    equal_scale: bool = False
    device: str = "auto"
    changes: tuple[Change, ...] = ()

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:  # frozen: canonical forms go in here
            object.__setattr__(self, name, value)

        declared = dataset(_text("data", self.data))
        put("losses", tuple(parse(spec).spec for spec in _texts("losses", self.losses)))
        specs = _texts("noise", self.noise)
        put("noise", tuple(parse_noise(spec, declared.classes, declared.key).spec for spec in specs))
        put("seeds", tuple(_whole("seeds", seed, 0, 2**31 - 1) for seed in _row("seeds", self.seeds)))
        for name in ("losses", "noise", "seeds"):
            values = getattr(self, name)
            if len(set(values)) != len(values):
                twice = next(value for value in values if values.count(value) > 1)
                raise InputError(f"{name}: each may be given once, got {twice} twice")
        put("network", network_spec(_text("network", self.network), declared.shape))
        put("epochs", _whole("epochs", self.epochs, 1, LIMITS["epochs"]))
        least = 2 if is_convolutional(self.network) else 1  # batch norm takes the spread over the batch
        put("batch", _whole("batch", self.batch, least, LIMITS["batch"]))
        put("lr", _number("lr", self.lr, *RATES))
        put("momentum", _number("momentum", self.momentum, 0, 1, open_high=True))
        put("weight_decay", _number("weight_decay", self.weight_decay, 0, 1))
        put("clip", _number("clip", self.clip, 0, 1e9, open_low=True))
        _choice("schedule", self.schedule, SCHEDULES)
        _choice("device", self.device, DEVICES)
        _choice("augment", self.augment, AUGMENTS)
        if self.augment != "none" and not declared.is_picture:
            raise InputError(f"augment: must be none for {self.data}, which has no pictures, got {self.augment}")
        if self.samples is not None:
            put("samples", _whole("samples", self.samples, declared.classes, 10**9))
        if not isinstance(self.equal_scale, bool):
            raise InputError(f"equal_scale: must be true or false, got {brief(self.equal_scale)}")
        put("changes", _changes(self.changes, self.epochs))

    @property
    def dataset(self) -> DataSet:
        """The declared data set."""
        return dataset(self.data)

    def load(self, folder: Path | None = None) -> Arrays:
        """Read the data; a recipe that asks for a number of samples is content with part of the files."""
        return self.dataset.load(folder, partial=self.samples is not None)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Every model of the run, loss by loss, then noise by noise, then seed by seed."""
        return tuple(Lane(*lane) for lane in product(self.losses, self.noise, self.seeds))

    @property
    def key(self) -> str:
        """Name the result: recipes with the same key, computed on the same device, give the same curves.

        >>> a = Recipe(data="digits", losses=("agce:a=4,q=.2",))
        >>> b = Recipe(data="digits", losses=("agce:q=0.20,a=4.0",))
        >>> a.key == b.key, a.key == a.with_(lr=0.5).key
        (True, False)
        """
        typed = sum(parse(spec).key == "formula" for spec in self.losses)
        text = json.dumps([RESULT_VERSION if typed < 2 else TYPED_VERSION, self.to_dict()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def with_(self, **values: Any) -> "Recipe":
        """Return this recipe with some fields changed, checked again."""
        return replace(self, **values)

    def parse_noise(self, spec: str) -> Noise:
        """Parse one of this recipe's noise specs for its data set."""
        return parse_noise(spec, self.dataset.classes, self.data)

    def lr_at(self, epoch: int) -> float:
        """Return the learning rate in an epoch, counted from 1.

        >>> recipe = Recipe(data="digits", losses=("ce",), epochs=4, lr=1.0)
        >>> [round(recipe.lr_at(epoch), 3) for epoch in (1, 2, 3, 4)]
        [1.0, 0.854, 0.5, 0.146]
        """
        base = self.lr
        for change in self.changes:
            base = change.lr if epoch >= change.epoch else base
        if self.schedule == "constant":
            return base
        return base * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` takes them back."""
        plain = asdict(self)
        return (
            plain
            | {name: list(plain[name]) for name in ("losses", "noise", "seeds")}
            | {"changes": [list(change) for change in self.changes]}
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """Make a recipe from JSON values.

        >>> Recipe.from_dict({"data": "digits", "losses": ["ce"], "lr": float("nan")})
        Traceback (most recent call last):
        ...
        alf.errors.InputError: lr: must lie in [1e-06, 1000], got nan
        """
        if not isinstance(values, Mapping):
            raise InputError(f"recipe: an object of named fields is needed, got {brief(values)}")
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise InputError(f"recipe: fields are {', '.join(known)}, got {brief(name)}")
        for name in ("data", "losses"):
            if name not in values:
                raise InputError(f"recipe: {name} is missing")
        return cls(**values)


def _changes(values: object, epochs: int) -> tuple[Change, ...]:
    """Check the changes and put them in order of epoch."""
    changes = []
    for item in _row("changes", values, allow_empty=True):
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise InputError(f"changes: pairs (epoch, lr) are needed, got {brief(item)}")
        epoch = _whole("changes: epoch", item[0], 1, epochs)
        changes.append(Change(epoch, _number("changes: lr", item[1], *RATES)))
    return tuple(sorted(changes, key=lambda change: change.epoch))


def _row(name: str, values: object, allow_empty: bool = False) -> tuple[Any, ...]:
    if isinstance(values, str) or not isinstance(values, list | tuple):
        raise InputError(f"{name}: a list is needed, got {brief(values)}")
    limit = LIMITS.get(name, 100)
    if not (allow_empty or values) or len(values) > limit:
        raise InputError(f"{name}: between 1 and {limit} are needed, got {len(values)}")
    return tuple(values)


def _texts(name: str, values: object) -> tuple[str, ...]:
    return tuple(_text(name, value) for value in _row(name, values))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InputError(f"{name}: text is needed, got {brief(value)}")
    return value


def _choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{name}: must be one of {', '.join(allowed)}, got {brief(value)}")


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name}: must be a whole number in [{low}, {high}], got {brief(value)}")
    return value


def _number(
    name: str, value: object, low: float, high: float, open_low: bool = False, open_high: bool = False
) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
        outside = (open_low and value == low) or (open_high and value == high)
        if not outside:
            return float(value)
    domain = f"{'(' if open_low else '['}{low:g}, {high:g}{')' if open_high else ']'}"
    raise InputError(f"{name}: must lie in {domain}, got {brief(value)}")
