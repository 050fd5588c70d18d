"""A ledger for all tests of a file, on SQLite and on Postgres."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tracejury.ledger import Ledger


@pytest.fixture(scope="module")
def ledger(module_ledger_url: str) -> Iterator[Ledger]:
    ledger = Ledger(module_ledger_url)
    yield ledger
    ledger.close()
