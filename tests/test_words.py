"""What a person reads has one reading: no text holds a phrase that was a riddle (docs/interface.md, Words).

Every string with a space in it counts as a text, except docstrings; an f-string counts with a gap where a value comes.
"""

import ast
import re
from pathlib import Path

import pytest

from ui.words.glossary import GLOSSARY
from ui.words.verdict_words import QUESTIONS

ROOT = Path(__file__).parents[1]
FILES = [*sorted(p for folder in ("alf", "ui", "pages") for p in (ROOT / folder).rglob("*.py")), ROOT / "app.py"]
SCRIPTS = sorted((ROOT / "ui").glob("*.js"))
GAP = "…"
RIDDLES = {
    r"\bstands? (?:in for|at|still)\b|\bnoise\b.*\bstands\b": "is shown instead, is at, tolerates",
    r"\bmend(?:s|ed)?\b": "tolerates the noise with",
    r"\bpulls?\b|\bpulled\b": "sample weight, or falls",
    r"\bcommits?\b": "best prediction",
    r"\b(?:loss|labels|…) prefers?\b": "best prediction",
    r"\bcan take\b": "tolerates",
    r"\bfor good\b": "forever",
    r"\bto the letter\b": "exactly",
    r"\bgoes? astray\b|\bstumble": "is too large, had an error",
    r"\bfor want of\b": "because ... ran out",
    r"^were (?:the|it|they)\b": "if ... were",
    r"\bcounts? from\b": "takes effect in",
    r"\b(?:no|a|8|any) parameters?\b": "hyperparameter",
    r"\bas such\b": "say as what",
    r"\blooked into\b": "searched",
}


def texts(source: str) -> list[tuple[int, str]]:
    """Line and text of every string with a space, docstrings aside.

    >>> texts('"a docstring"\\nraise E(f"at {x} it" " stops")')
    [(2, 'at … it stops')]
    """
    tree = ast.parse(source)
    silent = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    silent |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            text = "".join(part.value if isinstance(part, ast.Constant) else GAP for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent:
            text = node.value
        else:
            continue
        if " " in text.strip():
            found.append((node.lineno, text))
    return found


def riddles(text: str) -> list[str]:
    """Which phrases of a text need two readings."""
    return [phrase for phrase in RIDDLES if re.search(phrase, text, re.IGNORECASE)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_of_the_program_is_a_riddle(path):
    found = {f"{path.name}:{line} {text!r}": riddles(text) for line, text in texts(path.read_text())}
    assert not {where: phrases for where, phrases in found.items() if phrases}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_text_of_a_script_is_a_riddle(path):
    quoted = re.findall(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`', re.sub(r"(?m)^\s*//.*$", "", path.read_text()))
    for text in (re.sub(r"\$\{[^}]*\}", GAP, one or other) for one, other in quoted):
        assert not riddles(text), text


@pytest.mark.parametrize(
    "text",
    [
        "the noise a loss stands",
        "Mend every loss that fails",
        "CE pulls 12 times as hard as MAE",
        "Were the claim true, no prediction could have a lower risk.",
        "AGCE: no parameter 'p'",
        "With 40% wrong labels CE prefers 60%; MAE commits",
    ],
)
def test_this_test_can_fail(text):
    assert riddles(text) and riddles(texts(f"print(f{text!r})")[0][1])


def test_a_question_and_an_explanation_name_their_subject():
    assert all(re.search(r"\bloss\b", question) for question in QUESTIONS.values())
    vague = re.compile(r"(?:It|Its|This|They|These|Their)\b")
    assert not [sentence for sentence in GLOSSARY.values() if vague.match(sentence)]
