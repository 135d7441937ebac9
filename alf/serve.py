"""Starting the web app from an installed package: the same pages and the same settings as in a checkout.

The wheel holds `app.py`, `pages/`, `ui/` and `.streamlit/config.toml` in a folder of its own inside this package.
Streamlit reads the configuration beside the script before anything else, so the folder in which somebody types
``alf app`` does not matter.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from alf.errors import EXTRAS, InputError, not_installed
from alf.settings import settings


def entry_script() -> Path:
    """Return the path of `app.py`: inside this package where it was installed from a wheel, beside it in a checkout.

    >>> entry_script().name
    'app.py'
    """
    package = Path(__file__).parent
    packed = package / "_site" / "app.py"
    return packed if packed.exists() else package.parent / "app.py"


def serve(options: Sequence[str] = ()) -> None:
    """Serve the app in this process until it is interrupted; the options are those of ``streamlit run``.

    Raises
    ------
    NotInstalled
        Where a module of the extra `app` is not here.
    InputError, click.ClickException
        Where something is no option of Streamlit's, or its value is none.
    """
    for module in (*EXTRAS["app"], *EXTRAS["train"]):
        if find_spec(module) is None:
            raise not_installed(module)
    from streamlit.web.cli import main_run

    settings()  # a wrong one is said here, not by the first page
    context = main_run.make_context("alf app", [str(entry_script()), *options])
    if context.params["args"]:
        raise InputError(f"app: takes options such as --server.address, got {' '.join(context.params['args'])}")
    with context:
        main_run.invoke(context)
