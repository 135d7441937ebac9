"""What stops a proof: what it cannot do, which its verdict says, and what is a defect, which is logged as well."""

import logging

from alf.errors import InputError

log = logging.getLogger(__name__)

CANNOT = (NotImplementedError, RecursionError)
"""A function without an enclosure; an expression nested too deep for Python's stack."""


class Contradiction(ArithmeticError):
    """Two results of our own disagree, so one of them is wrong: no verdict may come of it."""


def stopped(error: Exception, question: str) -> str:
    """The name of what stopped a question, for a verdict that leaves it open.

    Whatever is neither in `CANNOT` nor raised again is a defect, ours or SymPy's: a reader gets "undecided", and the
    log gets all of it.

    Parameters
    ----------
    error : Exception
        Raised again where leaving the question open would be no answer: an `InputError`, a `Contradiction`, and memory
        that ran out.
    question : str
        What was asked, for the log.

    Examples
    --------
    >>> stopped(NotImplementedError("no enclosure for gamma"), "convex of formula:1-u")
    'NotImplementedError'
    """
    if isinstance(error, (InputError, Contradiction, MemoryError)):
        raise error
    if not isinstance(error, CANNOT):
        log.error("stopped by a defect: %s", question, exc_info=error)
    return type(error).__name__
