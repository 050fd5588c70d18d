"""Tables of any make: every kind of file and of field, read as its owner would read it, or refused with a question."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tracejury.traces import Batch, Problem, Question, Severity, Trace, answer_correct, read
from tracejury.traces.tables.files import zstd

OPTIONS = {"A": "Ferritin", "B": "TSH", "C": "Cortisol", "D": "Prolactin"}
STEM = "Case {}. A woman of 34 has palpitations, weight loss and a fine tremor. Which test comes first?"
REPLY = "Palpitations with weight loss point to the thyroid gland.\n\nA low TSH would confirm it.\n\nThe answer is B."


def rows(number: int = 4, **more: object) -> list[dict[str, Any]]:
    return [
        {"question": STEM.format(i), "options": OPTIONS, "answer_idx": "B", "response": REPLY, **more}
        for i in range(number)
    ]


class Found:
    """What was read from a file."""

    def __init__(self, path: Path, reader: str | None = "table", **params: object) -> None:
        items = list(read(reader, path, **params))
        self.questions = [x for x in items if isinstance(x, Question)]
        self.traces = [x for x in items if isinstance(x, Trace)]
        self.messages = [x for x in items if isinstance(x, Problem)]
        self.problems = [x for x in self.messages if x.severity is Severity.PROBLEM]
        self.warnings = [x for x in self.messages if x.severity is Severity.WARNING]
        self.note = " ".join(str(x) for x in self.messages if x.severity is Severity.NOTE)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def write(content: object, name: str = "mine.jsonl") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, list) and name.endswith(".jsonl"):
            path.write_text("".join(f"{json.dumps(row)}\n" for row in content))
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path

    return write


def delimited(records: list[dict[str, Any]], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def as_lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in records)


def parquet(records: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(records), sink)
    return sink.getvalue()


CONTAINERS: dict[str, object] = {
    "rows.jsonl": rows(),
    "rows.json": rows(),
    "lines.json": as_lines(rows()).decode(),
    "pretty.json": {"model": "m", "results": rows()},
    "by_name.json": {f"q{i}": row for i, row in enumerate(rows())},
    "columns.json": {name: [row[name] for row in rows()] for name in rows()[0]},
    "pandas.json": {name: {str(i): row[name] for i, row in enumerate(rows())} for name in rows()[0]},
    "split.json": {"columns": list(rows()[0]), "data": [list(row.values()) for row in rows()]},
    "table.csv": delimited(rows()),
    "table.tsv": delimited(rows(), "\t"),
    "semicolons.csv": delimited(rows(), ";"),
    "packed.jsonl.gz": gzip.compress(as_lines(rows())),
    "packed.jsonl.zst": zstd.compress(as_lines(rows())),
    "packed.jsonl.bz2": bz2.compress(as_lines(rows())),
    "packed.csv.gz": gzip.compress(delimited(rows()).encode()),
    "wrongly_named.txt": as_lines(rows()).decode(),
    "table.parquet": parquet(rows()),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_the_same_rows_in_every_container(save: Callable[..., Path], name: str) -> None:
    found = Found(save(CONTAINERS[name], name), reader=None)
    assert [(q.stem, q.options, q.gold) for q in found.questions] == [(STEM.format(i), OPTIONS, "B") for i in range(4)]
    assert [(t.text, t.answer) for t in found.traces] == [(REPLY, "B")] * 4
    assert found.problems == []
    assert "stem = question" in found.note
    assert "text = response" in found.note
    assert "gold = answer_idx" in found.note


def test_a_data_set_on_disk_with_splits(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    parts = {"train": datasets.Dataset.from_list(rows()[:2]), "test": datasets.Dataset.from_list(rows()[2:])}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    found = Found(tmp_path / "saved", reader=None)
    assert [t.answer for t in found.traces] == ["B"] * 4
    assert {q.split for q in found.questions} == {"train", "test"}
    assert len(Found(tmp_path / "saved" / "test").traces) == 2


@pytest.mark.parametrize(
    "options",
    [
        OPTIONS,
        list(OPTIONS.values()),
        [f"{key}. {text}" for key, text in OPTIONS.items()],
        [{"letter": key, "content": text} for key, text in OPTIONS.items()],
        [{"key": key, "value": text} for key, text in OPTIONS.items()],
        [{key: text} for key, text in OPTIONS.items()],
        {"text": list(OPTIONS.values()), "label": list(OPTIONS)},
        {f"option_{key.lower()}": text for key, text in OPTIONS.items()},
        json.dumps(OPTIONS),
        json.dumps(list(OPTIONS.values())),
        str(OPTIONS),
        str(list(OPTIONS.values())),
        "['Ferritin' 'TSH' 'Cortisol'\n 'Prolactin']",
        "\n".join(f"{key}. {text}" for key, text in OPTIONS.items()),
        "Answer Choices:\n" + "\n".join(f"({key}) {text}" for key, text in OPTIONS.items()),
        " ".join(f"({key}) {text}" for key, text in OPTIONS.items()),
        "; ".join(f"{key}: {text}" for key, text in OPTIONS.items()),
        " | ".join(OPTIONS.values()),
        {**OPTIONS, "E": None},
        {**OPTIONS, "E": "N/A"},
    ],
    ids=str,
)
def test_options_in_every_shape(save: Callable[..., Path], options: object) -> None:
    found = Found(save([{**row, "options": options} for row in rows()]))
    assert [q.options for q in found.questions] == [OPTIONS] * 4
    assert [q.gold for q in found.questions] == ["B"] * 4
    assert found.problems == []


@pytest.mark.parametrize(
    "names", ["opa opb opc opd", "A B C D", "option_a option_b option_c option_d", "ending0 ending1 ending2 ending3"]
)
def test_options_in_columns_of_their_own(save: Callable[..., Path], names: str) -> None:
    columns = dict(zip(names.split(), OPTIONS.values(), strict=True))
    records = [{k: v for k, v in row.items() if k != "options"} | columns for row in rows()]
    assert [q.options for q in Found(save(delimited(records), "t.csv")).questions] == [OPTIONS] * 4


def test_options_that_the_question_lists(save: Callable[..., Path]) -> None:
    listed = "\n".join(f"{key}) {text}" for key, text in OPTIONS.items())
    prompt = f"Question: {STEM.format(1)}\n\nOptions:\n{listed}\n\nThink step by step."
    found = Found(save([{"prompt": prompt, "completion": REPLY, "target": "B"}]))
    assert (found.questions[0].stem, found.questions[0].options) == (STEM.format(1), OPTIONS)
    one_line = STEM.format(1) + " Answer Choices: " + " ".join(f"({k}) {t}" for k, t in OPTIONS.items())
    again = Found(save([{"question": one_line, "options": OPTIONS, "label": "B", "response": REPLY}]))
    assert again.questions[0].id == found.questions[0].id


def test_options_that_cannot_be_read_cost_their_row(save: Callable[..., Path]) -> None:
    records = rows()
    records[2]["options"] = "Ferritin, TSH, Cortisol"
    found = Found(save(records))
    assert len(found.questions) == 3
    assert [(p.line, "the options cannot be read" in p.reason) for p in found.problems] == [(3, True)]


@pytest.mark.parametrize(
    ("golds", "keys"),
    [
        (["A", "B", "C", "D"], "ABCD"),
        (["a", "(b)", "C.", " D "], "ABCD"),
        ([0, 1, 2, 3], "ABCD"),
        ([1, 2, 3, 4], "ABCD"),
        (["1", "2", "3", "4"], "ABCD"),
        ([0.0, 1.0, 2.0, 2.0], "ABCC"),
        (["Ferritin", "tsh", "Cortisol", "Prolactin"], "ABCD"),
        (["A. Ferritin", "(B) TSH", "Option C", "The answer is D"], "ABCD"),
        (["Ferritin. It is stored iron.", "TSH", "TSH", "TSH"], "ABBB"),
        ([["A"], ["B"], ["TSH"], ["D"]], "ABBD"),
        ([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], "ABCD"),
    ],
    ids=str,
)
def test_golds_in_every_shape(save: Callable[..., Path], golds: list[object], keys: str) -> None:
    found = Found(save([{**row, "answer_idx": gold} for row, gold in zip(rows(), golds, strict=True)]))
    assert [q.gold for q in found.questions] == list(keys)
    assert found.problems == []


def test_several_golds(save: Callable[..., Path]) -> None:
    golds = [["B", "D"], "B,D", "BD", "B and D"]
    found = Found(save([{**row, "answer_idx": gold} for row, gold in zip(rows(), golds, strict=True)]))
    assert [q.gold for q in found.questions] == ["BD"] * 4


def test_spellings_of_one_gold_answer(save: Callable[..., Path]) -> None:
    record = {
        "question": STEM.format(0),
        "gold": ["haemophilia A", "hemophilia A"],
        "response": "The answer is hemophilia A",
    }
    found = Found(save([record]))
    question, answer = found.questions[0], found.traces[0].answer
    assert (question.gold, question.gold_aliases, answer) == ("haemophilia A", ("hemophilia A",), "hemophilia A")
    assert answer_correct(answer, question.gold, question.gold_aliases) is True


def test_positions_that_may_count_from_0_or_1_are_asked_for(save: Callable[..., Path]) -> None:
    path = save([{**row, "answer_idx": gold} for row, gold in zip(rows(), [1, 2, 3, 2], strict=True)])
    found = Found(path)
    assert (found.questions, found.traces) == ([], [])
    assert "--set first=0 or --set first=1" in str(found.problems[0])
    assert [q.gold for q in Found(path, first=0).questions] == ["B", "C", "D", "C"]
    assert [q.gold for q in Found(path, first=1).questions] == ["A", "B", "C", "B"]
    assert "gold positions count from 1" in Found(path, first=1).note


def test_a_text_beside_a_position_shows_where_counting_starts(save: Callable[..., Path]) -> None:
    records = [{**row, "answer_idx": 2, "answer": "TSH"} for row in rows()]
    found = Found(save(records))
    assert [q.gold for q in found.questions] == ["B"] * 4
    assert "gold positions count from 1" in found.note


def test_options_that_are_marked_correct(save: Callable[..., Path]) -> None:
    marked = [{"text": text, "is_correct": key == "C"} for key, text in OPTIONS.items()]
    record = {"question": STEM.format(0), "choices": marked, "response": REPLY}
    assert Found(save([record])).questions[0].gold == "C"


def test_nothing_is_made_of_what_is_not_there(save: Callable[..., Path]) -> None:
    lines = as_lines(rows(2)).decode().replace('"answer_idx": "B"', '"answer_idx": NaN, "id": 0')
    found = Found(save(lines))
    assert [(q.gold, q.key) for q in found.questions] == [(None, "0")] * 2
    assert Found(save(delimited([{**row, "answer_idx": "nan"} for row in rows()]), "t.csv")).questions[0].gold is None


def test_the_answer_of_the_model_is_not_the_gold(save: Callable[..., Path]) -> None:
    records = [
        {**row, "answer": "A" if i else "B", "response": "It may be the thyroid gland that is at fault."}
        for i, row in enumerate(rows())
    ]
    found = Found(save(records))
    assert [q.gold for q in found.questions] == ["B"] * 4
    assert [t.answer for t in found.traces] == ["B", "A", "A", "A"]
    same = Found(save([{**row, "answer": "TSH", "response": "It may be the thyroid."} for row in rows()]))
    assert [t.answer for t in same.traces] == [None] * 4


def test_fields_that_nobody_used_are_listed(save: Callable[..., Path]) -> None:
    found = Found(save(rows(difficulty="hard", checked=True)))
    assert "not used: difficulty, checked" in found.note


def test_replies_of_several_arms_in_columns(save: Callable[..., Path]) -> None:
    records = [{**row, "base_response": REPLY, "student_response": REPLY.replace("B.", "A.")} for row in rows()]
    found = Found(save([{k: v for k, v in row.items() if k != "response"} for row in records]))
    assert [(t.arm, t.answer) for t in found.traces][:2] == [("base", "B"), ("student", "A")]
    assert "text of arm student = student_response" in found.note


def test_several_replies_in_a_list(save: Callable[..., Path]) -> None:
    records = [
        {k: v for k, v in row.items() if k != "response"} | {"outputs": [REPLY, "The answer is A."]} for row in rows()
    ]
    assert [(t.sample, t.answer) for t in Found(save(records)).traces][:2] == [(0, "B"), (1, "A")]


def test_rows_of_the_same_question_are_numbered(save: Callable[..., Path]) -> None:
    records = [{**rows(1)[0], "response": f"Draw {i} says that the answer is B."} for i in range(3)]
    assert [t.sample for t in Found(save(records)).traces] == [0, 1, 2]


def test_one_file_an_arm(save: Callable[..., Path]) -> None:
    save(rows(), "runs/base.jsonl")
    folder = save(rows(), "runs/student.jsonl").parent
    assert [t.arm for t in Found(folder).traces] == ["base"] * 4 + ["student"] * 4


def test_a_broken_row_costs_itself(save: Callable[..., Path]) -> None:
    lines = as_lines(rows(3)).decode().splitlines()
    found = Found(save("\n".join([lines[0], lines[1][:50], lines[2]]), "t.jsonl"))
    assert (len(found.traces), [p.line for p in found.problems]) == (2, [2])
    text = json.dumps(rows(3), indent=1).replace('"answer_idx": "B"', '"answer_idx" "B"', 1)
    in_list = Found(save(text, "t.json"))
    assert (len(in_list.traces), len(in_list.problems)) == (2, 1)
    in_csv = Found(save(delimited(rows(3)).replace("Case 1", 'Case"1",,,', 1), "t.csv"))
    assert len(in_csv.traces) == 2
    assert in_csv.problems


@pytest.mark.parametrize(
    ("content", "text", "final"),
    [
        ("<think>\nThe thyroid.\n</think>\nThe answer is B.", "The thyroid.", "The answer is B."),
        ("<thinking>The thyroid.</thinking>B", "The thyroid.", "B"),
        ("The thyroid.</think>B", "The thyroid.", "B"),
        ("[THINK]The thyroid.[/THINK]B", "The thyroid.", "B"),
        ("<think>The thyroid, cut off", "The thyroid, cut off", None),
        ("<think>\n\n</think>\n\nThe answer is B.", "The answer is B.", None),
        (
            "<|channel|>analysis<|message|>The thyroid.<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>",
            "The thyroid.",
            "B",
        ),
        ("analysisThe thyroid.assistantfinalB", "The thyroid.", "B"),
        ("## Thinking\n\nThe thyroid.\n\n## Final Response\n\nB", "The thyroid.", "B"),
        ("<|begin_of_thought|>The thyroid.<|end_of_thought|><|begin_of_solution|>B", "The thyroid.", "B"),
    ],
)
def test_reasoning_within_a_reply(save: Callable[..., Path], content: str, text: str, final: str | None) -> None:
    trace = Found(save([{**row, "response": content} for row in rows(1)])).traces[0]
    assert (trace.text, trace.meta.get("final")) == (text, final)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_in_a_field_of_the_message(save: Callable[..., Path], name: str) -> None:
    user = {"role": "user", "content": STEM.format(0)}
    message = {"role": "assistant", "content": "The answer is B.", name: "The thyroid."}
    trace = Found(save([{"messages": [user, message]}])).traces[0]
    assert (trace.text, trace.meta["final"]) == ("The thyroid.", "The answer is B.")


def test_reasoning_and_response_in_two_fields(save: Callable[..., Path]) -> None:
    records = [
        {"Question": STEM.format(i), "Complex_CoT": "Okay, let me think of it.", "Response": "It is a TSH."}
        for i in range(4)
    ]
    found = Found(save(records, "huatuo.json"))
    assert {(t.text, t.meta["final"]) for t in found.traces} == {("Okay, let me think of it.", "It is a TSH.")}
    assert [w.reason for w in found.warnings] == ["none of 4 questions has options"]


def test_sharegpt(save: Callable[..., Path]) -> None:
    turns = [
        {"from": "system", "value": "s"},
        {"from": "human", "value": STEM.format(0)},
        {"from": "gpt", "value": REPLY},
    ]
    found = Found(save([{"id": "u1", "conversations": turns}], "chat.json"))
    assert (found.questions[0].stem, found.questions[0].key, found.traces[0].text) == (STEM.format(0), "u1", REPLY)
    longer = Found(save([{"conversations": [*turns, *turns[1:]]}]))
    assert "earlier turns" in longer.warnings[0].reason


def batch_input(number: int = 3) -> list[dict[str, Any]]:
    listed = "\n".join(f"{key}. {text}" for key, text in OPTIONS.items())
    return [
        {"custom_id": f"c{i}", "body": {"messages": [{"role": "user", "content": f"{STEM.format(i)}\n{listed}"}]}}
        for i in range(number)
    ]


def batch_output() -> list[dict[str, Any]]:
    body = {"model": "gpt", "choices": [{"index": 0, "message": {"role": "assistant", "content": REPLY}}]}
    bad = {"error": {"message": "context too long", "code": "context_length_exceeded"}}
    late = {"code": "batch_expired", "message": "not executed in time"}
    return [
        {"id": "b0", "custom_id": "c1", "response": {"status_code": 200, "body": body}, "error": None},
        {"id": "b1", "custom_id": "c0", "response": {"status_code": 400, "body": bad}, "error": None},
        {"id": "b2", "custom_id": "c2", "response": None, "error": late},
    ]


@pytest.mark.parametrize("join", [None, "custom_id=custom_id"])
def test_a_batch_output_with_its_input(save: Callable[..., Path], join: str | None) -> None:
    path, questions = save(batch_output()), save(batch_input(), "input.jsonl")
    found = Found(path, questions=questions, join=join)
    assert (found.traces[0].question_id, found.traces[0].answer) == (found.questions[1].id, "B")
    assert [p.reason for p in found.problems] == [
        "the API gave no reply to 'c0': 400: context_length_exceeded: context too long",
        "the API gave no reply to 'c2': batch_expired: not executed in time",
    ]


def anthropic(custom_id: str) -> dict[str, Any]:
    content = [{"type": "thinking", "thinking": "The thyroid."}, {"type": "text", "text": "The answer is B."}]
    message = {"type": "message", "role": "assistant", "model": "c", "content": content, "stop_reason": "end_turn"}
    return {"custom_id": custom_id, "result": {"type": "succeeded", "message": message}}


def responses_api(custom_id: str) -> dict[str, Any]:
    output = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "The thyroid."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "The answer is B."}]},
    ]
    body = {"model": "o", "status": "completed", "output": output}
    return {"custom_id": custom_id, "response": {"status_code": 200, "body": body}, "error": None}


def gemini(custom_id: str) -> dict[str, Any]:
    parts = [{"text": "The thyroid.", "thought": True}, {"text": "The answer is B."}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    return {"custom_id": custom_id, "response": {"candidates": [candidate], "modelVersion": "g"}}


@pytest.mark.parametrize("line", [anthropic, responses_api, gemini])
def test_batch_outputs_of_other_apis(save: Callable[..., Path], line: Callable[[str], dict[str, Any]]) -> None:
    found = Found(save([line("c1"), line("c0")]), questions=save(batch_input(2), "input.jsonl"))
    assert found.problems == []
    assert [(t.question_id, t.answer, t.text) for t in found.traces] == [
        (found.questions[1].id, "B", "The thyroid."),
        (found.questions[0].id, "B", "The thyroid."),
    ]


def test_the_errors_of_anthropics_batches(save: Callable[..., Path]) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens is missing"}}
    lines = [
        {"custom_id": "c0", "result": {"type": "errored", "error": error}},
        {"custom_id": "c1", "result": {"type": "expired"}},
    ]
    found = Found(save(lines), questions=save(batch_input(2), "input.jsonl"))
    assert [p.reason for p in found.problems] == [
        "the API gave no reply to 'c0': invalid_request_error: max_tokens is missing",
        "the API gave no reply to 'c1': expired",
    ]


def test_a_batch_output_without_its_input_is_refused(save: Callable[..., Path]) -> None:
    found = Found(save(batch_output()))
    assert found.traces == []
    assert "name the file of the questions with --questions FILE" in str(found.problems[0])


def test_replies_joined_to_a_table_of_questions(save: Callable[..., Path]) -> None:
    questions = save(delimited([{"qid": i, **row} for i, row in enumerate(rows())]), "questions.csv")
    path = save([{"question_id": i, "output": REPLY} for i in (2, 0, 9)], "replies.jsonl")
    found = Found(path, questions=questions, join="question_id=qid")
    assert [t.question_id for t in found.traces] == [found.questions[2].id, found.questions[0].id]
    assert "no question has qid 9" in found.problems[-1].reason


def test_what_cannot_be_guessed_is_asked(save: Callable[..., Path]) -> None:
    unknown = [{"zu_pruefen": STEM.format(i), "gesagt": REPLY} for i in range(3)]
    assert "--map stem=FIELD; the fields are zu_pruefen, gesagt" in str(Found(save(unknown)).problems[0])
    assert len(Found(save(unknown), fields={"stem": "zu_pruefen", "text": "gesagt"}).traces) == 3
    half = Found(save([{"question": STEM.format(i), "gesagt": REPLY * 3} for i in range(3)]))
    assert "--map text=gesagt" in str(half.problems[0])
    assert (half.questions, half.traces) == ([], [])
    two = Found(save([{"question": STEM.format(i), "output": REPLY, "completion": REPLY[::-1]} for i in range(3)]))
    assert "several fields may be the reply" in str(two.problems[0])


def test_paths_into_lists(save: Callable[..., Path]) -> None:
    records = [{"turns": [{"who": "doc", "v1.0 text": REPLY}], "meta": {"ask": [STEM.format(i)]}} for i in range(2)]
    found = Found(save(records), fields={"stem": "meta.ask.0", "text": "turns[who=doc].v1.0 text"})
    assert [(q.stem, t.text) for q, t in zip(found.questions, found.traces, strict=True)] == [
        (STEM.format(i), REPLY) for i in range(2)
    ]


def test_what_is_not_plausible_is_a_warning(save: Callable[..., Path]) -> None:
    wrong = Found(save([{**row, "answer_idx": "A"} for row in rows()]))
    assert [w.reason for w in wrong.warnings] == ["none of 4 answers is right"]
    unparsable = Found(save([{**row, "response": "It may be anything, who can say that here."} for row in rows()]))
    assert [w.reason for w in unparsable.warnings] == ["in none of 4 traces an answer was found"]
    assert Found(save(rows())).warnings == []


def test_lm_eval_files(save: Callable[..., Path]) -> None:
    def sample(number: int, name: str, reply: str | None, **doc: object) -> dict[str, Any]:
        chat = json.dumps([{"role": "user", "content": STEM.format(number)}])
        arguments = {"gen_args_0": {"arg_0": chat, "arg_1": {}}}
        return {"doc_id": number, "doc": doc, "target": "1", "arguments": arguments, "resps": [[reply]], "filter": name}

    endings = {f"ending{i}": text for i, text in enumerate(OPTIONS.values())}
    lines = [sample(i, f, None if i == 2 else REPLY, **endings) for i in range(3) for f in ("strict", "flexible")]
    found = Found(save(lines, "org__m/samples_medqa_2026-01-01.jsonl"), reader=None)
    assert [(q.stem, q.options, q.gold) for q in found.questions] == [(STEM.format(i), OPTIONS, "B") for i in range(3)]
    assert [(t.answer, t.model) for t in found.traces] == [("B", "org/m"), ("B", "org/m")]
    assert "once for each filter (strict, flexible)" in found.note
    assert ["the reply is null" in p.reason for p in found.problems] == [True]


def test_a_batch_opens_a_table_without_a_reader_named(save: Callable[..., Path]) -> None:
    with Batch.open(save(rows())) as batch:
        assert len(batch) == 4
        assert batch.problems == ()
        assert "stem = question" in str(batch.notes[0])


def without_reply(**more: object) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if k != "response"} | more for row in rows()]


def test_replies_of_several_arms_in_one_object(save: Callable[..., Path]) -> None:
    replies = {"base": REPLY, "student": REPLY.replace("B.", "A.")}
    found = Found(save(without_reply(responses=replies)))
    assert [(t.arm, t.answer) for t in found.traces][:2] == [("base", "B"), ("student", "A")]


def test_replies_of_several_models_in_a_list(save: Callable[..., Path]) -> None:
    outputs = [{"model": "m1", "output": REPLY}, {"model": "m2", "output": REPLY}]
    found = Found(save(without_reply(model_outputs=outputs)))
    assert [(t.model, t.sample) for t in found.traces][:2] == [("m1", 0), ("m2", 0)]


@pytest.mark.parametrize(
    "outputs",
    [
        {"generated_text": [{"generated_text": REPLY}]},
        {"outputs": [{"text": REPLY, "finish_reason": "stop"}]},
        {"completion": [{"role": "assistant", "content": REPLY}]},
        {"my_model_response": REPLY},
    ],
    ids=["pipeline", "vllm", "trl", "a name of one's own"],
)
def test_replies_as_libraries_write_them(save: Callable[..., Path], outputs: dict[str, Any]) -> None:
    found = Found(save(without_reply(**outputs)))
    assert [(t.text, t.answer) for t in found.traces] == [(REPLY, "B")] * 4


def test_prompts_and_completions_as_conversations(save: Callable[..., Path]) -> None:
    prompt = [{"role": "system", "content": "s"}, {"role": "user", "content": STEM.format(0)}]
    found = Found(save([{"prompt": prompt, "completion": [{"role": "assistant", "content": REPLY}]}]))
    assert (found.questions[0].stem, found.traces[0].text, found.traces[0].arm) == (STEM.format(0), REPLY, "base")


def test_a_conversation_that_a_table_keeps_as_text(save: Callable[..., Path]) -> None:
    turns = [{"role": "user", "content": STEM.format(0)}, {"role": "assistant", "content": REPLY}]
    found = Found(save(delimited([{"id": 7, "messages": json.dumps(turns), "gold": "TSH"}]), "t.csv"))
    assert (found.questions[0].stem, found.questions[0].key, found.traces[0].text) == (STEM.format(0), "7", REPLY)


def test_a_gold_under_a_name_that_nobody_knows(save: Callable[..., Path]) -> None:
    records = [
        {k: v for k, v in row.items() if k != "answer_idx"} | {"richtig": "B", "key": i} for i, row in enumerate(rows())
    ]
    found = Found(save(records))
    assert ([q.gold for q in found.questions], found.questions[2].key) == (["B"] * 4, "2")
    assert "gold = richtig" in found.note


def test_labels_of_two_options_are_positions_and_marks_of_a_reply_are_not(save: Callable[..., Path]) -> None:
    two = [{"question": STEM.format(i), "options": ["TSH", "CRP"], "label": i % 2, "response": REPLY} for i in range(4)]
    assert [q.gold for q in Found(save(two)).questions] == ["A", "B", "A", "B"]
    marked = [{**row, "label": i % 2} for i, row in enumerate(rows())]
    assert [q.gold for q in Found(save(marked)).questions] == ["B"] * 4


@pytest.mark.parametrize("name", ["t.json", "t.csv"])
def test_half_a_character_costs_its_row(save: Callable[..., Path], name: str) -> None:
    """JSON, and Python's own notation, can name what no file can hold."""
    half = "['\\ud800', 'TSH']"
    if name == "t.csv":
        found = Found(
            save(
                delimited([{**row, "options": half if i == 1 else str(OPTIONS)} for i, row in enumerate(rows())]), name
            )
        )
    else:
        found = Found(save(json.dumps(rows()).replace("Case 1", "\\ud800 Case 1"), name))
    assert (len(found.questions), len(found.problems)) == (3, 1)
    assert all(q.model_dump_json() for q in found.questions)


