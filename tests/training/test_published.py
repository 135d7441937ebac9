"""Published numbers: found where data, noise and hyperparameters are those of the source, and nowhere else."""

from dataclasses import fields

import pytest

from alf.training import Recipe, paper
from alf.training.published import _WORDS, CURRICULUM, EPSILON, NOISES, departures, published

# retyped from the tables, not from the module
CHECK = {
    ("cifar10", "ce", "none"): (90.50, 0.35),
    ("cifar10", "ce", "symmetric:0.8"): (18.95, 0.38),
    ("cifar10", "gce:q=0.7", "symmetric:0.8"): (25.82, 1.03),
    ("cifar10", "nce+agce:alpha=1,beta=4,a=6,q=1.5", "asymmetric:0.4"): (79.28, 0.37),
    ("cifar10", "nce+aul:alpha=1,beta=4,a=6.3,p=1.5", "symmetric:0.6"): (79.57, 0.21),
    ("cifar10", "nce+rce:alpha=1,beta=1", "asymmetric:0.1"): (90.25, 0.08),
    ("cifar100", "nce+ael:alpha=10,beta=0.1,a=1.5", "symmetric:0.4"): (32.29, 0.71),
    ("cifar100", "nce+agce:alpha=10,beta=0.1,a=1.8,q=3", "asymmetric:0.2"): (64.21, 0.17),
}


@pytest.mark.parametrize("case", CHECK)
def test_numbers_of_the_tables(case):
    (found,) = published(*case)
    assert (found.mean, found.spread, found.source) == (*CHECK[case], EPSILON)


def test_sources_that_disagree_are_both_there():
    found = published("cifar100", "nce+aul:alpha=10,beta=0.015,a=6,p=3", "symmetric:0.8")
    assert {f.source: f.mean for f in found} == {EPSILON: 12.69, CURRICULUM: 23.03}


def test_other_hyperparameters_data_and_noise_have_none():
    assert published("cifar10", "gce:q=0.5", "none") == published("digits", "ce", "none") == ()
    assert published("cifar10", "ce", "symmetric:0.5") == published("cifar10", "ce", "pair:0.4") == ()


def test_the_papers_recipe_departs_in_nothing_and_finds_its_numbers():
    recipe = paper("cifar10", noise=NOISES)
    assert departures(recipe) == ()
    found = [spec for spec in recipe.losses if published(recipe.data, spec, "none")]
    assert {spec.partition(":")[0] for spec in found} == {"ce", "gce", "nce+rce", "nce+agce", "nce+aul", "nce+ael"}


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
