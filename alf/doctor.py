"""Is everything here that the explorer needs? One check after another, each said in words.

>>> [check.name for check in (python(), settings_of({}))]
['Python', 'settings']
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from alf.errors import InputError, not_installed
from alf.settings import Settings

NEEDED = (
    "numpy",
    "sympy",
    "python-flint",
    "torch",
    "scikit-learn",
    "SQLAlchemy",
    "distributed",
    "safetensors",
    "pooch",
)
PAGES = ("streamlit", "plotly")
GIB = 2**30


@dataclass(frozen=True)
class Check:
    """What a check found: `state` is ok, warning or problem, `words` one sentence for a person."""

    name: str
    state: str
    words: str

    to_dict = asdict


def examine(environment: Mapping[str, str]) -> Iterator[Check]:
    """Make every check, one by one; a defect that a check did not foresee is a problem in words too."""
    yield python()
    yield packages()
    yield (configured := _guarded("settings", lambda: settings_of(environment)))
    if configured.state == "problem":
        return
    settings = Settings.from_environment(environment)
    for name, look in (
        ("devices", devices),
        ("memory", memory),
        ("data", lambda: data(settings)),
        ("store", lambda: store(settings)),
        ("workers", lambda: workers(settings)),
    ):
        yield _guarded(name, look)


def _guarded(name: str, look: Callable[[], Check]) -> Check:
    try:
        return look()
    except ModuleNotFoundError as error:
        return Check(name, "problem", f"{not_installed(error.name or str(error))}.")
    except Exception as error:
        return Check(name, "problem", f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def python() -> Check:
    """Which Python this is; one that is too old does not come this far."""
    return Check("Python", "ok", f"Python {sys.version.split()[0]} on {sys.platform}.")


def packages(needed: tuple[str, ...] = NEEDED, pages: tuple[str, ...] = PAGES) -> Check:
    """Which versions are installed; without those of the pages the command line works all the same."""
    found, absent = {}, []
    for name in (*needed, *pages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            absent.append(name)
    words = ", ".join(f"{name} {number}" for name, number in found.items()) + "."
    if absent:
        state = "problem" if set(absent) & set(needed) else "warning"
        return Check("packages", state, f"Not installed: {', '.join(absent)}. Installed: {words}")
    return Check("packages", "ok", words)


def settings_of(environment: Mapping[str, str]) -> Check:
    """Whether the settings can be read."""
    try:
        settings = Settings.from_environment(environment)
    except InputError as error:
        return Check("settings", "problem", f"{error}.")
    workers = f"{settings.workers} worker{'s' * (settings.workers != 1)}"
    given = sorted(name for name in environment if name.startswith("ALF_"))
    where = ", ".join(given) if given else "none in the environment, so the defaults are used"
    return Check("settings", "ok", f"{where}; {workers}, runs of at most {settings.max_epochs} epochs.")


def devices() -> Check:
    """What models can be trained on."""
    from alf.training.devices import devices as find

    return Check("devices", "ok", "; ".join(device.label for device in find()) + ".")


def memory() -> Check:
    """Whether there is memory to train in."""
    import psutil

    free = psutil.virtual_memory().available / GIB
    return Check("memory", "ok" if free >= 1 else "warning", f"{free:.1f} GiB are free.")


def data(settings: Settings) -> Check:
    """Which data sets are here, whole; what is not there can be fetched, what is damaged is a problem."""
    from alf.data import DATASETS, presence

    states = {declared.key: presence(declared, settings.data_dir) for declared in DATASETS.values()}
    found, absent = ([key for key, (state, _) in states.items() if state == one] for one in ("here", "absent"))
    damaged = [expected for _, expected in states.values() if expected]
    words = f"Here: {', '.join(found)}."
    if absent:
        words += f" Not here: {', '.join(absent)} (python -m alf data fetch NAME, or ALF_DATA_DIR)."
    if damaged:
        return Check("data", "problem", f"{'; '.join(damaged)}. {words}")
    return Check("data", "warning" if absent else "ok", words)


def store(settings: Settings) -> Check:
    """Whether runs can be kept: opening the store writes to it."""
    from sqlalchemy import func, select
    from sqlalchemy.engine import make_url

    from alf.runs import tables as t
    from alf.runs.store import Store

    url = make_url(settings.store)
    shown = url.render_as_string(hide_password=True)
    try:
        opened = Store(settings.store)
    except InputError as error:
        return Check("store", "problem", f"{error}.")
    with closing(opened), opened.read() as connection:
        runs = connection.scalar(select(func.count()).select_from(t.runs))
    words = f"{shown} can be written; it holds {runs} run{'' if runs == 1 else 's'}."
    if url.get_backend_name() == "sqlite" and url.database:
        free = shutil.disk_usage(Path(url.database).resolve().parent).free / GIB
        if free < 1:
            return Check("store", "warning", f"{words} Only {free:.1f} GiB of disk are free.")
    return Check("store", "ok", words)


def workers(settings: Settings, patience: float = 60.0) -> Check:
    """Whether a worker process starts and answers; with a scheduler, whether it has any."""
    from alf.runs.dask_workers import connect
    from alf.runs.store import Store

    try:
        with closing(Store(settings.store)) as opened, closing(connect(replace(settings, workers=1), opened)) as found:
            if not found.share_the_store(patience):
                return Check("workers", "problem", "A worker process starts, but finds another store.")
            count = found.count
    except InputError as error:  # why a scheduler has no workers for us
        return Check("workers", "problem", f"{error}.")
    words = f"{count} at {settings.scheduler}." if settings.scheduler else "A worker process starts and answers."
    return Check("workers", "ok", words)
