"""How many pairs the checker `nli` reads a second on one core: sentences of the demo beside one to three others."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

from tracejury.agents.entailment import CHECKER_WEIGHTS, Entailment
from tracejury.traces import split_sentences

DEMO = Path(__file__).parents[1] / "configs" / "demo"
PAIRS = 240


def pairs_a_second() -> float:
    """Return pairs by seconds of processor time, with one thread, the model's loading left out."""
    texts = [json.loads(line)["stem"] for line in (DEMO / "questions.jsonl").read_text("utf-8").splitlines()]
    sentences = [text[a:b] for text in texts for a, b in split_sentences(text)]
    pairs = [
        (sentences[(7 * i + 1) % len(sentences)], " ".join(sentences[i : i + size]))
        for i, size in zip(range(PAIRS), itertools.cycle((1, 2, 3)), strict=False)
    ]
    model = Entailment(CHECKER_WEIGHTS, threads=1)
    model.score(pairs[:3])
    began = time.process_time()
    for pair in pairs:
        model.score([pair])
    return len(pairs) / (time.process_time() - began)


if __name__ == "__main__":
    print(f"{pairs_a_second():.1f} pairs a second of one core")
