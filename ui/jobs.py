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
    """Which values of a hyperparameter tolerate the noise: a union of intervals.

    Under "intervals" their ends to four digits as [low, high], None where one goes on to the end of the domain, and
    under "moved" the ends to three digits. Each end is rounded into its interval and proved to tolerate.
    """
    import sympy

    from alf.noise import parse_noise
    from alf.theory import tolerant_region
    from alf.theory.inverse import shortened

    parsed, model = parse(loss), parse_noise(noise, classes)
    stage(f"solving for {name}")
    found = tolerant_region(parsed, name, model)
    shown, moved = (shortened(parsed, found, model, digits) for digits in (4, 3))
    return {
        "name": name,
        "status": found.status,
        "everywhere": found.everywhere,
        "intervals": [[None if end is None else str(end) for end in (i.low, i.high)] for i in shown],
        "moved": [str(end) for i in moved for end in (i.low, i.high) if end is not None],
        "formulas": [sympy.latex(formula) for formula in found.formulas],
    }
