"""Points in the plane, generated: small enough to see the decision regions move."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from alf.data.declaration import Arrays, DataSet

SIZE = 1000
"""Points for testing, and as many for training where a set does not say otherwise."""


def blobs(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Five round clouds on a circle."""
    angle = 2 * np.pi * labels / 5
    centre = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centre + 0.28 * random.standard_normal((len(labels), 2))


def clusters(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Three round clouds far apart: every point can be told, so what a network says is what the loss wants."""
    angle = 2 * np.pi * labels / 3
    centre = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return centre + 0.12 * random.standard_normal((len(labels), 2))


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


class Toy(NamedTuple):
    """How a set of points is generated: `make` places `size` points for training and `SIZE` for testing."""

    make: Callable[[np.random.Generator, np.ndarray], np.ndarray]
    seed: int
    classes: int
    std: float
    size: int = SIZE

    def points(self) -> Arrays:
        """Generate them; the same ones each time."""
        random = np.random.default_rng([0x7045, self.seed])
        labels = np.arange(self.size + SIZE) % self.classes
        random.shuffle(labels)
        points = self.make(random, labels).astype(np.float32)
        return Arrays(points[: self.size], labels[: self.size], points[self.size :], labels[self.size :])

    def declare(self) -> DataSet:
        """The data set; its key is the name of the function that places the points."""
        key = self.make.__name__
        return DataSet(
            key=key,
            name=key.capitalize(),
            about=self.make.__doc__ or "",
            source="generated here from a fixed seed",
            class_names=tuple(f"class {i}" for i in range(self.classes)),
            shape=(2,),
            read=lambda folder, partial: self.points(),
            mean=(0.0, 0.0),
            std=(self.std, self.std),
        )


GENERATED = {
    toy.make.__name__: toy
    for toy in (
        Toy(blobs, seed=1, classes=5, std=0.76),
        Toy(clusters, seed=5, classes=3, std=0.72, size=3000),
        Toy(moons, seed=2, classes=2, std=0.72),
        Toy(circles, seed=3, classes=3, std=0.62),
        Toy(spirals, seed=4, classes=3, std=0.5),
    )
}
"""Key -> how its points are generated."""
TOYS = tuple(toy.declare() for toy in GENERATED.values())
