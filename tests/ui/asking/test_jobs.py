"""What the workers send back: nothing that the server would have to work out."""

import pickle
import pickletools

import pytest

from alf.theory import CLAIMS
from ui.asking import jobs

LOSSES = (
    "agce:a=4,q=0.2",
    "mae",
    "formula:1-u+max(0,0.5-u)",
    "nce+ael:alpha=10,beta=0.1,a=1.5",
    "formula:exp(-u/a);a=2[1,3]",
)
NUMBERS = {"Integer", "Rational", "Half", "One", "Zero", "NegativeOne"}


def symbols(value) -> set[str]:
    """What of SymPy unpickling would build, beside plain numbers."""
    found = [arg for op, arg, _ in pickletools.genops(pickle.dumps(value, protocol=2)) if op.name == "GLOBAL"]
    return {name for name in found if name.startswith("sympy") and name.split()[-1] not in NUMBERS}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_verdict_comes_without_symbols(loss):
    """An unevaluated power is evaluated when it is unpickled, and may have a billion digits."""
    for claim in CLAIMS[:6]:
        found = jobs.claim(claim, loss, "pair:0.4", 3)
        assert not symbols(found.verdict)
        whole = pickle.loads(found.whole)
        assert [s.latex for s in whole.steps] == [s.latex for s in found.verdict.steps]
        assert (whole.status, whole.holds) == (found.verdict.status, found.verdict.holds)


def test_this_test_can_fail():
    from alf.losses import parse

    assert symbols(parse("agce:a=4,q=0.2").expression)


@pytest.mark.parametrize("loss", (*LOSSES, "agce:a=1.132,q=0.3494", "agce:a=1.2345678,q=0.3333333", "nce"))
def test_a_ratio_comes_in_numbers_and_text(loss):
    found = jobs.ratio(loss)
    assert not symbols(found)
    assert found.defined == (loss not in ("nce", "nce+ael:alpha=10,beta=0.1,a=1.5"))
    assert len(found.exact) <= jobs.READABLE


def test_a_document_is_written_from_what_was_kept():
    wholes = [jobs.claim("decreasing", "ael:a=2", "none", 3).whole]
    assert jobs.document("latex", "ael:a=2", "none", 3, wholes).startswith(r"\documentclass")
