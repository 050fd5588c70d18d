"""The jury inside a training: evaluations, rewards as a plain function, verdicts as stepwise supervision."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tracejury.agents import load_panel
from tracejury.console.app import app
from tracejury.ledger import Ledger
from tracejury.training import JuryEval, Pair, Recipe, RecipeError, jury_metrics, jury_reward, train

pytestmark = pytest.mark.train

TINY = Path(__file__).resolve().parents[2] / "configs" / "experiments" / "tiny"


@pytest.fixture(scope="module")
def run_store(pairs: list[Pair], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The careful teacher's chains of ten questions, and two that misread the vignette, judged by the tiny panel."""
    from tracejury.graphs import adjudicate
    from tracejury.traces import write_batch

    folder = tmp_path_factory.mktemp("run")
    chosen = [pair for pair in pairs if "reference range" in pair.trace.text][:10]
    wrong = [
        trace.model_copy(update={"text": re.sub(r" of [\d.]+", " of 999", trace.text, count=1), "sample": 7})
        for _, trace in chosen[:2]
    ]
    write_batch([*(q for q, _ in chosen), *(t for _, t in chosen), *wrong], folder / "batch")
    store = f"sqlite:///{folder}/ledger.db"
    asyncio.run(adjudicate(folder / "batch", load_panel(TINY / "panel.yaml"), store=store, name="tiny"))
    return store


def test_every_evaluation_has_the_jurys_figures_and_a_run_to_read(
    recipe: Recipe, corpus: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    schedule = recipe.schedule.model_copy(
        update={"max_steps": 4, "save_every": 2, "patience": 1, "metric": "eval_step_error"}
    )
    questions = [pair.question for pair in pairs[-6:]]
    jury = JuryEval(load_panel(TINY / "panel.yaml"), questions, tmp_path / "jury", student=recipe.student)
    manifest = train(recipe.model_copy(update={"schedule": schedule}), corpus, tmp_path / "student", jury=jury)
    assert [entry["step"] for entry in manifest["jury"]] == [2, 4][: len(manifest["jury"])]
    for entry in manifest["jury"]:
        assert 0 <= entry["eval_abstained_low"] < entry["eval_abstained_high"] <= 1
        assert entry["eval_step_error_low"] < entry["eval_step_error_high"]
        assert 0 <= entry["eval_answers_right"] <= 1
    log = [json.loads(line) for line in (tmp_path / "student" / "log.jsonl").read_text().splitlines()]
    assert any("eval_step_error" in entry for entry in log)
    ledger = Ledger(jury.store)
    rows = list(ledger.rows(ledger.run("eval-2")))
    ledger.close()
    assert {row.question_id for row in rows} <= {question.id for question in questions}
    assert jury_metrics(rows)["eval_abstained_high"] == manifest["jury"][0]["eval_abstained_high"]


def test_the_jurys_metric_needs_the_jury(recipe: Recipe, corpus: Path, tmp_path: Path) -> None:
    schedule = recipe.schedule.model_copy(update={"patience": 1, "metric": "eval_abstained"})
    with pytest.raises(RecipeError, match=r"give `--jury PANEL`"):
        train(recipe.model_copy(update={"schedule": schedule}), corpus, tmp_path)


def test_intervals_count_questions_and_have_a_width(run_store: str) -> None:
    ledger = Ledger(run_store)
    rows = list(ledger.rows(ledger.run("tiny")))
    ledger.close()
    figures = jury_metrics(rows)
    assert 0 < figures["eval_step_error"] < 1, "the planted error is found, the careful steps hold"
    assert figures["eval_step_error_high"] - figures["eval_step_error_low"] > 0.1
    empty = jury_metrics([])
    assert empty["eval_step_error"] != empty["eval_step_error"]
    assert (empty["eval_step_error_low"], empty["eval_step_error_high"]) == (0, 1)


def test_a_bare_answer_earns_less_than_a_sound_derivation(pairs: list[Pair], tmp_path: Path) -> None:
    question, trace = next(p for p in pairs if "tablets" in p.trace.text)
    reward = jury_reward(TINY / "panel.yaml", {question.id: question}, store=f"sqlite:///{tmp_path}/r.db")
    bare = f"The answer is ({question.gold})."
    wrong = trace.text.replace("= ", "= 9")
    messages = [{"role": "assistant", "content": trace.text}]
    completions: list[Any] = [trace.text, bare, wrong, messages]
    sound, silent, false, as_messages = asyncio.run(
        reward(["p"] * 4, completions, question=[question.id] * 4, x=[0] * 4)
    )
    assert sound is not None and silent is not None and false is not None  # noqa: PT018
    assert sound > silent
    assert sound > false
    assert as_messages == sound


TRL_SCRIPT = (Path(__file__).resolve().parents[2] / "docs" / "students.md").read_text(encoding="utf-8")


def test_the_trl_script_of_the_docs_trains(
    corpus: Path, pairs: list[Pair], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tracejury.traces import write_batch

    script = TRL_SCRIPT.split("```python skip=", 1)[1].split("\n", 1)[1].split("```", 1)[0]
    assert len(script.splitlines()) < 30
    write_batch([pair.question for pair in pairs[:4]], tmp_path / "questions")
    monkeypatch.chdir(tmp_path)
    values = {
        "STUDENT": str(corpus / "student"),
        "QUESTIONS": str(tmp_path / "questions"),
        "PANEL": str(TINY / "panel.yaml"),
    }
    state: dict[str, Any] = {}
    exec(compile(script, "students.md", "exec"), values | state, state)
    history = state["trainer"].state.log_history
    assert any("rewards/reward/mean" in entry or "reward" in entry for entry in history)


def test_stepwise_rows_load_and_train_a_token_classifier(run_store: str, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "stepwise.jsonl"
    written = CliRunner().invoke(app, ["student", "stepwise", "tiny", "--store", run_store, "--out", str(out)])
    assert written.exit_code == 0, written.output
    from datasets import Dataset, load_dataset
    from transformers import AutoModelForTokenClassification, AutoTokenizer, Trainer, TrainingArguments

    rows = load_dataset("json", data_files=str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert {True, False} == {label for row in rows for label in row["labels"]}
    assert all(len(row["completions"]) == len(row["labels"]) for row in rows)
    tokenizer = AutoTokenizer.from_pretrained(corpus / "student")

    def encode(row: dict[str, Any]) -> dict[str, Any]:
        ids = tokenizer.encode(row["prompt"], add_special_tokens=False)
        labels = [-100] * len(ids)
        for step, right in zip(row["completions"], row["labels"], strict=True):
            step_ids = tokenizer.encode(step + "\n", add_special_tokens=False)
            ids += step_ids
            labels += [-100] * (len(step_ids) - 1) + [int(right)]
        return {"input_ids": ids[:512], "labels": labels[:512], "attention_mask": [1] * len(ids[:512])}

    model = AutoModelForTokenClassification.from_pretrained(corpus / "student", num_labels=2)
    arguments = TrainingArguments(
        str(tmp_path / "prm"), max_steps=10, per_device_train_batch_size=1, report_to=[], save_strategy="no",
        use_cpu=True, logging_steps=1, disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(model, arguments, train_dataset=Dataset.from_list([encode(row) for row in rows]))
    trainer.train()
    assert trainer.state.global_step == 10
