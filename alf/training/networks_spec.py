"""Network specs, without torch: which networks there are and which inputs they take.

>>> network_spec("MLP:512, 64", (1, 8, 8))
'mlp:512,64'
>>> network_spec("cnn-small", (2,))
Traceback (most recent call last):
...
alf.errors.InputError: network cnn-small: takes pictures of at least 8 x 8 pixels, got inputs of shape (2,)
"""

import re

from alf.errors import InputError

# Layers of the convolutional networks: a number is a 3 x 3 convolution with that many channels, batch norm and ReLU;
# "pool" halves the picture; "fc128" is a fully connected layer with batch norm and ReLU. A last layer follows.
PLANS: dict[str, tuple[int | str, ...]] = {
    "cnn-tiny": ("pool", 32, "pool", "fc128"),
    "cnn-small": (16, "pool", 32, "pool", "fc64"),
    "cnn-mnist": (32, "pool", 64, "pool", "fc128"),
    "cnn-cifar10": (64, 64, "pool", 128, 128, "pool", 196, 196, "pool", "fc256"),
}
NETWORKS = {
    "mlp": "fully connected, hidden widths after the colon: mlp:512 or mlp:256,128",
    "cnn-tiny": "halves the picture, then 32 channels and 128 features: seconds on two cores",
    "cnn-small": "16 and 32 channels: minutes on two cores",
    "cnn-mnist": "the paper's network for MNIST: 32 and 64 channels, 128 features",
    "cnn-cifar10": "the paper's network for CIFAR-10: two layers each of 64, 128, 196 channels, 256 features",
    "resnet34": "residual network of 34 layers for 32 x 32 pictures, the paper's for CIFAR-100",
}
MAX_WIDTH, MAX_LAYERS = 8192, 8
_SMALLEST = {"cnn-tiny": 8, "cnn-small": 8, "cnn-mnist": 8, "cnn-cifar10": 16, "resnet34": 16}


def network_spec(spec: str, shape: tuple[int, ...]) -> str:
    """Check a network spec for inputs of a shape and return its canonical form.

    Raises
    ------
    InputError
        Unknown network, widths out of range, or inputs that it does not take.
    """
    key, colon, rest = spec.strip().lower().partition(":")
    if key not in NETWORKS:
        raise InputError(f"network: must be one of {', '.join(NETWORKS)}, got {spec[:60]}")
    if key != "mlp":
        if colon:
            raise InputError(f"network {key}: takes nothing after its name, got {rest[:60] or 'nothing'}")
        side = _SMALLEST[key]
        if len(shape) != 3 or min(shape[1:]) < side:
            raise InputError(
                f"network {key}: takes pictures of at least {side} x {side} pixels, got inputs of shape {shape}"
            )
        return key
    widths = [width.strip() for width in rest.split(",")]
    if len(widths) > MAX_LAYERS or not all(
        re.fullmatch(r"[1-9]\d{0,4}", w, re.ASCII) and int(w) <= MAX_WIDTH for w in widths
    ):
        raise InputError(
            f"network mlp: 1 to {MAX_LAYERS} hidden widths in [1, {MAX_WIDTH}] are needed, got {rest[:60] or 'none'}"
        )
    return f"mlp:{','.join(widths)}"


def is_convolutional(spec: str) -> bool:
    """Whether a canonical spec names a convolutional network: on a CPU its lanes are not faster together."""
    return not spec.startswith("mlp:")


def hidden_widths(spec: str) -> tuple[int, ...]:
    """Return the hidden widths of a canonical MLP spec.

    >>> hidden_widths("mlp:256,128")
    (256, 128)
    """
    return tuple(int(width) for width in spec.partition(":")[2].split(","))
