"""The page of theorems: each with its hypotheses, statement, formula, proof and source, as the engine holds them."""

from alf.theory.theorems import THEOREMS, Theorem
from ui.words.verdict_words import typeset

HEAD = """# Theorems

What the steps of verdicts rest on, each once. The page is made from the engine's own list, and a test attacks each of
them by brute force.

Notation: u is a prediction, a point of the probability simplex of K classes, and e_m its vertex for class m; L(u, i)
is the loss of u when the label is i, and l(u_i) where it depends on u_i alone; w are label weights, W is their sum, w_m
the largest, which is unique, and w_n the second largest; R(u) = sum_i w_i L(u, i); phi(t) = (l(0) - l(t)) / (l(0) -
l(1)). The ratio r is the infimum of (l(x) - l(x + d)) / (l(0) - l(d)) over 0 <= x <= 1 - d and 0 < d <= 1, and the
upper ratio r_up is that over x = 1 - d.
"""


def page() -> str:
    """The page."""
    title, *paragraphs = HEAD.strip().split("\n\n")
    return "\n\n".join([title, *map(typeset, paragraphs), *map(_entry, THEOREMS.values())]) + "\n"


def _entry(theorem: Theorem) -> str:
    hypotheses = "\n".join(f"- {typeset(hypothesis)}" for hypothesis in theorem.hypotheses)
    return "\n\n".join(
        [
            f"## {theorem.name} {{ #{theorem.key} }}",
            typeset(theorem.statement),
            f"$$\n{theorem.latex}\n$$",
            f"**Hypotheses.**\n\n{hypotheses}",
            f"**Why.** {typeset(theorem.sketch)}",
            f"**Source.** {typeset(theorem.source)}",
        ]
    )
