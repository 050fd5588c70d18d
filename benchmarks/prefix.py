"""How much of the prompts the embedded server serves from its cache, and what that costs or saves.

    python benchmarks/prefix.py --traces 2

Ten-step traces of the demo, two LLM judges a step, at 1 and 4 slots, with `prefix_cache` on (a step's first judge
alone, a trace's steps in order) and off. Real model, real prompts; replies are capped short, since prefill is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tracejury.agents import Panel, Seat, load_panel
from tracejury.graphs import adjudicate
from tracejury.traces import Batch, Question, Trace, segment, write_batch

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "prefix.json"


def ten_steps(count: int) -> list[Question | Trace]:
    """Return `count` demo questions with one trace of ten steps each, made of the steps of the demo's two arms."""
    batch = Batch.open(ROOT / "configs" / "demo")
    records: list[Question | Trace] = []
    for question in list(batch.questions())[:count]:
        steps = [s.text for t in batch.traces() if t.question_id == question.id for s in segment(t).steps][:10]
        text = "\n".join(f"{i}. {' '.join(s.split())}" for i, s in enumerate(steps, 1))
        records += [question, Trace(question_id=question.id, model="demo", text=text)]
    return records


def panel_of(slots: int, prefix: bool) -> Panel:
    panel = load_panel("embedded")
    name, endpoint = next(iter(panel.endpoints.items()))
    changed = endpoint.model_copy(update={"slots": slots, "max_concurrency": slots, "prefix_cache": prefix})
    judges = tuple(j.model_copy(update={"seat": Seat.VOTE}) for j in panel.judges if j.endpoint)
    retrieval = panel.retrieval.model_copy(update={"sources": ()})
    return panel.model_copy(
        update={"endpoints": {name: changed}, "judges": judges, "retrieval": retrieval, "reply_tokens": 100}
    )


async def measure(folder: Path, slots: int, prefix: bool) -> dict[str, Any]:
    started = time.perf_counter()
    store = f"sqlite:///{folder}/{slots}-{prefix}.db"
    _, tally = await adjudicate(folder / "batch", panel_of(slots, prefix), store=store)
    return {
        "slots": slots,
        "prefix_cache": prefix,
        "steps": tally.steps,
        "calls": tally.calls,
        "prompt_tokens": tally.prompt_tokens,
        "cached_share": round(tally.cached_tokens / max(tally.prompt_tokens, 1), 3),
        "completion_tokens": tally.completion_tokens,
        "wall_s": round(time.perf_counter() - started, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=int, default=2)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 4])
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    about = {"command": f"python {' '.join(sys.argv)}", "commit": commit, "cores": os.cpu_count()}
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_batch(ten_steps(options.traces), folder / "batch")
        for slots in options.slots:
            for prefix in (True, False):
                rows.append(asyncio.run(measure(folder, slots, prefix)))
                print(rows[-1], flush=True)
                RESULT.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
