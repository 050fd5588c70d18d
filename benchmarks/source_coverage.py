"""Which share of the claims references decide, above both nulls: the shipped ones, with one corpus more, with all.

    python -m benchmarks.source_coverage --data ../shared/data --out benchmarks/results/source_coverage.json

Whole corpora, found by BM25 with expansion (no passage is embedded, so that the corpora can be read whole in minutes);
the checker reads the four sentences that share most stems with the claim, and a quarter of them at least (of 5,800
pairs that share less none reached a threshold), in the same way for the nulls. Its answers
are kept under `--work`, so that a run that was cut off goes on. `--liars WAY` measures juries that are always wrong,
with these references and every source vouched for.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.grounding.checkers import cached_checker
from benchmarks.grounding.liars import measure_liars
from benchmarks.grounding.mr_ben import labelled_cases
from benchmarks.grounding.strongest import jury_panel
from tracejury.agents import RetrievalSpec
from tracejury.reports import reference_coverage
from tracejury.retrieval import Finder, Hit, Index, Trust, content_stems
from tracejury.traces import Batch, Question, Trace, read, split_sentences, write_batch

SPOKEN_OF = 0.6
READ = 0.25
"""Shares of a claim's stems: to be about it, and to be read by the checker."""
# The module, whose name in its package is the function.
coverage = import_module("tracejury.reports.reference_coverage")
SHIPPED = ("open-medicine", "reference-ranges")
FOLDERS = {
    "medquad": "corpus/medquad/medquad_passages.jsonl.gz",
    "ngc": "corpus/ngc_public_domain/ngc_pd_xml.tar.gz",
}
OPENSTAX = {
    "openstax-science": (
        "corpus/openstax_science/anatomy_physiology_passages.jsonl.gz",
        "corpus/openstax_science/microbiology_passages.jsonl.gz",
    ),
    "openstax-nursing": ("corpus/openstax_nursing/openstax_nursing_passages.jsonl.gz",),
}
WAYS = {
    "guidelines alone": SHIPPED,
    "+ all": (*SHIPPED, "medquad", "openstax-science", "openstax-nursing", "ngc"),
    "+ MedQuAD": (*SHIPPED, "medquad"),
    "+ OpenStax": (*SHIPPED, "openstax-science"),
}


class NoVectors:
    """Vectors of no use: the search goes by words alone."""

    name = "none"
    dim = 8

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(t.encode()).digest()[:8]) for t in texts]
        rows = np.stack([np.random.default_rng(s).standard_normal(self.dim, dtype=np.float32) for s in seeds])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


