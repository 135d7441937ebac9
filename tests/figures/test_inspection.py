"""Figures of what networks do sample by sample: their messages are computed, their pictures are what the arrays say."""

import base64
import io
import itertools
import json

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from alf.figures.base import Series
from alf.figures.classes import COLORS, SYMBOLS, class_color, class_symbol
from alf.figures.inspection import MOST_CLASSES, class_accuracy_figure, confusion_figure, plane_figure
from alf.figures.palette import BAD, HUES, rgb, style
from alf.figures.pictures import regions_picture, sample_picture
from alf.figures.regions import memorised_points_figure, regions_figure
from tests.figures.test_palette import PAGES, VISION, lab, linear, luminance

NAMES = ("a", "b", "c")
POINTS = np.array([[0.0, 1.0], [1.0, 0.0], [-1.0, -1.0], [2.0, 2.0]])
COUNTS = np.array([[8, 2, 0], [1, 9, 0], [3, 0, 3]])


def accuracies(**losses):
    """A series for each loss, by its key."""
    return [
        Series(key.upper(), style(key), np.arange(len(values)), np.array(values, dtype=float))
        for key, values in losses.items()
    ]


def pixels(uri):
    assert uri.startswith("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def regions(title="CE"):
    scores = np.zeros((4, 4, 3), np.float32)
    given, flipped = np.array([0, 1, 2, 2]), np.array([False, True, False, True])
    return regions_figure(scores, 2.6, POINTS, given, flipped, NAMES, title)


def heart(memorised=(False, True, False, False)):
    true, flipped = np.array([0, 1, 2, 0]), np.array([False, True, False, True])
    return memorised_points_figure(2.6, POINTS, true, flipped, np.array(memorised), NAMES, style("ce"), "CE")


def plane(names=NAMES):
    true, predicted = np.array([0, 1, 2, 0]), np.array([0, 2, 2, 0])
    return plane_figure(POINTS, true, predicted, names, "CE", ("first axis", "second axis"))


FIGURES = {
    "accuracy": lambda: class_accuracy_figure(accuracies(ce=[0.5, 0.9, 1.0], mae=[0.8, 0.9, 1.0]), NAMES),
    "confusion": lambda: confusion_figure(COUNTS, NAMES, "CE"),
    "plane": plane,
    "regions": regions,
    "heart": heart,
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_complete(name):
    figure = FIGURES[name]()
    assert isinstance(figure, go.Figure)
    assert figure.layout.title.text and not figure.layout.title.text.endswith(".")
    assert figure.layout.xaxis.title.text and figure.layout.yaxis.title.text
    text = figure.to_json()
    assert "Infinity" not in text and "NaN" not in text
    assert set(json.loads(text)) == {"data", "layout"}


@pytest.mark.parametrize(
    ("losses", "title"),
    [
        ({"ce": [0.5, 0.9, 1.0], "mae": [0.8, 0.9, 1.0]}, "a is the hardest class: CE gets 50% right, MAE 80%"),
        ({"ce": [0.9, 0.4, 1.0]}, "b is the hardest class: 40% right"),
        ({"ce": [0.9, 0.4, 1.0], "mae": [0.9, 0.41, 1.0]}, "b is the hardest class: 40% right"),
        ({"ce": [0.9, 0.4, 0.4]}, "b and c are the hardest classes, equally: 40% right"),
        (
            {"ce": [0.1, 0.3, 1.0], "mae": [0.3, 0.1, 1.0]},
            "a and b are the hardest classes, equally: 20% right on average",
        ),
        ({"ce": [0.4, 0.4, 0.4]}, "No class is harder than another: each is 40% right"),
        ({"ce": [1.0, 1.0, 1.0]}, "Every class is predicted without a mistake"),
    ],
)
def test_the_hardest_class_is_named(losses, title):
    assert class_accuracy_figure(accuracies(**losses), NAMES).layout.title.text == title


def test_each_loss_has_its_colour_and_its_own_row_beside_the_others():
    _, first, second = class_accuracy_figure(accuracies(ce=[0.5, 0.9, 1.0], mae=[0.8, 0.9, 1.0]), NAMES).data
    assert (first.name, second.name) == ("CE", "MAE")
    assert (first.marker.color, second.marker.color) == (style("ce").color, style("mae").color)
    np.testing.assert_allclose(first.x, [0.5, 0.9, 1.0], atol=1e-6)
    assert not set(first.y) & set(second.y)
    assert first.y[0] > first.y[2]  # the first class on top


def test_of_many_classes_the_hardest_are_shown():
    accuracy = np.linspace(0.99, 0.0, 100)
    figure = class_accuracy_figure(accuracies(ce=accuracy), [f"class {i}" for i in range(100)])
    assert list(figure.layout.yaxis.ticktext) == [f"class {i}" for i in range(100 - MOST_CLASSES, 100)]
    assert f"The {MOST_CLASSES} hardest of 100 classes" in figure.layout.title.subtitle.text


def test_confusions_that_tie_are_all_named_and_framed():
    figure = confusion_figure(np.array([[2, 2, 0], [0, 4, 0], [1, 0, 1]]), NAMES, "CE")
    text = "CE takes a for b and c for a most often, equally: 50% of the test pictures of the true class"
    assert figure.layout.title.text == text and len(figure.layout.shapes) == 2


def test_the_confusion_that_is_named_is_the_largest_share():
    figure = confusion_figure(COUNTS, NAMES, "CE")
    assert figure.layout.title.text == "CE takes c for a most often: 3 of 6 test pictures"
    [frame] = figure.layout.shapes
    assert (frame.x0 + 0.5, frame.y0 + 0.5) == (0, 2)
    written = {(a.y, a.x): a.text for a in figure.layout.annotations}
    assert written == {(i, j): str(COUNTS[i, j]) for i, j in zip(*np.nonzero(COUNTS), strict=True)}
    np.testing.assert_allclose(figure.data[0].z[2], np.sqrt([0.5, 0.0, 0.5]), atol=1e-6)


def test_no_mistake_is_no_confusion():
    figure = confusion_figure(np.diag([3, 4]), ("a", "b"), "CE", "points")
    assert figure.layout.title.text == "CE gets every one of 7 test points right" and not figure.layout.shapes


def test_samples_are_marked_by_class_and_wrong_ones_edged():
    by_letter = {trace.name: trace for trace in plane().data}
    assert by_letter["b"].text == ("b",) and by_letter["b"].marker.line.color == (BAD[0],)
    assert BAD[0] not in by_letter["a"].marker.line.color
    symbols = {trace.name: trace.marker.symbol for trace in plane(("cat", "dog", "owl")).data}
    assert len(set(symbols.values())) == 3
    # of the four points the nearest ones are of classes (b, a, a, a or b): one of them of the own class
    assert plane().layout.title.text == "CE: 25% of the samples lie next to their own class"


def test_a_picture_of_regions_has_its_rows_from_below_and_is_strongest_where_sure():
    scores = np.full((5, 5, 2), -8.0, np.float32)
    scores[:, :, 0] = np.linspace(-8, 8, 5)[:, None]  # class 0 above
    scores[:, :, 1] = -scores[:, :, 0]
    image = np.array(pixels(regions_picture(scores, 50)).convert("RGBA"))
    assert image.shape == (50, 50, 4)
    colors = [rgb(class_color(k)) for k in (0, 1)]
    assert tuple(image[0, 25][:3]) == colors[0] and tuple(image[-1, 25][:3]) == colors[1]
    assert image[0, 25, 3] == image[-1, 25, 3] > 2 * image[24, 25, 3]


def test_regions_between_the_points_of_the_grid_are_those_of_interpolated_scores():
    scores = np.zeros((2, 2, 2), np.float32)
    scores[:, 1, 1] = 1.0
    scores[:, 0, 0] = 3.0  # along the lower side: 3 - 3x against x, equal at x = 3/4
    image = np.array(pixels(regions_picture(scores, 100)).convert("RGBA"))[..., :3]
    first = rgb(class_color(0))
    assert [tuple(image[50, x]) == first for x in (10, 70, 80, 99)] == [True, True, False, False]


def test_a_sample_is_ink_on_paper_or_in_its_colours():
    grey = np.array([[[0, 16], [8, 0]]])
    assert np.array(pixels(sample_picture(grey, 16))).tolist() == [[255, 0], [127, 255]]
    colour = np.array([[[255]], [[0]], [[128]]])
    assert np.array(pixels(sample_picture(colour, 255))).tolist() == [[[255, 0, 128]]]


def test_the_picture_of_regions_lies_under_the_points():
    figure = regions("CE: 90% right")
    [image] = figure.layout.images
    assert (image.x, image.y, image.sizex, image.sizey, image.layer) == (-2.6, 2.6, 5.2, 5.2, "below")
    right, wrong = figure.data
    assert (len(right.x), len(wrong.x)) == (2, 2) and wrong.marker.symbol == "x"
    assert wrong.marker.color == (class_color(1), class_color(2))  # of the label that was given


def test_points_learned_by_heart_are_full_discs_in_the_losss_colour():
    figure = heart()
    assert figure.layout.title.text == "CE has memorised 1 of 2 wrong labels"
    _, held, known = figure.data
    assert known.marker.color == style("ce").color and list(known.x) == [1.0]
    assert held.marker.color == "rgba(0,0,0,0)" and list(held.x) == [2.0]


@pytest.mark.parametrize("vision", VISION)
def test_the_classes_of_points_stay_apart_for_all_eyes(vision):
    seen = [lab(np.clip(np.array(VISION[vision]) @ linear(color), 0, 1)) for color in COLORS[:5]]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 12


@pytest.mark.parametrize("page", PAGES.values())
@pytest.mark.parametrize("color", COLORS)
def test_every_class_is_seen_on_both_pages(color, page):
    high, low = sorted((luminance(color), luminance(page)), reverse=True)
    assert (high + 0.05) / (low + 0.05) > 1.8


@pytest.mark.parametrize("vision", VISION)
def test_ten_classes_differ_for_all_eyes(vision):
    seen = [lab(np.clip(np.array(VISION[vision]) @ linear(color), 0, 1)) for color in COLORS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > (25 if vision == "ordinary" else 8)


def test_no_class_looks_like_a_loss():
    losses = [lab(linear(color)) for hue in HUES.values() for color in hue]
    assert min(np.linalg.norm(lab(linear(color)) - loss) for color in COLORS for loss in losses) > 8


def test_a_hundred_classes_have_a_hundred_marks():
    marks = {(class_color(k), class_symbol(k)) for k in range(100)}
    assert len(marks) == len(COLORS) * len(SYMBOLS) == 100
