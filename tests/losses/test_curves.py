"""numpy's curves against 120 digits, on whatever processor this is."""

import numpy as np
import pytest

from alf.losses import catalogue
from alf.losses.formula import parse_formula
from tests.losses.curves import QUANTITIES, close_to_the_truth, computed, inside, points


@pytest.mark.parametrize("name", QUANTITIES)
@pytest.mark.parametrize("declaration", catalogue().values(), ids=lambda d: d.key)
def test_as_close_as_rounding_allows(declaration, name):
    u, classes, parameters = inside(*points(declaration, count=300))
    close_to_the_truth(declaration, name, u, classes, parameters, computed(declaration, name, u, classes, parameters))


def test_a_slope_that_cancels_would_be_found():
    """The check can fail: on a formula that loses its digits, and on numbers that are not its values."""
    declaration = parse_formula("1e8*(1-u)-1e8*(2-2*u)/2+1-u").declaration
    u, classes, parameters = inside(*points(declaration, count=300))
    with pytest.raises(AssertionError):
        close_to_the_truth(declaration, "value", u, classes, parameters, np.full(len(u), 0.5))


@pytest.mark.parametrize("q", (1e-3, 1e-9, 1e-14))
def test_gce_keeps_its_digits_towards_cross_entropy(q):
    from alf.losses import parse

    u = np.array([1e-6, 0.1, 0.5, 0.999, 1 - 1e-12])
    wanted = -np.expm1(q * np.log(u)) / q
    np.testing.assert_allclose(parse(f"gce:q={q}").value(u), wanted, rtol=1e-12)
