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


def region(loss: str, noise: str, classes: int, name: str) -> dict:
    """From which value of a hyperparameter on, or up to which, the loss tolerates the noise.

    Under "end" that value to four digits and under "moved" to three, both rounded into the range, where the loss is
    proved to tolerate; the range is not offered where no rounding is.
    """
    import sympy

    from alf.noise import parse_noise
    from alf.theory import tolerant_region
    from alf.theory.inverse import inward

    parsed, model = parse(loss), parse_noise(noise, classes)
    stage(f"solving for {name}")
    found = tolerant_region(parsed, name, model)
    formula = "" if found.formula is None else sympy.latex(found.formula)
    end, moved = (inward(parsed, found, model, digits) for digits in (4, 3))
    relation = "?" if found.relation in (">=", "<=") and end is None else found.relation
    texts = {key: None if value is None else str(value) for key, value in (("end", end), ("moved", moved))}
    return {"name": name, "relation": relation, "formula": formula, **texts}
