"""A ledger with one made run, a viewer that serves it, and a browser; each for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from made_ledger import demo_pairs, make_run
from viewer_at_work import chromium, serving

from tracejury.ledger import Ledger

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    ledger = Ledger(f"sqlite:///{tmp_path_factory.mktemp('viewer')}/ledger.db")
    make_run(ledger, demo_pairs())
    return ledger


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(ledger: Ledger) -> Iterator[str]:
    with serving(ledger) as address:
        yield address
