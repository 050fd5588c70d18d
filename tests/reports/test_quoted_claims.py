"""Sheets ask for the relation of a cited sentence, and what experts answer becomes labelled pairs for a checker."""

from __future__ import annotations

import json
from pathlib import Path

from openpyxl import load_workbook

from tracejury.agents import (
    Case,
    Citation,
    Deliberation,
    Label,
    Opinion,
    Outcome,
    Reason,
    Relation,
    Route,
    Verdict,
    cut_by_rule,
)
from tracejury.reports import (
    Key,
    Keyed,
    SheetItem,
    expert_pairs,
    read_labelled_pairs,
    read_returned,
    with_quoted,
    write_csv,
    write_xlsx,
)
from tracejury.reports.quoted_claims import QuotedClaim, draw_quoted_claim
from tracejury.traces import Step

CLAIM, SENTENCE = "Aspirin is safe in dengue.", "Aspirin must be avoided in dengue."


def deliberation(*citations: Citation) -> Deliberation:
    step = Step(trace_id="t", index=0, start=0, end=len(CLAIM), text=CLAIM)
    case = Case(step_id=step.id, trace_id="t", stem="", step_index=0, step=CLAIM, claims=cut_by_rule(CLAIM, "", ()))
    verdict = Verdict(outcome=Outcome.ABSTAINED, route=Route.NONE, reason=Reason.NOT_GROUNDED)
    opinion = Opinion(judge="facts", kind="facts", label=Label.SUPPORTED, citations=citations)
    return Deliberation(step=step, case=case, opinions=(opinion,), verdict=verdict, path=())


def citation(**changes: object) -> Citation:
    whole = {"evidence_id": "p", "quote": "avoided in dengue", "sentence": SENTENCE, "verified": True, "claim": "C1"}
    return Citation.model_validate(whole | {"relation": Relation.SUPPORTS, "p": 0.2} | changes)


def test_what_the_checker_read_is_shown_without_what_the_judge_asserted() -> None:
    assert draw_quoted_claim(deliberation(citation())) == QuotedClaim(claim=CLAIM, sentence=SENTENCE)
    assert draw_quoted_claim(deliberation(citation(p=None))) is None
    assert draw_quoted_claim(deliberation()) is None


def test_the_answers_of_experts_become_labelled_pairs(tmp_path: Path) -> None:
    quoted = QuotedClaim(claim=CLAIM, sentence=SENTENCE)
    items = [
        SheetItem(item=name, stem="A man has a fever.", options={}, context=(), step=CLAIM, quoted=quoted_claim)
        for name, quoted_claim in (("S001", quoted), ("S002", None))
    ]
    keyed = [
        Keyed(item=i.item, step_id=f"s{i.item}", question_id="q", arm="base", outcome=Outcome.SUPPORTED, weight=1.0)
        for i in items
    ]
    key = Key(sheet="sim-0", run="sim", seed=0, items=with_quoted(keyed, items))
    write_xlsx(tmp_path / "anna.xlsx", items, "sim-0")
    book = load_workbook(tmp_path / "anna.xlsx")
    page = book["Steps"]
    columns = [cell.value for cell in page[1]]
    assert [page.cell(2, columns.index(name) + 1).value for name in ("claim of the step", "cited sentence")] == [
        CLAIM,
        SENTENCE,
    ]
    page.cell(2, columns.index("verdict") + 1, "error")
    page.cell(2, columns.index("relation") + 1, "contradicts")
    book.save(tmp_path / "anna.xlsx")
    write_csv(tmp_path / "ben.csv", items)
    lines = (tmp_path / "ben.csv").read_text("utf-8-sig").replace(f"{SENTENCE},", f"{SENTENCE},contradicts")
    (tmp_path / "ben.csv").write_text(lines.replace(f"{CLAIM},,,,{CLAIM}", f"{CLAIM},error,,,{CLAIM}"))
    rows = [{"item": "S001", "verdict": "unclear", "relation": "does not decide"}]
    (tmp_path / "cleo.json").write_text(json.dumps({"sheet": "sim-0", "expert": "cleo", "rows": rows}))

    judged, problems = read_returned([tmp_path / f for f in ("anna.xlsx", "ben.csv", "cleo.json")], key)
    assert not problems
    (pair,) = expert_pairs(judged, key)
    assert (pair.claim, pair.evidence, pair.relation, pair.group) == (CLAIM, (SENTENCE,), Relation.CONTRADICTS, "q")
    (tmp_path / "pairs.jsonl").write_text(pair.model_dump_json() + "\n")
    assert read_labelled_pairs(tmp_path / "pairs.jsonl") == [pair]


def test_an_unknown_relation_is_named(tmp_path: Path) -> None:
    keyed = Keyed(item="S001", step_id="s", question_id="q", arm="base", outcome=Outcome.SUPPORTED, weight=1.0)
    rows = [{"item": "S001", "verdict": "unclear", "relation": "proves"}]
    (tmp_path / "dora.json").write_text(json.dumps({"sheet": "s", "expert": "dora", "rows": rows}))
    _, (problem,) = read_returned([tmp_path / "dora.json"], Key(sheet="s", run="r", seed=0, items=(keyed,)))
    assert "supports, contradicts, does not decide" in problem.reason
