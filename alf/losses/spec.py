"""Loss specs: the one string form for command line, URL, files and cache keys.

``ce``, ``agce:a=0.6,q=0.6``, ``nce+agce:alpha=1,beta=4,a=6,q=1.5``. Parsing validates as if a stranger had typed it;
printing gives the canonical spec, which parses to the same loss and prints itself again. A text that is no key and
has the name `u` in it is a formula, with or without the prefix ``formula:``.
"""

import copyreg
import difflib
import re
from functools import lru_cache

from alf.errors import InputError, quoted
from alf.losses.catalogue import catalogue
from alf.losses.declaration import Loss
from alf.losses.domain import unbalanced
from alf.losses.formula import parse_formula

LONGEST = 2000
"""Characters a spec may have."""

_U = re.compile(r"(?<!\w)u(?!\w)")
_OPERATOR = re.compile(r"[()*/^]|\d[-+]|[-+]\d|^[-\d]")
"""What a formula has and no key: brackets, operators, numbers."""


def is_formula(spec: str) -> bool:
    """Whether a spec is read as a typed formula: by its prefix, or because it is no key and has the name `u` in it.

    >>> is_formula("formula:1-u"), is_formula("exp(-u/a);a=2"), is_formula("aul:a=2,p=3"), is_formula("aul")
    (True, True, False, False)
    """
    key, colon, _ = spec.partition(":")
    return _key(key) == "formula" if colon else bool(_U.search(spec)) and _key(spec) not in catalogue()


def _key(text: str) -> str:
    """A key as the catalogue has it; in a URL ``+`` decodes to a space."""
    return text.strip().replace(" ", "+").lower()


def parse(spec: str) -> Loss:
    """The loss a spec names.

    Parameters
    ----------
    spec : str
        ``KEY`` or ``KEY:name=value,...``; parameters in any order, those with a default may be left out. A space in
        the key is read as the ``+`` that a URL decodes to one. Or a formula in `u`, see
        `alf.losses.formula.parse_formula`.

    Raises
    ------
    InputError
        Unknown key or parameter, a missing or repeated one, a value that is no number or outside its domain.

    Examples
    --------
    >>> parse("nce agce:beta=4,alpha=1,q=1.50,a=6").spec
    'nce+agce:alpha=1,beta=4,a=6,q=1.5'
    >>> parse("aul:a=0.5,p=3")
    Traceback (most recent call last):
    ...
    alf.errors.InputError: AUL: a must lie in (1, oo), got 0.5
    >>> parse("e^(-u/a); a=2").spec
    'formula:e**(-u/a);a=2'
    """
    if not isinstance(spec, str):
        raise InputError(f"a loss spec must be text such as 'agce:a=0.6,q=0.6', got {quoted(repr(spec))}")
    if len(spec) > LONGEST:
        raise InputError(f"a loss spec may have at most {LONGEST} characters, got {len(spec)}: {quoted(spec, 30)}")
    return _parse(spec)


@lru_cache(maxsize=4096)
def _parse(spec: str) -> Loss:
    if is_formula(spec):
        prefix, colon, rest = spec.partition(":")
        return parse_formula(rest if colon else prefix)
    key, colon, rest = spec.partition(":")
    key = _key(key)
    declaration = catalogue().get(key)
    if declaration is None:
        raise InputError(f"unknown loss {quoted(key)}{_instead(key, spec)}")
    values = {}
    for item in rest.split(",") if colon and rest.strip() else ():
        name, equals, text = item.partition("=")
        name = name.strip()
        if not equals:
            raise InputError(f"{declaration.name}: hyperparameters are written name=value, got {quoted(item)}")
        if name in values:
            raise InputError(f"{declaration.name}: {name} is given twice in {quoted(spec)}")
        values[name] = declaration.parameter(name).read(text.strip(), declaration.name)
    return declaration.loss(**values)


_ALL = "a key such as ce, agce or nce+agce (python -m alf losses lists all)"


def _instead(key: str, spec: str) -> str:
    """What a person may have meant by a key that is none: the nearest one, a formula, or where all keys are."""
    word = re.findall(r"^(?:[a-z+]*[a-z])?", key)[0]  # of agce(a=1) and agce a=1 too
    if near := difflib.get_close_matches(word, catalogue(), n=1):
        return f" (did you mean {near[0]!r}?); choose {_ALL}, or type a formula in u such as exp(-u/2)"
    if not _OPERATOR.search(key):
        return f"; choose {_ALL}, or type a formula in u such as exp(-u/2)"
    if _U.search(spec):
        return "; the values of a formula come after ';' as in exp(-u/a);a=2"
    said = unbalanced(key)
    return f"; {said + ', and ' if said else ''}a formula needs the name u, such as exp(-u/2); or choose {_ALL}"


copyreg.pickle(Loss, lambda loss: (parse, (loss.spec,)))  # a loss goes to another process as its spec
