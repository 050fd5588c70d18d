"""A run whose judge has a stand-in begins where its own endpoint is refused, and its export says who answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app


def test_the_probe_finds_an_endpoint_refused_and_the_stand_in_answers(tmp_path: Path) -> None:
    with ModelServer() as refusing, ModelServer() as other:
        refusing.set(mode="401")
        panel: dict[str, Any] = {
            "endpoints": {
                "own": {"model": "own-70b", "base_url": refusing.url},
                "spare": {"model": "spare-8b", "base_url": other.url},
            },
            "judges": [{"name": "facts", "judge": "facts", "endpoint": "own", "stand_in": "spare"}],
            "resolver": None, "checker": None, "policy": "consensus", "retrieval": {"sources": []},
        }  # fmt: skip
        (tmp_path / "p.yaml").write_text(yaml.safe_dump(panel))
        question = {"kind": "question", "id": "q", "stem": "His toe is red.", "options": {"A": "Gout", "B": "Burn"}}
        steps = [{"text": "Colchicine is the first drug here."}]
        trace = {"kind": "trace", "question": "q", "model": "m", "text": steps[0]["text"], "steps": steps}
        (tmp_path / "t.jsonl").write_text(json.dumps(question) + "\n" + json.dumps(trace) + "\n")
        store = ("--store", f"sqlite:///{tmp_path}/l.db")
        command = ["adjudicate", str(tmp_path / "t.jsonl"), "--panel", str(tmp_path / "p.yaml"), "--run", "r", *store]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        # Without a stand-in the same probe ends the run.
        del panel["judges"][0]["stand_in"]
        (tmp_path / "p.yaml").write_text(yaml.safe_dump(panel))
        assert CliRunner().invoke(app, [*command[:-4], "--run", "s", *store]).exit_code == 1
    (row,) = [json.loads(line) for line in CliRunner().invoke(app, ["export", "r", *store]).stdout.splitlines()]
    (opinion,) = row["opinions"]
    assert (opinion["model"], opinion["stands_in_for"], opinion["failed"]) == ("spare-8b", "own-70b", None)
