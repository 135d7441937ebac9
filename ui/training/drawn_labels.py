"""What the noise does to the chosen data set: asked and drawn side by side, class by class, and sample by sample."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from alf.data import dataset
from alf.data.files import Missing
from alf.errors import InputError
from alf.figures.matrix import matrix_figure
from alf.figures.noise import POINTS_HEIGHT, drawn_figure, points_figure, rates_figure
from alf.figures.pictures import sample_picture
from alf.noise import parse_noise
from alf.settings import settings
from alf.training.recipe import Recipe
from alf.training.samples import samples_used
from ui.charts.chart import chart
from ui.state.view import View
from ui.words.key_figures import key_figures, rates

SEED = 0


SAMPLES = 24  # shown as pictures


POINTS = 400  # shown in the plane


@dataclass(frozen=True)
class Drawn:
    """The labels of one draw: counts (K, K) by true and given label, and the first samples with both labels."""

    counts: np.ndarray
    inputs: np.ndarray
    true: np.ndarray
    given: np.ndarray

    @property
    def rate(self) -> float:
        """The share of wrong labels."""
        return 1 - float(np.trace(self.counts) / self.counts.sum())


@st.cache_resource(show_spinner="Reading the data …", max_entries=2)
def _used(data: str, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """The training samples of a data set that a recipe uses; 0 are all."""
    arrays = dataset(data).load(settings().data_dir, partial=samples > 0)
    if samples > len(arrays.train_labels):
        raise InputError(f"samples: {data} has {len(arrays.train_labels)} training samples, got {samples}")
    used = samples_used(Recipe(data=data, losses=("ce",), samples=samples or None), arrays.train_labels)
    return arrays.train_inputs[used], arrays.train_labels[used]


@st.cache_resource(show_spinner=False, max_entries=64)
def draw(data: str, samples: int, spec: str) -> Drawn:
    """Draw the labels that a run of these samples with seed 0 is trained on."""
    inputs, true = _used(data, samples)
    declared = dataset(data)
    noise = parse_noise(spec, declared.classes, data)
    given = noise.corrupt(true, SEED, declared.normalise(inputs) if noise.kind == "instance" else None)
    counts = np.zeros((declared.classes, declared.classes), int)
    np.add.at(counts, (true, given), 1)
    few = slice(0, SAMPLES if declared.is_picture else POINTS)
    return Drawn(counts, inputs[few].copy(), true[few], given[few])


def noise_picture(view: View) -> None:
    """The panel "What the noise does"; nothing is computed before it is opened."""
    panel = st.expander("What the noise does", key="noise-picture", on_change="rerun")
    if panel.open:
        with panel:
            _panel(view["data"], view.value("samples"), view["noise"])


def _panel(data: str, samples: int, spec: str) -> None:
    declared = dataset(data)
    names = declared.class_names
    noise = parse_noise(spec, declared.classes, data)
    try:
        drawn = draw(data, samples, spec)
    except Missing:
        drawn = None
        st.info(f"{declared.name} is not on this machine yet. Start downloads it; its labels can be shown after that.")
    except InputError as error:
        st.error(str(error))
        return
    seen = [] if drawn is None else [(f"{drawn.rate:.1%}", "of the labels drawn are wrong")]
    st.html(key_figures(rates(noise) + seen))
    matrices = [] if noise.transition is None else [matrix_figure.spec(noise.transition, names)]
    for asked in matrices:
        asked["layout"]["title"]["subtitle"]["text"] = "Asked for: how often a sample of each class gets each label."
    if drawn is not None:
        matrices.append(drawn_figure.spec(drawn.counts, names))
    if matrices:
        chart(*matrices, key="noise-matrices", legend=False)
    if drawn is None:
        return
    expected = None if noise.transition is None else 1 - noise.transition.diagonal()
    if declared.is_picture:
        chart(rates_figure.spec(drawn.counts, expected, names), key="noise-rates", legend=False)
        st.html(_pictures(drawn, names, declared.high))
    else:
        points = points_figure.spec(drawn.inputs, drawn.true, drawn.given, names)
        chart(rates_figure.spec(drawn.counts, expected, names, POINTS_HEIGHT), points, key="noise-rates", legend=False)


def _pictures(drawn: Drawn, names: tuple[str, ...], high: float) -> str:
    """The first samples as the run sees them: the label given, and the true one where they differ."""
    tiles = []
    for values, true, given in zip(drawn.inputs, drawn.true, drawn.given, strict=True):
        wrong = true != given
        words = f"<del>{names[true]}</del> <b>{names[given]}</b>" if wrong else names[given]
        alt = f"given {names[given]}, truly {names[true]}"
        picture = f'<img src="{sample_picture(values, high)}" alt="{alt}" title="{alt}">'
        kind = " class=wrong" if wrong else ""
        tiles.append(f"<figure{kind}>{picture}<figcaption>{words}</figcaption></figure>")
    about = "The first samples with the labels they were given. Where that is wrong, the true label is struck out."
    return f'<p class="alf-note">{about}</p><div class="alf-tiles">{"".join(tiles)}</div>'
