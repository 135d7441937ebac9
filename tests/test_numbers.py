"""What is printed is read back as the same number; what is shortened stays on its side."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from alf import numbers
from alf.export.checker.statement import fraction


@pytest.fixture
def draw():
    return random.Random(20)


def test_decimals_and_fractions_are_read_back(draw):
    for _ in range(500):
        x = Fraction(draw.randint(-(10**12), 10**12), draw.choice((10 ** draw.randint(0, 20), draw.randint(1, 10**12))))
        assert numbers.exact_fraction(numbers.fraction_text(x)) == x
        value = draw.uniform(-1, 1) * 10.0 ** draw.randint(-300, 300)
        assert float(numbers.exact_number(numbers.decimal(value))) == value
        assert numbers.exact_number(numbers.decimal(value)) == numbers.as_rational(numbers.stands_for(value))


def test_a_finite_decimal_is_the_number_and_there_is_none_for_a_third(draw):
    for _ in range(300):
        x = Fraction(draw.randint(-(10**40), 10**40), 2 ** draw.randint(0, 60) * 5 ** draw.randint(0, 60))
        assert Fraction(numbers.finite_decimal(x)) == x
        assert numbers.finite_decimal(x + Fraction(1, 3)) is None


def test_the_checker_of_proofs_reads_what_is_printed(draw):
    for _ in range(300):
        near = Fraction(draw.randint(-50, 50), draw.randint(1, 50))
        x = near + draw.choice((0, Fraction(draw.randint(-9, 9), 2 ** draw.randint(1, 5000))))
        assert fraction(numbers.exact_text(x)) == x


def test_shortening_keeps_its_side(draw):
    for _ in range(500):
        x = Fraction(draw.randint(1, 10**30), draw.randint(1, 10**30))
        digits = draw.randint(1, 17)
        low, near, high = (numbers.in_digits(x, digits, side) for side in (-1, 0, 1))
        assert Fraction(low) <= x <= Fraction(high) and near in (low, high)
        assert all(len(found.as_tuple().digits) <= digits for found in (low, near, high))
        assert high - low <= Decimal(10) ** (low.adjusted() + 1 - digits)
        assert abs(Fraction(near) - x) <= min(x - Fraction(low), Fraction(high) - x)


@pytest.mark.parametrize(
    "text", ["", "1/0", "1/000", "1e999", "0x1", "１", "1/2/3", "1_000", "nan", "inf", "--1", "1 /2"]
)
def test_what_is_no_number_of_a_noise(text):
    assert numbers.exact_fraction(text) is None
