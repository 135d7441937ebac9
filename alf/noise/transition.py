"""What a transition matrix is, exactly, and how its spec is read.

``transition[i, j] = P(given label j | true label i)``. The exact entries are fractions, so that a proof about a noise
matrix is about the matrix that was typed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from alf.errors import InputError, brief
from alf.noise.confusions import CONFUSIONS
from alf.numbers import exact_fraction, fraction_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike

KINDS = ("none", "symmetric:RATE", "pair:RATE", "asymmetric:RATE", "instance:RATE", "matrix:ROW;ROW;...")
MAX_CLASSES = 1000
MAX_SPEC = 200_000


@dataclass(frozen=True)
class Noise:
    """A noise model over `classes` classes; made by `parse_noise`, equal when its canonical spec and classes are equal.

    Attributes
    ----------
    spec
        Canonical text: parsing it gives this noise again.
    classes
        Number of classes K.
    exact
        K rows of K fractions, ``exact[i][j] = P(given j | true i)``; None for instance-dependent noise, whose matrix
        depends on the pictures.
    rate
        The *nominal* rate that was asked for (a fraction), None for a typed matrix. The share of labels that change is
        `overall_rate`: asymmetric noise 0.4 changes about 20% of them.
    """

    spec: str
    classes: int
    exact: tuple[tuple[Fraction, ...], ...] | None = field(repr=False, compare=False)
    rate: Fraction | None = field(repr=False, compare=False)
    data: str | None = field(default=None, repr=False)

    @property
    def kind(self) -> str:
        """Which model this is: none, symmetric, pair, asymmetric, instance or matrix."""
        return self.spec.partition(":")[0]

    @cached_property
    def transition(self) -> np.ndarray | None:
        """The matrix in floating point, shape (K, K); None for instance-dependent noise. Read-only."""
        if self.exact is None:
            return None
        import numpy as np

        matrix = np.array([[float(p) for p in row] for row in self.exact])
        matrix.setflags(write=False)
        return matrix

    @property
    def clean_dominates(self) -> bool | None:
        """Whether each true label is strictly likelier than every other label given for it; None where not known.

        >>> parse_noise("pair:0.5", 10).clean_dominates
        False
        """
        if self.exact is None:
            return None
        return all(row[i] > p for i, row in enumerate(self.exact) for j, p in enumerate(row) if j != i)

    @property
    def overall_rate(self) -> Fraction | None:
        """Expected share of changed labels when all classes are equally frequent; None for instance-dependent noise."""
        if self.exact is None:
            return None
        return 1 - sum((row[i] for i, row in enumerate(self.exact)), Fraction(0)) / self.classes

    def corrupt(self, labels: ArrayLike, seed: int, inputs: np.ndarray | None = None) -> np.ndarray:
        """Draw the given labels.

        Parameters
        ----------
        labels
            True labels, shape (N,), integers in [0, K).
        seed
            Non-negative integer; the same labels, noise and seed give the same result on every device.
        inputs
            The pictures, shape (N, ...); needed by instance-dependent noise only.

        Returns
        -------
        (N,) int64
        """
        import numpy as np

        from alf.noise.drawing import draw_labels, instance_labels

        true = np.asarray(labels, dtype=np.int64)
        if true.ndim != 1 or (true.size and not 0 <= true.min() <= true.max() < self.classes):
            raise InputError(f"labels: a row of integers in [0, {self.classes}) is needed, got shape {true.shape}")
        random = np.random.default_rng([0x6E6F, seed])
        if self.transition is not None:
            return draw_labels(self.transition[true], random)
        assert self.rate is not None  # a typed matrix has none, and is no noise of this kind
        return instance_labels(true, float(self.rate), self.classes, random, inputs)


def parse_noise(spec: str, classes: int, data: str | None = None) -> Noise:
    """Read a noise spec.

    Parameters
    ----------
    spec
        One of ``none``, ``symmetric:0.4``, ``pair:0.3``, ``asymmetric:0.4``, ``instance:0.3``,
        ``matrix:.6,.4;.3,.7`` (rows by ``;``). Numbers are decimals or fractions such as ``1/3`` and are kept exactly.
    classes
        Number of classes K, at least 2.
    data
        Data set key, for ``asymmetric``, whose confused pairs belong to a data set.

    Raises
    ------
    InputError
        One sentence, for anything else.

    Examples
    --------
    >>> parse_noise("matrix:.6,.4;.3,.7", 2).spec
    'matrix:0.6,0.4;0.3,0.7'
    >>> parse_noise("asymmetric:0.4", 10, "cifar10").overall_rate
    Fraction(1, 5)
    >>> parse_noise("pair:1.5", 10)
    Traceback (most recent call last):
    ...
    alf.errors.InputError: noise pair: the rate must lie in [0, 1], got 1.5
    """
    if not isinstance(classes, int) or isinstance(classes, bool) or not 2 <= classes <= MAX_CLASSES:
        raise InputError(f"classes: a whole number in [2, {MAX_CLASSES}] is needed, got {brief(classes)}")
    if not isinstance(spec, str) or len(spec) > MAX_SPEC:
        raise InputError(f"noise: text of at most {MAX_SPEC} characters is needed, got {brief(spec)}")
    kind, colon, argument = (part.strip() for part in spec.strip().partition(":"))
    kind = kind.lower()
    if kind == "none" and not colon:
        return Noise("none", classes, _flipping(classes, Fraction(0), {}), Fraction(0))
    if kind == "matrix" and colon:
        rows = _matrix(argument, classes)
        return Noise("matrix:" + ";".join(",".join(map(fraction_text, row)) for row in rows), classes, rows, None)
    if kind not in ("symmetric", "pair", "asymmetric", "instance") or not colon:
        raise InputError(f"noise: must be one of {', '.join(KINDS)}, got {brief(spec)}")

    rate = exact_fraction(argument)
    if rate is None or not 0 <= rate <= 1:
        raise InputError(f"noise {kind}: the rate {_must(rate)}, got {brief(argument) or 'nothing'}")
    canonical = f"{kind}:{fraction_text(rate)}"
    if kind == "instance":
        return Noise(canonical, classes, None, rate)
    if kind == "symmetric":
        other = rate / (classes - 1)
        rows = tuple(tuple(1 - rate if i == j else other for j in range(classes)) for i in range(classes))
        return Noise(canonical, classes, rows, rate)
    if kind == "pair":
        return Noise(canonical, classes, _flipping(classes, rate, {i: (i + 1) % classes for i in range(classes)}), rate)
    return Noise(canonical, classes, _flipping(classes, rate, _confusions(data, classes)), rate, data)


def _must(number: Fraction | None) -> str:
    """What is asked of a probability that is out of range, or of a text that is no number we read."""
    if number is not None:
        return "must lie in [0, 1]"
    return "must be a number in [0, 1], written as a decimal of at most 30 digits or as a fraction"


def _flipping(classes: int, rate: Fraction, flips: dict[int, int]) -> tuple[tuple[Fraction, ...], ...]:
    """Build the matrix that sends class i to flips[i] with the given rate and leaves all else as it is."""
    rows = []
    for i in range(classes):
        row = [Fraction(0)] * classes
        row[i] = Fraction(1)
        if i in flips:
            row[i], row[flips[i]] = 1 - rate, rate
        rows.append(tuple(row))
    return tuple(rows)


def _confusions(data: str | None, classes: int) -> dict[int, int]:
    """Look up the confused pairs of a data set."""
    known = ", ".join(CONFUSIONS)
    if data not in CONFUSIONS:
        given = brief(data) if data else "none"
        raise InputError(f"noise asymmetric: needs a data set whose confused pairs are known ({known}), got {given}")
    declared, flips = CONFUSIONS[data]
    if declared != classes:
        raise InputError(f"noise asymmetric: {data} has {declared} classes, got {classes}")
    return flips


def _matrix(text: str, classes: int) -> tuple[tuple[Fraction, ...], ...]:
    """Read and check the rows of a typed matrix."""
    rows = [row.split(",") for row in text.split(";")]
    if len(rows) != classes or any(len(row) != classes for row in rows):
        sizes = sorted({len(row) for row in rows})
        raise InputError(
            f"noise matrix: {classes} rows of {classes} numbers are needed for {classes} classes, "
            f"got {len(rows)} {'row' if len(rows) == 1 else 'rows'} of {' or '.join(map(str, sizes[:4]))}"
        )
    matrix = []
    for i, row in enumerate(rows, start=1):
        numbers = []
        for j, entry in enumerate(row, start=1):
            number = exact_fraction(entry)
            if number is None or number < 0:
                got = brief(entry.strip()) or "nothing"
                raise InputError(f"noise matrix: row {i}, column {j} {_must(number)}, got {got}")
            numbers.append(number)
        if (total := sum(numbers, Fraction(0))) != 1:
            raise InputError(f"noise matrix: row {i} must sum to 1, got {brief(fraction_text(total))}")
        matrix.append(tuple(numbers))
    return tuple(matrix)
