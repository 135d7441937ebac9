"""A second derivation of every claim, independent of `alf.theory`; its parts, one after another, are the proof script.

The parts import nothing of this project but one another, so that what is tested here is what a script runs.

>>> stated = {"formula": "1 - u", "sums": {}, "values": {}, "classes": 3, "matrix": None, "points": {}, "open": {},
...           "claims": [("decreasing", True), ("symmetric", True)]}
>>> check(stated)
decreasing holds: l is finite and continuous on (0, 1) and l' < 0 there but for single points, on a cover of (0, 1)
symmetric holds: f is linear, so the sum over the labels is constant
0
"""

from alf.export.checker.check import check
from alf.export.checker.domain import AT_VALUE_ALONE, Domain, NotCovered
from alf.export.checker.interval import Undefined
from alf.export.checker.risk import NotDerived
from alf.export.checker.statement import Statement, derive

__all__ = ["AT_VALUE_ALONE", "Domain", "NotCovered", "NotDerived", "Statement", "Undefined", "check", "derive"]
