"""Opening a ledger: a new database gets today's tables, one that other versions made is told from them and refused.

The revision stands in the table that alembic keeps. Alembic itself is needed for upgrades only (`tracejury.ledger.
upgrading`), and not imported here: opening a ledger of today is one small query.
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
from tracejury.ledger.trace_statistics import make_words
from tracejury.models import CALL_TABLES
from tracejury.storage import hide_password, open_transaction

REVISIONS = ("0001", "0002", "0003")
"""Oldest first; each is a file of `ledger/migrations/versions`."""
HEAD = REVISIONS[-1]

_stamp = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


class SchemaError(ValueError):
    """Another version made the ledger; the message says what to do."""


class Schema(NamedTuple):
    """How the tables of a database stand to those of this version."""

    standing: Literal["new", "current", "older", "newer", "unknown"]
    revision: str | None
    """None: new, or not to be told."""


def open_schema(engine: Engine) -> None:
    """Make the tables in a new database; see that those of another are today's.

    Raises:
        StoreError: The database cannot be opened.
        SchemaError: An older or a newer version made it.
    """
    with open_transaction(engine) as connection:
        schema = read_schema(connection)
    if schema.standing == "new":
        with open_transaction(engine, changing_tables=True) as connection:
            schema = read_schema(connection)  # somebody may have been first
            if schema.standing == "new":
                metadata.create_all(connection)
                CALL_TABLES.create_all(connection)
                make_words(connection)
                stamp(connection, HEAD)
                return
    if schema.standing != "current":
        raise SchemaError(refusal(schema, engine))


def read_schema(connection: Connection) -> Schema:
    """Tell which version made the tables of a database."""
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
    if {c["name"] for c in names.get_columns("tally")} == set(metadata.tables["tally"].columns.keys()):
        return Schema("older", "0002")
    return Schema("unknown", None)


def stamp(connection: Connection, revision: str) -> None:
    """Write down which revision the tables are."""
    _stamp.create(connection, checkfirst=True)
    connection.execute(_stamp.delete())
    connection.execute(insert(_stamp).values(version_num=revision))


def refusal(schema: Schema, engine: Engine) -> str:
    """Return what to tell who opens a ledger that is not of today."""
    name = hide_password(engine.url)
    if schema.standing == "older":
        return (
            f"an older tracejury made the ledger {name} (revision {schema.revision}, this version writes {HEAD}): "
            "`tracejury ledger upgrade --store URL` brings it up to date"
        )
    if schema.standing == "newer":
        return (
            f"a newer tracejury made the ledger {name} (revision {schema.revision}, this version knows up to {HEAD}): "
            "update the package, `pip install -U tracejury`"
        )
    return (
        f"the ledger {name} has tables of no released version, and cannot be upgraded: export its runs with the "
        "version that made it, or give another --store"
    )
