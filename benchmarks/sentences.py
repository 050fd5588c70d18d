"""How well sentence splitters find the boundaries that were marked by hand in MIRAGE and Reasoning-Guidance traces.

    python benchmarks/sentences.py [--data DIR]

`benchmarks/sentences.json` holds the marks: for each trace its id, the SHA-256 of its text and the character offsets at
which a new sentence begins; the texts stay where they are. Marked as sentences are also a list item, a heading, a row
and a formula on a line of its own. Set `first` was marked before a splitter was chosen, half of it picked for
abbreviations, decimals, doses, lists and markdown; `second` is a later draw that no splitter was changed for.
Libraries that are not installed are left out: pip install pysbd sentencex (blingfire needs numpy).

A false alarm is a boundary where none was marked. `+ lines` splits at line breaks first, as tracejury does.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tracejury.traces import Trace, read
from tracejury.traces.splitting import split_sentences

ROOT = Path(__file__).resolve().parents[1]
Splitter = Callable[[str], list[int]]


def splitters() -> Iterator[tuple[str, Splitter]]:
    """Yield each splitter: a function from a text to the offsets at which its sentences begin."""
    yield "tracejury", lambda text: [span.start for span in split_sentences(text)]
    for name, load in (("syntok", _syntok), ("pysbd", _pysbd), ("sentencex", _sentencex), ("blingfire", _blingfire)):
        if importlib.util.find_spec(name) and (name != "blingfire" or importlib.util.find_spec("numpy")):
            split = load()
            named = f"{name} {importlib.metadata.version(name)}"
            yield named, split
            yield f"{named} + lines", _by_line(split)


def _by_line(split: Splitter) -> Splitter:
    def lines(text: str) -> list[int]:
        return [m.start() + at for m in re.finditer(r"\S[^\n]*", text) for at in split(m.group())]

    return lines


def _syntok() -> Splitter:
    from syntok.segmenter import analyze

    return lambda text: [sentence[0].offset for part in analyze(text) for sentence in part]


def _pysbd() -> Splitter:
    from pysbd import Segmenter

    segmenter = Segmenter(language="en", clean=False, char_span=True)
    return lambda text: [span.start for span in segmenter.segment(text)]


def _sentencex() -> Splitter:
    from sentencex import segment

    def split(text: str) -> list[int]:
        starts, at = [], 0
        for sentence in filter(None, (s.strip() for s in segment("en", text))):
            starts.append(text.find(sentence, at))
            at = starts[-1] + len(sentence)
        return starts

    return split


def _blingfire() -> Splitter:
    from blingfire import text_to_sentences_and_offsets

    return lambda text: [start for start, _ in text_to_sentences_and_offsets(text)[1]]


def texts(data: Path) -> dict[str, str]:
    """Return the texts of all traces that marks may refer to, by trace id."""
    sources = [("reasoning-guidance", data / "reasoning_guidance"), ("mirage", data / "mirage")]
    return {x.id: x.text for reader, path in sources for x in read(reader, path) if isinstance(x, Trace)}


def begins(text: str, starts: list[int]) -> set[int]:
    """Return where sentences after the first begin, past white space."""
    moved = {at + len(text[at:]) - len(text[at:].lstrip()) for at in starts}
    return {at for at in moved if 0 < at < len(text)} - {len(text) - len(text.lstrip())}


def main() -> None:
    """Print precision, recall and F1 of each splitter on both sets; write benchmarks/results/sentences.json."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", type=Path, default=os.environ.get("TRACEJURY_DATA", ROOT.parent / "shared" / "data"))
    texts_by_id = texts(Path(options.parse_args().data))
    marks = json.loads((ROOT / "benchmarks" / "sentences.json").read_text())
    for mark in marks:
        if hashlib.sha256(texts_by_id[mark["trace"]].encode()).hexdigest() != mark["sha256"]:
            raise SystemExit(f"{mark['trace']}: the text is not the one that was marked")
    rows = []
    for name, split in splitters():
        for part in ("first", "second"):
            right = extra = missed = 0
            began = time.perf_counter()
            for mark in (m for m in marks if m["set"] == part):
                text = texts_by_id[mark["trace"]]
                starts, marked = begins(text, split(text)), set(mark["boundaries"])
                right += len(starts & marked)
                extra += len(starts - marked)
                missed += len(marked - starts)
            row = {"splitter": name, "set": part, "boundaries": right + missed, "false_alarms": extra, "missed": missed}
            row |= {"f1": round(2 * right / (2 * right + extra + missed), 4)}
            row |= {"seconds": round(time.perf_counter() - began, 3)}
            rows.append(row)
            print(
                f"{name:26} {part:7} boundaries {row['boundaries']}  false alarms {extra:3}  missed {missed:3}  "
                f"F1 {row['f1']:.4f}  {row['seconds']:.2f} s"
            )
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    result = {"command": "python benchmarks/sentences.py", "commit": commit.strip(), "traces": len(marks), "rows": rows}
    (ROOT / "benchmarks" / "results" / "sentences.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
