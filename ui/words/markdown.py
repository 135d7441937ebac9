"""Text that a person wrote, in a page's Markdown."""


def literal(text: str) -> str:
    """The text as it is: no links, images, formulas or emphasis from a stranger.

    >>> print(literal("[x](y) *z*"))
    \\[x\\]\\(y\\) \\*z\\*
    """
    return "".join("\\" + c if c in "\\`*_[]<>$#:~|!()" else c for c in text)
