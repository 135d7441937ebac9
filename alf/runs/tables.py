"""The tables of the store, and how an older one is brought up to date; `alf.runs.database` opens it."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
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
)

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
    4: (
        "ALTER TABLE results ADD COLUMN used FLOAT NOT NULL DEFAULT 0",
        "UPDATE results SET used = :now",
        "CREATE INDEX results_by_use ON results (used)",
        "CREATE INDEX parts_by_claim ON parts (claimed)",
        "CREATE INDEX records_since ON records (result, id)",
        "DELETE FROM checkpoints WHERE part IN (SELECT id FROM parts WHERE status = 'finished')",
    ),
    5: ("ALTER TABLE parts ADD COLUMN share FLOAT NOT NULL DEFAULT 0",),
    6: (
        "ALTER TABLE records ADD COLUMN confidence FLOAT",
        "ALTER TABLE records ADD COLUMN dead_classes INTEGER",
    ),
}
"""Schema version -> what makes it from the one before; a fresh store has the newest."""
OF_POSTGRESQL = {4: ("ALTER TABLE records ALTER COLUMN id TYPE BIGINT", "ALTER SEQUENCE records_id_seq AS BIGINT")}
"""And what only PostgreSQL needs: an SQLite integer has eight bytes anyway."""
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
    Column("used", Float, nullable=False),  # last started, ended or looked at: see alf.runs.retention
    Index("results_by_use", "used"),
)

# A share of a result's lanes: what one worker computes at a time.
parts = Table(
    "parts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("result", ForeignKey("results.key", ondelete="CASCADE"), nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("lanes", JSON, nullable=False),
    Column("status", String(16), nullable=False, index=True),  # an `alf.training.states.PartState`
    Column("epoch", Integer, nullable=False, default=0),
    Column("share", Float, nullable=False, default=0.0, server_default="0"),  # of the epoch in hand, done so far
    Column("seconds", Float, nullable=False, default=0.0),
    Column("message", Text),  # why it failed, in words
    Column("note", Text),  # what a person should know: the device that was chosen
    Column("ended", JSON, nullable=False, default=dict),  # lane -> why it ended early
    Column("claim", String(32), key="lease"),  # the token of its lease: whoever has not got it may not write
    Column("engine", String(200)),
    Column("worker", JSON),  # {"host", "pid", "address"}
    Column("claimed", Float, key="leased"),  # when the last lease was granted
    Column("heartbeat", Float),
    UniqueConstraint("result", "number"),
    Index("parts_by_claim", "leased"),  # who was served lately
)

# The state after a finished epoch, or in the middle of one that was left, as safetensors: never a pickle. It is there
# for as long as it can be gone on from.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("part", ForeignKey("parts.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("ended", JSON, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

# What the models of a part do, sample by sample, at the time of its last checkpoint; see alf.training.snapshots.
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
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("result", ForeignKey("results.key", ondelete="CASCADE"), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("train_loss", Float),
    Column("test_accuracy", Float),
    Column("clean_accuracy", Float),
    Column("flipped_given_accuracy", Float),
    Column("flipped_true_accuracy", Float),
    Column("confidence", Float),
    Column("dead_classes", Integer),
    Column("grad_norm", Float),
    Column("seconds", Float),
    UniqueConstraint("result", "lane", "epoch"),
    Index("records_since", "result", "id"),  # what is new since a cursor
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
