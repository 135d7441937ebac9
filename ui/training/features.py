"""Features in the plane: by their principal axes at once, by t-SNE in a worker process that can be killed."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass

import numpy as np
import streamlit as st
from pebble import ProcessExpired, ProcessPool

from alf.training.inspect import Inspection, tsne

SECONDS = 60.0


KEPT = 256


KINDS = {"pca": "Principal axes", "tsne": "t-SNE"}


@st.cache_resource(show_spinner=False)
def _worker() -> ProcessPool:
    """The one process of this server that works t-SNE out."""
    return ProcessPool(1, max_tasks=200, context=multiprocessing.get_context("forkserver"))


@st.cache_resource(show_spinner=False, max_entries=KEPT, on_release=Future.cancel)
def _map(run: str | None, lane: int, epoch: int, _features: np.ndarray) -> Future:
    """Where t-SNE puts the samples of a run's lane at an epoch, (S, 2); begun once for the whole server."""
    return _worker().schedule(tsne, args=(_features,), timeout=SECONDS)


@dataclass(frozen=True)
class Places:
    """Where the samples are, (S, 2); None while that is being computed, or for good with the reason in words."""

    at: np.ndarray | None = None
    why: str = ""

    @property
    def waiting(self) -> bool:
        """Whether they are still being computed."""
        return self.at is None and not self.why


def places(kind: str, run: str | None, seen: Inspection) -> Places:
    """Where a kind of map puts the test samples."""
    if kind == "pca":
        return Places(seen.plane)
    if seen.features is None:
        return Places(why="This run kept too little for t-SNE; press Start to train it again.")
    future = _map(run, seen.lane, seen.epoch, seen.features)
    if not future.done():
        return Places()
    try:
        return Places(future.result())
    except Late:
        return Places(why=f"t-SNE did not finish within {SECONDS:.0f} seconds; its worker was stopped.")
    except (ProcessExpired, MemoryError):
        return Places(why="t-SNE needed more memory than a worker may use; it was stopped.")


def ready(run: str | None, seen: Sequence[Inspection]) -> bool:
    """Whether t-SNE has come to an end for all of them; it is begun for those it was not yet asked for."""
    futures = [_map(run, one.lane, one.epoch, one.features) for one in seen if one.features is not None]
    return all(future.done() for future in futures)


def axes(kind: str, variance: np.ndarray | None) -> tuple[str, str]:
    """What the two axes are called.

    >>> axes("pca", np.array([0.41, 0.2, 0.1]))
    ('1st principal axis, 41% of the variance', '2nd principal axis, 20%')
    """
    if kind == "tsne":
        return "t-SNE, first direction", "t-SNE, second direction"
    if variance is None or len(variance) < 2:
        return "1st principal axis", "2nd principal axis"
    return f"1st principal axis, {variance[0]:.0%} of the variance", f"2nd principal axis, {variance[1]:.0%}"


def about(kind: str, samples: str) -> str:
    """What the reader sees, in words."""
    edge = "A red edge: predicted wrong."
    if kind == "tsne":
        return (
            f"t-SNE puts {samples} that the network sees as alike next to each other. Only this has a "
            f"meaning: the distances between groups and their shapes have none. {edge}"
        )
    return (
        f"Test {samples} as the last hidden layer sees them, along the two directions in which they differ most. {edge}"
    )
