"""Steps against an endpoint with every fault: each ends in one outcome, and no fault becomes a verdict."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from local_panel import GOOD, write_panel, write_traces
from servers.model_server import ModelServer

from tracejury.graphs import RunTally, adjudicate
from tracejury.ledger import Ledger, StepRow

STAYS = ("401", "404", "429", "429-after", "500", "hang", "cut", "prose", "label", "empty", "big")
"""Faults that the server answers with every time it sees the step."""
PASSES = ("429", "429-after", "500", "cut")
"""Faults that it answers with once."""
TRACES, STEPS = 27, 5


@pytest.fixture(autouse=True)
def quick_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    from tenacity import wait_random_exponential

    monkeypatch.setattr("tracejury.models.retrying_call._backoff", wait_random_exponential(multiplier=0.02, max=0.1))


def steps() -> list[list[str]]:
    made = []
    for n in range(TRACES):
        texts = []
        for i in range(STEPS):
            # Two steps a fault: an endpoint that refuses every second call would rightly be asked ever more slowly.
            k = (n * STEPS + i) % 66
            fault = f"stays<{STAYS[k]}>" if k < len(STAYS) else ""
            fault = f"passes<{PASSES[k - len(STAYS)]}>" if len(STAYS) <= k < len(STAYS) + len(PASSES) else fault
            texts.append(f"The cough has lasted three days in case {n}.{i} {fault}.")
        made.append(texts)
    return made


def run(folder: Path, server: ModelServer, store: str) -> tuple[list[StepRow], RunTally]:
    panel = write_panel(folder, server.url, endpoint={"max_concurrency": 16, "timeout_s": 1.0})
    traces = write_traces(folder, steps())
    made, tally = asyncio.run(adjudicate(traces, panel, store=store))
    return list(Ledger(store).rows(made)), tally


def test_faults_end_as_failed_and_heal_into_verdicts(tmp_path: Path, ledger_url: str) -> None:
    match: dict[str, Any] = {f"stays<{fault}>": fault for fault in STAYS}
    match |= {f"passes<{fault}>": [fault, "ok"] for fault in PASSES}
    with ModelServer(match=match, reply=GOOD, retry_after_s=0.05) as server:
        rows, _ = run(tmp_path, server, ledger_url)
        assert len({row.step_id for row in rows}) == len(rows) == TRACES * STEPS
        for row in rows:
            expected = "failed" if "stays<" in row.step_text else "supported"
            assert row.outcome == expected, (row.step_text, row.reason)
            assert all((o.failed is not None) == (expected == "failed") for o in row.opinions)
        supported = {row.step_id for row in rows if row.outcome == "supported"}
        # RetryingCall as configured: three where trying again can help, one where it cannot, one repair of a bad reply.
        asked = len(rows) * 2
        before = server.counts()["calls"]
        assert asked < before <= asked * 3

        server.reset(reply=GOOD)
        healed, _ = run(tmp_path, server, ledger_url)
        assert {row.outcome for row in healed} == {"supported"}
        assert len(healed) == len(rows)
        # What had a verdict was not asked again.
        assert server.counts()["calls"] == 2 * (len(rows) - len(supported))
