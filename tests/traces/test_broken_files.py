"""Ten deliberately broken files a reader: ten clear messages, each with file, place and next step; the rest is read."""

from __future__ import annotations

import gzip
import io
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tracejury.traces import Problem, Question, Trace, read
from tracejury.traces.formats.inspect_log import zipfile


class Fault(NamedTuple):
    name: str
    content: bytes
    message: str
    line: int | None = None
    good: int = 0
    """Questions that are read all the same."""


def dump(value: object) -> bytes:
    return json.dumps(value).encode()


def line_faults(good: Callable[[int], dict[str, object]], *more: tuple[str, object, str]) -> list[Fault]:
    """Faults of a line between two good ones; `more` are lines that are valid JSON and no record."""
    first, last = dump(good(1)), dump(good(3))

    def between(name: str, line: bytes, message: str) -> Fault:
        return Fault(name, b"\n".join((first, line, last)) + b"\n", message, line=2, good=2)

    own = [between(name, dump(value), message) for name, value, message in more]
    common = [
        between("cut off", dump(good(2))[:-9], "not valid JSON: "),
        between("no JSON", b"question: what?", "not valid JSON: Expecting value at column 1"),
        between("a list", b"[1, 2]", "holds a list, not a JSON object"),
        between("a string", b'"text"', "holds a string, not a JSON object"),
        between("not UTF-8", b'{"a": "\xff"}', "not valid UTF-8 at byte 7 (0xff)"),
        between("half a character", b'{"a": "\\ud83d"}', "half of a surrogate pair"),
        between("nested", b"[" * 100_000, "nested too deeply"),
        between("null", b"null", "holds null, not a JSON object"),
        Fault("empty", b"", "nothing is here to read"),
    ]
    return (own + common)[:10]


def document_faults(good: list[dict[str, object]], keyed: bool, *more: tuple[str, object, str]) -> list[Fault]:
    """Faults of a file that is one JSON value; two good entries stand before the fault."""

    def whole(third: object) -> bytes:
        entries = [*good, third]
        return json.dumps({f"k{i}": e for i, e in enumerate(entries)} if keyed else entries, indent=1).encode()

    text = whole(good[0])
    own = [Fault(name, whole(value), message, good=2) for name, value, message in more]
    common = [
        Fault("cut off in an entry", text[: text.rindex(b'"') - 3], "not valid JSON: ", good=2),
        Fault("cut off after an entry", whole(0)[: whole(0).rindex(b",")], "the file ends too early", good=2),
        Fault("no comma", b"[{}\n{}]" if not keyed else b'{"a": {}\n"b": {}}', "expecting ',' or ", line=2),
        Fault("a string", b'"text"', "expecting a list or an object"),
        Fault("no JSON", b"<html></html>", "expecting a list or an object"),
        Fault("empty", b"", "the file is empty"),
        Fault("white space", b" \n\n ", "the file is empty"),
        Fault("not UTF-8", text.replace(b"good", b"g\xe9\x20d", 1), "not valid UTF-8 at byte "),
        Fault("nested", b"[" * 100_000, "nested too deeply"),
        Fault("something follows", text + b"\n{}", "something follows the end", good=2),
    ]
    return (own + common)[:10]


def csv_faults(header: bytes, good: list[bytes], *more: tuple[str, bytes, str]) -> list[Fault]:
    """Faults of a row between two good ones, or of the whole file."""
    head = [header] if header else []

    def between(name: str, row: bytes, message: str) -> Fault:
        content = b"\n".join((*head, good[0], row, good[1])) + b"\n"
        return Fault(name, content, message, line=len(head) + 2, good=2)

    own = [between(name, row, message) for name, row, message in more]
    broken_quote = good[0].replace(b",", b',"x"y,', 1)
    common = [
        between("not UTF-8", good[0].replace(b"good", b"\xff", 1), "not valid UTF-8: byte 0xff"),
        between("a stray quote", broken_quote, "not valid CSV: "),
        between("one field", b"only", "field"),
        between("a field too many", good[0] + b",more", "field"),
        Fault(
            "a quote left open",
            b"\n".join((*head, good[0], b'"' + good[1])),
            "unexpected end of data",
            len(head) + 2,
            1,
        ),
        Fault("empty", b"", "the file is empty"),
        Fault("binary", b"\x08\x00\xff\xfe\n\n", "not valid UTF-8"),
        between("two fields", b"a,b", "field"),
        between("a lone quote", b'"a" b,c', "not valid CSV: "),
    ]
    if header:
        rest = header.partition(b",")[2]
        common += [
            Fault("a column missing", b"\n".join((rest, good[0])), "are missing; the file has", 1),
            Fault("no header", good[0], "are missing; the file has", 1),
        ]
    else:
        common += [between("three fields", b"a,b,c", "field"), between("spaces", b" , , , , , x", "empty")]
    return (own + common)[:10]


