"""The compiled JavaScript against numpy, run in a real Chromium: the same numbers on 10,000 random points per loss."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from alf.losses import catalogue, numeric
from alf.losses.javascript import RUNTIME, source

POINTS = 10_000
QUANTITIES = ("value", "derivative", "weight")


def points(declaration):
    """u, K and hyperparameters over the sliders' ranges; every end and the presets included."""
    rng = np.random.default_rng(sum(declaration.key.encode()))
    u = rng.uniform(size=POINTS)
    u[:500] = rng.uniform(size=500) ** 12  # crowded towards 0
    u[500:1000] = 1 - rng.uniform(size=500) ** 12  # and towards 1
    u[1000:1010], u[1010:1020] = 0, 1
    classes = rng.choice([2, 3, 10, 100], size=POINTS)
    columns = []
    for parameter in declaration.parameters:
        low, high = parameter.slider
        columns.append(np.clip(rng.uniform(low, high, size=POINTS), low + (high - low) / 1000, high))
    return u, classes, np.array(columns).reshape(len(columns), POINTS)


@pytest.mark.browser
@pytest.mark.parametrize("declaration", catalogue().values(), ids=lambda d: d.key)
def test_same_numbers(declaration, chromium):
    u, classes, parameters = points(declaration)
    code = f"""(points) => {{
        {RUNTIME.replace("export function", "function")}
        const form = {source(declaration)};
        // JSON has no Infinity
        return {json.dumps(QUANTITIES)}.map((q) => points.map(([u, K, p]) => String(curve(form, q, u, K, p))));
    }}"""
    page = chromium.new_page()
    rows = list(zip(u.tolist(), classes.tolist(), parameters.T.tolist(), strict=True))
    answers = page.evaluate(code, rows)
    page.close()
    expected = expectations(declaration, u, classes, parameters)
    for name, got, wanted in zip(QUANTITIES, answers, expected, strict=True):
        got = np.array([float(x.replace("Infinity", "inf")) for x in got])
        asked = ~np.isnan(wanted)
        got, wanted = got[asked], wanted[asked]
        assert not np.isnan(got).any(), name
        finite = np.isfinite(wanted)
        np.testing.assert_array_equal(got[~finite], wanted[~finite], err_msg=name)
        error = np.abs(got[finite] - wanted[finite]) / np.maximum(1, np.abs(wanted[finite]))
        assert error.max() <= 1e-12, (name, error.max())


def expectations(declaration, u, classes, parameters):
    """numpy's curves at the same points; its functions take arrays of hyperparameters as well as of u.

    NaN where nothing is compared: a slope at an end whose terms are infinite there is left to the server.
    """
    results = [np.full(POINTS, np.nan) for _ in QUANTITIES]
    for count in np.unique(classes):
        for result, curve in zip(results, (numeric.value, numeric.derivative, numeric.sample_weight), strict=True):
            chosen = classes == count
            if curve is numeric.derivative:
                chosen &= (u > 0) & (u < 1)
            values = {p.name: parameters[i, chosen] for i, p in enumerate(declaration.parameters)}
            loss = SimpleNamespace(declaration=declaration, floats=values)
            result[chosen] = curve(loss, u[chosen], int(count))
    return results
