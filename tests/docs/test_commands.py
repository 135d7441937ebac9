"""What the tutorial and the how-tos tell a reader to type does what they say: every console and Python block is run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def steps(document):
    """(line of a command, what it prints) and whole Python blocks, in the order of the document."""
    for kind, body in BLOCK.findall(document.read_text()):
        if kind == "python":
            yield ["-c", body], "", 0
            continue
        for command, shown in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", body, re.MULTILINE):
            words, status = shlex.split(command, comments=True), re.search(r"# exit status (\d)", command)
            yield (
                (["-m", "alf", *words[1:]] if words[0] == "alf" else words[1:]),
                shown,
                int(status[1]) if status else 0,
            )


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if BLOCK.search(d.read_text())], ids=lambda d: d.stem)
def test_what_a_reader_types_does_what_it_says(document, tmp_path):
    settings = os.environ | {"PYTHONPATH": str(ROOT), "ALF_STORE": str(tmp_path / "runs.sqlite")}
    for arguments, shown, status in steps(document):
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, cwd=tmp_path, env=settings, timeout=250
        )
        assert done.returncode == status, (arguments, done.stdout[-2000:], done.stderr[-2000:])
        assert shown in done.stdout, arguments


def test_the_documents_have_commands():
    assert sum(len(list(steps(document))) for document in DOCUMENTS) > 15
