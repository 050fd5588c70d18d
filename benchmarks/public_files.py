"""Real public files, read as a stranger would, and their counts held against a count by plain json, csv and html.

    python -m benchmarks.public_files --data ../shared/data

Each file goes through `tracejury read FILE --check --json` without naming a format. What should come out is counted
here without the package: the questions, the replies to them, and, where the file or its publisher says so, how many
gold answers are which letter. A count that differs is a failure, and so is a file that is refused.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).parent / "results" / "public_files.json"


class Count(NamedTuple):
    """What a file holds."""

    questions: int
    traces: int
    golds: dict[str, int] | None = None
    """How many gold answers are which letter; None where the format has no letters."""


def mr_ben(path: Path) -> Count:
    """Count questions by their words and options, which annotators changed in one; each solution is a reply."""
    solutions = [row for rows in json.loads(path.read_text("utf-8")).values() for row in rows]
    return Count(len({(row["Question"], str(row["Options"])) for row in solutions}), len(solutions))


def reasoning_guidance(path: Path) -> Count:
    """Count one question and one reply a row."""
    rows = json.loads(path.read_text("utf-8"))
    return Count(len({(row["question"], str(row["options"])) for row in rows}), len(rows), letters(rows, "answer_idx"))


def mirage(path: Path) -> Count:
    """Count one reply to each question id."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return Count(len({row["qid"] for row in rows}), len(rows))


def mirage_mmlu(path: Path) -> Count:
    """Count replies by question: MMLU repeats questions, and the same reply to the same question is one."""
    questions = {
        f"{file.stem.removesuffix('_test')}-{number:03}": tuple(row[:5])
        for file in sorted(path.parents[1].glob("mmlu/*.csv"))
        for number, row in enumerate(csv.reader(file.open(encoding="utf-8", newline="")))
    }
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    replies = {(questions[row["qid"].removeprefix("test_")], str(row["raw"])) for row in rows}
    return Count(len({question for question, _ in replies}), len(replies))


def medqa(path: Path) -> Count:
    """Count questions alone."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return Count(len(rows), 0, letters(rows, "answer_idx"))


def table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def medec(path: Path) -> Count:
    """Count one note a row, which is its own question and text."""
    rows = table(path)
    return Count(len(rows), len(rows))


def clinifact(path: Path) -> Count:
    """Count abstracts, which are what is asked, and one claim on an abstract a row."""
    rows = table(path)
    return Count(len({(row["article_title"], row["article_abstract"]) for row in rows}), len(rows))


def pubmedqa(path: Path) -> Count:
    """Count questions alone; yes, no and maybe are A, B and C."""
    rows = json.loads(path.read_text("utf-8")).values()
    names = {"yes": "A", "no": "B", "maybe": "C"}
    return Count(len(rows), 0, dict(Counter(names[row["final_decision"]] for row in rows)))


def g4ue(path: Path) -> Count:
    """Count two replies to each question, of the rows whose bytes are UTF-8: the publisher's file has broken others."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    whole = [row for row in rows if not any(re.search("[\udc80-\udcff]", value) for value in row.values())]
    return Count(len({row["gpt4_prompt"] for row in whole}), 2 * len(whole), letters(whole, "answer_idx"))


def letters(rows: list[dict[str, Any]], name: str) -> dict[str, int]:
    """Count a column of letters."""
    return dict(Counter(row[name] for row in rows))


FILES: dict[str, Callable[[Path], Count]] = {
    "mr_ben/medicine_dev_subset.json": mr_ben,
    "mr_ben/math_boundary_subset.json": mr_ben,
    "reasoning_guidance/base_medmcqa_first200.json": reasoning_guidance,
    "reasoning_guidance/finetuned_medmcqa_first200.json": reasoning_guidance,
    "reasoning_guidance/qwen_medmcqa_first200.json": reasoning_guidance,
    "mirage/traces/medqa.cot.gpt-35-turbo-16k.jsonl": mirage,
    "mirage/traces/medqa.cot.gpt-4-32k.jsonl": mirage,
    "mirage/traces/mmlu.cot.gpt-4-32k.jsonl": mirage_mmlu,
    "mirage/medqa_us_4opt_test.jsonl": medqa,
    "medec/MEDEC-MS-ValidationSet-with-GroundTruth-and-ErrorType.csv": medec,
    "clinifact/validation_set.csv": clinifact,
    "pubmedqa/ori_pqal.json": pubmedqa,
    "g4ue/919_prev_incorrect_response_repeat_gpt4_response_Jan28_2024.csv": g4ue,
}


def main() -> None:
    """Count, read, compare, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parser.parse_args()
    files = {name: compared(args.data / name, count(args.data / name)) for name, count in FILES.items()}
    result = {
        "command": "python -m benchmarks.public_files",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "n": len(files),
        "equal": sum(file["equal"] for file in files.values()),
        "files": files,
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def compared(path: Path, counted: Count) -> dict[str, Any]:
    """Read a file with the command line, and hold what it found against the count."""
    command = [str(Path(sys.executable).parent / "tracejury"), "read", str(path), "--check", "--json"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    body = json.loads(process.stdout) if process.stdout.startswith("{") else {}
    fields = {(f["record"], f["field"]): f for f in body.get("fields", ())}
    golds = fields.get(("question", "gold"), {}).get("values", {})
    read = Count(body.get("questions", 0), body.get("traces", 0), golds if counted.golds is not None else None)
    equal = read[:2] == counted[:2] and (counted.golds is None or read.golds == counted.golds)
    return {"counted": counted._asdict(), "read": read._asdict(), "told": body.get("problems"), "equal": equal}


if __name__ == "__main__":
    main()
