"""The environment, read once and checked: where data lies, where runs are kept, where they are computed, how much.

Every setting is declared once, as a field of `Settings` with its meaning, its check and its default; `table()` prints
the declarations as the table of ``docs/running.md``.

>>> settings = Settings.from_environment({"ALF_WORKERS": "3"})
>>> settings.workers, settings.data_dir
(3, None)
>>> Settings.from_environment({"ALF_WORKERS": "many"})
Traceback (most recent call last):
...
alf.errors.InputError: ALF_WORKERS: a whole number in [1, 256] is needed, got many
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from alf.errors import InputError


def _folder(variable: str, text: str) -> Path:
    path = Path(text).expanduser()
    if not path.is_dir():
        raise InputError(f"{variable}: an existing folder is needed, got {text}")
    return path.resolve()


def _store(variable: str, text: str) -> str:
    if re.match(r"[a-z][a-z0-9+]*://", text):
        if not text.startswith(("sqlite://", "postgresql://", "postgresql+psycopg://")):
            raise InputError(
                f"{variable}: a path, or a URL sqlite:///... or postgresql://..., got {text.split('@')[-1]}"
            )
        return text
    path = Path(text).expanduser()
    if path.is_dir():
        raise InputError(f"{variable}: a file is needed, got the folder {text}")
    return f"sqlite:///{path.resolve()}"


def _address(variable: str, text: str) -> str:
    if not re.fullmatch(r"https?://\S+", text):
        raise InputError(f"{variable}: an address http(s)://... is needed, got {text}")
    return text


def _scheduler(variable: str, text: str) -> str:
    if not re.fullmatch(r"(tcp|tls|ws|wss)://[^\s/]+:\d{1,5}/?", text):
        raise InputError(f"{variable}: an address such as tcp://host:8786 is needed, got {text}")
    return text


def _whole(low: int, high: int) -> Callable[[str, str], int]:
    def read(variable: str, text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or not low <= int(text) <= high:
            raise InputError(f"{variable}: a whole number in [{low}, {high}] is needed, got {text}")
        return int(text)

    return read


def _flag(variable: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise InputError(f"{variable}: 0 or 1 is needed, got {text}")
    return text == "1"


def _about(meaning: str, read: Callable[[str, str], Any], computed: str = "") -> dict[str, Any]:
    """What a setting decides, how its text is read, and what a default that is computed is."""
    return {"meaning": meaning, "read": read, "computed": computed}


@dataclass(frozen=True)
class Settings:
    """Validated settings of this process; `Settings.from_environment` makes them, `settings()` keeps them.

    The variable of a field is its name in capitals after ``ALF_``.
    """

    data_dir: Path | None = field(
        default=None,
        metadata=_about("folder with copies of the data sets; searched before anything is downloaded", _folder),
    )
    data_mirror: str | None = field(
        default=None,
        metadata=_about(
            "web address of a folder with the data sets' files, to download from instead of the official ones", _address
        ),
    )
    store: str = field(
        default_factory=lambda: f"sqlite:///{_default_store()}",
        metadata=_about(
            "where runs are kept: path of an SQLite file, or a SQLAlchemy URL "
            "(sqlite:///... or postgresql+psycopg://...)",
            _store,
            "`runs.sqlite` in the user's data folder",
        ),
    )
    scheduler: str | None = field(
        default=None,
        metadata=_about(
            "address of a Dask scheduler to run on, instead of worker processes on this machine", _scheduler
        ),
    )
    workers: int = field(
        default_factory=lambda: min(cores(), 8),
        metadata=_about("training processes on this machine", _whole(1, 256), "number of cores, at most 8"),
    )
    max_queued: int = field(
        default=200,
        metadata=_about("unfinished runs of everybody together, at most; further ones are refused", _whole(1, 10**6)),
    )
    max_per_owner: int = field(default=10, metadata=_about("unfinished runs of one browser, at most", _whole(1, 10**6)))
    max_lanes: int = field(
        default=128, metadata=_about("models in one run (losses x noises x seeds), at most", _whole(1, 10**5))
    )
    max_epochs: int = field(
        default=500, metadata=_about("epochs of one run started from the app, at most", _whole(1, 10**5))
    )
    max_cells: int = field(
        default=40_000,
        metadata=_about("networks in one phase map (cells x losses x seeds), at most", _whole(1, 10**7)),
    )
    keep_days: int = field(
        default=90,
        metadata=_about("days for which a run is kept after it was last started or looked at", _whole(1, 36500)),
    )
    keep_runs: int = field(
        default=5000,
        metadata=_about(
            "results that are kept, at most; beyond that, those unused for the longest time are deleted sooner",
            _whole(1, 10**7),
        ),
    )
    keep_mb: int = field(
        default=4000,
        metadata=_about(
            "megabytes of results (records, checkpoints, snapshots), at most; beyond that as with ALF_KEEP_RUNS",
            _whole(1, 10**7),
        ),
    )
    docs_url: str | None = field(
        default=None, metadata=_about("web address of the documentation site; the pages link to it", _address)
    )
    debug: bool = field(default=False, metadata=_about("1 shows where a command failed, as a traceback", _flag))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read and check every declared variable; an empty one counts as not set.

        Raises
        ------
        InputError
            One sentence that names the variable, what it may hold and what it holds; also for a variable that starts
            with ``ALF_`` but is none of ours, which is nearly always a misspelling.
        """
        declared = {_variable(one): one for one in fields(cls)}
        for variable in environment:
            if variable.startswith("ALF_") and variable not in declared and variable not in _OF_OTHERS:
                raise InputError(f"{variable}: no such setting; there are {', '.join(declared)}")
        given = {variable: environment.get(variable, "").strip() for variable in declared}
        return cls(**{declared[v].name: declared[v].metadata["read"](v, text) for v, text in given.items() if text})


def _variable(declared: Field[Any]) -> str:
    return f"ALF_{declared.name.upper()}"


# Read elsewhere: the tests' switches, not settings of the app.
_OF_OTHERS = {"ALF_REQUIRE_BROWSER", "ALF_REQUIRE_INSTALL", "ALF_REQUIRE_POSTGRES", "ALF_RERUNS", "ALF_SOAK"}


@cache
def settings() -> Settings:
    """Return the settings of this process, read from the environment the first time."""
    return Settings.from_environment(os.environ)


def cores() -> int:
    """Count the cores this process may use (a container's share, not the machine's)."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def table() -> str:
    """Print the declared settings as a Markdown table."""
    rows = ["| variable | what it decides | default |", "|---|---|---|"]
    for one in fields(Settings):
        default: Any = one.default
        shown = one.metadata["computed"] or ("none" if default is None else int(default))
        rows.append(f"| `{_variable(one)}` | {one.metadata['meaning']} | {shown} |")
    return "\n".join(rows)


def _default_store() -> Path:
    """Name the store's file in the user's data folder, wherever the system keeps that."""
    import platformdirs

    return Path(platformdirs.user_data_dir("asymmetric-loss-explorer", appauthor=False)) / "runs.sqlite"
