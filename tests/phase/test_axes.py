"""Axes: their canonical text reads back as themselves, and what is no axis is refused in one sentence."""

import os
import random

import pytest

from alf.errors import InputError
from alf.phase.axes import LIMITS, WHOLE, Axis, parse_axis

MANY = 3000 if os.environ.get("ALF_SOAK") == "1" else 150


def draw(random):
    """A random axis as a person may type it."""
    kind = random.choice(("noise", "lr", "classes", "samples", "a", "alpha", "q_1"))
    count = random.randint(2, 12)
    if kind in WHOLE:
        low = random.randint(2, 50)
        high = low + random.randint(count, 400)
    else:
        least, most = LIMITS.get(kind, (1e-3, 100))
        low, high = sorted(random.uniform(max(least, 1e-4), most) for _ in range(2))
    if random.random() < 0.3:
        values = sorted({random.randint(low, high) if kind in WHOLE else random.uniform(low, high) for _ in range(5)})
        return f"{kind}={','.join(map(str, values))}"
    return f"{kind}={low!r}:{high!r}:{count}" + random.choice(("", ":log"))


def test_the_canonical_text_reads_back_as_the_same_axis():
    source = random.Random(12)
    read = 0
    for _ in range(MANY):
        text = draw(source)
        try:
            axis = parse_axis(text)
        except InputError as error:
            assert "different values are needed" in str(error) or "at least two values" in str(error), text
            continue
        read += 1
        assert parse_axis(axis.text) == axis, text
        assert parse_axis(axis.text).text == axis.text
        assert list(axis.values) == sorted(set(axis.values))
        assert [float(axis.spec(i)) for i in range(len(axis))] == list(axis.values), text
        assert all(float(f"{value:.12g}") == value for value in axis.values), text
    assert read > MANY / 2


def test_the_ends_of_a_range_are_what_was_typed_and_its_steps_are_even():
    axis = parse_axis("a=0.05:6:12:log")
    assert (axis.values[0], axis.values[-1], len(axis), axis.log) == (0.05, 6.0, 12, True)
    steps = [after / before for before, after in zip(axis.values, axis.values[1:], strict=False)]
    assert max(steps) / min(steps) == pytest.approx(1, abs=1e-9)
    assert parse_axis("noise=0:1:11").values == tuple(i / 10 for i in range(11))


def test_a_part_of_an_axis_stays_inside_it_and_keeps_its_spacing():
    source = random.Random(3)
    for text in ("a=0.05:6:12:log", "noise=0.1:0.8:10", "samples=100:1400:8", "a=0.1,0.5,2,3"):
        axis = parse_axis(text)
        for _ in range(20):
            low, high = source.uniform(-1, axis.values[-1] * 0.8), axis.values[-1] * source.uniform(0.9, 2)
            part = axis.within(low, high)
            assert axis.values[0] <= part.values[0] < part.values[-1] <= axis.values[-1]
            assert part.kind == axis.kind and len(part) <= len(axis)
            if axis.spacing != "values" and axis.kind not in WHOLE:
                assert part.spacing == axis.spacing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=0.5", "axis a: an axis needs at least two values, got 1"),
        ("a=1:2:1", "axis a: an axis needs at least two values, got 1"),
        ("a=2,1", "axis a: its values must increase, got 1 after 2"),
        ("a=1,1", "axis a: its values must increase, got 1 after 1"),
        ("a=2:1:5", "axis a: its values must increase, got 1 after 2"),
        ("noise=0.1:1.2:5", "axis noise: its values must lie in [0, 1], got 1.2"),
        ("lr=0,1", "axis lr: its values must lie in [1e-06, 1000], got 0"),
        ("samples=100.5,200", "axis samples: its values must be whole numbers, got 100.5"),
        ("classes=2:5:9", "axis classes: 9 different values are needed, got 4 between 2 and 5"),
        ("a=0:1:4:log", "axis a: logarithmic spacing needs values greater than 0, got 0"),
        ("a=1:2:1000000", "axis a: the number of values must be whole and in [2, 1000], got 1000000"),
        ("a=1:2:3:exp", "a=FROM:TO:COUNT:log or a=VALUE,VALUE,..., got '1:2:3:exp'"),
        ("a=nan,1", "axis a: finite decimals are needed, got nan"),
        ("a=,1", "axis a: finite decimals are needed, got nothing"),
        ("2a=1,2", "axis: must be noise, lr, classes, samples or the name of a hyperparameter, got 2a"),
        ("", "axis: is written KIND=FROM:TO:COUNT, KIND=FROM:TO:COUNT:log or KIND=VALUE,VALUE,..., got nothing"),
        ("a", "axis: is written KIND=FROM:TO:COUNT, KIND=FROM:TO:COUNT:log or KIND=VALUE,VALUE,..., got a"),
    ],
)
def test_what_is_no_axis_is_refused_in_one_sentence(text, said):
    with pytest.raises(InputError) as error:
        parse_axis(text)
    assert str(error.value).endswith(said)


def test_values_of_another_type_are_refused():
    for values in ((True, 2), ("1", 2), (1, float("inf"))):
        with pytest.raises(InputError, match="finite numbers"):
            Axis("a", values)
