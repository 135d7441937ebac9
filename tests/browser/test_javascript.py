"""The compiled JavaScript, run in a real Chromium, and numpy: both as close to the true curves as rounding allows."""

import json

import numpy as np
import pytest

from alf.losses import catalogue
from alf.losses.javascript import RUNTIME, source
from tests.losses.curves import QUANTITIES, agree_at_the_ends, close_to_the_truth, points


@pytest.mark.browser
@pytest.mark.parametrize("declaration", catalogue().values(), ids=lambda d: d.key)
def test_right_numbers(declaration, chromium):
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
    for name, texts in zip(QUANTITIES, answers, strict=True):
        got = np.array([float(text.replace("Infinity", "inf")) for text in texts])
        close_to_the_truth(declaration, name, u, classes, parameters, got)
        agree_at_the_ends(declaration, name, u, classes, parameters, got)
