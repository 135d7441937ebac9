"""Data sets: what the readers give is what was declared; splits are seeded and stratified."""

import numpy as np
import pytest

from alf.data import DATASETS, dataset, stratified
from alf.errors import InputError


@pytest.mark.parametrize("key", [key for key, declared in DATASETS.items() if declared.local])
def test_local_data_are_as_declared(key):
    declared = dataset(key)
    arrays = declared.load()
    for inputs, labels in ((arrays.train_inputs, arrays.train_labels), (arrays.test_inputs, arrays.test_labels)):
        assert inputs.shape == (len(labels), *declared.shape) and labels.dtype == np.int64
        assert set(labels) == set(range(declared.classes))
    again = declared.load()
    assert (again.train_inputs == arrays.train_inputs).all()
    assert abs(declared.normalise(arrays.train_inputs).mean()) < 0.05


@pytest.mark.parametrize("key", ["digits:2", "digits:9", "blobs:3"])
def test_the_first_classes_are_a_data_set_of_their_own(key):
    part, whole = dataset(key), dataset(key[:-2])
    assert part.classes == int(key[-1]) and part.key == key and dataset(part.key).classes == part.classes
    few, all_ = part.load(), whole.load()
    for inputs, labels in (("train_inputs", "train_labels"), ("test_inputs", "test_labels")):
        kept = getattr(all_, labels) < part.classes
        assert (getattr(few, labels) == getattr(all_, labels)[kept]).all()
        assert (getattr(few, inputs) == getattr(all_, inputs)[kept]).all()


@pytest.mark.parametrize("key", ["digits:1", "digits:11", "digits:", "digits:x", "digits:-3", "digits:99999999999999"])
def test_as_many_classes_as_there_are(key):
    with pytest.raises(InputError, match="data digits: between 2 and 10 classes can be chosen, got '"):
        dataset(key)


def test_digits_are_all_there_once():
    from sklearn.datasets import load_digits

    arrays = DATASETS["digits"].load()
    assert (len(arrays.train_labels), len(arrays.test_labels)) == (1438, 359)
    mine = np.concatenate([arrays.train_inputs, arrays.test_inputs])[:, 0].reshape(1797, -1)
    theirs = load_digits().data
    assert (np.sort(mine @ np.arange(1, 65)) == np.sort(theirs @ np.arange(1, 65))).all()


def test_missing_folder_and_wrong_name_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match="data folder: an existing folder is needed, got /no/such"):
        DATASETS["digits"].load("/no/such")
    with pytest.raises(InputError, match="data: must be one of digits"):
        dataset("../etc/passwd")


def test_stratified_split_keeps_the_proportions():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    rest, chosen = stratified(labels, 0.2, seed=1)
    assert np.bincount(labels[chosen]).tolist() == [20, 10, 2]
    assert sorted([*rest, *chosen]) == list(range(160))
    assert (stratified(labels, 0.2, seed=1)[1] == chosen).all()
    assert (stratified(labels, 0.2, seed=2)[1] != chosen).any()


def test_the_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    bunch = load_digits()
    train, test = stratified(bunch.target, share=0.2, seed=0)
    arrays = dataset("digits").load()
    np.testing.assert_array_equal(arrays.train_inputs[:, 0], bunch.images[train])
    np.testing.assert_array_equal(arrays.train_labels, bunch.target[train])
    np.testing.assert_array_equal(arrays.test_inputs[:, 0], bunch.images[test])
    np.testing.assert_array_equal(arrays.test_labels, bunch.target[test])
