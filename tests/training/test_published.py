"""Published numbers: found where data, noise and hyperparameters are those of the source, and nowhere else."""

from dataclasses import fields

import pytest

from alf.losses import parse
from alf.training import Recipe, paper
from alf.training.published import (
    _WORDS,
    CURRICULUM,
    EPSILON,
    JOINT,
    NOISES,
    departures,
    methods,
    numbers,
    published,
)

# Retyped from the sources, not from the module: every row whole; None is what a source does not have.
GRID = ("none", *(f"symmetric:{rate}" for rate in (0.2, 0.4, 0.6, 0.8)), *(f"asymmetric:0.{i}" for i in range(1, 5)))
MEANS = {
    ("cifar10", EPSILON, "ce"): (90.5, 75.47, 58.46, 39.16, 18.95, 86.98, 83.82, 79.35, 75.28),
    ("cifar10", EPSILON, "gce:q=0.7"): (89.42, 86.87, 82.24, 68.43, 25.82, 88.43, 86.17, 80.72, 74.01),
    ("cifar10", EPSILON, "nce+rce:alpha=1,beta=1"): (91.03, 88.41, 85.13, 79.2, 55.28, 90.25, 88.11, 85.35, 79.43),
    ("cifar10", EPSILON, "nce+aul:alpha=1,beta=4,a=6.3,p=1.5"): (
        91.06, 89.11, 85.79, 79.57, 57.59, 90.18, 88.3, 85.28, 79.14),
    ("cifar10", EPSILON, "nce+agce:alpha=1,beta=4,a=6,q=1.5"): (
        91.13, 89, 85.91, 80.36, 49.98, 89.9, 88.36, 85.73, 79.28),
    ("cifar10", EPSILON, "nce+ael:alpha=1,beta=4,a=5"): (88.43, 86.46, 83.06, 75.15, 43.22, 87.59, 85.98, 82.87, 75.78),
    ("cifar10", EPSILON, "nce+mae:alpha=1,beta=1"): (89.02, 86.79, 83.6, 75.93, 46.96, 88.03, 85.53, 81.1, 74.98),
    ("cifar10", EPSILON, "sce:alpha=0.1,beta=1"): (91.3, 87.58, 79.47, 59.14, 25.88, 89.87, 86.48, 81.3, 74.99),
    ("cifar10", EPSILON, "LDR-KL"): (91.38, 89.01, 85.46, 74.93, 34.78, 90.24, 88.38, 85.03, 77.68),
    ("cifar10", EPSILON, "CE+LC"): (90.06, 85.66, 79.18, 53.87, 21.04, 87.99, 84.01, 79.71, 74.34),
    ("cifar10", EPSILON, "CE-eps+MAE"): (91.4, 89.29, 85.93, 79.52, 58.96, 90.3, 88.62, 85.56, 78.91),
    ("cifar10", EPSILON, "FL-eps+MAE"): (91.11, 89.13, 86.15, 79.81, 58.02, 90.39, 88.4, 85.31, 79.04),
    ("cifar10", JOINT, "ANL-CE"): (None, None, 87.16, None, 62.28, None, 89.09, None, 77.99),
    ("cifar10", JOINT, "nce+amse:alpha=1,beta=1,a=30"): (None, None, 87.53, None, 65.43, None, 89.11, None, 79.54),
    ("cifar10", JOINT, "AMSE"): (None, None, 87.54, None, 64.97, None, 83.88, None, 58.07),
    ("cifar100", EPSILON, "ce"): (70.79, 56.21, 39.31, 22.38, 7.33, 65.1, 58.26, 49.99, 41.15),
    ("cifar100", EPSILON, "nce+aul:alpha=10,beta=0.015,a=6,p=3"): (
        69.55, 65.12, 55.86, 37.88, 12.69, 67.06, 58.16, 48.06, 38.3),
    ("cifar100", EPSILON, "nce+agce:alpha=10,beta=0.1,a=1.8,q=3"): (
        68.78, 65.3, 59.95, 47.63, 24.13, 67.15, 64.21, 56.18, 44.15),
    ("cifar100", EPSILON, "nce+ael:alpha=10,beta=0.1,a=1.5"): (
        64.47, 48.07, 32.29, 19.78, 10.5, 58.2, 50.19, 43.82, 35.13),
    ("cifar100", EPSILON, "LDR-KL"): (71.03, 56.69, 40.69, 22.59, 7.49, 65.93, 58.47, 50.92, 41.94),
    ("cifar100", EPSILON, "CE+LC"): (71.8, 56.26, 37.36, 17.46, 6.32, 65.85, 58.84, 50.46, 40.97),
    ("cifar100", EPSILON, "CE-eps+MAE"): (70.83, 65.45, 59.2, 48.15, 26.3, 67.58, 64.52, 58.47, 48.51),
    ("cifar100", CURRICULUM, "nce+aul:alpha=10,beta=0.015,a=6,p=3"): (
        68.96, 65.36, 59.25, 46.34, 23.03, 66.62, 63.86, 50.38, 38.59),
    ("cifar100", JOINT, "ANL-CE"): (None, None, 61.58, 52.09, None, None, None, 60.57, 45.73),
    ("cifar100", JOINT, "nce+amse:alpha=5,beta=1,a=20"): (None, None, 64.11, 56.73, None, None, None, 64.9, 56.17),
}  # fmt: skip
SPREADS = {
    ("cifar10", EPSILON, "ce"): (0.35, 0.27, 0.21, 0.5, 0.38, 0.31, 0.04, 0.66, 0.58),
    ("cifar10", EPSILON, "gce:q=0.7"): (0.21, 0.06, 0.25, 0.26, 1.03, 0.2, 0.29, 0.42, 0.53),
    ("cifar10", EPSILON, "nce+rce:alpha=1,beta=1"): (0.28, 0.24, 0.56, 0.06, 1.26, 0.08, 0.23, 0.18, 0.21),
    ("cifar10", EPSILON, "nce+aul:alpha=1,beta=4,a=6.3,p=1.5"): (
        0.24, 0.07, 0.16, 0.21, 0.84, 0.23, 0.44, 0.04, 0.36),
    ("cifar10", EPSILON, "nce+agce:alpha=1,beta=4,a=6,q=1.5"): (0.11, 0.29, 0.15, 0.36, 4.81, 0.09, 0.11, 0.12, 0.37),
    ("cifar10", EPSILON, "nce+ael:alpha=1,beta=4,a=5"): (0.25, 0.28, 0.23, 0.32, 0.46, 0.38, 0.14, 0.16, 0.12),
    ("cifar100", EPSILON, "ce"): (0.58, 2.04, 0.74, 0.74, 0.1, 0.74, 0.31, 0.54, 1.04),
    ("cifar100", EPSILON, "nce+aul:alpha=10,beta=0.015,a=6,p=3"): (
        0.4, 0.36, 0.2, 0.32, 0.14, 0.23, 0.17, 0.16, 0.12),
    ("cifar100", EPSILON, "nce+agce:alpha=10,beta=0.1,a=1.8,q=3"): (
        0.24, 0.46, 0.15, 0.94, 0.06, 0.4, 0.17, 0.24, 0.08),
    ("cifar100", EPSILON, "nce+ael:alpha=10,beta=0.1,a=1.5"): (0.19, 0.16, 0.71, 1.03, 0.51, 0.37, 0.61, 0.32, 0.23),
    ("cifar100", CURRICULUM, "nce+aul:alpha=10,beta=0.015,a=6,p=3"): (
        0.16, 0.2, 0.23, 0.21, 0.64, 0.09, 0.18, 0.32, 0.48),
}  # fmt: skip