def native(n: int) -> dict[str, object]:
    return {"kind": "question", "id": f"q{n}", "stem": f"good {n}?", "options": {"A": "x", "B": "y"}, "gold": "A"}


def chat(n: int) -> dict[str, object]:
    reply = {"role": "assistant", "content": "The answer is A."}
    return {"messages": [{"role": "user", "content": f"good {n}?\nA) x\nB) y"}, reply], "model": "m"}


def solution(n: int) -> dict[str, object]:
    return {
        "Question_UUID": f"u{n}",
        "Question": f"good {n}?",
        "Options": "A: x \nB: y ",
        "Ground_Truth_Answer": "A",
        "Sampled_Model": "m",
        "Model_Solution_Steps": ["Step 1: x.", "Solution: Choice_A"],
        "Model_Solution_Correctness": "correct",
    }


def without(record: dict[str, object], *names: str) -> dict[str, object]:
    return {k: v for k, v in record.items() if k not in names}


MEDQA = {"question": "good?", "options": {"A": "x", "B": "y"}, "answer_idx": "A"}
MEDMCQA = {"question": "good?", "opa": "w", "opb": "x", "opc": "y", "opd": "z", "cop": 4, "id": "i"}
LM = {"doc_id": 1, "doc": {"question": "good?", "options": ["x", "y"]}, "target": 0, "resps": [["The answer is A."]]}
GUIDANCE = {"question": "good?", "options": {"A": "x", "B": "y"}, "answer_idx": "A", "output": "The answer is A."}
PUBMED = {"QUESTION": "good?", "CONTEXTS": ["c"], "final_decision": "yes"}
MEDEC_HEAD = (
    b"Text ID,Text,Sentences,Error Flag,Error Type,Error Sentence ID,Error Sentence,Corrected Sentence,Corrected Text"
)
CLINI_HEAD = b"index,nctId,claim,PMID,article_title,article_abstract,label"
BULLETS_HEAD = b"question,opa,opb,opc,opd,answer_idx"


def varied(record: dict[str, object]) -> Callable[[int], dict[str, object]]:
    """Give every record a stem of its own, for two questions with one stem count as one."""
    field = "question" if "question" in record else "QUESTION"
    return lambda n: {**record, field: f"good {n}?"}


def lm(n: int) -> dict[str, object]:
    return {**LM, "doc": {"question": f"good {n}?", "options": ["x", "y"]}}


def mirage_row(n: int) -> dict[str, object]:
    return {"qid": f"test_000{n}", "dataset": "medqa", "mode": "cot", "model": "m", "raw": ["The answer is A."]}


FILES = {
    "native": "batch.jsonl",
    "chat": "chat.jsonl",
    "medqa": "medqa.jsonl",
    "medmcqa": "dev.jsonl",
    "arc": "arc.jsonl",
    "gsm8k": "gsm8k.jsonl",
    "lm-eval": "samples_medqa_2026.jsonl",
    "mirage": "medqa.cot.jsonl",
    "mr-ben": "medicine.json",
    "reasoning-guidance": "base_medmcqa.json",
    "pubmedqa": "ori_pqal.json",
    "medec": "medec.csv",
    "clinifact": "clinifact.csv",
    "medbullets": "medbullets.csv",
    "mmlu": "anatomy_test.csv",
    "vlievin": "usmle.html",
    "inspect": "log.eval",
}

