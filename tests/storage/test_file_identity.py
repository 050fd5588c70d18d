"""A SQLite ledger that is taken away while a run writes to it: the next commit says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from tracejury.storage import StoreError, Writer, insert_new, open_engine, open_transaction

TABLE = Table("rows", MetaData(), Column("n", Integer, primary_key=True))


@pytest.mark.parametrize("change", ["removed", "replaced"])
def test_the_next_commit_says_that_the_ledger_is_gone(tmp_path: Path, change: str) -> None:
    path = tmp_path / "ledger.db"
    engine = open_engine(f"sqlite:///{path}")
    with open_transaction(engine, changing_tables=True) as connection:
        TABLE.create(connection)
    statement = insert_new("sqlite", TABLE)
    with Writer(engine) as writer:
        writer.submit(lambda connection: connection.execute(statement, {"n": 1}))
    for file in tmp_path.iterdir():
        file.unlink()
    if change == "replaced":
        path.write_bytes(b"")
    writer = Writer(engine)
    writer.submit(lambda connection: connection.execute(statement, {"n": 2}))
    with pytest.raises(StoreError, match=f"was {change}.*run the same command again"):
        writer.close()
