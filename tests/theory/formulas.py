"""A seeded generator of loss formulas: convex, concave, with inflections, kinks and singular ends."""

import random

CONVEX = [
    "exp(-{a}*u)",
    "1/(u+{b})",
    "-log(u+{b})",
    "(1-u)**{c}",
    "-sqrt(u+{b})",
    "1/(1+{a}*u)",
    "sinh(1-u)",
    "tan(1-u)",
]
CONCAVE = ["-u**{c}", "log({c}-u)", "sqrt(1-u)", "-exp({b}*u)", "cos(u)", "-sinh(u)", "-tan({d}*u)", "1-u"]
BENDING = ["atan({a}*({d}-u))", "tanh({a}*({d}-u))", "1/(1+exp({a}*(u-{d})))", "exp(-{a}*u**2)", "cos(pi*u)",
           "1/(1+{a}*u**3)", "-u-sin({e}*u)/({e}+1)", "-u+sin({e}*u)/({e}+2)"]  # fmt: skip
SINGULAR = ["-log(u)", "1/u", "-u**{d}", "1/sqrt(u)", "-log(u)*(1-u)", "u*(log(u)-1)", "-log(sin(u))"]
KINKED = ["max(0,{d}-u)", "max(-u,{b}-2*u)", "-min(u,{d})", "abs(u-1)"]


def formulas(count: int, seed: int = 0) -> list[str]:
    """Specs of losses that `parse` accepts, the same for the same seed.

    Some rise somewhere or are not real: `parse` refuses those, and another is drawn.
    """
    from alf.errors import InputError
    from alf.losses import parse

    draw = random.Random(seed)
    found: list[str] = []
    while len(found) < count:
        kinds = draw.choices([CONVEX, CONCAVE, BENDING, SINGULAR, KINKED], [3, 3, 4, 1, 1], k=draw.choice([1, 2, 2, 3]))
        terms = []
        for kind in kinds:
            values = {"a": draw.choice([1, 2, 3, 5, 8]), "b": draw.choice([0.05, 0.2, 0.5, 1, 2]),
                      "c": draw.choice([1.5, 2, 2.5, 3, 4]), "d": draw.choice([0.2, 0.3, 0.5, 0.7, 0.8]),
                      "e": draw.choice([2, 3, 5, 6, 9])}  # fmt: skip
            weight = draw.choice(["", "", "0.5*", "2*", "0.1*"])
            terms.append(weight + "(" + draw.choice(kind).format(**values) + ")")
        spec = "formula:" + "+".join(terms)
        try:
            loss = parse(spec)
        except InputError:
            continue
        if loss.spec not in found:
            found.append(loss.spec)
    return found