def asked(number: int) -> str:
    return STEM.format(number) + "\n" + "\n".join(f"{key}. {text}" for key, text in OPTIONS.items())


def turns(number: int, reply: str = REPLY) -> list[dict[str, str]]:
    return [{"role": "user", "content": asked(number)}, {"role": "assistant", "content": reply}]


def tree(number: int) -> dict[str, Any]:
    """A conversation as ChatGPT exports it, with a branch that was left."""

    def node(role: str | None, text: str, parent: str | None) -> dict[str, Any]:
        content = {"content_type": "text", "parts": [text]}
        return {"message": role and {"author": {"role": role}, "content": content}, "parent": parent}

    left = node("assistant", "Not this one; it was asked again.", "u")
    nodes = {"r": node(None, "", None), "u": node("user", asked(number), "r"), "x": left}
    nodes["a"] = node("assistant", REPLY, "u")
    return {"conversation_id": f"c{number}", "mapping": nodes, "current_node": "a"}


def request_state(number: int) -> dict[str, Any]:
    references = [{"output": {"text": t}, "tags": ["correct"] if k == "B" else []} for k, t in OPTIONS.items()]
    return {
        "instance": {"id": f"id{number}", "input": {"text": STEM.format(number)}, "references": references},
        "request": {"model": "org/m", "prompt": asked(number)},
        "result": {"completions": [{"text": REPLY}]},
    }


