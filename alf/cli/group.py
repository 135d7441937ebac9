"""The command `alf` itself, and what its commands share: arguments, reading a loss, printing."""

import json

import click

from alf import __version__
from alf.errors import InputError


@click.group(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def app():
    """Asymmetric losses for learning with noisy labels: see, prove, train.

    A LOSS is written KEY or KEY:name=value,... such as ce, agce:a=0.6,q=0.6 or nce+agce:alpha=1,beta=4,a=6,q=1.5,
    or as a formula in u such as 'exp(-u/a);a=2.5'.
    """


def complain(sentence: str, status: int) -> int:
    """Say a sentence in one line on stderr and give the exit status back."""
    click.echo(" ".join(sentence.split()), err=True)
    return status


def read_loss(spec: str):
    """A loss as typed; a formula is read, and searched for places where it rises, in a process that can be killed."""
    from alf.losses import is_formula, parse
    from alf.theory.asking.prover import Prover

    if not is_formula(spec):
        return parse(spec)
    with Prover() as prover:
        return parse(prover.read(spec))


def print_json(value) -> None:
    """Print a value as one line of JSON."""
    click.echo(json.dumps(value, allow_nan=False))


def whole_numbers(context, parameter, text: str | None) -> tuple[int, ...] | None:
    """``0,1,2`` as a tuple."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        raise InputError(f"{parameter.opts[0]}: must be whole numbers with commas such as 0,1,2, got {text[:60]!r}")
    return tuple(int(part) for part in parts)


def within(low: int, high: int):
    """What click calls to check a whole number; with a range of its own it would word the refusal itself."""

    def check(context, parameter, value: int | None) -> int | None:
        if value is not None and not low <= value <= high:
            raise InputError(f"{parameter.opts[0]}: must lie in [{low}, {high}], got {value}")
        return value

    return check


loss_argument = click.argument("loss")


classes_option = click.option("--classes", default=10, callback=within(2, 1000), show_default=True, help="K.")


json_option = click.option("--json", "as_json", is_flag=True, help="JSON only on stdout.")


def percent(value: float | None) -> str:
    """A share for a table, as wide where there is none."""
    return "     -" if value is None else f"{value:6.1%}"
