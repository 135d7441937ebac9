"""What theory says of a map's cells: the same as the claims say of each cell's own noise, whatever the map."""

import random
from fractions import Fraction

import pytest

from alf.errors import InputError
from alf.losses import parse
from alf.noise import parse_noise
from alf.phase import Cell, Measured, PhaseMap, parse_axis
from alf.phase.sides import sides, threshold, wilson
from alf.phase.theory import Critical, answer, asked_of, curve, of_cell, question, questions, settled
from alf.theory import critical_noise, prove, ratio
from alf.theory.asking.prover import Prover
from alf.training import Recipe
from tests.phase.maps import any_map

BASE = Recipe(data="digits", losses=("agce:a=1,q=0.6",), noise=("symmetric:0.4",), network="mlp:8", epochs=2)
LOSSES = ("agce:a=0.6,q=0.6", "ael:a=2", "nce+ael:alpha=1,beta=4,a=5", "formula:exp(-u/a);a=1[0.1,9]")


def answers_of(phase):
    return {one: answer(one) for one in questions(phase)}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("kind", ["symmetric", "pair", "asymmetric"])
def test_a_cell_is_on_the_side_that_its_own_claim_says(loss, kind):
    phase = PhaseMap(
        BASE.with_(losses=(loss,), noise=(f"{kind}:0.1",)), parse_axis("a=0.5,3"), parse_axis("noise=0:0.9:7")
    )
    answers = answers_of(phase)
    seen = set()
    for cell in phase.cells:
        said = of_cell(phase, cell, answers)
        noise = parse_noise(phase.noise(cell), 10, "digits")
        if noise.rate == 0:
            assert said.tolerated and said.margin is None
            continue
        own = prove("noise_tolerant", parse(phase.loss(cell)), noise, 10).holds
        assert said.tolerated is None or own is None or said.tolerated == own, (phase.loss(cell), phase.noise(cell))
        seen.add(said.tolerated)
        if said.ratio is not None and said.tolerated is not None:
            assert (said.margin > 1) == said.tolerated, (phase.loss(cell), phase.noise(cell), said)
    assert True in seen and False in seen


def test_the_curve_is_where_the_ratio_says():
    phase = PhaseMap(BASE, parse_axis("a=0.05:6:5:log"), parse_axis("noise=0.1:0.8:3"))
    answers = answers_of(phase)
    found = curve(phase, 0, answers)
    assert found.rates == "y" and [point.value for point in found.points] == list(phase.x.values)
    for point, cell in zip(found.points, (Cell(0, x, 0) for x in range(5)), strict=True):
        a, q = Fraction(str(point.value)), 0.6
        r = float(a / (a + 1)) ** (1 - q)  # the paper's closed form
        assert point.critical.rate == pytest.approx(9 * r / (1 + 9 * r), rel=1e-12)
        assert point.critical.ratio == pytest.approx(r, rel=1e-12)
        near = critical_noise(ratio(parse(phase.loss(cell))), 10).symmetric
        assert point.critical.rate == pytest.approx(near, rel=1e-12)
    turned = PhaseMap(BASE, phase.y, phase.x)
    again = curve(turned, 0, answers_of(turned))
    assert again.rates == "x" and again.points == found.points


def test_the_number_of_classes_moves_the_curve():
    phase = PhaseMap(BASE, parse_axis("classes=2:10:9"), parse_axis("noise=0.1:0.8:3"))
    found = curve(phase, 0, answers_of(phase))
    r = 0.5**0.4
    for point in found.points:
        others = point.value - 1
        assert point.critical.rate == pytest.approx(others * r / (1 + others * r), rel=1e-12)


def test_without_the_noise_on_an_axis_there_is_no_curve_but_a_side():
    phase = PhaseMap(BASE.with_(noise=("pair:0.4",)), parse_axis("a=0.1,0.6,6"), parse_axis("lr=0.1,1"))
    answers = answers_of(phase)
    assert curve(phase, 0, answers) is None and len(answers) == 3
    assert [of_cell(phase, Cell(0, x, 1), answers).tolerated for x in range(3)] == [False, True, True]


def test_a_typed_matrix_is_one_noise():
    rows = ("0.6,0.4,0", "0,1,0", "0.1,0.1,0.8")
    matrix = "matrix:" + ";".join(rows)
    base = Recipe(data="circles", losses=("agce:a=1,q=0.6",), noise=(matrix,), network="mlp:8", epochs=1)
    phase = PhaseMap(base, parse_axis("a=0.1,0.6,6"), parse_axis("lr=0.1,1"))
    answers = answers_of(phase)
    for x in range(3):
        said = of_cell(phase, Cell(0, x, 0), answers)
        own = prove("noise_tolerant", parse(phase.loss(Cell(0, x, 0))), parse_noise(matrix, 3), 3)
        assert (said.tolerated, said.critical) == (own.holds, None)
        assert (said.margin > 1) == own.holds
    assert len(answers) == 3


