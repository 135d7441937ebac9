"""SymPy's algorithms that may fail in any way, and then have no answer."""

from collections.abc import Callable


def or_none(algorithm: Callable, *arguments):
    """What an algorithm of SymPy's answers, and None where it gives up.

    `limit` and `solve`, asked for what they cannot do, leave with errors of their inner workings as often as with
    NotImplementedError: TypeError, AttributeError, PrecisionExhausted, RecursionError. Nothing but SymPy's code runs
    here, so no error of ours is lost.

    >>> import sympy
    >>> u = sympy.Symbol("u")
    >>> or_none(sympy.limit, sympy.floor(u), u, 0), or_none(sympy.solve, sympy.Eq(sympy.cos(u), u), u)
    (0, None)
    """
    try:
        return algorithm(*arguments)
    except MemoryError:  # the worker's end, not the algorithm's
        raise
    except Exception:
        return None
