"""The sample weight where training starts, at u = 1/K: a loss that tolerates a noise may still learn too slowly."""

import streamlit as st

from alf.losses import parse
from alf.losses.starting_weight import starting_weight as of_loss

_OF_ITS_OWN, _OF_CE = 0.2, 0.03
"""Below both of these shares a loss starts slowly: its shape makes it wait, and its scale does not make up for it."""


@st.cache_data(max_entries=1024, show_spinner=False)
def starting_weight(spec: str, classes: int) -> tuple[float, float]:
    """See `alf.losses.starting_weight`."""
    return of_loss(parse(spec), classes)


def starts_slowly(spec: str, classes: int) -> bool:
    """Whether training with the loss starts so slowly that it may not get far.

    >>> starts_slowly("formula:1-u**2", 10), starts_slowly("mae", 10)
    (True, False)
    >>> starts_slowly("mae", 100), starts_slowly("aul:a=5.5,p=3", 100)
    (True, False)
    """
    own, ce = starting_weight(spec, classes)
    return own < _OF_ITS_OWN and ce < _OF_CE


def slow_start_warning(spec: str, classes: int) -> str:
    """What a proof of tolerance does not say of a loss that starts slowly; empty for any other.

    >>> slow_start_warning("ce", 10)
    ''
    >>> print(slow_start_warning("formula:1-u**2", 10))  # doctest: +ELLIPSIS
    This is about the best prediction, not about how fast training finds it: ... 6.1% of its largest and 2% of CE's.
    """
    if not starts_slowly(spec, classes):
        return ""
    own, ce = starting_weight(spec, classes)
    return (
        "This is about the best prediction, not about how fast training finds it: where training starts, at "
        f"u = 1/{classes}, the sample weight is {100 * own:.2g}% of its largest and {100 * ce:.2g}% of CE's."
    )
