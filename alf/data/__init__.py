"""Data sets: what there is, how it is read and split. Nothing heavy is imported until a data set is loaded.

>>> from alf.data import DATASETS, dataset
>>> dataset("digits").classes
10
"""

from pathlib import Path

from alf.data.cifar import CIFAR10, CIFAR100
from alf.data.declaration import Arrays, DataSet, stratified
from alf.data.digits import DIGITS
from alf.data.download import fetch
from alf.data.files import Missing
from alf.data.idx import FASHION, MNIST
from alf.data.toys import TOYS
from alf.errors import InputError

DATASETS: dict[str, DataSet] = {
    declared.key: declared for declared in (DIGITS, *TOYS, MNIST, FASHION, CIFAR10, CIFAR100)
}


def dataset(key: str) -> DataSet:
    """Look up a declared data set; ``KEY:N`` is the part of it with its first N classes.

    >>> dataset("digits:4").classes
    4
    >>> dataset("photos")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    alf.errors.InputError: data: must be one of digits, blobs, ..., got photos
    """
    whole, colon, count = str(key).partition(":")
    if whole not in DATASETS:
        raise InputError(f"data: must be one of {', '.join(DATASETS)}, got {str(key)[:60]}")
    found = DATASETS[whole]
    if not colon:
        return found
    if not (count.isascii() and count.isdigit() and 2 <= int(count[:9]) <= found.classes):
        raise InputError(f"data {whole}: between 2 and {found.classes} classes can be chosen, got {count[:20]!r}")
    return found.first(int(count))


def presence(declared: DataSet, folder: Path | None = None) -> tuple[str, str]:
    """Say whether a data set is here, whole: ``here``, ``absent`` or ``damaged``, and of the last what was expected.

    >>> presence(dataset("digits"))
    ('here', '')
    """
    try:
        declared.load(folder, partial=True)
    except Missing:
        return "absent", ""
    except InputError as error:
        return "damaged", str(error)
    return "here", ""


__all__ = ["DATASETS", "Arrays", "DataSet", "dataset", "fetch", "presence", "stratified"]
