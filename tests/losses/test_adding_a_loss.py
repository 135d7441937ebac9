"""docs/adding-a-loss.md is true: its example, run as written, gives everything the page promises."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from alf.losses import parse, spec
from alf.losses.torch_loss import per_sample

DOC = Path(__file__).parents[2] / "docs" / "adding-a-loss.md"


@pytest.fixture
def declared(monkeypatch):
    module = sys.modules["alf.losses.catalogue"]  # the package's attribute of that name is the function
    (code,) = re.findall(r"```python\n(.*?)```", DOC.read_text(), re.DOTALL)
    namespace = dict(vars(module))
    exec(code, namespace)
    monkeypatch.setattr(module, "SINGLE", (*module.SINGLE, namespace["TCE"]))
    module.catalogue.cache_clear()
    spec._parse.cache_clear()
    yield namespace["TCE"]
    module.catalogue.cache_clear()
    spec._parse.cache_clear()


def test_the_example_is_a_whole_loss(declared):
    loss = parse("tce:t=0.50")
    assert loss.spec == "tce:t=0.5"
    np.testing.assert_allclose(loss.value([0.0, 0.5, 1.0]), [1.5, 0.625, 0.0])
    np.testing.assert_allclose(loss.derivative([0.0, 1.0]), [-2.0, -1.0])
    z = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: per_sample(loss, x, torch.tensor([0, 1, 3])), (z,))


def test_it_has_a_ratio_and_a_colour(declared):
    from alf.figures import palette
    from alf.theory import ratio

    found = ratio(parse("tce:t=0.5"))
    assert found.value == pytest.approx(0.5)  # convex: l'(1)/l'(0) = 1/(1 + 2t)
    assert palette.style("tce").color
