"""What the pages ask of the workers beside claims. No Streamlit here: every worker would import it."""

from alf.losses import parse
from alf.theory import Verdict
from alf.theory.progress import stage
from alf.theory.ratios import Ratio


def ratio(spec: str) -> Ratio:
    """The asymmetry ratio of a loss."""
    from alf.theory import ratio

    return ratio(parse(spec))


def document(kind: str, loss: str, noise: str, classes: int, verdicts: list[Verdict]) -> str:
    """The verdicts as a stand-alone script (kind "script") or as a LaTeX document (kind "latex")."""
    from alf.export import latex_document, proof_script
    from alf.noise import parse_noise

    stage("writing the file")
    write = {"script": proof_script, "latex": latex_document}[kind]
    return write(parse(loss), parse_noise(noise, classes), classes, verdicts)


def regions(loss: str, noise: str, classes: int) -> list[dict]:
    """For each hyperparameter: from which value on, or up to which, the loss tolerates the noise."""
    import sympy

    from alf.noise import parse_noise
    from alf.theory import tolerant_region

    parsed, model = parse(loss), parse_noise(noise, classes)
    found = []
    for parameter in parsed.declaration.parameters:
        stage(f"solving for {parameter.name}")
        region = tolerant_region(parsed, parameter.name, model)
        formula = "" if region.formula is None else sympy.latex(region.formula)
        found.append({"name": parameter.name, "relation": region.relation, "value": region.value, "formula": formula})
    return found
