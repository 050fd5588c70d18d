"""The command `read`, from the outside."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tracejury.console.app import app

QUESTION = {"kind": "question", "id": "q1", "stem": "What?", "options": {"A": "x", "B": "y"}, "gold": "A"}
TRACE = {"kind": "trace", "question": "q1", "model": "m", "text": "1. It is x, I am quite sure.\nThe answer is A."}


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text(
        "\n".join([json.dumps(QUESTION), json.dumps(TRACE), "{broken", json.dumps({**TRACE, "arm": "distilled"})])
    )
    return path


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["read", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def test_it_writes_what_it_found_and_tells_the_rest(batch: Path, tmp_path: Path) -> None:
    code, out, err = run("native", batch, "--out", tmp_path / "out")
    assert code == 0
    assert "next: tracejury adjudicate" in out
    assert "mine.jsonl:3: not valid JSON" in err
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"questions.jsonl", "traces.jsonl", "problems.jsonl"}
    assert len((tmp_path / "out" / "traces.jsonl").read_text().splitlines()) == 2
    assert run("native", tmp_path / "out", "--check")[0] == 0


def test_a_name_that_is_not_utf8_is_written_down(batch: Path, tmp_path: Path) -> None:
    path = batch.rename(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jsonl")))
    code, _, err = run("native", path, "--out", tmp_path / "out")
    assert (code, "caf\\udce9.jsonl:3: not valid JSON" in err) == (0, True)
    assert "udce9.jsonl" in (tmp_path / "out" / "problems.jsonl").read_text()


def test_check_shows_every_field_and_writes_nothing(batch: Path) -> None:
    code, out, _ = run("native", batch, "--check")
    assert code == 0
    assert "2 / 2" in out
    assert "base 1, distilled 1" in out.replace("\n", " ").replace("  ", " ")
    assert list(batch.parent.iterdir()) == [batch]


def test_json(batch: Path) -> None:
    code, out, _ = run("native", batch, "--check", "--json")
    summary = json.loads(out)
    assert code == 0
    assert (summary["questions"], summary["traces"], summary["problems"]) == (1, 2, 1)
    assert summary["first_problems"][0]["line"] == 3
    assert {"record": "trace", "field": "answer", "filled": 2, "of": 2, "values": {"A": 2}} in summary["fields"]


def test_strict_stops_and_leaves_nothing(batch: Path, tmp_path: Path) -> None:
    code, _, err = run("native", batch, "--out", tmp_path / "out", "--strict")
    assert code == 1
    assert "mine.jsonl:3: not valid JSON" in err
    assert "nothing was written" in err
    assert list((tmp_path / "out").iterdir()) == []


def test_map(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    messages = [{"role": "user", "content": "Which?\nA) x\nB) y"}, {"role": "assistant", "content": "Answer: B"}]
    path.write_text(json.dumps({"messages": messages, "key": {"right": "B"}}))
    code, out, _ = run("chat", path, "--check", "--json", "--map", "gold=key.right", "--map", "arm=:distilled")
    assert code == 0
    assert json.loads(out)["arms"] == {"distilled": 1}
    assert any(f["field"] == "gold" and f["values"] == {"B": 1} for f in json.loads(out)["fields"])


def test_a_format_takes_its_parameters(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    row = {"question": "Which?", "opa": "w", "opb": "x", "opc": "y", "opd": "z", "cop": 2, "id": "i"}
    path.write_text(json.dumps(row))

    def golds(*more: str) -> dict[str, int]:
        code, out, _ = run("medmcqa", path, "--check", "--json", *more)
        assert code == 0
        return next(f["values"] for f in json.loads(out)["fields"] if f["field"] == "gold")

    assert golds() == {"B": 1}
    assert golds("--set", "first=0") == {"C": 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nativ", "{batch}", "--check"], "no reader called 'nativ'; did you mean 'native'"),
        (["native", "nowhere.jsonl", "--check"], "nowhere.jsonl does not exist"),
        (["native", "{batch}"], "name a folder with --out DIR, or look only with --check"),
        (["native"], "name a reader and a path"),
        (["native", "{batch}", "--check", "--map", "gold=x"], "the reader 'native' has its fields fixed"),
        (["chat", "{batch}", "--check", "--map", "gold"], "--map 'gold' is not of the form FIELD=PATH"),
        (["chat", "{batch}", "--check", "--map", "golden=x"], "--map knows no field 'golden'"),
        (["medmcqa", "{batch}", "--check", "--set", "first=2"], "cop counts from 0 or from 1"),
        (["medmcqa", "{batch}", "--check", "--set", "second=2"], "unexpected keyword argument 'second'"),
        (["medmcqa", "{batch}", "--check", "--set", "first"], "--set first: write KEY=VALUE"),
        (["medmcqa", "{batch}", "--check", "--set", "first=["], "--set first=[: the value is not valid YAML"),
        (["mr-ben", "{batch}", "--check"], "nothing was found in"),
    ],
)
def test_what_a_user_gets_wrong_is_told(batch: Path, words: list[str], message: str) -> None:
    code, _, err = run(*(w.format(batch=batch) for w in words))
    assert code == 1
    assert message in err.replace("\n", "")


def test_the_list_names_every_format() -> None:
    code, out, _ = run("--list", "--json")
    names = {row["name"] for row in json.loads(out)}
    assert code == 0
    assert names >= {
        "native",
        "mr-ben",
        "medqa",
        "mmlu",
        "medmcqa",
        "mirage",
        "reasoning-guidance",
        "medec",
        "pubmedqa",
    }
    assert names >= {"clinifact", "vlievin", "chat", "lm-eval", "inspect", "medbullets", "arc", "gsm8k"}


ROWS = [
    {
        "question": f"Case {n}. Which one is it?",
        "options": ["x", "y"],
        "answer_idx": "A",
        "response": f"In case {n} it is B.",
    }
    for n in range(4)
]


def test_a_file_of_ones_own_needs_no_reader(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    row = "Which of the two is it?,\"['x', 'y']\",B,It is long and so the answer is B."
    path.write_text(f"question,options,answer_idx,response\n{row}\n")
    code, _, err = run(path, "--out", tmp_path / "out")
    assert code == 0
    assert "read as: options = options, stem = question, text = response, gold = answer_idx" in err.replace("\n", " ")
    assert run(tmp_path / "out", "--check")[0] == 0


def test_the_fields_of_a_file_are_listed_with_a_proposal(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    code, out, _ = run("--fields", path)
    assert code == 0
    assert "answer_idx" in out
    assert "read as: options = options, stem = question" in out
    listed = json.loads(run("--fields", path, "--json")[1])
    assert {f["path"]: f["filled"] for f in listed["fields"]} == dict.fromkeys(ROWS[0], 4)


def test_strict_refuses_what_is_not_plausible(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps({**row, "response": "The answer is B, as I see it."}) + "\n" for row in ROWS))
    assert run(path, "--check")[0] == 0
    code, _, err = run(path, "--check", "--strict")
    assert code == 1
    assert "none of 4 answers is right" in err.replace("\n", " ")


def test_replies_are_joined_to_their_questions(tmp_path: Path) -> None:
    requests = [
        {"custom_id": f"c{n}", "body": {"messages": [{"role": "user", "content": f"Case {n}. Which?"}]}} for n in (0, 1)
    ]
    body = {"choices": [{"message": {"role": "assistant", "content": "It is the first."}}]}
    replies = [{"custom_id": f"c{n}", "response": {"status_code": 200, "body": body}} for n in (1, 0)]
    for name, records in {"input": requests, "output": replies}.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    words = (tmp_path / "output.jsonl", "--questions", tmp_path / "input.jsonl", "--join", "custom_id=custom_id")
    code, out, _ = run(*words, "--check", "--json")
    assert (code, json.loads(out)["traces"]) == (0, 2)
    assert run(tmp_path / "output.jsonl", "--check", "--join", "custom_id")[0] == 1
