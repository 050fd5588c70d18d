"""The version of a database's contents changes with every commit, and with nothing else."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from tracejury.storage import DataVersion, open_engine


def test_the_version_changes_when_another_connection_commits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    reading, writing = open_engine(url), open_engine(url)
    with writing.begin() as connection:
        connection.execute(text("CREATE TABLE notes (words TEXT)"))
    version = DataVersion(reading)
    first = version.read()
    with reading.connect() as connection:
        connection.execute(text("SELECT * FROM notes")).all()
    assert version.read() == first
    for engine in (writing, reading):  # another process, and another connection of this one
        before = version.read()
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO notes VALUES ('potassium')"))
        assert version.read() != before
    reading.dispose()
    writing.dispose()


def test_of_postgres_no_version_is_known() -> None:
    assert DataVersion(open_engine("postgresql://nobody@127.0.0.1:9/none")).read() is None
