"""Many digits in a process of many threads: mpmath's precision is one for all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import mpmath

_ALONE = RLock()


@contextmanager
def many_digits(count: int) -> Iterator[None]:
    """Compute with mpmath to so many decimal digits, one thread at a time.

    Two threads that set the precision themselves compute with each other's, and the second leaves behind the first's.

    >>> import mpmath
    >>> with many_digits(30):
    ...     print(mpmath.mpf(1) / 3)
    0.333333333333333333333333333333
    """
    with _ALONE, mpmath.workdps(count):
        yield
