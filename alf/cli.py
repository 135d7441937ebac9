"""The command line, ``python -m alf``: everything the pages show, without a browser.

Exit status: 0 done, 1 failed while running (or an extra of the package is not installed), 2 wrong input, with one line
on stderr that names the thing, the allowed set and the value. With ``--json`` stdout carries JSON only, one object a
line for `train`. Claims that are refuted, undecided or not defined are answers: exit 0.
"""

import json
import os
import sys

import click

from alf import __version__
from alf.errors import InputError, not_installed
from alf.settings import settings


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
        return _complain(str(error), 2)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        known = "" if "command" not in error.format_message() else f" Choose one of {', '.join(app.commands)}."
        return _complain(error.format_message() + known, 2)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", 1)
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ModuleNotFoundError as error:
        return _complain(str(not_installed(error.name or str(error))), 1)
    except Exception as error:  # a defect of ours, or memory or disk ran out: said in a line, in full with ALF_DEBUG=1
        if os.environ.get("ALF_DEBUG") == "1":
            raise
        return _complain(f"failed: {type(error).__name__}: {error} (ALF_DEBUG=1 shows where)", 1)


def _positional(text: str) -> str:
    """A formula that begins with a minus, with its prefix, so that it is not read as an option.

    >>> _positional("-log(u)"), _positional("--json"), _positional("-h")
    ('formula:-log(u)', '--json', '-h')
    """
    if not text.startswith("-") or text.startswith("--") or "u" not in text:
        return text
    from alf.losses import is_formula

    return f"formula:{text}" if is_formula(text) else text


def _complain(sentence: str, status: int) -> int:
    click.echo(" ".join(sentence.split()), err=True)
    return status


def _read(spec: str):
    """A loss as typed; a formula is read, and searched for places where it rises, in a process that can be killed."""
    from alf.losses import is_formula, parse
    from alf.theory.asking.prover import Prover

    if not is_formula(spec):
        return parse(spec)
    with Prover() as prover:
        return parse(prover.read(spec))


def _print_json(value) -> None:
    click.echo(json.dumps(value, allow_nan=False))


def _whole_numbers(context, parameter, text: str | None) -> tuple[int, ...] | None:
    """``0,1,2`` as a tuple."""
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts):
        raise InputError(f"{parameter.opts[0]}: must be whole numbers with commas such as 0,1,2, got {text[:60]!r}")
    return tuple(int(part) for part in parts)


def _within(low: int, high: int):
    """What click calls to check a whole number; with a range of its own it would word the refusal itself."""

    def check(context, parameter, value: int | None) -> int | None:
        if value is not None and not low <= value <= high:
            raise InputError(f"{parameter.opts[0]}: must lie in [{low}, {high}], got {value}")
        return value

    return check


REACH = 10.0
"""Seconds that a scheduler has to answer before a command gives up; workers that it has not yet are waited for."""

loss_argument = click.argument("loss")
classes_option = click.option("--classes", default=10, callback=_within(2, 1000), show_default=True, help="K.")
json_option = click.option("--json", "as_json", is_flag=True, help="JSON only on stdout.")


