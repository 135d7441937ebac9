"""What a noise does, as figures: complete and valid, every number from the labels handed in, wrong points crossed."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from alf.figures.base import Series
from alf.figures.matrix import dominance_figure
from alf.figures.noise import drawn_figure, points_figure, rates_figure
from alf.figures.palette import style
from alf.figures.training import accuracy_figure, memorised_figure, metric_figure, pale
from alf.training.recipe import Change

COUNTS = np.array([[6, 2, 0], [0, 8, 0], [1, 1, 2]])
NAMES = ("cat", "dog", "ship")
TRUE, GIVEN = np.array([0, 1, 2, 0]), np.array([0, 1, 1, 2])
POINTS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.float32)
LOSSES = [("AGCE", style("agce"), 1.48), ("CE", style("ce"), np.inf)]
FIGURES = {
    "drawn": lambda: drawn_figure(COUNTS, NAMES),
    "rates": lambda: rates_figure(COUNTS, np.array([0.3, 0.3, 0.3]), NAMES),
    "rates unknown": lambda: rates_figure(COUNTS, None, NAMES),
    "no noise": lambda: rates_figure(np.diag([3, 4, 5]), np.zeros(3), NAMES),
    "dominance": lambda: dominance_figure(np.array([[0.6, 0.4, 0], [0, 1, 0], [0.5, 0.2, 0.3]]), LOSSES, NAMES),
    "points": lambda: points_figure(POINTS, TRUE, GIVEN, NAMES),
}


def test_dominance_has_a_bar_for_each_row_and_a_line_for_each_loss_with_a_ratio():
    figure = FIGURES["dominance"]()
    bars, line, numbers = figure.data
    assert np.allclose(bars.base + np.array(bars.x)[[0, 2]], [1.5, 0.6])
    assert list(numbers.text) == ["1.5", "no rival", "0.6"] and bars.marker.color[2] != bars.marker.color[0]
    assert line.name == "AGCE" and list(line.x) == [1.48, 1.48]
    assert figure.layout.title.text.startswith("The weakest row is class ship")
    assert "CE tolerates no wrong labels in any row: r = 0." in str(figure.to_dict())
    even = dominance_figure(np.full((3, 3), 0.2) + 0.4 * np.eye(3))
    assert even.layout.title.text == "In every row the clean label is 3 times as likely as its strongest rival"
    assert "No row has a rival" in dominance_figure(np.eye(2)).layout.title.text


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_complete(name):
    figure = FIGURES[name]()
    assert isinstance(figure, go.Figure)
    assert len(figure.layout.title.text) > 10 and not figure.layout.title.text.endswith(".")
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    text = figure.to_json()
    assert "Infinity" not in text and "NaN" not in text
    assert set(json.loads(text)) == {"data", "layout"}


def test_the_matrix_of_drawn_labels_holds_counts_and_is_coloured_by_shares():
    figure = drawn_figure(COUNTS, NAMES)
    assert figure.layout.title.text == "4 of 20 labels are wrong: 20.0%"
    assert np.allclose(figure.data[0].z, [[0.75, 0.25, 0], [0, 1, 0], [0.25, 0.25, 0.5]])
    assert [word.text for word in figure.layout.annotations] == ["6", "2", "0", "0", "8", "0", "1", "1", "2"]


def test_a_class_without_samples_has_a_row_of_zeros():
    figure = drawn_figure(np.array([[0, 0], [1, 3]]), "ab")
    assert np.allclose(figure.data[0].z, [[0, 0], [0.25, 0.75]])


def test_rates_by_class_with_what_was_asked_for():
    figure = rates_figure(COUNTS, np.array([0.3, 0.1, 0.5]), NAMES)
    assert np.allclose(figure.data[0].y, [0.25, 0, 0.5])
    assert [(line.y0, line.y1) for line in figure.layout.shapes] == [(0.3, 0.3), (0.1, 0.1), (0.5, 0.5)]
    assert (
        figure.layout.title.text
        == "1 of 3 classes keeps every label; the largest share of wrong labels is 50%, in ship"
    )
    assert rates_figure(np.array([[1, 1], [1, 3]]), None, "ab").layout.title.text == (
        "The noise rate goes from 25% in b to 50% in a"
    )


def test_rates_that_tie_are_told_to_tie():
    even = rates_figure(np.array([[1, 1], [2, 2]]), None, "ab")
    assert even.layout.title.text == "The noise rate is 50% in every class"
    two = rates_figure(np.array([[1, 1, 0], [1, 1, 0], [0, 0, 2]]), None, "abc")
    assert (
        two.layout.title.text
        == "1 of 3 classes keeps every label; the largest share of wrong labels is 50%, in a and b"
    )


def test_the_weakest_rows_that_tie_are_counted():
    rows = np.array([[0.6, 0.4, 0], [0.4, 0.6, 0], [0, 0.2, 0.8]])
    text = "In the 2 weakest rows the clean label is 1.5 times as likely as its strongest rival"
    assert dominance_figure(rows).layout.title.text == text


def test_wrong_points_are_crossed_in_the_colour_of_the_label_they_were_given():
    figure = points_figure(POINTS, TRUE, GIVEN, NAMES)
    wrong = {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data if trace.marker.symbol == "x"}
    assert (
        wrong["dog, wrong"] == ([0.0], [1.0])
        and wrong["ship, wrong"] == ([1.0], [1.0])
        and wrong["cat, wrong"][0] == []
    )
    colors = {trace.name: trace.marker.color for trace in figure.data}
    assert colors["dog"] == colors["dog, wrong"] != colors["cat"]
    assert figure.layout.title.text == "2 of 4 points have a wrong label"


CURVE = Series("CE", style("ce"), np.arange(1.0, 5), np.array([0.2, 0.5, 0.9, 0.6]), np.full(4, 0.1))


@pytest.mark.parametrize(
    "build",
    [
        lambda changes: accuracy_figure([CURVE], 10, changes),
        lambda changes: memorised_figure([CURVE], 10, changes),
        lambda changes: metric_figure([CURVE], 10, "grad_norm", changes),
    ],
)
def test_changes_of_the_learning_rate_are_marked_before_their_epoch(build):
    figure = build((Change(3, 0.5), Change(9, 0.125)))
    assert [line.x0 for line in figure.layout.shapes] == [2.5, 8.5]
    words = figure.layout.annotations
    assert [word.text for word in words] == ["lr 0.5", "lr 0.125"]
    assert words[1].xanchor == "right" and words[0].yshift != words[1].yshift  # inside the plot, none on another
    assert not build(()).layout.shapes


def test_pale_keeps_the_picture_and_says_something_else():
    before = accuracy_figure.spec([CURVE], 10)
    after = pale(before, "Starting", "Pale: the run before.")
    go.Figure(after)
    assert [trace["opacity"] for trace in after["data"]] == [0.25, 0.25]
    assert after["layout"]["title"]["text"] == "Starting" and after["layout"]["height"] == before["layout"]["height"]
    assert "opacity" not in before["data"][0] and before["layout"]["title"]["text"] != "Starting"


def test_one_of_something_takes_the_singular():
    assert drawn_figure(np.array([[7, 1], [0, 8]]), "ab").layout.title.text == "1 of 16 labels is wrong: 6.2%"
    one = points_figure(POINTS, TRUE, np.array([0, 1, 1, 0]), NAMES)
    assert one.layout.title.text == "1 of 4 points has a wrong label"
    several = rates_figure(np.array([[1, 1, 0], [0, 2, 0], [0, 0, 2]]), None, NAMES)
    assert several.layout.title.text.startswith("2 of 3 classes keep every label;")
