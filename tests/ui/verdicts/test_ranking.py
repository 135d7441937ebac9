"""Suggestions of a tolerant hyperparameter, asked of the workers one hyperparameter at a time."""

import pytest

from alf.losses import parse
from alf.noise import parse_noise
from alf.theory import prove
from alf.theory.asking.prover import Unfinished
from ui.asking import jobs, page_questions
from ui.asking.page_questions import LATE, Question
from ui.verdicts.noise_ranking import suggested, suggestion_cell

NFL_AEL = "nfl+ael:alpha=1,beta=1,gamma=0.5,a=2"


class Done:
    """An answer at once, or a worker that was stopped."""

    def __init__(self, found):
        self.found = found

    def done(self) -> bool:
        return True

    def result(self):
        if self.found is None:
            raise Unfinished("Not finished within 20 seconds.")
        return self.found


def test_a_late_hyperparameter_does_not_take_the_others_along(monkeypatch):
    """Once one deadline for all of them made a loss with a suggestion show a dash on a busy machine."""
    none = {"status": "proved", "everywhere": False, "intervals": [], "suggested": [], "formulas": []}
    known = {"beta": none | {"name": "beta"}}
    known["a"] = none | {"name": "a", "intervals": [["617/250", None]], "suggested": ["247/100"]}
    monkeypatch.setattr(page_questions, "_region", lambda question, name: Done(known.get(name)))
    question = Question(NFL_AEL, "pair:0.4", 10)
    found = page_questions.regions(question)
    assert [region["status"] for region in found] == [LATE, "proved", LATE, "proved"]
    assert suggested(parse(NFL_AEL), found).spec == NFL_AEL.replace("a=2", "a=2.47")
    said = suggestion_cell(parse(NFL_AEL), found, question)
    assert "with a = 2.47" in said and "a from 2.468" in said
    del known["a"]
    assert suggestion_cell(parse(NFL_AEL), page_questions.regions(question), question) == "no answer in time"


@pytest.mark.parametrize(
    "spec",
    [
        NFL_AEL,
        "nce+amse:alpha=1,beta=1,a=2",
        "formula:exp(-u*(a+1/a)/8);a=4[0.2,5]",
    ],
)
def test_combinations_with_a_failing_part_get_a_suggestion(spec):
    loss, noise = parse(spec), parse_noise("pair:0.4", 10)
    assert prove("noise_tolerant", loss, noise, 10).holds is False
    found = [jobs.region(spec, "pair:0.4", 10, parameter.name) for parameter in loss.declaration.parameters]
    better = suggested(loss, found)
    assert better is not None and prove("noise_tolerant", better, noise, 10).holds is True