FAULTS: dict[str, list[Fault]] = {
    "native": line_faults(
        native,
        ("no kind", {"id": "q2", "stem": "x"}, 'the field "kind" is missing'),
        ("unknown kind", {"kind": "answer"}, "\"kind\" is 'answer'"),
        ("no id", without(native(2), "id"), 'the field "id" is missing or empty'),
        ("unknown field", {**native(2), "stm": "x"}, "stm: extra inputs are not permitted"),
        ("id twice", {**native(1), "stem": "other"}, "the id 'q1' was already given to another question"),
    ),
    "chat": line_faults(
        chat,
        ("no reply", {"messages": [{"role": "user", "content": "x"}]}, "there is no assistant message"),
        ("no question", {"messages": [{"role": "assistant", "content": "x"}]}, "there is no user message"),
    ),
    "medqa": line_faults(
        varied(MEDQA),
        ("no answer", without(MEDQA, "answer_idx"), "answer_idx: field required"),
        ("options as text", {**MEDQA, "options": "A, B"}, "options: input should be a valid dictionary"),
    ),
    "medmcqa": line_faults(
        varied(MEDMCQA),
        ("no options", without(MEDMCQA, "opa", "opb"), "opa: field required; opb: field required"),
        ("cop out of range", {**MEDMCQA, "cop": 7}, "cop is 7 where it counts from 1"),
    ),
    "arc": line_faults(
        lambda n: {
            "id": f"i{n}",
            "question": f"good {n}?",
            "choices": {"text": ["x", "y"], "label": ["A", "B"]},
            "answerKey": "A",
        },
        ("no choices", {"question": "x", "answerKey": "A"}, "fewer than two choices"),
        ("no stem", {"question": {"choices": []}}, "there is no stem"),
    ),
    "gsm8k": line_faults(
        lambda n: {"question": f"good {n}?", "answer": "1 + 1 = 2\n#### 2"},
        ("no final number", {"question": "x", "answer": "two"}, 'the answer does not end in "#### NUMBER"'),
        ("no answer", {"question": "x"}, "question or answer is missing"),
    ),
    "lm-eval": line_faults(
        lm,
        ("no replies", without(LM, "resps"), "resps is missing or empty"),
        ("no question", {**LM, "doc": {}}, "there is no question in doc or arguments"),
    ),
    "mirage": line_faults(
        mirage_row,
        ("unknown question", {**mirage_row(1), "qid": "test_9999"}, "no question 'test_9999' of 'medqa'"),
        ("no replies", without(mirage_row(1), "raw"), "raw: field required"),
    ),
    "mr-ben": document_faults(
        [solution(1), solution(2)],
        True,
        ("no steps", without(solution(3), "Model_Solution_Steps"), "Model_Solution_Steps: field required"),
        ("no solution", "text", "input should be a valid dictionary"),
    ),
    "reasoning-guidance": document_faults(
        [{**GUIDANCE, "question": f"good {n}?"} for n in (1, 2)],
        False,
        ("no output", without(GUIDANCE, "output"), "output: field required"),
        ("a number", 5, "input should be a valid dictionary"),
    ),
    "pubmedqa": document_faults(
        [{**PUBMED, "QUESTION": f"good {n}?"} for n in (1, 2)],
        True,
        ("no question", without(PUBMED, "QUESTION"), "QUESTION: field required"),
        ("a list", [1], "input should be a valid dictionary"),
    ),
    "medec": csv_faults(
        MEDEC_HEAD,
        [b"good-1,A.,0 A.,1,management,0,A.,B.,B.", b"good-2,A.,0 A.,0,NA,-1,NA,NA,NA"],
        ("flag", b"x,A.,0 A.,7,NA,0,NA,NA,NA", "Error Flag '7'"),
        ("sentences", b"x,A.,A.,0,NA,-1,NA,NA,NA", "are not numbered from 0 on"),
    ),
    "clinifact": csv_faults(
        CLINI_HEAD,
        [b"1,N1,good claim,11,T,abstract one,1", b"2,N2,good claim,12,T,abstract two,0"],
        ("label", b"3,N3,claim,13,T,abstract,9", "label '9'"),
        ("no claim", b"3,N3,,13,T,abstract,1", "an empty claim or abstract"),
    ),
    "medbullets": csv_faults(
        BULLETS_HEAD,
        [b"good one?,w,x,y,z,A", b"good two?,w,x,y,z,B"],
        ("no question", b",w,x,y,z,A", "the question is empty"),
        ("unknown letter", b"three?,w,x,y,z,Q", "the gold answer 'Q' is none of the options A, B, C, D"),
    ),
    "mmlu": csv_faults(
        b"",
        [b"good one?,w,x,y,z,A", b"good two?,w,x,y,z,B"],
        ("unknown letter", b"three?,w,x,y,z,E", "the gold answer 'E' is none of the options"),
    ),
}

HEAD = "<table><tr><th>one</th><th>two</th></tr>"
ASKED = "<tr><td colspan=2><strong>USMLE [valid:1]</strong> Q: good?\n\nA) x\n<strong>B) y</strong></td></tr>"
TOLD = "<tr><td>&#9989; The answer is B.</td><td>&#10060; The answer is A.</td></tr>"


