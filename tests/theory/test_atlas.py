"""The map of ratios agrees with the ratio of every single loss on it."""

import time

import numpy as np
import pytest

from alf.losses import catalogue
from alf.theory import ratio
from alf.theory.atlas import families, ratio_map


@pytest.mark.parametrize("key", families())
def test_the_map_is_the_ratio_at_every_point(key):
    declaration = catalogue()[key]
    names = [p.name for p in declaration.parameters]
    axes = [np.round(np.linspace(*p.slider, 5), 2) for p in declaration.parameters]
    axes = [
        np.union1d(axis, [float(b) for b in p.breakpoints])
        for axis, p in zip(axes, declaration.parameters, strict=True)
    ]
    values = ratio_map(declaration, *axes)
    for index in np.ndindex(values.shape):
        point = dict(zip(names, (axis[i] for axis, i in zip(axes, index[::-1], strict=True)), strict=True))
        loss = declaration.loss(**{n: float(v) for n, v in point.items()})
        assert values[index] == pytest.approx(ratio(loss).value, rel=1e-12), loss.spec


def test_forty_thousand_values_are_quick():
    x, y = np.geomspace(0.05, 10, 200), np.linspace(0.05, 4, 200)
    ratio_map(catalogue()["agce"], x, y)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        values = ratio_map(catalogue()["agce"], x, y)
        times.append(time.perf_counter() - start)
    assert values.shape == (200, 200) and np.isfinite(values).all()
    assert min(times) < 0.02
