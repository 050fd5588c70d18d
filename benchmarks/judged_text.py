"""How much of public traces' text is in steps, by arm, under the two segmenters.

    python benchmarks/judged_text.py [--data DIR]

`reasoning` is the default; `numbered` is the rule of the paper (docs/PROTOCOL.md). Of MIRAGE the first 750 chains of
thought of each of two models on MedQA, of reasoning-guidance and vlievin's table all. The judged share is characters in
steps / characters that say something, white space, enumerators and the closing answer left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tracejury.traces import Segmentation, Trace, read, segment, text_coverage

ROOT = Path(__file__).resolve().parents[1]
SEGMENTERS = ("reasoning", "numbered")
MIRAGE_TRACES = 750


def sets(data: Path) -> Iterator[tuple[str, Trace]]:
    """Yield each trace with the name of its set."""
    for model in ("gpt-35-turbo-16k", "gpt-4-32k"):
        found = read("mirage", data / "mirage" / "traces" / f"medqa.cot.{model}.jsonl")
        traces = (item for item in found if isinstance(item, Trace))
        yield from ((f"MIRAGE cot {model}", trace) for trace in islice(traces, MIRAGE_TRACES))
    for item in read("reasoning-guidance", data / "reasoning_guidance"):
        if isinstance(item, Trace):
            yield f"reasoning-guidance {item.arm}", item
    for item in read("vlievin", data / "vlievin_medical_reasoning" / "usmle-valid.html"):
        if isinstance(item, Trace):
            yield "vlievin", item


def main() -> None:
    """Print the table and write it to benchmarks/results/judged_text.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("TRACEJURY_DATA", ROOT.parent / "shared" / "data"))
    data = Path(parser.parse_args().data)
    segmentations: dict[tuple[str, str], list[Segmentation]] = defaultdict(list)
    for name, trace in sets(data):
        for segmenter in SEGMENTERS:
            found = segment(trace, segmenter)
            segmentations[name, segmenter].append(found.model_copy(update={"steps": found.steps[:1]}))
    rows: dict[str, dict[str, object]] = {}
    for (name, segmenter), parts in segmentations.items():
        counts = text_coverage(parts)
        share = None if counts.judged_share is None else round(100 * counts.judged_share, 1)
        rows.setdefault(name, {"traces": counts.traces})[segmenter] = {
            "judged_percent": share,
            "capped_pieces": counts.capped,
            "cut_chars": counts.cut_chars,
            "dropped_pieces": counts.dropped,
            "traces_without_steps": counts.without_steps,
        }
        print(f"{name:36} {segmenter:10} {counts.sentence()}", flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    result = {"command": "python benchmarks/judged_text.py", "commit": commit.strip(), "sets": rows}
    out = ROOT / "benchmarks" / "results" / "judged_text.json"
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
