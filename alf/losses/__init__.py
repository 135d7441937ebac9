"""The losses: one declaration each, everything else derived.

>>> from alf.losses import catalogue, parse
>>> parse("agce:a=0.6,q=0.6").value([0.0, 1.0]).round(4)
array([0.9829, 0.    ])
>>> [key for key in catalogue() if "+" not in key][:4]
['ce', 'fl', 'mae', 'mse']

Importing this needs SymPy only. numpy is imported when a curve is computed and torch when a module is made, by
``parse(SPEC).module()``.
"""

from alf.errors import InputError
from alf.losses.catalogue import catalogue
from alf.losses.declaration import Declaration, Loss
from alf.losses.domain import Domain, Parameter
from alf.losses.labels import distinct_labels
from alf.losses.spec import is_formula, parse
from alf.losses.symbols import K, u

__all__ = [
    "Declaration",
    "Domain",
    "InputError",
    "K",
    "Loss",
    "Parameter",
    "catalogue",
    "distinct_labels",
    "is_formula",
    "parse",
    "u",
]
