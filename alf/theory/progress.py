"""Which step a proof is at, written where the process that may kill it can read it."""

from pathlib import Path

_trail: Path | None = None
_begun = ""


def follow(path: str) -> None:
    """From now on write the step this process is at to a file."""
    global _trail
    _trail = Path(path)


def stage(name: str) -> None:
    """Say which step begins; costs nothing where nobody follows."""
    global _begun
    _begun = name
    if _trail is not None:
        _trail.write_text(name, encoding="utf-8")


def last_begun() -> str:
    """The step this process began last."""
    return _begun


def last_stage(path: Path) -> str:
    """The step that was begun last.

    >>> last_stage(Path("nowhere"))
    'waiting for a free worker'
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return "waiting for a free worker"
