"""A lease has one holder, who is named to all others, and goes with the holder's connection."""

from __future__ import annotations

import os
from typing import Any

import pytest
from postgres_at_work import end_lease_sessions

from tracejury.storage import LeaseHeldError, acquire_lease, open_engine


def test_one_holder_a_name(ledger_url: str) -> None:
    first, second = open_engine(ledger_url), open_engine(ledger_url)
    lease = acquire_lease(first, "run-1")
    for engine in (first, second):
        with pytest.raises(LeaseHeldError, match=rf"process {os.getpid()} on \S+ since 20\d\d-"):
            acquire_lease(engine, "run-1", patience_s=0.3)
    acquire_lease(second, "run-2").release()
    lease.release()
    acquire_lease(second, "run-1", patience_s=0).release()
    first.dispose()
    second.dispose()


@pytest.mark.postgres
def test_a_broken_connection_is_mended_unless_another_was_quicker(postgres_server: Any) -> None:
    store = postgres_server.database()
    first, second = open_engine(store), open_engine(store)
    lease = acquire_lease(first, "run-1")
    end_lease_sessions(store)
    assert lease.still_held()
    with pytest.raises(LeaseHeldError):
        acquire_lease(second, "run-1", patience_s=0)
    end_lease_sessions(store)
    theirs = acquire_lease(second, "run-1", patience_s=0)
    assert not lease.still_held()
    theirs.release()
    first.dispose()
    second.dispose()
