"""A run to take away and to bring back: its curves as CSV or JSON, its recipe as JSON."""

import csv
import io
import json
from collections.abc import Callable, Iterable

from alf.errors import InputError, quoted
from alf.training.recipe import LIMITS, Recipe
from alf.training.records import RECORD_KEYS


def csv_text(records: Iterable[dict]) -> str:
    """Write epoch records as CSV, one line an epoch and lane; what does not exist is empty.

    >>> print(csv_text([dict.fromkeys(RECORD_KEYS, 0) | {"loss": "agce:a=4,q=0.2"}]).splitlines()[1])
    0,0,"agce:a=4,q=0.2",0,0,0,0,0,0,0,0,0,0,0,0
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, RECORD_KEYS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def json_text(recipe: Recipe, records: Iterable[dict]) -> str:
    """Write a recipe and its records as JSON: ``{"recipe": {...}, "records": [...]}``."""
    return json.dumps({"recipe": recipe.to_dict(), "records": list(records)}, indent=1)


def recipe_text(recipe: Recipe) -> str:
    """Write a recipe as the JSON that `read_recipe`, the Runs page and ``python -m alf sweep`` take back."""
    return json.dumps(recipe.to_dict(), indent=1) + "\n"


def read_recipe(contents: bytes, check: Callable[[str], object] | None = None) -> Recipe:
    """Read a recipe from a file that a stranger may have written: a recipe, or an exported run with one in it.

    Parameters
    ----------
    contents
        Of the file.
    check
        Called with each loss as it is written, before it is parsed here: a server reads a stranger's formula in a
        process that it can kill.

    >>> read_recipe(b'{"recipe": {"data": "digits", "losses": ["ce"]}, "records": []}').losses
    ('ce',)
    >>> read_recipe(b"digits")
    Traceback (most recent call last):
    ...
    alf.errors.InputError: recipe: JSON is needed, got 'digits'
    """
    try:
        plain = json.loads(contents)
    except UnicodeDecodeError:
        raise InputError(f"recipe: text in UTF-8 is needed, got {len(contents)} other bytes") from None
    except (ValueError, RecursionError):  # ValueError: JSON's own error, and numbers of thousands of digits
        raise InputError(f"recipe: JSON is needed, got {quoted(contents.decode(errors='replace'))}") from None
    values = plain["recipe"] if isinstance(plain, dict) and "recipe" in plain else plain
    if check is not None and isinstance(values, dict) and isinstance(values.get("losses"), list):
        for spec in values["losses"][: LIMITS["losses"]]:
            check(str(spec))
    return Recipe.from_dict(values)
