"""The claim about the ratio: its numbers are those of a library, and the sentence follows them wherever they lead."""

import os
import re

import numpy as np
import pytest

from alf.training.higher_ratio import LEAST, Course, Setting, higher_ratio, interval, spearman

MANY = 5000 if os.environ.get("ALF_SOAK") == "1" else 400
RATIOS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9)


def family(means, spread=0.01, seeds=3, ratios=RATIOS):
    offsets = np.linspace(-spread, spread, seeds) if seeds > 1 else [0.0]
    return [Setting(r, tuple(m + d for d in offsets)) for r, m in zip(ratios, means, strict=False)]


def test_spearman_is_that_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    random = np.random.default_rng(3)
    for _ in range(100):
        x, y = random.integers(0, 6, (2, int(random.integers(4, 15))))
        if np.ptp(x) and np.ptp(y):
            assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)


def test_the_interval_covers_as_often_as_it_says():
    """Of samples of 10 from a normal with a known rank correlation, nineteen in twenty intervals hold it."""
    random, rho, n = np.random.default_rng(5), 0.5, 10
    truth = 6 / np.pi * np.arcsin(rho / 2)
    held = 0
    for _ in range(1000):
        x = random.normal(size=n)
        low, high = interval(spearman(x, rho * x + np.sqrt(1 - rho**2) * random.normal(size=n)), n)
        held += low <= truth <= high
    assert 0.92 <= held / 1000 <= 0.985


def test_a_perfect_order_has_an_interval():
    for n in (4, 5, 12):
        low, high = interval(1.0, n)
        assert high == 1 and low < 1 and interval(-1.0, n) == (-1, -low)
    assert interval(1.0, 4)[0] < 0 < interval(1.0, 12)[0]  # four settings in order may be chance


@pytest.mark.parametrize(
    ("means", "course"),
    [
        ((0.3, 0.4, 0.5, 0.6, 0.7, 0.8), Course.RISES),
        ((0.8, 0.7, 0.6, 0.5, 0.4, 0.3), Course.FALLS),
        ((0.37, 0.44, 0.57, 0.56, 0.47, 0.45), Course.RIDGE),  # digits, AGCE(a, q = 0.6), symmetric noise 0.8
        ((0.8, 0.6, 0.5, 0.5, 0.6, 0.7), Course.VALLEY),
        ((0.5, 0.51, 0.5, 0.49, 0.505, 0.5), Course.OPEN),
        ((0.5, 0.5, 0.5, 0.5, 0.5, 0.5), Course.OPEN),
    ],
)
def test_the_course_of_a_made_up_family(means, course):
    assert higher_ratio(family(means)).course == course


def test_without_a_spread_or_with_a_large_one_nothing_is_claimed():
    means = (0.37, 0.44, 0.57, 0.56, 0.47, 0.45)
    one = higher_ratio(family(means, seeds=1))
    assert one.course == Course.OPEN and one.sentence.endswith("With one seed no spread is known.")
    assert higher_ratio(family(means, spread=0.3)).course == Course.OPEN
    assert higher_ratio(family(means)[: LEAST - 1]) is None


def test_no_sentence_contradicts_its_numbers():
    random, seen = np.random.default_rng(11), set()
    for _ in range(MANY):
        n, seeds = int(random.integers(LEAST, 13)), int(random.integers(1, 5))
        ratios = (
            random.choice([0.0, 0.2, 0.4, 0.5, 0.9, 1.0], n) if random.integers(4) == 0 else random.uniform(0, 1, n)
        )
        shape = random.integers(4)
        curve = {0: ratios, 1: 1 - ratios, 2: 1 - 4 * (ratios - 0.5) ** 2, 3: np.full(n, 0.5)}[int(shape)]
        noise = random.normal(0, random.choice([0.001, 0.05, 0.3]), (n, seeds))
        settings = [Setting(float(r), tuple((c + e).tolist())) for r, c, e in zip(ratios, curve, noise, strict=True)]
        found = higher_ratio([settings[i] for i in random.permutation(n)])
        seen.add(found.course)
        means = {s.ratio: [t.mean for t in settings if t.ratio == s.ratio] for s in settings}
        assert [s.ratio for s in found.settings] == sorted(s.ratio for s in settings)
        assert found.best.mean == max(s.mean for s in settings)
        first, last = found.settings[0], found.settings[-1]
        text = found.sentence
        assert ("With one seed" in text) == (seeds == 1)
        if found.correlation is None:
            assert len(means) == 1 or len({s.mean for s in settings}) == 1
            continue
        low, high = found.interval
        assert -1 <= low <= found.correlation <= high <= 1
        assert ("rises with the ratio" in text) == (low > 0) and ("falls with the ratio" in text) == (high < 0)
        if found.course == Course.RIDGE:
            assert first.ratio < found.best.ratio < last.ratio and "at the lowest ratio" in text
            assert found.best.mean > max(first.mean, last.mean) and seeds > 1
        if found.course == Course.RISES:
            assert low > 0 and last.mean > first.mean
        if found.course == Course.FALLS:
            assert high < 0 and last.mean < first.mean
        if claim := re.search(r"The (highest|lowest) ratio, .* has the highest accuracy", text):
            assert found.best.ratio == (last if claim.group(1) == "highest" else first).ratio
    assert seen == set(Course)
