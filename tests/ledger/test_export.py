"""Exported rows: one a step, in three formats, the same content; quotes that are marked verified are found."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path

import pytest
from jury_of_words import STEPS, batch_of, question, run_context_of, trace

from tracejury.graphs import Runner
from tracejury.ledger import Ledger, RunDiffersError, RunManifest, StepRow, UnknownRunError, write_rows
from tracejury.models import CallStore
from tracejury.traces import Question, Trace


class Pairs:
    """A batch held in memory."""

    problems = ()
    paths = ()

    def __init__(self, pairs: list[tuple[Question, Trace]]) -> None:
        self.asked = {q.id: q for q, _ in pairs}
        self.taken = [t for _, t in pairs]

    def question(self, question_id: str) -> Question | None:
        return self.asked.get(question_id)


def ledger_of(pairs: list[tuple[Question, Trace]], url: str, name: str = "r") -> tuple[Ledger, list[StepRow]]:
    async def main() -> tuple[Ledger, list[StepRow]]:
        ledger, run_context = Ledger(url), run_context_of()
        manifest = RunManifest(panel="p", segmenter="auto")
        run = ledger.open_run(run_context.panel, manifest, name).run
        store = CallStore(ledger.engine)
        batch = Pairs(pairs)
        await Runner(run_context, ledger, store.writer, run).run(batch, batch.taken)  # type: ignore[arg-type]
        rows = list(ledger.rows(run))
        store.writer.close()
        return ledger, rows

    return asyncio.run(main())


@pytest.fixture
def rows(ledger_url: str) -> list[StepRow]:
    return ledger_of(batch_of(6), ledger_url)[1]


def test_a_row_a_step_with_everything_that_the_contract_names(rows: list[StepRow]) -> None:
    assert len(rows) == 18
    assert {r.outcome for r in rows} >= {"supported", "error", "failed"}
    for row in rows:
        assert row.answer_correct is True
        assert [o.judge for o in row.opinions] == ["one", "two", "three"]
        for citation in row.citations:
            assert citation.verified
            assert citation.quote in f"Patient 40 years old, has had {citation.quote}."


def test_json_lines_read_back_as_the_same_rows(rows: list[StepRow], tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert write_rows(rows, "jsonl", path) == len(rows)
    assert [StepRow.model_validate_json(line) for line in path.read_text().splitlines()] == rows


@pytest.mark.parametrize("sign", ["=", "\n=", "\uff1d", " \uff0b", "\u200b@", "\u3000-", "\n", "\t"])
def test_csv_has_the_same_rows_and_no_formula(rows: list[StepRow], sign: str) -> None:
    wild = rows[0].model_copy(update={"step_text": f"{sign}HYPERLINK(1)"})
    out = io.StringIO()
    write_rows([wild, *rows[1:]], "csv", out)
    read = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(read) == len(rows)
    assert read[0]["step_text"] == f"'{sign}HYPERLINK(1)"
    assert json.loads(read[0]["opinions"])[0]["judge"] == "one"


def test_parquet_keeps_types_and_nesting(rows: list[StepRow], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "rows.parquet"
    write_rows(rows, "parquet", path)
    table = parquet.read_table(path)
    assert table.column_names == list(StepRow.model_fields)
    back = table.to_pylist()
    assert [r["step_id"] for r in back] == [r.step_id for r in rows]
    for read, row in zip(back, rows, strict=True):
        fields = row.model_dump(mode="json")
        assert json.loads(read.pop("meta")) == fields.pop("meta")
        assert read == fields


def test_a_trace_without_steps_is_a_row_not_an_absence(ledger_url: str) -> None:
    _, rows = ledger_of([(question(), trace(()))], ledger_url)
    assert [(r.step_index, r.outcome) for r in rows] == [(-1, None)]


def test_shuffled_input_gives_the_same_rows(ledger_url: str) -> None:
    pairs = batch_of(8)
    _, one = ledger_of(pairs, ledger_url, name="forth")
    _, two = ledger_of(pairs[::-1], ledger_url, name="back")
    named = [{(r.step_id, r.outcome, r.route, r.reason, r.citations) for r in rows} for rows in (one, two)]
    assert named[0] == named[1]


def test_a_run_is_found_by_name_beginning_and_last(ledger_url: str) -> None:
    ledger, _ = ledger_of([(question(), trace(STEPS))], ledger_url, name="mine")
    run = ledger.run("mine")
    assert ledger.run("last") == ledger.run(run.id[:6]) == run
    with pytest.raises(UnknownRunError, match="mine"):
        ledger.run("other")
    assert ledger.progress(run).outcomes == {"supported": 1, "error": 1, "abstained": 2, "failed": 1}


def test_a_name_is_not_given_to_another_panel(ledger_url: str) -> None:
    ledger, _ = ledger_of([(question(), trace(STEPS))], ledger_url, name="mine")
    other = RunManifest(panel="another", segmenter="auto")
    with pytest.raises(RunDiffersError, match="panel"):
        ledger.open_run(run_context_of().panel, other, "mine")


def test_a_gold_of_two_letters_accepts_either_as_the_readers_do(ledger_url: str) -> None:
    two_golds = question().model_copy(update={"gold": "AB"})
    _, rows = ledger_of([(two_golds, trace(STEPS))], ledger_url)
    assert {r.answer_correct for r in rows} == {True}
