"""Recall@5 by kind of query and by embedder: the right abstract among 1,000, the right lines within a trial.

    python -m benchmarks.references --embedder minilm --documents 1000 --n 200

A step is a conclusion (PubMedQA), a hallucinated answer (MedHallu), a claim (SciFact), a question (MedQuAD) or a
statement about a trial (NLI4CT). `three in one` joins the steps of three items, and counts how many of their three
abstracts are among the five passages. Every kind of query has the same five places. Results of several embedders stand
side by side in the file.
"""

from __future__ import annotations

import argparse
import ast
import csv
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tracejury.agents import cut_by_rule
from tracejury.models import Embedder
from tracejury.retrieval import (
    ClaimQuery,
    Document,
    Finder,
    Index,
    Query,
    claim_queries,
    open_embedder,
    step_query,
)

K = 5
OUT = Path(__file__).parent / "results" / "references-recall.json"


class Item(NamedTuple):
    """A step, and where what decides it stands."""

    step: str
    right: tuple[frozenset[str], ...]
    """Keys of documents by what they decide: one of each set is wanted."""
    source: str


class References:
    """Documents of one set, or of one trial."""

    license, version = "evaluation only", "1"

    def __init__(self, name: str, texts: dict[str, str], titles: dict[str, str] | None = None) -> None:
        self.name, self.texts, self.titles = name, texts, titles or {}

    def documents(self) -> Iterator[Document]:
        for key, text in self.texts.items():
            title = self.titles.get(key, "")
            yield Document(source=self.name, title=title, text=text, citation=key, license="-", key=key)


