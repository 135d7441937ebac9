"""What the Train page shows: the recipe of its controls, the run of the engine, and the run before."""

import json
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from alf.errors import InputError
from alf.runs.estimate import Estimate, about
from alf.training.recipe import Recipe
from ui.state.recipe_fields import recipe_of
from ui.state.view import View

DEVICES_FRESH = 30.0  # seconds; free memory changes


PACE_OVER = 8.0  # seconds over which the speed is measured


@dataclass
class Shown:
    """A run as the page shows it: its recipe, its records so far, how far it is."""

    recipe: Recipe
    records: Sequence[dict] = ()
    progress: object = None
    recorded: bool = False
    about: str = ""
    differs: tuple[str, ...] = ()  # where the controls say something else


def engine():
    """The engine of this server."""
    from alf.runs import engine as of_process

    return of_process()


def owner() -> str:
    """Who this browser is to the engine: by its cookie, or where it takes none only as long as this session lasts."""
    from ui.server import owner_named, owner_of

    known = owner_of(st.context.cookies)
    if known is None:
        known = st.session_state.setdefault("train.owner", owner_named(secrets.token_urlsafe(32)))
    return known


def own_run(run: str) -> str:
    """The run's id, once it is sure that it is this reader's: whoever has a run's link may watch it, and no more."""
    if engine().progress(run).owner != owner():
        raise InputError("run: must be one of yours to be changed, got somebody else's")
    return run


def run_or_recorded(run: str | None) -> tuple[Shown | None, str | None]:
    """The run with this id, or the recorded one; and a sentence when there is no such run."""
    wanted = chosen_recipe()
    if not run:
        return recorded_run(wanted), None
    try:
        records = engine().curves(run)  # first: progress that was asked for before may be behind them
        progress = engine().progress(run)
    except InputError as error:
        return recorded_run(wanted), str(error)
    if records:
        st.session_state["train.last"] = run
    return Shown(progress.recipe, records, progress, differs=_differs(wanted, progress.recipe)), None


def chosen_recipe() -> Recipe | None:
    """The recipe that the page's controls describe, when they describe one."""
    try:
        return recipe_of(View.now())
    except (InputError, KeyError):
        return None


def last_shown() -> Shown:
    """The run whose curves stay in sight until the next one has some of its own: the last one shown here."""
    return run_or_recorded(st.session_state.get("train.last"))[0]


def pace(shown: Shown) -> float | None:
    """Epochs per second of a model, all models of a run going on together, as this page has seen them come."""
    now, run = time.monotonic(), (shown.progress.run, shown.recipe.key)
    kept, seen = st.session_state.get("train.pace", (None, []))
    if kept != run:
        seen = []
    seen = [(when, count) for when, count in seen if now - when < PACE_OVER]
    if not seen or now - seen[-1][0] > 0.3:
        seen.append((now, len(shown.records)))
    st.session_state["train.pace"] = (run, seen)
    models = len(shown.recipe.lanes) - len(shown.progress.ended)
    took = seen[-1][0] - seen[0][0]
    if took < 1.0 or seen[-1][1] == seen[0][1]:
        return None
    return (seen[-1][1] - seen[0][1]) / took / max(1, models)


@lru_cache(maxsize=64)
def recorded_run(wanted: Recipe | None = None) -> Shown:
    """The run that ships with the project: of it what is wanted, or where it does not have that all of it."""
    from alf.runs.recorded_run import recorded

    run = recorded("digits")
    about = f"{run.made['date']}, {run.made['device']}"
    records = None if wanted is None else run.part(wanted)
    if records is not None:
        return Shown(wanted, records, None, True, about)
    return Shown(run.recipe, run.records, None, True, about, _differs(wanted, run.recipe))


def _differs(wanted: Recipe | None, recipe: Recipe) -> tuple[str, ...]:
    """Where a run's recipe says something else than the controls, in words."""
    return tuple(NAMES[name] for name in NAMES if wanted and getattr(wanted, name) != getattr(recipe, name))


