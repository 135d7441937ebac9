"""Runs in one figure: colours tell losses apart, dashes runs; the title says what stands highest."""

import numpy as np
import plotly.graph_objects as go
import pytest

from alf.figures.runs import Mark, compare_figure, curves, loss_styles
from alf.figures.training import bands
from alf.training import Recipe
from alf.training.records import summarise

RECIPE = Recipe(data="digits", losses=("ce", "ael:a=3.5"), noise=("symmetric:0.5",), seeds=(0, 1), epochs=10)


def records(recipe, accuracies):
    """Two epochs: each loss goes to its accuracy from the first number to the second one."""
    return [
        {
            "lane": i,
            **lane._asdict(),
            "epoch": epoch,
            "test_accuracy": accuracies[lane.loss][epoch - 1],
            "flipped_given_accuracy": None,
        }
        for epoch in (1, 2)
        for i, lane in enumerate(recipe.lanes)
    ]


FIRST = ("One", RECIPE, records(RECIPE, {"ce": (0.9, 0.6), "ael:a=3.5": (0.5, 0.8)}), (), False)
OTHER = RECIPE.with_(losses=("ael:a=3.5", "ael:a=2"), noise=("none",))
SECOND = ("Two", OTHER, records(OTHER, {"ael:a=3.5": (0.5, 0.7), "ael:a=2": (0.4, 0.75)}), (), True)


def test_a_loss_keeps_its_colour_and_a_run_its_dash():
    one, two = curves([FIRST, SECOND])
    assert one.series[1].style.color == two.series[0].style.color
    assert len({series.style.color for group in (one, two) for series in group.series}) == 3
    assert {s.style.dash for s in one.series} == {one.dash} != {s.style.dash for s in two.series}
    assert [list(s.y) for s in one.series] == [[0.9, 0.6], [0.5, 0.8]]


def test_room_is_left_for_what_is_to_come_only_while_a_run_goes():
    one, two = curves([FIRST, SECOND])
    assert (one.epochs, two.epochs) == (2, 10)
    figure = compare_figure([one])
    assert isinstance(figure, go.Figure) and 2 <= figure.layout.xaxis.range[1] < 2.1


def test_noises_of_one_run_are_kept_apart():
    recipe = RECIPE.with_(noise=("none", "pair:0.2"), losses=("ce",))
    rows = [r | {"test_accuracy": 0.9 if r["noise"] == "none" else 0.3} for r in records(recipe, {"ce": (0, 0)})]
    alone = curves([("One", recipe, rows, (), False)])
    assert [(group.name, group.series[0].y[-1]) for group in alone] == [("none", 0.9), ("pair 0.2", 0.3)]
    assert [g.name for g in curves([("One", recipe, rows, (), False), SECOND])][:2] == ["One: none", "One: pair 0.2"]


def test_the_title_names_the_highest_and_who_fell():
    figure = compare_figure.spec(curves([FIRST, SECOND]))
    title = figure["layout"]["title"]["text"]
    assert title == "AEL in “One” leads with 80%; CE in “One” falls from 90% to 60%"
    assert figure["data"][0]["name"] == "CE · One"
    assert compare_figure.spec(curves([("New", RECIPE, [], (), True)]))["layout"]["title"]["text"].startswith(
        "Accuracy"
    )


def test_published_numbers_are_diamonds_in_the_colour_of_their_loss():
    style = loss_styles([RECIPE])["ce"]
    figure = compare_figure(curves([FIRST]), [Mark("CE as published", style, 2, 0.58, 0.01)])
    mark = figure.data[-1]
    assert (mark.marker.symbol, mark.marker.color, mark.y, mark.error_y.value) == (
        "diamond",
        style.color,
        (0.58,),
        0.01,
    )
    assert "published" in figure.layout.title.subtitle.text


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_the_table_is_the_height_of_the_curve(seed):
    rng = np.random.default_rng(seed)
    lanes = {lane: int(rng.integers(1, 30)) for lane in range(int(rng.integers(1, 5)))}
    ended = {lane: "Diverged." for lane in lanes if rng.random() < 0.3}
    rows = [
        {"lane": lane, "loss": "ce", "noise": "none", "seed": lane, "epoch": epoch, "test_accuracy": rng.random()}
        | {"flipped_given_accuracy": None}
        for lane, epochs in lanes.items()
        for epoch in range(1, epochs + 1)
    ]
    [summary] = summarise(rows, ended)
    x, mean, spread = bands(rows, "test_accuracy", ended)["ce"]
    assert summary["best"]["mean"] == pytest.approx(mean.max()) and summary["best_epoch"] == x[mean.argmax()]
    assert summary["best"]["std"] == pytest.approx(spread[mean.argmax()])
