"""Label noise: exact transition matrices, and the noisy labels drawn from them.

>>> noise = parse_noise("symmetric:.40", classes=3)
>>> noise.spec
'symmetric:0.4'
>>> noise.exact[0]
(Fraction(3, 5), Fraction(1, 5), Fraction(1, 5))
>>> noise.corrupt([0, 1, 2, 0, 1, 2], seed=1).tolist() == noise.corrupt([0, 1, 2, 0, 1, 2], seed=1).tolist()
True

The drawn labels are a pure function of (true labels, noise, seed). NumPy is imported when they are drawn.
"""

from alf.noise.confusions import CONFUSIONS
from alf.noise.path import NoisePath, noise_path
from alf.noise.transition import Noise, parse_noise

__all__ = ["CONFUSIONS", "Noise", "NoisePath", "noise_path", "parse_noise"]
