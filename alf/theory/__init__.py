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
    """The asymmetry ratio of a loss; see `alf.theory.ratios.rules.ratio_of`."""
    from alf.theory.ratios.rules import ratio_of

    return ratio_of(loss)


def critical_noise(ratio, classes: int = 10):
    """The critical symmetric and pair noise rates of a ratio; see `alf.theory.ratios.ratio.critical_noise`."""
    from alf.theory.ratios.ratio import critical_noise as of_ratio

    return of_ratio(ratio, classes)


def prove(claim: str, loss, noise=None, classes: int = 10) -> Verdict:
    """The verdict on one claim; see `alf.theory.claims.prove.prove`."""
    from alf.theory.claims.prove import prove as one

    return one(claim, loss, noise, classes)


def verify(loss, noise=None, classes: int = 10, claims=CLAIMS):
    """One verdict per claim, in order; see `alf.theory.claims.prove.verify`."""
    from alf.theory.claims.prove import verify as several

    return several(loss, noise, classes, claims)


def tolerant_region(loss, parameter: str, noise):
    """For which values of a parameter a loss tolerates a noise; see `alf.theory.asking.region.tolerant_region`."""
    from alf.theory.asking.region import tolerant_region as region

    return region(loss, parameter, noise)


def tolerated_rate(loss, kind: str, classes: int = 10):
    """The largest symmetric or pair noise rate a loss tolerates; see `alf.theory.asking.rate.tolerated_rate`."""
    from alf.theory.asking.rate import tolerated_rate as rate

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
