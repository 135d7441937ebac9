"""An installed wheel: without extras each command works or says what it lacks, with them `alf app` serves the pages."""

import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
import urllib.request
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from alf.errors import EXTRAS, NotInstalled, not_installed
from alf.losses import parse

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


def test_an_import_that_fails_names_the_extra(monkeypatch):
    monkeypatch.delitem(sys.modules, "alf.losses.torch_module", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NotInstalled, match=r"torch is not installed; pip install '.*\[train\]'"):
        parse("ce").module()
    assert str(not_installed("psycopg.adapt")).startswith("psycopg is not installed; pip install ")
    assert "[postgres]" in str(not_installed("psycopg.adapt")) and "incomplete" in str(not_installed("sympy"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if "No module named hatchling" in done.stderr and os.environ.get("ALF_REQUIRE_INSTALL") != "1":
        pytest.skip("hatchling is not installed")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of an environment that holds the base install and nothing else."""
    python = environment(tmp_path_factory.mktemp("install"))
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", ROOT / "constraints.txt"]
    done = subprocess.run([*command, wheel], capture_output=True, text=True)
    if done.returncode and os.environ.get("ALF_REQUIRE_INSTALL") != "1":
        pytest.skip(f"pip could not install: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return python


def environment(folder):
    """The interpreter of a new virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    return folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"


def ask(python, *arguments, **settings):
    given = {k: v for k, v in os.environ.items() if not k.startswith(("ALF_", "PYTHON", "STREAMLIT_"))} | settings
    return subprocess.run(
        [python, *arguments], capture_output=True, text=True, cwd=python.parent, env=given, timeout=120
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


def test_the_app_says_its_extra(python):
    done = ask(python, "-m", "alf", "app", "--port", "8599")
    assert done.returncode == 1
    assert done.stderr == "streamlit is not installed; pip install 'asymmetric-loss-explorer[app]' installs it\n"


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


def test_a_wheel_brings_no_name_of_everybodys_into_site_packages(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"alf", "-".join(wheel.name.split("-")[:2]) + ".dist-info"}
    inside = {name.removeprefix("alf/_site/") for name in names if name.startswith("alf/_site/")}
    files = [path for folder in ("pages", "ui", ".streamlit") for path in (ROOT / folder).rglob("*") if path.is_file()]
    ours = {path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"}
    assert inside == ours | {"app.py"}


@pytest.fixture(scope="module")
def full(wheel, tmp_path_factory):
    """The interpreter of an environment with the wheel and every extra, which are taken from the one of the tests."""
    python = environment(tmp_path_factory.mktemp("full"))
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", find], capture_output=True, text=True, check=True).stdout.strip())
    (site / "tests.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--ignore-installed")
    subprocess.run([python, "-m", "pip", "install", *options, wheel], check=True)
    return python


@pytest.fixture(scope="module")
def app(full, tmp_path_factory):
    """An `alf app` that was started where other files are called `app.py` and `ui`: its process and its address."""
    pytest.importorskip("streamlit")
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "ui").mkdir()
    for name in ("app.py", "ui/__init__.py"):
        (folder / name).write_text("raise SystemExit('somebody else')")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("ALF_", "PYTHON", "STREAMLIT_"))}
    command = [full.parent / "alf", "app", "--port", str(port), "--server.headless", "true"]
    with (folder / "log").open("w+") as log:
        settings["ALF_STORE"] = str(folder / "runs.sqlite")
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=log, stderr=log)
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                    break
                except OSError:
                    assert process.poll() is None, (folder / "log").read_text()
                    threading.Event().wait(0.1)
            yield process, f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def messages(app):
    """What the server sends a browser that opens the home page, until the script has run."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.sync.client import connect

    received = []
    with connect(f"ws://{app[1]}/_stcore/stream", max_size=None) as browser:
        opening = BackMsg()
        opening.rerun_script.query_string = ""
        browser.send(opening.SerializeToString())
        while not received or received[-1].WhichOneof("type") != "script_finished":
            received.append(ForwardMsg.FromString(browser.recv(timeout=60)))
    return received


def test_the_installed_app_renders_its_pages(app, messages):
    with urllib.request.urlopen(f"http://{app[1]}/") as answer:
        assert "alf_reader" in answer.headers["set-cookie"]  # the server around the pages is ours
    shown = "".join(str(m.delta) for m in messages if m.WhichOneof("type") == "delta")
    assert "What are asymmetric losses?" in shown and "exception" not in shown
    *_, navigation = (m.navigation for m in messages if m.WhichOneof("type") == "navigation")
    assert len(navigation.app_pages) == len(list((ROOT / "pages").glob("*.py")))


def test_the_installed_app_has_its_configuration(app, messages):
    session = next(m.new_session for m in messages if m.WhichOneof("type") == "new_session")
    declared = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert session.custom_theme.light.primary_color == declared["theme"]["light"]["primaryColor"]
    watched = Path(f"/proc/{app[0].pid}/fd")
    if watched.is_dir():  # Linux tells whether a process watches files
        assert "anon_inode:inotify" not in [os.readlink(path) for path in watched.iterdir()]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--port 0", "--port: must lie in [1, 65535], got 0"),
        ("--port many", "Invalid value for '--port': 'many' is not a valid integer."),
        ("--server.prt 1", "No such option '--server.prt'"),
        ("--server.headless maybe", "Invalid value for '--server.headless'"),
        ("mine.py", "app: takes options such as --server.address, got mine.py"),
    ],
)
def test_bad_options_are_one_sentence(full, options, says):
    done = ask(full, "-m", "alf", "app", *options.split())
    assert done.returncode == 2 and not done.stdout
    assert says in done.stderr and done.stderr.count("\n") == 1


def test_a_wrong_setting_is_said_before_the_first_page(full):
    done = ask(full, "-m", "alf", "app", ALF_WORKERS="many")
    assert (done.returncode, done.stderr) == (2, "ALF_WORKERS: a whole number in [1, 256] is needed, got many\n")
