"""A ledger of the first revision becomes one of today's: nothing lost, and no different from one made new."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from made_ledger import demo_pairs, make_run
from sqlalchemy import Connection, Engine, MetaData, create_engine, insert, inspect, select, text
from typer.testing import CliRunner

from tracejury import ledger
from tracejury.console.app import app
from tracejury.ledger import Browsing, Ledger, SchemaError, StepBrowsing, TraceFilter, ledger_status, upgrade_ledger
from tracejury.ledger.schema import HEAD, REVISIONS
from tracejury.ledger.tables import metadata
from tracejury.models import CALL_TABLES, CallStore
from tracejury.storage import open_engine

MIGRATIONS = Path(ledger.__path__[0]) / "migrations"
WORDS = ("trace_words", "step_search")
"""The full-text indexes: SQLite's are virtual tables with tables of their own, and none is in the metadata."""


def first_ledger(url: str, of: Engine) -> None:
    """Make a ledger as the first version made them, unstamped, with the rows of another as far as it had them."""
    from alembic import command

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    engine = open_engine(url)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.upgrade(config, REVISIONS[0])
        connection.execute(text("DROP TABLE alembic_version"))
        tables = MetaData()
        tables.reflect(connection)
        with of.connect() as source:
            for table in tables.sorted_tables:
                now = (metadata.tables | CALL_TABLES.tables)[table.name]
                rows = source.execute(select(*(now.c[c.name] for c in table.columns))).mappings().all()
                if rows:
                    connection.execute(insert(now), [dict(row) for row in rows])
    engine.dispose()


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('today')}/ledger.db")
    make_run(ledger, demo_pairs()[:6])
    return ledger


def shape(engine: Engine) -> dict[str, Any]:
    """Return tables, columns, keys and indexes, whatever order they were made in."""
    inspector = inspect(engine)
    tables = {}
    for name in (n for n in inspector.get_table_names() if not n.startswith(tuple(f"{w}_" for w in WORDS))):
        columns = {c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)}
        indexes = {i["name"]: (tuple(i["column_names"]), bool(i["unique"])) for i in inspector.get_indexes(name)}
        unique = [tuple(u["column_names"]) for u in inspector.get_unique_constraints(name)]
        foreign = [(tuple(f["constrained_columns"]), f["referred_table"]) for f in inspector.get_foreign_keys(name)]
        keys = tuple(inspector.get_pk_constraint(name)["constrained_columns"])
        tables[name] = (columns, indexes, unique, foreign, keys)
    return tables


def differences(connection: Connection) -> list[Any]:
    both = MetaData()
    for table in (*metadata.tables.values(), *CALL_TABLES.tables.values()):
        table.to_metadata(both)
    options = {
        "compare_type": True,
        "include_name": lambda name, kind, _: not (kind == "table" and str(name).startswith(WORDS)),
    }
    return compare_metadata(MigrationContext.configure(connection, opts=options), both)


def test_an_upgraded_ledger_is_a_fresh_one_with_its_rows(ledger_url: str, today: Ledger, tmp_path: Path) -> None:
    first_ledger(ledger_url, today.engine)
    assert ledger_status(ledger_url).status == "older"
    with pytest.raises(SchemaError, match="tracejury ledger upgrade"):
        Ledger(ledger_url)
    upgrade = upgrade_ledger(ledger_url)
    assert (upgrade.before, upgrade.after) == ("0001", HEAD)
    upgraded = Ledger(ledger_url)
    with upgraded.engine.connect() as connection:
        assert differences(connection) == []
    fresh = Ledger(f"sqlite:///{tmp_path}/fresh.db")
    if upgraded.engine.dialect.name == "sqlite":
        assert shape(upgraded.engine) == shape(fresh.engine)
        assert upgrade.backup is not None
        assert ledger_status(f"sqlite:///{upgrade.backup}").revision == "0001"
    run, was = upgraded.run("made"), today.run("made")
    assert run == was
    assert list(upgraded.rows(run)) == list(today.rows(was))
    # What is derived for the pages is what a ledger of today derives as it goes.
    for read in (
        lambda ledger, run: Browsing(ledger).progress(run),
        lambda ledger, run: {line for line in Browsing(ledger).traces(run, TraceFilter(words="labetalol")).lines},
        lambda ledger, run: {line for line in Browsing(ledger).traces(run, TraceFilter(resolver=True)).lines},
        lambda ledger, run: {(p.text, p.steps) for p in StepBrowsing(ledger).patterns(run)},
        lambda ledger, run: sorted(StepBrowsing(ledger).references(run)),
    ):
        assert read(upgraded, run) == read(today, was)
    again = upgrade_ledger(ledger_url)
    assert (again.before, again.backup) == (HEAD, None)
    CallStore(ledger_url).close()
    upgraded.close()


def test_a_fresh_ledger_on_postgres_is_what_the_revisions_make(postgres_server: Any, today: Ledger) -> None:
    fresh, upgraded = postgres_server.database(), postgres_server.database()
    Ledger(fresh).close()
    first_ledger(upgraded, today.engine)
    upgrade_ledger(upgraded)
    one, other = open_engine(fresh), open_engine(upgraded)
    assert shape(one) == shape(other)
    one.dispose()
    other.dispose()


def test_an_upgrade_that_breaks_leaves_the_ledger_as_it_was(
    ledger_url: str, today: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("planted")

    first_ledger(ledger_url, today.engine)
    engine = open_engine(ledger_url)
    before = shape(engine)
    with monkeypatch.context() as patch:
        patch.setattr("tracejury.ledger.upgrading.recount_tallies", breaks)
        with pytest.raises(RuntimeError, match="planted"):
            upgrade_ledger(ledger_url, backup=False)
    assert shape(engine) == before
    assert ledger_status(ledger_url).revision == "0001"
    upgrade_ledger(ledger_url)
    assert ledger_status(ledger_url).status == "current"
    engine.dispose()


def test_every_revision_is_known_and_in_line() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert [r.revision for r in script.walk_revisions()][::-1] == list(REVISIONS)
    assert script.get_heads() == [HEAD]


def test_the_console_upgrades_refuses_and_tells(tmp_path: Path, today: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def output_of(*args: str, code: int) -> str:
        result = CliRunner().invoke(app, [*args, "--store", url])
        assert result.exit_code == code, result.output
        return " ".join(result.output.split())

    monkeypatch.setenv("COLUMNS", "300")
    url = f"sqlite:///{tmp_path}/ledger.db"
    first_ledger(url, today.engine)
    assert "tracejury ledger upgrade" in output_of("ledger", "runs", code=1)
    assert "1 runs, 6 traces" in output_of("ledger", "status", code=1)
    assert f"0001 -> {HEAD}" in output_of("ledger", "upgrade", code=0)
    assert (tmp_path / "ledger.db.0001.backup").exists()
    assert "nothing to do" in output_of("ledger", "upgrade", code=0)
    assert "made" in output_of("ledger", "runs", code=0)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for command in (
        (
            "ledger",
            "runs",
        ),
        ("ledger", "upgrade"),
    ):
        message = output_of(*command, code=1)
        assert re.search(r"newer tracejury .*9999.*pip install -U tracejury", message)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("ALTER TABLE tally DROP COLUMN answered"))
    assert "no released version" in output_of("ledger", "upgrade", code=1)
    engine.dispose()


def test_opening_a_ledger_imports_no_alembic(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom tracejury.ledger import Ledger\n"
        "Ledger(sys.argv[1]).close()\nLedger(sys.argv[1]).close()\nassert 'alembic' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, f"sqlite:///{tmp_path}/ledger.db"], check=True, timeout=200)
