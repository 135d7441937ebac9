"""One engine with two worker processes for the tests of a session; each test uses recipes and owners of its own."""

import hashlib
import os

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from alf.runs import Engine
from alf.settings import Settings


def store_at(folder) -> str:
    """Return where runs are kept: a file in this folder, or with TEST_POSTGRES a database of its own there.

    ``TEST_POSTGRES=postgresql+psycopg://postgres@localhost/postgres python -m pytest tests/runs``
    """
    server = os.environ.get("TEST_POSTGRES")
    if not server:
        return f"sqlite:///{folder / 'runs.sqlite'}"
    name = "alf_test_" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}) is None:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def make_engine(tmp_path_factory):
    made = []

    def make(folder=None, workers=2, **more):
        folder = folder or tmp_path_factory.mktemp("store")
        environment = {"ALF_STORE": store_at(folder), "ALF_WORKERS": str(workers)}
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
