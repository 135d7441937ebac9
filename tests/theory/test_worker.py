"""Claims in workers that are killed at their deadline."""

import time

from alf.theory.worker import Prover

HARD = "formula:tanh(1/u)+sin(9*u)/50-u"


def test_a_claim_that_takes_too_long_is_stopped_and_says_where():
    start = time.monotonic()
    with Prover(workers=1, seconds=0.6) as prover:
        found = prover.verdict("completely_asymmetric", HARD, "pair:0.3", 3)
    assert time.monotonic() - start < 20
    assert found.status == "undecided"
    assert found.holds is None
    assert "Not finished within 0.6 seconds" in found.steps[-1].statement


def test_verdicts_come_in_order():
    with Prover(workers=2, seconds=30) as prover:
        found = [v.claim for v in prover.verify("mae", claims=("decreasing", "symmetric", "calibrated"))]
    assert found == ["decreasing", "symmetric", "calibrated"]
