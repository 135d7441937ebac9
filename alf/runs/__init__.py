"""Runs: the store (what was run) and the engine (where it runs). See `alf.runs.engine` for how a page uses it."""

from alf.runs.engine import Engine, engine
from alf.runs.progress import Progress
from alf.runs.store import Store

__all__ = ["Engine", "Progress", "Store", "engine"]
