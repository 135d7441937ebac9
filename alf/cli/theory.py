"""Commands about losses: the catalogue, the ratio, verdicts."""

import os

import click

from alf.cli.group import app, classes_option, json_option, loss_argument, print_json, read_loss
from alf.errors import InputError


@app.command()
@json_option
def losses(as_json):
    """List the catalogue: keys, hyperparameters with their domains, presets, references."""
    from alf.losses import catalogue

    if as_json:
        print_json([_describe(declaration) for declaration in catalogue().values()])
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

    parsed = read_loss(loss)
    found = find_ratio(parsed)
    critical = critical_noise(found, classes)
    told = found.to_json()
    named = ("ratio", "upper_ratio", "exact", "status", "interval", "upper_interval")
    answer = {"loss": parsed.spec} | {name: told[name] for name in named}
    if len(told["exact"] or "") > 300:
        answer["exact"] = None
    answer["critical_noise"] = {"classes": classes, "symmetric": critical.symmetric, "pair": critical.pair}
    if as_json:
        return print_json(answer)
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
    parsed = read_loss(loss)
    model = parse_noise(noise, classes, data)
    with Prover(workers=min(4, os.cpu_count() or 1)) as prover:  # a claim that hangs is killed at its deadline
        verdicts = list(prover.verify(parsed.spec, model.spec, classes, data=data))
    if as_json:
        claims = [verdict.to_json() for verdict in verdicts]
        return print_json({"loss": parsed.spec, "noise": model.spec, "classes": classes, "claims": claims})
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
