"""The tables of the store, and the SQLite settings that make many processes on one file safe."""

from pathlib import Path

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Engine,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url

metadata = MetaData()

TRAINED_AS_ONE = (
    "An earlier version trained the typed losses of a run as one, so what this run showed was wrong and has been "
    "taken away. Run it again."
)
SUSPECT_SCHEMA = 3
_SUSPECTS = """SELECT "key" FROM results WHERE CAST(recipe AS TEXT) LIKE '%"formula_%"formula_%'"""
_THEIR_PARTS = f"SELECT id FROM parts WHERE result IN ({_SUSPECTS})"

MIGRATIONS = {
    2: ("ALTER TABLE results ADD COLUMN hold INTEGER",),
    SUSPECT_SCHEMA: (
        f"DELETE FROM records WHERE result IN ({_SUSPECTS})",
        f"DELETE FROM checkpoints WHERE part IN ({_THEIR_PARTS})",
        f"DELETE FROM snapshots WHERE part IN ({_THEIR_PARTS})",
        f"UPDATE runs SET stopped = false, stopped_epoch = NULL WHERE result IN ({_SUSPECTS})",
        f"UPDATE parts SET status = 'failed', claim = NULL, epoch = 0, seconds = 0, ended = '{{}}', "
        f"message = '{TRAINED_AS_ONE}' WHERE result IN ({_SUSPECTS})",
    ),
}
"""Schema version -> what makes it from the one before; a fresh store has the newest."""
NEWEST = max(MIGRATIONS)

meta = Table("meta", metadata, Column("key", String(32), primary_key=True), Column("value", Text, nullable=False))

# One row per recipe: identical recipes share it.
results = Table(
    "results",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("recipe", JSON, nullable=False),
    Column("created", Float, nullable=False),
    Column("stop", Boolean, nullable=False, default=False),
    Column("hold", Integer),  # paused: no part goes beyond this epoch
)

# A share of a result's lanes: what one worker computes at a time.
parts = Table(
    "parts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("result", ForeignKey("results.key", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("lanes", JSON, nullable=False),
    Column("status", String(16), nullable=False, index=True),  # queued, running, finished, stopped, failed
    Column("epoch", Integer, nullable=False, default=0),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("message", Text),  # why it failed, in words
    Column("note", Text),  # what a person should know: the device that was chosen
    Column("ended", JSON, nullable=False, default=dict),  # lane -> why it ended early
    Column("claim", String(32)),  # whoever does not hold this may not write
    Column("engine", String(200)),
    Column("worker", JSON),  # {"host", "pid", "address"}
    Column("claimed", Float),
    Column("heartbeat", Float),
    UniqueConstraint("result", "number"),
)

# The state after a finished epoch, as safetensors: never a pickle.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("part", ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("ended", JSON, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

# What the models of a part do, sample by sample, at the time of its last checkpoint; see alf.training.inspect.
snapshots = Table(
    "snapshots",
    metadata,
    Column("part", ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("arrays", LargeBinary, nullable=False),
)

records = Table(
    "records",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("result", ForeignKey("results.key", ondelete="CASCADE"), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("train_loss", Float),
    Column("test_accuracy", Float),
    Column("clean_accuracy", Float),
    Column("flipped_given_accuracy", Float),
    Column("flipped_true_accuracy", Float),
    Column("grad_norm", Float),
    Column("seconds", Float),
    UniqueConstraint("result", "lane", "epoch"),
    sqlite_autoincrement=True,  # ids never come back, so they can serve as a cursor
)

# A run is one person's view of a result.
runs = Table(
    "runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("owner", String(200), nullable=False),
    Column("result", ForeignKey("results.key", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(200)),
    Column("created", Float, nullable=False),
    Column("stopped", Boolean, nullable=False, default=False),
    Column("stopped_epoch", Integer),
    UniqueConstraint("owner", "result"),
)
Index("runs_by_owner", runs.c.owner, runs.c.created)


def connect(url: str) -> Engine:
    """Open the store's database and make what is missing in it.

    Raises
    ------
    OSError, sqlalchemy.exc.SQLAlchemyError
        When it cannot be opened.
    """
    parsed = make_url(url)
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    if is_file:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_pre_ping=not is_file)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    fresh = not inspect(engine).has_table("meta")
    metadata.create_all(engine)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        found = connection.scalar(select(meta.c.value).where(meta.c.key == "schema"))
        version = NEWEST if fresh else int(found or 1)
        for step in range(version + 1, NEWEST + 1):
            for statement in MIGRATIONS[step]:
                connection.execute(text(statement))
        connection.execute(delete(meta).where(meta.c.key == "schema"))
        connection.execute(insert(meta).values(key="schema", value=str(NEWEST)))
    return engine


def _on_connect(connection, _record) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 20000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # a committed epoch survives a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _on_begin(connection) -> None:
    # A transaction that reads first and writes later would fail at once when another writer came between.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
