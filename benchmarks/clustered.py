"""An index of clustered vectors, as real ones are: recall against brute force, latency of fused queries, memory.

    python -m benchmarks.clustered 50000

Each passage's vector is the centre of its cluster plus noise, of length 1; one cluster for 50 passages. Words follow
Zipf's law. Wall times hang on what else runs on the machine, so processor times stand beside them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.sizes import Synthetic
from tracejury.retrieval import Finder, Index, Query, chunk
from tracejury.retrieval.build import embedded_text

OUT = Path(__file__).parent / "results" / "retrieval-clustered.json"
NOISE = 0.6
"""Length of the noise beside a centre of length 1: two passages of a cluster have a cosine of about .74."""
QUERIES = 200


class ClusteredVectors:
    """The vector of a text: its cluster's centre and noise, always the same."""

    name = "clustered"
    dim = 384

    def __init__(self, clusters: int) -> None:
        self.centres = _unit(np.random.default_rng(0).standard_normal((clusters, self.dim), dtype=np.float32))

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        noise = np.stack([np.random.default_rng(s).standard_normal(self.dim, dtype=np.float32) for s in seeds])
        return _unit(self.centres[[seed % len(self.centres) for seed in seeds]] + NOISE * _unit(noise))


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def measure(n: int) -> dict[str, Any]:
    vectors = ClusteredVectors(max(1, n // 50))
    source = Synthetic(n)
    with tempfile.TemporaryDirectory() as folder:
        wall, busy = time.perf_counter(), time.process_time()
        index = Index.open(folder, vectors)
        index.build(source)
        built = {
            "passages_per_s": round(n / (time.perf_counter() - wall)),
            "passages_per_cpu_s": round(n / (time.process_time() - busy)),
        }
        index.lexical(source.name)
        disk = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file()) / 1e6
        result = built | {"disk_mb": round(disk), "recall_at_10": recall(index, source, vectors)}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.clustered", str(n), "--read", folder],
            capture_output=True,
            text=True,
            check=True,
        )
        return result | json.loads(done.stdout.splitlines()[-1])


def recall(index: Index, source: Synthetic, vectors: ClusteredVectors) -> dict[str, float]:
    """Return the share of the ten nearest that the index finds, over queries drawn as the passages are."""
    passages = [passage for document in source.documents() for passage in chunk(document)]
    everything = np.concatenate(
        [vectors.embed([embedded_text(p) for p in passages[i : i + 2000]]) for i in range(0, len(passages), 2000)]
    )
    queries = vectors.embed([f"query {i}" for i in range(QUERIES)])
    shares = []
    for found, similarity in zip(index.nearest(source.name, queries, 10), queries @ everything.T, strict=True):
        nearest = {passages[i].id for i in np.argpartition(-similarity, 10)[:10]}
        shares.append(len(nearest & {passage_id for passage_id, _ in found}) / 10)
    draws = np.random.default_rng(0).choice(shares, (4000, QUERIES)).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return {"mean": round(float(np.mean(shares)), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def read(folder: str, n: int) -> dict[str, Any]:
    """Return the latency of fused queries and the memory of a process that does nothing else."""
    index = Index.open(folder, ClusteredVectors(max(1, n // 50)))
    finder = Finder(index, k=5)
    rng = np.random.default_rng(1)
    finder.find([Query(text="w1 w2")])
    wall, busy = [], []
    for _ in range(QUERIES):
        query = Query(text=" ".join(f"w{w}" for w in rng.zipf(1.3, 20) % 50_000))
        began, worked = time.perf_counter(), time.process_time()
        finder.find([query])
        wall.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - worked))
    quantiles = {
        f"fused_p{q}_{kind}_ms": round(float(np.percentile(ms, q)), 1)
        for kind, ms in (("wall", wall), ("cpu", busy))
        for q in (50, 95)
    }
    return quantiles | {"rss_mb": round(psutil.Process().memory_info().rss / 1e6)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.read:
        print(json.dumps(read(args.read, args.n)))
        return
    results = json.loads(OUT.read_text("utf-8")) if OUT.is_file() else {}
    results[str(args.n)] = measure(args.n) | {
        "n_queries": QUERIES,
        "command": f"python -m benchmarks.clustered {args.n}",
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "load": round(os.getloadavg()[0], 1),
        "cores": psutil.cpu_count(),
    }
    OUT.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(json.dumps(results[str(args.n)], indent=1))


if __name__ == "__main__":
    main()