class SharedStems:
    """The share of a claim's stems that a sentence has."""

    def score(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        scores = []
        for claim, sentence in pairs:
            stems = set(content_stems(claim))
            scores.append(len(stems & set(content_stems(sentence))) / max(1, len(stems)))
        return scores


def build(index: Index, data: Path) -> dict[str, int]:
    """Index every corpus whole and vouch for it, unless that is done; return the passages of each."""
    if set(WAYS["+ all"]) <= index.manifest().sources.keys():
        return {name: entry.passages for name, entry in index.manifest().sources.items()}
    for name in SHIPPED:
        index.build(name)
    for name, file in FOLDERS.items():
        index.build(name, {"path": str((data / file).resolve())}, trust=Trust.FULL)
    for name, files in OPENSTAX.items():
        with tempfile.NamedTemporaryFile(suffix=".jsonl.gz") as joined:
            joined.write(b"".join((data / file).read_bytes() for file in files))
            joined.flush()
            fields = {"title": "{module_title}: {section}", "citation": "{module_title}"}
            params = {"path": joined.name, "name": name, "license": "see data", "fields": fields}
            index.build("jsonl", params, trust=Trust.FULL)
    return {name: entry.passages for name, entry in index.manifest().sources.items()}


def batch_of(reader: str, path: Path, folder: Path) -> Batch:
    records = [record for record in read(reader, path) if isinstance(record, Question | Trace)]
    write_batch(records, folder)
    return Batch.open([folder])


def spoken_of(batch: Batch, finder: Finder, questions: int, arms: Sequence[str]) -> dict[str, Any]:
    """Return the share of claims of which one found sentence has `SPOKEN_OF` of the stems, without the checker."""
    claims = coverage._with_nulls(coverage._claims(batch, finder, questions, arms, 0, "auto"), 0)

    def sources_of(text: str, hits: Sequence[Hit]) -> frozenset[str]:
        stems = content_stems(text)
        sentences = ((h.passage.source, h.passage.text[a:b]) for h in hits for a, b in split_sentences(h.passage.text))
        least = max(2, SPOKEN_OF * len(stems))
        return frozenset(source for source, sentence in sentences if len(stems & content_stems(sentence)) >= least)

    results = [
        coverage._Result(
            claim,
            sources_of(claim.text, claim.hits),
            sources_of(claim.swapped, claim.hits),
            sources_of(claim.text, claim.foreign),
        )
        for claim in claims
    ]
    rows = [coverage._row("all", results, None, 0)]
    rows += [coverage._row(f"source {name}", results, name, 0) for name in finder.sources]
    missing = [topic.model_dump() for topic in coverage._missing(results)]
    return {"rows": [row.model_dump() for row in rows], "missing": missing}


async def measure(args: argparse.Namespace) -> dict[str, Any]:
    index = Index.open(args.work / "index", NoVectors())
    began = time.perf_counter()
    passages = build(index, args.data)
    print(passages, f"{time.perf_counter() - began:.0f} s", flush=True)
    checker = cached_checker("nli", args.work)
    out: dict[str, Any] = {"passages": passages}
    sets = {
        "MR-Ben dev": ("mr-ben", args.data / "mr_ben" / "medicine_dev_subset.json", (), args.questions),
        "reasoning-guidance": (
            "reasoning-guidance",
            args.data / "reasoning_guidance",
            ("base", "distilled"),
            args.guidance,
        ),
    }
    for name, (reader, path, arms, questions) in sets.items():
        if name not in args.sets:
            continue
        with tempfile.TemporaryDirectory() as folder:
            batch = batch_of(reader, path, Path(folder))
            for way in args.ways:
                sources = WAYS[way]
                began = time.perf_counter()
                finder = Finder(index, sources, 5, fusion=False, finder="bm25")
                if args.spoken_of:
                    row = spoken_of(batch, finder, questions, arms)
                else:
                    found = await reference_coverage(
                        batch, finder, checker, SharedStems(), floor=READ, questions=questions, arms=arms, seed=0
                    )
                    row = found.model_dump(mode="json")
                out.setdefault(name, {})[way] = row
                print(name, way, f"{time.perf_counter() - began:.0f} s", json.dumps(row), flush=True)
                args.out.write_text(json.dumps(out | args.about, indent=1) + "\n", "utf-8")
    return out


def measure_liars_with(args: argparse.Namespace) -> dict[str, Any]:
    """Return the verdicts of juries that are always wrong and always right, with every source vouched for."""
    index = Index.open(args.work / "index", NoVectors())
    build(index, args.data)
    params = {"finder": "bm25", "quotas": {"reference-ranges": 1}}
    retrieval = RetrievalSpec(sources=WAYS[args.liars], k=5, embedder=NoVectors.name, fusion=False, params=params)
    cases = labelled_cases(args.data, args.work, args.traces, retrieval)
    figures, _ = measure_liars(cases, jury_panel(cached_checker("nli", args.work)))
    return {"references": args.liars, "liars": figures}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/coverage"))
    parser.add_argument("--liars", choices=WAYS, help="measure liars with these references, and nothing else")
    parser.add_argument("--traces", type=int, default=60, help="traces of MR-Ben that liars judge")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--guidance", type=int, default=50)
    parser.add_argument("--spoken-of", action="store_true", help="count claims that a sentence speaks of, unchecked")
    parser.add_argument("--sets", nargs="*", default=["MR-Ben dev", "reasoning-guidance"])
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=WAYS)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/source_coverage.json"))
    args = parser.parse_args()
    args.about = {
        "what": __doc__,
        "command": " ".join(["python -m benchmarks.source_coverage", *sys.argv[1:]]),
        "commit": subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], text=True).strip(),
        "checker": "nli, shipped calibration",
    }
    args.work = args.work.absolute()
    args.work.mkdir(parents=True, exist_ok=True)
    if args.liars:
        liars = measure_liars_with(args) | args.about
        args.out.write_text(json.dumps(liars, indent=1) + "\n", "utf-8")
        print(json.dumps(liars))
    else:
        asyncio.run(measure(args))


if __name__ == "__main__":
    main()
