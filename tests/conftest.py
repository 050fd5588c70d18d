"""Fixtures that tests of every room share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from servers.model_server import ModelServer

ROOT = Path(__file__).resolve().parents[1]


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
