"""Traces in other languages than English: what was made for English is silent there, and every command says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from tracejury.console.app import app

# In each, an English reader of figures would find the potassium wrong: the question has 5.9, the step says 3.1.
BATCH = {
    "Chinese": (
        "患者男性，54岁，右膝疼痛3天。体重70公斤，体温38.5°C，血钾5.9 mEq/L。最合适的治疗是什么？",
        "患者的血钾为 potassium 3.1 mEq/L，偏低。\n\n秋水仙碱是急性痛风的首选治疗。因此答案是A。",
    ),
    "Hindi": (
        "54 वर्षीय पुरुष को दाहिने घुटने में 3 दिन से दर्द है। वजन 70 किलो, तापमान 38.5°C, पोटैशियम 5.9 mEq/L है।",
        "रोगी का पोटैशियम (potassium) 3.1 mEq/L है, जो कम है।\n\nकोल्चिसिन तीव्र गठिया का पहला उपचार है।",
    ),
    "Swahili": (
        "Mwanamume wa miaka 54 ana maumivu ya goti la kulia kwa siku 3. Uzito ni kilo 70, potassium 5.9 mEq/L.",
        "Mgonjwa ana potassium 3.1 mEq/L ambayo ni ya chini.\n\nKolkisini ni dawa ya kwanza kwa ugonjwa huu.",
    ),
    "Spanish": (
        "Un hombre de 54 años tiene dolor en la rodilla derecha desde hace 3 días. El potassium es 5.9 mEq/L.",
        "El paciente tiene potassium 3.1 mEq/L, por lo que está bajo.\n\nLa colchicina es el tratamiento de elección.",
    ),
}
ENGLISH = (
    "A 54-year-old man has pain in the right knee for 3 days. His serum potassium is 5.9 mEq/L.",
    "His serum potassium is 3.1 mEq/L, so it is low.\n\nColchicine is probably a treatment of gout.",
)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")
    judges = [{"name": "figures", "judge": "data"}, {"name": "entailment", "judge": "verifier"}]
    panel = {"judges": judges, "checker": {"name": "nli"}, "relevance": {"scorer": "verifier"}, "resolver": None}
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(panel))
    lines = []
    for n, (stem, text) in enumerate([*BATCH.values(), ENGLISH]):
        lines.append({"kind": "question", "id": f"q{n}", "stem": stem, "options": {"A": "x", "B": "y"}, "key": str(n)})
        # Two traces in Spanish.
        lines += [
            {"kind": "trace", "question": f"q{n}", "model": "m", "sample": s, "text": text, "answer": "A"}
            for s in range(1 + (stem == BATCH["Spanish"][0]))
        ]
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines))
    return CliRunner()


def output_of(cli: CliRunner, *args: str) -> str:
    result = cli.invoke(app, args)
    assert result.exit_code == 0, result.output
    return result.output


def test_parts_made_for_english_are_silent_and_said(cli: CliRunner, tmp_path: Path) -> None:
    notice = (
        "Spanish 2, Chinese 1, Hindi 1, Swahili 1. Left out there, since made for English alone: judge 'figures', "
        "judge 'entailment', checker 'nli', counts of hedges. Made for English, and may miss what these say: step "
        "roles, claims cut by rule, relevance by the verifier"
    )
    assert output_of(cli, "adjudicate", "t.jsonl", "--panel", "p.yaml", "--dry-run").count(notice) == 1
    dry_run = json.loads(output_of(cli, "adjudicate", "t.jsonl", "--panel", "p.yaml", "--dry-run", "--json"))
    assert dry_run["languages"] == {"Spanish": 2, "Chinese": 1, "Hindi": 1, "Swahili": 1}
    assert output_of(cli, "adjudicate", "t.jsonl", "--panel", "p.yaml").count(notice) == 1
    assert output_of(cli, "adjudicate", "t.jsonl", "--panel", "p.yaml").count(notice) == 1, "a resumed run says so, too"
    assert output_of(cli, "summary", "last").count(notice) == 1
    (arm,) = json.loads(output_of(cli, "summary", "last", "--json"))["arms"]
    assert arm["hedging"]["a_step"]["value"] == 0.5, "of the two English steps one hedges; no other is counted"
    output_of(cli, "report", "last", "--out", "r.md")
    assert (tmp_path / "r.md").read_text("utf-8").replace("&#39;", "'").count(notice) == 1

    output_of(cli, "export", "last", "--out", "rows.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text("utf-8").splitlines()]
    english = [row for row in rows if row["step_text"].startswith(("His serum", "Colchicine is"))]
    assert len(english) == 2
    assert english[0]["opinions"][0]["label"] == "error", "in English the figure is found wrong"
    for row in rows:
        if row not in english:
            assert row["outcome"] == "abstained"
            said = {(o["judge"], o["label"]) for o in row["opinions"]}
            assert said == {("figures", "unclear"), ("entailment", "unclear")}
            language = next(name for name, (_, text) in BATCH.items() if row["step_text"][:12] in text)
            assert all("reads English alone" in o["rationale"] and language in o["rationale"] for o in row["opinions"])


def test_an_english_batch_says_nothing_of_languages(cli: CliRunner) -> None:
    output = output_of(cli, "adjudicate", "t.jsonl", "--panel", "p.yaml", "--dry-run", "--only", "nothing")
    assert "not in English" not in output
