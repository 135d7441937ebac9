"""The mirror's figure: what it draws of a loss, and the sentence it makes of the distances."""

import numpy as np
import plotly.graph_objects as go
import pytest

from alf.figures.base import Series
from alf.figures.mirror import Mirrored, message, mirror_figure
from alf.figures.palette import style

X = np.linspace(0, 0.5, 11)


def mirrored(name, y, gap=None, leaves=None, spread=0.0):
    best = Series(name, style(name.lower()), X, y, np.full(len(X), spread))
    if gap is None:
        return Mirrored(best, leaves=leaves)
    at = np.array([0.2, 0.4])
    return Mirrored(best, Series(name, best.style, at, np.array([0.8, 0.6]), np.full(2, 0.01)), np.array(gap), leaves)


def test_lines_dots_rings_and_bands():
    losses = [
        mirrored("CE", 1 - X, (0.01, -0.02), 0.0),
        mirrored("AEL", np.ones(11), (0.0, 0.0), 0.5),
        mirrored("NCE", np.full(11, 0.5), spread=0.5),
    ]
    figure = mirror_figure(losses, "pair noise rate", 0.5, networks=2)
    assert isinstance(figure, go.Figure)
    kinds = [(trace.name, trace.mode, trace.meta) for trace in figure.data]
    assert kinds.count(("CE", "markers", "networks")) == kinds.count(("CE", "markers", "leaves")) == 1
    assert ("AEL", "markers", "leaves") not in kinds  # where clean labels end, nothing is left
    band, line = [trace for trace in figure.data if trace.name == "NCE"]
    assert band.fill == "toself" and np.isnan(line.y).all() and line.showlegend is None
    assert figure.layout.xaxis.tickformat == ".0%" and "over 2 seeds" in figure.layout.title.subtitle.text
    assert "likeliest" in figure.layout.annotations[0].text
    assert not mirror_figure(losses, "share t", 1.0).layout.annotations
    assert mirror_figure([mirrored("CE", 1 - X)], "pair noise rate", 0.5).layout.title.text.endswith("says: CE")


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ({"CE": (0.01, -0.02), "MAE": (0, 0)}, "Trained networks come within 0.02 of the best prediction"),
        ({"CE": (0, 0.001)}, "Trained networks come within 0.01 of the best prediction"),
        (
            {"CE": (0, 0.01), "AEL": (0, -0.3)},
            "The networks of CE come within 0.05 of the best prediction; AEL is 0.30 below it at 40% noise",
        ),
        ({"AEL": (0.2, 0.1)}, "Trained networks miss the best prediction: AEL is 0.20 above it at 20% noise"),
    ],
)
def test_the_title_says_how_far_and_where(gaps, said):
    assert message([mirrored(name, 1 - X, gap) for name, gap in gaps.items()]) == said
