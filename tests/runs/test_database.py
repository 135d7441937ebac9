"""Opening the store: by many at once, of an older version, of a newer one."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, inspect, select

from alf.errors import InputError
from alf.runs import tables as t
from alf.runs.store import Store
from tests.runs.fakes import RECIPE
from tests.runs.older import back_to

pytestmark = pytest.mark.both_stores

# Writes "ready", waits for a line, opens the store and starts the recipe: what a server does that starts with others.
SERVER = """
import json
import sys
from alf.runs.store import Store
from alf.training.recipe import Recipe
from tests.runs.older import back_to
recipe = Recipe.from_dict(json.loads(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
store = Store(sys.argv[1])
print(store.identity, store.start(recipe, sys.argv[3], [[0], [1]]))
store.close()
"""


def test_servers_that_start_at_once_on_an_empty_database_share_it(make_url):
    url = make_url()
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", SERVER, url, json.dumps(RECIPE.to_dict()), f"owner-{i}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(4)
    ]
    for server in servers:
        assert server.stdout.readline() == "ready\n"
    for server in servers:
        server.stdin.write("go\n")
        server.stdin.flush()
    said = [server.communicate()[0].split() for server in servers]
    assert all(server.returncode == 0 for server in servers)
    assert len({identity for identity, _ in said}) == 1 and len({run for _, run in said}) == 4
    store = Store(url)
    with store.read() as connection:
        assert len(connection.execute(select(t.results)).all()) == 1
        assert len(connection.execute(select(t.parts)).all()) == 2
        assert len(connection.execute(select(t.meta)).all()) == 2
    store.close()


def test_threads_that_open_an_empty_database_at_once_share_it(make_url):
    for _ in range(5):
        url, together = make_url(), threading.Barrier(8)

        def opened(_, url=url, together=together):
            together.wait()
            store = Store(url)
            try:
                return store.identity
            finally:
                store.close()

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(opened, range(8)))) == 1


def plan(engine) -> dict:
    """The columns and indexes of every table."""
    seen = inspect(engine)
    return {
        table: (
            {column["name"]: str(column["type"]) for column in seen.get_columns(table)},
            {index["name"]: index["column_names"] for index in seen.get_indexes(table)},
        )
        for table in seen.get_table_names()
    }


def test_a_store_of_an_older_version_is_brought_up_to_date(store):
    run = store.start(RECIPE, "ann", [[0, 1]])
    fresh = plan(store.engine)
    with store.decide() as connection:
        back_to(connection, 1)
        connection.execute(t.parts.update().values(status="finished"))
        part = connection.scalar(select(t.parts.c.id))
        connection.execute(t.checkpoints.insert().values(part=part, epoch=4, ended={}, state=b"x"))
    store.close()
    with ThreadPoolExecutor(4) as pool:  # several servers of the new version start together
        for again in pool.map(lambda _: Store(store.url), range(4)):
            assert again.progress(run).recipe == RECIPE and plan(again.engine) == fresh
            with again.read() as connection:
                assert connection.execute(select(t.checkpoints)).all() == []
            again.close()


def test_a_store_of_a_newer_program_is_refused_in_words(store):
    with store.decide() as connection:
        connection.execute(t.meta.update().where(t.meta.c.key == "schema").values(value="99"))
    with pytest.raises(InputError, match=rf"^ALF_STORE: .* must be of version {t.NEWEST} at most, got 99"):
        Store(store.url)


def test_a_reader_sees_one_moment(store):
    run = store.start(RECIPE, "ann", [[0, 1]])
    with store.read() as connection:
        assert store._row(run, connection).name is None
        store.rename(run, "new")
        assert store._row(run, connection).name is None
    assert store.progress(run).name == "new"


def test_a_database_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"^ALF_STORE: postgresql\+psycopg://ann:\*\*\*@/runs.* cannot be opened"):
        Store(f"postgresql+psycopg://ann:secret@/runs?host={tmp_path}")


def test_the_engine_of_a_test_is_what_it_says(store, backend):
    assert create_engine(store.url).dialect.name == backend
