"""Recipes worth starting from: the phenomenon in a minute or so on two cores, and the paper's protocol.

>>> classroom("digits").epochs, paper("cifar10").epochs
(120, 120)
"""

from fractions import Fraction
from typing import Any

from alf.data import dataset
from alf.errors import InputError
from alf.losses import catalogue
from alf.noise import NoisePath
from alf.training.recipe import Recipe

_SGD: dict[str, Any] = {"batch": 128, "momentum": 0.9, "weight_decay": 0.0, "schedule": "cosine", "clip": 5.0}
_TOY = _SGD | {"network": "mlp:256,256", "epochs": 300, "lr": 0.3, "samples": 200}
_PICTURES = _SGD | {"network": "mlp:256", "epochs": 30, "lr": 0.1, "samples": 10_000}
_PHOTOGRAPHS = _SGD | {"network": "cnn-tiny", "epochs": 12, "lr": 0.05, "samples": 4_000}

# What shows memorisation in a minute or so on two cores. Where a subset of the training set is used, `samples` says so.
CLASSROOM = {
    "digits": _SGD | {"network": "mlp:512", "epochs": 120, "lr": 1.0},
    **dict.fromkeys(("blobs", "moons", "circles", "spirals"), _TOY),
    "clusters": _SGD | {"network": "mlp:16", "epochs": 25, "lr": 0.4},
    "mnist": _PICTURES,
    "fashion-mnist": _PICTURES | {"epochs": 60},
    **dict.fromkeys(("cifar10", "cifar100"), _PHOTOGRAPHS),
}
PAPER: dict[str, dict[str, Any]] = {
    "mnist": _SGD | {"network": "cnn-mnist", "epochs": 50, "lr": 0.01, "weight_decay": 1e-3},
    "cifar10": _SGD
    | {
        "network": "cnn-cifar10",
        "epochs": 120,
        "lr": 0.01,
        "weight_decay": 1e-4,
        "augment": "crop-flip",
    },
    "cifar100": _SGD
    | {
        "network": "resnet34",
        "epochs": 200,
        "lr": 0.1,
        "weight_decay": 1e-5,
        "augment": "crop-flip-rotate",
    },
}
KINDS = ("classroom", "paper")
MIRROR_LOSSES = ("ce", "mae", "agce:a=0.6,q=0.6", "ael:a=1", "gce:q=0.7", "nce+agce:alpha=1,beta=4,a=6,q=1.5")
"""Losses whose best prediction leaves the clean label at once, at a critical rate, or never."""


def classroom_losses(data: str) -> tuple[str, ...]:
    """Return the classical losses beside the asymmetric ones, at the authors' presets for the data set or for MNIST.

    >>> classroom_losses("digits")
    ('ce', 'gce:q=0.7', 'mae', 'agce:a=4,q=0.2', 'ael:a=3.5', 'aul:a=3,p=0.1')
    """
    preset = data if data in PAPER else "mnist"
    found = ((key, catalogue()[key].preset_losses().get(preset)) for key in ("ce", "gce", "mae", "agce", "ael", "aul"))
    return tuple(key if loss is None else loss.spec for key, loss in found)


def classroom_noise(data: str) -> str:
    """Return the noise of the classroom recipe: half the labels, or fewer of two classes, which half would drown.

    >>> classroom_noise("digits"), classroom_noise("moons")
    ('symmetric:0.5', 'symmetric:0.3')
    """
    return "symmetric:0.5" if dataset(data).classes > 2 else "symmetric:0.3"


