"""A matrix as a person brings it: pasted from a spreadsheet, uploaded as CSV, edited cell by cell. No Streamlit."""

import re
from collections.abc import Sequence
from fractions import Fraction

from alf.errors import InputError
from alf.losses.domain import quoted
from alf.noise import show

FEWEST, MOST = 2, 20
LONGEST = 100_000
_NUMBER = re.compile(
    r"[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})(e[+-]?\d{1,2})?|[+-]?\d{1,18}/0*[1-9]\d{0,17}", re.I | re.ASCII
)


def read_table(text: str, most: int = MOST) -> list[list[str]]:
    """The cells of a pasted or uploaded square table, by lines; cells end at tabs, semicolons, commas or spaces.

    One line is read as a noise spec writes a matrix, its rows by semicolons. Names or counting numbers in a first row
    or column are left out, and decimal commas are read where something else ends the cells.

    Raises
    ------
    InputError
        Too long, not square, or of a size that the page does not show.

    Examples
    --------
    >>> read_table("0.6\\t0.4\\n0.3\\t0.7\\n")
    [['0.6', '0.4'], ['0.3', '0.7']]
    >>> read_table("true;cat;dog\\ncat;0,6;0,4\\ndog;0,3;0,7")
    [['0.6', '0.4'], ['0.3', '0.7']]
    >>> read_table("1 2 3")
    Traceback (most recent call last):
    ...
    alf.errors.InputError: matrix: as many rows as columns are needed, got 1 rows of 3
    """
    if len(text) > LONGEST:
        raise InputError(f"matrix: at most {LONGEST} characters are read, got {len(text)}")
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) == 1:
        parts = [part.strip() for part in lines[0].split(";") if part.strip()]
        if len(parts) > 1 and any(re.search(r"[\s,]", part) for part in parts):
            lines = parts
    rows = _without_titles([_cells(line) for line in lines])
    widths = {len(row) for row in rows}
    if not rows:
        raise InputError("matrix: rows of numbers are needed, got nothing")
    if widths != {len(rows)}:
        sizes = " or ".join(map(str, sorted(widths)[:4]))
        raise InputError(f"matrix: as many rows as columns are needed, got {len(rows)} rows of {sizes}")
    if not FEWEST <= len(rows) <= most:
        raise InputError(f"matrix: between {FEWEST} and {most} classes fit this page, got {len(rows)}")
    return rows


def numbers(rows: Sequence[Sequence[str]]) -> list[list[Fraction]]:
    """The cells as exact fractions, each at least 0.

    >>> numbers([["1/3", ".5"]])
    [[Fraction(1, 3), Fraction(1, 2)]]
    """
    result = []
    for i, row in enumerate(rows, 1):
        result.append([])
        for j, cell in enumerate(row, 1):
            text = str(cell).strip()
            value = Fraction(text) if _NUMBER.fullmatch(text) else None
            if value is None or value < 0 or value > 10**9:
                raise InputError(f"matrix: row {i}, column {j} must be a number of at least 0, got {quoted(text, 30)}")
            result[-1].append(value)
    return result


def normalise(rows: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """Every row divided by its sum.

    >>> normalise([[Fraction(3), Fraction(1)]])
    [[Fraction(3, 4), Fraction(1, 4)]]
    """
    result = []
    for i, row in enumerate(rows, 1):
        total = sum(row)
        if total == 0:
            raise InputError(f"matrix: row {i} is all zeros and cannot be normalised")
        result.append([value / total for value in row])
    return result


def spec(rows: Sequence[Sequence[Fraction]]) -> str:
    """The matrix as a noise spec, exactly.

    >>> spec([[Fraction(2, 3), Fraction(1, 3)], [Fraction(0), Fraction(1)]])
    'matrix:2/3,1/3;0,1'
    """
    return "matrix:" + ";".join(",".join(show(value) for value in row) for row in rows)


def lines(spec: str) -> str:
    """A noise spec as a field of several lines shows it: a matrix row by row, any other as it is.

    >>> print(lines("matrix:2/3,1/3;0,1"))
    2/3, 1/3
    0, 1
    >>> lines("pair:0.4")
    'pair:0.4'
    """
    kind, _, rows = spec.partition(":")
    return rows.replace(",", ", ").replace(";", "\n") if kind == "matrix" else spec


def named(text: str) -> bool:
    """Whether a typed noise begins with its kind, as `pair:0.4` does; anything else is the rows of a matrix.

    >>> named("pair:0.4"), named("matrix: .6 .4; .3 .7"), named("0.6 0.4")
    (True, False, False)
    """
    return text.strip()[:1].isalpha() and not text.strip().lower().startswith("matrix")


def _cells(line: str) -> list[str]:
    cells = re.split(_separator(line), line.strip(" ,;\t"))
    return [re.sub(r"^([+-]?\d*),(\d+)$", r"\1.\2", cell.strip()) for cell in cells]


def _without_titles(rows: list[list[str]]) -> list[list[str]]:
    """Leave out a first row or column of titles where the rest is square."""
    for header, label in ((0, 0), (1, 0), (0, 1), (1, 1)):
        body = [row[label:] for row in rows[header:]]
        above = rows[0][-len(body) :] if header and body else []
        beside = [row[0] for row in rows[header:]] if label else []
        square = len(body) >= FEWEST and all(len(row) == len(body) for row in body)
        if square and _titles(above) and _titles(beside) and not _named(body[0]):
            return body
    return rows


def _titles(cells: list[str]) -> bool:
    """Whether cells are names, or count from 0 or 1 to more than 1, as no probabilities do; so are none at all."""
    counted = [[str(i + first) for i in range(len(cells))] for first in (0, 1) if len(cells) + first > 2]
    return not cells or _named(cells) or cells in counted


def _named(cells: list[str]) -> bool:
    return not any(_NUMBER.fullmatch(cell) for cell in cells)


def _separator(line: str) -> str:
    for mark in ("\t", ";", ","):
        if mark in line:
            return rf"\s*{mark}\s*"
    return r"\s+"
