"""The environment, read once and checked: where data lies, where runs are kept, where they are computed, how much.

Every setting is declared here once; `table()` prints the declarations as the table of ``docs/running.md``.

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
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from alf.errors import InputError


@dataclass(frozen=True)
class Setting:
    """One environment variable: its name, what it decides, and how its text is read."""

    variable: str
    field: str
    meaning: str
    default: str
    read: Callable[[str, str], object]


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


DECLARED = (
    Setting(
        "ALF_DATA_DIR",
        "data_dir",
        "folder with copies of the data sets; searched before anything is downloaded",
        "none",
        _folder,
    ),
    Setting(
        "ALF_DATA_MIRROR",
        "data_mirror",
        "web address of a folder with the data sets' files, to download from instead of the official ones",
        "none",
        _address,
    ),
    Setting(
        "ALF_STORE",
        "store",
        "where runs are kept: path of an SQLite file, or a SQLAlchemy URL (sqlite:///... or postgresql+psycopg://...)",
        "`runs.sqlite` in the user's data folder",
        _store,
    ),
    Setting(
        "ALF_SCHEDULER",
        "scheduler",
        "address of a Dask scheduler to run on, instead of worker processes on this machine",
        "none",
        _scheduler,
    ),
    Setting(
        "ALF_WORKERS", "workers", "training processes on this machine", "number of cores, at most 8", _whole(1, 256)
    ),
    Setting(
        "ALF_MAX_QUEUED",
        "max_queued",
        "unfinished runs of everybody together, at most; further ones are refused",
        "200",
        _whole(1, 10**6),
    ),
    Setting("ALF_MAX_PER_OWNER", "max_per_owner", "unfinished runs of one browser, at most", "10", _whole(1, 10**6)),
    Setting(
        "ALF_MAX_LANES", "max_lanes", "models in one run (losses x noises x seeds), at most", "128", _whole(1, 10**5)
    ),
    Setting("ALF_MAX_EPOCHS", "max_epochs", "epochs of one run started from the app, at most", "500", _whole(1, 10**5)),
    Setting(
        "ALF_KEEP_DAYS",
        "keep_days",
        "days for which a run is kept after it was last started or looked at",
        "90",
        _whole(1, 36500),
    ),
    Setting(
        "ALF_KEEP_RUNS",
        "keep_runs",
        "results that are kept, at most; beyond that, those unused for the longest time are deleted sooner",
        "5000",
        _whole(1, 10**7),
    ),
    Setting(
        "ALF_KEEP_MB",
        "keep_mb",
        "megabytes of results (records, checkpoints, snapshots), at most; beyond that as with ALF_KEEP_RUNS",
        "4000",
        _whole(1, 10**7),
    ),
    Setting(
        "ALF_DOCS_URL", "docs_url", "web address of the documentation site; the pages link to it", "none", _address
    ),
    Setting("ALF_DEBUG", "debug", "1 shows where a command failed, as a traceback", "0", _flag),
)


@dataclass(frozen=True)
class Settings:
    """Validated settings of this process; `Settings.from_environment` makes them, `settings()` keeps them."""

    data_dir: Path | None
    data_mirror: str | None
    store: str
    scheduler: str | None
    workers: int
    max_queued: int
    max_per_owner: int
    max_lanes: int
    max_epochs: int
    keep_days: int
    keep_runs: int
    keep_mb: int
    docs_url: str | None
    debug: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read and check every declared variable; an empty one counts as not set.

        Raises
        ------
        InputError
            One sentence that names the variable, what it may hold and what it holds; also for a variable that starts
            with ``ALF_`` but is none of ours, which is nearly always a misspelling.
        """
        known = {setting.variable for setting in DECLARED} | _OF_OTHERS
        for variable in environment:
            if variable.startswith("ALF_") and variable not in known:
                raise InputError(f"{variable}: no such setting; there are {', '.join(s.variable for s in DECLARED)}")
        values: dict[str, Any] = {
            "data_dir": None,
            "data_mirror": None,
            "store": None,
            "scheduler": None,
            "workers": min(cores(), 8),
            "max_queued": 200,
            "max_per_owner": 10,
            "max_lanes": 128,
            "max_epochs": 500,
            "keep_days": 90,
            "keep_runs": 5000,
            "keep_mb": 4000,
            "docs_url": None,
            "debug": False,
        }
        for setting in DECLARED:
            if text := environment.get(setting.variable, "").strip():
                values[setting.field] = setting.read(setting.variable, text)
        if values["store"] is None:
            values["store"] = f"sqlite:///{_default_store()}"
        return cls(**values)


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
    return "\n".join(rows + [f"| `{s.variable}` | {s.meaning} | {s.default} |" for s in DECLARED])


def _default_store() -> Path:
    """Name the store's file in the user's data folder, wherever the system keeps that."""
    import platformdirs

    return Path(platformdirs.user_data_dir("asymmetric-loss-explorer", appauthor=False)) / "runs.sqlite"
