"""The command line's reference: what ``--help`` says of every command."""

import click

from alf.cli import app

HEAD = """# Command line

`alf` is `python -m alf`. A loss is written `KEY` or `KEY:name=value,...`, or as a formula in `u`; a noise model `none`,
`symmetric:0.4`, `pair:0.3`, `asymmetric:0.4` (with `--data`) or `matrix:.6,.4;.3,.7`. Exit status 0 is done, 1 failed
while running, 2 wrong input, with one line on stderr that names the thing, the allowed set and the value. With `--json`
stdout is JSON only.
"""


def page() -> str:
    """The page."""
    return "\n".join([HEAD, *_described(app, "alf", None)])


def _described(command: click.Command, name: str, parent: click.Context | None) -> list[str]:
    context = click.Context(command, parent=parent, info_name=name, max_content_width=100)
    text = [f"## `{context.command_path}`", "", "```text", command.get_help(context), "```", ""]
    inside = command.commands.items() if isinstance(command, click.Group) else ()
    return text + [line for key, below in inside for line in _described(below, key, context)]
