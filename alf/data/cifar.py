"""CIFAR-10 and CIFAR-100, the *binary* distribution: records of label bytes and 3,072 pixels; never a pickle."""

from pathlib import Path

import numpy as np

from alf.data.declaration import Arrays, DataSet
from alf.data.files import File, Remote, cache_folder, folders_of, missing, read
from alf.errors import InputError

_PIXELS = 3 * 32 * 32


def parse_records(contents: bytes, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """Read records of `label_bytes` labels (the last one is the fine label) and 3,072 pixels, channels first.

    >>> pictures, labels = parse_records(bytes([3, 7]) + bytes(3072), label_bytes=2)
    >>> pictures.shape, labels
    ((1, 3, 32, 32), array([7]))
    """
    size = label_bytes + _PIXELS
    if not contents or len(contents) % size:
        raise InputError(f"CIFAR: records of {size} bytes are needed, got {len(contents)} bytes")
    records = np.frombuffer(contents, np.uint8).reshape(-1, size)
    return records[:, label_bytes:].reshape(-1, 3, 32, 32), records[:, label_bytes - 1].astype(np.int64)


def _reader(key: str, names: tuple[str, ...], archive: str, train: tuple[File, ...], test: File, label_bytes: int):
    def load(folder: Path | None, partial: bool) -> Arrays:
        folders = folders_of(folder, (key, *names), cache_folder())
        files = (*train, test)
        found = {f.name: contents for f in files if (contents := read(key, f, folders, archive)) is not None}
        absent = [file.name for file in files if file.name not in found]
        there = [file for file in train if file.name in found]
        if test.name in absent or not there:
            raise missing(key, absent if found else [archive], folder)
        if absent and not partial:
            raise InputError(
                f"data {key}: all {len(train)} batches are needed, got none of {', '.join(absent)} in "
                f"{folder or 'the downloads'}; a recipe with at most {10000 * len(there)} training samples "
                f"needs only the {len(there)} found"
            )
        pictures, labels = zip(*(parse_records(found[file.name], label_bytes) for file in there), strict=True)
        test_pictures, test_labels = parse_records(found[test.name], label_bytes)
        return Arrays(np.concatenate(pictures), np.concatenate(labels), test_pictures, test_labels)

    return load


def _batch(name: str, md5: str) -> File:
    return File(f"{name}.bin", 10000 * (1 + _PIXELS), md5)


CIFAR10 = DataSet(
    key="cifar10",
    name="CIFAR-10",
    about="60,000 colour photographs of 32 x 32 pixels.",
    source="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    shape=(3, 32, 32),
    read=_reader(
        "cifar10",
        ("cifar-10", "CIFAR10", "cifar-10-batches-bin"),
        "cifar-10-binary.tar.gz",
        (
            _batch("data_batch_1", "5dd7e06a14cb22eb9f671a540d1b7c25"),
            _batch("data_batch_2", "5ea93a67294ea407fff1d09f752e9692"),
            _batch("data_batch_3", "942cd6a4bcdd0dd3c604fbe906cb4421"),
            _batch("data_batch_4", "ae636b3ba5c66a11e91e8cb52e771fcb"),
            _batch("data_batch_5", "53f37980c15c3d472c316c40844f3f0d"),
        ),
        _batch("test_batch", "803d5f7f4d78ea53de84dbe85f74fb6d"),
        label_bytes=1,
    ),
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2470, 0.2435, 0.2616),
    high=255.0,
    local=False,
    remotes=(
        Remote(
            "cifar-10-binary.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "c32a1d4ab5d03f1284b67883e8d87530",
        ),
    ),
)

_CIFAR100_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
""".split()  # noqa: SIM905

CIFAR100 = DataSet(
    key="cifar100",
    name="CIFAR-100",
    about="60,000 colour photographs of 32 x 32 pixels in 100 classes, 600 each.",
    source="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
    class_names=tuple(name.replace("_", " ") for name in _CIFAR100_NAMES),
    shape=(3, 32, 32),
    read=_reader(
        "cifar100",
        ("cifar-100", "CIFAR100", "cifar-100-binary"),
        "cifar-100-binary.tar.gz",
        (File("train.bin", 50000 * (2 + _PIXELS)),),
        File("test.bin", 10000 * (2 + _PIXELS)),
        label_bytes=2,
    ),
    mean=(0.5071, 0.4865, 0.4409),
    std=(0.2673, 0.2564, 0.2762),
    high=255.0,
    local=False,
    remotes=(
        Remote(
            "cifar-100-binary.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            "03b5dce01913d631647c71ecec9e9cb8",
        ),
    ),
)
