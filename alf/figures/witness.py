"""The counterexample that refutes a claim, drawn: on the loss's curve, or on the way from the clean label to it."""

from collections.abc import Sequence

import numpy as np

from alf.figures.base import Series, axis, builder, figure, line, mark, points
from alf.figures.palette import PLAIN, WRONG


def path(vertex: int, point: np.ndarray, steps: int = 201) -> tuple[np.ndarray, np.ndarray]:
    """Shares t from 0 to 1 and the predictions (1-t) e_vertex + t point, shape (steps, K).

    >>> path(0, np.array([.5, .5]), 3)[1].tolist()
    [[1.0, 0.0], [0.75, 0.25], [0.5, 0.5]]
    """
    t = np.linspace(0, 1, steps)
    corner = np.eye(len(point))[vertex]
    return t, (1 - t)[:, None] * corner + t[:, None] * point


@builder
def path_figure(series: Series, at_vertex: float, at_point: float) -> dict:
    """The weighted risk on the straight way from the clean label (t = 0) to the point that refutes (t = 1).

    Parameters
    ----------
    series : Series
        Risk over t.
    at_vertex, at_point : float
        The two numbers that contradict, as the verdict states them.
    """
    if np.isfinite(at_vertex):
        title = f"The risk falls below the clean label's: {at_point:.5g} against {at_vertex:.5g}"
    else:
        title = f"The risk is {at_point:.5g} here and infinite at the clean label"
    ends = [
        points(Series("at the clean label", PLAIN, np.array([0.0]), np.array([at_vertex])), 13, hover="%{y:.6g}"),
        points(Series("at the counterexample", WRONG, np.array([1.0]), np.array([at_point])), 13, hover="%{y:.6g}"),
    ]
    return figure(
        [line(series), *ends],
        title,
        axis("way from the clean label to the counterexample", -0.03, 1.03, tickformat=".0%"),
        axis("weighted risk"),
        "If the claim were true, no prediction could have a lower risk than the clean label itself.",
        styles=[series.style, WRONG, PLAIN],
        hovermode="closest",
        height=280,
    )


@builder
def curve_figure(series: Series, where: Sequence[float], statement: str) -> dict:
    """The loss with the values of u marked at which the claim fails."""
    at = np.asarray([float(u) for u in where])
    heights = np.interp(at, series.x, np.where(np.isfinite(series.y), series.y, np.nan))
    return figure(
        [line(series), points(Series("counterexample", WRONG, at, heights), 12, hover="u = %{x:.6g}: %{y:.6g}")],
        statement,
        axis("u, probability given to the label", 0, 1),
        axis("loss"),
        marks=[mark(float(u), f"u = {u:.4g}") for u in at[:3]],
        styles=[series.style, WRONG],
        hovermode="closest",
        height=280,
    )