def page(*parts: str) -> bytes:
    return ("\n".join(parts) + "</table>").encode()


FAULTS["vlievin"] = [
    Fault("no table", b"<p>nothing</p>", "no table with a header row"),
    Fault("empty", b"", "no table with a header row"),
    Fault("no header", page("<table>", ASKED, TOLD), "2 completions for 0 prompts", 6, 1),
    Fault("head of the question", page(HEAD, ASKED.replace("USMLE", ""), TOLD), "does not begin with", 2),
    Fault(
        "nothing bold",
        page(HEAD, ASKED.replace("<strong>B) y</strong>", "B) y"), TOLD),
        "no option of the question is in",
        2,
        1,
    ),
    Fault(
        "no options",
        page(HEAD, ASKED.split("\n")[0] + "</td></tr>", TOLD),
        "no option of the question is in bold",
        2,
        1,
    ),
    Fault("a completion missing", page(HEAD, ASKED, "<tr><td>x</td></tr>"), "1 completions for 2 prompts", 6, 1),
    Fault("completions first", page(HEAD, TOLD, ASKED), "completions without a question above them", 2, 1),
    Fault("cut off", page(HEAD, ASKED, TOLD)[:-60], "the file ends inside a row", 6, 1),
    Fault("not UTF-8", page(HEAD, ASKED).replace(b"good", b"g\xff"), "not valid UTF-8"),
]


def log(header: object = None, name: str = "samples/1_epoch_1.json", sample: object = None, **kept: object) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_ZSTANDARD) as archive:
        if header is not False:
            archive.writestr("header.json", dump(header or {"eval": {"model": "m", "task": "t"}}))
        archive.writestr("samples/0_epoch_1.json", dump(good_sample(0)))
        archive.writestr(name, sample if isinstance(sample, bytes) else dump(sample or {**good_sample(1), **kept}))
    return made.getvalue()


def good_sample(n: int) -> dict[str, object]:
    messages = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "The answer is A."}]
    return {"id": n, "epoch": 1, "input": f"good {n}?", "choices": ["x", "y"], "target": "A", "messages": messages}


def unpackable(archive: bytes) -> bytes:
    """Claim another compression method in both headers of every member."""
    return archive.replace(struct.pack("<HHH", 63, 0, 93), struct.pack("<HHH", 63, 0, 97))


def spoiled(archive: bytes) -> bytes:
    """Turn bits inside the last sample's data."""
    at = archive.rindex(b"PK\x03\x04") + 80
    return archive[:at] + bytes(b ^ 0x5A for b in archive[at : at + 12]) + archive[at + 12 :]


FAULTS["inspect"] = [
    Fault("no archive", b"text", "not a zip archive"),
    Fault("empty", b"", "not a zip archive"),
    Fault("cut off", log()[:-100], "not a zip archive"),
    Fault("no header", log(header=False), "the run did not end", good=2),
    Fault("a sample that is no JSON", log(sample=b"{"), "log.eval/samples/1_epoch_1.json:1: not valid JSON", good=1),
    Fault("a sample that is a list", log(sample=[1]), "holds no JSON object", good=1),
    Fault("no reply", log(messages=[]), "no assistant message", good=1),
    Fault("an error", log(messages=[], error={"message": "rate limit"}), "it ended with: rate limit", good=1),
    Fault("a spoiled sample", spoiled(log()), "cannot be unpacked", good=1),
    Fault("not UTF-8", log(sample=b'"\xff"'), "not valid UTF-8", good=1),
]


def test_ten_faults_a_reader() -> None:
    assert set(FAULTS) == set(FILES)
    assert {name: len({f.content for f in faults}) for name, faults in FAULTS.items()} == dict.fromkeys(FILES, 10)


@pytest.mark.parametrize(
    ("reader", "fault"), [pytest.param(r, f, id=f"{r}: {f.name}") for r, faults in FAULTS.items() for f in faults]
)
def test_a_broken_file_is_told_and_the_rest_is_read(reader: str, fault: Fault, tmp_path: Path) -> None:
    path = tmp_path / FILES[reader]
    path.write_bytes(fault.content)
    if reader == "mirage":
        questions = [dump({**MEDQA, "question": f"good {n}?"}) for n in range(5)]
        (tmp_path / "medqa_test.jsonl").write_bytes(b"\n".join(questions))

    found = list(read(reader, path))

    problems = [x for x in found if isinstance(x, Problem)]
    told = [p for p in problems if fault.message in str(p)]
    assert told, f"{fault.message!r} is in none of {[str(p) for p in problems]}"
    assert path.name in told[0].file
    assert told[0].hint
    if fault.line is not None:
        assert told[0].line == fault.line
    kind = Trace if reader == "mirage" else Question
    assert sum(isinstance(x, kind) for x in found) >= fault.good


