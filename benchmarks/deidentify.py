"""De-identification by rule: what is found of made-up identifiers, and what it does to clinical figures.

    python benchmarks/deidentify.py --data ../shared/data

Recall and precision come from notes that a generator writes with identifiers of every kind, in many spellings, among
clinical sentences full of figures. The rules were mended on another seed, and whoever wrote them wrote the generator:
of a hospital's own notes expect less. A kind counts as found when the whole value is gone. Names without a title or a
label are written as well: no rule can see those, and the table says so.

False positives come from real texts without identifiers: the demo's vignettes and traces, MR-Ben's questions and
chains of thought, MEDEC's notes. Every finding there counts. Wilson intervals, 95 %.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tracejury.traces import Question, Trace, identifiers, read

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "deidentify.json"
FIRST = ("Maria", "John", "Aisha", "Wei", "Olga", "Carlos", "Fatima", "Liam", "Ingrid", "Kofi", "Priya", "Samuel")
LAST = ("Okafor", "Smith", "Nguyen", "Garcia", "Kowalski", "O'Brien", "Haddad", "Lindqvist", "Tanaka", "Baker-Hill")
STREETS = ("Oak", "Maple", "Second", "Lake View", "Elm", "Park")
MONTHS = ("January", "February", "Mar.", "April", "May", "June", "Jul", "August", "Sept.", "October", "Nov", "December")
CLINICAL = (
    "His blood pressure is 148/92 mm Hg and his pulse is 98/min.",
    "She takes metformin 500-1000 mg twice daily and 10/12.5 mg of lisinopril/hydrochlorothiazide.",
    "Serum sodium is 128 mEq/L, potassium 3.1 mEq/L, creatinine 1.4 mg/dL and pH 7.31.",
    "Strength is 4/5 in the left leg; a 3/6 systolic murmur is heard; GCS is 14/15.",
    "Symptoms began 10-14 days ago and last 2 to 3 hours, 4-6 times a week.",
    "At 28 weeks' gestation (G3P2) the fundal height is 27 cm; ANA is positive at 1:160.",
    "A Hodgkin lymphoma was treated with 6 cycles; CD4 count is 200-350/mm3, 95% CI 20.6-22.8.",
)


def date(draw: random.Random) -> str:
    year, month, day = draw.randint(1931, 2025), draw.randint(1, 12), draw.randint(1, 28)
    name = MONTHS[month - 1]
    return draw.choice(
        (f"{month}/{day}/{year}", f"{month:02}/{day:02}/{year % 100:02}", f"{year}-{month:02}-{day:02}",
         f"{day:02}.{month:02}.{year}", f"{name} {day}, {year}", f"{day} {name} {year}", f"{name} {day}",
         f"{name} {year}",
         f"{day}th of {name}")
    )  # fmt: skip


def digits(draw: random.Random, n: int) -> str:
    return "".join(str(draw.randint(0, 9)) for _ in range(n))


def phone(draw: random.Random) -> str:
    a, b, c = f"{draw.randint(201, 989)}", f"{draw.randint(200, 999)}", digits(draw, 4)
    return draw.choice(
        (f"({a}) {b}-{c}", f"{a}-{b}-{c}", f"{a}.{b}.{c}", f"+1 {a} {b} {c}", f"+44 20 7{b} {c}", f"1-{a}-{b}-{c}")
    )


def full(draw: random.Random) -> str:
    return f"{draw.choice(FIRST)} {draw.choice(LAST)}"


def address(draw: random.Random) -> str:
    street = f"{draw.randint(1, 9999)} {draw.choice(STREETS)} {draw.choice(('Street', 'Ave', 'Rd.', 'Lane', 'Drive'))}"
    return street + draw.choice(("", f", Springfield, IL {draw.randint(10000, 99999)}"))


# Kind -> (what is written around it, the value). The value alone must be gone.
GENERATORS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "DATE": lambda d: (d.choice(("Seen on {}.", "DOB: {}.", "The scan of {} was normal.", "Admitted {}.")), date(d)),
    "PHONE": lambda d: (d.choice(("Call {}.", "Phone: {}.", "Reachable at {} in the evening.")), phone(d)),
    "EMAIL": lambda d: ("Write to {}.", f"{d.choice(FIRST)}.{d.choice(LAST)[-5:]}@mail.example.org".lower()),
    "URL": lambda d: ("Portal: {} has it.", f"https://portal.example.org/patient/{digits(d, 6)}"),
    "IP": lambda d: ("Logged in from {}.", ".".join(str(d.randint(1, 254)) for _ in range(4))),
    "SSN": lambda d: (
        d.choice(("SSN {}.", "Social security number: {}.")), f"{digits(d, 3)}-{digits(d, 2)}-{digits(d, 4)}"
    ),
    "ID": lambda d: (
        d.choice(("MRN: {}.", "Medical record number {}.", "Account no. {}.", "(MRN {})", "Accession # {}.")),
        d.choice((digits(d, 7), digits(d, 10), f"A{digits(d, 8)}", f"{digits(d, 3)}-{digits(d, 4)}")),
    ),
    "ADDRESS": lambda d: ("Lives at {}.", address(d)),
    "NAME, titled or labelled": lambda d: (
        d.choice(("{} was seen.", "Referred by {}.")), f"{d.choice(('Mr.', 'Mrs.', 'Ms.', 'Dr.', 'Prof.'))} {full(d)}",
    ) if d.random() < 0.7 else ("Patient name: {}.", full(d)),
    "NAME, bare": lambda d: ("{} says that it began suddenly.", full(d)),
}  # fmt: skip
TITLES = ("Mr. ", "Mrs. ", "Ms. ", "Dr. ", "Prof. ")


def wilson(k: int, n: int) -> str:
    if not n:
        return "0/0"
    z, p = 1.96, k / n
    centre, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)
    return f"{k}/{n} = {p:.4f} [{max(low, 0):.4f}, {min(high, 1):.4f}]"


def made_up(notes: int, seed: int) -> dict[str, object]:
    draw = random.Random(seed)
    found_count: Counter[str] = Counter()
    written_count: Counter[str] = Counter()
    as_kind: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for _ in range(notes):
        text, truth = "", []
        for kind in draw.sample(list(GENERATORS), 4):
            frame, value = GENERATORS[kind](draw)
            text += draw.choice(CLINICAL) + " "
            begin = len(text) + frame.index("{}")
            text += frame.format(value) + " "
            bare = next((len(t) for t in TITLES if value.startswith(t)), 0)
            truth.append((kind, begin + bare, begin + len(value)))
        spans = identifiers(text)
        for kind, start, end in truth:
            written_count[kind] += 1
            found_count[kind] += any(s.start <= start and end <= s.end for s in spans) or _covered(spans, start, end)
        for span in spans:
            as_kind[span.kind] += 1
            right[span.kind] += any(span.start < end and start < span.end for _, start, end in truth)
    return {
        "notes": notes,
        "seed": seed,
        "recall": {kind: wilson(found_count[kind], written_count[kind]) for kind in GENERATORS},
        "precision": {kind: wilson(right[kind], as_kind[kind]) for kind in sorted(as_kind)},
    }


def _covered(spans: list, start: int, end: int) -> bool:
    return sum(min(s.end, end) - max(s.start, start) for s in spans if s.start < end and start < s.end) >= end - start


def real(name: str, reader: str, path: Path) -> dict[str, object]:
    texts = hit = 0
    kinds: Counter[str] = Counter()
    examples: list[str] = []
    characters = 0
    for text in _texts(reader, path):
        spans = identifiers(text)
        texts += 1
        characters += len(text)
        hit += bool(spans)
        for span in spans:
            kinds[span.kind] += 1
            if len(examples) < 25:
                examples.append(f"{span.kind}: {text[max(0, span.start - 20) : span.end + 20]}")
    return {"of": name, "texts": texts, "characters": characters, "texts_touched": wilson(hit, texts),
            "findings": dict(kinds), "first": examples}  # fmt: skip


def _texts(reader: str, path: Path) -> Iterator[str]:
    for record in read(reader, path):
        if isinstance(record, Question):
            yield record.stem
        elif isinstance(record, Trace):
            yield record.text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--notes", type=int, default=2_500)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    body = {
        "command": f"python {' '.join(sys.argv)}",
        "commit": commit,
        "made_up": made_up(options.notes, options.seed),
    }
    body["real"] = [real("demo", "native", ROOT / "configs" / "demo")]
    if (options.data / "mr_ben").is_dir():
        body["real"].append(real("MR-Ben", "mr-ben", options.data / "mr_ben" / "medicine_dev_subset.json"))
    body["real"] += [real("MEDEC", "medec", path) for path in sorted((options.data / "medec").glob("*.csv"))]
    RESULTS.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(body, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
