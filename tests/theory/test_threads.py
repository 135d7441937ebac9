"""Arb's precision is one for the whole process: what one thread asks must not change what another finds."""

import ast
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
import sympy

from alf.errors import InputError
from alf.losses import parse, u
from alf.noise import parse_noise
from alf.theory import prove, ratio
from alf.theory.arithmetic.balls import at_point
from alf.theory.arithmetic.cells import on_cell

ROOT = Path(__file__).parents[2]


def test_the_precision_is_set_in_one_place():
    """Whoever sets it elsewhere does not hold the lock; Arb's and mpmath's are each one for the whole process."""
    found = set()
    for folder in ("alf", "ui", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = {a.name for a in node.names} if isinstance(node, ast.ImportFrom) else set()
                if "ctx" in names or (isinstance(node, ast.Attribute) and node.attr in ("workprec", "workdps")):
                    found.add(str(path.relative_to(ROOT)))
    assert found == {"alf/theory/arithmetic/balls.py", "alf/losses/precision.py"}


@pytest.fixture
def switching():
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_balls_are_as_wide_as_asked_whatever_other_threads_do(switching):
    value, cell = at_point(sympy.exp(u), u), on_cell(sympy.exp(u), u)
    widths = {bits: value(Fraction(1, 3), bits).rad() for bits in (60, 300, 4000)}
    enclosed = cell(0.25, 0.75)

    def ask(seed: int) -> list:
        draw = random.Random(seed)
        wrong = []
        for _ in range(400):
            bits = draw.choice(list(widths))
            if value(Fraction(1, 3), bits).rad() != widths[bits] or cell(0.25, 0.75) != enclosed:
                wrong.append(bits)
        return wrong

    with ThreadPoolExecutor(6) as pool:
        assert [wrong for found in pool.map(ask, range(6)) for wrong in found] == []


def test_formulas_are_read_alike_whatever_other_threads_do(switching):
    from alf.losses.formula import _formula

    texts = (
        "min(1,2-2*u)-1e-9*abs(u-0.3)",
        "1-u-1e-14*u**2",
        "sqrt(0.3-0.1*3*u)",
        "1-u+1e-13*u*log(2-u)",
        "max(0,1-u)",
    )

    def read(text: str) -> str:
        _formula.cache_clear()
        try:
            return parse(f"formula:{text}").spec
        except InputError as error:
            return str(error)

    parse.__globals__["_parse"].cache_clear()
    alone = [read(text) for text in texts]

    def again(_) -> list:
        parse.__globals__["_parse"].cache_clear()
        return [read(text) for text in texts]

    with ThreadPoolExecutor(6) as pool:
        assert all(found == alone for found in pool.map(again, range(30)))
    assert mpmath.mp.prec == 53


LOSSES = (
    "formula:1-u-sin(6*u)/7",
    "agce:a=0.6,q=0.6",
    "formula:exp(-3*u)+max(0,0.5-u)",
    "nce+ael:alpha=1,beta=1,a=2",
)
ASKED = ("decreasing", "convex", "symmetric", "noise_tolerant", "calibrated")
QUESTIONS = [(claim, spec) for spec in LOSSES for claim in ASKED]


def answers(question) -> str:
    claim, spec = question
    loss = parse(spec)
    verdict = prove(claim, loss, parse_noise("pair:0.3", 3), 3)
    return json.dumps([verdict.to_json(), ratio(loss).to_json()])


def forget() -> None:
    for module in [m for name, m in sys.modules.items() if name.startswith("alf.theory")]:
        for function in vars(module).values():
            if hasattr(function, "cache_clear"):
                function.cache_clear()


def test_claims_asked_by_threads_are_answered_as_one_by_one(switching):
    forget()
    expected = [answers(q) for q in QUESTIONS]
    for seed in range(2):
        forget()
        order = random.Random(seed).sample(range(len(QUESTIONS)), len(QUESTIONS))
        with ThreadPoolExecutor(6) as pool:
            found = dict(zip(order, pool.map(answers, [QUESTIONS[i] for i in order]), strict=True))
        assert [found[i] for i in range(len(QUESTIONS))] == expected