class Int8Vectors:
    """An embedder's vectors as an index of 8 bits a dimension would keep them: one scale a vector."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dim, self._embedder = f"int8 {embedder.name}", embedder.dim, embedder

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        vectors = self._embedder.embed(texts)
        scales = np.abs(vectors).max(axis=1, keepdims=True) / 127
        rounded = np.round(vectors / scales).astype(np.int8).astype(np.float32)
        return rounded / np.linalg.norm(rounded, axis=1, keepdims=True)


class Task(NamedTuple):
    """One set."""

    sources: list[References]
    items: list[Item]


def pubmedqa(args: argparse.Namespace, rng: random.Random) -> Task:
    entries = json.loads((args.data / "pubmedqa" / "ori_pqal.json").read_text("utf-8"))
    rows = [(key, "\n".join(e["CONTEXTS"]), e["LONG_ANSWER"]) for key, e in entries.items()]
    return _abstracts("pubmedqa", rows, args, rng)


def medhallu(args: argparse.Namespace, rng: random.Random) -> Task:
    rows = [
        (str(n), "\n".join(ast.literal_eval(row["knowledge"])["contexts"]), row["least_similar_answer"])
        for n, row in enumerate(_table(args.data / "medhallu" / "prepared_detection_input.csv"))
    ]
    return _abstracts("medhallu", rows, args, rng)


def scifact(args: argparse.Namespace, rng: random.Random) -> Task:
    """The evidence of the development rows, then of the others, up to `documents`; the claims of the former."""
    evidence: dict[str, str] = {}
    steps: dict[str, set[str]] = defaultdict(set)
    for part in ("dev", "train"):
        for row in _table(args.data / "scifact_pairs" / f"{part}.tsv", "\t"):
            key = evidence.setdefault(row["sentence1"], f"s{len(evidence)}")
            if part == "dev":
                steps[row["sentence2"]].add(key)
    evidence = dict(list(evidence.items())[: args.documents])
    here = set(evidence.values())
    items = [Item(step, (frozenset(keys & here),), "scifact") for step, keys in steps.items() if keys & here]
    rng.shuffle(items)
    return Task([References("scifact", {key: text for text, key in evidence.items()})], items[: args.n])


def medquad(args: argparse.Namespace, rng: random.Random) -> Task:
    """Questions and answers; any answer of the same question counts."""
    with gzip.open(args.data / "corpus/medquad/medquad_passages.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    rows = rng.sample(rows, args.documents)
    same: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        same[row["question"]].add(row["id"])
    items = [Item(question, (frozenset(keys),), "medquad") for question, keys in same.items()][: args.n]
    titles = {row["id"]: f"{row['focus']}: {row['qtype']}" for row in rows}
    return Task([References("medquad", {row["id"]: row["answer"] for row in rows}, titles)], items)


def nli4ct(args: argparse.Namespace, rng: random.Random) -> Task:
    """Statements about one trial; the lines of its section that decide them, all lines of its record searched."""
    sources: dict[str, References] = {}
    items = []
    with zipfile.ZipFile(args.data / "nli4ct" / "nli4ct_dev.zip") as archive:
        entries = list(json.loads(archive.read("Complete_dataset/Gold_test_dev_half.json")).values())
        for entry in rng.sample(entries, len(entries)):
            trial, section = entry["Primary_id"], entry["Section_id"]
            if entry.get("Secondary_id") or not entry.get("Primary_evidence_index"):
                continue
            record = json.loads(archive.read(f"Complete_dataset/CT json/{trial}.json"))
            lines = {
                f"{name}:{i}": line.strip()
                for name, part in record.items()
                if isinstance(part, list)
                for i, line in enumerate(part)
                if len(line.strip()) > 3
            }
            right = [f"{section}:{i}" for i in entry["Primary_evidence_index"] if f"{section}:{i}" in lines]
            if right and len(items) < args.trials:
                sources.setdefault(trial, References(trial, lines))
                items.append(Item(entry["Statement"], tuple(frozenset({key}) for key in right), trial))
    return Task(list(sources.values()), items)


TASKS: dict[str, Callable[[argparse.Namespace, random.Random], Task]] = {
    "PubMedQA": pubmedqa,
    "MedHallu": medhallu,
    "SciFact": scifact,
    "MedQuAD": medquad,
    "NLI4CT": nli4ct,
}


def _abstracts(name: str, rows: Sequence[tuple[str, str, str]], args: argparse.Namespace, rng: random.Random) -> Task:
    rows = rng.sample(list(rows), min(args.documents, len(rows)))
    items = [Item(" ".join(step.split()), (frozenset({key}),), name) for key, _, step in rows[: args.n]]
    return Task([References(name, {key: text for key, text, _ in rows})], items)


def three_in_one(items: Sequence[Item]) -> list[Item]:
    """Return steps that say what three items say, one after another."""
    groups = [items[i : i + 3] for i in range(0, len(items) - 2, 3)]
    return [
        Item(" ".join(item.step for item in group), tuple(r for item in group for r in item.right), group[0].source)
        for group in groups
    ]


def query_of(step: str, kind: str) -> Query:
    claims = [(c.handle, c.text) for c in cut_by_rule(step, "", ()).claims if c.restates is None]
    whole, by_claim = step_query(step, ""), claim_queries(claims, "")
    both = {query.text: query for query in (ClaimQuery(claim="step", text=whole), *by_claim)}
    by_kind = {"step": (), "claims": by_claim, "both": tuple(both.values())}
    return Query(text=whole, claims=by_kind[kind], step=step)


def shares_of(index: Index, items: Sequence[Item], kind: str) -> tuple[np.ndarray, float]:
    """Return for each item the share of what is wanted among its five passages, and milliseconds an item."""
    by_source: dict[str, list[int]] = defaultdict(list)
    for at, item in enumerate(items):
        by_source[item.source].append(at)
    shares, seconds = np.zeros(len(items)), 0.0
    for source, rows in by_source.items():
        finder = Finder(index, (source,), K)
        began = time.perf_counter()
        findings = finder.find([query_of(items[at].step, kind) for at in rows])
        seconds += time.perf_counter() - began
        for at, finding in zip(rows, findings, strict=True):
            keys = {hit.passage.key for hit in finding.hits}
            right = items[at].right
            shares[at] = sum(bool(keys & one) for one in right) / min(K, len(right))
    return shares, 1000 * seconds / len(items)


def mean_of(values: np.ndarray) -> dict[str, float]:
    """Return a mean with its 95 % interval, 4,000 bootstraps over items."""
    draws = np.random.default_rng(0).integers(0, len(values), (4000, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [0.025, 0.975])
    return {"mean": round(float(values.mean()), 3), "low": round(float(low), 3), "high": round(float(high), 3)}


def measure(task: Task, index: Index, kinds: Sequence[str]) -> dict[str, Any]:
    began = time.perf_counter()
    passages = sum(index.build(references).passages for references in task.sources)
    built = time.perf_counter() - began
    out: dict[str, Any] = {"passages": passages, "passages_per_s_with_embedding": round(passages / built, 1)}
    for name, items in (("one", task.items), ("three in one", three_in_one(task.items))):
        if name != "one" and len(task.sources) > 1:
            continue
        shares = {kind: shares_of(index, items, kind) for kind in kinds}
        out[name] = {"n": len(items), "claims_an_item": round(_claims(items) / len(items), 2)}
        out[name] |= {kind: mean_of(share) | {"ms": round(ms, 1)} for kind, (share, ms) in shares.items()}
        for kind in set(kinds) - {"step"}:
            out[name][f"{kind} minus step"] = mean_of(shares[kind][0] - shares["step"][0])
    return out


def _claims(items: Sequence[Item]) -> int:
    return sum(max(1, len(query_of(item.step, "claims").claims)) for item in items)


def _table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter=delimiter))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--embedder", default="minilm")
    parser.add_argument("--label", help="what the result is called; default: the embedder")
    parser.add_argument("--int8", action="store_true", help="round passages and queries to 8 bits a dimension")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--sets", nargs="*", default=list(TASKS))
    parser.add_argument("--kinds", nargs="*", default=["step", "claims", "both"])
    args = parser.parse_args()
    results = json.loads(OUT.read_text("utf-8")) if OUT.is_file() else {}
    label = args.label or f"{args.embedder}, {args.documents} documents"
    embedder = open_embedder(args.embedder)
    if args.int8:
        embedder = Int8Vectors(embedder)
    result = results.setdefault(label, {})
    for name in args.sets:
        task = TASKS[name](args, random.Random(0))
        with tempfile.TemporaryDirectory() as folder:
            index = Index.open(folder, embedder)
            result[name] = measure(task, index, args.kinds)
            size = sum(p.stat().st_size for p in Path(folder).rglob("*") if p.is_file())
            result[name]["index_kb_a_passage"] = round(size / 1000 / result[name]["passages"], 2)
        result[name]["commit"] = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip()
        result[name]["command"] = " ".join(["python -m benchmarks.references", *sys.argv[1:]])
        result["dimensions"] = embedder.dim
        print(label, name, json.dumps(result[name]), flush=True)
        OUT.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
