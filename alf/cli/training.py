"""Commands that train: a recipe, recipes in files, a map, the published tables."""

import json

import click

from alf.cli.group import app, complain, json_option, percent, print_json, read_loss, whole_numbers
from alf.errors import InputError
from alf.settings import settings

REACH = 10.0
"""Seconds that a scheduler has to answer before a command gives up; workers that it has not yet are waited for."""


@app.command()
@click.option("--data", default="digits", show_default=True)
@click.option("--noise", "noises", multiple=True, help="Repeat for several. [default: the recipe's]")
@click.option("--loss", "specs", multiple=True, help="Repeat for several. [default: the recipe's]")
@click.option("--recipe", "kind", default="classroom", show_default=True, help="classroom or paper")
@click.option("--epochs", type=int, default=None)
@click.option("--seeds", default=None, callback=whole_numbers, help="Such as 0,1,2. [default: the recipe's]")
@click.option("--lr", type=float, default=None, help="Learning rate.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto")
@json_option
def train(data, noises, specs, kind, epochs, seeds, lr, device, as_json):
    """Train networks under label noise, every loss x noise x seed; one line an epoch and model, then a summary."""
    from alf.training import RunState, named_recipe, run
    from alf.training.devices import tune_cpu

    losses = tuple(read_loss(spec).spec for spec in specs)
    chosen = {"noise": noises or None, "losses": losses or None, "seeds": seeds, "epochs": epochs, "lr": lr}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    recipe = named_recipe(kind, data, device=device, **chosen)
    summary: dict = {}
    tune_cpu()
    for record in run(recipe, folder=settings().data_dir, tolerates=tolerance(recipe)):
        if as_json:
            print_json(record)
        elif "epoch" in record:
            click.echo(
                f"epoch {record['epoch']:4} {record['loss']:32} {record['noise']:16} seed {record['seed']:<4} "
                f"test {record['test_accuracy']:6.1%}  clean {percent(record['clean_accuracy'])}  "
                f"memorised {percent(record['flipped_given_accuracy'])}"
            )
        summary = record
    if not as_json:
        time = f"in {summary['seconds']:.1f} s on {summary['device']}"
        click.echo(f"\n{summary['status']} {time}. {summary['message'] or ''}")
        for row in summary["losses"]:
            click.echo(json.dumps({name: value for name, value in row.items() if name != "diagnosis"}))
        for row in summary["losses"]:
            for finding in row["diagnosis"]:
                click.echo(f"{row['loss']}, {row['noise']}: {finding['kind']}. {finding['sentence']}")
    if summary["status"] != RunState.FINISHED:
        raise click.exceptions.Exit(1)


@app.command()
@click.argument("files", nargs=-1, required=True, metavar="RECIPE.json ...")
def sweep(files):
    """Train the recipes in files on the workers of ALF_SCHEDULER, or of this machine; all lines are JSON objects.

    A file is a recipe as the Runs page exports it, or a run exported as JSON. All are read before anything is trained.
    The lines are those of train --json, one recipe after another. What is trained is kept in ALF_STORE: the same
    command again, after Ctrl-C too, repeats nothing that had finished and goes on with the rest.
    """
    recipes = [_recipe_in(file) for file in files]
    from alf.runs import engine
    from alf.runs.database import DatabaseAway
    from alf.runs.recipe_sweep import RecipeSweep
    from alf.training import RunState

    failed = False
    going = RecipeSweep(engine(), recipes)
    if trouble := going.engine.supervisor.reach(REACH):
        complain(trouble, 0)
    try:
        for number, record in going.lines(tolerance):
            summary = "epoch" not in record
            failed = failed or (summary and record["status"] != RunState.FINISHED)
            if summary and not record["losses"]:  # no data, or no room for its models: the others are trained
                complain(f"{files[number]}: {record['message']}", 1)
            else:
                print_json(record)
    except BrokenPipeError:
        going.stop()
        raise
    except KeyboardInterrupt:
        try:
            going.stop()
            kept = f"{going.finished} of {len(recipes)} recipes have finished and are kept in ALF_STORE"
        except DatabaseAway as error:
            kept = str(error)
        complain(f"interrupted: {kept}; the same command goes on with the others", 1)
        raise click.exceptions.Exit(1) from None
    if failed:
        raise click.exceptions.Exit(1)


def tolerance(recipe):
    """What is proved of a loss of a recipe under one of its noises; asked for where training did poorly."""
    from alf.theory.asking.prover import Prover

    def tolerates(loss: str, noise: str) -> str | None:
        with Prover(workers=1) as prover:  # a proof that hangs is killed at its deadline
            classes, data = recipe.dataset.classes, recipe.data
            (verdict,) = prover.verify(loss, noise, classes, claims=("noise_tolerant",), data=data)
        return str(verdict.status) if verdict.holds else None

    return tolerates


@app.command()
@click.option("--loss", "specs", multiple=True, help="Repeat for several maps. [default: agce:a=0.6,q=0.6]")
@click.option("--x", "x", default="a=0.05:6:12:log", show_default=True, metavar="AXIS", help="From left to right.")
@click.option("--y", "y", default="noise=0.1:0.8:10", show_default=True, metavar="AXIS", help="From bottom to top.")
@click.option("--noise", default="symmetric", show_default=True, help="Its kind where an axis is the noise, such as "
              "pair; else with its rate, such as pair:0.4.")  # fmt: skip