def nested(number: int) -> dict[str, Any]:
    question = {"stem": STEM.format(number), "choices": list(OPTIONS.values())}
    return {"q": question, "pred": {"cot": REPLY, "final": "B"}, "truth": "B", "seen": {"note": "a note"}}


def marked(number: int) -> dict[str, Any]:
    answers = [{"text": text, "is_correct": key == "B"} for key, text in OPTIONS.items()]
    return {"vignette": STEM.format(number), "answers": answers, "generated_reasoning": REPLY}


def gemini(number: int) -> dict[str, Any]:
    answer = {"content": {"role": "model", "parts": [{"text": REPLY}]}, "finishReason": "STOP"}
    contents = [{"role": "user", "parts": [{"text": asked(number)}]}]
    return {"key": f"k{number}", "request": {"contents": contents}, "response": {"candidates": [answer]}}


def rendered(number: int) -> dict[str, Any]:
    prompt = (
        f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{asked(number)}<|im_end|>\n<|im_start|>assistant\n"
    )
    return {"prompt": prompt, "completion": REPLY}


def instructed(number: int) -> dict[str, Any]:
    """A result of simple-evals: the same instruction stands before every question."""
    instruction = "Answer the following multiple choice question. Think step by step before answering.\n\n"
    return {"convo": [{"role": "user", "content": instruction + asked(number)}, turns(number)[1]]}


