"""What goes wrong because of what a person typed or did not install, as opposed to a defect of ours."""


class InputError(ValueError):
    """Bad input: one sentence that names the thing, the allowed set and the value.

    The command line prints it and exits with status 2, a page shows it in place; nothing else reaches a person.
    """


def quoted(text: str, limit: int = 60) -> str:
    """What a person typed, printable and short enough for a one-line message.

    >>> quoted("x" * 100, limit=10)
    "'xxxxxxxxxx...'"
    """
    text = text if len(text) <= limit else text[:limit] + "..."
    return repr(text.encode("utf-8", "backslashreplace").decode())


def brief(value: object) -> str:
    r"""Any value in an error message, without quotes, and without letting it flood the page.

    >>> brief(0.5), brief("a\0b")
    ('0.5', 'a?b')
    """
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else "?" for c in text[:60])
    return text if len(text) < 60 else text + "..."


EXTRAS = {
    "train": (
        "torch",
        "sklearn",
        "distributed",
        "dask",
        "sqlalchemy",
        "safetensors",
        "pooch",
        "platformdirs",
        "psutil",
    ),
    "app": ("streamlit", "plotly", "PIL"),
    "postgres": ("psycopg",),
}
"""The modules that each optional extra of this package brings."""


class NotInstalled(ModuleNotFoundError):
    """A module of an optional extra is not here; the text names the extra that brings it."""


def not_installed(module: str) -> NotInstalled:
    """What to raise where a module is not here.

    >>> str(not_installed("sklearn.datasets"))
    "sklearn is not installed; pip install 'asymmetric-loss-explorer[train]' installs it"
    """
    top = module.partition(".")[0]
    extra = next((name for name, modules in EXTRAS.items() if top in modules), None)
    how = f"pip install 'asymmetric-loss-explorer[{extra}]' installs it" if extra else "the installation is incomplete"
    return NotInstalled(f"{top} is not installed; {how}", name=module)
