"""Numbers as people read and write them: every reading, printing and shortening of a number. Without NumPy.

Reading is exact: a text or a double becomes the fraction that it stands for. Printing says which reader gives the value
back; what is only for the eye (`rounded`, `times`, `apart`, `percent`) says so.
"""

from __future__ import annotations

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, SupportsFloat

if TYPE_CHECKING:
    from sympy import Rational

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# Bounded, so that 1e999999999 costs nothing.
_FRACTION = re.compile(
    r"[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})(e[+-]?\d{1,2})?|[+-]?\d{1,18}/(?!0+$)\d{1,18}", re.ASCII | re.IGNORECASE
)


def exact_number(text: str) -> Rational | None:
    """The exact rational a decimal stands for, or None where the text is not a finite number.

    A number is read as the double a slider or a URL would hold and then as that double's shortest decimal, so that
    0.6 is 3/5 and not the binary fraction next to it.

    >>> exact_number("0.60"), exact_number("1e-4"), exact_number("nan")
    (3/5, 1/10000, None)
    """
    if len(text) > 400 or not _DECIMAL.fullmatch(text.strip()) or not math.isfinite(value := float(text)):
        return None
    return as_rational(stands_for(value))


def stands_for(value: float) -> Fraction:
    """The fraction that a double's shortest decimal is; a whole number that doubles hold is itself.

    >>> stands_for(0.1), stands_for(3)
    (Fraction(1, 10), Fraction(3, 1))
    """
    return Fraction(value) if isinstance(value, int) and abs(value) < 2**53 else Fraction(repr(float(value)))


def exact_fraction(text: str) -> Fraction | None:
    """Read a decimal of at most 30 digits or a fraction exactly, as a noise writes them; None for anything else.

    >>> exact_fraction("1/3"), exact_fraction(".25"), exact_fraction("1/0"), exact_fraction("1e999999999")
    (Fraction(1, 3), Fraction(1, 4), None, None)
    """
    text = text.strip()
    return Fraction(text) if _FRACTION.fullmatch(text) else None


def as_rational(x: Any) -> Rational:
    """A number as a SymPy fraction, exactly.

    >>> as_rational(Fraction(1, 3)), as_rational(0.5)
    (1/3, 1/2)
    """
    from sympy import Rational

    x = Fraction(x)  # Rational(x) takes twice as long
    return Rational(x.numerator, x.denominator)


def decimal(value: SupportsFloat) -> str:
    """The shortest decimal that `exact_number` reads back as the same value.

    >>> decimal(Fraction(3, 5)), decimal(4), decimal(Fraction(1, 10**7))
    ('0.6', '4', '1e-7')
    """
    mantissa, _, exponent = repr(float(value)).partition("e")
    return mantissa.removesuffix(".0") + (f"e{int(exponent)}" if exponent else "")


def finite_decimal(value: Fraction) -> Decimal | None:
    """The decimal that is this fraction, however long; None where there is none.

    >>> finite_decimal(Fraction(3, 8)), finite_decimal(Fraction(1, 3))
    (Decimal('0.375'), None)
    """
    rest, places = value.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        places = max(places, power)
    if rest != 1:
        return None
    return Decimal(f"{value.numerator * 10**places // value.denominator}e-{places}")


def fraction_text(value: Fraction) -> str:
    """Print a fraction as the shortest decimal where one is exact, as ``n/d`` otherwise: `exact_fraction` reads it.

    >>> fraction_text(Fraction(3, 8)), fraction_text(Fraction(1, 3)), fraction_text(Fraction(1))
    ('0.375', '1/3', '1')
    """
    found = finite_decimal(value)
    return str(value) if found is None else f"{found:f}"


