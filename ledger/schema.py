"""Opening a ledger: a new database gets today's tables, a ledger of another version is recognised and refused.

The revision is stored in alembic's own table. Alembic itself is needed for upgrades only (`tracejury.ledger.
upgrading`), so it is not imported here: opening a current ledger is one small query.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from tracejury.ledger.tables import metadata
from tracejury.ledger.word_index import create_word_indexes
from tracejury.models import CALL_TABLES
from tracejury.storage import hide_password, open_transaction

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
"""Oldest first; each is a file of `ledger/migrations/versions`."""
HEAD = REVISIONS[-1]
_TALLY_OF_0002 = {
    "n", "run_id", "trace_id", "question_id", "model", "arm", "sample", "answered", "correct", "steps", "heard",
    "supported", "error", "abstained", "failed", "no_claim", "disagreements", "resolved", "first_error", "error_types",
    "reasons", "calls", "prompt_tokens", "cached_tokens", "completion_tokens", "cost_usd", "committed",
}  # fmt: skip
"""Ledgers of this revision are recognised by the columns: it was not stored yet."""

_stamp = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


class SchemaError(ValueError):
    """Another version made the ledger; the message says what to do."""


class Schema(NamedTuple):
    """How the tables of a database compare with those of this version."""

    status: Literal["new", "current", "older", "newer", "unknown"]
    revision: str | None
    """None: the database is new, or its revision is unknown."""


def open_schema(engine: Engine) -> None:
    """Create the tables in a new database; check that those of any other are current.

    Raises:
        StoreError: The database cannot be opened.
        SchemaError: An older or a newer version made it.
    """
    with open_transaction(engine) as connection:
        schema = read_schema(connection)
    if schema.status == "new":
        with open_transaction(engine, changing_tables=True) as connection:
            schema = read_schema(connection)  # somebody may have been first
            if schema.status == "new":
                metadata.create_all(connection)
                CALL_TABLES.create_all(connection)
                create_word_indexes(connection)
                stamp(connection, HEAD)
                return
    if schema.status != "current":
        raise SchemaError(refusal(schema, engine))


def read_schema(connection: Connection) -> Schema:
    """Return which version made the tables of a database."""
    names = inspect(connection)
    if names.has_table(_stamp.name):
        revision = connection.scalar(select(_stamp.c.version_num))
        if revision == HEAD:
            return Schema("current", HEAD)
        if revision is not None:
            return Schema("older" if revision in REVISIONS else "newer", str(revision))
    if not names.has_table("run"):
        return Schema("new", None)
    # From before the revision was written down.
    if not names.has_table("tally"):
        return Schema("older", "0001")
    if {c["name"] for c in names.get_columns("tally")} == _TALLY_OF_0002:
        return Schema("older", "0002")
    return Schema("unknown", None)


def stamp(connection: Connection, revision: str) -> None:
    """Record the revision of the tables."""
    _stamp.create(connection, checkfirst=True)
    connection.execute(_stamp.delete())
    connection.execute(insert(_stamp).values(version_num=revision))


def refusal(schema: Schema, engine: Engine) -> str:
    """Return the error message for a ledger that is not current."""
    name = hide_password(engine.url)
    if schema.status == "older":
        return (
            f"an older tracejury made the ledger {name} (revision {schema.revision}, this version writes {HEAD}): "
            f"`tracejury ledger upgrade --store {name}` brings it up to date"
        )
    if schema.status == "newer":
        return (
            f"a newer tracejury made the ledger {name} (revision {schema.revision}, this version knows up to {HEAD}): "
            "update the package, `pip install -U tracejury`"
        )
    return (
        f"the ledger {name} has tables of no released version, and cannot be upgraded: export its runs with the "
        "version that made it, or give another --store"
    )
