"""Phase maps: a grid of settings, every cell a few trained networks, beside what theory says of each.

A map is described by `PhaseMap` and computed by `alf.phase.sweep.Sweep`; `alf.phase.theory` says what is proved of its
cells.

>>> from alf.phase import parse_axis
>>> parse_axis("noise=0.1:0.8:8").values[:2]
(0.1, 0.2)
"""

from alf.phase.axes import Axis, parse_axis
from alf.phase.cell_values import MEASURES, Measure, Measured, grid
from alf.phase.phase_map import Cell, PhaseMap

__all__ = ["MEASURES", "Axis", "Cell", "Measure", "Measured", "PhaseMap", "grid", "parse_axis"]