@pytest.mark.parametrize("reader", sorted(set(FILES) - {"inspect", "vlievin"}))
@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf"], ids=["nothing", "white space", "a BOM"])
def test_an_empty_file_is_told_as_such(reader: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / FILES[reader]
    path.write_bytes(content)
    (problem,) = read(reader, path)
    assert isinstance(problem, Problem)
    assert "nothing is here to read" in problem.reason or "the file is empty" in problem.reason
    assert problem.hint


@pytest.mark.parametrize("reader", ["mmlu", "medbullets"])
def test_a_table_that_a_spreadsheet_saved_is_read(reader: str, tmp_path: Path) -> None:
    """With a byte order mark, everything in quotation marks, and the line ends of Windows."""
    rows = [["good one?", "w, or v", "x", "y", "z", "A"]]
    rows = [BULLETS_HEAD.decode().split(","), *rows] if reader == "medbullets" else rows
    text = "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
    path = tmp_path / FILES[reader]
    path.write_bytes(text.encode("utf-8-sig"))
    (question,) = read(reader, path)
    assert isinstance(question, Question)
    assert (question.stem, question.options["A"], question.gold) == ("good one?", "w, or v", "A")


@pytest.mark.parametrize("reader", FILES)
def test_a_missing_file_is_told(reader: str, tmp_path: Path) -> None:
    (problem,) = {str(p): p for p in read(reader, tmp_path / FILES[reader]) if "cannot be opened" in str(p)}.values()
    assert "No such file" in problem.reason


@pytest.mark.parametrize("reader", sorted(set(FILES) - {"inspect"}))
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(b'{"a": 1}\n' * 500), "compressed with gzip (unpack it: gzip -dk "),
        ('"a","b"\r\n\r\n'.encode("utf-16"), "UTF-16, not UTF-8 (convert it: iconv -f UTF-16"),
        (b"PAR1\x15\x04\n\xff\n", "a Parquet table (write it as"),
        (b"PK\x03\x04\n\xff\n", "a zip archive or a workbook (unpack it"),
    ],
    ids=["gzip", "utf-16", "parquet", "zip"],
)
def test_a_file_of_another_kind_is_told_once(reader: str, content: bytes, told: str, tmp_path: Path) -> None:
    if reader == "chat" and told.startswith(("compressed", "a Parquet", "UTF-16")):
        pytest.skip("the table reader unpacks gzip and reads Parquet and UTF-16: tests/traces/test_tables.py")
    path = tmp_path / FILES[reader]
    path.write_bytes(content)
    problems = {str(x) for x in read(reader, path)}
    assert f"{path}: the file is {told}" in {p[: len(f"{path}: the file is {told}")] for p in problems}
    assert not [p for p in problems if "UTF-8 at" in p or "not valid" in p]


def test_an_archive_unpacks_no_further_than_allowed(tmp_path: Path) -> None:
    path = tmp_path / "bomb.eval"
    path.write_bytes(log(sample=b'{"id": "' + b" " * (8 << 20) + b'"}'))
    assert path.stat().st_size < 50_000
    found = list(read("inspect", path, largest=1 << 20))
    assert any("unpacks to more than 1 MB and is left out" in str(x) for x in found)
    assert sum(isinstance(x, Trace) for x in found) == 1


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_an_archive_without_its_beginning_is_told(tmp_path: Path, cut: int) -> None:
    """Its directory then points before the file's first byte (found by fuzzing)."""
    path = tmp_path / "log.eval"
    path.write_bytes(log()[cut:])
    problems = [x for x in read("inspect", path) if isinstance(x, Problem)]
    assert any("unpacked" in p.reason for p in problems)


def test_a_declaration_of_no_known_kind_costs_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(page(HEAD, "<![foo]]>", ASKED, "<![<m>", TOLD))
    found = list(read("vlievin", tmp_path / "a.html"))
    assert [type(f).__name__ for f in found] == ["Question", "Trace", "Trace"]
