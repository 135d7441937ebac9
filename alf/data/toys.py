"""Points in the plane, generated: small enough to see the decision regions move."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from alf.data.declaration import Arrays, DataSet

SIZE = 1000  # training points, and as many for testing


def blobs(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Five round clouds on a circle."""
    angle = 2 * np.pi * labels / 5
    centre = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centre + 0.28 * random.standard_normal((len(labels), 2))


def moons(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Two half moons that reach into each other."""
    angle = np.pi * random.random(len(labels))
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points[labels == 1] = np.array([1.0, 0.5]) - points[labels == 1]
    return points + 0.12 * random.standard_normal(points.shape) - np.array([0.5, 0.25])


def circles(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Three rings, one in the other."""
    angle, radius = 2 * np.pi * random.random(len(labels)), 0.4 * (1 + labels)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.07 * random.standard_normal(points.shape)


def spirals(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Three arms that wind around each other."""
    radius = 0.15 + random.random(len(labels))
    angle = 4.0 * radius + 2 * np.pi * labels / 3
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + 0.03 * random.standard_normal(points.shape)


def _declare(
    key: str,
    name: str,
    classes: int,
    make: Callable[[np.random.Generator, np.ndarray], np.ndarray],
    seed: int,
    std: float,
) -> DataSet:
    def read(folder: Path | None, partial: bool) -> Arrays:
        random = np.random.default_rng([0x7045, seed])
        labels = np.arange(2 * SIZE) % classes
        random.shuffle(labels)
        points = make(random, labels).astype(np.float32)
        return Arrays(points[:SIZE], labels[:SIZE], points[SIZE:], labels[SIZE:])

    return DataSet(
        key=key,
        name=name,
        about=make.__doc__ or "",
        source="generated here from a fixed seed",
        class_names=tuple(f"class {i}" for i in range(classes)),
        shape=(2,),
        read=read,
        mean=(0.0, 0.0),
        std=(std, std),
    )


TOYS = (
    _declare("blobs", "Blobs", 5, blobs, seed=1, std=0.76),
    _declare("moons", "Moons", 2, moons, seed=2, std=0.72),
    _declare("circles", "Circles", 3, circles, seed=3, std=0.62),
    _declare("spirals", "Spirals", 3, spirals, seed=4, std=0.5),
)
