"""The command line, ``python -m alf``: everything the pages show, without a browser.

Exit status: 0 done, 1 failed while running (or an extra of the package is not installed), 2 wrong input, with one line
on stderr that names the thing, the allowed set and the value. With ``--json`` stdout carries JSON only, one object a
line for `train`. Claims that are refuted, undecided or not defined are answers: exit 0.
"""
# ruff: noqa: I001

import os
import sys

import click

from alf.cli import theory, training, machine  # noqa: F401 - they add their commands, in this order
from alf.cli.group import app, complain
from alf.errors import InputError, not_installed


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status.

    >>> main(["ratio", "ael:a=2"])
    loss                                 ael:a=2
    asymmetry ratio r                    0.606531 = exp(-1/2)
    upper ratio                          0.606531
    status                               proved
    critical symmetric noise (K = 10)    0.8452
    critical pair noise                  0.3775
    0
    """
    try:
        given = sys.argv[1:] if arguments is None else arguments
        status = app.main(args=[_positional(text) for text in given], prog_name="python -m alf", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except InputError as error:
        return complain(str(error), 2)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        known = "" if "command" not in error.format_message() else f" Choose one of {', '.join(app.commands)}."
        return complain(error.format_message() + known, 2)
    except (KeyboardInterrupt, click.Abort):
        return complain("interrupted", 1)
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        return complain(str(not_installed(error.name or str(error))), 1)
    except Exception as error:  # a defect of ours, or memory or disk ran out: said in a line, in full with ALF_DEBUG=1
        if os.environ.get("ALF_DEBUG") == "1":
            raise
        return complain(f"failed: {type(error).__name__}: {error} (ALF_DEBUG=1 shows where)", 1)


def _positional(text: str) -> str:
    """A formula that begins with a minus, with its prefix, so that it is not read as an option.

    >>> _positional("-log(u)"), _positional("--json"), _positional("-h")
    ('formula:-log(u)', '--json', '-h')
    """
    if not text.startswith("-") or text.startswith("--") or "u" not in text:
        return text
    from alf.losses import is_formula

    return f"formula:{text}" if is_formula(text) else text


__all__ = ["app", "main"]
