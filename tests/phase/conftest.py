"""One engine with two worker processes for the tests of phase maps."""

import pytest

from alf.runs import Engine
from alf.settings import Settings


@pytest.fixture(scope="session")
def make_engine(tmp_path_factory):
    """A function that makes an engine, on a store of its own or on a given one."""
    made = []

    def make(url=None, **more):
        url = url or f"sqlite:///{tmp_path_factory.mktemp('store') / 'runs.sqlite'}"
        environment = {"ALF_STORE": url, "ALF_WORKERS": "2"} | {name: str(value) for name, value in more.items()}
        made.append(Engine(Settings.from_environment(environment)))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture(scope="session")
def engine(make_engine):
    return make_engine()
