"""Kinds of tables that strangers brought and their readings: names, nesting, languages, and what is said of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tracejury.traces import Problem, Question, Severity, Trace, read

STEMS = (
    "A woman of 34 has palpitations, weight loss and a fine tremor. Which test comes first?",
    "A man of 60 coughs up blood and has lost 8 kg. What should be done next?",
    "A boy of 5 has bloody diarrhea, then pallor and little urine. What is the diagnosis?",
)
OPTIONS = (
    {"A": "Ferritin", "B": "TSH", "C": "Cortisol"},
    {"A": "Chest CT", "B": "Spirometry", "C": "Nothing"},
    {"A": "Intussusception", "B": "Nephrosis", "C": "Hemolytic uremic syndrome"},
)
GOLDS = "BAC"
REPLIES = tuple(
    f"The findings are weighed one by one.\nWhat does not fit is left out.\nThe answer is {g}." for g in GOLDS
)
PROMPTS = tuple(f"{s}\nA. {o['A']}\nB. {o['B']}\nC. {o['C']}" for s, o in zip(STEMS, OPTIONS, strict=True))
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return to_file


def lines(row: Callable[[int], dict[str, Any]]) -> str:
    return "".join(json.dumps(row(i), ensure_ascii=False) + "\n" for i in range(3))


def table(header: str, row: Callable[[int], list[str]], sign: str = ",") -> str:
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row(i)] for i in range(3)]
    return "\n".join([header, *(sign.join(cells) for cells in quoted)]) + "\n"


def completion(i: int, **message: object) -> dict[str, object]:
    content = {"role": "assistant", "content": REPLIES[i], **message}
    return {"id": f"gen-{i}", "choices": [{"index": 0, "message": content, "finish_reason": "stop"}]}


def asked(i: int) -> dict[str, object]:
    return {"question": STEMS[i], "options": OPTIONS[i], "gold": GOLDS[i]}


KINDS: dict[str, tuple[str, str]] = {
    "an answer of an API under a name of one's own": (
        "a.jsonl",
        lines(lambda i: {**asked(i), "run": {"raw": completion(i)}}),
    ),
    "the same as JSON text in a cell": (
        "a.csv",
        table(
            "question,options,gold,log",
            lambda i: [STEMS[i], json.dumps(OPTIONS[i]), GOLDS[i], json.dumps(completion(i))],
        ),
    ),
    "inputs and outputs as JSON text": (
        "a.csv",
        table(
            "id,inputs,outputs,reference_outputs",
            lambda i: [
                f"r{i}",
                json.dumps({"question": STEMS[i], "options": OPTIONS[i]}),
                json.dumps({"output": REPLIES[i]}),
                json.dumps({"answer": GOLDS[i]}),
            ],
        ),
    ),
    "a gold under the name of an id, as key and words": (
        "a.jsonl",
        lines(
            lambda i: {
                "vignette": STEMS[i],
                "choices": OPTIONS[i],
                "key": f"{GOLDS[i]}) {OPTIONS[i][GOLDS[i]]}",
                "llm_answer": REPLIES[i],
            }
        ),
    ),
    "French columns": (
        "a.csv",
        table(
            "Question;Choix A;Choix B;Choix C;Bonne réponse;Réponse du modèle",
            lambda i: [STEMS[i], *OPTIONS[i].values(), GOLDS[i], REPLIES[i]],
            ";",
        ),
    ),
    "Chinese names": (
        "a.jsonl",
        lines(lambda i: {"题目": STEMS[i], "选项": OPTIONS[i], "答案": GOLDS[i], "模型回答": REPLIES[i]}),
    ),
    "columns of options that are numbered from 1": (
        "a.csv",
        table(
            "question,option1,option2,option3,answer,generated",
            lambda i: [STEMS[i], *OPTIONS[i].values(), str("ABC".index(GOLDS[i]) + 1), REPLIES[i]],
        ),
    ),
    "options that are letters, beside a prompt that lists them": (
        "a.jsonl",
        lines(
            lambda i: {
                "example": STEMS[i],
                "full_prompt": PROMPTS[i],
                "choices": [" A", " B", " C"],
                "gold": [GOLDS[i]],
                "predictions": [REPLIES[i]],
            }
        ),
    ),
    "results inside results, a maker's id in each, the options in the prompt alone": (
        "a.json",
        json.dumps(
            {
                "evalId": "eval-1",
                "results": {
                    "version": 3,
                    "results": [
                        {
                            "prompt": {"raw": PROMPTS[i], "label": "p"},
                            "vars": {"question": STEMS[i], "answer": GOLDS[i]},
                            "provider": {"id": "maker:model"},
                            "response": {"output": REPLIES[i]},
                        }
                        for i in range(3)
                    ],
                    "stats": {"successes": 3},
                },
            }
        ),
    ),
    "options in the prompt as Python holds them": (
        "a.jsonl",
        lines(
            lambda i: {
                "gpt4_prompt": f"USMLE question: {STEMS[i]}\nOption: {OPTIONS[i]}\nPlease explain your answer",
                "gpt4_response": REPLIES[i],
                "answer_idx": GOLDS[i],
            }
        ),
    ),
    "turns of HUMAN and BOT, with an example before": (
        "a.json",
        json.dumps(
            {
                str(i): {
                    "origin_prompt": [
                        {"role": "HUMAN", "prompt": "An example?"},
                        {"role": "BOT", "prompt": "A."},
                        {"role": "HUMAN", "prompt": PROMPTS[i]},
                    ],
                    "prediction": REPLIES[i],
                    "gold": GOLDS[i],
                }
                for i in range(3)
            }
        ),
    ),
    "messages and the reply as JSON text in cells": (
        "a.csv",
        table(
            "id,name,input,output,gold",
            lambda i: [
                f"t{i}",
                "generation",
                json.dumps([{"role": "user", "content": PROMPTS[i]}]),
                json.dumps({"role": "assistant", "content": REPLIES[i]}),
                GOLDS[i],
            ],
        ),
    ),
    "what a data set server answers": (
        "a.json",
        json.dumps(
            {
                "dataset": "some/set",
                "features": [{"name": "question"}],
                "rows": [{"row_idx": i, "row": {**asked(i), "output": REPLIES[i]}} for i in range(3)],
                "num_rows_total": 3,
            }
        ),
    ),
    "an object of lists of nested rows": (
        "a.json",
        json.dumps(
            {
                name: [
                    {
                        "meta": {"id": i},
                        "item": {"text": STEMS[i], "choices": OPTIONS[i], "correct": GOLDS[i]},
                        "llm": {"completion": {"content": REPLIES[i]}},
                    }
                    for i in part
                ]
                for name, part in {"first": (0, 1), "second": (2,)}.items()
            }
        ),
    ),
    "the number of a gold answer inside an object": (
        "a.json",
        json.dumps(
            {
                "model": "m",
                "samples": [
                    {
                        "q": {"text": STEMS[i], "choices": list(OPTIONS[i].values())},
                        "llm": {"reply": REPLIES[i]},
                        "gold": {"index": "ABC".index(GOLDS[i])},
                    }
                    for i in range(3)
                ],
            }
        ),
    ),
    "predict and label": (
        "generated_predictions.jsonl",
        lines(lambda i: {"prompt": PROMPTS[i], "predict": REPLIES[i], "label": GOLDS[i]}),
    ),
    "options by number": (
        "a.jsonl",
        lines(
            lambda i: {
                "question": STEMS[i],
                "options": list(OPTIONS[i].values()),
                "correct_answer": f"Option {'ABC'.index(GOLDS[i]) + 1}",
                "response": REPLIES[i],
            }
        ),
    ),
    "answers with an id and a text": (
        "a.jsonl",
        lines(
            lambda i: {
                "qtext": STEMS[i],
                "answers": [{"aid": k, "atext": text} for k, text in OPTIONS[i].items()],
                "ra": GOLDS[i],
                "generation": REPLIES[i],
            }
        ),
    ),
    "options as an object at the end of the prompt": (
        "a.json",
        json.dumps(
            [
                {
                    "instruction": "Please answer with one of the options in the bracket",
                    "input": f"Q:{STEMS[i]}\n{OPTIONS[i]}",
                    "output": f"{GOLDS[i]}: {OPTIONS[i][GOLDS[i]]}",
                    "generation": REPLIES[i],
                }
                for i in range(3)
            ]
        ),
    ),
    "lines of a letter and a text": (
        "a.csv",
        table(
            "Question,Options,Answer,model_output",
            lambda i: [STEMS[i], "\n".join(f"{k} {t}" for k, t in OPTIONS[i].items()), GOLDS[i], REPLIES[i]],
        ),
    ),
    "the prompt before the reply": (
        "a.jsonl",
        lines(
            lambda i: {
                "inputs": f"[INST] {PROMPTS[i]} [/INST]",
                "generated_text": f"[INST] {PROMPTS[i]} [/INST] {REPLIES[i]}",
                "reference": OPTIONS[i][GOLDS[i]],
            }
        ),
    ),
    "samples with numbered columns of options": (
        "samples_task.jsonl",
        lines(
            lambda i: {
                "doc_id": i,
                "doc": {"question": STEMS[i], **{f"op{n}": t for n, t in enumerate(OPTIONS[i].values(), 1)}},
                "target": GOLDS[i],
                "arguments": {"gen_args_0": {"arg_0": PROMPTS[i]}},
                "resps": [[REPLIES[i]]],
            }
        ),
    ),
    "an instruction before every question": (
        "a.csv",
        table(
            "prompt,completion,gold",
            lambda i: ["You are a careful physician. Answer the question.\n\n" + PROMPTS[i], REPLIES[i], GOLDS[i]],
        ),
    ),
    "golds in a list of keys": (
        "a.jsonl",
        lines(lambda i: {"stem": STEMS[i], "options": OPTIONS[i], "key": [GOLDS[i]], "response": REPLIES[i]}),
    ),
    "problem text": (
        "a.jsonl",
        lines(
            lambda i: {
                "problem_text": STEMS[i],
                "choices": list(OPTIONS[i].values()),
                "answer": [GOLDS[i].lower()],
                "prediction": REPLIES[i],
            }
        ),
    ),
    "messages inside the input": (
        "a.jsonl",
        lines(
            lambda i: {
                "id": f"t{i}",
                "input": {"messages": [{"role": "user", "content": PROMPTS[i]}]},
                "output": {"role": "assistant", "content": REPLIES[i]},
                "expectedOutput": GOLDS[i],
            }
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_read_as_its_owner_would(write: Write, kind: str) -> None:
    items = list(read(None, write(*KINDS[kind])))
    questions = [(q.stem, dict(q.options), q.gold) for q in items if isinstance(q, Question)]
    assert questions == list(zip(STEMS, OPTIONS, GOLDS, strict=True))
    assert [(t.text, t.answer) for t in items if isinstance(t, Trace)] == list(zip(REPLIES, GOLDS, strict=True))
    assert [str(p) for p in items if isinstance(p, Problem) and p.severity is not Severity.NOTE] == []


def test_reasoning_and_the_words_after_it_in_fields_of_any_name(write: Write) -> None:
    def row(i: int) -> dict[str, object]:
        closing = f"The analysis leads to one choice. \\boxed{{{GOLDS[i]}}}"
        return {"prompt": PROMPTS[i], "reasoning": REPLIES[i][:60], "distilled_answer_string": closing}

    traces = [t for t in read(None, write("a.jsonl", lines(row))) if isinstance(t, Trace)]
    assert [(t.text, t.answer) for t in traces] == [(r[:60], g) for r, g in zip(REPLIES, GOLDS, strict=True)]


def test_a_reply_that_is_an_object_is_taken_apart(write: Write) -> None:
    for number, form in enumerate(("{}", "```json\n{}\n```")):
        reply = [
            form.replace("{}", json.dumps({"reasoning": r[:60], "answer": g}))
            for r, g in zip(REPLIES, GOLDS, strict=True)
        ]
        path = write(f"{number}.jsonl", lines(lambda i, reply=reply: {**asked(i), "response": reply[i]}))
        traces = [t for t in read(None, path) if isinstance(t, Trace)]
        assert [(t.text, t.answer) for t in traces] == [(r[:60], g) for r, g in zip(REPLIES, GOLDS, strict=True)]


def test_thinking_of_a_local_server_is_the_reasoning(write: Write) -> None:
    def row(i: int) -> dict[str, object]:
        message = {"role": "assistant", "content": f"The answer is {GOLDS[i]}.", "thinking": REPLIES[i][:60]}
        asking = {"model": "m:8b", "messages": [{"role": "user", "content": PROMPTS[i]}]}
        return {"request": asking, "response": {"model": "m:8b", "message": message, "done": True}, "label": GOLDS[i]}

    traces = [t for t in read(None, write("a.jsonl", lines(row))) if isinstance(t, Trace)]
    assert [(t.text, t.answer) for t in traces] == [(r[:60], g) for r, g in zip(REPLIES, GOLDS, strict=True)]


def test_a_column_does_not_hide_another_of_the_same_name(write: Write) -> None:
    row: Callable[[int], list[str]] = lambda i: [STEMS[i], *OPTIONS[i].values(), GOLDS[i], REPLIES[i]]  # noqa: E731
    path = write("a.csv", table("question,A,B,C,answer,answer", row))
    assert "the fields are question, A, B, C, answer, answer (2)" in said(path)
    items = list(read("table", path, fields={"text": "answer (2)"}))
    assert [q.gold for q in items if isinstance(q, Question)] == list(GOLDS)
    assert [t.text for t in items if isinstance(t, Trace)] == list(REPLIES)


def test_a_summary_is_read_where_the_reasoning_itself_is_encrypted(write: Write) -> None:
    details = [
        {"type": "reasoning.summary", "summary": "The thyroid explains all of it."},
        {"type": "reasoning.encrypted", "data": "gAAAAAB"},
    ]
    text = lines(lambda i: {**asked(i), "completion": completion(i, reasoning=None, reasoning_details=details)})
    traces = [t for t in read(None, write("a.jsonl", text)) if isinstance(t, Trace)]
    assert [(t.text, t.meta["final"]) for t in traces] == [("The thyroid explains all of it.", r) for r in REPLIES]


def said(path: Path) -> str:
    return " ".join(str(p) for p in read(None, path) if isinstance(p, Problem))


def test_what_has_no_gold_or_several_is_told(write: Write) -> None:
    row: Callable[..., dict[str, object]] = lambda i, gold: {**asked(i), "gold": gold, "response": REPLIES[i]}  # noqa: E731
    assert "no gold answer in any of 3 questions" in said(write("a.jsonl", lines(lambda i: row(i, None))))
    assert "1 of 3 questions have no gold answer" in said(
        write("b.jsonl", lines(lambda i: row(i, GOLDS[i] if i else None)))
    )
    assert "1 of 3 questions have several gold" in said(write("c.jsonl", lines(lambda i: row(i, "BA"[i:] or "C"))))
    assert "no gold" not in said(write("d.jsonl", lines(lambda i: row(i, GOLDS[i]))))


def test_a_refusal_is_told_in_the_models_words(write: Write) -> None:
    refused = completion(1, content=None, refusal="I cannot help with that.")
    text = lines(lambda i: {**asked(i), "out": refused if i == 1 else completion(i)})
    path = write("a.jsonl", text)
    assert "the model refused: 'I cannot help with that.'" in said(path)
    assert [t.finish_reason for t in read(None, path) if isinstance(t, Trace)] == ["stop", "refusal", "stop"]


UNREADABLE = {
    "several questions a row": (
        "a.json",
        json.dumps({"data": [{"qas": [{"question": s, "output": REPLIES[0]} for s in STEMS]}, {"qas": []}]}),
        "a row holds several questions in 'qas'",
    ),
    "no header line": (
        "a.csv",
        table(
            ",".join(f'"{c}"' for c in [STEMS[0] * 2, *OPTIONS[0].values(), "B"]),
            lambda i: [STEMS[i] * 2, "x", "y", "z", "A"],
        ),
        "the file has no header line",
    ),
    "Python, not JSON": (
        "a.jsonl",
        repr({"question": STEMS[0]}) + "\n",
        "the line is Python, not JSON (write it with json.dumps",
    ),
    "a column a model": (
        "a.jsonl",
        json.dumps({"question": STEMS[0], "gold": "A", "qwen2.5-32b": REPLIES[0] * 2, "medgemma-27b": REPLIES[1] * 2}),
        "long text is in 'qwen2.5-32b' and 'medgemma-27b'",
    ),
    "YAML": ("a.yaml", f"- question: {STEMS[0]}\n  response: {REPLIES[0][:20]}\n", "the file is YAML"),
    "prose": ("a.txt", f"{STEMS[0]}\n\n{REPLIES[0]}\n", "the file is prose, not a table (write one JSON object a line"),
    "SQLite": ("a.db", "SQLite format 3\x00", "sqlite3 -header -csv a.db"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_says_what_mends_it(write: Write, kind: str) -> None:
    name, text, sentence = UNREADABLE[kind]
    path = write(name, text)
    assert sentence in said(path)
    assert not [t for t in read(None, path) if isinstance(t, Trace)]


def test_other_names_of_golds_and_answers(write: Write) -> None:
    header = "question\tchoice_a\tchoice_b\tchoice_c\tgt\tmodel_cot\tmodel_pred"
    reply = "The findings are weighed one by one, and what does not fit is left out."
    rows = ["\t".join([STEMS[i], *OPTIONS[i].values(), GOLDS[i].lower(), reply, "a"]) for i in range(3)]
    items = list(read(None, write("a.tsv", "\n".join([header, *rows]))))
    assert [q.gold for q in items if isinstance(q, Question)] == list(GOLDS)
    assert [t.answer for t in items if isinstance(t, Trace)] == ["A"] * 3


def test_bare_conversations_are_read(write: Write) -> None:
    chats = [[{"role": "user", "content": PROMPTS[i]}, {"role": "assistant", "content": REPLIES[i]}] for i in range(3)]
    items = list(read(None, write("a.json", json.dumps({"score": 0.5, "convos": chats}))))
    assert [t.text for t in items if isinstance(t, Trace)] == list(REPLIES)
    assert [q.stem for q in items if isinstance(q, Question)] == list(STEMS)


def test_text_of_western_spreadsheets_is_read_and_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "".join(f'"Quel est le diagnostic numéro {i} ?";"Réponse numéro {i} : fièvre."\n' for i in range(3))
    path.write_bytes(("question;response\n" + rows).encode("cp1252"))
    assert "it is read as Windows-1252" in said(path)
    traces = [t for t in read(None, path) if isinstance(t, Trace)]
    assert [t.text for t in traces] == [f"Réponse numéro {i} : fièvre." for i in range(3)]


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (lambda i: f"It is {i}.", "no reply has more than 20 characters"),
        (lambda i: f"{STEMS[i % 3]} {i} He has it. {REPLIES[0]}", "replies repeat their question"),
        (lambda i: REPLIES[0], "replies are the same text"),
    ],
)
def test_replies_that_cannot_be_reasoning_are_told(write: Write, response: Callable[[int], str], sentence: str) -> None:
    asks = [{"role": "user", "content": f"{STEMS[i % 3]} {i}"} for i in range(12)]
    rows = [{"messages": [ask, {"role": "assistant", "content": response(i)}]} for i, ask in enumerate(asks)]
    assert sentence in said(write("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))


def test_answers_that_are_all_right_are_told(write: Write) -> None:
    row: Callable[[int], dict[str, object]] = lambda i: {**asked(i % 3), "question": f"{STEMS[i % 3]} {i}"}  # noqa: E731
    rows = [{**row(i), "response": f"{REPLIES[i % 3]} {i}", "prediction": GOLDS[i % 3]} for i in range(30)]
    assert "all 30 answers are right" in said(write("a.jsonl", "".join(json.dumps(r) + "\n" for r in rows)))


def test_a_reply_beside_an_abstract_is_read(write: Write) -> None:
    entry = {"QUESTION": STEMS[0], "CONTEXTS": ["An abstract."], "final_decision": "yes", "model_output": REPLIES[0]}
    items = list(read(None, write("ori_pqal.json", json.dumps({"1": entry, "2": entry | {"QUESTION": STEMS[1]}}))))
    assert [q.gold for q in items if isinstance(q, Question)] == ["A", "A"]
    assert [t.text for t in items if isinstance(t, Trace)] == [REPLIES[0], REPLIES[0]]


def test_requests_of_a_batch_are_the_questions_of_its_results(write: Write) -> None:
    asks = [{"custom_id": f"q{i}", "params": {"messages": [{"role": "user", "content": PROMPTS[i]}]}} for i in range(3)]
    questions = write("requests.jsonl", "".join(json.dumps(ask) + "\n" for ask in asks))
    message = lambda i: {"type": "message", "role": "assistant", "content": [{"type": "text", "text": REPLIES[i]}]}  # noqa: E731
    results = lines(lambda i: {"custom_id": f"q{i}", "result": {"type": "succeeded", "message": message(i)}})
    items = list(read("table", write("results.jsonl", results), questions=str(questions)))
    assert [q.stem for q in items if isinstance(q, Question)] == list(STEMS)
    assert [t.text for t in items if isinstance(t, Trace)] == list(REPLIES)
