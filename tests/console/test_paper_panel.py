"""The shipped panel `paper`, its endpoint exchanged for a local server: what it shows, what it makes of every reply."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import yaml
from servers.model_server import ModelServer
from typer.testing import CliRunner

from tracejury.console.app import app

STEPS = (
    "Colchicine is the first drug here (one).",
    "Gout comes from crystals of urate (two).",
    "Perhaps the kidneys matter as well (three).",
    "The joint should then be opened (four).",
)


def write_inputs(folder: Path, url: str) -> tuple[Path, Path]:
    body = yaml.safe_load((files("tracejury.configs") / "panels" / "paper.yaml").read_text())
    body["endpoints"]["judge"] |= {"base_url": url, "api_key_env": None}
    (folder / "paper.yaml").write_text(yaml.safe_dump(body))
    text = "".join(f"{n}. {step}\n" for n, step in enumerate(STEPS, 1)) + "The answer is A."
    question = {"kind": "question", "id": "q", "stem": "His toe is red.", "options": {"A": "Gout", "B": "Burn"}}
    lines = [question | {"gold": "A"}, {"kind": "trace", "question": "q", "model": "m", "text": text}]
    (folder / "traces.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "traces.jsonl", folder / "paper.yaml"


def test_the_paper_s_judge_sees_the_gold_answer_and_one_step_and_its_failures_are_no_verdicts(tmp_path: Path) -> None:
    # Without the gold answer a prompt is refused. With an earlier step in it, its word would decide: it stands first.
    labels = {"(one)": {"label": "incorrect"}, "(two)": {"label": "correct"}, "(three)": {"label": "uncertain"}}
    match: dict[str, str | list[str]] = {"test of the connection": "ok", "(four)": "prose", "A. Gout\n</data": "ok"}
    with ModelServer(mode="401", match=match, reply_for=labels) as server:
        traces, panel = write_inputs(tmp_path, server.url)
        store = ("--store", f"sqlite:///{tmp_path}/ledger.db")
        run = CliRunner().invoke(app, ["adjudicate", str(traces), "--panel", str(panel), "--run", "paper", *store])
        assert run.exit_code == 2, run.output
        exported = CliRunner().invoke(app, ["export", "paper", *store])
        rows = [json.loads(line) for line in exported.stdout.splitlines()]
        assert [(row["step_index"], row["outcome"]) for row in rows] == [
            (0, "error"),
            (1, "supported"),
            (2, "abstained"),
            (3, "failed"),
        ]
        assert {row["segmenter"] for row in rows} == {"numbered"}
        assert [row["opinions"][0]["citations"] for row in rows] == [[]] * 4
        # The probe, the three steps, and one repair of the reply that was prose; nothing else twice.
        assert server.counts()["modes"] == {"ok": 4, "prose": 2}

    def counted(*more: str) -> tuple[int, int]:
        result = CliRunner().invoke(app, ["summary", "paper", "--json", *more, *store])
        (arm,) = json.loads(result.stdout)["arms"]
        return arm["steps"]["abstained"], arm["steps"]["failed"]

    assert counted() == (1, 1)
    assert counted("--paper-convention") == (2, 0)