@click.group(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(version)s")
def app():
    """Asymmetric losses for learning with noisy labels: see, prove, train.

    A LOSS is written KEY or KEY:name=value,... such as ce, agce:a=0.6,q=0.6 or nce+agce:alpha=1,beta=4,a=6,q=1.5,
    or as a formula in u such as 'exp(-u/a);a=2.5'.
    """


@app.command()
@json_option
def losses(as_json):
    """List the catalogue: keys, hyperparameters with their domains, presets, references."""
    from alf.losses import catalogue

    if as_json:
        _print_json([_describe(declaration) for declaration in catalogue().values()])
        return
    for declaration in catalogue().values():
        parameters = "; ".join(f"{p.name} in {p.domain}" for p in declaration.parameters)
        click.echo(f"{declaration.key:10} {declaration.name:9} {parameters}")
        for loss in dict.fromkeys(declaration.preset_losses().values()):
            data = ", ".join(d for d, x in declaration.preset_losses().items() if x == loss)
            click.echo(f"{'':20} {loss.spec}  ({data})")


def _describe(declaration) -> dict:
    return {
        "key": declaration.key,
        "name": declaration.name,
        "about": declaration.about,
        "formula": str(declaration.expression),
        "sums": {str(symbol): str(summand) for symbol, summand in declaration.sums},
        "latex": declaration.latex(),
        "parameters": [
            {
                "name": p.name,
                "domain": str(p.domain),
                "meaning": p.meaning,
                "default": None if p.default is None else float(p.default),
            }
            for p in declaration.parameters
        ],
        "presets": {data: loss.spec for data, loss in declaration.preset_losses().items()},
        "reference": declaration.reference,
    }


@app.command()
@loss_argument
@classes_option
@json_option
def ratio(loss, classes, as_json):
    """Asymmetry ratio, upper ratio and critical noise rates of LOSS."""
    from alf.theory import critical_noise
    from alf.theory import ratio as find_ratio

    parsed = _read(loss)
    found = find_ratio(parsed)
    critical = critical_noise(found, classes)
    answer = {
        "loss": parsed.spec,
        "ratio": found.value,
        "upper_ratio": found.upper_value,
        "exact": None if found.exact is None or len(str(found.exact)) > 300 else str(found.exact),
        "status": found.status,
        "interval": found.interval and list(found.interval),
        "upper_interval": found.upper_interval and list(found.upper_interval),
        "critical_noise": {"classes": classes, "symmetric": critical.symmetric, "pair": critical.pair},
    }
    if as_json:
        return _print_json(answer)
    if found.value is None:
        lines = {"loss": parsed.spec, "asymmetry ratio r": f"not defined: {found.steps[-1].statement}"}
    else:
        exact = f" = {found.exact}" if found.exact is not None and len(str(found.exact)) < 40 else ""
        within = "" if found.exact is not None else f"  in [{found.interval[0]:.6g}, {found.interval[1]:.6g}]"
        lines = {
            "loss": parsed.spec,
            "asymmetry ratio r": f"{_ratio(found.value)}{exact}{within}",
            "upper ratio": _ratio(found.upper_value),
            "status": found.status,
            f"critical symmetric noise (K = {classes})": f"{critical.symmetric:.4f}",
            "critical pair noise": f"{critical.pair:.4f}",
        }
    for name, text in lines.items():
        click.echo(f"{name:36} {text}")
    return None


def _ratio(value: float) -> str:
    return f"{value:.6f}" if value == 0 or value >= 1e-3 else f"{value:.6g}"


@app.command()
@loss_argument
@click.option("--noise", default="none", show_default=True, help="none, symmetric:0.4, pair:0.3, asymmetric:0.4 "
              "(with --data), matrix:.6,.4;.3,.7")  # fmt: skip
@classes_option
@click.option("--data", default=None, help="Data set, for noise that depends on its classes.")
@json_option
@click.option("--latex", "as_latex", is_flag=True, help="The proofs as LaTeX.")
def verify(loss, noise, classes, data, as_json, as_latex):
    """Decide what can be claimed of LOSS under NOISE, with the steps that decided it."""
    from alf.data import dataset
    from alf.noise import parse_noise
    from alf.theory.asking.prover import Prover

    if as_json and as_latex:
        raise InputError("verify: choose one of --json and --latex, got both")
    if data is not None:
        dataset(data)
    parsed = _read(loss)
    model = parse_noise(noise, classes, data)
    with Prover(workers=min(4, os.cpu_count() or 1)) as prover:  # a claim that hangs is killed at its deadline
        verdicts = list(prover.verify(parsed.spec, model.spec, classes, data=data))
    if as_json:
        claims = [verdict.to_json() for verdict in verdicts]
        return _print_json({"loss": parsed.spec, "noise": model.spec, "classes": classes, "claims": claims})
    if as_latex:
        from alf.export import latex_document

        return click.echo(latex_document(parsed, model, classes, verdicts))
    click.echo(f"{parsed.spec}  noise {model.spec}  K = {classes}")
    words = {True: "yes", False: "no", None: "-"}
    for verdict in verdicts:
        domain = verdict.data.get("domain", "")
        click.echo(f"{verdict.claim.replace('_', ' '):24} {words[verdict.holds]:4} {verdict.status} {domain}".rstrip())
        for step in verdict.steps:
            shown = "" if step.expression is None else f"  {step.expression}"
            click.echo(f"{'':29} {step.statement}{shown if len(shown) < 200 else ''}")
        if verdict.witness is not None:
            witness = verdict.witness.to_json()
            numbers = zip(witness["labels"], witness["shown"], strict=True)
            values = ", ".join(f"{label} {text}" for label, text in numbers)
            click.echo(f"{'':29} {witness['statement']} At ({', '.join(map(str, witness['point']))}): {values}.")
    return None


@app.command()
@click.option("--data", default="digits", show_default=True)
@click.option("--noise", "noises", multiple=True, help="Repeat for several. [default: the recipe's]")
@click.option("--loss", "specs", multiple=True, help="Repeat for several. [default: the recipe's]")
@click.option("--recipe", "kind", default="classroom", show_default=True, help="classroom or paper")
@click.option("--epochs", type=int, default=None)
@click.option("--seeds", default=None, callback=_whole_numbers, help="Such as 0,1,2. [default: the recipe's]")
@click.option("--lr", type=float, default=None, help="Learning rate.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, mps or auto")
@json_option
def train(data, noises, specs, kind, epochs, seeds, lr, device, as_json):
    """Train networks under label noise, every loss x noise x seed; one line an epoch and model, then a summary."""
    from alf.training import RunState, named_recipe, run
    from alf.training.devices import tune_cpu

    losses = tuple(_read(spec).spec for spec in specs)
    chosen = {"noise": noises or None, "losses": losses or None, "seeds": seeds, "epochs": epochs, "lr": lr}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    recipe = named_recipe(kind, data, device=device, **chosen)
    summary: dict = {}
    tune_cpu()
    for record in run(recipe, folder=settings().data_dir, tolerates=_tolerance(recipe)):
        if as_json:
            _print_json(record)
        elif "epoch" in record:
            click.echo(
                f"epoch {record['epoch']:4} {record['loss']:32} {record['noise']:16} seed {record['seed']:<4} "
                f"test {record['test_accuracy']:6.1%}  clean {_percent(record['clean_accuracy'])}  "
                f"memorised {_percent(record['flipped_given_accuracy'])}"
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
        _complain(trouble, 0)
    try:
        for number, record in going.lines(_tolerance):
            summary = "epoch" not in record
            failed = failed or (summary and record["status"] != RunState.FINISHED)
            if summary and not record["losses"]:  # no data, or no room for its models: the others are trained
                _complain(f"{files[number]}: {record['message']}", 1)
            else:
                _print_json(record)
    except BrokenPipeError:
        going.stop()
        raise
    except KeyboardInterrupt:
        try:
            going.stop()
            kept = f"{going.finished} of {len(recipes)} recipes have finished and are kept in ALF_STORE"
        except DatabaseAway as error:
            kept = str(error)
        _complain(f"interrupted: {kept}; the same command goes on with the others", 1)
        raise click.exceptions.Exit(1) from None
    if failed:
        raise click.exceptions.Exit(1)


def _tolerance(recipe):
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
@click.option("--seeds", default="0,1,2", show_default=True, callback=_whole_numbers, help="One network each.")
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
    losses = tuple(_read(spec).spec for spec in specs or (LOSS,))
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
                    _print_json(row)
                else:
                    click.echo(in_words(row))
    except GaveUp as error:
        return _complain(f"{error} What was measured is kept; the same command goes on from there.", 1)
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
@click.option("--seeds", default="0,1,2", callback=_whole_numbers, show_default=True, help="Wanted of each cell.")
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
    return _print_json(written.json_table(made) | {"missing": missing})


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
        _print_json({"ok": not broken, "checks": [check.to_dict() for check in checks]})
    if broken:
        raise click.exceptions.Exit(1)


def _percent(value: float | None) -> str:
    return "     -" if value is None else f"{value:6.1%}"


@app.command("app", context_settings={"ignore_unknown_options": True})
@click.option("--port", type=int, callback=_within(1, 65535), help="[default: 8501, or the next free one]")
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
        return _print_json(rows)
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
