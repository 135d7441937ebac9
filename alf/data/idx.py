"""MNIST and Fashion-MNIST: IDX files, a big-endian header and bytes."""

import struct
from pathlib import Path

import numpy as np

from alf.data.declaration import Arrays, DataSet
from alf.data.files import File, Remote, cache_folder, folders_of, missing, read
from alf.errors import InputError

_SHAPES = ((60000, 28, 28), (60000,), (10000, 28, 28), (10000,))
_NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def parse_idx(contents: bytes) -> np.ndarray:
    """Read an IDX array of bytes.

    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([7, 8, 9], dtype=uint8)

    Raises
    ------
    InputError
        The header does not announce unsigned bytes, or not as many as there are.
    """
    if len(contents) < 4 or contents[:3] != b"\x00\x00\x08" or not 1 <= contents[3] <= 4:
        raise InputError(
            f"IDX: must begin with 00 00 08 and 1 to 4 dimensions, got {contents[:4].hex(' ') or 'nothing'}"
        )
    start = 4 + 4 * contents[3]
    if len(contents) < start:
        raise InputError(f"IDX: a header of {start} bytes is needed, got {len(contents)}")
    shape = struct.unpack(f">{contents[3]}I", contents[4:start])
    size = int(np.prod(shape, dtype=object))
    if len(contents) - start != size:
        raise InputError(f"IDX: {size} values are announced, got {len(contents) - start}")
    return np.frombuffer(contents, np.uint8, offset=start).reshape(shape)


def _reader(key: str, aliases: tuple[str, ...], files: tuple[File, ...]):
    def load(folder: Path | None, partial: bool) -> Arrays:
        folders = folders_of(folder, (key, *aliases), cache_folder())
        arrays = []
        for file, shape in zip(files, _SHAPES, strict=True):
            contents = read(key, file, folders)
            if contents is None:
                raise missing(key, [file.name + ".gz"], folder)
            array = parse_idx(contents)
            if array.shape != shape:
                raise InputError(f"data {key}: {file.name} must have the shape {shape}, got {array.shape}")
            arrays.append(array)
        train, train_labels, test, test_labels = arrays
        return Arrays(train[:, None], train_labels.astype(np.int64), test[:, None], test_labels.astype(np.int64))

    return load


def _files(*digests: str) -> tuple[File, ...]:
    sizes = (47040016, 60008, 7840016, 10008)
    return tuple(File(name, size, md5) for name, size, md5 in zip(_NAMES, sizes, digests, strict=True))


def _remote(base: str, *digests: str) -> tuple[Remote, ...]:
    return tuple(Remote(f"{name}.gz", f"{base}/{name}.gz", md5) for name, md5 in zip(_NAMES, digests, strict=True))


MNIST = DataSet(
    key="mnist",
    name="MNIST",
    about="70,000 handwritten digits of 28 x 28 pixels.",
    source="Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits",
    class_names=tuple("0123456789"),
    shape=(1, 28, 28),
    read=_reader(
        "mnist",
        ("MNIST", "MNIST/raw"),
        _files(
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
    mean=(0.1307,),
    std=(0.3081,),
    high=255.0,
    local=False,
    remotes=_remote(
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
)

FASHION = DataSet(
    key="fashion-mnist",
    name="Fashion-MNIST",
    about="70,000 pictures of garments of 28 x 28 pixels.",
    source="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv 1708.07747, 2017 (MIT)",
    class_names=(
        *("T-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    shape=(1, 28, 28),
    read=_reader(
        "fashion-mnist",
        ("FashionMNIST", "FashionMNIST/raw", "fashion_mnist"),
        _files(
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
    ),
    mean=(0.2860,),
    std=(0.3530,),
    high=255.0,
    local=False,
    remotes=_remote(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
)