FLAT = [{**row, "options": json.dumps(OPTIONS)} for row in rows()]


@pytest.mark.parametrize(
    ("content", "name", "has_gold"),
    [
        ([tree(i) for i in range(4)], "conversations.json", False),
        ({"adapter_spec": {"model": "m"}, "request_states": [request_state(i) for i in range(4)]}, "state.json", True),
        ({"meta": {"run": 1}, "data": {"items": [nested(i) for i in range(4)]}}, "nested.json", True),
        ([marked(i) for i in range(4)], "marked.jsonl", True),
        ([gemini(i) for i in range(4)], "gemini.jsonl", False),
        ([rendered(i) for i in range(4)], "grpo.jsonl", False),
        ({"score": 1.0, "results": [instructed(i) for i in range(4)]}, "simple.json", False),
        (delimited(FLAT, "\t").encode("utf-16"), "u.txt", True),
        (json.dumps(FLAT).encode("utf-16-be"), "no_mark.json", None),
    ],
    ids=["chatgpt", "helm", "nested", "marked", "gemini", "template", "simple-evals", "utf-16", "no-mark"],
)  # fmt: skip
def test_exports_are_read_as_plain_rows_are(
    save: Callable[..., Path], content: object, name: str, has_gold: bool | None
) -> None:
    found = Found(save(content, name), None)
    if has_gold is None:
        # Without a byte order mark nothing says what the text is.
        assert found.problems
        assert not found.questions
        return
    assert [q.stem for q in found.questions] == [STEM.format(i) for i in range(4)]
    assert all(q.options == OPTIONS and q.gold == ("B" if has_gold else None) for q in found.questions)
    assert [(t.text, t.answer) for t in found.traces] == [(REPLY, "B")] * 4


def test_a_preference_pair_is_two_arms(save: Callable[..., Path]) -> None:
    found = Found(save([{"chosen": turns(i), "rejected": turns(i, "It is C, I think.")} for i in range(4)]))
    assert {t.arm: t.text for t in found.traces} == {"chosen": REPLY, "rejected": "It is C, I think."}
    assert len(found.traces) == 8
    assert all(q.options == OPTIONS for q in found.questions)


def test_parts_of_an_object_that_nobody_reads_are_listed(save: Callable[..., Path]) -> None:
    content = [{**r, "verdict": {"by": "me", "gold": "B"}, "answer_idx": None} for r in rows()]
    assert "not used: verdict.by" in Found(save(content)).note
