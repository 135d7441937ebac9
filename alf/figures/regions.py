"""Points in the plane: the regions a network gives each class, and which wrong labels it has learned by heart."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import axis, builder, figure
from alf.figures.classes import EDGE, class_color
from alf.figures.palette import BAD, HUES, Style
from alf.figures.pictures import regions_picture

INK = HUES["ink"][0]


@builder
def regions_figure(
    scores: np.ndarray,
    reach: float,
    points: np.ndarray,
    given: np.ndarray,
    flipped: np.ndarray,
    names: Sequence[str],
    title: str,
    height: int = 320,
) -> dict:
    """The class that a network gives every point of the plane, and the training points with the labels they were given.

    Parameters
    ----------
    scores : np.ndarray, shape (side, side, K)
        Log-probabilities over [-reach, reach] in both directions, rows from below.
    points : np.ndarray, shape (M, 2)
        Training points.
    given : np.ndarray, shape (M,)
        The labels they were given.
    flipped : np.ndarray, shape (M,), bool
        Which of these are wrong.
    names : sequence of str
        Of the K classes.
    title : str
        What the picture says.
    """
    picture = {
        "source": regions_picture(scores),
        "xref": "x",
        "yref": "y",
        "x": -reach,
        "y": reach,
        "sizex": 2 * reach,
        "sizey": 2 * reach,
        "sizing": "stretch",
        "layer": "below",
    }
    size = 1 if len(points) <= 300 else 0.75
    traces = [
        _points(points[~flipped], [class_color(int(k)) for k in given[~flipped]], "right label")
        | {"text": [f"{names[k]}, as labelled" for k in given[~flipped]]},
        _points(points[flipped], [class_color(int(k)) for k in given[flipped]], "wrong label")
        | {"text": [f"labelled {names[k]}, wrongly" for k in given[flipped]]},
    ]
    traces[0]["marker"] |= {"size": 6 * size, "opacity": 0.75}
    traces[1]["marker"] |= {"size": 10 * size, "symbol": "x", "line": {"color": INK, "width": 1.2}}
    return _plane(traces, title, reach, height, images=[picture])


@builder
def memorised_points_figure(
    reach: float,
    points: np.ndarray,
    true: np.ndarray,
    flipped: np.ndarray,
    memorised: np.ndarray,
    names: Sequence[str],
    style: Style,
    loss: str,
    height: int = 320,
) -> dict:
    """Training points with a wrong label: those that a network has learned by heart, and those it has not.

    Parameters
    ----------
    points : np.ndarray, shape (M, 2)
        Training points in [-reach, reach].
    true : np.ndarray, shape (M,)
        Their true classes.
    flipped, memorised : np.ndarray, shape (M,), bool
        Which were given a wrong label, and which of these are predicted as that label.
    names : sequence of str
        Of the K classes.
    style
        Of the loss.
    loss : str
        Who was trained with what, for the title.
    """
    held = flipped & ~memorised
    traces = [
        _points(points[~flipped], [class_color(int(k)) for k in true[~flipped]], "right label"),
        _points(points[held], "rgba(0,0,0,0)", "wrong label, not memorised"),
        _points(points[memorised], style.color, "wrong label, memorised"),
    ]
    for trace, some in zip(traces, (~flipped, held, memorised), strict=True):
        trace["text"] = [f"truly {names[k]}" for k in true[some]]
    traces[0]["marker"] |= {"size": 5, "opacity": 0.7, "line": {"color": EDGE, "width": 0.4}}
    traces[1]["marker"] |= {"size": 10, "line": {"color": style.color, "width": 1.6}}
    traces[2]["marker"] |= {"size": 10, "line": {"color": "#FFFFFF", "width": 1}}
    title = f"{loss} has memorised {memorised.sum()} of {flipped.sum()} wrong labels"
    return _plane(traces, title, reach, height, styles=[style])


def _points(points: np.ndarray, color, name: str) -> dict:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": points[:, 0].astype(np.float32),
        "y": points[:, 1].astype(np.float32),
        "marker": {"color": color, "line": {"color": EDGE, "width": 0.6}},
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
    }


def _plane(traces: list[dict], title: str, reach: float, height: int, **layout) -> dict:
    """Square axes over the plane of normalised inputs."""
    side = {"showgrid": False, "nticks": 5, "constrain": "domain"}
    spec = figure(
        traces,
        title,
        axis("first input", -reach, reach) | side,
        axis("second input", -reach, reach) | side | {"scaleanchor": "x"},
        height=height,
        hovermode="closest",
        **layout,
    )
    spec["layout"]["meta"]["dark"] |= {BAD[0]: BAD[1]}
    return spec
