"""The examples of docs/judges.md run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tracejury.agents import Case, JudgeSpec, Label, Opinion, judges

TEXT = (Path(__file__).parents[2] / "docs" / "judges.md").read_text("utf-8")


def block(language: str) -> str:
    *_, last = re.findall(rf"```{language}\n(.*?)```", TEXT, re.S)
    return str(last)


def test_the_judge_of_one_s_own_judges(case: Case, opine: Callable[..., Opinion]) -> None:
    import asyncio

    namespace: dict[str, type] = {}
    exec(block("python"), namespace)
    judge = namespace["Allergies"]()
    allergic = case.model_copy(
        update={
            "stem": "A girl with a penicillin allergy has otitis.",
            "step": "Amoxicillin despite penicillin allergy.",
        }
    )
    draft = asyncio.run(judge.draft(allergic, None))
    opinion = opine(draft, on=allergic)
    assert opinion.label is Label.ERROR
    assert all(c.verified for c in opinion.citations)
    assert asyncio.run(judge.draft(case, None)).label is Label.UNCLEAR


def test_the_perspective_of_one_s_own_can_be_seated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("paediatrics.md").write_text(block("markdown"))
    (spec,) = (JudgeSpec.model_validate(j) for j in yaml.safe_load(block("yaml"))["judges"])
    judge = judges.make(spec.judge, **spec.params)
    assert judge.summary == "Checks doses for children."


def test_every_judge_of_the_table_is_installed() -> None:
    listed = set(re.findall(r"^\| `([a-z]+)` \|", TEXT, re.M))
    assert listed <= {entry.name for entry in judges.entries()}
    assert {"facts", "inference", "data"} <= listed
