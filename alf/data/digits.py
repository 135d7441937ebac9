"""The real handwritten digits that come with scikit-learn: the data set that is always there."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from alf.data.declaration import Arrays, DataSet, stratified
from alf.errors import not_installed


def _read(folder: Path | None, partial: bool) -> Arrays:
    """Split the 1,797 pictures into 1,438 for training and 359 for testing, the same for every run.

    What `sklearn.datasets.load_digits` reads is read here without it: its import takes nearly two seconds, which every
    worker process would pay before its first epoch.
    """
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise not_installed("sklearn")
    file = Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
    table = np.loadtxt(file, np.uint8, delimiter=",")
    pictures, labels = table[:, :-1].reshape(-1, 1, 8, 8), table[:, -1].astype(np.int64)
    train, test = stratified(labels, share=0.2, seed=0)
    return Arrays(pictures[train], labels[train], pictures[test], labels[test])


DIGITS = DataSet(
    key="digits",
    name="Digits",
    about="1,797 real handwritten digits of 8 x 8 pixels; small enough to memorise in seconds.",
    source="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998; bundled with scikit-learn",
    class_names=tuple("0123456789"),
    shape=(1, 8, 8),
    read=_read,
    mean=(0.3061,),
    # Centred only: divided by the deviation 0.3762, cross entropy at learning rate 1.0 breaks instead of memorising.
    std=(1.0,),
    high=16.0,
)