@pytest.mark.parametrize("data", ["cifar10", "cifar100"])
def test_every_number_is_that_of_its_source_and_there_are_no_others(data):
    expected = {}
    for (key, source, name), means in MEANS.items():
        spreads = SPREADS.get((key, source, name), (None,) * 9)
        for noise, mean, spread in zip(GRID, means, spreads, strict=True):
            if key == data and mean is not None:
                expected[source, name, noise] = (mean, spread)
    found = {(n.source, n.method.loss or n.method.name, n.noise): (n.mean, n.spread) for n in numbers(data)}
    assert found == expected and len(found) == len(numbers(data))


@pytest.mark.parametrize("case", [case for case in MEANS if case[2] == case[2].lower()])
def test_a_losss_numbers_are_found_by_its_spec(case):
    data, source, spec = case
    assert parse(spec).spec == spec
    for noise, mean in zip(GRID, MEANS[case], strict=True):
        found = [number.mean for number in published(data, spec, noise) if number.source == source]
        assert found == ([] if mean is None else [mean])


def test_sources_that_disagree_are_both_there():
    found = published("cifar100", "nce+aul:alpha=10,beta=0.015,a=6,p=3", "symmetric:0.8")
    assert {f.source: f.mean for f in found} == {EPSILON: 12.69, CURRICULUM: 23.03}


def test_other_hyperparameters_data_and_noise_have_none():
    assert published("cifar10", "gce:q=0.5", "none") == published("digits", "ce", "none") == ()
    assert published("cifar10", "ce", "symmetric:0.5") == published("cifar10", "ce", "pair:0.4") == ()
    assert published("cifar10", "sce:alpha=1,beta=1", "none") == ()  # the re-run trained another one


def test_the_papers_recipe_departs_in_nothing_and_finds_its_numbers():
    recipe = paper("cifar10", noise=NOISES)
    assert departures(recipe) == ()
    found = {spec.partition(":")[0] for spec in recipe.losses if published(recipe.data, spec, "none")}
    assert found == {"ce", "gce", "nce+mae", "nce+rce", "nce+agce", "nce+aul", "nce+ael"}


def test_a_table_has_the_papers_losses_and_every_other_published_method_once():
    for data in ("cifar10", "cifar100", "mnist"):
        rows = methods(data)
        assert tuple(row.loss for row in rows[: len(paper(data).losses)]) == paper(data).losses
        assert {number.method for number in numbers(data)} <= set(rows) and len(set(rows)) == len(rows)
    assert [row.loss for row in methods("digits")][:2] == ["ce", "gce:q=0.7"]


def test_every_departure_has_its_words():
    held = {"data", "losses", "noise", "seeds", "device"}
    assert {field.name for field in fields(Recipe)} - held == set(_WORDS)
    changed = paper("cifar100").with_(
        network="cnn-small", epochs=3, batch=64, lr=0.2, momentum=0.0, weight_decay=0.0, schedule="constant", clip=1.0,
        samples=1000, augment="none", equal_scale=True, changes=((2, 0.1),),
    )  # fmt: skip
    assert len(departures(changed)) == len(_WORDS)
    assert "network cnn-small instead of resnet34" in departures(changed)
    assert departures(Recipe(data="digits", losses=("ce",))) == ("no published protocol for this data set",)
