"""Doctests of a docstring become code blocks; numpydoc knows them in its section Examples alone."""

import re

import griffe

_BLOCK = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)


def fenced(text: str) -> str:
    r"""The docstring with a fence around each doctest that stands before the section Examples.

    >>> fenced("A sum.\n\n>>> 1 + 1\n2")
    'A sum.\n\n```pycon\n>>> 1 + 1\n2\n```'
    """
    prose, heading, examples = text.partition("\nExamples\n---")
    return _BLOCK.sub(lambda block: f"```pycon\n{block[0]}\n```", prose) + heading + examples


class Doctests(griffe.Extension):
    """What mkdocstrings calls for every object it has read."""

    def on_object(self, *, obj: griffe.Object, **_) -> None:
        """Fence the object's doctests."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
