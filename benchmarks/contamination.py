"""The threshold by meaning of the contamination check: at which cosine are two questions the same in other clothes?

    python benchmarks/contamination.py --data ../shared/data

Positives: MedQA-USMLE stems of 30 words or more beside an altered copy, altered as questions are when they leak: typing
slips, another age and other figures, a sentence left out, sentences in another order, words for words (a list of
clinical synonyms), and all of these at once. Negatives: of a second set of such stems, the nearest stem of *another*
question (the hardest negative there is), and a random one. The n-gram measure (words) stands beside, as the check uses
both. The threshold is chosen on one half of the questions (by hash): the lowest with at most 1 % of nearest neighbours
called the same; the other half reports. Nearest neighbours of which the n-grams say that they are the same vignette
reused are no negatives, and are left out and counted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tracejury.models import embedder
from tracejury.traces import Question
from tracejury.training.contamination import COSINE, find_overlaps

SYNONYMS = {
    "comes to the physician": "presents to the clinic",
    "is brought to the emergency department": "arrives at the emergency room",
    "shows": "reveals",
    "because of": "due to",
    "history of": "background of",
    "shortness of breath": "dyspnea",
    "physical examination": "examination",
    "most likely": "most probable",
    "which of the following": "what",
    "patient": "individual",
    "man": "male",
    "woman": "female",
    "pain": "discomfort",
    "medications": "drugs",
    "blood pressure": "BP",
    "for the past": "over the last",
}
_SENTENCE = re.compile(r"(?<=[.?!])\s+")


def slips(text: str, rng: random.Random) -> str:
    """Swap two letters in one word of twelve."""
    words = text.split(" ")
    for i in rng.sample(range(len(words)), max(1, len(words) // 12)):
        if len(words[i]) > 4 and words[i].isalpha():
            at = rng.randrange(1, len(words[i]) - 2)
            words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2 :]
    return " ".join(words)


def figures(text: str, rng: random.Random) -> str:
    """Change every figure by up to a fifth."""
    return re.sub(r"\d+", lambda m: str(max(1, round(int(m[0]) * rng.choice((0.8, 0.9, 1.1, 1.2))))), text)


def shorter(text: str, rng: random.Random) -> str:
    """Leave out one sentence, not the last: it asks."""
    sentences = _SENTENCE.split(text)
    if len(sentences) > 2:
        del sentences[rng.randrange(len(sentences) - 1)]
    return " ".join(sentences)


def reordered(text: str, rng: random.Random) -> str:
    """Put the sentences between the first and the last in another order."""
    first, *middle, last = _SENTENCE.split(text) if len(_SENTENCE.split(text)) > 1 else (text, "")
    rng.shuffle(middle)
    return " ".join([first, *middle, last]).strip()


def reworded(text: str, rng: random.Random) -> str:
    """Replace what the list has other words for."""
    for old, new in SYNONYMS.items():
        text = re.sub(rf"\b{old}\b", new, text, flags=re.I)
    return text


def everything(text: str, rng: random.Random) -> str:
    """Do all of it."""
    for alter in (shorter, reordered, reworded, figures, slips):
        text = alter(text, rng)
    return text


ALTERATIONS: dict[str, Callable[[str, random.Random], str]] = {
    "typing slips": slips,
    "other figures": figures,
    "a sentence left out": shorter,
    "sentences in another order": reordered,
    "other words": reworded,
    "all at once": everything,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/contamination.json"))
    parser.add_argument("--questions", type=int, default=1000)
    args = parser.parse_args()
    lines = (args.data / "mirage" / "medqa_us_4opt_test.jsonl").read_text("utf-8").splitlines()
    stems = list(dict.fromkeys(s for s in (json.loads(line)["question"] for line in lines) if len(s.split()) >= 30))
    stems = random.Random(0).sample(stems, min(args.questions, len(stems)))
    rng = random.Random(1)
    altered = {name: [alter(s, rng) for s in stems] for name, alter in ALTERATIONS.items()}
    model = embedder("minilm")
    vectors = model.embed(stems)
    same = {name: np.sum(vectors * model.embed(texts), axis=1) for name, texts in altered.items()}
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    nearest = cosines.argmax(axis=1)
    reused = np.array([by_words(s, stems[n]) for s, n in zip(stems, nearest, strict=True)])
    hardest = cosines.max(axis=1)
    chance = np.array([cosines[i, (i + len(stems) // 2) % len(stems)] for i in range(len(stems))])
    half = np.array([int(hashlib.sha256(s.encode()).hexdigest(), 16) % 2 for s in stems])
    chosen = round(float(np.quantile(hardest[(half == 0) & ~reused], 0.99)) + 0.005, 2)
    report = half == 1
    words = {
        name: np.array([by_words(t, s) for s, t in zip(stems, texts, strict=True)]) for name, texts in altered.items()
    }
    result = {
        "questions": {"chosen on": int((~report).sum()), "reported on": int(report.sum())},
        "nearest neighbours that are one vignette reused (left out)": int(reused.sum()),
        "threshold chosen": chosen,
        "threshold in use": COSINE,
        "at": {
            str(t): at(t, same, words, hardest, chance, reused, report)
            for t in sorted({0.85, 0.9, chosen, COSINE, 0.95})
        },
        "quantiles of the nearest other question": {
            str(q): round(float(np.quantile(hardest[report & ~reused], q)), 3) for q in (0.5, 0.9, 0.95, 0.99, 1)
        },
        "embedder": model.name,
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "command": "python benchmarks/contamination.py",
    }
    args.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


def at(
    threshold: float,
    same: dict[str, np.ndarray],
    words: dict[str, np.ndarray],
    hardest: np.ndarray,
    chance: np.ndarray,
    reused: np.ndarray,
    report: np.ndarray,
) -> dict[str, Any]:
    """Return what the threshold finds on the half that reports."""
    others = report & ~reused
    return {
        "found, by meaning": {n: share(c[report] >= threshold) for n, c in same.items()},
        "found, by words or meaning": {n: share((c >= threshold)[report] | words[n][report]) for n, c in same.items()},
        "nearest other question called the same": share(hardest[others] >= threshold),
        "random other question called the same": share(chance[others] >= threshold),
    }


def by_words(one: str, other: str) -> bool:
    """Tell whether the n-gram measure calls the two the same."""
    pair = [Question(key=k, stem=s, options={}, source="x") for k, s in (("a", one), ("b", other))]
    return bool(find_overlaps(pair[:1], pair[1:])) or one == other


def share(hits: np.ndarray) -> str:
    """Return k / n."""
    return f"{int(hits.sum())}/{hits.size} = {hits.mean():.3f}"


if __name__ == "__main__":
    main()
