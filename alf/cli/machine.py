"""Commands about this machine: what is here, data sets, the app."""

import os
import sys

import click

from alf.cli.group import app, json_option, print_json, within
from alf.settings import settings


@app.command()
@json_option
def doctor(as_json):
    """Check that everything is here: versions, settings, devices, data sets, the store of runs, worker processes."""
    from alf.doctor import examine

    checks = []
    for check in examine(os.environ):
        checks.append(check)
        if not as_json:
            click.echo(f"{check.state:8} {check.name:10} {check.words}")
    broken = any(check.state == "problem" for check in checks)
    if as_json:
        print_json({"ok": not broken, "checks": [check.to_dict() for check in checks]})
    if broken:
        raise click.exceptions.Exit(1)


@app.command("app", context_settings={"ignore_unknown_options": True})
@click.option("--port", type=int, callback=within(1, 65535), help="[default: 8501, or the next free one]")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[STREAMLIT'S OPTIONS]")
def start_app(port, options):
    """Start the web app on this machine; further options are Streamlit's, such as --server.address 0.0.0.0."""
    from alf.serve import serve

    serve((*options, *(() if port is None else (f"--server.port={port}",))))


@app.group(no_args_is_help=True)
def data():
    """Data sets: what there is, and fetching them."""


@data.command("list")
@json_option
def list_data(as_json):
    """List the data sets, and say which of them are here, whole."""
    from alf.data import DATASETS, presence

    rows = []
    for d in DATASETS.values():
        state, expected = presence(d, settings().data_dir)
        absent = f"python -m alf data fetch {d.key}, or ALF_DATA_DIR"
        how = {"here": "included" if d.local else "here", "absent": absent, "damaged": expected}[state]
        row = {"key": d.key, "name": d.name, "classes": d.classes, "shape": list(d.shape), "included": d.local}
        rows.append(row | {"here": state == "here", "how": how})
    if as_json:
        return print_json(rows)
    for d, row in zip(DATASETS.values(), rows, strict=True):
        shape = "x".join(map(str, d.shape))
        click.echo(f"{d.key:14} {d.name:16} {d.classes:4} classes  {shape:8}  {row['how']}")
    return None


@data.command("fetch")
@click.argument("name")
def fetch_data(name):
    """Download and verify data set NAME."""
    from alf.data import dataset, fetch

    def tell(file: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            share = f"{done / total:4.0%}" if total else f"{done} bytes"
            click.echo(f"\r{file} {share}", nl=False, err=True)

    click.echo(f"{name} is in {fetch(dataset(name), tell, mirror=settings().data_mirror)}")
