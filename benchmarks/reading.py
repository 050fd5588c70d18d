"""How many rows a second `read` takes beside the same records validated alone, and whether its memory is flat.

Usage: python benchmarks/reading.py [--rows 100000] [--out benchmarks/results/reading.json]

Three inputs of the same questions and traces (1.6 kB a row): a batch in the native format, as `read` writes it; the
same without answers, which are then looked for in the replies; and a table of JSON lines whose fields `read` finds
itself. Reading and validation take turns, file part by file part, in one process, so that a busy machine slows both
alike. Validation alone is `json.loads` and `model_validate` of the records that were read, with their ids, and nothing
else; `by_rust` is pydantic's own `model_validate_json` without an id. Times are of the processor.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tracejury.traces import Question, Trace, read, write_batch

PARTS = 10
PROSE = """the patient has fever and a productive cough while pneumonia remains more likely than pulmonary embolism
because her oxygen saturation fell during exertion therefore blood cultures were drawn before antibiotics although renal
function limits contrast studies so we should consider ultrasound first"""
WORDS = PROSE.split()


class Seconds(NamedTuple):
    """Processor seconds for one part."""

    read: float
    validate: float
    by_rust: float


def prose(chance: random.Random, words: int) -> str:
    text = " ".join(chance.choice(WORDS) for _ in range(words))
    return text[0].upper() + text[1:] + "."


def row(chance: random.Random, number: int) -> dict[str, object]:
    """Return one row of the table: a question of 40 words and a reply of about 1.2 kB."""
    letter = chance.choice("ABCD")
    steps = "\n".join(f"{n}. {prose(chance, 30)}" for n in range(1, 6))
    return {
        "id": f"case-{number}",
        "question": f"{prose(chance, 40)} What is the diagnosis?",
        "options": {key: prose(chance, 3) for key in "ABCD"},
        "answer_idx": chance.choice("ABCD"),
        "model": "student",
        "output": f"{steps}\n\nTherefore, the answer is ({letter}).",
    }


def native_lines(row: dict[str, object], with_answer: bool) -> Iterator[str]:
    parts = {"id": row["id"], "stem": row["question"], "options": row["options"], "gold": row["answer_idx"]}
    yield json.dumps({"kind": "question", **parts})
    trace = {"kind": "trace", "question": row["id"], "model": row["model"], "text": row["output"]}
    yield json.dumps(trace | ({"answer": str(row["output"])[-3]} if with_answer else {}))


INPUTS: dict[str, Callable[[dict[str, object]], Iterable[str]]] = {
    "native": lambda row: native_lines(row, with_answer=True),
    "native, without answers": lambda row: native_lines(row, with_answer=False),
    "table": lambda row: [json.dumps(row)],
}


def file_names() -> list[str]:
    return [f"{name}{part}.jsonl" for name in INPUTS for part in ("", *(f"-{n}" for n in range(PARTS)))]


def measured(reader: str, path: Path) -> Seconds:
    records = (item for item in read(reader, path) if isinstance(item, Question | Trace))
    lines = [(type(item), item.model_dump_json(exclude={"id"})) for item in records]
    started = time.process_time()
    deque(read(reader, path), maxlen=0)
    reading = time.process_time() - started
    started = time.process_time()
    for kind, line in lines:
        kind.model_validate(json.loads(line)).id  # noqa: B018 - the id is computed when it is asked for
    validating = time.process_time() - started
    started = time.process_time()
    for kind, line in lines:
        kind.model_validate_json(line)
    return Seconds(reading, validating, time.process_time() - started)


def peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def memory_mb(reader: str, path: Path, folder: Path) -> list[float]:
    """Return the peak after each tenth of a batch that is read and written."""
    peaks: list[float] = []

    def watched() -> Iterator[Question | Trace]:
        for number, item in enumerate(read(reader, path)):
            if number % 20_000 == 19_999:
                peaks.append(peak_mb())
            yield item  # type: ignore[misc]

    write_batch(watched(), folder / f"batch-{reader}")
    return peaks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    result: dict[str, object] = {"rows": arguments.rows, "command": "python benchmarks/reading.py"}
    with tempfile.TemporaryDirectory() as temporary:
        folder, chance = Path(temporary), random.Random(0)
        # Written row by row, so that the memory measured is that of reading.
        with ExitStack() as stack:
            files = {f: stack.enter_context((folder / f).open("w")) for f in file_names()}
            for number in range(arguments.rows):
                one = row(chance, number)
                for name, lines_of in INPUTS.items():
                    text = "".join(f"{line}\n" for line in lines_of(one))
                    files[f"{name}.jsonl"].write(text)
                    files[f"{name}-{number % PARTS}.jsonl"].write(text)
        peaks = {name: memory_mb(name.partition(",")[0], folder / f"{name}.jsonl", folder) for name in INPUTS}
        for name in INPUTS:
            reader = name.partition(",")[0]
            times = [measured(reader, folder / f"{name}-{n}.jsonl") for n in range(PARTS)]
            total = Seconds(*(sum(column) for column in zip(*times, strict=True)))
            ratios = sorted(part.validate / part.read for part in times)
            result[name] = {
                "rows_per_cpu_second": round(arguments.rows / total.read),
                "validated_rows_per_cpu_second": round(arguments.rows / total.validate),
                "share_of_validation": round(total.validate / total.read, 3),
                "share_of_validation_min_max": [round(ratios[0], 3), round(ratios[-1], 3)],
                "share_of_validation_by_rust": round(total.by_rust / total.read, 3),
                "peak_mb_every_20000_records": peaks[name],
            }
            print(name, json.dumps(result[name], indent=1))
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
