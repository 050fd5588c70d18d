"""An index of clustered vectors, as real ones are: recall against brute force, latency of fused queries, memory.

    python -m benchmarks.clustered 1000000 --folder big.index --kill-at 200000

Each passage's vector is the centre of its cluster plus noise, of length 1; one cluster for 50 passages. Words follow
Zipf's law. The build is killed once (SIGKILL) and taken up again; a build that was cut off is taken up by the same
command. Queries run in a process of their own on two cores, on the folder and on a Chroma server of the same files.
Wall times hang on what else runs on the machine, so processor times stand beside them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from chroma_at_work import chroma

from benchmarks.sizes import Synthetic
from tracejury.retrieval import Finder, Index, Query, chunk
from tracejury.retrieval.build import embedded_text

OUT = Path(__file__).parent / "results" / "retrieval-clustered.json"
NOISE = 0.6
"""Length of the noise beside a centre of length 1: two passages of a cluster have a cosine of about .74."""
QUERIES = 200
NEAREST = 10
NEAR = 0.5
"""Passages of another cluster have a cosine of less."""


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


def build(folder: Path, n: int, clusters: int) -> dict[str, Any]:
    """Build the index, or what an earlier try left to do, and the BM25 tables; say how far it is as it goes."""
    began = time.perf_counter()

    def say(passages: int, of: int | None) -> None:
        print(json.dumps({"passages": passages, "seconds": round(time.perf_counter() - began)}), flush=True)

    index = Index.open(folder, ClusteredVectors(clusters))
    report = index.build(Synthetic(n), progress=say)
    built, built_cpu = time.perf_counter() - began, time.process_time()
    index.lexical(Synthetic.name)
    return {
        "passages": report.passages,
        "resumed": report.resumed,
        "seconds": round(built),
        "cpu_seconds": round(built_cpu),
        "bm25_cpu_seconds": round(time.process_time() - built_cpu),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }


def build_killed_once(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Build in processes of their own; kill the first one with SIGKILL once it has added `kill_at` passages."""
    command = [*_command(args), "--folder", str(folder), "--stage", "build"]
    began, killed_at = time.perf_counter(), None
    for kill_at in (args.kill_at, None):
        last: dict[str, Any] = {}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                last = json.loads(line)
                if kill_at and last["passages"] >= kill_at:
                    process.send_signal(signal.SIGKILL)
                    killed_at = last["passages"]
                    break
        if killed_at is None or kill_at is None:
            break
    if "peak_mb" not in last:
        raise RuntimeError(f"the build ended early, after {last}")
    return last | {"killed_at": killed_at, "seconds_in_all": round(time.perf_counter() - began)}