NAMES = {
    "data": "the data", "losses": "the losses", "noise": "the noise", "seeds": "the seeds", "network": "the network",
    "samples": "the training samples", "epochs": "the epochs", "batch": "the batch", "lr": "the learning rate",
    "momentum": "the momentum", "weight_decay": "the weight decay", "schedule": "the schedule", "clip": "the clipping",
    "augment": "the augmentation", "equal_scale": "the gradient scale",
}  # fmt: skip
"""What may differ between two recipes, in words."""


def time_needed(recipe: Recipe) -> str:
    """How long a recipe will take on this machine, in words."""
    needed = _seconds_needed(recipe)
    if not needed.seconds:
        return "computed before, shown at once"
    if needed.rough and recipe.device != "cpu" and set(devices().known() or ()) - {"cpu"}:
        return "the first run here shows how long it takes"  # the guess is of a CPU
    words = about(needed.seconds)
    return f"{'roughly ' + words.removeprefix('about ') if needed.rough else words} on this machine"


@st.cache_data(ttl=5.0, max_entries=256, show_spinner=False, hash_funcs={Recipe: lambda recipe: recipe.key})
def _seconds_needed(recipe: Recipe) -> Estimate:
    return engine().seconds_needed(recipe)


def in_words(recipe: Recipe) -> str:
    """A recipe in one line."""
    noise = recipe.parse_noise(recipe.noise[0])
    share = noise.overall_rate
    flipped = f", {float(share):.0%} of the labels wrong" if share is not None and recipe.noise[0] != "none" else ""
    epochs = f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}"
    seeds = f"{len(recipe.seeds)} seed{'s' if len(recipe.seeds) > 1 else ''}"
    kind = noise.spec if len(noise.spec) < 40 else f"a matrix of {noise.classes} classes"
    samples = f"{recipe.samples:,} training samples, " if recipe.samples else ""
    then = "".join(f", {change.lr:g} from epoch {change.epoch}" for change in recipe.changes)
    scale = ", equal gradient scale" if recipe.equal_scale else ""
    return (
        f"{recipe.dataset.name}, {kind.replace(':', ' ')}{flipped}, {recipe.network.replace(':', ' ').upper()}, "
        f"{samples}{epochs}, learning rate {recipe.lr:g}{then}{scale}, {seeds}"
    )


def time_left(seconds: float | None) -> str:
    """How long it still takes, as precise as anybody wants to know.

    >>> time_left(7.3), time_left(200), time_left(None)
    ('8 s left', '4 min left', '')
    """
    if seconds is None:
        return ""
    return f"{int(seconds) + 1} s left" if seconds < 90 else f"{int(seconds / 60) + 1} min left"


class Devices:
    """Which devices there are, found out in another process: looking takes PyTorch's two seconds."""

    def __init__(self):
        self._lock = threading.Lock()
        self._found: dict[str, str] | None = None
        self._when = -DEVICES_FRESH
        self._looking = False

    def known(self) -> dict[str, str] | None:
        """The devices as last seen, key -> label, the best first; None before the first look is over.

        Looks again when that was a while ago.
        """
        with self._lock:
            if not self._looking and time.monotonic() - self._when > DEVICES_FRESH:
                self._looking = True
                threading.Thread(target=self._look, daemon=True).start()
            return self._found

    def _look(self) -> None:
        code = (
            "import json; from alf.training.devices import devices;"
            "print(json.dumps({d.key: d.label for d in devices()}))"
        )
        try:
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.SubprocessError, ValueError, IndexError) as error:
            found = {"cpu": f"CPU (looking for others failed: {type(error).__name__})"}
        with self._lock:
            self._found, self._when, self._looking = found, time.monotonic(), False


@st.cache_resource(show_spinner=False)
def devices() -> Devices:
    """The devices of this server."""
    return Devices()
