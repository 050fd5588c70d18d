"""What it costs to break the special tokens of the served model in every prompt, and to read them once.

    python benchmarks/special_tokens.py

Rendering of prompts of six fenced texts (the demo's traces), with and without tokens of a model, in turns; and the time
to read the tokens of each fetched GGUF.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import time
from pathlib import Path

from tracejury.models import (
    CATALOGUE,
    Data,
    Endpoint,
    Message,
    is_fetched,
    look_alikes,
    render,
    special_tokens,
    weights_path,
)

HERE = Path(__file__).parent
PROMPTS, ROUNDS = 300, 15
TOKENS: dict[str, tuple[str, ...]] = {
    "3": ("[[~X~]]", "<x-turn>", "]~end]"),
    "40": tuple(f"[PAD{n}]" for n in range(20)) + tuple(f"<ctrl{n}>" for n in range(20)),
    "1000": tuple(f"<ctrl{n}>" for n in range(1000)),
}


def main() -> None:
    draw = random.Random(0)
    lines = (HERE.parent / "configs" / "demo" / "traces.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    prompts = [
        [Message(role="user", parts=tuple(Data(label="step", text=draw.choice(texts)) for _ in range(6)))]
        for _ in range(PROMPTS)
    ]
    ratios = {}
    for name, tokens in TOKENS.items():
        pairs = [(rendering_us(prompts, ()), rendering_us(prompts, tokens)) for _ in range(ROUNDS)]
        ratios[f"{name} tokens that no pattern has"] = {
            "us a prompt without": round(statistics.median(without for without, _ in pairs), 1),
            "ratio": round(statistics.median(with_ / without for without, with_ in pairs), 3),
        }
    result = {
        "characters a prompt": sum(len(part.text) for p in prompts for part in p[0].parts if isinstance(part, Data))
        // PROMPTS,
        "prompts": PROMPTS,
        "rounds": ROUNDS,
        "rendering": ratios,
        "reading": {
            name: reading(name) for name in CATALOGUE if is_fetched(name) and weights_path(name).suffix == ".gguf"
        },
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "command": "python benchmarks/special_tokens.py",
    }
    (HERE / "results" / "special_tokens.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def rendering_us(prompts: list[list[Message]], tokens: tuple[str, ...]) -> float:
    """Return microseconds a prompt."""
    forged = look_alikes(tokens)
    started = time.perf_counter()
    for messages in prompts:
        render(messages, "0123456789ab", forged)
    return 1e6 * (time.perf_counter() - started) / len(prompts)


def reading(name: str) -> dict[str, float]:
    """Return the number of special tokens of fetched weights, of those that no pattern has, and the seconds."""
    started = time.perf_counter()
    tokens = special_tokens(Endpoint(name="e", kind="embedded", model=name))
    seconds = time.perf_counter() - started
    beyond = [token for token in tokens if look_alikes((token,)) is not look_alikes(())]
    return {"tokens": len(tokens), "no pattern has": len(beyond), "seconds": round(seconds, 3)}


if __name__ == "__main__":
    main()
