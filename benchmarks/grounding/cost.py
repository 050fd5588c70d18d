"""Model calls a step beside the judges' own, with the checker `llm` and claims by a model: a server that counts."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tracejury.agents import Deliberation, Panel, Relation, Route
from tracejury.agents.checkers import CheckerCalibration, CheckerSpec, load_checker
from tracejury.graphs import adjudicate
from tracejury.ledger import Ledger
from tracejury.models import Endpoint
from tracejury.traces import Batch

TESTS = Path(__file__).parents[2] / "tests"
STEPS = ["The cough has lasted three days. It is acute, and it needs no antibiotic.", "A cough of three days is acute."]


def measure_cost() -> dict[str, Any]:
    """Return calls a step by purpose, of steps without a dispute and of the others."""
    sys.path.insert(0, str(TESTS))
    from local_panel import GOOD, panel_body, write_traces
    from servers.model_server import ModelServer

    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, ModelServer(reply=GOOD) as server:
        work = Path(folder)
        write_traces(work, [[f"{step} Case {n}." for step in STEPS] for n in range(10)])
        for title, changes in (("all judges at once", {}), ("early stop", {"early_stop": True, "full_share": 0.0})):
            endpoint = Endpoint.model_validate(panel_body(server.url)["endpoints"]["local"] | {"name": "local"})
            checker = CheckerSpec(name="llm", endpoint="local", allow_same_weights=True)
            path = _calibration(checker, endpoint, work)
            body = panel_body(
                server.url,
                policy="grounded",
                checker=checker.model_copy(update={"calibration": str(path)}).model_dump(),
                claims={"endpoint": "local"},
                **changes,
            )
            body["endpoints"]["local"]["name"] = "local"
            store = f"sqlite:///{work / title.replace(' ', '-')}.db"
            panel = Panel.model_validate(body)
            asyncio.run(adjudicate(Batch.open([work / "traces.jsonl"]), panel, store=store, name="cost"))
            result[title] = _calls(store)
    return result


def _calibration(spec: CheckerSpec, endpoint: Endpoint, folder: Path) -> Path:
    calibration = CheckerCalibration(
        checker="llm",
        identity=load_checker(spec, endpoint).identity,
        can_contradict=True,
        scale=1.0,
        offsets={},
        thresholds=dict.fromkeys((Relation.SUPPORTS, Relation.CONTRADICTS), (0.5,)),
        alpha=0.05,
        n=0,
        groups=0,
        evidence={},
        fitted_from="counting calls",
    )
    path = folder / "calibration.json"
    path.write_text(calibration.model_dump_json())
    return path


def _calls(store: str) -> dict[str, Any]:
    ledger = Ledger(store)
    run = ledger.run("cost")
    of: dict[str, list[Deliberation]] = {"steps without a dispute": [], "steps with one": []}
    for trace, _, _ in ledger.traces(run):
        for deliberation in ledger.deliberations(run, trace.id):
            disputed = deliberation.verdict.route in (Route.RESOLVER, Route.NONE)
            of["steps with one" if disputed else "steps without a dispute"].append(deliberation)
    ledger.close()
    return {
        title: {
            "steps": len(found),
            "further calls a step": dict(Counter(len(d.evidence_calls) for d in found)),
            "purposes": dict(Counter(call.purpose for d in found for call in d.evidence_calls)),
        }
        for title, found in of.items()
    }


if __name__ == "__main__":
    print(json.dumps(measure_cost(), indent=1))
