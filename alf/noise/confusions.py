"""Which class is mistaken for which: the pairs that class-dependent ("asymmetric") noise flips, one table per data set.

MNIST, CIFAR-10 and CIFAR-100 follow the protocol that the field compares on. Digits shows the same ten figures as
MNIST and takes its pairs. For Fashion-MNIST there is no such convention; the pairs here are garments that look alike.
"""

_FIGURES = {7: 1, 2: 7, 5: 6, 6: 5, 3: 8}

# The superclass of each of CIFAR-100's fine classes (in the order of the file: alphabetical by name).
CIFAR100_SUPERCLASS = (
    *(4, 1, 14, 8, 0, 6, 7, 7, 18, 3, 3, 14, 9, 18, 7, 11, 3, 9, 7, 11),
    *(6, 11, 5, 10, 7, 6, 13, 15, 3, 15, 0, 11, 1, 10, 12, 14, 16, 9, 11, 5),
    *(5, 19, 8, 8, 15, 13, 14, 17, 18, 10, 16, 4, 17, 4, 2, 0, 17, 4, 18, 17),
    *(10, 3, 2, 12, 12, 16, 12, 1, 9, 19, 2, 10, 0, 1, 16, 12, 9, 13, 15, 13),
    *(16, 19, 2, 4, 6, 19, 5, 5, 8, 19, 18, 1, 2, 15, 6, 0, 17, 8, 14, 13),
)


def _next_in_superclass() -> dict[int, int]:
    """Map each fine class to the next one of its superclass, the last one to the first."""
    flips: dict[int, int] = {}
    for superclass in range(20):
        members = [fine for fine, coarse in enumerate(CIFAR100_SUPERCLASS) if coarse == superclass]
        flips |= dict(zip(members, members[1:] + members[:1], strict=True))
    return flips


# data set -> (number of classes, {clean class: class it is given as})
CONFUSIONS: dict[str, tuple[int, dict[int, int]]] = {
    "digits": (10, _FIGURES),
    "mnist": (10, _FIGURES),
    # T-shirt -> shirt, pullover <-> coat, sandal -> sneaker, sneaker -> ankle boot
    "fashion-mnist": (10, {0: 6, 2: 4, 4: 2, 5: 7, 7: 9}),
    # truck -> automobile, bird -> airplane, deer -> horse, cat <-> dog
    "cifar10": (10, {9: 1, 2: 0, 4: 7, 3: 5, 5: 3}),
    "cifar100": (100, _next_in_superclass()),
}
