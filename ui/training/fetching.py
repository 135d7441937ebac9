"""Data sets that are not here yet: looked for, downloaded and verified in the background, once for the whole server."""

import threading
from dataclasses import dataclass

import streamlit as st

from alf.data import DataSet, dataset, fetch
from alf.data.files import Missing
from alf.errors import InputError
from alf.settings import settings
from alf.training.recipe import Recipe


@dataclass(frozen=True)
class Fetched:
    """How far a data set is: in words, as a share where that is known; `ready`, or why it cannot be had."""

    words: str = ""
    share: float | None = None
    ready: bool = False
    error: str | None = None

    @property
    def going(self) -> bool:
        """Whether there is something to wait for."""
        return not self.ready and self.error is None


class Fetches:
    """The data sets of this server that are being looked for or have been found."""

    def __init__(self):
        self._lock = threading.Lock()
        self._state: dict[tuple[str, bool], Fetched] = {}

    def ask(self, key: str, partial: bool) -> Fetched:
        """How far a data set is; looks for it, or tries again, where that is not going on."""
        with self._lock:
            now = self._state.get((key, partial))
            if now is None or now.error is not None:
                now = self._state[key, partial] = Fetched(f"Looking for the files of {dataset(key).name} …")
                threading.Thread(target=self._find, args=(dataset(key), partial), daemon=True).start()
            return now

    def state(self, key: str, partial: bool) -> Fetched | None:
        """How far a data set is, None where nobody asked for it."""
        with self._lock:
            return self._state.get((key, partial))

    def _put(self, declared: DataSet, partial: bool, state: Fetched) -> None:
        with self._lock:
            self._state[declared.key, partial] = state

    def _find(self, declared: DataSet, partial: bool) -> None:
        def tell(name: str, done: int, total: int) -> None:
            share = min(1.0, done / total) if total else None
            size = f"{done / 1e6:.1f}" + (f" of {total / 1e6:.1f}" if total else "")
            self._put(declared, partial, Fetched(f"Downloading {name}: {size} MB", share))

        try:
            try:
                declared.load(settings().data_dir, partial)
            except Missing:
                self._put(declared, partial, Fetched(f"Downloading {declared.name} …"))
                try:
                    fetch(declared, tell, mirror=settings().data_mirror)
                except InputError as error:
                    raise InputError(f"{error}, or point ALF_DATA_DIR to a folder that has its files") from None
                self._put(declared, partial, Fetched(f"Checking {declared.name} …", 1.0))
                declared.load(settings().data_dir, partial)
        except InputError as error:
            self._put(declared, partial, Fetched(error=str(error)))
        except Exception as error:  # whatever else goes wrong in this thread, somebody is waiting for word of it
            self._put(declared, partial, Fetched(error=f"data {declared.key}: {type(error).__name__}: {error}"))
            raise
        else:
            self._put(declared, partial, Fetched(ready=True))


@st.cache_resource(show_spinner=False)
def fetches() -> Fetches:
    """The fetches of this server."""
    return Fetches()


def needed(recipe: Recipe) -> bool:
    """Whether the recipe's data must be looked for first. Workers elsewhere have files of their own."""
    if recipe.dataset.local or settings().scheduler:
        return False
    state = fetches().state(*key_of(recipe))
    return state is None or not state.ready


def key_of(recipe: Recipe) -> tuple[str, bool]:
    """What `Fetches` is asked for a recipe: its data set, and whether a part of the files will do."""
    return recipe.data, recipe.samples is not None
