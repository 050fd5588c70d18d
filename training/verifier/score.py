"""Score the pairs of a file with an entailment model, one pair at a time, in several processes.

    python -m tracejury.training.verifier.score PAIRS.json.xz SCORES.npy [--weights FILE] [--processes 8]

Writes float32 (pairs, 3): supported, contradicted, not enough. `measure` reads them.
"""

from __future__ import annotations

import argparse
import json
import lzma
import multiprocessing
from pathlib import Path

import numpy as np

from tracejury.agents.entailment import WEIGHTS, Entailment

_models: list[Entailment] = []


def main() -> None:
    """Read, score, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    with lzma.open(args.pairs, "rt") as handle:
        file = json.load(handle)
    texts = file["texts"]
    # A pool whose processes cannot load the model starts new ones for ever: it is loaded here first.
    _load(args.weights)
    pairs = list(dict.fromkeys((texts[claim], texts[evidence]) for claim, evidence, *_ in file["rows"]))
    with multiprocessing.get_context("spawn").Pool(args.processes, _load, (args.weights,)) as pool:
        scores = dict(zip(pairs, pool.imap(_score, pairs, chunksize=200), strict=True))
    rows = [scores[texts[claim], texts[evidence]] for claim, evidence, *_ in file["rows"]]
    np.save(args.out, np.array(rows, np.float32))


def _load(weights: Path) -> None:
    _models.append(Entailment(weights, threads=1))


def _score(pair: tuple[str, str]) -> tuple[float, ...]:
    return tuple(_models[0].score([pair])[0])


if __name__ == "__main__":
    main()