def exact_text(x: Fraction) -> str:
    """A fraction as text that stays short where it lies next to a simple one: ``9/50 - 2**-65536``.

    >>> exact_text(Fraction(3, 8)), exact_text(Fraction(1, 5) - Fraction(3, 2**500)), exact_text(Fraction(1, 2**900))
    ('3/8', '1/5 - 3*2**-500', '2**-900')
    """
    if x.denominator.bit_length() <= 200:
        return str(x)
    near = x.limit_denominator(10**6)
    if abs(near) < 1e-9:
        near = Fraction(0)
    rest = x - near
    power = rest.denominator.bit_length() - 1
    if rest.denominator != 2**power or abs(rest.numerator) > 10**9:
        return f"{x.numerator:#x}/{x.denominator:#x}"
    count = "" if abs(rest.numerator) == 1 else f"{abs(rest.numerator)}*"
    tail = f"{count}2**-{power}"
    if near == 0:
        return tail if rest > 0 else "-" + tail
    return f"{near} {'+' if rest > 0 else '-'} {tail}"


def in_digits(x: Fraction, digits: int, side: int = 0) -> Decimal:
    """The nearest decimal of so many digits; the nearest of those above (`side` 1) or below (-1), itself included.

    >>> in_digits(Fraction(2, 3), 3), in_digits(Fraction(2, 3), 3, -1), in_digits(Fraction(1, 2), 3, 1)
    (Decimal('0.667'), Decimal('0.666'), Decimal('0.5'))
    """
    context = Context(prec=digits, rounding={1: ROUND_CEILING, 0: ROUND_HALF_EVEN, -1: ROUND_FLOOR}[side])
    return context.divide(Decimal(x.numerator), Decimal(x.denominator)).normalize(context)


def rounded(value: SupportsFloat, digits: int = 3) -> str:
    """A number for a sentence: so many digits that count, written out, and as a power of ten only where it is far off.

    >>> rounded(99.7, 2), rounded(123.4, 2), rounded(0.05), rounded(2e9), rounded(3e-7), rounded(float("inf"))
    ('100', '120', '0.05', '2·10⁹', '3·10⁻⁷', '∞')
    """
    value = float(value)
    if not math.isfinite(value):
        return "∞" if value > 0 else "−∞"
    short = float(f"{value:.{digits}g}")
    if short == 0 or 1e-4 <= abs(short) < 1e7:
        places = max(0, digits - 1 - math.floor(math.log10(abs(short)))) if short else 0
        text = f"{short:,.{places}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa, _, power = f"{short:.{digits - 1}e}".partition("e")
        text = f"{float(mantissa):g}·10{str(int(power)).translate(_RAISED)}"
    return text.replace("-", "−")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def times(large: float, small: float) -> str:
    """How many times as large, in words, with no more digits than a reader can use.

    >>> times(3, 2), times(99.7, 1), times(1000, 1), times(25_000, 1)
    ('1.5 times', 'about 100 times', 'about 1,000 times', 'more than 10,000 times')
    """
    if not small or large / small > 10_000:
        return "more than 10,000 times"
    ratio = large / small
    return ("about " if ratio >= 20 else "") + f"{rounded(ratio, 2)} times"


def apart(one: float, other: float) -> tuple[str, str]:
    """Two shares as percentages, with as many digits as it takes to tell them apart.

    >>> apart(0.4, 0.6), apart(0.333, 0.334), apart(0.25, 0.25)
    (('40%', '60%'), ('33.3%', '33.4%'), ('25%', '25%'))
    """
    digits = next((n for n in range(13) if f"{one:.{n}%}" != f"{other:.{n}%}"), 0)
    return f"{one:.{digits}%}", f"{other:.{digits}%}"


def percent(share: SupportsFloat) -> str:
    """A share as a percentage of at most one decimal.

    >>> percent(0.4), percent(Fraction(1, 3))
    ('40%', '33.3%')
    """
    return f"{100 * float(share):.1f}".removesuffix(".0") + "%"


def four_places(value: float) -> str:
    """A ratio between 0 and 1 to four decimals; 0 and 1 as such.

    >>> four_places(0.5), four_places(1.0)
    ('0.5000', '1')
    """
    return f"{value:.4f}" if value not in (0, 1) else f"{value:.0f}"
