"""The two symbols that every loss is written in, each created once with its assumptions."""

from sympy import Symbol

u = Symbol("u", positive=True)
"""The probability predicted for the label, u_y."""

K = Symbol("K", integer=True, positive=True)
"""The number of classes."""
