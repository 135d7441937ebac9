"""Network specs, without torch: which networks there are and which inputs they take.

>>> network_spec("MLP:512, 64", (1, 8, 8))
'mlp:512,64'
"""

import re

from alf.errors import InputError

NETWORKS = {"mlp": "fully connected, hidden widths after the colon: mlp:512 or mlp:256,128"}
MAX_WIDTH, MAX_LAYERS = 8192, 8


def network_spec(spec: str, shape: tuple[int, ...]) -> str:
    """Check a network spec for inputs of a shape and return its canonical form.

    Raises
    ------
    InputError
        Unknown network, or widths out of range.
    """
    key, _, rest = spec.strip().lower().partition(":")
    if key not in NETWORKS:
        raise InputError(f"network: must be one of {', '.join(NETWORKS)}, got {spec[:60]}")
    widths = [width.strip() for width in rest.split(",")]
    if len(widths) > MAX_LAYERS or not all(
        re.fullmatch(r"[1-9]\d{0,4}", w, re.ASCII) and int(w) <= MAX_WIDTH for w in widths
    ):
        raise InputError(
            f"network mlp: 1 to {MAX_LAYERS} hidden widths in [1, {MAX_WIDTH}] are needed, got {rest[:60] or 'none'}"
        )
    return f"mlp:{','.join(widths)}"


def hidden_widths(spec: str) -> tuple[int, ...]:
    """Return the hidden widths of a canonical MLP spec.

    >>> hidden_widths("mlp:256,128")
    (256, 128)
    """
    return tuple(int(width) for width in spec.partition(":")[2].split(","))
