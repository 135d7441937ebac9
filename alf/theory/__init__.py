"""What can be said about a loss under label noise, and how surely.

>>> from alf.losses import parse
>>> from alf.noise import parse_noise
>>> from alf.theory import prove, ratio
>>> round(ratio(parse("ael:a=2.5")).value, 6)
0.67032
>>> prove("noise_tolerant", parse("ael:a=2.5"), parse_noise("pair:0.4", 10)).holds
True

Importing this needs SymPy only; Arb (python-flint) is imported with the first question.
"""

from alf.theory.verdict import CLAIMS, STATUSES, Step, Verdict, Witness


def ratio(loss):
    """The asymmetry ratio of a loss; see `alf.theory.ratios.ratio_of`."""
    from alf.theory.ratios import ratio_of

    return ratio_of(loss)


def critical_noise(ratio, classes: int = 10):
    """The critical symmetric and pair noise rates of a ratio; see `alf.theory.ratios.critical_noise`."""
    from alf.theory.ratios import critical_noise as of_ratio

    return of_ratio(ratio, classes)


def prove(claim: str, loss, noise=None, classes: int = 10) -> Verdict:
    """The verdict on one claim; see `alf.theory.claims.prove`."""
    from alf.theory.claims import prove as one

    return one(claim, loss, noise, classes)


def verify(loss, noise=None, classes: int = 10, claims=CLAIMS):
    """One verdict per claim, in order; see `alf.theory.claims.verify`."""
    from alf.theory.claims import verify as several

    return several(loss, noise, classes, claims)


def tolerant_region(loss, parameter: str, noise):
    """For which values of a parameter a loss tolerates a noise; see `alf.theory.inverse.tolerant_region`."""
    from alf.theory.inverse import tolerant_region as region

    return region(loss, parameter, noise)


def tolerated_rate(loss, kind: str, classes: int = 10):
    """The largest symmetric or pair noise rate a loss tolerates; see `alf.theory.inverse.tolerated_rate`."""
    from alf.theory.inverse import tolerated_rate as rate

    return rate(loss, kind, classes)


__all__ = [
    "CLAIMS",
    "STATUSES",
    "Step",
    "Verdict",
    "Witness",
    "critical_noise",
    "prove",
    "ratio",
    "tolerant_region",
    "tolerated_rate",
    "verify",
]
