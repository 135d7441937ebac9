"""The marked minimiser sits where the theory says it does."""

import numpy as np
import pytest

from alf.losses import parse
from alf.theory import critical_noise, ratio
from alf.theory.risk.minimiser import minimise


def pair(rate):
    return [1 - rate, rate, 0.0]


def symmetric(rate):
    return [1 - rate, rate / 2, rate / 2]


def find(spec, *weights):
    return minimise(parse(spec).vector, np.array(weights))


@pytest.mark.parametrize("spec", ["agce:a=0.6,q=0.6", "ael:a=2.5", "aul:a=5.5,p=3"])
@pytest.mark.parametrize(("kind", "weights"), [("pair", pair), ("symmetric", symmetric)])
def test_it_leaves_the_vertex_at_the_critical_rate(spec, kind, weights):
    rate = getattr(critical_noise(ratio(parse(spec)), 3), kind)
    before, after = find(spec, weights(rate - 2e-3), weights(rate + 4e-3))
    np.testing.assert_allclose(before.point, [1, 0, 0], atol=1e-9)
    assert after.point[0] < 1 - 1e-3


def test_cross_entropy_sits_at_the_weights():
    for w in (pair(0.3), symmetric(0.4), [0.5, 0.3, 0.2]):
        np.testing.assert_allclose(find("ce", w)[0].point, w, atol=2e-4)


def test_ngce_under_pair_noise_is_where_the_theory_computed_it():
    [found] = find("ngce:q=0.7", pair(0.4))
    np.testing.assert_allclose(found.point, [0.9056, 0.0944, 0], atol=5e-4)
    assert found.risk == pytest.approx(0.19387, abs=1e-5)


def test_nce_approaches_its_infimum_along_the_whole_edge():
    [found] = find("nce", pair(0.4))
    assert found.edge is not None and found.edge[0] == 0
    assert found.edge[1] < 0.02 and found.edge[2] > 0.98 and found.risk == pytest.approx(0, abs=1e-3)
    [clean] = find("nce", [1.0, 0.0, 0.0])  # the same trouble without any noise
    assert clean.edge is not None or clean.risk == pytest.approx(0, abs=1e-3)


def test_mae_never_leaves():
    assert all(m.point[0] == 1 for m in find("mae", *[pair(r) for r in np.arange(0, 0.5, 0.05)]))
