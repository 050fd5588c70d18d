"""Fixtures that tests of every room share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import hypothesis
import pytest
import typer.testing
from servers.model_server import ModelServer

# GNU readline, where anything loads it, tells child processes a width of 80: a console made under it would keep that,
# and break the messages that tests look for.
os.environ.pop("COLUMNS", None)

from tracejury.console import screen  # noqa: F401  (made here, it asks for its width each time)

if TYPE_CHECKING:
    from postgres_at_work import Postgres

ROOT = Path(__file__).resolve().parents[1]

# Every call builds the commands anew, which takes a tenth of a second: they are the same each time.
typer.testing._get_command = cache(typer.testing._get_command)

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")


def absent(what: str, reason: str) -> NoReturn:
    """Skip the test, or fail it where `TRACEJURY_REQUIRE` (CI) says that `what` must be there."""
    if what in os.environ.get("TRACEJURY_REQUIRE", "").split():
        pytest.fail(f"{what} is required here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; a test that needs it skips, saying so, where it is absent."""
    folder = Path(os.environ.get("TRACEJURY_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        absent("data", f"no real data at {folder}; set TRACEJURY_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def _model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(_model_server: ModelServer) -> ModelServer:
    """An OpenAI-compatible server of the tests' own, set back to plain behaviour: see tests/servers/model_server.py."""
    _model_server.reset()
    return _model_server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A Postgres server of the tests' own; see tests/postgres_at_work.py."""
    from postgres_at_work import postgres

    with postgres() as server:
        yield server


DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def _new_ledger(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder}/ledger.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.database()


@pytest.fixture(params=DATABASES)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a ledger that does not exist yet; the test runs once on SQLite and once on Postgres."""
    return _new_ledger(request, tmp_path)


@pytest.fixture(scope="module", params=DATABASES)
def module_ledger_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """As `ledger_url`, one for all tests of a module."""
    return _new_ledger(request, tmp_path_factory.mktemp("ledger"))
