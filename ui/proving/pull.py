"""How hard a loss pulls where training starts, at u = 1/K: a loss that tolerates a noise may still not learn."""

import numpy as np
import streamlit as st

from alf.losses import parse

_OF_ITS_OWN, _OF_CE = 0.2, 0.03
"""Below both of these shares a loss starts slowly: its shape makes it wait, and its scale does not make up for it."""


@st.cache_data(max_entries=1024, show_spinner=False)
def pull(spec: str, classes: int) -> tuple[float, float]:
    """The sample weight at u = 1/K, as a share of the loss's largest and of CE's, which is 1 - 1/K there.

    >>> [round(share, 3) for share in pull("mae", 10)]
    [0.36, 0.1]
    """
    loss = parse(spec)
    weights = loss.sample_weight(np.linspace(0, 1, 401), classes)
    start = float(loss.sample_weight(np.array([1 / classes]), classes)[0])
    largest = max(start, float(np.max(weights[np.isfinite(weights)], initial=0.0)))
    return start / largest if largest else 0.0, start / (1 - 1 / classes)


def slow(spec: str, classes: int) -> bool:
    """Whether training with the loss starts so slowly that it may not get far.

    >>> slow("formula:1-u**2", 10), slow("mae", 10), slow("mae", 100), slow("aul:a=5.5,p=3", 100)
    (True, False, True, False)
    """
    own, ce = pull(spec, classes)
    return own < _OF_ITS_OWN and ce < _OF_CE


def warning(spec: str, classes: int) -> str:
    """What a proof of tolerance does not say of a loss that starts slowly; empty for any other.

    >>> warning("ce", 10)
    ''
    >>> print(warning("formula:1-u**2", 10))  # doctest: +ELLIPSIS
    This is about the best prediction, not about how fast training finds it: ... 6.1% of its largest and 2% of CE's.
    """
    if not slow(spec, classes):
        return ""
    own, ce = pull(spec, classes)
    return (
        "This is about the best prediction, not about how fast training finds it: where training starts, at "
        f"u = 1/{classes}, the sample weight is {100 * own:.2g}% of its largest and {100 * ce:.2g}% of CE's."
    )
