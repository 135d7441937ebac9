"""Stores of both kinds, and one engine with two worker processes for the tests of a session.

A test that takes `make_url` or `store` runs on SQLite and, with the mark `both_stores`, on PostgreSQL too; with
ALF_SOAK=1 all of them run on both. Where no PostgreSQL is installed those are skipped and say so; they are required
with ALF_REQUIRE_POSTGRES=1.
"""

import os
import time

import pytest

from alf.runs import Engine, Store
from alf.settings import Settings
from tests.runs.postgres import Server, binaries

SOAK = os.environ.get("ALF_SOAK") == "1"


def pytest_configure(config):
    """Declare the mark."""
    config.addinivalue_line("markers", "both_stores: runs on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc):
    """Run a test that needs a store on one or on both kinds."""
    if "backend" in metafunc.fixturenames:
        both = SOAK or metafunc.definition.get_closest_marker("both_stores")
        metafunc.parametrize("backend", ("sqlite", "postgresql") if both else ("sqlite",), scope="session")


def postgresql_programs():
    """Where PostgreSQL is installed; the test is skipped where it is not."""
    programs = binaries()
    if programs is None:
        why = "no PostgreSQL is installed: install the package postgresql to run these tests"
        (pytest.fail if os.environ.get("ALF_REQUIRE_POSTGRES") == "1" else pytest.skip)(why)
    return programs


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL server of this session."""
    server = Server(postgresql_programs())
    yield server
    server.close()


@pytest.fixture
def postgresql_at_an_address():
    """A PostgreSQL server of a test, reached by the network, that may be stopped and started."""
    server = Server(postgresql_programs(), "127.0.0.2")
    yield server
    server.close()


@pytest.fixture(scope="session")
def make_url(backend, request, tmp_path_factory):
    """A function that returns the URL of a new, empty store."""
    if backend == "postgresql":
        return request.getfixturevalue("postgresql").new
    return lambda: f"sqlite:///{tmp_path_factory.mktemp('store') / 'deep' / 'runs.sqlite'}"


@pytest.fixture
def store(make_url):
    """A new, empty store."""
    made = Store(make_url())
    yield made
    made.close()


@pytest.fixture(scope="session")
def make_engine(make_url):
    made = []

    def make(url=None, workers=2, **more):
        environment = {"ALF_STORE": url or make_url(), "ALF_WORKERS": str(workers)}
        engine = Engine(Settings.from_environment(environment | {k: str(v) for k, v in more.items()}))
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.close()


@pytest.fixture(scope="session")
def shared_engine(make_engine):
    return make_engine()


@pytest.fixture
def engine(request, make_engine):
    """The session's engine; a test that is run again gets a fresh one, because results are kept by recipe."""
    again = getattr(request.node, "execution_count", 1) > 1
    return make_engine() if again else request.getfixturevalue("shared_engine")


def ended(engine, run, timeout=600.0):
    """Wait until a run has ended; return how far it has come."""
    end = time.monotonic() + timeout
    while (progress := engine.progress(run)).active:
        assert time.monotonic() < end, f"run {run} is {progress.status} after {timeout} s"
        time.sleep(0.05)
    return progress
