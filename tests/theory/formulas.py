"""A seeded generator of loss formulas: convex, concave, with inflections, kinks and singular ends."""

import random
import re
from collections.abc import Iterator

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


HARMLESS = ["1-u", "-log(u)", "a*(1-u)", "exp(-u/a)", "(1-u)**b", "b-a*u", "1/(u+a)", "-log(u+b)"]
NUMBERS = ["0.3", "2", "0.5", "1.7", "0.07", "1e-3", "1/3", "5", "0.9999", "1e-9", "pi", "e"]
FUNCTIONS = ["exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "abs"]


def _tree(draw: random.Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(["u", "u", "1-u", "a", "b", *draw.sample(NUMBERS, 2)])
    first, kind = _tree(draw, depth - 1), draw.random()
    if kind < 0.45:
        return f"({first}){draw.choice('+-*/')}({_tree(draw, depth - 1)})"
    if kind < 0.6:
        return f"({first})**({draw.choice(['a', 'b', '2', '0.5', '-1', *draw.sample(NUMBERS, 2)])})"
    if kind < 0.75:
        return f"{draw.choice(['max', 'min'])}({first},{_tree(draw, depth - 1)})"
    return f"{draw.choice(FUNCTIONS)}({first})"


def trees(seed: int = 0) -> Iterator[str]:
    """Specs of any shape, most of them no losses, with hyperparameters in domains at whose ends l may have no value."""
    draw = random.Random(seed)
    while True:
        base, tree = draw.choice(HARMLESS), _tree(draw, draw.choice([1, 2, 3]))
        sign, number = draw.choice("+-"), draw.choice(NUMBERS)
        text = draw.choice([f"{base}{sign}{number}*({tree})", f"log(1+a*({base})**b)", f"({base})**a",
                            f"exp({base})*({tree})", f"-({tree})", tree])  # fmt: skip
        values = []
        for name in "ab":
            if re.search(rf"(?<![a-z]){name}(?![a-z])", text):
                value = draw.choice(["0.37", "2", "1", "1.5", "0.123456789", "0.01", "0.999999"])
                domain = draw.choice(["", f"[{float(value) / 2!r},{float(value) * 2!r}]", "[0,20]", "[-1,3]"])
                values.append(f"{name}={value}{domain}")
        yield f"formula:{text};{','.join(values)}" if values else f"formula:{text}"
