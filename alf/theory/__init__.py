"""What can be said about a loss under label noise, and how surely.

>>> from alf.losses import parse
>>> from alf.noise import parse_noise
>>> from alf.theory import prove, ratio
>>> round(ratio(parse("ael:a=2.5")).value, 6)
0.67032
>>> prove("noise_tolerant", parse("ael:a=2.5"), parse_noise("pair:0.4", 10)).holds
True

Importing this needs SymPy only; a room of the engine, and Arb (python-flint) with it, when a function is looked up.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from alf.theory.verdict import CLAIMS, STATUSES, Step, Verdict, Witness

if TYPE_CHECKING:
    from alf.theory.asking.inverse import tolerant_region
    from alf.theory.asking.rate import tolerated_rate
    from alf.theory.claims.prove import prove, verify
    from alf.theory.ratios.of_loss import ratio_of as ratio
    from alf.theory.ratios.ratio import critical_noise

_HOMES = {
    "critical_noise": ("ratios.ratio", "critical_noise"),
    "prove": ("claims.prove", "prove"),
    "ratio": ("ratios.of_loss", "ratio_of"),
    "tolerant_region": ("asking.inverse", "tolerant_region"),
    "tolerated_rate": ("asking.rate", "tolerated_rate"),
    "verify": ("claims.prove", "verify"),
}
"""Where each function lives: the module in this folder, and its name there."""

__all__ = [
    "CLAIMS",
    "STATUSES",
    "Step",
    "Verdict",
    "Witness",
    "critical_noise",
    "prove",
    "ratio",
    "tolerant_region",
    "tolerated_rate",
    "verify",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, written = _HOMES[name]
    found = globals()[name] = getattr(import_module(f"{__name__}.{module}"), written)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
