"""A matrix as a person brings it: pasted from a spreadsheet, uploaded as CSV, edited cell by cell. No Streamlit."""

import re
from collections.abc import Sequence
from fractions import Fraction

from alf.errors import InputError, quoted
from alf.numbers import exact_fraction, fraction_text

FEWEST, MOST = 2, 20


LONGEST = 100_000


_COMMA = re.compile(r"0?,\d{1,30}|1,0{1,30}|[01]", re.ASCII)


def read_table(text: str, most: int = MOST) -> list[list[str]]:
    """The cells of a pasted or uploaded square table, by lines; cells end at tabs, semicolons, commas or spaces.

    One line is read as a noise spec writes a matrix, its rows by semicolons. Names in a first row or column are left
    out, and so are numbers that count both. Decimal commas are read in probabilities where something else ends cells.

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
    alf.errors.InputError: matrix: as many rows as columns are needed, got 1 row of 3
    """
    if len(text) > LONGEST:
        raise InputError(f"matrix: at most {LONGEST} characters are read, got {len(text)}")
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) == 1:
        parts = [part.strip() for part in lines[0].split(";") if part.strip()]
        if len(parts) > 1 and any(re.search(r"[\s,]", part) for part in parts):
            lines = parts
    rows = _without_titles(_with_points([_cells(line) for line in lines]))
    widths = {len(row) for row in rows}
    if not rows:
        raise InputError("matrix: rows of numbers are needed, got nothing")
    if widths != {len(rows)}:
        sizes = " or ".join(map(str, sorted(widths)[:4]))
        lines = "row" if len(rows) == 1 else "rows"
        raise InputError(f"matrix: as many rows as columns are needed, got {len(rows)} {lines} of {sizes}")
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
            value = exact_fraction(text)
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
    return "matrix:" + ";".join(",".join(fraction_text(value) for value in row) for row in rows)


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
    return [cell.strip() for cell in re.split(_separator(line), line.strip(" ,;\t"))]


def _with_points(rows: list[list[str]]) -> list[list[str]]:
    """Decimal commas as points, where all that has a comma is a probability: 1,200 may be more than a thousand."""
    written = [cell for row in rows for cell in row if "," in cell]
    if not all(_COMMA.fullmatch(cell) for cell in written):
        return rows
    return [[cell.replace(",", ".") for cell in row] for row in rows]


def _without_titles(rows: list[list[str]]) -> list[list[str]]:
    """Leave out a first row or column of titles where the rest is square; numbers are titles only where both stand."""
    if not rows or all(map(_is_number, (*rows[0], *(row[0] for row in rows)))):
        return rows if not _counted(rows) else [row[1:] for row in rows[1:]]
    for header, label in ((1, 0), (0, 1), (1, 1)):
        body = [row[label:] for row in rows[header:]]
        if len(body) < FEWEST or any(len(row) != len(body) for row in body):
            continue
        titles = [rows[0][-len(body) :]] * header + [[row[0] for row in rows[header:]]] * label
        if all(not any(map(_is_number, cells)) or (header and label and _counts(cells)) for cells in titles):
            return body
    return rows


def _counted(rows: list[list[str]]) -> bool:
    """Whether numbers count the columns and the rows of a square table, as they do where a data frame was saved."""
    size = len(rows) - 1
    return (
        size >= FEWEST
        and len(rows[0]) == size
        and all(len(row) == size + 1 for row in rows[1:])
        and _counts(rows[0])
        and _counts([row[0] for row in rows[1:]])
    )


def _counts(cells: list[str]) -> bool:
    return any(cells == [str(i + first) for i in range(len(cells))] for first in (0, 1))


def _is_number(cell: str) -> bool:
    return exact_fraction(cell) is not None


def _separator(line: str) -> str:
    if len(cells := line.split()) > 1 and all(map(_COMMA.fullmatch, cells)):
        return r"\s+"
    for mark in ("\t", ";", ","):
        if mark in line:
            return rf"\s*{mark}\s*"
    return r"\s+"