def classroom(
    data: str = "digits",
    losses: tuple[str, ...] | None = None,
    noise: tuple[str, ...] | None = None,
    seeds: tuple[int, ...] = (0, 1, 2),
    **changes: Any,
) -> Recipe:
    """Return the classroom recipe of a data set: CE memorises the flipped labels before the reader's eyes.

    Parameters
    ----------
    data, seeds
        As in `Recipe`.
    losses, noise
        `classroom_losses` and `classroom_noise` by default.
    **changes
        Other fields of `Recipe` to change: ``epochs=30``.
    """
    dataset(data)
    fixed = CLASSROOM[data.partition(":")[0]]
    losses = classroom_losses(data) if losses is None else tuple(losses)
    noise = (classroom_noise(data),) if noise is None else tuple(noise)
    return Recipe(data=data, losses=losses, noise=noise, seeds=tuple(seeds), **fixed | changes)


def mirror_places(path: NoisePath) -> tuple[Fraction, ...]:
    """Return nine places on the way to a noise at which networks are trained, up to where clean labels dominate.

    >>> from alf.noise import noise_path, parse_noise
    >>> [float(t) for t in mirror_places(noise_path(parse_noise("pair:0.4", 3)))][:3]
    [0.05, 0.1, 0.15]
    """
    if path.reach == 1:  # the noise itself is of interest too
        return tuple(Fraction(k, 9) for k in range(1, 10))
    return tuple(Fraction(round(1000 * path.reach * k / 10), 1000) for k in range(1, 10))


def mirror(losses: tuple[str, ...], path: NoisePath, seeds: tuple[int, ...] = (0, 1)) -> Recipe:
    """Return what is trained for the mirror: small networks on `clusters`, at nine places on the way to a noise.

    >>> from alf.noise import noise_path, parse_noise
    >>> recipe = mirror(("ce",), noise_path(parse_noise("symmetric:0.4", 3)))
    >>> recipe.noise[-1], len(recipe.lanes)
    ('symmetric:0.6', 18)
    """
    return classroom("clusters", losses, tuple(path.at(t).spec for t in mirror_places(path)), seeds)


def paper(
    data: str = "cifar10",
    losses: tuple[str, ...] | None = None,
    noise: tuple[str, ...] = ("symmetric:0.4",),
    seeds: tuple[int, ...] = (0, 1, 2),
    **changes: Any,
) -> Recipe:
    """Return the paper's protocol: SGD with momentum 0.9, batch 128, cosine to 0, gradients clipped to norm 5.

    Parameters
    ----------
    data
        ``mnist``, ``cifar10`` or ``cifar100``.
    losses
        By default cross entropy and every loss that has a preset for this data set, at that preset.
    noise, seeds
        As in `Recipe`.
    **changes
        As in `classroom`.

    >>> recipe = paper("mnist")
    >>> recipe.network, recipe.weight_decay, recipe.losses[:2]
    ('cnn-mnist', 0.001, ('ce', 'fl:gamma=0.5'))
    """
    dataset(data)
    if data not in PAPER:
        raise InputError(f"recipe paper: must be for one of {', '.join(PAPER)}, got {data}")
    if losses is None:
        presets = (declaration.preset_losses().get(data) for declaration in catalogue().values())
        losses = ("ce", *(loss.spec for loss in presets if loss is not None and loss.key != "ce"))
    return Recipe(data=data, losses=tuple(losses), noise=tuple(noise), seeds=tuple(seeds), **PAPER[data] | changes)


def kinds_of(data: str) -> tuple[str, ...]:
    """Return the kinds of recipe that a data set has.

    >>> kinds_of("mnist"), kinds_of("digits")
    (('classroom', 'paper'), ('classroom',))
    """
    return tuple(kind for kind, table in zip(KINDS, (CLASSROOM, PAPER), strict=True) if data in table)


def named_recipe(kind: str, data: str, **fields: Any) -> Recipe:
    """Return a recipe by the name of its kind.

    >>> named_recipe("classroom", "digits", losses=("ce",)).lr
    1.0
    """
    kinds = {"classroom": classroom, "paper": paper}
    if kind not in kinds:
        raise InputError(f"recipe: must be one of {', '.join(kinds)}, got {kind[:60]}")
    return kinds[kind](data, **fields)
