"""Which devices there are, what they are called, and which one a recipe really gets."""

import contextlib
import ctypes
import os
import shutil
import sys
from dataclasses import dataclass

from alf.settings import cores

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt in <malloc.h>


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
        name = f"{self.key.upper()}: {self.name}"
        if self.free is None or self.total is None:
            return name
        return f"{name}, {self.free / 2**30:.1f} of {self.total / 2**30:.1f} GiB free"


def tune_cpu() -> None:
    """Set up this process, and this thread, for training on the CPU. For processes of our own, not for a library's.

    Gradients of saturated losses fall below 1e-38, where the processor is ten times slower: they count as zero. And
    memory that was freed stays with the process, which otherwise asks the system for every layer's output anew: up to
    two fifths of the time of a convolutional network. Call it before anything imports torch.
    """
    # Threads that wait for each other by spinning are ten times slower when something else wants the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import torch

    torch.set_flush_denormal(True)
    with contextlib.suppress(OSError, AttributeError):  # another C library than GNU's
        mallopt = ctypes.CDLL(None).mallopt
        for option, size in ((_TRIM_THRESHOLD, 1 << 30), (_MMAP_THRESHOLD, 1 << 30)):
            mallopt(option, size)


def release_memory() -> None:
    """Give back to the system, and to the GPU, what a run has left."""
    import gc

    import torch

    if torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


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
