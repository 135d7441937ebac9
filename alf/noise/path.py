"""The straight way from clean labels to a noise matrix T: at t the labels are drawn by (1 - t) I + t T.

For symmetric, pair and asymmetric noise t is the noise rate; for a typed matrix it is the share of the way to it.
"""

from dataclasses import dataclass
from fractions import Fraction

from alf.errors import InputError
from alf.noise.transition import Noise, parse_noise
from alf.numbers import fraction_text

RATED = ("symmetric", "pair", "asymmetric")
"""Kinds of noise whose matrix is a point of the way to the same kind at rate 1."""


@dataclass(frozen=True)
class NoisePath:
    """A way from clean labels to the noise `end`; made by `noise_path`."""

    end: Noise

    @property
    def rated(self) -> bool:
        """Whether t is a noise rate."""
        return self.end.kind in RATED

    def at(self, t: Fraction) -> Noise:
        """Return the noise at t, in [0, 1].

        >>> noise_path(parse_noise("pair:0.2", 3)).at(Fraction(2, 5)).spec
        'pair:0.4'
        >>> noise_path(parse_noise("matrix:.5,.5;0,1", 2)).at(Fraction(2, 5)).spec
        'matrix:0.8,0.2;0,1'
        """
        if self.rated:
            return parse_noise(f"{self.end.kind}:{fraction_text(t)}", self.end.classes, self.end.data)
        rows = ((t * p + (1 - t) * (i == j) for j, p in enumerate(row)) for i, row in enumerate(self.rows))
        spec = "matrix:" + ";".join(",".join(map(fraction_text, row)) for row in rows)
        return parse_noise(spec, self.end.classes)

    @property
    def rows(self) -> tuple[tuple[Fraction, ...], ...]:
        """The rows of T, the matrix at t = 1."""
        assert self.end.exact is not None  # `noise_path` takes no other noise
        return self.end.exact

    @property
    def reach(self) -> Fraction:
        """The t up to which every clean label is likelier than any other given for it; at most 1.

        >>> noise_path(parse_noise("symmetric:0.1", 3)).reach, noise_path(parse_noise("pair:0.1", 3)).reach
        (Fraction(2, 3), Fraction(1, 2))
        """
        return min(Fraction(1), *(1 / lost for i, row in enumerate(self.rows) if (lost := _lost(i, row))))


def _lost(i: int, row: tuple[Fraction, ...]) -> Fraction:
    """By how much the lead of the clean label shrinks from t = 0 to t = 1."""
    return 1 - row[i] + max(p for j, p in enumerate(row) if j != i)


def noise_path(noise: Noise) -> NoisePath:
    """Make the way to a noise: to its kind at rate 1, or to a typed matrix.

    Raises
    ------
    InputError
        For noise that has no matrix, or leaves all labels as they are.

    Examples
    --------
    >>> noise_path(parse_noise("none", 3))
    Traceback (most recent call last):
    ...
    alf.errors.InputError: noise: one that changes labels is needed, got none
    """
    if noise.exact is None:
        raise InputError(f"noise: one with a matrix is needed, got {noise.spec}")
    if noise.kind in RATED:
        return NoisePath(parse_noise(f"{noise.kind}:1", noise.classes, noise.data))
    if noise.overall_rate == 0:
        raise InputError(f"noise: one that changes labels is needed, got {noise.spec}")
    return NoisePath(noise)
