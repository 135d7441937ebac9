"""One engine with two worker processes for the tests of a session; each test uses recipes and owners of its own."""

import pytest

from alf.runs import Engine
from alf.settings import Settings


@pytest.fixture(scope="session")
def make_engine(tmp_path_factory):
    made = []

    def make(folder=None, workers=2, **more):
        folder = folder or tmp_path_factory.mktemp("store")
        environment = {"ALF_STORE": str(folder / "runs.sqlite"), "ALF_WORKERS": str(workers)}
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
