"""A matrix as people bring it."""

from fractions import Fraction

import pytest

from alf.errors import InputError
from alf.noise import parse_noise
from ui.controls import matrix_text


@pytest.mark.parametrize(
    "text",
    [
        "0.6\t0.4\n0.3\t0.7",
        "0.6,0.4\n0.3,0.7\n",
        " .6 .4\n\n .3 .7 ",
        "0.6;0.4\r\n0.3;0.7",
        ".6,.4;.3,.7",
        "3/5, 2/5\n3/10, 7/10",
    ],
)
def test_ways_to_write_one_matrix(text):
    values = matrix_text.numbers(matrix_text.read_table(text))
    assert parse_noise(matrix_text.spec(values), 2).spec == "matrix:0.6,0.4;0.3,0.7"


@pytest.mark.parametrize(
    "text",
    [
        "cat;dog\n0,6;0,4\n0,3;0,7",
        "cat\t.6\t.4\ndog\t.3\t.7",
        "true,cat,dog\ncat,.6,.4\ndog,.3,.7",
        ",cat,dog\ncat,.6,.4\ndog,.3,.7",
        ",0,1\n0,.6,.4\n1,.3,.7",
        "class\t1\t2\n1\t.6\t.4\n2\t.3\t.7",
        "0,6\t0,4\n0,3\t0,7",
        "0,6 0,4\n0,3 0,7",
    ],
)
def test_titles_are_left_out_and_decimal_commas_read(text):
    assert matrix_text.spec(matrix_text.numbers(matrix_text.read_table(text))) == "matrix:0.6,0.4;0.3,0.7"


def test_a_row_of_probabilities_is_no_title():
    with pytest.raises(InputError, match="got 3 rows of 2"):
        matrix_text.read_table("0 1\n.6 .4\n.3 .7")
    with pytest.raises(InputError, match="got 2 rows of 3"):
        matrix_text.read_table("1 5 2\n2 3 8")


def test_a_comma_among_thousands_is_no_decimal_comma():
    with pytest.raises(InputError, match="row 1, column 1 must be a number of at least 0, got '1,200'"):
        matrix_text.numbers(matrix_text.read_table("1,200\t300\n400\t1,500"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "got nothing"),
        ("1", "between 2 and 20 classes"),
        ("1 2 3\n4 5 6", "got 2 rows of 3"),
        ("1 2\n3", "got 2 rows of 1 or 2"),
        ("\n".join([" ".join(["0"] * 21)] * 21), "between 2 and 20 classes fit this page, got 21"),
        ("a b\nc d", "row 1, column 1 must be a number of at least 0, got 'a'"),
        ("1 -1\n0 1", "row 1, column 2 must be a number of at least 0, got '-1'"),
        ("nan 1\n0 1", "got 'nan'"),
        ("inf 1\n0 1", "got 'inf'"),
        ("1e999 1\n0 1", "must be a number"),
        ("1/0 1\n0 1", "got '1/0'"),
        ("x" * 200_000, "at most 100000 characters"),
        ("=SUM(A1) 1\n0 1", "got '=SUM(A1)'"),
    ],
)
def test_what_is_no_matrix_says_so(text, said):
    with pytest.raises(InputError) as error:
        matrix_text.numbers(matrix_text.read_table(text))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_normalising_is_exact_and_asks_for_something_to_normalise():
    rows = matrix_text.normalise([[Fraction(1), Fraction(2)], [Fraction(1, 3), Fraction(1, 3)]])
    assert rows == [[Fraction(1, 3), Fraction(2, 3)], [Fraction(1, 2), Fraction(1, 2)]]
    assert parse_noise(matrix_text.spec(rows), 2).exact == tuple(map(tuple, rows))
    with pytest.raises(InputError, match="row 2 is all zeros"):
        matrix_text.normalise([[Fraction(1), Fraction(0)], [Fraction(0), Fraction(0)]])
