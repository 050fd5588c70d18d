"""What prompts and replies cost in tokens of the embedded model: fences, rules, perspectives, replies at their bounds.

    python benchmarks/prompt_tokens.py --data ../shared/data

Fills the reply schema's strings to their bounds with text cut from real vignettes, the worst that the grammar lets
through, and counts with the embedded model's own tokenizer.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tracejury.agents import Case, ContextStep
from tracejury.agents.prompting import case_messages, prompt
from tracejury.agents.replies import judge_reply
from tracejury.models import EmbeddedServer, render, weights_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/prompt_tokens.json"))
    parser.add_argument("--n", type=int, default=400)
    args = parser.parse_args()
    lines = (args.data / "mirage" / "medqa_us_4opt_test.jsonl").read_text("utf-8").splitlines()
    stems = [json.loads(line)["question"] for line in lines]
    server = EmbeddedServer(weights_path("smollm2-135m"))
    try:
        count = counter(server.start())
        replies = {str(cap): reply_tokens(cap, stems, args.n, count) for cap in (160, 400, 512)}
        result = {
            "model": "smollm2-135m",
            "n": args.n,
            "replies_at_their_bounds": replies,
            "tokens": prompt_tokens(stems[0], count),
            "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
            "command": "python benchmarks/prompt_tokens.py",
        }
    finally:
        server.stop()
    args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def counter(base_url: str) -> Callable[[str], int]:
    def count(text: str) -> int:
        request = urllib.request.Request(
            base_url.removesuffix("/v1") + "/tokenize", json.dumps({"content": text}).encode()
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return len(json.load(reply)["tokens"])

    return count


def reply_tokens(cap: int, stems: list[str], n: int, count: Callable[[str], int]) -> dict[str, float]:
    schema = judge_reply(cap).model_json_schema()
    findings, quotes = schema["properties"]["findings"], schema["properties"]["quotes"]
    chars = findings["items"]["maxLength"]
    rng, counts = random.Random(0), []
    for _ in range(n):

        def cut() -> str:
            stem = rng.choice([s for s in stems if len(s) > chars])
            start = rng.randrange(len(stem) - chars)
            return stem[start : start + chars]

        reply = {
            "findings": [cut() for _ in range(findings["maxItems"])],
            "quotes": [{"evidence": "vignette", "quote": cut()} for _ in range(quotes["maxItems"])],
            "label": "supported",
            "error_type": "unsupported_inference",
            "confidence": 100,
        }
        counts.append(count(json.dumps(reply, indent=2, ensure_ascii=False)))
    counts.sort()
    over = sum(c > cap for c in counts)
    return {"chars": chars, "median": counts[n // 2], "p95": counts[int(0.95 * n)], "most": counts[-1], "over": over}


def prompt_tokens(stem: str, count: Callable[[str], int]) -> dict[str, int]:
    def whole(case: Case) -> int:
        rendered = render(case_messages(case, prompt("facts").text), "0123456789ab")
        return sum(count(m["content"]) for m in rendered)

    bare = Case(step_id="s", trace_id="t", stem=stem, step_index=9, step="The step.")
    more = bare.model_copy(update={"context": tuple(ContextStep(index=i, text="The step.") for i in range(8))})
    names = ("rules", "facts", "inference", "safety", "resolver")
    return {name: count(prompt(name).text) for name in names} | {
        "heading_and_fence_of_a_piece": round((whole(more) - whole(bare)) / 8) - count("The step.")
    }


if __name__ == "__main__":
    main()
