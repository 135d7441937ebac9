"""The store's database, an SQLite file or PostgreSQL: opening it, making its tables, and who may write when.

Two kinds of writers. Whoever *decides* (Start, Stop, Pause, another learning rate, what is deleted) looks first and
then writes what follows from it, and nobody else writes in between. Whoever only *reports* (a worker's epochs) writes
rows of its own: reports may go on beside each other, never beside a decision.

On SQLite both wait for the one writer that there can be (``BEGIN IMMEDIATE``). On PostgreSQL a decision holds an
advisory lock for itself and reports share it, so that the same reasoning holds on both.
"""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, func, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from alf.errors import InputError, not_installed
from alf.runs import tables as t

LOCK = 0x616C66
"""The key of the advisory lock; such locks are counted per database."""
PATIENCE = 20.0
"""Seconds to wait for other writers of an SQLite file."""
NETWORK = {"connect_timeout": 10, "keepalives_idle": 30, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""How PostgreSQL's client finds out that the server's machine has gone without a word: otherwise hours later."""


class DatabaseAway(InputError):
    """The database does not answer now: what was asked may be asked again later, and has perhaps been done."""


class Database:
    """An open database with the store's tables.

    Parameters
    ----------
    url
        SQLAlchemy URL; ``settings().store`` is the configured one.

    Raises
    ------
    InputError
        It cannot be opened, or is of a newer version of this program; `DatabaseAway` when it might be opened later.
    """

    def __init__(self, url: str):
        self.url = url
        try:
            self.engine = _engine(url)
            try:
                self._make_tables()
            except BaseException:
                self.engine.dispose()
                raise
        except DatabaseAway as error:
            raise DatabaseAway(f"{self._name} cannot be opened for writing: {_reason(error.__cause__)}") from error
        except (SQLAlchemyError, OSError, ImportError) as error:
            reason = str(not_installed("psycopg")) if isinstance(error, ImportError) else _reason(error)
            raise InputError(f"{self._name} cannot be opened for writing: {reason}") from error

    @property
    def identity(self) -> str:
        """A token of this store: two processes that read the same token see the same runs."""
        with self.read() as connection:
            return str(connection.execute(select(t.meta.c.value).where(t.meta.c.key == "identity")).scalar_one())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a reading transaction: all it reads is as of one moment."""
        with self._answering(), self.engine.connect() as connection:
            if self._is_postgresql:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextmanager
    def decide(self) -> Iterator[Connection]:
        """Open a writing transaction that nobody else writes beside: what it has seen stays so until it commits."""
        with self._write() as connection:
            if self._is_postgresql:
                connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
            yield connection

    @contextmanager
    def report(self) -> Iterator[Connection]:
        """Open a writing transaction for rows that only its writer has to do with."""
        with self._write() as connection:
            if self._is_postgresql:
                connection.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._answering(), self.engine.connect() as connected:
            connection = connected.execution_options(write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say in a sentence that the database is away."""
        try:
            yield
        except DBAPIError as error:
            if not _is_away(error):
                raise
            raise DatabaseAway(f"{self._name} does not answer: {_reason(error)}") from error

    @property
    def _name(self) -> str:
        """What a person reads of it."""
        return f"ALF_STORE: {make_url(self.url).render_as_string(hide_password=True)}"

    @property
    def _is_postgresql(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    def _make_tables(self) -> None:
        """Make what is missing: once, however many servers and workers open an empty or an old database together."""
        with self.read() as connection:
            if _version(connection) == t.NEWEST:
                return
        with self.decide() as connection:
            version = _version(connection)
            if version is None:
                t.metadata.create_all(connection)
                made = {"schema": str(t.NEWEST), "identity": secrets.token_hex(16)}
                connection.execute(insert(t.meta), [{"key": key, "value": value} for key, value in made.items()])
            elif version > t.NEWEST:
                raise InputError(
                    f"{self._name} must be of version {t.NEWEST} at most, got {version}: a newer version "
                    "of the program wrote it"
                )
            else:
                _migrate(connection, version)


def _is_away(error: DBAPIError) -> bool:
    """Whether the same may succeed later: the server is not there, or the file cannot be reached or is taken."""
    if error.connection_invalidated:
        return True
    if not isinstance(error, OperationalError):
        return False
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)
    state = getattr(error.orig, "sqlstate", None)  # there is none where nobody answers
    return state is None or state in ("57P01", "57P02", "57P03", "53300") or state.startswith("08")


def _reason(error: BaseException | None) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200].rstrip(".?")


def _version(connection: Connection) -> int | None:
    """The version of a database's tables, None where there are none."""
    if not inspect(connection).has_table("meta"):
        return None
    return int(connection.scalar(select(t.meta.c.value).where(t.meta.c.key == "schema")) or 1)


def _migrate(connection: Connection, version: int) -> None:
    for step in range(version + 1, t.NEWEST + 1):
        own = t.OF_POSTGRESQL.get(step, ()) if connection.dialect.name == "postgresql" else ()
        for statement in (*t.MIGRATIONS[step], *own):
            connection.execute(text(statement), {"now": time.time()} if ":now" in statement else {})
    changed = update(t.meta).where(t.meta.c.key == "schema").values(value=str(t.NEWEST))
    if connection.execute(changed).rowcount == 0:
        connection.execute(insert(t.meta).values(key="schema", value=str(t.NEWEST)))


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    file = parsed.database if is_sqlite and parsed.database != ":memory:" else None
    if file:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
    network = {} if is_sqlite else {name: value for name, value in NETWORK.items() if name not in parsed.query}
    engine = create_engine(url, pool_pre_ping=not file, connect_args=network)
    if is_sqlite:
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000:.0f}")
    _to_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")  # a committed epoch survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_size_limit = 67108864")  # a large transaction leaves no large file behind
    cursor.close()


def _to_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to writing ahead. Of several who open a new file together SQLite refuses some, waiting or not."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)


def _on_begin(connection: Connection) -> None:
    # A transaction that reads first and writes later would fail at once when another writer came between.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
