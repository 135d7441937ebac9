"""The base install: `pip install .` in an environment of its own, where every command works or says what it lacks."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from alf.errors import EXTRAS, NotInstalled, not_installed, optional

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def distributions(requirements):
    return {re.match(r"[\w.-]+", text)[0].lower() for text in requirements} - {PROJECT["name"]}


@pytest.mark.parametrize("extra", EXTRAS)
def test_modules_and_declared_extras_agree(extra):
    names = packages_distributions()
    here = [module for module in EXTRAS[extra] if module in names]
    if len(here) < len(EXTRAS[extra]) and extra == "postgres":
        pytest.skip("psycopg is not installed")
    found = {names[module][0].lower() for module in here}
    declared = distributions(PROJECT["optional-dependencies"][extra])
    assert found - {"dask"} == declared - {"dask"}  # dask comes with distributed


def test_an_import_that_fails_names_the_extra():
    with pytest.raises(NotInstalled, match=r"psycopg is not installed; pip install '.*\[postgres\]'"), optional():
        raise ModuleNotFoundError("No module named 'psycopg.adapt'", name="psycopg.adapt")
    assert "incomplete" in str(not_installed("sympy"))


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment that holds the base install and nothing else."""
    folder = tmp_path_factory.mktemp("install")
    source = folder / "source"
    source.mkdir()
    shutil.copytree(ROOT / "alf", source / "alf", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", ROOT / "constraints.txt"]
    done = subprocess.run([*command, source], capture_output=True, text=True)
    if done.returncode and os.environ.get("ALF_REQUIRE_INSTALL") != "1":
        pytest.skip(f"pip could not install: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return python


def ask(python, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ALF_", "PYTHON"))}
    return subprocess.run(
        [python, *arguments], capture_output=True, text=True, cwd=python.parent, env=environment, timeout=120
    )


@pytest.mark.parametrize(
    "command",
    (
        ["losses"],
        ["ratio", "agce:a=0.6,q=0.6", "--json"],
        ["ratio", "exp(-u/2)"],
        ["verify", "ael:a=2", "--noise", "pair:0.3", "--json"],
        ["verify", "ael:a=2", "--noise", "asymmetric:0.3", "--data", "mnist", "--latex"],
        ["--version"],
    ),
    ids=" ".join,
)
def test_needs_no_extra(python, command):
    done = ask(python, "-m", "alf", *command)
    assert done.returncode == 0, done.stderr
    assert done.stdout and not done.stderr


@pytest.mark.parametrize("command", ("train --loss ce", "sweep recipe.json", "data list", "data fetch mnist"))
def test_says_which_extra(python, command):
    (python.parent / "recipe.json").write_text('{"data": "digits", "losses": ["ce"]}')
    done = ask(python, "-m", "alf", *command.split())
    assert done.returncode == 1
    assert re.fullmatch(r"\w+ is not installed; pip install '[\w-]+\[train\]' installs it\n", done.stderr)


def test_doctor_says_what_is_not_here(python):
    done = ask(python, "-m", "alf", "doctor")
    assert done.returncode == 1 and not done.stderr
    assert "Not installed: torch" in done.stdout and "[train]" in done.stdout
    assert "Error" not in done.stdout


def test_module_says_which_extra(python):
    code = "from alf.losses import parse\ntry: parse('ce').module()\nexcept ImportError as error: print(error)"
    done = ask(python, "-c", code)
    assert done.stdout == "torch is not installed; pip install 'asymmetric-loss-explorer[train]' installs it\n", (
        done.stderr
    )
