"""The claims one by one: each gives a verdict, on its own."""

from collections.abc import Iterator
from functools import lru_cache

from alf.errors import InputError
from alf.losses import Loss
from alf.theory.arithmetic.balls import one_at_a_time
from alf.theory.claims.calibration import calibrated
from alf.theory.claims.complete import completely_asymmetric
from alf.theory.claims.curve import shape_claim
from alf.theory.claims.excess import excess_risk
from alf.theory.claims.noise import on_noise
from alf.theory.claims.scope import at_its_values, stated
from alf.theory.claims.symmetric import symmetric
from alf.theory.curve.continuity import discontinuity_of
from alf.theory.curve.shape import constant, single
from alf.theory.failures import stopped
from alf.theory.progress import last_begun
from alf.theory.verdict import CLAIMS, Verdict, not_defined, undecided


@one_at_a_time
def prove(claim: str, loss: Loss, noise=None, classes: int = 10) -> Verdict:
    """The verdict on one claim; asked again, it is remembered.

    Parameters
    ----------
    claim : str
        One of `alf.theory.CLAIMS`.
    loss : Loss
    noise : Noise, optional
        For ``asymmetric`` and ``noise_tolerant``; it has a number of classes of its own, which must be `classes`.
    classes : int
        Number of classes K, at least 2.

    Raises
    ------
    InputError
        For an unknown claim, or classes that disagree with the noise.
    """
    if claim not in CLAIMS:
        raise InputError(f"claim must be one of {', '.join(CLAIMS)}, got {claim!r}")
    if not isinstance(classes, int) or isinstance(classes, bool) or not 2 <= classes <= 1000:
        raise InputError(f"classes: a whole number in [2, 1000] is needed, got {classes!r}")
    if noise is not None and noise.classes != classes:
        raise InputError(f"noise: it is for {noise.classes} classes, got classes = {classes}")
    return _prove(claim, loss, noise if claim in ("asymmetric", "noise_tolerant") else None, classes)


@lru_cache(maxsize=4096)
def _prove(claim: str, loss: Loss, noise, classes: int) -> Verdict:
    loss = single(loss)
    try:
        verdict = _decide(claim, loss, noise, classes)
    except Exception as error:
        why = stopped(error, f"{claim} of {loss.spec}")
        return undecided(claim, f"{last_begun() or 'The first step'} stopped: {why}.")
    try:
        return stated(claim, loss, verdict, lambda other: _decide(claim, other, noise, classes))
    except Exception as error:  # the verdict stands at the loss's own values
        stopped(error, f"where {claim} holds of {loss.spec}")
        return at_its_values(loss, verdict)


_WITHOUT_NOISE = {
    "symmetric": symmetric,
    "completely_asymmetric": completely_asymmetric,
    "calibrated": calibrated,
    "excess_risk": excess_risk,
}


def _decide(claim: str, loss: Loss, noise, classes: int) -> Verdict:
    gap = discontinuity_of(loss, classes)
    if gap is not None:
        return undecided(claim, gap.reason)
    if claim in ("decreasing", "convex", "concave"):
        return shape_claim(claim, loss)
    if constant(loss) and claim != "symmetric":
        return not_defined(claim, "Every weight is 0: the loss is constant, so every prediction minimises it.")
    if claim in _WITHOUT_NOISE:
        return _WITHOUT_NOISE[claim](loss, classes)
    return on_noise(claim, loss, noise)


def verify(loss: Loss, noise=None, classes: int = 10, claims=CLAIMS) -> Iterator[Verdict]:
    """One verdict per claim, in the order asked.

    >>> from alf.losses import parse
    >>> [(v.claim, v.holds) for v in verify(parse("mae"), claims=("decreasing", "symmetric", "calibrated"))]
    [('decreasing', True), ('symmetric', True), ('calibrated', True)]
    """
    for claim in claims:
        yield prove(claim, loss, noise, classes)
