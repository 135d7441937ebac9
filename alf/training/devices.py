"""Which devices there are, what they are called, and which one a recipe really gets."""

import os
import shutil
import sys
from dataclasses import dataclass

from alf.settings import cores


@dataclass(frozen=True)
class Device:
    """A device that training can use on this machine.

    Attributes
    ----------
    key
        cpu, cuda or mps.
    name
        What it is called: the GPU's product name.
    free, total
        Memory in bytes; None where the system does not say.
    """

    key: str
    name: str
    free: int | None = None
    total: int | None = None

    @property
    def label(self) -> str:
        """One line for a selector.

        >>> Device("cuda", "NVIDIA H100", 78 * 2**30, 80 * 2**30).label
        'CUDA: NVIDIA H100, 78.0 of 80.0 GiB free'
        """
        memory = f", {self.free / 2**30:.1f} of {self.total / 2**30:.1f} GiB free" if self.free is not None else ""
        return f"{self.key.upper()}: {self.name}{memory}"


def may_have_gpu() -> bool:
    """Whether it is worth asking torch for a GPU, found out without torch: its import takes seconds."""
    drivers = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, Windows' Linux subsystem, AMD
    return sys.platform == "darwin" or any(map(os.path.exists, drivers)) or shutil.which("nvidia-smi") is not None


def devices() -> tuple[Device, ...]:
    """List the devices that torch can use here, the best first; the CPU is always the last one.

    Where there may be a GPU this imports torch, which takes about two seconds the first time.
    """
    found = []
    if may_have_gpu():
        import torch

        if torch.cuda.is_available():
            free, total = torch.cuda.mem_get_info()
            found.append(Device("cuda", torch.cuda.get_device_name(), free, total))
        if torch.backends.mps.is_available():
            found.append(Device("mps", "Apple GPU"))
    found.append(Device("cpu", f"{cores()} cores"))
    return tuple(found)


def choose(wanted: str) -> tuple[str, str | None]:
    """Decide which device a recipe runs on.

    Returns
    -------
    (key, words)
        `words` is None, or one sentence that says that and why it is not the device that was asked for.

    >>> choose("cpu")
    ('cpu', None)
    """
    there = [device.key for device in devices()]
    if wanted == "auto":
        return there[0], None
    if wanted in there:
        return wanted, None
    import torch

    reason = {
        "cuda": "this PyTorch is built without CUDA" if torch.version.cuda is None else "no CUDA device was found",
        "mps": "no Apple GPU was found",
    }[wanted]
    return "cpu", f"Runs on the CPU instead of {wanted.upper()}: {reason}."
