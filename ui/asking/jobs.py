"""What the pages ask of the workers. No Streamlit here: every worker would import it.

What comes back holds no SymPy expression: unpickling one evaluates it, and a power that is harmless unevaluated may
have a billion digits. The server's threads work no symbols out.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from alf.losses import parse
from alf.theory import Verdict
from alf.theory.progress import stage
from alf.theory.verdict import Status

READABLE = 200
"""Characters of LaTeX beyond which a number is shown by its decimals alone."""


@dataclass(frozen=True)
class KnownRatio:
    """What is known about a loss's asymmetry ratio, in numbers and LaTeX; see `alf.theory.ratios.ratio.Ratio`.

    Parameters
    ----------
    formula, exact : str
        LaTeX of the ratio in the hyperparameters and of its exact value; empty where there is none.
    whole : int or None
        The exact value where it is a whole number.
    reason : str
        The last step's sentence.
    domain : str
        For which hyperparameters a proof holds, in words; empty where the ratio is not proved.
    """

    status: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    upper_value: float | None = None
    upper_interval: tuple[float, float] | None = None
    formula: str = ""
    exact: str = ""
    whole: int | None = None
    attained: bool | None = None
    reason: str = ""
    domain: str = ""

    @property
    def defined(self) -> bool:
        """Whether the loss has a ratio."""
        return self.status != Status.NOT_DEFINED


def ratio(spec: str) -> KnownRatio:
    r"""The asymmetry ratio of a loss.

    >>> found = ratio("agce:a=0.6,q=0.6")
    >>> ratio("mae").whole, found.domain, print(found.formula)
    \left(\frac{a}{a + 1}\right)^{1 - q}
    (1, 'for all a > 0, 0 < q < 1', None)
    """
    import sympy

    from alf.theory import ratio
    from alf.theory.claims.scope import ratio_domain

    loss = parse(spec)
    found = ratio(loss)
    stage("printing the ratio")
    named = found.formula is not None and found.formula.free_symbols
    whole = found.exact is not None and found.exact.is_Integer
    exact = "" if found.exact is None else sympy.latex(found.exact)
    return KnownRatio(
        found.status, found.value, found.interval, found.upper_value, found.upper_interval,
        sympy.latex(found.formula) if named else "", exact if len(exact) <= READABLE else "",
        int(found.exact) if whole else None, found.attained, found.steps[-1].statement if found.steps else "",
        ratio_domain(loss, found) if found.status == Status.PROVED else "",
    )  # fmt: skip


class KnownPart(NamedTuple):
    """How far on the way to a noise a loss tolerates it; see `alf.theory.asking.rate.Tolerated`."""

    status: str
    rate: float | None = None
    interval: tuple[float, float] | None = None


def tolerated(spec: str, noise: str, classes: int) -> KnownPart:
    """How far on the way to a noise a loss tolerates it.

    >>> round(tolerated("ael:a=1", "pair:1", 3).rate, 4)
    0.2689
    """
    from alf.noise import noise_path, parse_noise
    from alf.theory.asking.rate import tolerated_part

    found = tolerated_part(parse(spec), noise_path(parse_noise(noise, classes)))
    return KnownPart(found.status, found.rate, found.interval)


def grids(spec: str, values: Mapping):
    """`alf.theory.ratios.grid.ratio_grid`: the ratio over arrays of hyperparameters."""
    from alf.theory.ratios.grid import ratio_grid

    return ratio_grid(parse(spec), **values)


def families() -> tuple[str, ...]:
    """Keys of the losses with one or two hyperparameters on which the ratio depends by a formula.

    >>> families()
    ('agce', 'aul', 'ael')
    """
    from alf.losses import catalogue
    from alf.theory import ratio

    found = []
    for key, declaration in catalogue().items():
        if declaration.pointwise and 1 <= len(declaration.parameters) <= 2:
            formulas = [ratio(loss).formula for loss in (*declaration.configurations(), declaration.example())]
            if any(formula is not None and formula.free_symbols for formula in formulas):
                found.append(key)
    return tuple(found)


def latex(spec: str) -> str:
    """A loss's formula in LaTeX."""
    return parse(spec).latex()


@dataclass(frozen=True)
class Settled:
    """A verdict without symbols, for the page; and the whole of it, opaque to the server, for a file of proofs."""

    verdict: Verdict
    whole: bytes


def claim(claim: str, loss: str, noise: str, classes: int) -> Settled:
    """One claim's verdict."""
    from alf.theory.asking.prover import decide

    return settled(decide(claim, loss, noise, classes))


def settled(verdict: Verdict) -> Settled:
    """A verdict as the server gets it."""
    steps = tuple(replace(step, expression=None) for step in verdict.steps)
    return Settled(replace(verdict, steps=steps), pickle.dumps(verdict))


def document(kind: str, loss: str, noise: str, classes: int, verdicts: Sequence[bytes]) -> str:
    """The verdicts as a stand-alone script (kind "script") or as a LaTeX document (kind "latex")."""
    from alf.export import latex_document, proof_script
    from alf.noise import parse_noise

    stage("writing the file")
    write = {"script": proof_script, "latex": latex_document}[kind]
    return write(parse(loss), parse_noise(noise, classes), classes, [pickle.loads(verdict) for verdict in verdicts])


def region(loss: str, noise: str, classes: int, name: str) -> dict:
    """Which values of a hyperparameter tolerate the noise: a union of intervals.

    Under "intervals" their ends to four digits as [low, high], None where one goes on to the end of the domain, and
    under "suggested" the ends to three digits. Each end is rounded into its interval and proved to tolerate.
    """
    import sympy

    from alf.noise import parse_noise
    from alf.theory import tolerant_region
    from alf.theory.asking.inverse import shortened

    parsed, model = parse(loss), parse_noise(noise, classes)
    stage(f"solving for {name}")
    found = tolerant_region(parsed, name, model)
    shown, suggested = (shortened(parsed, found, model, digits) for digits in (4, 3))
    return {
        "name": name,
        "status": found.status,
        "everywhere": found.everywhere,
        "intervals": [[None if end is None else str(end) for end in (i.low, i.high)] for i in shown],
        "suggested": [str(end) for i in suggested for end in (i.low, i.high) if end is not None],
        "formulas": [sympy.latex(formula) for formula in found.formulas],
    }
