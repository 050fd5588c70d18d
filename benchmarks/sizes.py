"""How an index grows: building speed, query latency, memory and disk at several sizes.

Vectors are random and of length 1, the hardest case for a graph index: real ones lie in clusters. Every size runs in a
process of its own, so that its memory is its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tracejury.retrieval import Document, Finder, Index, Query
from tracejury.traces import Problem

SIZES = (1_000, 20_000, 200_000)
_WORDS = 60


class RandomVectors:
    """A vector of length 1 for each text, always the same one."""

    name = "random"
    dim = 384

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(t.encode()).digest()[:8]) for t in texts]
        rows = np.stack([np.random.default_rng(s).standard_normal(self.dim, dtype=np.float32) for s in seeds])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class Synthetic:
    """`n` documents of one passage, of words that follow Zipf's law."""

    name = "synthetic"
    license = "none"
    version = "1"

    def __init__(self, n: int) -> None:
        self.n = n

    def documents(self) -> Iterator[Document | Problem]:
        rng = np.random.default_rng(0)
        for i in range(self.n):
            words = " ".join(f"w{w}" for w in rng.zipf(1.3, _WORDS) % 50_000)
            yield Document(source=self.name, title=f"t{i}", text=f"{words}.", citation="-", license="-", key=str(i))


def measure_sizes(args: argparse.Namespace) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for n in SIZES:
        done = subprocess.run([sys.executable, __file__, str(n)], capture_output=True, text=True, check=True)
        out[str(n)] = json.loads(done.stdout.splitlines()[-1])
        print(n, out[str(n)], flush=True)
    rss = {n: out[str(n)]["rss_mb_reading"] for n in SIZES}
    disk = {n: out[str(n)]["disk_mb"] for n in SIZES}
    grow = (SIZES[-1] - SIZES[0]) / 1000
    return out | {
        "growth": {
            "memory_mb_per_1000_passages": round((rss[SIZES[-1]] - rss[SIZES[0]]) / grow, 2),
            "disk_mb_per_1000_passages": round((disk[SIZES[-1]] - disk[SIZES[0]]) / grow, 2),
        },
        "note": "embedding left out (random vectors): with MiniLM it takes most of a build",
        "cores": psutil.cpu_count(),
        "load": round(psutil.getloadavg()[0], 1),
    }


def _one(n: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        Index.open(folder, RandomVectors()).build(Synthetic(n))
        built = time.perf_counter() - began
        reading = subprocess.run(
            [sys.executable, __file__, "read", folder], capture_output=True, text=True, check=True
        ).stdout.splitlines()[-1]
        disk = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file()) / 1e6
    return {"passages_per_s": round(n / built), "disk_mb": round(disk, 1)} | json.loads(reading)


def _read(folder: str) -> dict[str, Any]:
    began = time.perf_counter()
    index = Index.open(folder, RandomVectors())
    opened = time.perf_counter() - began
    out: dict[str, Any] = {"open_ms": round(opened * 1000, 1)}
    rng = np.random.default_rng(1)
    ways = {"dense": {"fusion": False}, "fused": {}}
    for way, params in ways.items():
        finder = Finder(index, k=5, **params)
        finder.find([Query(text="w1 w2")])
        for size, rounds in ((1, 200), (32, 20)):
            taken, worked = [], []
            for _ in range(rounds):
                asked = [Query(text=" ".join(f"w{w}" for w in rng.zipf(1.3, 20) % 50_000)) for _ in range(size)]
                began, busy = time.perf_counter(), time.process_time()
                finder.find(asked)
                taken.append((time.perf_counter() - began) / size * 1000)
                worked.append((time.process_time() - busy) / size * 1000)
            key = f"{way}, {'single' if size == 1 else 'batches of 32, each'}"
            out[key] = {f"p{q}_ms": round(float(np.percentile(taken, q)), 2) for q in (50, 95)}
            # What other programs on the machine do shows in the clock, not in this.
            out[key]["p50_cpu_ms"] = round(float(np.percentile(worked, 50)), 2)
    out["rss_mb_reading"] = round(psutil.Process().memory_info().rss / 1e6)
    return out


if __name__ == "__main__":
    print(json.dumps(_read(sys.argv[2]) if sys.argv[1] == "read" else _one(int(sys.argv[1]))))