def recall(index: Index, n: int, vectors: ClusteredVectors) -> dict[str, float]:
    """Return the share of the ten nearest that the index finds, over queries drawn as the passages are."""
    queries = vectors.embed([f"query {i}" for i in range(QUERIES)])
    best_ids = np.full((QUERIES, 0), "", dtype=object)
    best = np.zeros((QUERIES, 0), dtype=np.float32)
    for ids, block in _blocks(n, vectors):
        scores = np.concatenate([best, queries @ block.T], axis=1)
        names = np.concatenate([best_ids, np.tile(np.array(ids, dtype=object), (QUERIES, 1))], axis=1)
        rows = np.argsort(-scores, axis=1)[:, :NEAREST]
        best, best_ids = np.take_along_axis(scores, rows, 1), np.take_along_axis(names, rows, 1)
    found = index.nearest(Synthetic.name, queries, NEAREST)
    matches = np.array([[i in dict(hits) for i in nearest] for hits, nearest in zip(found, best_ids, strict=True)])
    shares, is_near = matches.mean(axis=1), best >= NEAR
    draws = np.random.default_rng(0).choice(shares, (4000, QUERIES)).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return {
        "mean": round(float(np.mean(shares)), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "of_those_in_the_cluster": round(float(matches[is_near].mean()), 4),
        "n_in_the_cluster": int(is_near.sum()),
    }


def _blocks(n: int, vectors: ClusteredVectors, size: int = 4000) -> Iterator[tuple[list[str], np.ndarray]]:
    passages = []
    for document in Synthetic(n).documents():
        passages += chunk(document)
        if len(passages) >= size:
            yield [p.id for p in passages], vectors.embed([embedded_text(p) for p in passages])
            passages = []
    if passages:
        yield [p.id for p in passages], vectors.embed([embedded_text(p) for p in passages])


def read(where: str, clusters: int) -> dict[str, Any]:
    """Return the latency of fused queries and the memory of a process that does nothing else, on two cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    began = time.perf_counter()
    finder = Finder(Index.open(where, ClusteredVectors(clusters)), k=5)
    finder.find([Query(text="w1 w2")])
    opened = time.perf_counter() - began
    rng = np.random.default_rng(1)
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
    memory = psutil.Process().memory_full_info()
    return quantiles | {
        "first_query_s": round(opened, 1),
        "rss_mb": round(memory.rss / 1e6),
        "private_mb": round(memory.uss / 1e6),
    }


def read_from_server(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Serve the same files with `chroma run`, under the name that a server's index gives them, and read from there."""
    import chromadb

    here = Index.open(folder, ClusteredVectors(args.clusters))
    entry = here.entry(Synthetic.name)
    generation = folder / Synthetic.name / str(entry.generation)
    served = f"{Synthetic.name}.{entry.generation}"
    with tempfile.TemporaryDirectory() as cache, chroma(generation, wait_s=120.0) as (address, server):
        os.environ["TRACEJURY_CACHE"] = cache
        client = chromadb.HttpClient(host="127.0.0.1", port=int(address.rsplit(":", 1)[1]))
        if Synthetic.name in {c.name for c in client.list_collections()}:
            client.get_collection(Synthetic.name, embedding_function=None).modify(name=served)
        there = Index.open(address, ClusteredVectors(args.clusters))
        there.storage.save(here.manifest())
        tables = next(generation.glob("bm25-*"))
        shutil.copytree(tables, there.storage.local / Synthetic.name / str(entry.generation) / tables.name)
        measured = _staged(args, ["--folder", address, "--stage", "read"])
        server_mb = round(psutil.Process(server).memory_info().rss / 1e6)
        client.get_collection(served, embedding_function=None).modify(name=Synthetic.name)
    return measured | {"server_rss_mb": server_mb}


def _command(args: argparse.Namespace) -> list[str]:
    return [sys.executable, "-m", "benchmarks.clustered", str(args.n), "--clusters", str(args.clusters)]


def _staged(args: argparse.Namespace, stage: Sequence[str]) -> dict[str, Any]:
    done = subprocess.run([*_command(args), *stage], capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int)
    parser.add_argument("--clusters", type=int, help="default: one for 50 passages")
    parser.add_argument("--folder", help="keep the index here, so that a later run takes it up")
    parser.add_argument("--kill-at", type=int, help="kill the build once it has added so many passages")
    parser.add_argument("--server", action="store_true", help="read from a Chroma server of the same files, too")
    parser.add_argument("--stage", choices=("build", "recall", "read"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.clusters = args.clusters or max(1, args.n // 50)
    if args.stage == "build":
        print(json.dumps(build(Path(args.folder), args.n, args.clusters)), flush=True)
    elif args.stage == "recall":
        vectors = ClusteredVectors(args.clusters)
        print(json.dumps(recall(Index.open(args.folder, vectors), args.n, vectors)))
    elif args.stage == "read":
        print(json.dumps(read(args.folder, args.clusters)))
    else:
        measure(args)


def measure(args: argparse.Namespace) -> None:
    """Run all stages, and write each result as it comes."""
    results = json.loads(OUT.read_text("utf-8")) if OUT.is_file() else {}
    about = {
        "n_queries": QUERIES,
        "clusters": args.clusters,
        "command": " ".join(["python -m benchmarks.clustered", *sys.argv[1:]]),
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "cores": psutil.cpu_count(),
    }
    result = results.setdefault(str(args.n), {})
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.folder or temporary)
        at_folder = ["--folder", str(folder), "--stage"]

        def keep(name: str, value: dict[str, Any]) -> None:
            result.update({name: value | {"load": round(os.getloadavg()[0], 1)}}, **about)
            OUT.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
            print(name, json.dumps(result[name]), flush=True)

        keep("build", build_killed_once(folder, args))
        result["disk_mb"] = round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6)
        keep("folder", _staged(args, [*at_folder, "read"]))
        keep("recall_at_10", _staged(args, [*at_folder, "recall"]))
        if args.server:
            keep("server", read_from_server(folder, args))


if __name__ == "__main__":
    main()
