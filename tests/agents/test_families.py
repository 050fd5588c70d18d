"""A judge of the audited model's own family is refused, by name, unless the panel allows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tracejury.agents import Panel, families, family, refuse_same_family
from tracejury.console.app import app
from tracejury.traces import GivenStep, Question, Trace, write_batch


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen/Qwen3-8B", {"qwen"}),
        ("qwen2.5:7b-instruct-q4_K_M", {"qwen"}),
        ("deepseek-r1-distill-qwen-7b", {"deepseek", "qwen"}),
        ("BioMistral-7B", {"mistral"}),
        ("m42-health/Llama3-Med42-8B", {"llama"}),
        ("chatgpt-4o-latest", {"gpt"}),
        ("o3-mini", {"gpt"}),
        ("microsoft/Phi-4", {"phi"}),
        ("sophia-7b", {"sophia"}),  # no phi
        ("student-8b", {"student"}),
        ("m", set()),
        ("", set()),
    ],
)
def test_families_are_read_from_names(name: str, expected: set[str]) -> None:
    assert families(name) == expected
    assert not expected or family(name) in expected


def panel(**changes: Any) -> Panel:
    endpoints = {n: {"name": n, "model": m} for n, m in (("q", "Qwen/Qwen3-32B"), ("g", "gpt-4.1"), ("l", "llama-3"))}
    judge = {"name": "facts", "judge": "facts", "endpoint": "g"}
    return Panel.model_validate({"name": "p", "endpoints": endpoints, "judges": [judge | changes.pop("judge", {})]}
                                | changes)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({"judge": {"endpoint": "q"}}, "judge 'facts' (Qwen/Qwen3-32B)"),
        ({"judge": {"stand_in": "q"}}, "judge 'facts' (Qwen/Qwen3-32B)"),
        ({"resolver": {"endpoint": "q"}}, "the resolver (Qwen/Qwen3-32B)"),
        ({"judge": {"judge": "recorded", "endpoint": None, "params": {"path": "x", "model": "qwen-max"}}}, "qwen-max"),
        ({}, None),
        ({"judge": {"endpoint": "q"}, "allow_same_family": True}, None),
    ],
)
def test_who_decides_may_not_be_of_the_audited_family(changes: dict[str, Any], who: str | None) -> None:
    if who is None:
        return refuse_same_family(panel(**changes), ["qwen3-8b-distilled", ""])
    with pytest.raises(ValueError, match="allow_same_family") as refused:
        refuse_same_family(panel(**changes), ["qwen3-8b-distilled", ""])
    assert who in str(refused.value)
    refuse_same_family(panel(**changes), ["mistral-7b"])
    return None


def test_adjudicate_refuses_before_it_judges_and_goes_on_where_the_panel_allows_it(tmp_path: Path) -> None:
    question = Question(stem="", source="s", key="q1")
    step = GivenStep(text="Aspirin lowers fever.")
    write_batch([question, Trace(question_id=question.id, model="Qwen3-8B", text=step.text, steps=(step,))],
                tmp_path / "traces")  # fmt: skip
    (tmp_path / "o.jsonl").write_text(json.dumps({"question": "q1", "step": 0, "label": "supported"}) + "\n")
    yaml = (
        "judges: [{name: big, judge: recorded, params: {path: o.jsonl, model: Qwen3-235B}}]\n"
        "policy: consensus\nchecker: null\nresolver: null\n"
    ).replace("o.jsonl", str(tmp_path / "o.jsonl"))
    file = tmp_path / "p.yaml"
    file.write_text(yaml)
    command = ["adjudicate", str(tmp_path / "traces"), "--panel", str(file), "--store", f"sqlite:///{tmp_path}/l.db"]
    refused = CliRunner().invoke(app, command)
    assert refused.exit_code == 1
    assert "judge 'big' (Qwen3-235B) is of the family of the audited model Qwen3-8B (qwen)" in " ".join(
        refused.output.split()
    )
    file.write_text(yaml + "allow_same_family: true\n")
    assert CliRunner().invoke(app, command).exit_code == 0
