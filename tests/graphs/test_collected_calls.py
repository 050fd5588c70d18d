"""What a run would ask is written without a call, answered elsewhere and imported; the run is then the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app

STEPS = ("Colchicine is the first drug here (one).", "Gout comes from crystals of urate (two).")


def inputs(folder: Path, url: str) -> tuple[str, str]:
    endpoint = {"model": "local", "base_url": url}
    panel: dict[str, Any] = {
        "endpoints": {"m": endpoint},
        "judges": [{"name": name, "judge": name, "endpoint": "m"} for name in ("facts", "inference", "safety")],
        "claims": {"endpoint": "m"}, "resolver": {"endpoint": "m", "rounds": 0}, "checker": None,
        "policy": "consensus", "retrieval": {"sources": []},
    }  # fmt: skip
    (folder / "panel.yaml").write_text(yaml.safe_dump(panel))
    question = {"kind": "question", "id": "q", "stem": "His toe is red.", "options": {"A": "Gout", "B": "Burn"}}
    steps = [{"text": step} for step in STEPS]
    trace = {"kind": "trace", "question": "q", "model": "m", "text": "\n".join(STEPS), "steps": steps, "answer": "A"}
    (folder / "traces.jsonl").write_text(json.dumps(question) + "\n" + json.dumps(trace) + "\n")
    return str(folder / "traces.jsonl"), str(folder / "panel.yaml")


def rows_of(run: str, store: str) -> list[dict[str, Any]]:
    exported = CliRunner().invoke(app, ["export", run, "--store", store])
    unequal = ("run", "cost_usd", "cached_tokens", "prompt_tokens", "completion_tokens")
    return [{k: v for k, v in json.loads(line).items() if k not in unequal} for line in exported.stdout.splitlines()]


def answer(server: ModelServer, request: dict[str, Any]) -> dict[str, Any]:
    """Send one line of the batch to the local stand-in, and return the line of a batch's output."""
    import urllib.request

    body = json.dumps(request["body"]).encode()
    sent = urllib.request.Request(f"{server.url}/chat/completions", body, {"content-type": "application/json"})
    with urllib.request.urlopen(sent) as reply:
        return {"custom_id": request["custom_id"], "response": {"status_code": 200, "body": json.load(reply)}}


def test_the_round_trip_gives_the_run_that_asking_gives_and_makes_no_call(tmp_path: Path) -> None:
    cli = CliRunner()
    with ModelServer() as server:
        traces, panel = inputs(tmp_path, server.url)
        asked, imported = (f"sqlite:///{tmp_path}/{name}.db" for name in ("asked", "imported"))
        direct = cli.invoke(app, ["adjudicate", traces, "--panel", panel, "--run", "r", "--store", asked, "--no-probe"])
        assert direct.exit_code == 0, direct.output
        calls_before = sum(server.counts()["modes"].values())
        passes = 0
        while True:
            out = tmp_path / f"batch{passes}.jsonl"
            command = ["cases", traces, "--panel", panel, "--openai-batch", "--out", str(out), "--store", imported]
            before = sum(server.counts()["modes"].values())
            collected = cli.invoke(app, [*command, "--json"])
            assert collected.exit_code == 0, collected.output
            assert sum(server.counts()["modes"].values()) == before  # nothing is sent
            if not json.loads(collected.stdout)["requests"]:
                break
            requests = [json.loads(line) for line in out.read_text().splitlines()]
            assert {tuple(sorted(r)) for r in requests} == {("body", "custom_id", "method", "url")}
            answers = tmp_path / f"answers{passes}.jsonl"
            answers.write_text("".join(json.dumps(answer(server, r)) + "\n" for r in requests))
            done = cli.invoke(app, ["calls", "import", str(answers), "--store", imported])
            assert done.exit_code == 0, done.output
            passes += 1
            # After an incomplete import an offline run sends nothing, names what is missing, and leaves those steps.
            offline = ["adjudicate", traces, "--panel", panel, "--run", "r", "--store", imported, "--offline"]
            waiting = cli.invoke(app, offline)
            if passes == 1:
                assert waiting.exit_code == 2, waiting.output
                assert "6 requests have no answer yet (judge:facts 2, judge:inference 2, judge:safety 2)" in " ".join(
                    waiting.output.split()
                )
                assert rows_of("r", imported) == []
        assert passes >= 2  # claims first, then the judges whose prompts hold the claims
        assert sum(server.counts()["modes"].values()) == 2 * calls_before
        again = cli.invoke(
            app, ["adjudicate", traces, "--panel", panel, "--run", "r", "--store", imported, "--no-probe"]
        )
        assert again.exit_code == 0, again.output
        assert sum(server.counts()["modes"].values()) == 2 * calls_before  # 0 calls made
    assert rows_of("r", imported) == rows_of("r", asked)


def test_an_answer_to_no_case_is_refused_and_a_failed_one_stays_pending(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/ledger.db"
    file = tmp_path / "answers.jsonl"
    file.write_text(json.dumps({"custom_id": "x", "reply": {"label": "error"}}) + "\n")
    refused = CliRunner().invoke(app, ["calls", "import", str(file), "--store", store])
    assert refused.exit_code == 1
    assert "answers.jsonl:1: custom_id 'x'" in refused.output
    file.write_text(
        json.dumps({"custom_id": "a" * 64, "response": {"status_code": 500, "body": {"error": "no"}}}) + "\n"
    )
    failed = CliRunner().invoke(app, ["calls", "import", str(file), "--store", store, "--json"])
    assert failed.exit_code == 2
    assert json.loads(failed.stdout) == {"imported": 0, "failed": 1, "present": 0}