@click.option("--data", default="digits", show_default=True)
@click.option("--recipe", "kind", default="map", show_default=True, help="map, classroom or paper")
@click.option("--network", default=None, help="Such as mlp:256. [default: the recipe's]")
@click.option("--epochs", type=int, default=None)
@click.option("--lr", type=float, default=None, help="Learning rate.")
@click.option("--samples", type=int, default=None, help="Training samples. [default: the recipe's]")
@click.option("--seeds", default="0,1,2", show_default=True, callback=whole_numbers, help="One network each.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto")
@click.option("--measure", default="last", show_default=True, help="last, drop, memorised, confidence or dead")
@json_option
def phase(specs, x, y, noise, data, kind, network, epochs, lr, samples, seeds, device, measure, as_json):
    """Train a map: networks for every value of two axes, beside what theory says; one line a cell, then a summary.

    An AXIS is written KIND=FROM:TO:COUNT, with :log behind it in the logarithm, or KIND=VALUE,VALUE,... Its KIND is
    noise (the rate), lr, classes, samples or a hyperparameter of every loss.

    The networks are runs of the store (ALF_STORE), trained by worker processes or a cluster (ALF_SCHEDULER): the same
    command given again goes on where it was, and repeats nothing.
    """
    from alf.phase import MEASURES, PhaseMap, parse_axis
    from alf.phase.recipes import LOSS, map_recipe
    from alf.phase.report import GaveUp, in_words, report
    from alf.phase.sweep import refuse_too_many
    from alf.runs import engine
    from alf.settings import settings
    from alf.theory.asking.prover import Prover

    if measure not in MEASURES:
        raise InputError(f"--measure: must be one of {', '.join(MEASURES)}, got {measure[:60]}")
    axes = parse_axis(x), parse_axis(y)
    if "noise" in (axes[0].kind, axes[1].kind) and ":" not in noise and noise != "none":
        noise += ":0"  # the axis says which rates
    chosen = {"network": network, "epochs": epochs, "lr": lr, "samples": samples, "device": device}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    losses = tuple(read_loss(spec).spec for spec in specs or (LOSS,))
    phase = PhaseMap(map_recipe(data, losses, (noise,), seeds, kind, **chosen), *axes)
    refuse_too_many(phase, settings())
    messages: list[str] = []

    def tell(state) -> None:
        if state.message and state.message.split(" for ")[0] not in messages:  # once, however long it lasts
            messages.append(state.message.split(" for ")[0])
            click.echo(state.message, err=True)

    row: dict = {}
    try:
        with Prover() as prover:
            for row in report(phase, engine(), prover, measure, tell):
                if as_json:
                    print_json(row)
                else:
                    click.echo(in_words(row))
    except GaveUp as error:
        return complain(f"{error} What was measured is kept; the same command goes on from there.", 1)
    if row["status"] != "finished" or row["failed"]:
        raise click.exceptions.Exit(1)
    return None


def _recipe_in(file: str):
    """The recipe in a file."""
    from alf.export.run import read_recipe

    return _read_file(file, read_recipe, "sweep: a file with a recipe is needed")


def _read_file(file: str, read, needed: str):
    """What a file holds."""
    from pathlib import Path

    try:
        return read(Path(file).read_bytes())
    except OSError as error:
        raise InputError(f"{needed}, got {file} ({error.strerror})") from None
    except InputError as error:
        raise InputError(f"{file}: {error}") from None


_FORMATS = ("markdown", "csv", "latex", "json")


@app.command()
@click.option("--data", default="cifar10", show_default=True)
@click.option("--noise", "noises", multiple=True, help="A column; repeat for several. [default: the paper's nine]")
@click.option("--protocol", "text", default=None, help="How ours were trained: paper, classroom, or with changes such "
              "as paper:epochs=20,samples=5000. [default: the paper's, where it has one]")  # fmt: skip
@click.option("--seeds", default="0,1,2", callback=whole_numbers, show_default=True, help="Wanted of each cell.")
@click.option("--runs", "files", multiple=True, metavar="FILE", help="Output of train --json or sweep on another "
              "machine; repeat for several.")  # fmt: skip
@click.option("--format", "form", default="markdown", show_default=True, help=", ".join(_FORMATS))
def tables(data, noises, text, seeds, files, form):
    """Accuracies measured here beside the published ones: losses as rows, noises as columns.

    Ours are all models that this installation's store has of the protocol, whichever run they belong to. JSON has what
    is missing too: how long it takes here, and recipes for sweep.
    """
    from alf.export import tables as written
    from alf.runs.measured import merged, read_runs
    from alf.runs.reproduction import columns, lookup, table
    from alf.runs.store import Store
    from alf.runs.table_plan import plan
    from alf.training.protocols import protocol, protocol_kinds

    if form not in _FORMATS:
        raise InputError(f"--format: must be one of {', '.join(_FORMATS)}, got {form[:60]}")
    chosen = protocol(data, text or protocol_kinds(data)[-1]).with_(seeds=seeds)
    grid = columns(data, noises)
    given = [_read_file(file, read_runs, "tables: a file with runs is needed") for file in files]
    store = Store(settings().store)
    try:
        found = lookup(store, data, grid)
        for other in given:
            found = merged(found, other)
        made = table(chosen, grid, seeds, found)
        if form != "json":
            writers = {"markdown": written.markdown_table, "csv": written.csv_table, "latex": written.latex_table}
            return click.echo(writers[form](made), nl=False)
        todo = plan(made, store, settings())
    finally:
        store.close()
    recipes = [recipe.to_dict() for recipe in todo.recipes]
    missing = {"seconds": todo.seconds, "rough": todo.rough, "words": todo.words, "recipes": recipes}
    return print_json(written.json_table(made) | {"missing": missing})