def test_noise_without_a_matrix_is_not_decided():
    phase = PhaseMap(BASE.with_(noise=("instance:0.4",)), parse_axis("a=0.1,6"), parse_axis("noise=0,0.4"))
    answers = answers_of(phase)
    for cell in phase.cells:
        said = of_cell(phase, cell, answers)
        assert (said.critical, said.margin, said.tolerated, said.status) == (None, None, None, "not_defined")
        assert said.ratio > 0
    assert all(point.critical.rate is None and "no transition matrix" in point.critical.why
               for point in curve(phase, 0, answers).points)  # fmt: skip


def test_every_cell_asks_one_of_the_questions():
    source = random.Random(4)
    for _ in range(20):
        phase = any_map(source, most=8)
        assert {question(phase, cell) for cell in phase.cells} == set(questions(phase))
    assert of_cell(phase, phase.cells[0], {}) is None


def test_a_worker_answers_the_same_and_a_late_one_says_so():
    phase = PhaseMap(
        BASE.with_(losses=("nce+agce:alpha=1,beta=4,a=6,q=0.5",)), parse_axis("a=0.1,6"), parse_axis("noise=0.1,0.4")
    )
    with Prover() as prover:
        found = {one: settled(asked) for one, asked in asked_of(prover, questions(phase)).items()}
        assert found == answers_of(phase)
    with Prover() as prover:  # whose worker remembers nothing
        late = settled(asked_of(prover, questions(phase)[:1], seconds=1e-3)[questions(phase)[0]])
    assert late.status == "undecided" and late.rate is None and "Not finished within 0.001 seconds" in late.why


def test_answers_read_back_from_json():
    for one in answers_of(PhaseMap(BASE, parse_axis("a=0.1,6"), parse_axis("noise=0.1,0.4"))).values():
        assert Critical.from_dict(one.to_dict()) == one


def confident(value):
    return Measured((0,), {"confidence": (value,)})


def test_a_network_that_follows_theory_is_on_its_side():
    phase = PhaseMap(BASE.with_(noise=("pair:0.1",)), parse_axis("a=0.6,6"), parse_axis("noise=0:0.45:10"))
    answers = answers_of(phase)
    exact, turned, givens = {}, {}, {}
    for cell in phase.cells:
        rate = phase.values(cell)["noise"]
        tolerated = of_cell(phase, cell, answers).tolerated
        exact[cell] = confident(1.0 if tolerated else 1 - rate)
        turned[cell] = confident(1 - rate if tolerated else 1.0)
        givens[cell] = confident(1 - rate)
    found = sides(phase, exact, answers)
    assert (found.agree, found.counted, found.share) == (18, 18, 1.0)
    assert found.left_out == {"nothing is flipped": 2}
    assert sides(phase, turned, answers).share == 0.0
    assert sides(phase, givens, answers).counts == {(False, False): 1, (True, False): 17}
    none = dict.fromkeys(phase.cells, Measured((0,), {"confidence": (None,)}))
    assert sides(phase, none, answers).share is None and sides(phase, none, answers).interval is None
    assert sides(phase, exact, {}).left_out == {"theory does not decide": 20}


def test_the_threshold_is_half_way_between_certain_and_the_given_labels():
    assert threshold(parse_noise("symmetric:0.8", 10)) == pytest.approx(0.6)
    assert threshold(parse_noise("asymmetric:0.4", 10, "digits")) == pytest.approx(0.9)
    assert threshold(parse_noise("instance:0.3", 10)) is None


def test_wilsons_interval_covers_what_it_says():
    """The interval's ends are the shares from which the one seen is 1.96 standard deviations away."""
    for hits, count in ((0, 5), (3, 10), (999, 1000), (10, 10)):
        low, high = wilson(hits, count)
        for end in (low, high):
            if 0 < end < 1:
                z = abs(hits / count - end) / (end * (1 - end) / count) ** 0.5
                assert z == pytest.approx(1.959964, abs=1e-5)
        assert 0 <= low <= hits / count <= high <= 1


def test_a_map_whose_noise_cannot_be_is_refused():
    with pytest.raises(InputError, match="noise pair: the rate must lie in"):
        BASE.with_(noise=("pair:2",))
