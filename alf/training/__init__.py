"""Training under label noise: recipes, the trainer of many models at once, and what it records.

>>> from alf.training import classroom, run
>>> recipe = classroom("digits", losses=("ce",), seeds=(0,), epochs=1)
>>> *records, summary = run(recipe)
>>> print(records[0]["epoch"], summary["status"])
1 finished

Nothing here imports torch until something is trained.
"""

from alf.training.devices import Device, choose, devices
from alf.training.local import run
from alf.training.recipe import Change, Lane, Recipe
from alf.training.recipes import CLASSROOM, KINDS, PAPER, classroom, kinds_of, named_recipe, paper
from alf.training.records import METRICS, RECORD_KEYS, summarise
from alf.training.states import RunState

__all__ = [
    "CLASSROOM",
    "KINDS",
    "METRICS",
    "PAPER",
    "RECORD_KEYS",
    "Change",
    "Device",
    "Lane",
    "Recipe",
    "RunState",
    "choose",
    "classroom",
    "devices",
    "kinds_of",
    "named_recipe",
    "paper",
    "run",
    "summarise",
]
