"""How a store looked before a version of its tables: what `alf.runs.tables.MIGRATIONS` adds, taken away again."""

from sqlalchemy import Connection, text

from alf.runs import tables as t

UNDO = {
    6: ("ALTER TABLE records DROP COLUMN confidence", "ALTER TABLE records DROP COLUMN dead_classes"),
    5: ("ALTER TABLE parts DROP COLUMN share",),
    4: (
        "DROP INDEX results_by_use",
        "ALTER TABLE results DROP COLUMN used",
        "DROP INDEX parts_by_claim",
        "DROP INDEX records_since",
    ),
    3: (),  # only deletes
    2: ("ALTER TABLE results DROP COLUMN hold",),
}
UNDO_POSTGRESQL = {4: ("ALTER TABLE records ALTER COLUMN id TYPE INTEGER", "ALTER SEQUENCE records_id_seq AS INTEGER")}


def back_to(connection: Connection, version: int) -> None:
    """Make the tables those of an older version; the first one did not say its number."""
    for step in range(t.NEWEST, version, -1):
        own = UNDO_POSTGRESQL.get(step, ()) if connection.dialect.name == "postgresql" else ()
        for statement in (*UNDO[step], *own):
            connection.execute(text(statement))
    schema = t.meta.c.key == "schema"
    said = t.meta.delete() if version == 1 else t.meta.update().values(value=str(version))
    connection.execute(said.where(schema))
