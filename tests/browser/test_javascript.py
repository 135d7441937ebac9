"""JavaScript that computes, run in a real Chromium: curves, and what a held slider makes of them without the server."""

import json
from itertools import pairwise, takewhile
from pathlib import Path

import numpy as np
import pytest

from alf.losses import catalogue
from alf.losses.javascript import RUNTIME, source
from alf.theory import prove, ratio
from tests.losses.curves import QUANTITIES, agree_at_the_ends, close_to_the_truth, points

UI = Path(__file__).parents[2] / "ui"
CURVE = RUNTIME.replace("export function", "function")
TRIANGLE = (
    (UI / "verdicts" / "triangle.js").read_text().replace("export default function", "const component = function")
)


def evaluated(chromium, code: str, argument):
    """What a function of JavaScript returns."""
    page = chromium.new_page()
    try:
        return page.evaluate(code, argument)
    finally:
        page.close()


@pytest.mark.browser
@pytest.mark.parametrize("declaration", catalogue().values(), ids=lambda d: d.key)
def test_right_numbers(declaration, chromium):
    """Curves in the browser and in numpy are both as close to the true ones as rounding allows."""
    u, classes, parameters = points(declaration)
    code = f"""(points) => {{
        {CURVE}
        const form = {source(declaration)};
        // JSON has no Infinity
        return {json.dumps(QUANTITIES)}.map((q) => points.map(([u, K, p]) => String(curve(form, q, u, K, p))));
    }}"""
    rows = list(zip(u.tolist(), classes.tolist(), parameters.T.tolist(), strict=True))
    answers = evaluated(chromium, code, rows)
    for name, texts in zip(QUANTITIES, answers, strict=True):
        got = np.array([float(text.replace("Infinity", "inf")) for text in texts])
        close_to_the_truth(declaration, name, u, classes, parameters, got)
        agree_at_the_ends(declaration, name, u, classes, parameters, got)


@pytest.mark.browser
@pytest.mark.parametrize("key", [key for key, d in catalogue().items() if d.pointwise])
def test_the_ratios_that_follow_a_held_slider(key, chromium):
    """The search on a grid never finds less than the least share there is, and finds it where the loss is convex."""
    loss = catalogue()[key].example()
    code = f"""(parameters) => {{
        {CURVE}
        {(UI / "charts" / "follow.js").read_text()}
        const form = {source(loss.declaration)}, at = (quantity) => (u) => curve(form, quantity, u, 10, parameters);
        return ratios(at("value"), at("derivative"));
    }}"""
    got = evaluated(chromium, code, list(loss.floats.values()))
    true = ratio(loss)
    slack = 1e-6 if prove("convex", loss).holds else 0.02
    for found, exact in zip(got, (true.value, true.upper_value), strict=True):
        assert exact - 1e-6 <= found <= exact + slack


@pytest.mark.browser
def test_the_flow_of_the_triangle_goes_downhill(chromium):
    """A risk with its least in the middle falls step by step along the path, which stays there."""
    code = f"""(starts) => {{
        {TRIANGLE}
        const columns = 201, rows = 174, risk = new Float32Array(columns * rows), middle = plane([1 / 3, 1 / 3, 1 / 3]);
        const of = (x, y) => (x - middle[0]) ** 2 + (y - middle[1]) ** 2;
        for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++)
            risk[r * columns + c] = of(-0.01 + 1.02 * c / (columns - 1), -0.01 + (H + 0.02) * r / (rows - 1));
        return starts.map((start) => flow({{ columns, rows, risk }}, start).map(([x, y]) => of(x, y)));
    }}"""
    starts = [[0.1, 0.2, 0.7], [0.7, 0.1, 0.2], [0.45, 0.5, 0.05]]
    for risks in evaluated(chromium, code, starts):
        far = list(takewhile(lambda risk: risk > 1e-4, risks))  # steps have one length, 0.009: closer it turns round
        assert 10 < len(far) < len(risks) and all(later < earlier for earlier, later in pairwise(far))
        assert max(risks[len(far) :]) < 4e-4


@pytest.mark.browser
def test_the_minimiser_leaves_the_corner_at_the_critical_rate_and_passes_the_computed_ones(chromium):
    best = [[1, 0, 0], [1, 0, 0], [0.8, 0.15, 0.05], [0.6, 0.3, 0.1]]
    code = f"""([best, critical, steps]) => {{
        {TRIANGLE}
        return steps.map((step) => {{ const u = minimiser({{ best }}, step, critical); return [u, words(u)]; }});
    }}"""
    steps = [0, 1, 1.4, 1.40001, 1.7, 2, 2.5, 3]
    found = evaluated(chromium, code, [best, 1.4, steps])
    points = np.array([u for u, _ in found])
    assert (points[:3] == [1, 0, 0]).all() and [said for _, said in found[:3]] == [""] * 3
    assert found[3][1].startswith("0.99999")  # two digits would call it the corner
    expected = [[0.9, 0.075, 0.025], best[2], [0.7, 0.225, 0.075], best[3]]
    np.testing.assert_allclose(points[4:], expected, atol=1e-12)
    np.testing.assert_allclose(points.sum(axis=1), 1)
