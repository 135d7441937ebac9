"""Small pictures as PNG in a data URI: samples of a data set, and the regions of the plane a network gives each class.

A PNG of a few hundred bytes replaces a heat map of tens of thousands of numbers, on every update of a live run.
"""

import base64
import io

import numpy as np
from PIL import Image

from alf.figures.classes import class_color
from alf.figures.palette import rgb

PIXELS = 192
"""Along each side of a picture of regions."""
FAINTEST, STRONGEST = 0.10, 0.62
"""Opacity of a region where all classes are equally likely, and where one is certain."""


def sample_picture(values: np.ndarray, high: float) -> str:
    """A sample (channels, height, width) with values in [0, high] as a data URI.

    Grey pictures come as ink on paper: dark strokes on a light ground, as digits are written.

    >>> sample_picture(np.zeros((1, 8, 8)), 16)[:22]
    'data:image/png;base64,'
    """
    values = np.clip(np.round(255 * np.asarray(values, dtype=float) / high), 0, 255).astype(np.uint8)
    return _png(Image.fromarray(255 - values[0] if len(values) == 1 else values.transpose(1, 2, 0)))


def regions_picture(scores: np.ndarray, pixels: int = PIXELS) -> str:
    """Log-probabilities over a grid (side, side, K), rows from below, as a data URI.

    Each pixel has the colour of its likeliest class, the stronger the likelier. Scores are interpolated between the
    points of the grid, which for a network of ReLUs comes close to computing them there.
    """
    side, classes = scores.shape[0], scores.shape[2]
    weights = _between(side, pixels)
    fine = np.einsum("yi,xj,ijk->yxk", weights, weights, scores.astype(np.float32), optimize=True)
    fine -= fine.max(axis=-1, keepdims=True)
    sure = 1 / np.exp(fine).sum(axis=-1)  # the likeliest class's probability
    levels = max(1, min(32, 250 // classes))
    level = np.round((sure - 1 / classes) / (1 - 1 / classes) * (levels - 1)).clip(0, levels - 1)
    index = fine.argmax(axis=-1) * levels + level.astype(int)
    picture = Image.frombytes("P", (pixels, pixels), index[::-1].astype(np.uint8).tobytes())
    colors = np.array([rgb(class_color(k)) for k in range(classes)])
    picture.putpalette(np.repeat(colors, levels, axis=0).astype(np.uint8).tobytes())
    opacity = np.tile(np.linspace(FAINTEST, STRONGEST, levels), classes)
    return _png(picture, transparency=(255 * opacity).astype(np.uint8).tobytes())


def _between(side: int, pixels: int) -> np.ndarray:
    """Weights (pixels, side) of linear interpolation at the middles of the pixels."""
    at = (np.arange(pixels) + 0.5) / pixels * (side - 1)
    return np.array([np.interp(at, np.arange(side), one) for one in np.eye(side)], np.float32).T


def _png(picture: Image.Image, **options) -> str:
    file = io.BytesIO()
    picture.save(file, format="PNG", **options)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
