"""The native format, batches on disk, and the bad input that people bring."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracejury.traces import Batch, Problem, Question, Trace, UnknownNameError, read, segment, write_batch

QUESTION = {"kind": "question", "id": "q1", "stem": "What is it?", "options": {"A": "Asthma", "B": "COPD"}, "gold": "A"}
TRACE = {"kind": "trace", "question": "q1", "model": "m", "text": "1. He wheezes at night.\nThe answer is A."}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def lines(*records: object, name: str = "batch.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in records) + "\n")
        return path

    return lines


def split(path: Path) -> tuple[list[Question], list[Trace], list[str]]:
    found = list(read("native", path))
    return (
        [x for x in found if isinstance(x, Question)],
        [x for x in found if isinstance(x, Trace)],
        [str(x).removeprefix(str(path)) for x in found if isinstance(x, Problem)],
    )


def test_a_trace_may_stand_before_its_question(write: Callable[..., Path]) -> None:
    questions, traces, problems = split(write(TRACE, QUESTION))
    assert traces[0].question_id == questions[0].id
    assert traces[0].answer == "A"
    assert questions[0].key == "q1"
    assert problems == []


def test_ids_do_not_depend_on_the_users_keys_or_the_order(write: Callable[..., Path]) -> None:
    first = split(write(QUESTION, TRACE))
    second = split(write({**TRACE, "question": "other"}, {**QUESTION, "id": "other"}, name="second.jsonl"))
    assert first[0][0].id == second[0][0].id
    assert first[1][0].id == second[1][0].id


def test_a_name_may_be_a_number_and_null_is_none(write: Callable[..., Path]) -> None:
    path = write({**QUESTION, "id": 0}, {**QUESTION, "id": None, "stem": "Who?"}, {**TRACE, "question": 0},
                 {**TRACE, "question": None})  # fmt: skip
    questions, traces, problems = split(path)
    assert ([q.key for q in questions], len(traces)) == (["0"], 1)
    assert [p.split(" (")[0] for p in problems] == [
        ':2: the field "id" is missing or empty',
        ':4: the field "question" is missing or empty',
    ]


def test_unknown_option_letters(write: Callable[..., Path]) -> None:
    path = write({**QUESTION, "gold": "F"}, {**TRACE, "answer": "G"}, {**TRACE, "answer": "AB", "sample": 1})
    questions, traces, problems = split(path)
    assert questions[0].gold is None
    assert questions[0].meta["gold_as_read"] == "F"
    assert [t.answer for t in traces] == [None, "AB"]
    assert traces[0].meta["answer_as_read"] == "G"
    assert [p.split(" (")[0] for p in problems] == [
        ":1: the gold answer 'F' is none of the options A, B; the question is kept without it",
        ":2: the answer 'G' is none of the options A, B; the trace counts as unparsable",
    ]


def test_an_answer_that_is_given_as_null_is_not_looked_for(write: Callable[..., Path]) -> None:
    assert split(write(QUESTION, {**TRACE, "answer": None}))[1][0].answer is None


def test_empty_and_very_long_traces(write: Callable[..., Path]) -> None:
    long = "1. " + "He wheezes at night and coughs. " * 3_125
    path = write(QUESTION, {**TRACE, "text": ""}, {**TRACE, "text": long})
    _, traces, problems = split(path)
    assert [len(t.text) for t in traces] == [0, 100_003]
    assert problems[0].startswith(":2: the trace of question 'q1' is empty; it stays, as a trace without steps")
    assert segment(traces[0]).steps == ()
    cut = segment(traces[1], "numbered")
    assert (len(cut.steps[0].text), cut.cut_steps, cut.cut_chars) == (800, 1, 100_003 - 4 - 800)


def test_a_line_that_is_not_utf8_costs_only_itself(write: Callable[..., Path]) -> None:
    path = write(QUESTION, TRACE)
    path.write_bytes(
        path.read_bytes() + b'{"kind": "trace", "text": "caf\xe9"}\n' + json.dumps({**TRACE, "sample": 1}).encode()
    )
    _, traces, problems = split(path)
    assert len(traces) == 2
    assert problems == [":3: not valid UTF-8 at byte 30 (0xe9) (convert the file, for instance with iconv -t UTF-8)"]


def test_duplicates(write: Callable[..., Path]) -> None:
    path = write(QUESTION, QUESTION, {**QUESTION, "stem": "Other?"}, TRACE, TRACE, {**TRACE, "sample": 1})
    questions, traces, problems = split(path)
    assert (len(questions), len(traces)) == (1, 2)
    assert [p.split(" (")[0] for p in problems] == [
        f":2: the id 'q1' was already given to the same question at {path}:1; that one stays",
        f":3: the id 'q1' was already given to another question at {path}:1; that one stays",
        ":5: repeats line 4: same question",
    ]


def test_questions_without_traces_and_traces_without_questions(write: Callable[..., Path]) -> None:
    path = write(QUESTION, {**QUESTION, "id": "q2", "stem": "Who?"}, TRACE, {**TRACE, "question": "q9"})
    questions, traces, problems = split(path)
    assert (len(questions), len(traces)) == (2, 1)
    assert problems[0].startswith(":4: no question has the id 'q9' that this trace refers to; the trace is left out")
    assert problems[1].startswith(": 1 question(s) without a trace: 'q2'")


def test_an_unknown_reader_is_told_with_what_comes_near(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'native'"):
        read("nativ", tmp_path)


def test_a_batch_comes_back_as_it_was_written(write: Callable[..., Path], tmp_path: Path) -> None:
    steps = [{"text": "He wheezes.", "label": "error", "error_type": "factual"}, {"text": "So A."}]
    given_steps = {**TRACE, "sample": 2, "steps": steps, "context": "others", "meta": {"hint_used": True}}
    path = write(
        {**QUESTION, "meta": {"n": 1}}, {**TRACE, "finish_reason": "stop", "prompt_tokens": 3}, given_steps, "broken"
    )
    found = list(read("native", path))
    summary = write_batch(iter(found), tmp_path / "out")
    assert (summary.questions, summary.traces, summary.problems, summary.labelled_steps) == (1, 2, 1, 1)

    with Batch.open(tmp_path / "out") as batch:
        assert batch.problems == ()
        assert list(batch.questions()) == [x for x in found if isinstance(x, Question)]
        assert list(batch.traces()) == [x for x in found if isinstance(x, Trace)]
        for trace in batch.traces():
            question = batch.question(trace.question_id)
            assert question is not None
            assert question.key == "q1"
            assert batch.trace(trace.id) == trace
        assert len(batch) == 2
        assert batch.question("q_0") is None
    assert "not valid JSON" in (tmp_path / "out" / "problems.jsonl").read_text()


def test_an_interrupted_write_leaves_no_half_batch(write: Callable[..., Path], tmp_path: Path) -> None:
    def interrupted():
        yield from read("native", write(QUESTION, TRACE))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_batch(interrupted(), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_batch_of_several_inputs_streams(write: Callable[..., Path]) -> None:
    many = [{**TRACE, "sample": n} for n in range(500)]
    other = write({**QUESTION, "stem": "Who?"}, TRACE, name="other.jsonl")
    batch = Batch.open([write(QUESTION, *many), other])
    assert [t.sample for t in batch.traces()] == [*range(500), 0]
    batch.close()


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
meta = st.dictionaries(text, st.none() | st.booleans() | st.integers(-9, 9) | text, max_size=3)


@settings(max_examples=60, deadline=None)
@given(
    stem=text.filter(str.strip),
    options=st.dictionaries(st.sampled_from("ABCDE"), text, max_size=4),
    body=text,
    meta=meta,
)
def test_any_record_survives_the_format(
    tmp_path_factory: pytest.TempPathFactory, stem: str, options: dict[str, str], body: str, meta: dict[str, object]
) -> None:
    question = Question(stem=stem, options=options, gold=next(iter(options), None), key="k", meta=meta)
    trace = Trace(question_id=question.id, model="m", text=body, meta=meta)
    out = tmp_path_factory.mktemp("any")
    write_batch([question, trace], out)
    found = [x for x in read("native", out) if not isinstance(x, Problem)]
    assert found == [question, trace]
    assert [x.id for x in found] == [question.id, trace.id]


@settings(max_examples=40)
@given(lines=st.lists(st.binary(max_size=80).filter(lambda b: b"\n" not in b), min_size=1, max_size=6))
def test_any_bytes_are_read_or_told(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("bytes") / "x.jsonl"
    # Some first bytes tell of another kind of file, which is told once and not by line.
    path.write_bytes(b"?" + b"\n".join(lines))
    told = {x.line for x in read("native", path) if isinstance(x, Problem)}
    assert {n for n, line in enumerate(lines, 1) if line.strip()} <= told


def folder_of(tmp_path: Path, **files: list[dict[str, object]]) -> Path:
    for name, records in files.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tmp_path


def test_two_files_may_use_the_same_ids(tmp_path: Path) -> None:
    """Each trace is judged under the question of its own file, never under another file's."""
    other = {**QUESTION, "stem": "A woman has had a rash for nine days. Which is it?"}
    questions, traces, problems = split(folder_of(tmp_path, a=[QUESTION, TRACE], b=[other, TRACE]))
    assert [q.stem for q in questions] == [QUESTION["stem"], other["stem"]]
    assert [t.question_id for t in traces] == [q.id for q in questions]
    assert problems == []


def test_a_trace_that_may_mean_two_questions_is_left_out(tmp_path: Path) -> None:
    other = {**QUESTION, "stem": "A woman has had a rash for nine days. Which is it?"}
    _, traces, problems = split(folder_of(tmp_path, a=[QUESTION], b=[other], c=[TRACE]))
    assert traces == []
    assert "two files have different questions with the id 'q1'" in problems[0]
    apart = split(folder_of(tmp_path, a=[QUESTION], b=[QUESTION], c=[TRACE]))
    assert len(apart[1]) == 1
